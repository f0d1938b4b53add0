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
from packaging.requirements import Requirement

from shared.command import options_class
from shared.config import TrainOptions, load, parse_arguments, read_yaml
from shared.files import read_json
from tests.conftest import ROOT, STARTER, CommandLine

READMES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "projects").glob("*/RE*.md"))]
LINES = sorted({line for path in READMES for line in re.findall(r"python -m [a-z_.]+[^`\n]*", path.read_text())})
MODULES = [line for line in LINES if line.startswith("python -m projects.") and "..." not in line]
MAKE = sorted({line for path in READMES for line in re.findall(r"make [a-z-]+[^`\n]*", path.read_text())})


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no make")
@pytest.mark.parametrize("line", [line for line in MAKE if "%" not in line and "`" not in line])
def test_make_commands_name_existing_targets(line: str) -> None:
    words = shlex.split(line, comments=True)
    if not re.match(r"^(setup|test|lint|audit|runs|clean|help|[a-z]+-[a-z]+)$", words[1]):
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
