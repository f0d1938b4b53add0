"""The promise: a run that is killed at any moment is gone on with, and ends with the same files, bit for bit."""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.driver import Chain, Reference, by_project, clear_parts, dice, standing
from tests.faults.victim import Fault

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows"),
    by_project(),
]
MOMENT = 0.02  # seconds
AIMED = [
    ("start", 2, MOMENT), ("sample", 1, MOMENT), ("cache", 2, MOMENT), ("provenance", 1, MOMENT), ("state", 2, MOMENT),
    ("best weights", 1, MOMENT), ("history", 1, MOMENT), ("model", 2, MOMENT), ("clean-up", 2, MOMENT),
    ("clean-up", 1, 0.5), ("evaluation", 2, MOMENT), ("report", 2, MOMENT),
]  # fmt: skip
"""Phase, how many kills are aimed at it, and at most how long after its write; the time after the clean-up is that of
the evaluation. In the order of a run."""
AT_RANDOM = 3


def test_a_run_that_is_killed_in_every_phase_ends_with_the_same_files(
    project: str, reference: Reference, tmp_path: Path, tell: Tell
) -> None:
    random = dice("aimed", project)
    plan = []
    for phase, count, most in AIMED:
        for kill_number in range(count if reference.writes[phase] else 0):
            # A resumed run writes less than a whole one, so it is one of the first writes: the first where all is over
            # after it.
            among = {"sample": 50, "model": 1, "clean-up": 1}.get(phase, 3)
            number = random.randrange(min(reference.writes[phase], among))
            plan.append(Fault(phase, number, random.uniform(0, most) if kill_number % 2 else 0.0))
    tell("kills, aimed", kill(reference, plan, tmp_path, at_least=10))


def test_a_run_that_is_killed_at_random_times_ends_with_the_same_files(
    project: str, reference: Reference, tmp_path: Path, tell: Tell
) -> None:
    random = dice("at random", project)
    plan = [random.uniform(0.3, 1) * reference.seconds for _ in range(AT_RANDOM)]
    tell("kills, at random", kill(reference, plan, tmp_path, at_least=2))


def kill(reference: Reference, plan: Sequence[Fault | float], folder: Path, at_least: int) -> str:
    """Kill a training at all these points (or after seconds), resume it each time, and compare the files at the end.
    Where one comes to its end before its kill, the next one begins, and the seconds are tried again, halved: the
    machine may be faster than it was. Returns the line for the summary."""
    met, parts, chain, waiting = Counter[str](), 0, Chain(reference, folder), list(plan)
    while waiting:
        point = waiting.pop(0)
        ended = chain.killed_after(point) if isinstance(point, float) else chain.go(point).returncode
        assert ended in (0, -signal.SIGKILL), f"{point}: exit status {ended}"
        stands = standing(chain.folder)
        parts += clear_parts(chain.folder)
        print(f"{reference.project}: {point}: {stands if ended else 'came to its end before'}", flush=True)
        if ended:
            met[stands] += 1
        else:
            chain.check()
            if isinstance(point, float) and point > 1:
                waiting.append(point / 2)
            chain = Chain(reference, folder / f"after-{len(list(folder.iterdir()))}")
    chain.finish()
    assert met.total() >= at_least, met
    places = ", ".join(f"{place} {count}" for place, count in met.most_common())
    return (
        f"{reference.project}: {met.total()} kills, same files at the end; {parts} half-written files left ({places})"
    )
