"""The promise: what the READMEs say can be typed as it stands."""

import importlib
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement
from torch.utils.data import Dataset
from torchvision.datasets import FakeData
from torchvision.transforms import v2

from projects.starter import data as starter_data
from projects.starter.config import DataConfig
from projects.starter.sources import load_records
from shared.command import options_class
from shared.config import TrainOptions, load, parse_arguments, read_yaml
from shared.files import atomic_folder, read_json
from tests.conftest import ROOT, STARTER, CommandLine

FOLDERS = (".", "benchmarks", "projects/*", "shared/coursework")
READMES = sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.md"))
TEXTS = [path.read_text().replace("\\\n", "") for path in READMES]
LINES = sorted({line for text in TEXTS for line in re.findall(r"python -m [a-z_.]+[^`\n]*", text)})
MODULES = [line for line in LINES if line.startswith("python -m projects.") and "..." not in line]
OTHERS = [line for line in LINES if re.match(r"python -m (shared|benchmarks)\.", line)]
MAKE = sorted({line for text in TEXTS for line in re.findall(r"make [a-z-]+[^`\n]*", text)})


@pytest.mark.parametrize("line", MODULES)
def test_commands_name_existing_scripts_and_settings(line: str) -> None:
    module, *words = shlex.split(line, comments=True)[2:]
    if "--training.epoch" in words:  # the example of a mistake
        return
    assert importlib.util.find_spec(module), module
    package, script = module.rsplit(".", 1)
    config, given = importlib.import_module(f"{package}.config"), parse_arguments(words)
    if script != "train":
        load(options_class(package.split(".")[1], script), given)
        return
    asked = load(TrainOptions, {key: given.pop(key) for key in TrainOptions.model_fields if key in given})
    load(config.Config, read_yaml(ROOT / asked.config) if asked.config else {}, given)


@pytest.mark.parametrize("line", OTHERS)
def test_other_commands_name_existing_modules_and_settings(line: str) -> None:
    module, *words = shlex.split(line, comments=True)[2:]
    assert importlib.util.find_spec(module), module
    if module.startswith("shared.coursework."):
        kinds = [kind for name, kind in vars(importlib.import_module(module)).items() if name.endswith("Options")]
        assert kinds and load(kinds[0], parse_arguments(words))


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if link.startswith(("https://", "http://")):
            continue
        file, _, heading = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        titles = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE) if heading else []
        assert not heading or heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no make")
@pytest.mark.parametrize("line", [line for line in MAKE if "%" not in line and "`" not in line])
def test_make_commands_name_existing_targets(line: str) -> None:
    words = shlex.split(line, comments=True)
    if not re.match(r"^(setup|test|lint|audit|runs|clean|help|learn|grade|score|caption|[a-z]+-[a-z]+)$", words[1]):
        return  # prose that happens to contain the word
    answer = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    for module in re.findall(r"-m (projects\.[a-z_.]+)", answer.stdout):
        assert importlib.util.find_spec(module), module


def test_every_dependency_has_a_lower_bound_and_a_version_in_the_constraints() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    versions = dict(line.split("==") for line in lines if not line.startswith("#"))
    needed = [Requirement(line) for line in chain(project["dependencies"], *project["optional-dependencies"].values())]
    needed = [package for package in needed if package.name != project["name"]]
    assert versions.keys() == {package.name.lower() for package in needed}
    for package in needed:
        assert ">=" in str(package.specifier), package
        assert package.specifier.contains(versions[package.name.lower()]), package


def test_the_code_in_the_readme_of_the_starter_works(tmp_path: Path) -> None:
    page = (ROOT / "projects" / "starter" / "README.md").read_text()
    write, augment = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names = {**vars(starter_data), "Dataset": Dataset, "FakeData": FakeData, "v2": v2, "atomic_folder": atomic_folder}
    exec(f"def write_sample(folder):\n{write}\n{augment}", names)
    root = names["write_sample"](tmp_path)
    records, _ = load_records(DataConfig(source="folder", root=root, cache=tmp_path / "cache"))
    assert len(records) == 300 and {label for _, label in records} == set(range(5))
    images = names["Augmented"](records[:3], 16)
    assert len(images) == 3 and images[2][0].shape == (3, 16, 16) and images[2][1] == records[2][1]
    assert any(not torch.equal(images[0][0], images[0][0]) for _ in range(20))


def test_the_starter_is_as_short_as_the_readme_says() -> None:
    (lines,) = re.findall(r"smallest complete project \((\d+) lines\)", (ROOT / "README.md").read_text())
    files = (ROOT / "projects" / "starter").glob("*.py")
    assert sum(len(path.read_text().splitlines()) for path in files) <= int(lines)


def test_pictures_exist_and_are_small() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / picture).stat().st_size < 200_000


@STARTER
def test_the_model_change_in_the_readme_applies_and_improves_the_score(
    trained_starter: Path, tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (diff,) = re.findall(r"```diff\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = diff.splitlines()
    before, after = ("\n".join(line[1:] for line in lines if line.startswith(sign)) for sign in "-+")
    code, changed = (ROOT / "projects" / "starter" / "model.py").read_text(), {}
    assert before in code
    exec(code.replace(before, after), changed)
    for module in ("train", "predictor"):
        monkeypatch.setattr(f"projects.starter.{module}.build_model", changed["build_model"])
    answer = command("projects.starter.train", "--config", ROOT / "configs" / "starter" / "smoke.yaml")
    assert answer.returncode == 0, answer.stderr
    (old,), (new,) = (folder.glob("runs/starter/*/evaluation.json") for folder in (trained_starter, tmp_path))
    assert read_json(new)["metrics"]["accuracy"] > read_json(old)["metrics"]["accuracy"]
