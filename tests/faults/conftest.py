"""One undisturbed run of each project, and a table of what was tried at the end of the output."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.driver import SEED, Reference, undisturbed

Tell = Callable[[str, str], None]


@pytest.fixture(scope="session")
def reference(project: str, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """The undisturbed run of a project."""
    return undisturbed(project, tmp_path_factory.mktemp(f"{project}-undisturbed"))


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Put a line into the summary: tell(what was tried, how many and how they ended)."""
    return lambda what, line: record_property("tried", (what, line))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, value in report.user_properties:
                    if name == "tried":
                        lines[value[0]].append(value[1])
    if lines:
        terminalreporter.section(f"what was tried (seed {SEED})")
        for what in sorted(lines):
            terminalreporter.write_line(what)
            for line in sorted(lines[what]):
                terminalreporter.write_line(f"  {line}")
