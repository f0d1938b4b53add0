"""The three tasks: headline metric, baselines, and the reference baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from projects.stockprice import baselines
from projects.stockprice.data import Refit, Series


@dataclass(frozen=True)
class Task:
    """How the forecasts of one task are named and scored."""

    title: str
    target: str
    metric: str
    """The headline metric; it is minimised."""
    reference: str
    """The baseline to beat."""
    baselines: dict[str, baselines.Baseline]
    walk_forward: Callable[[Series, np.ndarray, Sequence[Refit], baselines.Baseline], np.ndarray]


TASKS = {
    "price": Task(
        "Next close", "the next day's close", "rmse", "naive", baselines.PRICE, baselines.walk_forward
    ),
    "volatility": Task(
        "Volatility", "the next day's variance", "qlike", "har", baselines.VOLATILITY, baselines.walk_forward_variance
    ),
    "interval": Task(
        "Prediction intervals", "intervals of the next day's return", "interval_score", "har", baselines.INTERVAL,
        baselines.walk_forward_quantiles,
    ),
}  # fmt: skip
