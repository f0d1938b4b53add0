"""The promise of `tests/test_fuzz.py`, with a hundred times its examples, and within two GB of memory."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.conftest import ROOT, environment
from tests.faults.conftest import Tell
from tests.faults.driver import SEED
from tests.test_fuzz import ARCHIVES, LOADERS, TABLES

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20000"))  # of each kind of file
MEMORY, BEFORE = 2 * 10**9, 2 * 10**9  # bytes, and what the libraries take before the first file
MINUTES = 20
KINDS: dict[str, list[str]] = defaultdict(list)
"""Kind of file -> the tests of it."""
for name, loader in LOADERS.items():
    KINDS[loader.kind].append(f"test_a_file_is_read_or_refused[{name}]")
KINDS["table"] = [f"test_a_table_is_read_or_refused[{suffix}]" for suffix in TABLES]
KINDS["archive"] = [f"test_an_archive_is_unpacked_or_refused_and_leaves_nothing[{kind}]" for kind in ARCHIVES]
KINDS["cache"] = ["test_a_cache_is_what_was_written_or_built_again"]
KINDS["settings"] = ["test_a_config_file_is_read_or_refused"]
KINDS["command line"] = ["test_a_command_line_is_read_or_refused"]


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(f"fuzz-{kind}")) for kind in sorted(KINDS)]
)
def test_no_file_of_many_does_harm(kind: str, tmp_path: Path, tell: Tell) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (BEFORE + MEMORY, BEFORE + MEMORY))

    words = ["-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider"]
    words += [f"--hypothesis-seed={SEED}", *(f"{ROOT}/tests/test_fuzz.py::{test}" for test in KINDS[kind])]
    settings = {"FUZZ_EXAMPLES": str(EXAMPLES), "ARROW_DEFAULT_MEMORY_POOL": "system"}  # its own reserves GBs at once
    if Path("/dev/shm").is_dir():  # in memory
        settings["TMPDIR"] = "/dev/shm"
    output = tmp_path / "output.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment() | settings, stdout=file, stderr=file, preexec_fn=limit
        )
        try:
            process.wait(60 * MINUTES)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # it says where it stands
            process.wait()
    said = output.read_text(errors="replace")
    assert process.returncode == 0, said[-6000:]
    found = [
        (json.loads(counts.replace("'", '"')), int(seconds), int(memory))
        for counts, seconds, memory in re.findall(r"(\{'.*\}), (\d+) s, (\d+) MB", said)
    ]
    counts = sum((Counter(one) for one, _, _ in found), Counter[str]())
    assert len(found) == len(KINDS[kind]) and counts["files"] >= 0.9 * EXAMPLES, said[-6000:]
    assert not counts["refused"] or counts["read"] > EXAMPLES / 500, said[-6000:]  # not all refused at the door
    memory = max(memory for *_, memory in found)
    assert memory < MEMORY / 10**6, said[-6000:]
    seconds = sum(seconds for _, seconds, _ in found)
    about = f"{counts['files']} ({counts['read']} read, {counts['refused']} refused), {seconds} s, {memory} MB"
    tell("damaged files (fuzzing)", f"{kind}: {about}")
