"""The contract: the same promises over every folder in `projects/`, one that you add included (CONTRIBUTING.md).

Each project is trained once with `configs/<project>/smoke.yaml`, which takes seconds.
"""

import ast
import importlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from torch import Tensor, nn

from shared.config import Section, keys, load, read_yaml
from shared.files import read_json
from shared.runs import Run
from shared.training.config import TrainingConfig
from tests.conftest import ROOT, CommandLine, kill_and_resume, train_once

PROJECTS = sorted(path.parent.name for path in (ROOT / "projects").glob("*/train.py"))
FILES = ("config", "sources", "data", "model", "train", "predictor", "evaluate", "report", "predict")
pytestmark = pytest.mark.parametrize(
    "project",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"contract-{name}")) for name in PROJECTS],
    scope="session",
)


def module(project: str, name: str) -> Any:
    return importlib.import_module(f"projects.{project}.{name}")


def smoke(project: str, *more: str) -> list[str]:
    """The words of the command line that train a project in seconds."""
    return ["--config", str(ROOT / "configs" / project / "smoke.yaml"), *more]


def smoke_config(project: str) -> Any:
    return load(module(project, "config").Config, read_yaml(ROOT / "configs" / project / "smoke.yaml"))


def training_sections(project: str) -> list[str]:
    fields = module(project, "config").Config.model_fields
    return [name for name, field in fields.items() if issubclass_of(field.annotation, TrainingConfig)]


def issubclass_of(kind: Any, parent: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, parent)


def tensors(run: Path) -> dict[str, np.ndarray]:
    return load_file(run / "model.safetensors")


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return one.keys() == two.keys() and all(np.array_equal(value, two[name]) for name, value in one.items())


@pytest.fixture(scope="session")
def trained(project: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A folder in which the project was trained by its smoke configuration: the starter in a process of its own, as the
    run that is killed and resumed to the same weights below is for every project."""
    if project == "starter":
        return request.getfixturevalue("trained_starter")
    folder = tmp_path_factory.mktemp(project)
    shutil.copy(ROOT / "configs" / project / "smoke.yaml", folder)
    return train_once(f"projects.{project}.train", ["--config", "smoke.yaml"], folder)


@pytest.fixture
def run_folder(project: str, trained: Path) -> Path:
    """The folder of that run."""
    (run,) = trained.glob(f"runs/{project}/*")
    return run


@pytest.fixture(scope="session")
def own(project: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The sample as a user's own data: the settings that open it, and one input for `predict`."""
    config = smoke_config(project)
    root, example = module(project, "sources").own_data(tmp_path_factory.mktemp(f"{project}-own"), config.data)
    allowed = type(config.data).model_fields["source"].annotation.__args__
    source = next(name for name in ("folder", "csv") if name in allowed)
    return ["--data.source", source, "--data.root", str(root)], example


# --- the files


def test_the_project_has_the_required_files(project: str) -> None:
    folder = ROOT / "projects" / project
    assert [name for name in FILES if not (folder / f"{name}.py").is_file()] == []
    assert all((ROOT / "configs" / project / f"{name}.yaml").is_file() for name in ("sample", "smoke"))
    assert len((folder / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
    assert [
        str(path) for path in folder.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 320
    ] == []


def test_the_project_imports_only_shared_and_libraries_without_cycles(project: str) -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "projects" / project).rglob("*.py")
    }
    imports: dict[str, set[str]] = {}
    for name, path in files.items():
        found = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        others = {imported for imported in found if re.match(rf"projects\.(?!{project}\b)", imported)}
        assert not others, f"{name} imports another project: {others}"
        imports[name] = {imported for imported in found if imported in files and imported != name}
    for name in imports:  # nothing can be reached from itself
        reached, waiting = set(), set(imports[name])
        while waiting:
            step = waiting.pop()
            reached.add(step)
            waiting |= imports.get(step, set()) - reached
        assert name not in reached, f"{name} is part of an import circle"


def test_the_functions_of_the_contract_are_there(project: str) -> None:
    predictor, evaluate = module(project, "predictor").Predictor, module(project, "evaluate")
    assert all(callable(getattr(predictor, name, None)) for name in ("save", "load", "__call__"))
    assert evaluate.HEADLINE[1] in ("min", "max")
    for name, function in (("train", "train"), ("evaluate", "evaluate"), ("report", "report"), ("sources", "own_data")):
        assert callable(getattr(module(project, name), function))
    assert issubclass(module(project, "config").Config, Section)


# --- the command line


def test_help_lists_every_setting(project: str, command: CommandLine) -> None:
    answer = command(f"projects.{project}.train", "--help")
    named = answer.stdout.replace("-", "_").replace("__", "--")
    assert answer.returncode == 0
    assert [key for key in keys(module(project, "config").Config) if f"--{key}" not in named] == []
    for script in ("evaluate", "predict"):
        assert command(f"projects.{project}.{script}", "--help").returncode == 0


def test_a_misspelt_setting_is_one_sentence_with_the_nearest_name(
    project: str, tmp_path: Path, command: CommandLine
) -> None:
    section = training_sections(project)[0]
    answer = command(f"projects.{project}.train", f"--{section}.epoch", "3")
    assert answer.returncode == 2
    assert answer.stderr == (
        f"{project}: unknown setting {section}.epoch; did you mean {section}.epochs?  (--help lists all settings)\n"
    )
    assert not (tmp_path / "runs").exists()


def test_the_old_name_of_a_setting_is_refused_with_its_new_name(project: str, command: CommandLine) -> None:
    section = training_sections(project)[0]
    answer = command(f"projects.{project}.train", f"--{section}.average", "0.9")
    assert (answer.returncode, answer.stderr) == (
        2,
        f"{project}: {section}.average is now called {section}.ema_decay\n",
    )


# --- training


def test_training_writes_a_complete_run_and_prints_the_path_of_its_report(trained: Path, run_folder: Path) -> None:
    last = (trained / "output.txt").read_text().splitlines()[-1]
    assert last == f"report: {(run_folder / 'report.html').relative_to(trained)}"
    wanted = "config.yaml environment.json evaluation.json model.safetensors predictions.csv provenance.safetensors"
    assert set(wanted.split()) | {"report.html"} <= {path.name for path in run_folder.iterdir()}
    assert not (run_folder / "checkpoints").exists()


def test_the_model_overfits_one_batch(project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []

    def memorise(model: nn.Module, loss: Any, train_loader: Any, *_: Any, **__: Any) -> None:
        batch = first_items(next(train_loader.epoch(0)), 8)
        model.train()
        for layer in model.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3, weight_decay=0)
        values = []
        while len(values) < 300 and (not values or values[-1] > 0.2 * values[0]):
            output = loss(model, batch)
            value = output["loss"] if isinstance(output, dict) else output
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            values.append(value.item())
        losses.append((values[0], values[-1]))
        model.eval()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module(project, "train"), "fit", memorise)
    torch.manual_seed(0)
    module(project, "train").train(smoke_config(project), Run(tmp_path / project / "run"))
    assert losses
    assert all(last < 0.4 * first for first, last in losses), losses


def first_items(batch: Any, count: int) -> Any:
    """The first items of a batch of nested tensors."""
    if isinstance(batch, Tensor):
        return batch[:count]
    if isinstance(batch, dict):
        return {key: first_items(value, count) for key, value in batch.items()}
    return tuple(first_items(part, count) for part in batch)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_run_resumes_to_the_same_weights(
    project: str, tmp_path: Path, run_folder: Path, command: CommandLine
) -> None:
    often = [f"--{section}.checkpoint_minutes=0" for section in training_sections(project)]
    killed = kill_and_resume(f"projects.{project}.train", smoke(project, *often), tmp_path, command)
    assert same(tensors(killed), tensors(run_folder))


@pytest.mark.slow
def test_another_seed_gives_other_weights(project: str, tmp_path: Path, run_folder: Path, command: CommandLine) -> None:
    seeds = [f"--{section}.seed=7" for section in training_sections(project)]
    assert command(f"projects.{project}.train", *smoke(project, *seeds)).returncode == 0
    (other,) = tmp_path.glob(f"runs/{project}/*")
    assert not same(tensors(other), tensors(run_folder))


# --- evaluation


def test_evaluation_json_has_one_shape(project: str, run_folder: Path) -> None:
    numbers = read_json(run_folder / "evaluation.json")
    assert {"project", "run", "data", "metrics", "intervals", "baselines", "headline"} <= set(numbers)
    assert (numbers["project"], numbers["run"]) == (project, run_folder.name)
    assert {"source", "root", "split", "n", "seen"} <= set(numbers["data"])
    assert numbers["data"]["n"] > 0 and numbers["data"]["seen"] == 0
    assert numbers["headline"]["metric"] in numbers["metrics"]
    assert all(isinstance(value, (int, float)) for value in numbers["metrics"].values())
    assert all(low <= high for low, high in numbers["intervals"].values())


def test_evaluating_again_gives_the_same_numbers(
    project: str, trained: Path, run_folder: Path, command: CommandLine
) -> None:
    before = read_json(run_folder / "evaluation.json")
    again = command(f"projects.{project}.evaluate", folder=trained)
    assert again.returncode == 0, again.stderr
    after = read_json(run_folder / "evaluation.json")
    for numbers in (before, after):
        numbers["metrics"] = {name: value for name, value in numbers["metrics"].items() if not name.startswith("ms")}
    assert after["metrics"] == pytest.approx(before["metrics"], rel=1e-4)


def test_user_data_are_scored_without_the_training_data_of_the_run(
    project: str, trained: Path, run_folder: Path, own: tuple[list[str], Path], command: CommandLine,
) -> None:  # fmt: skip
    words = [*own[0], "--json", "out.json"]
    answer = command(f"projects.{project}.evaluate", *words, folder=trained)
    assert answer.returncode == 0, answer.stderr
    numbers = read_json(trained / "out.json")
    assert numbers["data"]["seen"] > 0 and numbers["data"]["n"] > 0
    assert f"{numbers['data']['seen']} of " in answer.stdout
    report = trained / answer.stdout.splitlines()[-1].removeprefix("report: ")
    assert report.parent.parent == run_folder / "evaluations"
    assert (report.parent / "predictions.csv").stat().st_size > 0
    kept = command(f"projects.{project}.evaluate", *words, "--seen", "keep", folder=trained)
    assert kept.returncode == 0, kept.stderr
    assert read_json(trained / "out.json")["data"]["n"] > numbers["data"]["n"]


def test_check_prints_what_was_understood_and_trains_nothing(
    project: str, tmp_path: Path, own: tuple[list[str], Path], command: CommandLine
) -> None:
    answer = command(f"projects.{project}.train", *smoke(project, *own[0], "--check"))
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "runs").exists()
    assert re.search(rf"^data +[\d,]+ \w+ from {re.escape(own[0][-1])}$", answer.stdout, re.MULTILINE)
    assert re.search(r"^split [^\n]+ [\d,]+ test", answer.stdout, re.MULTILINE)


@pytest.mark.slow
def test_a_run_can_be_trained_on_user_data(
    project: str, tmp_path: Path, own: tuple[list[str], Path], command: CommandLine
) -> None:
    answer = command(f"projects.{project}.train", *smoke(project, *own[0]))
    assert answer.returncode == 0, answer.stderr
    (run,) = tmp_path.glob(f"runs/{project}/*")
    assert read_json(run / "evaluation.json")["data"]["root"] == own[0][-1]


def test_predict_accepts_one_input(
    project: str, trained: Path, own: tuple[list[str], Path], command: CommandLine
) -> None:
    run = next(trained.glob(f"runs/{project}/*")).name
    words = [str(own[1]), "--run", run, "--json", "answer.json"]
    answer = command(f"projects.{project}.predict", *words, folder=trained)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout and read_json(trained / "answer.json")


def test_a_missing_file_is_one_sentence(project: str, trained: Path, command: CommandLine) -> None:
    run = next(trained.glob(f"runs/{project}/*")).name
    words = ["no/such/file.csv", "--run", run]
    answer = command(f"projects.{project}.predict", *words, folder=trained)
    assert answer.returncode == 2
    assert re.fullmatch(rf"{project}: [^\n]*no/such/file\.csv[^\n]*\n", answer.stderr)


def test_the_report_is_self_contained(project: str, trained: Path, run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    for name in ("config.yaml", "evaluation.json", "predictions.csv", "report.html", "environment.json"):
        text = (run_folder / name).read_text(encoding="utf-8")
        assert not [
            place for place in (str(trained), str(ROOT), str(Path.home())) if len(place) > 5 and place in text
        ], name
