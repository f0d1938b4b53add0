"""Evaluate a run and compare it with the classical pipelines.

python -m projects.numberplate.evaluate                    # the latest run, on its own test set
python -m projects.numberplate.evaluate --run shipped --data.source csv --data.root photos.csv --json out.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from projects.numberplate.config import EvaluateOptions
from projects.numberplate.data import FixedPlates, PlateData
from projects.numberplate.detect import CLASSICAL, Detection
from projects.numberplate.formats import disambiguate
from projects.numberplate.geometry import outline
from projects.numberplate.metrics import MATCH_IOU, Match, detection_metrics, match_detections, reading_metrics, slices
from projects.numberplate.pipeline import Pipeline, Plate
from projects.numberplate.predictor import Predictor
from projects.numberplate.read import NO_TESSERACT, Reading, TextReader, tesseract, tesseract_available
from projects.numberplate.sources import Crop, Photo
from shared.compute.device import threads
from shared.data import splits
from shared.data.images import read_image
from shared.data.provenance import Provenance, Seen, file_fingerprints
from shared.evaluation.metrics import proportion_interval

HEADLINE, ITEMS = ("exact", "max"), "photos"
TIMED = 40
"""Photos on which the time with one and with two threads is measured; a quarter for the classical pipelines."""
THREADS = {"ms_one_thread": 1, "ms_two_threads": 2}


@dataclass
class Answers:
    """The output of a pipeline on photos."""

    photos: list[Photo]
    plates: list[list[Plate]]
    brightness: list[list[float]]
    """Mean grey value of every plate of the ground truth."""
    ms: float
    """Mean milliseconds per photo, without decoding the file."""

    @cached_property
    def matches(self) -> list[Match]:
        """Every plate of the ground truth, with the detection that matches it."""
        found = []
        for photo, plates, brightness in zip(self.photos, self.plates, self.brightness):
            numbers = match_detections(detections(plates), photo.boxes, MATCH_IOU)
            ordered = sorted(plates, key=lambda plate: -plate.score)
            at = {number: plate for number, plate in zip(numbers, ordered) if number >= 0}
            found += [Match(photo, number, at.get(number), value) for number, value in enumerate(brightness)]
        return found

    @property
    def false_positives(self) -> list[tuple[Photo, Plate]]:
        """Detections that match no plate of the ground truth."""
        matched = {id(match.plate) for match in self.matches}
        pairs = [(photo, plate) for photo, plates in zip(self.photos, self.plates) for plate in plates]
        return [(photo, plate) for photo, plate in pairs if id(plate) not in matched]

    def metrics(self) -> dict[str, float]:
        """Metrics of reading (where texts are known) and of detection."""
        known = [(match.predicted, match.truth) for match in self.matches if match.truth]
        numbers = reading_metrics(*zip(*known)) if known else {}
        found = detection_metrics([detections(p) for p in self.plates], [photo.boxes for photo in self.photos])
        return {**numbers, **found, "ms": self.ms}


@dataclass
class Evaluation:
    """The result of an evaluation, and its data."""

    summary: str
    data: PlateData
    answers: Answers | None
    """None where there are only crops."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen
    """Of the photos; of the crops where there are only crops."""


def evaluate(predictor: Predictor, options: EvaluateOptions, provenance: Provenance) -> Evaluation:
    """Score a predictor on the test set (with `data.split all`: on all data) without the run's training data."""
    data, country, baseline_size = PlateData(options.data), options.evaluation.country, options.evaluation.baseline_size
    photos, crops = data.photos_of(splits.TEST), data.crops_of(splits.TEST)
    if not photos and not crops:
        raise ValueError("the test set is empty; with --data.split all every photo and crop is in it")
    photos, crops, seen = without_seen(photos, crops, provenance, options.seen == "keep")

    metrics: dict[str, float] = {}
    answers, pipeline = None, predictor.pipeline(country=country)
    if photos:
        answers = run_pipeline(pipeline, photos)
        metrics = {**answers.metrics(), **times(pipeline, photos[:TIMED])}
    plates = FixedPlates(crops)
    readings = read_crops(plates.images, pipeline.reader, country)
    texts = [reading.text for reading in readings]
    if crops:
        on_truth = reading_metrics(texts, plates.texts)
        metrics |= {f"{name}_on_truth": value for name, value in on_truth.items()} if photos else on_truth
    baselines: dict[str, dict[str, float]] = {}
    if baseline_size and tesseract_available():
        baselines = score_baselines(photos, crops, baseline_size)
    elif baseline_size:
        print(f"no baseline: {NO_TESSERACT}")
    numbers = {
        "data": {"split": options.data.split, "n": len(photos) or len(crops), "seen": seen.count},
        "metrics": metrics,
        "intervals": intervals(answers, texts, plates.texts),
        "baselines": baselines,
        "slices": slices(answers.matches) if answers else {},
    }
    rows = photo_rows(answers) if answers else crop_rows(crops, readings)
    return Evaluation(str(data.summary()), data, answers, numbers, rows, seen)


def without_seen(
    photos: list[Photo], crops: list[Crop], provenance: Provenance, keep: bool
) -> tuple[list[Photo], list[Crop], Seen]:
    """The photos and crops that the run was not trained or validated on (all with `keep`), and which ones it was.

    Raises ValueError if none remains to be scored.
    """
    files = [photo.path for photo in photos] or [crop.path for crop in crops]
    seen = provenance.seen(file_fingerprints(files), keep)
    left_out = {path for path, scored in zip(files, seen.scored) if not scored}
    if others := [crop.path for crop in crops if crop.path not in set(files)]:  # a second table, of crops
        of_crops = replace(provenance.seen(file_fingerprints(others), keep=True), keep=keep)
        left_out |= {path for path, scored in zip(others, of_crops.scored) if not scored}
    return (
        [photo for photo in photos if photo.path not in left_out],
        [crop for crop in crops if crop.path not in left_out],
        seen,
    )


def detections(plates: Sequence[Plate]) -> list[Detection]:
    """Plates as detections."""
    return [Detection(np.array(p.box, np.float32), np.array(p.corners, np.float32), p.score) for p in plates]


def run_pipeline(pipeline: Pipeline, photos: list[Photo]) -> Answers:
    """Run a pipeline over photos."""
    plates, brightness, seconds = [], [], 0.0
    for photo in tqdm(photos, desc="photos", unit="photo", leave=False):
        image = read_image(photo.path)
        start = time.perf_counter()
        plates.append(pipeline(image))
        seconds += time.perf_counter() - start
        brightness.append([float(inside(image, box).mean()) for box in photo.boxes])
    return Answers(photos, plates, brightness, 1000 * seconds / max(1, len(photos)))


def score_baselines(photos: list[Photo], crops: list[Crop], count: int) -> dict[str, dict[str, float]]:
    """The same metrics for contours or the cascade with Tesseract, on at most `count` photos and crops."""
    subset = evenly_spaced(photos, count)
    baselines = {}
    for name, detector in CLASSICAL.items() if subset else ():
        pipeline = Pipeline(detector, tesseract)
        baselines[f"{name}_tesseract"] = {
            **run_pipeline(pipeline, subset).metrics(),
            **times(pipeline, subset[: TIMED // 4]),
        }
    if crops:
        plates = FixedPlates(evenly_spaced(crops, count))
        texts = [reading.text for reading in read_crops(plates.images, tesseract)]
        on_truth = reading_metrics(texts, plates.texts)
        baselines["tesseract"] = {f"{name}_on_truth": value for name, value in on_truth.items()} if photos else on_truth
    return baselines


def read_crops(images: list[np.ndarray], reader: TextReader, country: str | None = None) -> list[Reading]:
    """A reader's outputs for images of plates, grey uint8 (H, W)."""
    readings = []
    for image in tqdm(images, desc="reading", unit="plate", leave=False):
        height, width = image.shape
        reading = reader(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), outline(width, height))
        readings.append(replace(reading, text=disambiguate(reading.text, reading.confidences, country)))
    return readings


def evenly_spaced(items: list[Any], count: int) -> list[Any]:
    """At most `count` items, evenly spaced."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(len(items), count)).astype(int)]


def times(pipeline: Pipeline, photos: list[Photo]) -> dict[str, float]:
    """Mean milliseconds per photo with one and with two threads of the CPU."""
    return {name: with_threads(number, lambda: run_pipeline(pipeline, photos).ms) for name, number in THREADS.items()}


def with_threads(number: int, measure: Callable[[], float]) -> float:
    """Run `measure` with this number of threads in PyTorch and OpenCV, and return its result."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(number)
    try:
        with threads(number):
            return measure()
    finally:
        cv2.setNumThreads(before)


def intervals(answers: Answers | None, texts: list[str], truths: list[str]) -> dict[str, Any]:
    """95 % confidence intervals of exact and of recall (Wilson 1927)."""
    if answers is None:
        return {"exact": _interval([text == truth for text, truth in zip(texts, truths)])}
    known = [match.predicted == match.truth for match in answers.matches if match.truth]
    exact = {"exact": _interval(known)} if known else {}
    return {**exact, "recall": _interval([match.plate is not None for match in answers.matches])}


def _interval(correct: list[bool]) -> list[float]:
    return list(proportion_interval(sum(correct), len(correct)))


def inside(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The part of a photo (H, W, 3) inside a box (4,), at least one pixel."""
    x0, y0, x1, y1 = box.astype(int)
    return image[max(0, y0) : max(0, y1) + 1, max(0, x0) : max(0, x1) + 1]


def photo_rows(answers: Answers) -> list[dict[str, Any]]:
    """One row of predictions.csv per plate of the ground truth, then one per false positive."""
    rows = [
        _row(
            match.photo.path.name, match.truth, match.predicted, int(match.plate is not None),
            match.plate.confidence if match.plate else None,
            match.plate.box if match.plate else match.photo.boxes[match.number].tolist(),
        )
        for match in answers.matches
    ]  # fmt: skip
    return rows + [
        _row(photo.path.name, "", plate.text, "", plate.confidence, plate.box)
        for photo, plate in answers.false_positives
    ]


def crop_rows(crops: list[Crop], readings: list[Reading]) -> list[dict[str, Any]]:
    """One row of predictions.csv per crop."""
    return [_row(c.path.name, c.text, r.text, 1, r.confidence, c.box) for c, r in zip(crops, readings)]


def _row(
    item: str,
    true: str,
    predicted: str,
    found: int | str,
    confidence: float | None,
    box: Sequence[float] | np.ndarray | None,
) -> dict[str, Any]:
    """`found` is empty for a false positive, `exact` where the true text is not known."""
    return {
        "item": item,
        "true": true,
        "predicted": predicted,
        "found": found,
        "exact": int(predicted == true) if true else "",
        "confidence": "" if confidence is None else round(confidence, 4),
        "box": "" if box is None else " ".join(f"{value:.1f}" for value in box),
    }
