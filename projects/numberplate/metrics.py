"""Numbers for finding and for reading plates."""

from collections.abc import Sequence

import numpy as np

from projects.numberplate.detect import Detection
from projects.numberplate.formats import fold
from projects.numberplate.geometry import iou


def edit_distance(a: str, b: str) -> int:
    """The least number of characters to insert, delete or exchange (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (one != other))
    return row[-1]


def reading_metrics(texts: Sequence[str], truths: Sequence[str]) -> dict[str, float]:
    """exact: the text is right. folded: it is when O = 0 and I = 1. cer: edits per character of the truth, at most 1 a
    plate."""
    edits = [min(edit_distance(text, truth), len(truth)) for text, truth in zip(texts, truths)]
    return {
        "exact": float(np.mean([text == truth for text, truth in zip(texts, truths)])),
        "folded": float(np.mean([fold(text) == fold(truth) for text, truth in zip(texts, truths)])),
        "cer": sum(edits) / max(1, sum(len(truth) for truth in truths)),
    }


def match_detections(found: Sequence[Detection], boxes: np.ndarray, least: float) -> list[int]:
    """For each detection, the surest first, the number of the plate it is taken for, or -1: boxes (n, 4)."""
    taken: set[int] = set()
    answers = []
    for one in sorted(found, key=lambda d: -d.score):
        overlaps = iou(one.box, boxes)[0]
        free = [i for i in np.argsort(-overlaps) if i not in taken and overlaps[i] >= least]
        answers.append(int(free[0]) if free else -1)
        taken.update(free[:1])
    return answers


def detection_metrics(found: Sequence[Sequence[Detection]], boxes: Sequence[np.ndarray]) -> dict[str, float]:
    """recall and precision at overlaps of 0.5 and 0.7, and their harmonic mean at 0.5; without a plate on any photo
    there is no recall: found, the number of places taken for one."""
    plates, given = sum(len(b) for b in boxes), sum(len(f) for f in found)
    if not plates:
        return {"precision": 0.0 if given else 1.0, "found": float(given)}
    numbers = {}
    for name, least in (("", 0.5), ("_70", 0.7)):
        right = sum(sum(i >= 0 for i in match_detections(f, b, least)) for f, b in zip(found, boxes))
        numbers[f"recall{name}"] = right / plates
        numbers[f"precision{name}"] = right / given if given else 1.0
    recall, precision = numbers["recall"], numbers["precision"]
    return {**numbers, "f1": 2 * recall * precision / max(1e-9, recall + precision)}


def average_precision(found: Sequence[Sequence[Detection]], boxes: Sequence[np.ndarray]) -> float:
    """Precision averaged over recall, at overlaps of 0.5 (Everingham et al. 2010): no threshold has to be chosen, so
    it wavers less than precision and recall at one. 0 without a plate."""
    scored = [
        (one.score, number >= 0)
        for several, truth in zip(found, boxes)
        for one, number in zip(sorted(several, key=lambda d: -d.score), match_detections(several, truth, 0.5))
    ]
    right = np.array([hit for _, hit in sorted(scored, key=lambda pair: -pair[0])], bool)
    precision = right.cumsum() / np.arange(1, len(right) + 1)
    at_least = np.maximum.accumulate(precision[::-1])[::-1]  # what is reached at this recall or a larger one
    return float(at_least[right].sum() / max(1, sum(len(truth) for truth in boxes)))
