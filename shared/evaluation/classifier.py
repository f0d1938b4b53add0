"""The evaluation of a plain classifier, for projects that need nothing of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from shared.data.images import Records
from shared.data.provenance import Seen
from shared.evaluation.metrics import classifier_rows, scores
from shared.evaluation.report import Report, Section, baselines_section, classifier_sections, learning_curves


@dataclass
class ClassifierEvaluation:
    """What was measured, and on what."""

    summary: str
    logits: Tensor
    targets: np.ndarray
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen


def evaluate_classifier(
    records: Records, logits: Tensor, classes: Sequence[str], seen: Seen, split: str
) -> ClassifierEvaluation:
    """Accuracy, macro F1, loss and calibration error beside the majority class. N records, logits (N, C)."""
    items, truth = [Path(path).name for path, _ in records], np.array([label for _, label in records])
    majority = np.full(len(truth), np.argmax(np.bincount(truth)))
    data = {"split": split, "n": len(truth), "seen": seen.count}
    numbers = {"data": data, **scores(logits, truth, {"majority": majority})}
    summary, rows = f"{len(truth)} items, split {split}", classifier_rows(items, logits, truth, classes)
    return ClassifierEvaluation(summary, logits, truth, numbers, rows, seen)


def classifier_report(
    title: str,
    network: nn.Module,
    classes: Sequence[str],
    result: ClassifierEvaluation,
    history: list[dict[str, float]],
) -> Report:
    """Comparison with the majority class, confusion matrix, metrics per class, calibration, learning curves."""
    metrics: Mapping[str, float] = result.numbers["metrics"]
    majority = result.numbers["baselines"]["majority"]["accuracy"]
    lead = (
        f"{metrics['accuracy']:.1%} of {len(result.targets)} test items are classified correctly; "
        f"always predicting the majority class reaches {majority:.1%}."
    )
    sections = [
        baselines_section(result.numbers, type(network).__name__, {"majority": "majority class"}),
        *classifier_sections(result.logits.numpy(), result.targets, classes, None, "items"),
        Section("Training", figure=learning_curves(history, "accuracy")) if history else None,
    ]
    return Report(title, lead, [], sections)
