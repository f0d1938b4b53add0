"""Tests of grafted files in processes of their own: with limits of time and memory, without a network where possible.

Points come from the expected names of tests in the XML that pytest writes, never from an exit code: a process that ends
early, skips tests or replaces assertions passes nothing. What code in the process of its own tests can never be kept
from is forging that file on purpose; grafting a single function without `os`, `sys` and the like leaves little room.
"""

import ast
import contextlib
import ctypes
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from threadpoolctl import threadpool_limits

SECONDS = 20  # of work on the processor, for one test run
WALL_SECONDS = 60  # on the clock, of which a busy machine may need more
MEMORY = 2 * 2**30  # bytes beyond those of the libraries
PROCESSES = 64  # beyond those of the user
CANARY = Path("tests/exercises/canary.py")
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of Linux


@dataclass(frozen=True)
class Job:
    """Tests to run with some files replaced."""

    name: str
    files: Mapping[Path, str]
    """Path below the root -> its source in this process."""
    tests: Sequence[Path]
    seconds: int = SECONDS
    """Of work on the processor."""


@dataclass
class Outcome:
    """What the tests said."""

    passed: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """Name of the test -> the first line of its failure."""
    problem: str = ""
    """Why there is no result, or why it does not count."""
    seconds: float = 0
    """Of work on the processor."""


def run_jobs(jobs: Sequence[Job], root: Path, workers: int = 2) -> Iterator[Outcome]:
    """The outcomes of jobs in their order; each runs in a fork of this process, which has the libraries loaded.

    root: a checkout that holds the tests; nothing in it is changed. Raises ValueError where processes cannot fork.
    """
    if not hasattr(os, "fork"):
        raise ValueError("grading starts a process for every exercise by fork, which this system does not have")
    import torch

    torch.set_num_threads(1)
    grafts = {_module(file) for job in jobs for file in job.files}
    imports = _imports({path for job in jobs for path in job.tests}, root)
    for name in ("torch.distributed.tensor", *sorted(grafts | imports)):  # assert_close takes .3 s to load the first
        importlib.import_module(name)  # for the libraries that it loads; forks share them
    threadpool_limits(1)  # of the libraries that are loaded now
    gc.freeze()
    before = _state(root)
    running: dict[int, tuple[int, float, Path]] = {}
    done: dict[int, Outcome] = {}
    shown = 0
    waiting = list(enumerate(jobs))[::-1]
    try:
        while len(done) < len(jobs):
            while waiting and len(running) < workers:
                number, job = waiting.pop()
                folder = Path(tempfile.mkdtemp(prefix="exercise-"))
                running[_start(job, root, folder)] = (number, time.monotonic(), folder)
            for pid, (number, since, folder) in list(running.items()):
                ended, status, used = os.wait4(pid, os.WNOHANG)
                late = time.monotonic() - since > WALL_SECONDS or bool(ended and os.WIFSIGNALED(status))
                if not ended and not late:
                    continue
                _end(pid, bool(ended))
                done[number] = _read(folder, jobs[number].seconds if late else None)
                done[number].seconds = used.ru_utime + used.ru_stime
                if _state(root) != before:
                    raise ValueError(f"{jobs[number].name} changed files in {root}; grading stops")
                shutil.rmtree(folder, ignore_errors=True)
                del running[pid]
            while shown in done:
                yield done[shown]
                shown += 1
            time.sleep(0.01)
    finally:
        for pid in running:
            _end(pid, ended=False)


def _module(file: Path) -> str:
    """The name of a module: `shared/files.py` -> `shared.files`."""
    return ".".join(file.with_suffix("").parts)


def _imports(tests: Iterable[Path], root: Path) -> set[str]:
    """The modules that tests import."""
    nodes = [n for path in tests for n in ast.walk(ast.parse((root / path).read_text(encoding="utf-8")))]
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
    return {name for name in names if not name.startswith("tests.")}


def _state(root: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of all sources below a folder."""
    files = [p for part in ("projects", "shared", "tests") for p in (root / part).rglob("*.py")]
    return sorted((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files)


def _start(job: Job, root: Path, folder: Path) -> int:
    """The number of a new process that runs the tests of a job and writes `results.xml` into a folder."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()  # its whole group can be ended
        limit_process(job.seconds)
        output = os.open(folder / "output.txt", os.O_CREAT | os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(output, stream)
        sys.stdout = sys.stderr = os.fdopen(output, "w")
        os.chdir(folder)
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, Grafts(root, job.files))
        sys.path.insert(0, str(root))
        import pytest

        tests = [str(root / path) for path in (*job.tests, CANARY)]
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--noconftest", "--tb=native"]
        folder_of_tests = str(root / CANARY.parent)  # of which each folder above would be searched, too
        pytest.main([*options, "-c", os.devnull, "--rootdir", folder_of_tests, "--junitxml", "results.xml", *tests])
    finally:
        os._exit(0)


def limit_process(seconds: int, memory: int | None = None) -> None:
    """Limits of this process: time on the processor, memory, processes, size of files; no network, if allowed.

    memory: bytes; by default `MEMORY` beyond what is in use.
    """
    import resource

    status = Path("/proc/self/statm")
    used = int(status.read_text().split()[5]) * resource.getpagesize() if status.exists() else 0
    limits = {resource.RLIMIT_CPU: seconds, resource.RLIMIT_FSIZE: 2**30, resource.RLIMIT_CORE: 0}
    limits[resource.RLIMIT_DATA] = memory or used + MEMORY
    if running := _running():
        limits[resource.RLIMIT_NPROC] = running + PROCESSES
    for limit, value in limits.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).unshare(NEW_NETWORK)


def _running() -> int:
    """Processes and threads of this user, all of which the limit of processes counts; 0 where that is unknown."""
    found = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            found += sum(1 for _ in (folder / "task").iterdir()) if folder.stat().st_uid == os.getuid() else 0
    return found


class Grafts(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules of `projects` and `shared` from a checkout, some with another source."""

    def __init__(self, root: Path, files: Mapping[Path, str]) -> None:
        self.root, self.files = root, files
        for name in [name for name in sys.modules if name.split(".")[0] in ("projects", "tests")]:
            del sys.modules[name]
        for path in files:  # the grafted module, and what has imported it already
            del_module(_module(path))

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module that a graft replaces."""
        file = Path(*name.split(".")).with_suffix(".py")
        if file not in self.files:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self.root / file))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """The usual way."""

    def exec_module(self, module: ModuleType) -> None:
        """Execute the replaced source."""
        file = Path(*module.__name__.split(".")).with_suffix(".py")
        module.__file__ = str(self.root / file)
        exec(compile(self.files[file], module.__file__, "exec"), module.__dict__)


def del_module(name: str) -> None:
    """Forget a module and all modules of this repository, which may hold its functions."""
    for loaded in [n for n in sys.modules if n == name or (n.split(".")[0] == "shared" and "coursework" not in n)]:
        del sys.modules[loaded]


def _end(pid: int, ended: bool) -> None:
    """End a process and everything that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _read(folder: Path, late: int | None) -> Outcome:
    """The outcome in a folder: only complete results, whose canaries failed, count. late: the limit that was passed."""
    outcome = read_results(folder / "results.xml")
    if late:
        return Outcome(problem=f"it does not end within {late} seconds (an endless loop?)")
    if outcome is None:
        told = (folder / "output.txt").read_text(errors="replace") if (folder / "output.txt").exists() else ""
        memory = "MemoryError" in told or "alloc" in told.lower()
        return Outcome(problem="it needs too much memory" if memory else "the process ended before its tests did")
    canaries = [name for name in (*outcome.passed, *outcome.failed) if "canary" in name]
    if len(canaries) < 4 or any(name in outcome.passed for name in canaries):
        return Outcome(problem="assertions that must fail did not: the tests were tampered with")
    outcome.failed = {name: text for name, text in outcome.failed.items() if "canary" not in name}
    return outcome


def read_results(path: Path) -> Outcome | None:
    """The outcome in an XML file of pytest; None where it is missing or damaged. Skipped tests have not passed."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    outcome = Outcome()
    for case in cases:
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        trouble = next(
            (case.find(kind) for kind in ("failure", "error", "skipped") if case.find(kind) is not None), None
        )
        if trouble is None:
            outcome.passed.add(name)
        else:
            outcome.failed[name] = _sentence(trouble.get("message") or "")
    outcome.passed -= set(outcome.failed)
    return outcome


def _sentence(message: str) -> str:
    """The first line of a failure, without the name of the exception."""
    lines = [line for line in message.splitlines() if line.strip()] or ["it fails"]
    return lines[0].removeprefix("AssertionError: ").strip()[:300]


def run_visible(path: Path, root: Path, seconds: float = 60) -> Outcome:
    """The outcome of the visible tests on the files as they are, in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-c", os.devnull]
        words += ["--rootdir", str(root), "--noconftest", "--junitxml", str(results), str(root / path)]
        try:
            done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Outcome(problem=f"it does not end within {seconds:.0f} seconds (an endless loop?)")
        outcome = read_results(results)
        if outcome and (outcome.passed or outcome.failed):
            return outcome
        last = ((done.stderr or done.stdout).strip().splitlines() or ["pytest says nothing"])[-1]
        return Outcome(problem=f"the tests could not be run: {last}")
