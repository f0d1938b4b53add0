"""Photo -> plates: find, rectify, read, disambiguate."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from projects.numberplate.detect import PlateDetector, contours
from projects.numberplate.formats import disambiguate, known_country
from projects.numberplate.geometry import rectify
from projects.numberplate.predictor import Predictor
from projects.numberplate.read import NO_TESSERACT, Reading, TextReader, tesseract, tesseract_is_there

LEAST = 3
"""Characters from which on the classic way takes an outline for a plate."""
READABLE = 4, 2, 0.95
"""Characters, digits among them, and mean confidence from which on a plate is believed that the detector was unsure of,
if not all are digits: stickers and signs can be read well, too, but say words or telephone numbers."""


@dataclass(frozen=True)
class Plate:
    """A plate that was found and read."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels."""
    corners: tuple[tuple[float, float], ...]
    """Clockwise from the top left, in pixels."""
    text: str
    """Empty where a plate was found that could not be read."""
    confidence: float
    """Of the whole text, in 0..1."""
    confidences: tuple[float, ...]
    """Of each character, in 0..1."""
    score: float
    """Of the detection, in 0..1."""
    ms: float
    """Milliseconds it took to find (its share of the photo's) and to read it."""

    def __str__(self) -> str:
        return f"{self.text} ({self.confidence:.0%})" if self.text else "a plate that cannot be read"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


class Pipeline:
    """Finds and reads all plates of a photo.

    >>> pipeline = Pipeline.from_checkpoint(SHIPPED)
    >>> print(*pipeline(read_image(Path("car.jpg"))))
    """

    def __init__(
        self, plate_detector: PlateDetector, reader: TextReader, country: str | None = None, threshold: float = 0.0
    ) -> None:
        """country: two letters, to disambiguate look-alikes by its formats. threshold: the score from which on a plate is
        one, whatever it says. Raises ValueError if the country is not known."""
        self.country = known_country(country) if country else None
        self.plate_detector, self.reader, self.threshold = plate_detector, reader, threshold

    @classmethod
    def from_checkpoint(cls, path: Path | str, engine: str = "ours", country: str | None = None) -> "Pipeline":
        """engine: ours, tesseract (our detector, Tesseract reads) or classic (contours, Tesseract).

        Raises ValueError or FileNotFoundError with one sentence.
        """
        if engine != "ours" and not tesseract_is_there():
            raise ValueError(NO_TESSERACT)
        if engine == "classic":
            return cls(contours, tesseract, country)
        model = Predictor.load(Path(path))
        if engine == "ours":
            return cls.of(model, country)
        return cls(model.plate_detector, tesseract, country, model.threshold)

    @classmethod
    def of(cls, model: Predictor, country: str | None = None) -> "Pipeline":
        """Both networks of a finished model."""
        return cls(model.plate_detector, model.text_reader, country, model.threshold)

    def __call__(self, photo: np.ndarray) -> list[Plate]:
        """The plates of an RGB photo, uint8 (H, W, 3) of any size, the surest first; none if there is none."""
        start = time.perf_counter()
        found = self.plate_detector(photo)
        share = (time.perf_counter() - start) * 1000 / max(1, len(found))
        plates = []
        for one in found:
            start = time.perf_counter()
            reading = self.reader(photo, one.corners)
            ms = share + (time.perf_counter() - start) * 1000
            if not self._believes(one.score, reading):
                continue
            text = disambiguate(reading.text, reading.confidences, self.country)
            plates.append(
                Plate(
                    box=_numbers(one.box),
                    corners=tuple(_numbers(corner) for corner in one.corners),
                    text=text,
                    confidence=reading.confidence,
                    confidences=tuple(round(c, 4) for c in reading.confidences),
                    score=round(one.score, 4),
                    ms=round(ms, 2),
                )
            )
        return plates

    def _believes(self, score: float, reading: Reading) -> bool:
        """Whether this is a plate: the detector is sure, or is not and it reads like one."""
        if self.plate_detector is contours:
            return len(reading.text) >= LEAST
        if score >= self.threshold:
            return True
        least, digits, confidence = READABLE
        length, numbers = len(reading.text), sum(map(str.isdigit, reading.text))
        return length >= least and digits <= numbers < length and float(np.mean(reading.confidences)) >= confidence


def _numbers(values: np.ndarray) -> tuple[Any, ...]:
    return tuple(round(float(value), 1) for value in values)


def rectified(photo: np.ndarray, plate: Plate, height: int = 96) -> np.ndarray:
    """The plate seen flat and from the front, RGB uint8 (height, w, 3)."""
    corners = np.array(plate.corners, np.float32)
    wide = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    high = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    return rectify(photo, corners, (height, int(np.clip(height * wide / max(high, 1), 32, 12 * height))))


def colour_of(confidence: float) -> tuple[int, int, int]:
    """Red for unsure, amber, green for sure: RGB."""
    return (42, 140, 79) if confidence >= 0.95 else (214, 140, 30) if confidence >= 0.7 else (200, 45, 40)


def mark(photo: np.ndarray, plates: Sequence[Plate]) -> np.ndarray:
    """A copy of the photo with each plate's outline and text, coloured by confidence."""
    marked = np.ascontiguousarray(photo).copy()
    thick = max(2, round(max(photo.shape[:2]) / 400))
    for plate in plates:
        colour = colour_of(plate.confidence)
        cv2.polylines(marked, [np.array(plate.corners).round().astype(np.int32)], True, colour, thick, cv2.LINE_AA)
        label = plate.text or "?"
        scale = max(0.5, max(photo.shape[:2]) / 1100)
        (wide, high), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_DUPLEX, scale, thick)
        x = int(np.clip(plate.box[0], 0, max(0, photo.shape[1] - wide)))
        y = int(plate.box[1]) - 6 if plate.box[1] > high + 12 else int(plate.box[3]) + high + 8
        cv2.rectangle(marked, (x - 3, y - high - 5), (x + wide + 3, y + 5), colour, -1)
        cv2.putText(
            marked, label, (x, y), cv2.FONT_HERSHEY_DUPLEX, scale, (255, 255, 255), max(1, thick // 2), cv2.LINE_AA
        )
    return marked
