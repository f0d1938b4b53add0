"""The promise: where one of several processes is killed, the others end soon with an error, and the run goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import environment, free_port, run_module
from tests.faults.conftest import Tell
from tests.faults.driver import run_folder, settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the processes are found in /proc"),
]
TRAIN = "projects.starter.train"
WORDS = [*settings("starter"), "--training.epochs", "4"]
SOON = 60  # seconds


def torchrun(*words: str) -> list[str]:
    return ["--nproc-per-node", "2", "--master-port", str(free_port()), "-m", TRAIN, *words]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The model of two processes that nothing disturbed."""
    folder = tmp_path_factory.mktemp("two")
    answer = run_module("torch.distributed.run", torchrun(*WORDS), folder)
    assert answer.returncode == 0, answer.stderr
    return model_of(folder)


def model_of(folder: Path) -> bytes:
    run = run_folder(folder)
    assert run is not None
    return (run / "model.safetensors").read_bytes()


def process_of(folder: Path, rank: int) -> int | None:
    """The process of a rank that works in a folder."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes().split(b"\0")
            if f"RANK={rank}".encode() in variables and (place / "cwd").resolve() == folder.resolve():
                return int(place.name)
        except OSError:  # it has ended, or is another user's
            continue
    return None


def wait_for_training(folder: Path, process: subprocess.Popen[str]) -> None:
    while not list(folder.glob("runs/*/*/checkpoints/last.previous.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_of_a_torchrun_ends_the_others_and_the_run_goes_on(
    rank: int, undisturbed: bytes, tmp_path: Path, tell: Tell
) -> None:
    command, pipe = [sys.executable, "-m", "torch.distributed.run", *torchrun(*WORDS)], subprocess.PIPE
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=pipe, stderr=pipe, text=True)
    wait_for_training(tmp_path, process)
    killed = process_of(tmp_path, rank)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    start = time.monotonic()
    _, errors = process.communicate(timeout=SOON)
    seconds = time.monotonic() - start
    assert (process.returncode != 0 and "SIGKILL" in errors) or "exitcode  : -9" in errors, errors
    assert [process_of(tmp_path, other) for other in (0, 1)] == [None, None]
    run = run_folder(tmp_path)
    assert run is not None and not (run / "model.safetensors").exists()
    answer = run_module("torch.distributed.run", torchrun("--resume", run.name), tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert model_of(tmp_path) == undisturbed
    tell("torchrun, 2 processes", f"rank {rank} killed: the other ended after {seconds:.1f} s; same model file")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_whose_partner_is_killed_ends_by_itself(rank: int, tmp_path: Path, tell: Tell) -> None:
    variables = {**environment(), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    both, pipe, port = [], subprocess.PIPE, free_port()
    for number in (0, 1):
        ranks = {"RANK": str(number), "LOCAL_RANK": str(number), "MASTER_PORT": str(port)}
        command = [sys.executable, "-m", TRAIN, *WORDS]
        both.append(subprocess.Popen(command, cwd=tmp_path, env=variables | ranks, stdout=pipe, stderr=pipe, text=True))
    wait_for_training(tmp_path, both[0])
    both[rank].kill()
    start = time.monotonic()
    other = both[1 - rank]
    _, errors = other.communicate(timeout=SOON)
    seconds = time.monotonic() - start
    both[rank].communicate()
    assert other.returncode not in (0, None), errors
    tell("two processes alone", f"rank {rank} killed: the other ended after {seconds:.1f} s, status {other.returncode}")
    print(errors[-3000:])
