"""The promise: what the READMEs say can be typed as it stands."""

import importlib
import importlib.util
import re
import shlex
import subprocess
import sys

import pytest

from shared.config import TrainOptions, load, parse_arguments, read_yaml
from tests.conftest import ROOT

READMES = [ROOT / "README.md", *sorted((ROOT / "projects").glob("*/README.md"))]
LINES = sorted({line for path in READMES for line in re.findall(r"python -m [a-z_.]+[^`\n]*", path.read_text())})
MODULES = [line for line in LINES if line.startswith("python -m projects.") and "..." not in line]
MAKE = sorted({line for path in READMES for line in re.findall(r"make [a-z-]+[^`\n]*", path.read_text())})


@pytest.mark.parametrize("line", MODULES)
def test_a_command_names_a_script_and_settings_that_exist(line: str) -> None:
    module, *words = shlex.split(line, comments=True)[2:]
    if "--training.epoch" in words:  # the example of a mistake
        return
    assert importlib.util.find_spec(module), module
    package, script = module.rsplit(".", 1)
    config, given = importlib.import_module(f"{package}.config"), parse_arguments(words)
    if script != "train":
        load(getattr(config, f"{script.capitalize()}Options"), given)
        return
    asked = load(TrainOptions, {key: given.pop(key) for key in TrainOptions.model_fields if key in given})
    load(config.Config, read_yaml(ROOT / asked.config) if asked.config else {}, given)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no make")
@pytest.mark.parametrize("line", [line for line in MAKE if "%" not in line and "`" not in line])
def test_a_make_line_is_one_that_make_knows(line: str) -> None:
    words = shlex.split(line)
    if not re.match(r"^(setup|test|test-all|lint|runs|clean|help|[a-z]+-[a-z]+)$", words[1]):
        return  # prose that happens to contain the word
    answer = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    for module in re.findall(r"-m (projects\.[a-z_.]+)", answer.stdout):
        assert importlib.util.find_spec(module), module


def test_the_picture_is_there_and_small() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / picture).stat().st_size < 200_000
