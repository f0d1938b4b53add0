"""Exercise diebold_mariano, the tests that give points. One day ahead it is a paired t test, which SciPy has."""

import numpy as np
import pytest
from scipy.stats import ttest_rel

from projects.stockprice.significance import diebold_mariano


def losses(n: int, advantage: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Losses of two forecasts that share the wild days."""
    generator = np.random.default_rng(seed)
    shared = generator.gamma(0.5, 4, n)
    return shared + generator.normal(0, 0.3, n), shared + generator.normal(advantage, 0.3, n)


@pytest.mark.parametrize("n", [5, 30, 1000])
def test_it_is_the_paired_t_test(n: int) -> None:
    ours, theirs = losses(n, 0.1, seed=n)
    expected, (statistic, p) = ttest_rel(ours, theirs), diebold_mariano(ours, theirs)
    assert statistic == pytest.approx(expected.statistic, rel=1e-6), (
        f"{n} days: statistic {expected.statistic:.4f}, not {statistic:.4f}"
    )
    assert p == pytest.approx(expected.pvalue, rel=1e-6), f"{n} days: p = {expected.pvalue:.5f}, not {p:.5f}"


def test_wild_days_that_both_share_do_not_hide_a_difference() -> None:
    ours, theirs = losses(250, 0.1)
    p = diebold_mariano(ours, theirs)[1]
    assert p < 0.01, f"ours is smaller by .1 on days whose losses vary by 3: p is below .01, not {p:.3f}"


def test_the_smaller_loss_of_ours_is_a_negative_statistic() -> None:
    ours, theirs = losses(250, 0.1)
    one, two = diebold_mariano(ours, theirs), diebold_mariano(theirs, ours)
    assert one[0] < 0 < two[0], f"ours is better: negative, and swapped positive, not {one[0]:.2f} and {two[0]:.2f}"
    assert one[1] == pytest.approx(two[1]), f"swapped forecasts have one p, not {one[1]:.4f} and {two[1]:.4f}"


def test_of_equal_forecasts_on_a_few_days_five_in_a_hundred_seem_to_differ() -> None:
    generator = np.random.default_rng(3)
    alarms = [diebold_mariano(*generator.normal(size=(2, 6)))[1] < 0.05 for _ in range(3000)]
    share = float(np.mean(alarms))
    assert share == pytest.approx(0.05, abs=0.012), f"6 days, equal forecasts: 5 % false alarms, not {share:.1%}"


def test_p_is_a_probability_for_any_difference() -> None:
    ps = [diebold_mariano(*losses(40, advantage))[1] for advantage in (-2, -0.1, 0, 0.1, 2)]
    assert all(0 <= p <= 1 for p in ps), f"p lies between 0 and 1, not {ps}"
    assert max(ps[0], ps[4]) < 1e-6, (
        f"differences of 2 in either direction are certain, not {ps[0]:.1e} and {ps[4]:.1e}"
    )
