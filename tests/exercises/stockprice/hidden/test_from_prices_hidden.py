"""Exercise from_prices, the tests that give points: no look-ahead, closed forms, and days without a move."""

import numpy as np
import pandas as pd
import pytest

from projects.stockprice.series import Series

ARRAYS = ("returns", "variance", "level", "features")


def prices(days: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    high, low = (close * np.exp(sign * generator.uniform(0.001, 0.02, days)) for sign in (1, -1))
    index = pd.bdate_range("2015-01-01", periods=days)
    return pd.DataFrame({"open": close, "high": high, "low": low, "close": close}, index=index)


def locked(frame: pd.DataFrame, day: int) -> pd.DataFrame:
    """The same prices, without any move on a day."""
    frame = frame.copy()
    frame.iloc[day] = frame.iloc[day - 1, 3]
    return frame


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("cut", [120, 399])
def test_another_future_changes_nothing_before_it(name: str, cut: int) -> None:
    frame = locked(prices(400), 100)
    other = frame.copy()
    other.iloc[cut:] = prices(400, seed=5).iloc[cut:].to_numpy()
    other.iloc[cut:, 2] = other.iloc[cut:, 1] / 1.00001  # ranges smaller than all before
    one, two = (getattr(Series.from_prices("x", f, 100), name)[:cut] for f in (frame, other))
    assert np.array_equal(np.isnan(one), np.isnan(two)), f"{name}: the days without a value depend on later days"
    change = float(np.nanmax(np.abs(one - two)))
    assert change == 0, f"prices from day {cut} on are unknown before it; `{name}` changes by up to {change:.2e}"


def test_prices_of_another_currency_have_the_same_features() -> None:
    frame = prices(300)
    one, two = (Series.from_prices("x", f, 100).features for f in (frame, 1000 * frame))
    change = float(np.nanmax(np.abs(one - two)))
    assert change < 1e-3, f"features have no unit; a thousandfold price moves them by up to {change:.3f}"


def test_the_level_is_the_mean_log_variance_of_the_window() -> None:
    series = Series.from_prices("x", prices(400), 150)
    expected = float(np.log(series.variance[151:301]).mean())
    assert series.level[300] == pytest.approx(expected), (
        f"day 300 has the mean of the days 151 to 300, {expected:.4f}, not {series.level[300]:.4f}"
    )
    missing = int(np.isnan(series.level).sum())
    assert missing == 59, f"60 days make a level, so that the first 59 have none, not {missing}"
    short = int(np.isnan(Series.from_prices("x", prices(100), 30).level).sum())
    assert short == 29, f"a window of 30 days is full on day 30, so that 29 have no level, not {short}"


def test_the_five_features_are_those_of_the_list() -> None:
    series = Series.from_prices("x", prices(400), 100)
    day, log_variance = 250, np.log(series.variance)
    relative = series.returns[day] / np.exp(series.level[day]) ** 0.5
    expected = [
        log_variance[day] - series.level[day],
        relative,
        min(relative, 0),
        abs(relative),
        series.level[day] - log_variance[: day + 1].mean(),
    ]
    assert series.features.shape == (400, 5), f"400 days have 5 features each, not the shape {series.features.shape}"
    assert np.allclose(series.features[day], expected, atol=1e-5), (
        f"day {day} has the features {np.round(expected, 3)}, not {series.features[day].round(3)}"
    )


def test_extreme_days_are_clipped() -> None:
    frame = prices(300)
    frame.iloc[200:] *= 3
    largest = float(np.nanmax(np.abs(Series.from_prices("x", frame, 100).features)))
    assert largest == 8, f"a threefold price in a day is clipped to 8, not {largest:.1f}"


def test_the_return_over_a_gap_is_not_one_of_a_day() -> None:
    frame = prices(200)
    frame.index = frame.index.where(np.arange(200) < 120, frame.index + pd.Timedelta(days=90))
    found = Series.from_prices("x", frame, 100).returns
    assert found[120] == 0 and found[0] == 0, f"first day and after a gap: 0, not {found[0]:.4f} and {found[120]:.4f}"
    assert found[121] != 0, "the day after has its return again, not 0"


def test_days_without_a_range_have_the_squared_return() -> None:
    frame = prices(200)
    frame.iloc[100, 1] = frame.iloc[100, 2] = frame.iloc[100, 3]
    for given in (frame, frame[["close"]]):
        series = Series.from_prices("x", given, 100)
        expected, found = float(series.returns[100] ** 2), float(series.variance[100])
        assert found == pytest.approx(expected), f"high = low: the squared return {expected:.2e}, not {found:.2e}"


@pytest.mark.parametrize("day", [60, 150])
def test_days_without_any_move_have_a_hundredth_of_the_smallest_variance_so_far(day: int) -> None:
    series = Series.from_prices("x", locked(prices(200), day), 100)
    expected, found = 0.01 * float(series.variance[:day].min()), float(series.variance[day])
    assert found == pytest.approx(expected), f"day {day}: {expected:.2e}, not {found:.2e}"
