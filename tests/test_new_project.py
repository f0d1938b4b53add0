"""The promise: a new project is one command away, is ready to run, and keeps the contract."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.coursework.new_project import RESERVED, new_project
from shared.files import read_json
from tests.conftest import ROOT, CommandLine, environment

PROJECTS = sorted(path.parent.name for path in (ROOT / "projects").glob("*/train.py"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's code with a copy of every project."""
    place = tmp_path_factory.mktemp("checkout")
    for folder in ("projects", "shared", "configs", "tests"):
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", place)
    for source in PROJECTS:
        new_project(f"my_{source}", source, place)
    return place


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`python WORDS` in a checkout, with the code of that checkout."""
    variables = {**environment(), "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, *words], cwd=folder, env=variables, text=True, capture_output=True)


PRINT_CONFIGS = f"""
import runpy, sys
for project in {PROJECTS}:
    sys.argv = ["train", "--config", f"configs/my_{{project}}/sample.yaml", "--print-config"]
    try:
        runpy.run_module(f"projects.my_{{project}}.train", run_name="__main__")
    except SystemExit as end:
        assert end.code == 0
"""
LOAD_SHIPPED = "from projects.my_numberplate.predictor import SHIPPED, Predictor; Predictor.load(SHIPPED)"
COLLECT = """
import pytest
assert pytest.main(["-n", "0", "--collect-only", "tests/test_contract.py", "-k", "my_"]) == 0
"""


def test_a_copy_of_every_project_is_ready_to_run_with_its_shipped_weights(checkout: Path) -> None:
    modules = []
    for source in PROJECTS:
        files = [file for part in ("projects", "configs") for file in (checkout / part / f"my_{source}").rglob("*")]
        text = [file for file in files if file.suffix in (".py", ".yaml", ".md")]
        page = (checkout / "projects" / f"my_{source}" / "README.md").read_text(encoding="utf-8")
        assert page.startswith(f"> A copy of `projects/{source}`")
        assert not [file for file in text if f"projects.{source}" in file.read_text(encoding="utf-8")]
        code = [file.relative_to(checkout).with_suffix("") for file in files if file.suffix == ".py"]
        modules += [".".join(path.parts) for path in code if "gui" not in path.parts and path.name != "__init__"]
    code = [PRINT_CONFIGS, *(f"import {name}" for name in modules), LOAD_SHIPPED, COLLECT]
    ready = run(checkout, "-c", "\n".join(code))
    assert ready.returncode == 0, ready.stderr
    assert ready.stdout.count("\n  source: ") == len(PROJECTS)
    assert all(f"[my_{source}]" in ready.stdout for source in PROJECTS), ready.stdout + ready.stderr


@pytest.mark.slow
def test_a_copy_of_the_starter_fulfils_the_contract(checkout: Path) -> None:
    new_project("flowers", "starter", checkout)
    answer = run(checkout, "-m", "projects.flowers.train", "--config", "configs/flowers/smoke.yaml")
    assert answer.returncode == 0, answer.stderr
    (run_folder,) = checkout.glob("runs/flowers/*")
    assert read_json(run_folder / "evaluation.json")["project"] == "flowers"
    root = str(checkout / "data" / "flowers-digits")
    scored = run(checkout, "-m", "projects.flowers.evaluate", "--data.source", "folder", "--data.root", root)
    assert scored.returncode == 0, scored.stderr
    assert "in this run's training or validation set" in scored.stdout


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("Flowers", "starter", "is no name for a project"),
        ("my-flowers", "starter", "is no name for a project"),
        ("1st", "starter", "is no name for a project"),
        ("../flowers", "starter", "is no name for a project"),
        ("class", "starter", "is reserved"),
        ("plantdisease", "starter", "projects/plantdisease exists already"),
        *((name, "starter", "is reserved") for name in sorted(RESERVED)),
        ("flowers", "roses", "there is no project roses; there are imagecaption"),
    ],
)
def test_a_bad_name_is_one_sentence_and_creates_nothing(
    name: str, source: str, reason: str, command: CommandLine
) -> None:
    before = sorted(path.name for path in (ROOT / "projects").iterdir())
    answer = command("shared.coursework.new_project", name, "--source", source)
    assert answer.returncode == 2
    assert reason in answer.stderr and answer.stderr.count("\n") == 1
    assert sorted(path.name for path in (ROOT / "projects").iterdir()) == before
