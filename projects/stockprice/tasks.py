"""The three tasks: headline metric, baselines, and the reference baseline."""

from dataclasses import dataclass, field

import numpy as np

from projects.stockprice import baselines
from projects.stockprice.calibration import recalibrated, return_quantiles
from projects.stockprice.series import Series


@dataclass(frozen=True)
class Task:
    """How the forecasts of one task are named and scored."""

    title: str
    target: str
    metric: str
    """The headline metric; it is minimised."""
    baselines: dict[str, baselines.Baseline]
    pooled: dict[str, baselines.Pooled] = field(default_factory=dict)
    """Baselines that are fitted on all tickers together."""

    def calibrated(self, forecasts: np.ndarray, series: Series, recalibration: float) -> np.ndarray:
        """Forecasts from every day (T,) as they are scored, calibrated like those of the networks: returns, variances,
        or quantiles of the return (T, 6)."""
        if self.metric == "rmse":
            return forecasts
        variance = recalibrated(forecasts, series.next_variance(), recalibration)
        return variance if self.metric == "qlike" else return_quantiles(variance, series.next_return())


TASKS = {
    "price": Task("Next close", "the next day's close", "rmse", baselines.PRICE),
    "volatility": Task("Volatility", "the next day's variance", "qlike", baselines.VOLATILITY, baselines.POOLED),
    "interval": Task(
        "Prediction intervals", "intervals of the next day's return", "interval_score", baselines.INTERVAL,
        baselines.POOLED,
    ),
}  # fmt: skip
