"""Exercise har, the tests that give points: least squares written out, and no look at the future; the last one
forecasts the S&P 500 as an evaluation does."""

import numpy as np
import pytest

from projects.stockprice.baselines import from_every_day, har
from projects.stockprice.calibration import recalibrated
from projects.stockprice.config import Config
from projects.stockprice.data import PriceData
from projects.stockprice.metrics import qlike
from projects.stockprice.series import Series


def series_of(variance: np.ndarray) -> Series:
    nothing = np.zeros(len(variance))
    days = np.datetime64("2010-01-01") + np.arange(len(variance))
    features = np.zeros((len(variance), 5), np.float32)
    return Series("x", days, nothing + 1, nothing + 1, nothing, nothing, variance, nothing, features)


def persistent(days: int, seed: int = 0) -> np.ndarray:
    """Variance that comes in calm and wild months."""
    generator = np.random.default_rng(seed)
    slow = np.zeros(days)
    for day in range(1, days):
        slow[day] = 0.97 * slow[day - 1] + generator.normal(0, 0.2)
    return 1e-4 * np.exp(slow) * generator.gamma(4, 0.25, days)


def written_out(variance: np.ndarray, end: int) -> np.ndarray:
    rows = np.arange(21, len(variance))
    design = np.array([[1, variance[t], variance[t - 4 : t + 1].mean(), variance[t - 21 : t + 1].mean()] for t in rows])
    fit = (rows >= 22) & (rows + 1 < end)
    weights = np.linalg.lstsq(design[fit], variance[rows[fit] + 1], rcond=None)[0]
    return np.concatenate([np.full(21, np.nan), design @ weights])


@pytest.mark.parametrize("end", [250, 420])
def test_it_is_least_squares_on_day_week_and_month(end: int) -> None:
    variance = persistent(500)
    expected, found = written_out(variance, end), har(series_of(variance), end)
    high = np.flatnonzero(np.nan_to_num(expected) > 1.01 * variance[:end].min())
    wrong = float(np.abs(found[high] / expected[high] - 1).max())
    assert wrong < 0.01, f"fitted on the days before {end}, forecasts differ from the formula by up to {wrong:.1%}"


@pytest.mark.parametrize("end", [250, 300])
def test_the_day_after_the_last_training_day_is_no_target(end: int) -> None:
    variance = persistent(400)
    other = variance.copy()
    other[end] = 50 * variance.max()
    change = np.nanmax(np.abs(har(series_of(variance), end) - har(series_of(other), end))[:end])
    assert change == 0, f"day {end} is a test day; as a target it moves earlier forecasts by up to {change:.1e}"


@pytest.mark.parametrize("cut", [100, 320])
def test_another_future_changes_no_forecast(cut: int) -> None:
    variance = persistent(400)
    other = variance.copy()
    other[cut:] = persistent(400, seed=9)[cut:]
    end = min(cut, 300)
    change = np.nanmax(np.abs(har(series_of(variance), end) - har(series_of(other), end))[:cut])
    assert change == 0, f"variance from day {cut} on is unknown before it; forecasts move by up to {change:.1e}"


def test_forecasts_belong_to_the_day_after() -> None:
    variance = persistent(400)
    forecast = har(series_of(variance), 300)
    after, same = (np.corrcoef(forecast[300:399], variance[300 + k : 399 + k])[0, 1] for k in (1, 0))
    expected = np.corrcoef(written_out(variance, 300)[300:399], variance[301:400])[0, 1]
    assert after == pytest.approx(expected, abs=0.02), (
        f"row t forecasts day t + 1 (correlation {expected:.2f}, not {after:.2f}; with day t it is {same:.2f})"
    )


def test_no_forecast_is_below_every_training_day() -> None:
    variance = np.full(400, 2e-4)
    variance[30:250:2] = 6e-4
    variance[300:] = 80e-4  # far from all that the line was fitted on
    forecast, smallest = har(series_of(variance), 250), 2e-4
    lowest = float(np.nanmin(forecast))
    assert lowest >= smallest * (1 - 1e-9), f"the smallest training variance is {smallest}, a forecast is {lowest:.1e}"


def test_the_sp500_has_the_qlike_of_the_readme() -> None:
    config = Config(data={"source": "sample", "test_start": "2016-01-01"})
    data = PriceData(config.data, config.model, config.training)
    (series,) = data.series
    days = data.test_origins(series)
    forecasts = recalibrated(from_every_day(series, data.refits, har), series.next_variance())
    found = float(qlike(series.next_variance()[days], forecasts[days]).mean())
    assert found == pytest.approx(0.4731, abs=5e-4), (
        f"2016 to 2018, refitted every January, HAR has a QLIKE of .4731, not {found:.4f}; lower would be too good"
    )
