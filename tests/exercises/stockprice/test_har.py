"""Exercise har: linear in the mean variance of a day, a week and a month."""

import numpy as np

from projects.stockprice.baselines import har
from projects.stockprice.series import Series


def series_of(variance: np.ndarray) -> Series:
    nothing = np.zeros(len(variance))
    days = np.datetime64("2010-01-01") + np.arange(len(variance))
    features = np.zeros((len(variance), 5), np.float32)
    return Series("x", days, nothing + 1, nothing + 1, nothing, nothing, variance, nothing, features)


def test_where_calm_and_wild_days_alternate_the_forecast_is_exact() -> None:
    variance = np.where(np.arange(120) % 2, 3e-4, 1e-4)
    forecast = har(series_of(variance), 100)
    assert forecast.shape == (120,), f"120 days have 120 forecasts, not the shape {forecast.shape}"
    assert np.allclose(forecast[110:114], [3e-4, 1e-4, 3e-4, 1e-4], rtol=1e-3), (
        f"after 1, 3, 1, 3 come 3, 1, 3, 1 (times 1e-4), not {forecast[110:114]}"
    )


def test_variance_from_end_on_changes_no_weight() -> None:
    variance = np.random.default_rng(0).gamma(2, 1e-4, 400)
    other = variance.copy()
    other[300:] *= 5
    change = np.nanmax(np.abs(har(series_of(variance), 300) - har(series_of(other), 300))[:300])
    assert change == 0, f"days from `end` on must not be in the fit; earlier forecasts move by up to {change:.1e}"
