"""Tests: is one forecast better than another, which ones may be the best, and do intervals cover what they promise?"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import chi2
from scipy.stats import t as student

BLOCK = 22  # days that are resampled together


def newey_west_lags(days: int) -> int:
    """The usual number of lags for so many days, 4 (n / 100)^(2/9) (Newey & West 1994)."""
    return int(4 * (days / 100) ** (2 / 9))


def long_run_variance(values: np.ndarray, lags: int, ahead: int = 1) -> float:
    """n times the variance of the mean of n consecutive values, autocorrelated over so many lags (Newey & West 1987).

    ahead: days that each value spans. Beyond one, neighbouring values share days, and autocovariances up to ahead - 1
    count in full (Hansen & Hodrick 1980); where their sum is not positive, Newey & West's weights decrease over
    `lags` more lags.
    """
    n, centred = len(values), values - values.mean()
    covariances = np.array([centred[lag:] @ centred[: n - lag] for lag in range(min(lags + ahead, n))]) / n
    shared = covariances[0] + 2 * covariances[1:ahead].sum()
    if ahead > 1 and shared > 0:
        return float(shared)
    weights = 1 - np.arange(len(covariances)) / (lags + ahead)
    return float(2 * weights @ covariances - covariances[0])


def diebold_mariano(ours: np.ndarray, theirs: np.ndarray, lags: int = 0, ahead: int = 1) -> tuple[float, float]:
    """Statistic and two-sided p value of equal mean loss. A negative statistic means that our loss is smaller.

    Losses (N,) of forecasts so many days ahead, made on consecutive days. lags: see `long_run_variance`. Diebold &
    Mariano 1995 with the small-sample correction of Harvey, Leybourne & Newbold 1997. Several days ahead, p is too
    small where there are fewer than thirty times as many days; with no more than `ahead` it is 1.
    """
    difference = ours - theirs
    n = len(difference)
    variance = long_run_variance(difference, lags, ahead)
    if variance <= 0 or n <= ahead:
        return 0.0, 1.0
    correction = np.sqrt((n + 1 - 2 * ahead + ahead * (ahead - 1) / n) / n)
    statistic = difference.mean() / np.sqrt(variance / n) * correction
    return float(statistic), float(2 * student.sf(abs(statistic), df=n - 1))


def confidence_set(losses: Mapping[str, np.ndarray], size: float = 0.1, resamples: int = 500) -> list[str]:
    """The models that may be the best at this level (model confidence set, Hansen, Lunde & Nason 2011).

    losses: model -> loss of each day (D,). With few days none can be excluded.
    """
    from arch.bootstrap import MCS

    frame = pd.DataFrame(dict(losses))
    if len(frame) < 2 * BLOCK:
        return list(losses)
    distinct = frame.loc[:, ~frame.T.duplicated()]
    models = MCS(distinct, size=size, reps=resamples, block_size=BLOCK, seed=0)
    models.compute()
    included = frame[list(models.included)].to_numpy()
    best = [name for name in frame if (included == frame[[name]].to_numpy()).all(axis=0).any()]  # with equal ones
    return sorted(map(str, best), key=lambda name: float(losses[name].mean()))


def block_interval(
    values: np.ndarray, statistic: Callable[[np.ndarray], float], resamples: int = 1000, block: int = 22, seed: int = 0
) -> list[float]:
    """95 % confidence interval of a statistic of consecutive days (circular block bootstrap, Politis & Romano 1992).

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


def kupiec(inside: np.ndarray, coverage: float) -> float:
    """p value of the hypothesis that intervals cover this fraction of the days (Kupiec 1995). inside: bool (N,)."""
    n, outside = len(inside), int((~inside).sum())
    expected = _log_likelihood(n - outside, outside, 1 - coverage)
    observed = _log_likelihood(n - outside, outside, outside / n)
    return float(chi2.sf(2 * (observed - expected), df=1))


def christoffersen(inside: np.ndarray) -> float:
    """p value of the hypothesis that days outside the interval do not follow each other more or less often than others
    (independence; Christoffersen 1998). inside: bool (N,), consecutive days."""
    before, after = ~inside[:-1], ~inside[1:]
    counts = np.array(
        [[(~before & ~after).sum(), (~before & after).sum()], [(before & ~after).sum(), (before & after).sum()]]
    )
    together = counts.sum(axis=0)
    independent = _log_likelihood(together[0], together[1], together[1] / max(1, together.sum()))
    dependent = sum(_log_likelihood(stays, goes, goes / max(1, stays + goes)) for stays, goes in counts)
    return float(chi2.sf(max(0.0, 2 * (dependent - independent)), df=1))


def _log_likelihood(failures: int, successes: int, probability: float) -> float:
    """Of so many successes and failures; 0 log 0 = 0."""
    terms = ((failures, 1 - probability), (successes, probability))
    return float(sum(count * np.log(p) for count, p in terms if count))
