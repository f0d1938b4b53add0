"""Exercise block_interval, the tests that give points: resamples are looked at through the statistic."""

import numpy as np
import pytest

from projects.stockprice.significance import block_interval


def resamples_of(values: np.ndarray, resamples: int = 200, block: int = 22, seed: int = 0) -> list[np.ndarray]:
    seen: list[np.ndarray] = []

    def statistic(rows: np.ndarray) -> float:
        seen.append(np.array(rows))
        return float(np.mean(rows))

    block_interval(values, statistic, resamples, block, seed)
    return seen


@pytest.mark.parametrize(("n", "block"), [(220, 22), (100, 7), (15, 22)])
def test_a_resample_is_made_of_blocks_of_consecutive_days(n: int, block: int) -> None:
    seen = resamples_of(np.arange(n), 20, block)
    assert len(seen) == 20, f"20 resamples call the statistic 20 times, not {len(seen)} times"
    for rows in seen:
        assert len(rows) == n, f"a resample of {n} days has {n} days, not {len(rows)}"
        parts = [rows[start : start + block] for start in range(0, n, block)]
        torn = [part for part in parts if not np.array_equal(part, (part[0] + np.arange(len(part))) % n)]
        assert not torn, f"days of a block follow each other, and the first follows the last: not {torn[0]}"


def test_every_day_is_drawn_equally_often() -> None:
    counts = np.bincount(np.concatenate(resamples_of(np.arange(60), 3000, 22)), minlength=60) / 3000
    assert counts.min() > 0.85 and counts.max() < 1.15, (
        f"each of 60 days is once in a resample on average; they are between {counts.min():.2f} and {counts.max():.2f} times"
    )


def test_the_ends_are_the_percentiles_of_95_percent() -> None:
    given = iter(np.random.default_rng(0).permutation(1000) / 10)
    low, high = block_interval(np.arange(50.0), lambda rows: float(next(given)), resamples=1000)
    assert (low, high) == (pytest.approx(2.5, abs=0.06), pytest.approx(97.4, abs=0.06)), (
        f"of statistics spread evenly over 0 to 99.9 the ends are 2.5 and 97.4, not {low:.2f} and {high:.2f}"
    )


def test_persistent_days_have_a_wider_interval() -> None:
    generator = np.random.default_rng(1)
    values = np.zeros(3000)
    for day in range(1, 3000):
        values[day] = 0.9 * values[day - 1] + generator.normal()
    (low, high), (one, two) = (block_interval(values, np.mean, 300, block) for block in (60, 1))
    ratio = (high - low) / (two - one)
    assert 2.8 < ratio < 5.2, f"with an autocorrelation of .9 the interval is about 4 times as wide, not {ratio:.1f}"


def test_values_of_one_day_stay_together() -> None:
    values = np.stack([np.arange(90), 1000 + np.arange(90)], axis=1)
    for rows in resamples_of(values, 10):
        assert rows.shape == (90, 2), f"resamples of (90, 2) values have that shape, not {rows.shape}"
        apart = int((rows[:, 1] - rows[:, 0] != 1000).sum())
        assert apart == 0, f"both columns are those of one day; on {apart} of 90 days they are not"


def test_the_seed_alone_decides() -> None:
    values = np.random.default_rng(2).normal(size=300)
    one, two, other = (block_interval(values, np.mean, 100, seed=s) for s in (4, 4, 5))
    assert one == two, f"the same seed gives the same interval, not {one} and {two}"
    assert one != other, f"another seed gives another interval, not twice {one}"
