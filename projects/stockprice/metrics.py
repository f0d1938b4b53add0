"""Losses of forecasts, and whether one forecast is really better than another."""

from collections.abc import Callable

import numpy as np
from scipy.stats import t as student

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
    """95 % interval of a statistic of consecutive days, by resampling blocks of days (Politis & Romano 1994, circular).

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
