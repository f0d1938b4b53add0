"""Shares of positive reviews from a network that errs: adjusted count, shrinkage, and tests with multiplicity."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import test_proportions_2indep

from shared.evaluation.metrics import proportion_interval

ALPHA = 0.05
MIN_YOUDEN = 0.1
"""With a smaller difference of the two rates a prediction says almost nothing about the class."""


@dataclass(frozen=True)
class Rates:
    """How often a network says positive: of truly positive and of truly negative reviews, by a labelled sample."""

    true_positives: int
    positives: int
    false_positives: int
    negatives: int

    @classmethod
    def of(cls, truth: np.ndarray, predicted: np.ndarray) -> "Rates":
        """Both bool (N,): whether a review is positive."""
        return cls(
            int((truth & predicted).sum()), int(truth.sum()), int((~truth & predicted).sum()), int((~truth).sum())
        )

    @property
    def youden(self) -> float:
        """True positive rate minus false positive rate (Youden 1950): 1 is perfect, 0 is chance."""
        return self.true_positives / self.positives - self.false_positives / self.negatives

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the accuracies of the two classes, .5 by chance."""
        return (1 + self.youden) / 2


def adjusted_count(positive: int, n: int, rates: Rates, alpha: float = ALPHA) -> tuple[float, float, float] | None:
    """The share of positive reviews, corrected for the errors of the network, with its interval.

    With the rates t and f of the truly positive and negative, the network says positive for q = p t + (1 - p) f, so
    p = (q - f) / (t - f) (Gart & Buck 1966; Forman 2008). The variance, by the delta method, has the errors of all
    three rates; the labelled sample counts as independent of the `n` reviews. None where the
    network is too near to chance.
    """
    if min(rates.positives, rates.negatives) == 0 or rates.youden < MIN_YOUDEN:
        return None
    q = positive / n
    false_rate = rates.false_positives / rates.negatives
    share = min(1.0, max(0.0, (q - false_rate) / rates.youden))
    half = float(norm.isf(alpha / 2)) * _adjusted_variance(positive, n, share, rates) ** 0.5
    return share, max(0.0, share - half), min(1.0, share + half)


def _adjusted_variance(positive: int, n: int, share: float, rates: Rates) -> float:
    """Variance of the adjusted count by the delta method."""
    return (
        _variance(positive, n)
        + share**2 * _variance(rates.true_positives, rates.positives)
        + (1 - share) ** 2 * _variance(rates.false_positives, rates.negatives)
    ) / rates.youden**2


def _variance(successes: int, n: int) -> float:
    """Variance of a proportion; two successes and two failures are added (Agresti & Coull 1998), so it is never 0."""
    rate = (successes + 2) / (n + 4)
    return rate * (1 - rate) / (n + 4)


@dataclass(frozen=True)
class Share:
    """The share of positive reviews of a product or month, corrected for the errors of the network."""

    value: float
    size: float
    """Effective number of reviews: so many reviews of known class would be as informative."""
    reviews: int

    @property
    def counts(self) -> tuple[float, float]:
        """Effective counts of positive and of all reviews, for tests and intervals."""
        return self.value * self.size, self.size

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval (Wilson 1927)."""
        return proportion_interval(*self.counts)


def corrected_share_of(predicted: np.ndarray, labels: np.ndarray, rates: Rates | None) -> Share:
    """The share of some reviews: known classes as they are, the others by the adjusted count if there are `rates`.

    predicted bool (N,), N > 0: whether the network calls a review positive. labels (N,): 'positive', another class, or
    '' where it is not known.
    """
    n, known = len(predicted), labels != ""
    k, n_known, q = int((labels == "positive").sum()), int(known.sum()), int(predicted[~known].sum())
    rest = n - n_known
    found = adjusted_count(q, rest, rates) if rates and rest else None
    if rates is None or found is None:
        return Share((k + q) / n, float(n), n)
    value = (k + rest * found[0]) / n
    variance_of_rest = _adjusted_variance(q, rest, found[0], rates)
    variance = (n_known**2 * (_variance(k, n_known) if n_known else 0.0) + rest**2 * variance_of_rest) / n**2
    smoothed = (value * n + 2) / (n + 4)
    return Share(value, min(float(n), smoothed * (1 - smoothed) / variance), n)


def shrunken(counts: Sequence[tuple[float, float]]) -> list[float]:
    """Shares k / n drawn towards the share of all, the more so the fewer reviews (an empirical Bayes estimate).

    The weight of the own share is n / (n + m); m is the method-of-moments size of a beta prior (Kleinman 1973).
    """
    k, n = np.array(counts, dtype=float).T
    mean, total, groups = k.sum() / n.sum(), n.sum(), len(n)
    if groups < 2 or mean in (0.0, 1.0):
        return [float(mean)] * groups
    spread = (n * (k / n - mean) ** 2).sum()
    free = total - (n**2).sum() / total
    between = (spread - (groups - 1) * mean * (1 - mean)) / (free - (groups - 1)) if free > groups - 1 else 0.0
    if between <= 0:
        return [float(mean)] * groups  # no more spread than chance makes
    size = max(0.0, mean * (1 - mean) / between - 1)
    return ((k + size * mean) / (n + size)).tolist()


def differs_from_rest(counts: Sequence[tuple[float, float]], alpha: float = ALPHA) -> list[bool]:
    """Which shares k / n differ from that of all others: score tests with the correction of Holm (1979)."""
    k, n = np.array(counts, dtype=float).T
    p = [_p_value(a, m, k.sum() - a, n.sum() - m) for a, m in counts]
    return multipletests(p, alpha=alpha, method="holm")[0].tolist() if len(p) > 1 else [False] * len(p)


def best_and_worst(counts: Sequence[tuple[float, float]], alpha: float = ALPHA) -> tuple[int, int] | None:
    """The places of the highest and of the lowest share k / n, if they differ; None for a tie.

    They were chosen among all pairs, so that the p value of the pair is multiplied by the number of pairs (Bonferroni).
    """
    if len(counts) < 2:
        return None
    shares = [k / n for k, n in counts]
    best, worst = int(np.argmax(shares)), int(np.argmin(shares))
    pairs = len(counts) * (len(counts) - 1) / 2
    return (best, worst) if _p_value(*counts[best], *counts[worst]) * pairs < alpha else None


def leans(counts: Sequence[tuple[int, int]], alpha: float = ALPHA) -> list[bool]:
    """Which shares k / n differ from one half: exact tests; FDR `alpha` (Benjamini & Hochberg 1995)."""
    p = [binomtest(k, n).pvalue if n else 1.0 for k, n in counts]
    return multipletests(p, alpha=alpha, method="fdr_bh")[0].tolist() if p else []


def _p_value(a: float, n: float, b: float, m: float) -> float:
    """Of the difference between a / n and b / m (score test)."""
    if min(n, m) < 1e-9 or not 1e-9 < a + b < n + m - 1e-9:
        return 1.0
    with np.errstate(divide="ignore"):  # the odds of 1
        return float(test_proportions_2indep(a, n, b, m, method="score", compare="diff").pvalue)


def trend_p(events: np.ndarray, times: np.ndarray) -> float:
    """Whether events become more or less frequent: the p value of the test of Cochran and Armitage (1955).

    events bool (N,), times (N,), N > 0.
    """
    rate, centred = events.mean(), times - times.mean()
    spread = float(np.sqrt((centred**2).sum() * rate * (1 - rate)))
    return float(2 * norm.sf(abs(centred @ events) / spread)) if spread > 0 else 1.0
