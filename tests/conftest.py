"""What the tests share: a folder for samples, and the real command line."""

import os

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // WORKERS)))  # before torch is loaded

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CommandLine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which samples are drawn once for all tests."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    """Run `python -m MODULE ARGS...` in an empty folder; its runs land in `tmp_path / "runs"`."""

    def run(module: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(
            words, cwd=tmp_path, env=environment(), text=True, capture_output=True, timeout=300, **options
        )

    return run


def environment() -> dict[str, str]:
    """The environment of a command that is run in another folder: the packages of this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
