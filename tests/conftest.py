"""What the tests share: a folder for samples, and the real command line."""

import io
import os

# Before torch is loaded: threads that wait for each other on too few cores make seconds into minutes. The process that
# starts the workers does not set the number of threads, for they would inherit it.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // workers)))

import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import chdir, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest

from shared.files import read_json
from shared.runs import Run
from shared.training.checkpoint import load_state

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share one worker and its fixtures; the contract's tests are grouped by project instead."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.name))


CommandLine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def sample_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which samples are drawn once for all tests."""
    return tmp_path_factory.mktemp("data")


STARTER = pytest.mark.xdist_group("contract-starter")
"""The mark of tests that share the run of `trained_starter`."""


@pytest.fixture(scope="session")
def trained_starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the starter was trained by its smoke configuration, on the real command line."""
    folder = tmp_path_factory.mktemp("starter")
    shutil.copy(ROOT / "configs" / "starter" / "smoke.yaml", folder)
    return train_once("projects.starter.train", ["--config", "smoke.yaml"], folder, run_module)


@pytest.fixture
def command(tmp_path: Path) -> CommandLine:
    """Run `python -m MODULE ARGS...` in an empty folder; its runs land in `tmp_path / "runs"`."""

    def run(module: str, *arguments: object, folder: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        return run_here(module, arguments, folder)

    return run


def run_here(module: str, arguments: Iterable[object], folder: Path) -> subprocess.CompletedProcess[str]:
    """What `run_module` does, in this process, where torch is loaded already."""
    words = [module, *map(str, arguments)]
    with (
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
        chdir(folder),
        patch.object(sys, "argv", words),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", RuntimeWarning)  # runpy wonders that the module is loaded already
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
            code = 0
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(words, code, output.getvalue(), errors.getvalue())


def write_csv(path: Path, **columns: list) -> Path:
    """A table of these columns."""
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def run_module(module: str, arguments: Iterable[object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGS...` in a folder. One that does not end is made to say where it stands."""
    words = [sys.executable, "-m", module, *map(str, arguments)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, cwd=folder, env=environment(), text=True, stdout=pipe, stderr=pipe)
    for _ in range(2):  # twice, for a machine that slept meanwhile uses up the first
        with suppress(subprocess.TimeoutExpired):
            stdout, stderr = process.communicate(timeout=150)
            return subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
    process.send_signal(signal.SIGABRT)
    pytest.fail(f"{' '.join(words)} does not end:\n{process.communicate()[1][-4000:]}")


def environment() -> dict[str, str]:
    """The environment of a command that is run in another folder: the packages of this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1"}


def train_once(module: str, settings: list[str], folder: Path, run: Any = run_here) -> Path:
    """Run a training in a folder; its output is in `output.txt` there. run: `run_module` for a process of its own."""
    answer = run(module, settings, folder)
    assert answer.returncode == 0, answer.stderr
    (folder / "output.txt").write_text(answer.stdout)
    return folder


def free_port() -> int:
    """A port that no program listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def one_and_two_processes(module: str, settings: list[str], folder: Path) -> list[Run]:
    """The runs of the same training by one process and, under torchrun, by two; both were scored on the same items."""
    alone = run_module(module, [*settings, "--name", "one"], folder)
    torchrun = ["--nproc-per-node", 2, "--master-port", free_port(), "-m", module, *settings, "--name", "two"]
    together = run_module("torch.distributed.run", torchrun, folder)
    assert alone.returncode == together.returncode == 0, alone.stderr + together.stderr
    assert together.stdout.count("report: ") == 1
    runs = [Run(next(folder.glob(f"runs/*/*-{name}"))) for name in ("one", "two")]
    one, two = (read_json(run.folder / "evaluation.json")["data"] for run in runs)
    assert one == two
    return runs


def kill_and_resume(
    module: str, settings: list[str], folder: Path, command: CommandLine, stage: str = "**", epoch: int = 1
) -> Path:
    """Kill a training in the middle of an epoch (of a stage), resume it, and return its run folder."""
    words = [sys.executable, "-m", module, *settings, "--name", "killed"]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
    while process.poll() is None:
        with suppress(OSError):  # a state is replaced while it is read
            states = [load_state(path) for path in folder.glob(f"runs/*/*-killed/checkpoints/{stage}/last.pt")]
            progress = [state["progress"] for state in states if state]
            if any(p["epoch"] >= epoch and p["step"] >= 1 for p in progress):
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
