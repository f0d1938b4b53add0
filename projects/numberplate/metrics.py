"""Metrics of detection and of reading, over all plates and in slices by width, tilt and brightness."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from projects.numberplate.detect import Detection
from projects.numberplate.formats import fold
from projects.numberplate.geometry import iou
from projects.numberplate.pipeline import Plate
from projects.numberplate.sources import Photo

MATCH_IOU = 0.5
"""IoU from which a detection counts as a true positive."""


def edit_distance(a: str, b: str) -> int:
    """The smallest number of insertions, deletions and substitutions (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (one != other))
    return row[-1]


def reading_metrics(texts: Sequence[str], truths: Sequence[str]) -> dict[str, float]:
    """exact: fraction of texts without an error. folded: the same with O = 0 and I = 1. cer: character error rate,
    edits per character of the truth, at most 1 for a plate."""
    edits = [min(edit_distance(text, truth), len(truth)) for text, truth in zip(texts, truths)]
    return {
        "exact": float(np.mean([text == truth for text, truth in zip(texts, truths)])),
        "folded": float(np.mean([fold(text) == fold(truth) for text, truth in zip(texts, truths)])),
        "cer": sum(edits) / max(1, sum(len(truth) for truth in truths)),
    }


def match_detections(found: Sequence[Detection], boxes: np.ndarray, min_iou: float) -> list[int]:
    """For each detection, the highest score first, the number of the plate it matches, or -1 (a false positive). Every
    plate is matched once. boxes: (n, 4)."""
    taken: set[int] = set()
    matches = []
    for one in sorted(found, key=lambda d: -d.score):
        overlaps = iou(one.box, boxes)[0]
        free = [i for i in np.argsort(-overlaps) if i not in taken and overlaps[i] >= min_iou]
        matches.append(int(free[0]) if free else -1)
        taken.update(free[:1])
    return matches


def detection_metrics(found: Sequence[Sequence[Detection]], boxes: Sequence[np.ndarray]) -> dict[str, float]:
    """recall and precision at IoU 0.5 and 0.7, f1 at 0.5. Without a plate on any photo there is no recall: precision
    and the number of false positives."""
    plates, detections = sum(len(b) for b in boxes), sum(len(f) for f in found)
    if not plates:
        return {"precision": 0.0 if detections else 1.0, "false_positives": float(detections)}
    numbers = {}
    for name, min_iou in (("", MATCH_IOU), ("_70", 0.7)):
        true_positives = sum(sum(i >= 0 for i in match_detections(f, b, min_iou)) for f, b in zip(found, boxes))
        numbers[f"recall{name}"] = true_positives / plates
        numbers[f"precision{name}"] = true_positives / detections if detections else 1.0
    recall, precision = numbers["recall"], numbers["precision"]
    return {**numbers, "f1": 2 * recall * precision / max(1e-9, recall + precision)}


def average_precision(found: Sequence[Sequence[Detection]], boxes: Sequence[np.ndarray]) -> float:
    """Average precision at IoU 0.5 (Everingham et al. 2010): the area under the precision-recall curve. It depends on
    no threshold, so it is less noisy than precision and recall at one. 0 without a plate."""
    scored = [
        (one.score, number >= 0)
        for several, truth in zip(found, boxes)
        for one, number in zip(sorted(several, key=lambda d: -d.score), match_detections(several, truth, MATCH_IOU))
    ]
    hits = np.array([hit for _, hit in sorted(scored, key=lambda pair: -pair[0])], bool)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]  # the best precision at this recall or a higher one
    return float(envelope[hits].sum() / max(1, sum(len(truth) for truth in boxes)))


def best_threshold(
    found: list[list[Detection]], boxes: list[np.ndarray], lowest: float
) -> tuple[float, dict[str, float]]:
    """The score threshold with the highest F1, the metrics at it, and `ap` over all thresholds."""

    def at(threshold: float) -> dict[str, float]:
        return detection_metrics([[d for d in ds if d.score >= threshold] for ds in found], boxes)

    thresholds = np.arange(lowest, 0.95, 0.025).round(3).tolist()
    best = max(thresholds, key=lambda threshold: at(threshold)["f1"])
    return best, {**at(best), "ap": average_precision(found, boxes)}


class Match(NamedTuple):
    """A plate of the ground truth, and the detection that matches it."""

    photo: Photo
    number: int
    """Which plate of the photo."""
    plate: Plate | None
    """None: a false negative."""
    brightness: float
    """Mean grey value of the plate."""

    @property
    def truth(self) -> str:
        """The true text; empty where it is not known."""
        return self.photo.texts[self.number]

    @property
    def predicted(self) -> str:
        """The predicted text; empty where nothing was detected."""
        return self.plate.text if self.plate else ""


def slices(matches: Sequence[Match]) -> dict[str, dict[str, float]]:
    """Number of plates, recall and exact, by width in pixels, tilt in degrees and brightness.

    Where a plate's true corners are not known its tilt is that of the detection, so there is no recall by tilt.
    """
    groups: dict[str, list[Match]] = {}
    of_detected: set[str] = set()
    for match in matches:
        names, only_if_detected = _slices_of(match)
        for name in (*names, *only_if_detected):
            groups.setdefault(name, []).append(match)
        of_detected.update(only_if_detected)
    numbers: dict[str, dict[str, float]] = {}
    for name, inside in sorted(groups.items()):
        numbers[name] = {"n": len(inside)}
        if name not in of_detected:
            numbers[name]["recall"] = float(np.mean([match.plate is not None for match in inside]))
        if known := [match.predicted == match.truth for match in inside if match.truth]:
            numbers[name]["exact"] = float(np.mean(known))
    return numbers


def _slices_of(match: Match) -> tuple[list[str], list[str]]:
    """The slices a plate belongs to, and those it belongs to because it was detected."""
    x0, _, x1, _ = match.photo.boxes[match.number]
    names = [f"width {_interval(x1 - x0, (40, 80, 160))} px", f"brightness {_interval(match.brightness, (70, 150))}"]
    corners = match.photo.corners[match.number]
    if not np.isnan(corners).any():
        return [*names, _tilt(corners)], []
    return names, [_tilt(np.array(match.plate.corners))] if match.plate else []


def _tilt(corners: np.ndarray) -> str:
    dx, dy = corners[1] - corners[0]
    return f"tilt {_interval(abs(np.degrees(np.arctan2(dy, dx))), (5, 15))} degrees"


def _interval(value: float, limits: Sequence[int]) -> str:
    for low, high in zip((0, *limits), limits):
        if value < high:
            return f"{low:>3} - {high}"
    return f"{limits[-1]:>3} and more"
