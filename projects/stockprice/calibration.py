"""Calibration of the forecasts, daily, on the days before: the same for the networks and for every baseline.

Forecasts are rescaled daily by the ratio of realised to predicted variance over the last 500 days, because models are
refitted once a year and the market changes in between (distribution shift). Intervals come from filtered historical
simulation (Barone-Adesi, Giannopoulos & Vosper 1999): quantiles of past returns, standardised by their forecast
deviation. Forecasts of days before the first refit are in-sample; they are only used to fill these 500 days.
"""

from typing import cast

import numpy as np
import pandas as pd

QUANTILES = (0.025, 0.05, 0.25, 0.75, 0.95, 0.975)  # of the next day's return
COVERAGES = {"50": (2, 3), "90": (1, 4), "95": (0, 5)}  # intervals in %, and which quantiles are their ends
DAYS = 500
MIN_DAYS = 60  # with fewer days before it, a forecast is NaN


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
    past = _past(realised / deviation, ahead)
    return deviation[:, None] * np.stack([past.quantile(q).to_numpy() for q in QUANTILES], axis=1)


def _past(values: np.ndarray, ahead: int) -> pd.api.typing.Rolling:
    """Rolling windows over the DAYS values before each value that are known by then, `ahead` days later."""
    return cast("pd.api.typing.Rolling", pd.Series(values).shift(ahead).rolling(DAYS, min_periods=MIN_DAYS))
