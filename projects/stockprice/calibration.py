"""Every evening a forecast of the variance is held against the two years before: what was forecast then, and what came.

Networks and rules are fitted once a year, but markets drift in between. The tail of the returns, too, is taken as it
was: an interval is made from quantiles of past returns in units of their forecast deviation (conformal prediction,
Vovk, Gammerman & Shafer 2005, over a rolling window). The same for the networks and for every baseline. The days before
the first refit are forecast by what was fitted on them: all they do is to start the window.
"""

from typing import cast

import numpy as np
import pandas as pd

QUANTILES = (0.025, 0.05, 0.25, 0.75, 0.95, 0.975)  # of the next return: the ends of the intervals 95, 90 and 50 %
COVERAGES = {"50": (2, 3), "90": (1, 4), "95": (0, 5)}  # which of the quantiles are the ends
DAYS = 500
LEAST = 60  # days; with fewer before it, there is no forecast (NaN)


def recalibrated(forecast: np.ndarray, realised: np.ndarray) -> np.ndarray:
    """Forecasts of the variance made on consecutive days, and the variance of the day after each, (N,): what realised over
    what was forecast is brought to 1 in the mean of the days before each."""
    return forecast * _before(realised / forecast).mean().to_numpy()


def return_quantiles(forecast: np.ndarray, realised: np.ndarray) -> np.ndarray:
    """Forecasts of the variance made on consecutive days, and the return of the day after each, (N,) -> quantiles of
    that return as they are known before it, (N, 6)."""
    deviation = np.sqrt(forecast)
    past = _before(realised / deviation)
    return deviation[:, None] * np.stack([past.quantile(q).to_numpy() for q in QUANTILES], axis=1)


def _before(values: np.ndarray) -> pd.api.typing.Rolling:
    """Windows over the DAYS values before each, itself left out."""
    return cast("pd.api.typing.Rolling", pd.Series(values).shift(1).rolling(DAYS, min_periods=LEAST))
