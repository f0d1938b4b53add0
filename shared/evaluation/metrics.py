"""Metrics of classifiers, with confidence intervals and tests."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import Tensor

TEMPERATURE_PRIOR = 0.5
"""Standard deviation of log T before any data; among hundreds of items it weighs nothing."""
Metric = Callable[[np.ndarray, np.ndarray], float]


def accuracy(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Fraction of correct predictions."""
    return float((targets == predictions).mean())


def macro_f1(targets: np.ndarray, predictions: np.ndarray) -> float:
    """Mean F1 of the classes that occur among the targets."""
    classes = int(max(targets.max(), predictions.max())) + 1
    correct = np.bincount(targets[targets == predictions], minlength=classes)
    support, predicted = np.bincount(targets, minlength=classes), np.bincount(predictions, minlength=classes)
    present = support > 0
    return float((2 * correct[present] / (support + predicted)[present]).mean())


def classification_metrics(logits: Tensor, targets: np.ndarray | Sequence[int]) -> dict[str, float]:
    """accuracy, macro_f1, loss (cross entropy), ece. logits (N, C), targets (N,)."""
    truth, predictions = torch.as_tensor(targets), logits.argmax(dim=1).numpy()
    return {
        "accuracy": accuracy(truth.numpy(), predictions),
        "macro_f1": macro_f1(truth.numpy(), predictions),
        "loss": F.cross_entropy(logits, truth).item(),
        "ece": expected_calibration_error(logits.softmax(dim=1), truth),
    }


def scores(
    logits: Tensor, targets: np.ndarray, baselines: Mapping[str, np.ndarray], resamples: int = 1000
) -> dict[str, Any]:
    """The `metrics`, `intervals` and `baselines` of evaluation.json. baselines: name -> predictions (N,)."""
    predictions = logits.argmax(dim=1).numpy()
    simple = (accuracy, macro_f1)
    return {
        "metrics": classification_metrics(logits, targets),
        "intervals": {m.__name__: bootstrap_interval(m, targets, predictions, resamples) for m in simple},
        "baselines": {
            name: {metric.__name__: metric(targets, guess) for metric in simple} for name, guess in baselines.items()
        },
    }


def classifier_rows(
    items: Sequence[str],
    logits: Tensor,
    targets: np.ndarray,
    classes: Sequence[str],
    **columns: Sequence[Any] | np.ndarray,
) -> list[dict[str, Any]]:
    """The rows of predictions.csv: item, true and predicted class, confidence, and further columns. logits (N, C)."""
    confidence, predicted = (part.tolist() for part in logits.softmax(dim=1).max(dim=1))
    return [
        {
            "item": items[i], "true": classes[targets[i]], "predicted": classes[predicted[i]],
            "correct": int(predicted[i] == targets[i]), "confidence": round(confidence[i], 4),
            **{name: _plain(values[i]) for name, values in columns.items()},
        }
        for i in range(len(items))
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value


def linear_weights(regression: LogisticRegression) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (C, D) and intercepts (C,) of a fitted regression; scikit-learn keeps one row for two classes."""
    coefficients, intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) > 2:
        return coefficients, intercepts
    return np.vstack([-coefficients, coefficients]), np.hstack([-intercepts, intercepts])


def proportion_interval(successes: float, n: float, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    share, extra = successes / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    half = z * ((share * (1 - share) + extra / 4) / n) ** 0.5 / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(targets: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[int, int, float]:
    """Items that only the first model gets right, items that only the second gets right, and the exact p value of the
    difference (McNemar 1947)."""
    only_first = int(((first == targets) & (second != targets)).sum())
    only_second = int(((first != targets) & (second == targets)).sum())
    discordant = only_first + only_second
    return only_first, only_second, float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def expected_calibration_error(probabilities: Tensor, targets: Tensor) -> float:
    """Mean gap between confidence and accuracy in 15 bins (Guo et al. 2017). probabilities (N, C), targets (N,)."""
    confidence, predicted = probabilities.double().max(dim=1)
    bins = (15 * confidence.nan_to_num()).long().clamp(max=14)  # a confidence of 1 is in the last one
    gaps = torch.bincount(bins, weights=confidence - (predicted == targets).double())  # summed over each bin
    return gaps.abs().sum().item() / len(targets)


def bootstrap_interval(
    metric: Metric, targets: np.ndarray, predictions: np.ndarray, resamples: int = 1000, seed: int = 0
) -> list[float]:
    """95 % percentile interval of a metric over resampled test items (Efron 1979)."""
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        drawn = generator.integers(len(targets), size=len(targets))
        values.append(metric(targets[drawn], predictions[drawn]))
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


def per_class_table(targets: np.ndarray, predictions: np.ndarray, classes: Sequence[str]) -> list[dict]:
    """precision, recall, f1 and number of test items of every class."""
    numbers = list(range(len(classes)))
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predictions, labels=numbers, zero_division=0
    )
    return [
        {"class": name, "precision": p, "recall": r, "f1": f, "n": int(n)}
        for name, p, r, f, n in zip(classes, precision, recall, f1, np.atleast_1d(support))
    ]


def confusions(targets: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix (C, C): items of class i (row) predicted as class j (column)."""
    return confusion_matrix(targets, predictions, labels=list(range(classes)))


def fit_temperature(logits: Tensor, targets: np.ndarray) -> float:
    """The temperature that makes softmax(logits / T) most likely on validation data (Guo et al. 2017), with a normal
    prior on log T: a few items that are all right would make it as small as can be, and every answer certain."""
    truth = torch.as_tensor(targets)
    candidates = torch.logspace(-1, 1, 201)
    losses = torch.stack([F.cross_entropy(logits / t, truth, reduction="sum") for t in candidates])
    return float(candidates[(losses + candidates.log() ** 2 / (2 * TEMPERATURE_PRIOR**2)).argmin()])
