"""The promise: nobody loses a run, and a damaged run disturbs no other one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from projects.starter.config import DataConfig
from projects.starter.sources import own_data
from shared.files import is_sealed, read_json, seal
from shared.runs import Run
from shared.training.checkpoint import load_model, load_state, save_model, save_state
from tests.conftest import ROOT, STARTER, CommandLine, environment

TRAIN = "projects.starter.train"
SMOKE = ["--config", str(ROOT / "configs/starter/smoke.yaml")]
pytestmark = STARTER
odd_names = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")


@pytest.fixture
def finished(trained_starter: Path, tmp_path: Path) -> Run:
    """A copy of that run in `tmp_path`, with its data."""
    return copy_of(trained_starter, tmp_path)


@pytest.fixture(scope="session")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that Ctrl-C stopped in the middle of its training."""
    folder = tmp_path_factory.mktemp("stopped")
    words = [sys.executable, "-m", TRAIN, *SMOKE, "--training.epochs", "3", "--training.checkpoint_minutes", "0"]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(folder.glob("runs/starter/*/checkpoints/last.previous.pt")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    return folder


@pytest.fixture
def stopped(interrupted: Path, tmp_path: Path) -> Run:
    """A copy of that run in `tmp_path`, with its data."""
    return copy_of(interrupted, tmp_path)


def copy_of(folder: Path, target: Path) -> Run:
    """The run in a copy of its folder; of the data, which nothing changes, the names alone are copied."""
    shutil.copytree(folder / "runs", target / "runs")
    shutil.copytree(folder / "data", target / "data", copy_function=os.link)
    (run,) = target.glob("runs/starter/*")
    return Run(run)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- nothing is deleted that the process did not make


def test_resuming_where_the_data_are_missing_leaves_the_folder_as_it_was(tmp_path: Path, command: CommandLine) -> None:
    folder = tmp_path / "runs" / "starter" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("data: {source: folder, root: not/mounted}\n")
    (folder / "notes.txt").write_text("six weeks of work")
    before = files_of(folder)
    answer = command(TRAIN, "--resume", "mine")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1 and "not/mounted" in answer.stderr
    assert files_of(folder) == before


def test_resuming_a_folder_that_is_no_run_leaves_it_as_it_was(tmp_path: Path, command: CommandLine) -> None:
    folder = tmp_path / "starter" / "site"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("theme: dark\n")
    (folder / "index.html").write_text("<p>hello</p>")
    before = files_of(folder)
    answer = command(TRAIN, "--resume", folder)
    assert answer.returncode == 2 and answer.stderr.count("\n") == 1
    assert files_of(folder) == before


def test_a_new_run_that_fails_before_its_first_checkpoint_leaves_only_what_was_there(
    tmp_path: Path, command: CommandLine
) -> None:
    (tmp_path / "runs" / "starter").mkdir(parents=True)
    (tmp_path / "runs" / "starter" / "notes.txt").write_text("mine")
    assert command(TRAIN, "--data.source", "folder", "--data.root", "nowhere").returncode == 2
    assert files_of(tmp_path) == {"runs/starter/notes.txt": b"mine"}


def test_what_a_user_puts_into_a_new_run_is_not_deleted_with_it(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(_: object, run: Run) -> None:
        (run.folder / "notes.txt").write_text("mine")
        raise ValueError("no data")

    monkeypatch.setattr("projects.starter.train.train", train)
    answer = command(TRAIN, *SMOKE)
    assert (answer.returncode, answer.stderr) == (2, "starter: no data\n")
    (notes,) = tmp_path.glob("runs/starter/*/notes.txt")
    assert notes.read_text() == "mine"


def test_the_first_error_is_the_one_that_is_reported(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(_: object, run: Run) -> None:
        (run.folder / "environment.json").write_text("{")
        raise ValueError("the real reason")

    monkeypatch.setattr("projects.starter.train.train", train)
    assert command(TRAIN, *SMOKE).stderr == "starter: the real reason\n"


def test_a_training_that_returns_no_predictor_keeps_its_weights(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.starter import train as module

    whole = module.train
    monkeypatch.setattr(module, "train", lambda config, run: (whole(config, run), None)[1])
    answer = command(TRAIN, *SMOKE)
    assert answer.returncode == 2
    assert "must return a Predictor, not None; the weights are kept in runs/starter/" in answer.stderr
    assert "report:" not in answer.stdout
    assert list(tmp_path.glob("runs/starter/*/checkpoints/best.pt"))


# --- a run is whole, and what is lost of it is made again


def test_a_finished_run_without_its_side_files_is_evaluated_all_the_same(finished: Run, command: CommandLine) -> None:
    for name in ("environment.json", "metrics.csv", "report.html", "evaluation.json", "provenance.safetensors"):
        (finished.folder / name).unlink()
    answer = command("projects.starter.evaluate")
    assert answer.returncode == 0, answer.stderr
    assert (finished.folder / "report.html").is_file() and (finished.folder / "evaluation.json").is_file()
    assert "has no record of what it was trained on" in answer.stdout


DAMAGE = {
    "empty settings": ("config.yaml", ""),
    "a list": ("config.yaml", "- 1\n"),
    "a number": ("config.yaml", "data: 3\n"),
    "half an evaluation": ("evaluation.json", "{"),
    "zeros": ("environment.json", "\x00"),
}


def test_damaged_runs_disturb_neither_the_table_nor_another_evaluation(finished: Run, command: CommandLine) -> None:
    for kind, (name, content) in DAMAGE.items():
        broken = finished.folder.parent / f"20250101-000000-{kind}"
        shutil.copytree(finished.folder, broken)
        (broken / name).write_text(content)
    table = command("shared.runs")
    assert table.returncode == 0 and table.stdout.count("starter") == 1 + len(DAMAGE)
    assert all(name in table.stdout for name in (finished.name, *DAMAGE))
    assert command("projects.starter.evaluate", "--run", finished.name).returncode == 0


def test_damaged_metrics_are_one_sentence(finished: Run, command: CommandLine) -> None:
    (finished.folder / "metrics.csv").write_text("epoch,loss\n1\n")
    answer = command("projects.starter.evaluate", "--run", finished.name)
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1 and "metrics.csv is damaged" in answer.stderr


def test_pictures_of_a_run_that_cannot_be_written_go_elsewhere_which_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path / "project" / "run")
    run.folder.mkdir(parents=True)
    assert run.predictions == run.folder / "predictions"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert not run.predictions.is_relative_to(tmp_path / "project")
    assert f"cannot be written; what predict writes goes to {run.predictions}" in capsys.readouterr().err


def test_a_run_folder_appears_with_its_settings_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.config import Section

    monkeypatch.setattr("shared.runs.RUNS", tmp_path)
    monkeypatch.setattr("shared.runs.environment", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Run.create("project", "name", Section())
    assert not list((tmp_path / "project").iterdir())


# --- training states and model files


def test_a_model_file_depends_on_nothing_but_the_model_and_can_be_read_by_all(finished: Run) -> None:
    with safe_open(finished.model_file, framework="pt") as file:
        assert list(file.metadata()) == ["about"]  # of several, the order changes from process to process
    assert finished.model_file.stat().st_mode == (finished.folder / "config.yaml").stat().st_mode


def test_settings_that_are_changed_in_a_model_file_are_noticed(finished: Run, command: CommandLine) -> None:
    content = finished.model_file.read_bytes()
    assert content.count(b'\\"image_size\\": 8') == 1
    finished.model_file.write_bytes(content.replace(b'\\"image_size\\": 8', b'\\"image_size\\": 9'))
    answer = command("projects.starter.evaluate", "--run", finished.name)
    assert answer.returncode == 2 and "is damaged: its weights and settings are not those" in answer.stderr


def test_checkpoints_of_a_run_that_was_killed_before_they_were_deleted_are_deleted(
    finished: Run, command: CommandLine
) -> None:
    save_state(finished.checkpoints / "last.pt", {})
    assert command(TRAIN, "--resume", finished.name).returncode == 0
    assert not finished.checkpoints.exists()


def test_a_damaged_state_falls_back_to_the_one_before_and_ends_with_the_same_weights(
    stopped: Run, tmp_path: Path, command: CommandLine
) -> None:
    state = stopped.checkpoints / "last.pt"
    assert is_sealed(state)
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 0xFF
    whole = tmp_path / "runs" / "starter" / "20250101-000000-whole"
    shutil.copytree(stopped.folder, whole)
    state.write_bytes(content)
    answer = command(TRAIN, "--resume", stopped.name)
    assert answer.returncode == 0, answer.stderr
    assert "is damaged or missing: going on from the state before it" in answer.stderr
    assert command(TRAIN, "--resume", whole.name).returncode == 0
    one, two = (load_file(run / "model.safetensors") for run in (stopped.folder, whole))
    assert all(torch.equal(tensor, two[name]) for name, tensor in one.items())


def test_two_damaged_states_are_one_sentence_and_stay(stopped: Run, command: CommandLine) -> None:
    for path in stopped.checkpoints.glob("last*.pt"):
        path.write_bytes(b"nothing")
    before = files_of(stopped.checkpoints)
    answer = command(TRAIN, "--resume", stopped.name)
    assert answer.returncode == 2 and answer.stderr.splitlines()[-1].startswith("starter: the training state")
    assert files_of(stopped.checkpoints) == before


@pytest.mark.parametrize(
    "edit", [("image_size: 8", "image_size: 4"), ("optimizer: adamw", "optimizer: sgd"), ("epochs: 3", "epoch: 3")]
)
def test_settings_edited_before_a_resume_are_one_sentence_or_taken(
    stopped: Run, command: CommandLine, edit: tuple[str, str]
) -> None:
    config = stopped.folder / "config.yaml"
    assert edit[0] in config.read_text()
    config.write_text(config.read_text().replace(*edit))
    answer = command(TRAIN, "--resume", stopped.name)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr and answer.stderr.splitlines()[-1].startswith("starter: ")
    assert (stopped.checkpoints / "last.pt").is_file()


@pytest.mark.parametrize(
    "damage", ["bit", "nan", "missing", "shape", "about", "project", "no about", "truncated", "empty"]
)
def test_a_damaged_model_file_is_one_sentence(finished: Run, command: CommandLine, damage: str) -> None:
    path = finished.model_file
    tensors, about = load_model(path, "starter")
    name = next(name for name in tensors if name.endswith("weight"))
    if damage == "bit":
        content = bytearray(path.read_bytes())
        content[-100] ^= 0x10
        path.write_bytes(content)
    elif damage in ("truncated", "empty"):
        path.write_bytes(path.read_bytes()[: 2000 if damage == "truncated" else 0])
    elif damage == "no about":
        save_file(tensors, path)
    else:
        if damage == "nan":
            tensors[name].view(-1)[0] = float("nan")
        elif damage == "missing":
            del tensors[name]
        elif damage == "shape":
            tensors[name] = tensors[name][:1]
        elif damage == "about":
            about = {"project": "starter", "config": about["config"], "classes": 7}
        elif damage == "project":
            about = {**about, "project": ["starter"]}
        save_model(path, tensors, about)
    answer = command("projects.starter.evaluate", "--run", finished.name)
    assert answer.returncode == 2, answer.stdout
    assert answer.stderr.count("\n") == 1 and "model.safetensors" in answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="there are no file size limits on Windows")
def test_a_full_disk_while_saving_is_one_sentence_and_the_state_before_stays(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    save_state(path, {"weights": torch.ones(10)})
    code = (
        "import resource, signal, sys, torch; from pathlib import Path\n"
        "from shared.training.checkpoint import save_state\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: save_state(Path(sys.argv[1]), {'weights': torch.ones(100000)})\n"
        "except OSError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code, path], env=environment(), capture_output=True, text=True)
    assert answer.stdout.count("\n") == 1 and answer.returncode == 0, answer.stderr
    state = load_state(path)
    assert state is not None and torch.equal(state["weights"], torch.ones(10))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["last.pt"]


def test_a_seal_notices_every_changed_byte(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"some content")
    seal(path)
    assert is_sealed(path)
    sealed = path.read_bytes()
    for index in range(len(sealed)):
        path.write_bytes(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :])
        assert not is_sealed(path)
    path.write_bytes(sealed[:-1])
    assert not is_sealed(path)


@odd_names
def test_paths_of_odd_names_are_taken_or_refused_in_one_sentence(finished: Run, command: CommandLine) -> None:
    (root,) = finished.folder.parents[2].glob("data")
    odd = root.with_name("\udcff\x1b[31m")
    root.rename(odd)
    config = shutil.copy(ROOT / "configs/starter/smoke.yaml", odd / "smoke.yaml")
    digits, out = odd / "starter-digits", odd / "\udcff.json"
    for script, *words in (
        ("train", "--config", config, "--data.source", "folder", "--data.root", digits, "--print-config"),
        ("predict", digits / "3" / "0003.png", "--json", out),
        ("evaluate", "--data.source", "folder", "--data.root", digits, "--json", out),
    ):
        answer = command(f"projects.starter.{script}", *words)
        assert answer.returncode == 0, answer.stderr
    assert read_json(out)["data"]["root"] == str(digits)
    moved = shutil.copytree(finished.folder, odd / "starter" / "run")
    for script, *words in (
        ("predict", "x.png", "--run", moved), ("evaluate", "--run", odd), ("train", "--resume", moved),
        ("train", "--resume", odd), ("train", "--config", f"{odd}.yaml"), ("train", f"--{odd}", "1"),
        ("train", "--data.source", "folder", "--data.root", odd / "none"), ("predict", odd / "none.png"),
    ):  # fmt: skip
        answer = command(f"projects.starter.{script}", *words)
        assert answer.returncode == 2
        assert answer.stderr[-1:] == "\n" and answer.stderr[:-1].isprintable(), answer.stderr


@odd_names
def test_a_sample_is_drawn_in_a_folder_of_any_name(tmp_path: Path) -> None:
    folder, example = own_data(tmp_path / "\udcff", DataConfig())
    assert example.is_file() and folder.parent.name == "\udcff"
