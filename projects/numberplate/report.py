"""The report of an evaluation: sentences, tables and figures."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure

from projects.numberplate.detect import Detection
from projects.numberplate.evaluate import Answers, Evaluation
from projects.numberplate.metrics import detection_metrics
from projects.numberplate.pipeline import mark
from projects.numberplate.predictor import Predictor, detect_all
from projects.numberplate.sources import Photo
from shared.data import splits
from shared.data.images import read_image
from shared.evaluation.report import ACCENT, SECOND, SOFT, Card, Report, Section, learning_curves, picture_grid, plain
from shared.runs import Run

CARDS = {"exact": "read exactly", "recall": "recall", "precision": "precision", "ms": "ms per photo"}
BASELINES = {
    "contours_tesseract": "contours + Tesseract",
    "cascade_tesseract": "Haar cascade + Tesseract",
    "tesseract": "Tesseract",
}


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    answers = result.answers
    gallery = _gallery(answers) if answers else None
    sections = [
        _baselines_section(result),
        Section(
            "Test photos",
            "Detected plates with their text: green for a high confidence, amber for a medium, red for a low one.",
            figure=gallery,
        )
        if gallery
        else None,
        _slices_section(result),
        Section("Errors", "Misread plates, false negatives and false positives.", figure=figure)
        if answers and (figure := _errors(answers))
        else None,
        _threshold_section(predictor, result),
        *(
            Section(f"Training, {part}", figure=learning_curves(history, run.settings[part]["monitor"]))
            for part in ("detector", "reader")
            if (history := run.stage(part).history())
        ),
    ]
    return Report("Number plates", _lead(result), _cards(result), sections, gallery)


def _lead(result: Evaluation) -> str:
    """The result in two sentences."""
    metrics, intervals = result.numbers["metrics"], result.numbers["intervals"]
    if "false_positives" in metrics:
        return f"There is no plate on these photos; the detector has {metrics['false_positives']:.0f} false positives."
    if "exact" not in metrics:
        low, high = intervals["recall"]
        return (
            f"The detector finds {metrics['recall']:.1%} of the plates (95 % confidence interval {low:.1%} - "
            f"{high:.1%}); {metrics['precision']:.1%} of its detections are plates."
        )
    low, high = intervals["exact"]
    name = "contours_tesseract" if result.answers else "tesseract"
    baseline = result.numbers["baselines"].get(name, {})
    compared = f" The baseline, {BASELINES[name]}, reads {baseline['exact']:.1%}." if "exact" in baseline else ""
    interval = f"95 % confidence interval {low:.1%} - {high:.1%}"
    return f"{metrics['exact']:.1%} of the plates are read without an error ({interval}).{compared}"


def _cards(result: Evaluation) -> list[Card]:
    metrics, baseline = result.numbers["metrics"], result.numbers["baselines"].get("contours_tesseract", {})

    def card(name: str) -> Card:
        digits = 0 if name == "ms" else 3
        compared = f"{BASELINES['contours_tesseract']} {baseline[name]:.{digits}f}" if name in baseline else ""
        return Card(CARDS[name], f"{metrics[name]:.{digits}f}", compared)

    return [card(name) for name in CARDS if name in metrics]


def _baselines_section(result: Evaluation) -> Section:
    metrics, baselines = result.numbers["metrics"], result.numbers["baselines"]
    return Section(
        "Comparison with baselines",
        "Classical pipelines: contours or OpenCV's Haar cascade, then Tesseract. They are slow, so they are run on at "
        "most evaluation.baseline_size photos. on truth: the reader alone, on ground-truth boxes. folded: O "
        "counts as 0 and I as 1. cer: character error rate. 70: at IoU 0.7, else 0.5.",
        columns=("metric", "ours", *(BASELINES[name] for name in baselines)),
        rows=[
            [name.replace("_", " "), value, *(values.get(name, "") for values in baselines.values())]
            for name, value in metrics.items()
        ],
    )


def _slices_section(result: Evaluation) -> Section | None:
    if not result.numbers["slices"]:
        return None
    return Section(
        "By width, tilt and brightness",
        "Tilt is measured on the ground-truth corners where they are known, else on the detected ones.",
        columns=("plates", "n", "recall", "read exactly"),
        rows=[
            [name, int(values["n"]), values.get("recall", ""), values.get("exact", "")]
            for name, values in result.numbers["slices"].items()
        ],
    )


def _threshold_section(predictor: Predictor, result: Evaluation) -> Section | None:
    photos = result.data.photos_of(splits.VALIDATION)
    if not any(len(photo.boxes) for photo in photos):
        return None
    found = detect_all(predictor.detector, photos, predictor.config.image_size)
    return Section(
        "Threshold of the detection score",
        f"Recall and precision on the validation set. The threshold is {predictor.threshold:.2f}; when a detector "
        "is trained, the one with the best F1 is chosen.",
        figure=_threshold_figure(found, photos, predictor.threshold),
    )


def _threshold_figure(found: Sequence[Sequence[Detection]], photos: Sequence[Photo], chosen: float) -> Figure:
    thresholds = np.arange(0.05, 0.95, 0.05)
    boxes = [photo.boxes for photo in photos]
    at = [detection_metrics([[d for d in ds if d.score >= t] for ds in found], boxes) for t in thresholds]
    figure = Figure(figsize=(5.4, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(thresholds, [m["recall"] for m in at], color=ACCENT, label="recall")
    axes.plot(thresholds, [m["precision"] for m in at], color=SECOND, label="precision")
    axes.axvline(chosen, color=SOFT, linewidth=1)
    axes.set(xlabel="threshold", ylim=(0, 1.02))
    axes.legend(frameon=False)
    plain(axes)
    return figure


def _gallery(answers: Answers, count: int = 8) -> Figure:
    """Evenly spaced photos with their plates marked."""
    chosen = np.linspace(0, len(answers.photos) - 1, min(count, len(answers.photos))).astype(int)
    images = [mark(read_image(answers.photos[i].path), answers.plates[i]) for i in chosen]
    titles = [", ".join(f"{p.text} {p.confidence:.0%}" for p in answers.plates[i]) or "no plate" for i in chosen]
    return picture_grid([_to_width(image) for image in images], titles, columns=4)


def _errors(answers: Answers, count: int = 12, false_positives: int = 4) -> Figure | None:
    """The first plates that were missed or misread, and the first false positives."""
    images, titles = [], []
    for match in answers.matches:
        if match.plate is None or (match.truth and match.predicted != match.truth):
            images.append(_around(read_image(match.photo.path), match.photo.boxes[match.number]))
            predicted = f"predicted: {match.predicted or '?'}" if match.plate else "not detected"
            titles.append(f"true: {match.truth or 'a plate'}\n{predicted}")
        if len(images) == count:
            break
    for photo, plate in answers.false_positives[: count + false_positives - len(images)]:
        images.append(_around(read_image(photo.path), np.array(plate.box)))
        titles.append(f"false positive\npredicted: {plate.text or '?'}")
    return picture_grid(images, titles, columns=4) if images else None


def _around(photo: np.ndarray, box: np.ndarray, factor: float = 1.5) -> np.ndarray:
    """The part of a photo around a box, enlarged, uint8 (H, W, 3)."""
    x0, y0, x1, y1 = box
    reach = max(x1 - x0, y1 - y0) * factor / 2 + 8
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    top, left = max(0, int(y - reach * 0.6)), max(0, int(x - reach))
    part = photo[top : max(top + 8, int(y + reach * 0.6)), left : max(left + 8, int(x + reach))]
    return cv2.resize(part, (240, max(24, round(240 * part.shape[0] / part.shape[1]))), interpolation=cv2.INTER_CUBIC)


def _to_width(image: np.ndarray, width: int = 420) -> np.ndarray:
    return cv2.resize(image, (width, round(width * image.shape[0] / image.shape[1])), interpolation=cv2.INTER_AREA)
