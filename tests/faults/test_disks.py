"""The promise: on a full disk or in a folder that cannot be written, one sentence, and no file is lost."""

import json
import os
import re
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.faults.conftest import Tell
from tests.faults.driver import Chain, Reference, by_project, clear_parts, run_folder, settings
from tests.faults.victim import Fault, content
from tests.test_contract import module, smoke_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(os.name == "nt", reason="there are no such limits on Windows"),
    by_project(),
]
WRITES = [("start", 0), ("sample", 0), ("sample", 9), ("cache", 0), ("provenance", 0), ("state", 0),
          ("best weights", 0), ("state", 0), ("history", 0), ("model", 0), ("evaluation", 0), ("evaluation", 4),
          ("report", 0)]  # fmt: skip
"""Phase and number of the writes before which the disk fills up: those with which a file begins."""


@contextmanager
def mounted(folder: Path, *options: str) -> Generator[Path]:
    """Mount something on a folder for a while. Skips the test where only the administrator may."""
    folder.mkdir(exist_ok=True)
    answer = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
    if answer.returncode:
        pytest.skip(f"this user cannot mount: {answer.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 300 MB."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=300m", "none") as folder:
        yield folder


def test_a_disk_that_fills_up_loses_nothing(
    project: str, reference: Reference, small_disk: Path, tmp_path: Path, tell: Tell
) -> None:
    tell("full disk", fill_up("full", Chain(reference, small_disk), tmp_path))


def test_a_limit_of_file_sizes_loses_nothing(project: str, reference: Reference, tmp_path: Path, tell: Tell) -> None:
    if project != "starter":
        pytest.skip("one project is enough: the others fill a real disk")
    tell("limit of file sizes", fill_up("limit", Chain(reference, tmp_path / "runs"), tmp_path))


def fill_up(action: str, chain: Chain, outside: Path) -> str:
    """Fill the disk before each of `WRITES`: one sentence, the same files as before, and the run goes on when there is
    space. Returns the line for the summary."""
    tried, project = 0, chain.reference.project
    for phase, number in WRITES:
        if chain.reference.writes[phase] <= number:
            continue
        before = outside / "before.json"
        before.unlink(missing_ok=True)
        answer = chain.go(Fault(phase, number, action=action, tell=str(before)))
        said = [line[line.index(f"{project}: ") :] for line in answer.stderr.splitlines() if f"{project}: " in line]
        print(f"{phase} {number}: {answer.returncode} {said}", flush=True)
        assert before.exists(), f"{phase} {number} was not reached"
        assert answer.returncode == 2, answer.stderr
        assert "Traceback" not in answer.stderr and len(said) == 1, answer.stderr
        assert re.search(r"(No space left on device|File too large): \S|/\S+ .*disk", said[0])
        (chain.folder / "filler").unlink(missing_ok=True)
        now, lost_run = content(chain.folder), run_folder(chain.folder) is None
        for name, digest in json.loads(before.read_text()).items():
            assert now.get(name) == digest or (lost_run and name.startswith("runs/")), f"{name} has changed"
        assert clear_parts(chain.folder) == 0, "half a file is left"
        tried += 1
    chain.finish()
    return f"{project}: {tried} times, one sentence each, files as before, same files at the end"


def test_a_run_in_a_folder_that_cannot_be_written_answers(
    project: str, reference: Reference, tmp_path: Path, command: CommandLine, tell: Tell
) -> None:
    _, example = module(project, "sources").own_data(tmp_path / "own", smoke_config(project).data)
    before = content(reference.folder)
    with mounted(reference.folder, "--bind", "-o", "ro", str(reference.folder)) as folder:
        if os.access(folder, os.W_OK):
            pytest.skip("this system mounts nothing read-only")
        predicted = command(f"projects.{project}.predict", example, "--run", reference.run.name, folder=folder)
        refused = [
            command(f"projects.{project}.evaluate", folder=folder),
            command(f"projects.{project}.evaluate", "--name", "again", folder=folder),
            command(f"projects.{project}.train", "--resume", reference.run.name, folder=folder),
            command(f"projects.{project}.train", *settings(project), folder=folder),
        ]
    assert predicted.returncode == 0 and predicted.stdout, predicted.stderr
    for answer in refused:
        assert answer.returncode == 2, answer.stdout
        assert "Read-only file system" in answer.stderr and answer.stderr.count(f"{project}: ") == 1, answer.stderr
        assert "Traceback" not in answer.stderr
    assert content(reference.folder) == before
    tell("read-only folder", f"{project}: predict answers, {len(refused)} commands that write: one sentence each")
