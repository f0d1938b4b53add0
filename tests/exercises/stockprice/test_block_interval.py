"""Exercise block_interval: a confidence interval that respects that neighbouring days resemble each other."""

import numpy as np

from projects.stockprice.significance import block_interval


def test_a_constant_has_no_width() -> None:
    found = block_interval(np.full(100, 3.0), np.mean, resamples=50)
    assert np.allclose(found, [3, 3]), f"every resample of a constant 3 has the mean 3: [3, 3], not {found}"


def test_the_mean_of_independent_days_has_the_interval_of_the_tables() -> None:
    values = np.random.default_rng(0).normal(0, 1, 2000)
    low, high = block_interval(values, np.mean, resamples=400, block=1)
    assert abs((high - low) - 2 * 1.96 / 2000**0.5) < 0.012, f"2 · 1.96 / sqrt(2000) = .088 wide, not {high - low:.3f}"
