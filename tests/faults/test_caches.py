"""The promise: damaged caches are made again, and trainings that begin at once disturb each other in nothing."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.conftest import environment
from tests.faults.conftest import Tell
from tests.faults.driver import SECONDS, Chain, Reference, by_project, differences, settings
from tests.faults.victim import words

pytestmark = [pytest.mark.slow, pytest.mark.faults, by_project()]
DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "zeroed in place": lambda content: content[:128] + bytes(len(content) - 128),
    "another header": lambda content: content.replace(b"NUMPY", b"NUMPI", 1).replace(b"descr", b"desrc", 1),
    "cut off": lambda content: content[: len(content) // 2],
}


def test_a_damaged_cache_is_made_again(project: str, reference: Reference, tmp_path: Path, tell: Tell) -> None:
    if not reference.writes["cache"]:
        pytest.skip("it keeps no cache")
    tried = 0
    for name, damage in DAMAGES.items():
        chain = Chain(reference, tmp_path / name)
        shutil.copytree(reference.folder / "data", chain.folder / "data")
        caches = sorted(chain.folder.glob("data/cache/*.npy"))
        for path in caches:
            path.write_bytes(damage(path.read_bytes()))
        answer = chain.go(None)
        assert answer.returncode == 0, answer.stderr
        for path in caches:
            assert f"{path.name} is damaged, or of an earlier version, and is built again" in answer.stderr
        chain.check()
        tried += len(caches)
    tell("damaged caches", f"{project}: {tried}, said and made again, same files at the end")


def test_two_trainings_that_begin_at_once_end_alike(
    project: str, reference: Reference, tmp_path: Path, tell: Tell
) -> None:
    command, pipe = words(f"projects.{project}.train", settings(project)), subprocess.PIPE
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=2 * SECONDS) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    runs = list(tmp_path.glob("runs/*/[!.]*"))
    assert len(runs) == 2
    assert [differences(run, reference.run) for run in runs] == [[], []]
    tell("two at once", f"{project}: 2 trainings on one empty folder, same files at the end")
