"""Exercise from_prices: prices -> returns, variance, level and features of every day."""

import numpy as np
import pandas as pd

from projects.stockprice.series import Series


def prices(days: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    high, low = (close * np.exp(sign * generator.uniform(0.001, 0.02, days)) for sign in (1, -1))
    index = pd.bdate_range("2015-01-01", periods=days)
    return pd.DataFrame({"open": close, "high": high, "low": low, "close": close}, index=index)


def test_a_day_by_hand() -> None:
    frame = prices(100)
    frame.iloc[50] = [100.0, 110.0, 100.0, 105.0]
    frame.iloc[51, 3] = 102.9
    series = Series.from_prices("x", frame, 80)
    assert abs(series.variance[50] - 0.003276) < 1e-6, (
        f"log(110 / 100)² / (4 log 2) = .003276, not {series.variance[50]:.6f}"
    )
    assert abs(series.returns[51] + 0.020203) < 1e-6, f"log(102.9 / 105) = -.0202, not {series.returns[51]:.4f}"


def test_another_last_day_changes_no_feature_before_it() -> None:
    frame = prices(300)
    other = frame.copy()
    other.iloc[-1] *= 3
    one, two = (Series.from_prices("x", f, 100).features[:-1] for f in (frame, other))
    change = float(np.nanmax(np.abs(one - two)))
    assert change == 0, f"the last day is not known before it; earlier features move by up to {change:.3f}"
