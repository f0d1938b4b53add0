"""What the tests share: a folder for samples, and the real command line."""

import os

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // WORKERS)))  # before torch is loaded

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.training.checkpoint import load_state

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


def train_once(module: str, settings: list[str], folder: Path) -> Path:
    """Run a training on the real command line in a folder; its output is in `output.txt` there."""
    words = [sys.executable, "-m", module, *settings]
    answer = subprocess.run(words, cwd=folder, env=environment(), text=True, capture_output=True, timeout=300)
    assert answer.returncode == 0, answer.stderr
    (folder / "output.txt").write_text(answer.stdout)
    return folder


def kill_and_resume(
    module: str, settings: list[str], folder: Path, command: CommandLine, stage: str = "", epoch: int = 1
) -> Path:
    """Kill a training in the middle of an epoch of a stage, resume it, and return its run folder."""
    words = [sys.executable, "-m", module, *settings, "--name", "killed"]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
    last = None
    while process.poll() is None:
        last = last or next(iter(folder.glob(f"runs/*/*-killed/checkpoints/{stage}/last.pt")), None)
        if last and (progress := load_state(last)["progress"])["epoch"] >= epoch and progress["step"] >= 1:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL
    (killed,) = folder.glob("runs/*/*-killed")
    assert not (killed / "model.safetensors").exists()
    assert "not finished" in command(module.replace(".train", ".evaluate"), "--run", killed.name).stderr
    resumed = command(module, "--resume", killed.name)
    assert resumed.returncode == 0, resumed.stderr
    return killed
