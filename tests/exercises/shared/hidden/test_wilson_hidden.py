"""Exercise wilson, the tests that give points: statsmodels as the reference."""

import pytest
from statsmodels.stats.proportion import proportion_confint

from shared.evaluation.metrics import proportion_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (1, 3), (50, 100), (999, 1000), (7, 7)])
def test_it_is_the_interval_of_statsmodels(successes: int, n: int) -> None:
    expected = proportion_confint(successes, n, method="wilson")
    found = proportion_interval(successes, n)
    assert found == pytest.approx(expected, abs=1e-4), f"{successes} of {n}: {expected}, not {found}"


def test_another_z_gives_another_width() -> None:
    narrow, wide = proportion_interval(30, 60, z=1.0), proportion_interval(30, 60, z=3.0)
    assert narrow[1] - narrow[0] < wide[1] - wide[0], f"z = 3 must be wider than z = 1: {narrow} and {wide}"


def test_nothing_measured_is_everything_possible() -> None:
    found = proportion_interval(0, 0)
    assert found == (0.0, 1.0), f"0 of 0 may be anything: (0, 1), not {found}"


def test_it_stays_between_0_and_1() -> None:
    low, high = proportion_interval(3, 3)
    assert 0 <= low <= high <= 1, f"a proportion is between 0 and 1, not {low} to {high}"
