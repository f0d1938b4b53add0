"""The pictures and tables of the report."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from matplotlib.figure import Figure

from projects.numberplate.detect import Detection
from projects.numberplate.metrics import detection_metrics
from projects.numberplate.pipeline import Plate, mark
from projects.numberplate.sources import Photo
from shared.data.images import read_image
from shared.evaluation import report

if TYPE_CHECKING:
    from projects.numberplate.evaluate import Answers


class Pair(NamedTuple):
    """A plate that is there, and what was found at it."""

    photo: Photo
    number: int
    """On the photo."""
    plate: Plate | None
    brightness: float
    """Mean grey value."""

    @property
    def truth(self) -> str:
        """Its text; empty where it is not known."""
        return self.photo.texts[self.number]

    @property
    def read(self) -> str:
        """What was read; empty where nothing was."""
        return self.plate.text if self.plate else ""


def gallery(photos: Sequence[Photo], plates: Sequence[Sequence[Plate]], count: int = 8) -> Figure:
    """An even choice of photos, their plates marked."""
    chosen = np.linspace(0, len(photos) - 1, min(count, len(photos))).astype(int)
    images = [mark(read_image(photos[i].path), plates[i]) for i in chosen]
    titles = [", ".join(f"{p.text} {p.confidence:.0%}" for p in plates[i]) or "no plate" for i in chosen]
    return report.picture_grid([_small(image) for image in images], titles, columns=4)


def failures(pairs: Sequence[Pair], answers: "Answers", count: int = 12) -> Figure | None:
    """Plates that were missed or misread, and places that were taken for plates."""
    images, titles = [], []
    for pair in pairs:
        if pair.plate is None or (pair.truth and pair.read != pair.truth):
            images.append(around(read_image(pair.photo.path), pair.photo.boxes[pair.number]))
            titles.append(f"is {pair.truth or 'a plate'}\n{f'read {pair.read}' if pair.plate else 'not found'}")
        if len(images) == count:
            break
    matched = {id(pair.plate) for pair in pairs}
    for photo, plates in zip(answers.photos, answers.plates):
        for plate in plates:
            if id(plate) not in matched and len(images) < count + 4:
                images.append(around(read_image(photo.path), np.array(plate.box)))
                titles.append(f"no plate\ntaken for one: {plate.text or '?'}")
    return report.picture_grid(images, titles, columns=4) if images else None


def around(photo: np.ndarray, box: np.ndarray, factor: float = 1.5) -> np.ndarray:
    """The part of a photo around a box, enlarged, uint8 (H, W, 3)."""
    x0, y0, x1, y1 = box
    reach = max(x1 - x0, y1 - y0) * factor / 2 + 8
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    top, left = max(0, int(y - reach * 0.6)), max(0, int(x - reach))
    part = photo[top : max(top + 8, int(y + reach * 0.6)), left : max(left + 8, int(x + reach))]
    return cv2.resize(part, (240, max(24, round(240 * part.shape[0] / part.shape[1]))), interpolation=cv2.INTER_CUBIC)


def _small(image: np.ndarray, width: int = 420) -> np.ndarray:
    return cv2.resize(image, (width, round(width * image.shape[0] / image.shape[1])), interpolation=cv2.INTER_AREA)


def slices(pairs: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """How many plates, the part found and the part read exactly, by width in pixels, tilt in degrees and brightness.

    Where a plate's true corners are not known its tilt is that of what was found, so nothing is said of being found.
    """
    groups: dict[str, list[Pair]] = {}
    of_found: set[str] = set()
    for pair in pairs:
        names, only_if_found = _slices(pair)
        for name in (*names, *only_if_found):
            groups.setdefault(name, []).append(pair)
        of_found.update(only_if_found)
    numbers: dict[str, dict[str, float]] = {}
    for name, inside in sorted(groups.items()):
        numbers[name] = {"n": len(inside)}
        if name not in of_found:
            numbers[name]["found"] = float(np.mean([pair.plate is not None for pair in inside]))
        if known := [pair.read == pair.truth for pair in inside if pair.truth]:
            numbers[name]["exact"] = float(np.mean(known))
    return numbers


def _slices(pair: Pair) -> tuple[list[str], list[str]]:
    """The groups a plate is in, and those it is in because it was found."""
    x0, _, x1, _ = pair.photo.boxes[pair.number]
    names = [f"width {_between(x1 - x0, (40, 80, 160))} px", f"brightness {_between(pair.brightness, (70, 150))}"]
    corners = pair.photo.corners[pair.number]
    if not np.isnan(corners).any():
        return [*names, _tilt(corners)], []
    return names, [_tilt(np.array(pair.plate.corners))] if pair.plate else []


def _tilt(corners: np.ndarray) -> str:
    dx, dy = corners[1] - corners[0]
    return f"tilt {_between(abs(np.degrees(np.arctan2(dy, dx))), (5, 15))} degrees"


def _between(value: float, limits: Sequence[int]) -> str:
    for low, high in zip((0, *limits), limits):
        if value < high:
            return f"{low:>3} - {high}"
    return f"{limits[-1]:>3} and more"


def threshold_figure(found: Sequence[Sequence[Detection]], photos: Sequence[Photo], chosen: float) -> Figure:
    """Recall and precision over the threshold of the score."""
    thresholds = np.arange(0.05, 0.95, 0.05)
    boxes = [photo.boxes for photo in photos]
    at = [detection_metrics([[d for d in ds if d.score >= t] for ds in found], boxes) for t in thresholds]
    figure = Figure(figsize=(5.4, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(thresholds, [m["recall"] for m in at], color=report.ACCENT, label="recall")
    axes.plot(thresholds, [m["precision"] for m in at], color=report.SECOND, label="precision")
    axes.axvline(chosen, color=report.SOFT, linewidth=1)
    axes.set(xlabel="threshold", ylim=(0, 1.02))
    axes.legend(frameon=False)
    report.plain(axes)
    return figure
