"""The three kinds of forecast: the metric that decides, the baselines, and the one to beat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from projects.stockprice import baselines
from projects.stockprice.data import Refit, Series


@dataclass(frozen=True)
class Task:
    """How one kind of forecast is scored and named."""

    title: str
    target: str
    metric: str
    """The metric that decides; it is minimised."""
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
