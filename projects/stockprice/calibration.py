"""Calibration of the forecasts, daily, on the days before: the same for the networks and for every baseline.

Forecasts are rescaled daily by the ratio of realised to predicted variance over the last 500 days, because the market
changes after a network was trained (distribution shift). Intervals come from filtered historical simulation (Barone-
Adesi, Giannopoulos & Vosper 1999): quantiles of past returns, standardised by their forecast deviation. Their levels
adapt: after days outside an interval the next ones are wider (adaptive conformal inference, Gibbs & Candes 2021).
Forecasts of days before the first refit are in-sample; they are only used to fill these 500 days.
"""

from bisect import bisect_left, insort
from typing import cast

import numpy as np
import pandas as pd

QUANTILES = (0.025, 0.05, 0.25, 0.75, 0.95, 0.975)  # of the next day's return
COVERAGES = {"50": (2, 3), "90": (1, 4), "95": (0, 5)}  # intervals in %, and which quantiles are their ends
DAYS = 500
MIN_DAYS = 60  # with fewer days before it, a forecast is NaN
ADAPTATION = 0.005  # how far a level moves with each value


def recalibrated(forecast: np.ndarray, realised: np.ndarray, power: float = 1, ahead: int = 1) -> np.ndarray:
    """Variance forecasts times the mean ratio of realised to forecast variance on the days before, to a power.

    forecast: made on consecutive days, (N,); realised: the variance of the `ahead` days after each, (N,).
    """
    ratio = _past(realised / forecast, ahead).mean().to_numpy()
    return forecast * ratio**power


def return_quantiles(forecast: np.ndarray, realised: np.ndarray, ahead: int = 1) -> np.ndarray:
    """Quantiles of the next return, (N, 6) in the order of QUANTILES: the forecast deviation times the quantiles of
    past standardised returns.

    forecast: variances forecast on consecutive days, (N,); realised: the return over the `ahead` days after each, (N,).
    """
    deviation = np.sqrt(forecast)
    return deviation[:, None] * adaptive_quantiles(realised / deviation, ahead)


def adaptive_quantiles(values: np.ndarray, ahead: int = 1) -> np.ndarray:
    """Quantiles of the last DAYS values before each that are known by then, `ahead` days later, (N, 6).

    The levels start at QUANTILES; each known value moves them by ADAPTATION towards those that would have covered as
    many days as promised.
    """
    wanted, levels = np.array(QUANTILES), np.array(QUANTILES)
    rate = ADAPTATION / np.sqrt(ahead)  # the same move is in as many values
    quantiles = np.full((len(values), len(QUANTILES)), np.nan)
    window: list[float] = []  # sorted
    for day in range(len(values)):
        if (newest := day - ahead) >= 0 and not np.isnan(values[newest]):
            insort(window, values[newest])
            if not np.isnan(quantiles[newest, 0]):
                levels = np.clip(levels + rate * (wanted - (values[newest] < quantiles[newest])), 0, 1)
        if (oldest := newest - DAYS) >= 0 and not np.isnan(values[oldest]):
            del window[bisect_left(window, values[oldest])]
        if len(window) >= MIN_DAYS:
            at = levels * (len(window) - 1)
            below = at.astype(int)
            low, high = (np.array([window[min(n, len(window) - 1)] for n in row]) for row in (below, below + 1))
            quantiles[day] = np.maximum.accumulate(low + (at - below) * (high - low))
    return quantiles


def _past(values: np.ndarray, ahead: int) -> pd.api.typing.Rolling:
    """Rolling windows over the DAYS values before each value that are known by then, `ahead` days later."""
    return cast("pd.api.typing.Rolling", pd.Series(values).shift(ahead).rolling(DAYS, min_periods=MIN_DAYS))
