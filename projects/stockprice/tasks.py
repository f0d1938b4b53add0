"""The three kinds of forecast: how each is scored, and what it must beat."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from projects.stockprice import baselines
from projects.stockprice.data import Refit, Series


@dataclass(frozen=True)
class Task:
    """How one kind of forecast is scored and named."""

    title: str
    what: str
    key: str
    """The metric that decides."""
    reference: str
    """The baseline that must be beaten."""
    rules: dict[str, baselines.Rule]
    walk: Callable[[Series, np.ndarray, Sequence[Refit], baselines.Rule], np.ndarray]


TASKS = {
    "price": Task("The next close", "the next day's close", "rmse", "naive", baselines.PRICE, baselines.walk),
    "volatility": Task(
        "Volatility", "the next day's volatility", "qlike", "har", baselines.VOLATILITY, baselines.walk_variance
    ),
    "interval": Task(
        "Intervals of the next return", "the next return", "interval_score", "har", baselines.INTERVAL,
        baselines.walk_quantiles,
    ),
}  # fmt: skip
