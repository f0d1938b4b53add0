"""A script of a project that meets a fault at a chosen point of its work: python -m tests.faults.victim MODULE WORDS...

It runs as with `python -m MODULE WORDS...`. Python reports every file that is opened for writing, made, renamed or
deleted (an audit event), and `announce` every atomic write before it begins, so the point is exact.
"""

import json
import os
import re
import runpy
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from shared import files

PHASES = {
    "sample": r"^data/(?!cache)",
    "cache": r"^data/cache",
    "start": r"^runs/[^/]+(/\.[^/]+\.part|$)",
    "provenance": r"/\.?provenance",
    "clean-up": r"/checkpoints(/\w+)?/?$",
    "state": r"/checkpoints/.*\.?last\.",
    "best weights": r"/checkpoints/.*\.?best\.",
    "history": r"/\.?metrics\.csv",
    "model": r"/\.?model\.safetensors",
    "evaluation": r"/\.?(evaluation\.json|predictions\.csv)",
    "report": r"/\.?report\.html",
}
"""Phase -> the paths that are written in it, seen from the working folder."""
ANNOUNCED = "shared.atomic"
RENAMES = ("os.rename", "os.link", "os.symlink")
WRITES = ("os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime", "shutil.rmtree", ANNOUNCED)


@dataclass(frozen=True)
class Fault:
    """What happens, and when."""

    phase: str
    number: int = 0
    """Which write of the phase, from 0 on."""
    seconds: float = 0.0
    """How long after it (in another thread); 0: just before it."""
    action: str = "kill"
    """kill: SIGKILL. full: the disk is full from now on. limit: no file can grow beyond 16 bytes."""
    tell: str = ""
    """The file that says what the run's files were when the fault came: their paths and hashes."""

    def __str__(self) -> str:
        return f"{self.action} at {self.phase} {self.number}" + (f" + {self.seconds:.3f} s" if self.seconds else "")


def written(event: str, words: tuple[Any, ...]) -> list[str]:
    """The paths that an audit event writes, makes, renames or deletes."""
    if event == "open":
        path, _, flags = words
        return [os.fspath(path)] if isinstance(path, (str, bytes, Path)) and flags & (os.O_WRONLY | os.O_RDWR) else []
    paths = words[:2] if event in RENAMES else words[:1] if event in WRITES else ()
    return [os.fsdecode(path) for path in paths if isinstance(path, (str, bytes, os.PathLike))]


def phases_of(event: str, words: tuple[Any, ...]) -> set[str]:
    """The phases in which what an audit event writes belongs."""
    paths = [os.path.relpath(path) if Path(path).is_absolute() else path for path in written(event, words)]
    found = {phase for path in paths for phase, pattern in PHASES.items() if re.search(pattern, path)}
    return found - ({"clean-up"} if event == "os.mkdir" else set())


def content(folder: Path) -> dict[str, str]:
    """The hash of every file below a folder but those that are being written."""
    import hashlib

    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if ".part" not in name}


def strike(fault: Fault) -> None:
    """Do what the fault says."""
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.tell:
        Path(fault.tell).write_text(json.dumps(content(Path())))
    if fault.action == "full":
        with Path("filler").open("wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):
                    while filler.write(bytes(size)):
                        pass
    elif fault.action == "limit":
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def watch(fault: Fault | None, log: Path | None) -> None:
    """Count the writes of each phase from now on, and meet the fault."""
    counts: dict[str, int] = {}
    busy = threading.local()

    def hook(event: str, words: tuple[Any, ...]) -> None:
        if (event != "open" and not event.startswith(("os.", "shutil.", ANNOUNCED))) or getattr(busy, "now", False):
            return
        busy.now = True
        try:
            for phase in phases_of(event, words):
                number = counts[phase] = counts.get(phase, -1) + 1
                if fault and (phase, number) == (fault.phase, fault.number):
                    if fault.seconds:
                        threading.Thread(target=later, args=(fault,), daemon=True).start()
                    else:
                        strike(fault)
                if log:
                    with log.open("a") as file:
                        file.write(f"{phase}\n")
        finally:
            busy.now = False

    def later(fault: Fault) -> None:
        time.sleep(fault.seconds)
        strike(fault)

    sys.addaudithook(hook)


def announce() -> None:
    """Make every `atomic` say what it will write, for the libraries in C that write the files are not audited."""
    original = files.atomic

    @contextmanager
    def announced(path: Path, previous: Path | None = None) -> Generator[Path]:
        sys.audit(ANNOUNCED, str(path))
        with original(path, previous) as temporary:
            yield temporary

    files.atomic = announced


def words(module: str, arguments: list[str], fault: Fault | None = None, log: Path | None = None) -> list[str]:
    """The command line that runs a module with a fault, or with a log of its phases."""
    about = json.dumps({"fault": asdict(fault) if fault else None, "log": str(log) if log else None})
    return [sys.executable, "-m", "tests.faults.victim", about, module, *arguments]


if __name__ == "__main__":
    about = json.loads(sys.argv[1])
    announce()
    watch(Fault(**about["fault"]) if about["fault"] else None, Path(about["log"]) if about["log"] else None)
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
