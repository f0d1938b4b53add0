"""Runs that meet faults, and how they end: what the tests of this folder share."""

import random
import re
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.files import read_json
from tests.conftest import environment, run_module
from tests.faults.victim import PHASES, Fault, words
from tests.test_contract import PROJECTS, smoke, training_sections

SEED = 20261127
SECONDS = 120  # in which any command must end


@dataclass
class Reference:
    """An undisturbed run: what all others are compared with."""

    project: str
    folder: Path
    seconds: float
    """How long it took."""
    writes: Counter[str]
    """How often it wrote in each phase."""

    @property
    def run(self) -> Path:
        """Its folder."""
        return run_folder(self.folder) or self.folder


@dataclass
class Chain:
    """A training that is begun in a folder, disturbed, and gone on with, until it ends."""

    reference: Reference
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def next_words(self) -> list[str]:
        """The command that goes on, or begins where there is no run yet."""
        if run := run_folder(self.folder):
            return ["--resume", run.name]
        return settings(self.reference.project)

    def go(self, fault: Fault | None) -> subprocess.CompletedProcess[str]:
        """Go on, until a fault or the end."""
        module = f"projects.{self.reference.project}.train"
        return run_module("tests.faults.victim", words(module, self.next_words(), fault)[3:], self.folder)

    def killed_after(self, seconds: float) -> int:
        """Go on, SIGKILL after some seconds, and the exit status."""
        command = words(f"projects.{self.reference.project}.train", self.next_words())
        silent = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=self.folder, env=environment(), stdout=silent, stderr=silent)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def finish(self) -> Path:
        """Go on to the end, which must be that of the reference; return the run."""
        answer = self.go(None)
        assert answer.returncode == 0, answer.stderr[-2000:]
        return self.check()

    def check(self) -> Path:
        """The finished run, whose files must be those of the reference."""
        run = run_folder(self.folder)
        assert run is not None
        differ = differences(run, self.reference.run)
        assert not differ, differ
        return run


def settings(project: str) -> list[str]:
    """The words that train a project in seconds, with a training state after every step."""
    return smoke(project, *(f"--{section}.checkpoint_minutes=0" for section in training_sections(project)))


def run_folder(folder: Path) -> Path | None:
    """The run in a working folder."""
    return next(iter(sorted(path.parent for path in folder.glob("runs/*/[!.]*/config.yaml"))[::-1]), None)


def undisturbed(project: str, folder: Path) -> Reference:
    """Train a project once, counting its writes."""
    log, start = folder / "phases.log", time.monotonic()
    command = words(f"projects.{project}.train", settings(project), log=log)
    answer = run_module("tests.faults.victim", command[3:], folder)
    assert answer.returncode == 0, answer.stderr[-2000:]
    return Reference(project, folder, time.monotonic() - start, Counter(log.read_text().split("\n")[:-1]))


def differences(run: Path, other: Path) -> list[str]:
    """In which files two finished runs differ that must be the same; what is left over of the training counts, too."""
    found = [
        name
        for name in ("model.safetensors", "provenance.safetensors", "predictions.csv")
        if (run / name).read_bytes() != (other / name).read_bytes()
    ]
    if numbers(run) != numbers(other):
        found.append("evaluation.json")
    missing = {path.name for path in other.iterdir()} - {path.name for path in run.iterdir()}
    return found + sorted(missing) + [path.name for path in run.glob("checkpoints")]


def numbers(run: Path) -> Any:
    """The content of evaluation.json but for names and times."""
    content = read_json(run / "evaluation.json") | {"run": ""}
    return {**content, "metrics": {k: v for k, v in content["metrics"].items() if not k.startswith("ms")}}


def standing(folder: Path) -> str:
    """How far a killed training came: what it was writing, or else what there is."""
    half = [str(path.relative_to(folder)) for path in folder.rglob("*.part")]
    for phase, pattern in PHASES.items():
        if any(re.search(pattern, name) for name in half):
            return f"writing {phase}"
    run = run_folder(folder)
    if run is None:
        return "before the run"
    steps = {
        "after the report": "report.html", "reporting": "evaluation.json", "evaluating": "model.safetensors",
        "training": "checkpoints", "preparing": "config.yaml",
    }  # fmt: skip
    where = next(step for step, name in steps.items() if (run / name).exists())
    return "finishing" if where == "evaluating" and (run / "checkpoints").exists() else where


def clear_parts(folder: Path) -> int:
    """Delete what killed processes left half-written, and count it."""
    parts = [path for path in folder.rglob("*.part") if path.exists()]
    for path in parts:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(parts)


def dice(*key: object) -> random.Random:
    """Random numbers that are the same in every run of the tests."""
    return random.Random(f"{SEED} {key}")


def by_project() -> Any:
    """Parametrize by project; the tests of one share a worker, and so its undisturbed run."""
    return pytest.mark.parametrize(
        "project",
        [pytest.param(name, marks=pytest.mark.xdist_group(f"faults-{name}")) for name in PROJECTS],
        scope="session",
    )
