"""Losses of forecasts, and whether one forecast is really better than another."""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

from projects.stockprice.calibration import COVERAGES
from projects.stockprice.data import Days

Loss = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""actual (N,), forecast (N,) -> loss of every day (N,)."""


def qlike(variance: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """v / f - log(v / f) - 1: does not mind that the variance of a day is measured with noise (Patton 2011)."""
    ratio = variance / forecast
    return ratio - np.log(ratio) - 1


def squared(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Squared error."""
    return (actual - forecast) ** 2


def interval_score(actual: np.ndarray, low: np.ndarray, high: np.ndarray, coverage: float) -> np.ndarray:
    """Width, plus a fine for every day outside (Gneiting & Raftery 2007); smaller is better."""
    alpha = 1 - coverage
    below, above = np.maximum(low - actual, 0), np.maximum(actual - high, 0)
    return high - low + 2 / alpha * (below + above)


def diebold_mariano(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Statistic and two-sided p value of equal loss, one day ahead; negative: ours is smaller.

    Diebold & Mariano 1995 with the small-sample correction of Harvey, Leybourne & Newbold 1997. Losses (N,).
    """
    difference = ours - theirs
    n = len(difference)
    spread = difference.std()
    if spread == 0:
        return 0.0, 1.0
    statistic = difference.mean() / (spread / np.sqrt(n)) * np.sqrt((n - 1) / n)
    return float(statistic), float(2 * student.sf(abs(statistic), df=n - 1))


def block_interval(
    values: np.ndarray, statistic: Callable[[np.ndarray], float], resamples: int = 1000, block: int = 22, seed: int = 0
) -> list[float]:
    """95 % interval of a statistic of consecutive days, by resampling blocks of days (Politis & Romano 1992, circular).

    values: (N, ...), resampled along the first axis.
    """
    generator = np.random.default_rng(seed)
    n = len(values)
    count = -(-n // block)
    results = []
    for _ in range(resamples):
        starts = generator.integers(n, size=count)
        rows = (starts[:, None] + np.arange(block)).ravel()[:n] % n
        results.append(statistic(values[rows]))
    low, high = np.percentile(results, [2.5, 97.5])
    return [float(low), float(high)]


def terciles(values: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for the lower, middle and upper third of the values, (N,)."""
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values)


def score(days: list[Days], name: str, task: str) -> dict[str, float]:
    """The metrics of one model, means over the tickers; the deciding one (KEY) comes first."""
    each = [_score(one, name, task) for one in days]
    return {metric: float(np.mean([values[metric] for values in each])) for metric in each[0]}


def _score(one: Days, name: str, task: str) -> dict[str, float]:
    forecast, actual = one.forecasts[name], one.actual
    if task == "volatility":
        return {
            "qlike": float(qlike(one.variance, forecast).mean()),
            "rmse": float(np.sqrt(squared(np.sqrt(one.variance), np.sqrt(forecast)).mean())),
            "mae": float(np.abs(np.sqrt(one.variance) - np.sqrt(forecast)).mean()),
        }
    if task == "price":
        closes, change = one.series.close[one.origins + 1], np.sign(forecast - one.today)
        values = {
            "rmse": float(np.sqrt(squared(closes, forecast).mean())),
            "mae": float(np.abs(closes - forecast).mean()),
            # Hyndman & Koehler 2006, but scaled by 'naive (random walk)' on the test days themselves, where prices are as high
            "mase": float(np.abs(closes - forecast).mean() / np.abs(closes - one.today).mean()),
            "r2": float(1 - squared(closes, forecast).sum() / squared(closes, closes.mean()).sum()),
        }
        # 'naive (random walk)' names no direction
        return {**values, "direction": float((change == np.sign(actual)).mean())} if change.any() else values
    values = {"interval_score": float(interval_score(actual, forecast[:, 1], forecast[:, 4], 0.9).mean())}
    third = terciles(one.volatility)
    for coverage, (low, high) in COVERAGES.items():
        inside = (actual >= forecast[:, low]) & (actual <= forecast[:, high])
        values[f"coverage_{coverage}"] = float(inside.mean())
        if coverage == "90":
            values |= {
                f"coverage_90_{part}": float(inside[third == i].mean())
                for i, part in enumerate(("low", "medium", "high"))
            }
    return values


def daily_losses(days: list[Days], name: str, task: str) -> np.ndarray:
    """Loss of every day, the mean over the tickers: what happens to all of them on one day counts once, (D,)."""
    dates = np.concatenate([one.series.days[one.origins + 1] for one in days])
    losses = np.concatenate([day_losses(one, name, task) for one in days])
    _, which = np.unique(dates, return_inverse=True)
    return np.bincount(which, losses) / np.bincount(which)


def day_losses(one: Days, name: str, task: str) -> np.ndarray:
    """The loss of every day by which models are compared, (N,)."""
    forecast = one.forecasts[name]
    if task == "volatility":
        return qlike(one.variance, forecast)
    if task == "price":
        return squared(one.series.close[one.origins + 1], forecast)
    return interval_score(one.actual, forecast[:, 1], forecast[:, 4], 0.9)
