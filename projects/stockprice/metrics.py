"""Forecasts of the test days, their losses and metrics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projects.stockprice.calibration import COVERAGES
from projects.stockprice.series import Series
from projects.stockprice.significance import christoffersen, kupiec


@dataclass
class Forecasts:
    """The test days of one ticker, and the forecasts of every model."""

    series: Series
    origins: np.ndarray
    """The day before each test day, as row of the series, (N,)."""
    models: dict[str, np.ndarray]
    """`lstm` and the baselines: the close, the variance, or the quantiles of the return, (N,) or (N, 6)."""
    quantiles: np.ndarray | None = None
    """The LSTM's quantiles of the return, (N, 6); None with task price."""
    raw: np.ndarray | None = None
    """The LSTM's variances from every day of the series, not calibrated yet, (T, K); None with task price."""

    def select(self, rows: np.ndarray) -> "Forecasts":
        """Only these test days: a mask or row numbers."""
        models = {name: values[rows] for name, values in self.models.items()}
        quantiles = None if self.quantiles is None else self.quantiles[rows]
        return Forecasts(self.series, self.origins[rows], models, quantiles, self.raw)

    @property
    def days(self) -> np.ndarray:
        """The test days, datetime64[D] (N,)."""
        return self.series.days[self.origins + 1]

    @property
    def returns(self) -> np.ndarray:
        """Realised returns, (N,)."""
        return self.series.returns[self.origins + 1]

    @property
    def variance(self) -> np.ndarray:
        """Realised range variance, (N,)."""
        return self.series.variance[self.origins + 1]

    @property
    def closes(self) -> np.ndarray:
        """Realised closes, (N,)."""
        return self.series.close[self.origins + 1]

    @property
    def last_closes(self) -> np.ndarray:
        """The closes of the days before, (N,)."""
        return self.series.close[self.origins]

    @property
    def past_variance(self) -> np.ndarray:
        """Mean range variance of the 22 days before, known when the forecast is made, (N,)."""
        return self.series.month_variance[self.origins]


def qlike(variance: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """v / f - log(v / f) - 1, (N,). It ranks forecasts correctly although daily variance is measured with noise (Patton
    2011)."""
    ratio = variance / forecast
    return ratio - np.log(ratio) - 1


def squared_error(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """(a - f)^2, (N,)."""
    return (actual - forecast) ** 2


def interval_score(actual: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float) -> np.ndarray:
    """Width of the interval plus a penalty for each day outside (Gneiting & Raftery 2007), (N,); minimised."""
    alpha = 1 - coverage
    below, above = np.maximum(low - actual, 0), np.maximum(actual - high, 0)
    return high - low + 2 / alpha * (below + above)


def terciles(values: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for the lower, middle and upper third of the values, (N,)."""
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)


def mean_loss(metric: str) -> Callable[[np.ndarray], float]:
    """The function from daily losses to the headline metric."""
    return (lambda losses: float(np.sqrt(losses.mean()))) if metric == "rmse" else (lambda losses: float(losses.mean()))


def score(forecasts: Sequence[Forecasts], name: str, task: str) -> dict[str, float]:
    """The metrics of one model, means over the tickers; the headline metric comes first."""
    each = [_score(one, name, task) for one in forecasts]
    return {metric: float(np.mean([values[metric] for values in each])) for metric in each[0]}


def _score(one: Forecasts, name: str, task: str) -> dict[str, float]:
    forecast = one.models[name]
    if task == "price":
        return _price_metrics(one, forecast)
    if task == "interval":
        return _interval_metrics(one, forecast)
    return {
        "qlike": float(qlike(one.variance, forecast).mean()),
        "rmse": float(np.sqrt(squared_error(np.sqrt(one.variance), np.sqrt(forecast)).mean())),
        "mae": float(np.abs(np.sqrt(one.variance) - np.sqrt(forecast)).mean()),
    }


def _price_metrics(one: Forecasts, forecast: np.ndarray) -> dict[str, float]:
    closes, direction = one.closes, np.sign(forecast - one.last_closes)
    values = {
        "rmse": float(np.sqrt(squared_error(closes, forecast).mean())),
        "mae": float(np.abs(closes - forecast).mean()),
        # Hyndman & Koehler 2006, but relative to the naive forecast of the test days, on the same price level
        "mase": float(np.abs(closes - forecast).mean() / np.abs(closes - one.last_closes).mean()),
        "r2": float(1 - squared_error(closes, forecast).sum() / squared_error(closes, closes.mean()).sum()),
    }
    if direction.any():  # the naive forecast has none
        values["direction"] = float((direction == np.sign(one.returns)).mean())
    return values


def _interval_metrics(one: Forecasts, quantiles: np.ndarray) -> dict[str, float]:
    values = {"interval_score": float(interval_score(one.returns, quantiles[:, 1], quantiles[:, 4], 0.9).mean())}
    for coverage in COVERAGES:
        inside = covered(one, quantiles, coverage)
        values[f"coverage_{coverage}"] = float(inside.mean())
        if coverage == "90":
            third = terciles(one.past_variance)
            levels = enumerate(("low", "medium", "high"))
            values |= {f"coverage_90_{level}": float(inside[third == i].mean()) for i, level in levels}
    return values


def covered(one: Forecasts, quantiles: np.ndarray, coverage: str) -> np.ndarray:
    """Whether each realised return lies in its interval, bool (N,). quantiles: (N, 6); coverage: `90`."""
    return within(one.returns, quantiles, coverage)


def within(returns: np.ndarray, quantiles: np.ndarray, coverage: str = "90") -> np.ndarray:
    """Whether returns (N,) lie in their intervals, bool (N,). quantiles: (N, 6)."""
    low, high = COVERAGES[coverage]
    return (returns >= quantiles[:, low]) & (returns <= quantiles[:, high])


def daily_losses(forecasts: Sequence[Forecasts], name: str, task: str) -> np.ndarray:
    """Loss of each calendar day, (D,): the mean over the tickers, since their losses on one day are not independent."""
    days = np.concatenate([one.days for one in forecasts])
    losses = np.concatenate([ticker_losses(one, name, task) for one in forecasts])
    return day_means(days, losses)


def day_means(days: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Mean loss of each calendar day, (D,). days, losses: (N,)"""
    _, which = np.unique(days, return_inverse=True)
    return np.bincount(which, losses) / np.bincount(which)


PARTS: dict[str, Callable[[Forecasts], np.ndarray]] = {
    "year": lambda one: one.days.astype("datetime64[Y]").astype(str),
    "ticker": lambda one: np.full(len(one.days), one.series.name),
    "volatility": lambda one: np.array(["low", "medium", "high"])[terciles(one.past_variance)],
}
"""By what the test days are divided -> the part that each day belongs to, (N,)."""


def losses_by(
    forecasts: Sequence[Forecasts], names: Sequence[str], task: str, part: Callable[[Forecasts], np.ndarray]
) -> dict[str, dict[str, float]]:
    """Part of the test days -> its number of days `n`, and the mean loss of every model."""
    parts = np.concatenate([part(one) for one in forecasts])
    losses = {name: np.concatenate([ticker_losses(one, name, task) for one in forecasts]) for name in names}
    found = {}
    for value in dict.fromkeys(parts.tolist()):
        rows = parts == value
        found[value] = {"n": int(rows.sum())} | {name: float(loss[rows].mean()) for name, loss in losses.items()}
    return found


def coverage_tests(forecasts: Sequence[Forecasts], coverage: str = "90") -> dict[str, Any]:
    """Coverage of the LSTM's intervals, by year too; and the median over the tickers of the p values of Kupiec's test
    (too many or too few days outside) and of Christoffersen's (they follow each other)."""
    inside = [covered(one, one.quantiles, coverage) for one in forecasts if one.quantiles is not None]
    years = np.concatenate([PARTS["year"](one) for one in forecasts])
    together = np.concatenate(inside)
    return {
        "nominal": int(coverage) / 100,
        "all": float(together.mean()),
        "by_year": {year: float(together[years == year].mean()) for year in dict.fromkeys(years.tolist())},
        "kupiec_p": float(np.median([kupiec(one, int(coverage) / 100) for one in inside])),
        "christoffersen_p": float(np.median([christoffersen(one) for one in inside])),
    }


def ticker_losses(one: Forecasts, name: str, task: str) -> np.ndarray:
    """The losses of one ticker in the headline metric, (N,)."""
    forecast = one.models[name]
    if task == "volatility":
        return qlike(one.variance, forecast)
    if task == "price":
        return squared_error(one.closes, forecast)
    return interval_score(one.returns, forecast[:, 1], forecast[:, 4], 0.9)
