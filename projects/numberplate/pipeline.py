"""Photo -> plates: detect, rectify, read, disambiguate."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from projects.numberplate.detect import PlateDetector, contours
from projects.numberplate.formats import disambiguate, known_country
from projects.numberplate.geometry import rectify
from projects.numberplate.read import NO_TESSERACT, Reading, TextReader, tesseract, tesseract_available

MIN_CONTOUR_TEXT = 3
"""Minimum number of characters read in a contour for it to count as a plate."""
READABLE = 4, 2, 0.95
"""A detection below the threshold counts as a plate with at least so many characters, so many of them digits, and this
mean confidence; not if all are digits. Stickers and signs are read well, too, but show words or telephone numbers."""


@dataclass(frozen=True)
class Plate:
    """A plate that was detected and read."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1 in pixels."""
    corners: tuple[tuple[float, float], ...]
    """Clockwise from the top left, in pixels."""
    text: str
    """Empty where a plate was detected that could not be read."""
    confidence: float
    """Of the whole text, in 0..1."""
    confidences: tuple[float, ...]
    """Of each character, in 0..1."""
    score: float
    """Of the detection, in 0..1."""
    ms: float
    """Milliseconds for reading it and its share of the photo's detection."""

    def __str__(self) -> str:
        return f"{self.text} ({self.confidence:.0%})" if self.text else "a plate that cannot be read"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


class Pipeline:
    """Finds and reads all plates of a photo.

    pipeline = Pipeline(contours, tesseract)      # any detector and any reader
    print(*pipeline(read_image(Path("car.jpg"))))
    """

    def __init__(
        self, detector: PlateDetector, reader: TextReader, country: str | None = None, threshold: float = 0.0
    ) -> None:
        """country: two letters, to disambiguate look-alikes by its formats. threshold: the score from which a detection
        counts, whatever its text. Raises ValueError if the country is not known."""
        self.country = known_country(country) if country else None
        self.detector, self.reader, self.threshold = detector, reader, threshold

    def __call__(self, photo: np.ndarray) -> list[Plate]:
        """The plates of an RGB photo, uint8 (H, W, 3) of any size, the highest score first."""
        start = time.perf_counter()
        found = self.detector(photo)
        share = (time.perf_counter() - start) * 1000 / max(1, len(found))
        plates = []
        for one in found:
            start = time.perf_counter()
            reading = self.reader(photo, one.corners)
            ms = share + (time.perf_counter() - start) * 1000
            if not self._accepts(one.score, reading):
                continue
            text = disambiguate(reading.text, reading.confidences, self.country)
            plates.append(
                Plate(
                    box=_rounded(one.box),
                    corners=tuple(_rounded(corner) for corner in one.corners),
                    text=text,
                    confidence=reading.confidence,
                    confidences=tuple(round(c, 4) for c in reading.confidences),
                    score=round(one.score, 4),
                    ms=round(ms, 2),
                )
            )
        return plates

    def _accepts(self, score: float, reading: Reading) -> bool:
        """Whether a detection counts as a plate: by its score, or by a text that reads like a plate."""
        if self.detector is contours:
            return len(reading.text) >= MIN_CONTOUR_TEXT
        if score >= self.threshold:
            return True
        min_length, min_digits, confidence = READABLE
        length, digits = len(reading.text), sum(map(str.isdigit, reading.text))
        return (
            length >= min_length and min_digits <= digits < length and float(np.mean(reading.confidences)) >= confidence
        )


def classical_pipeline(country: str | None = None) -> Pipeline:
    """Contours, then Tesseract: no weights needed. Raises ValueError with one sentence if Tesseract is missing."""
    require_tesseract()
    return Pipeline(contours, tesseract, country)


def require_tesseract() -> None:
    """Raise ValueError with the command that installs Tesseract if it is missing."""
    if not tesseract_available():
        raise ValueError(NO_TESSERACT)


def _rounded(values: np.ndarray) -> tuple[Any, ...]:
    return tuple(round(float(value), 1) for value in values)


def rectified(photo: np.ndarray, plate: Plate, height: int = 96) -> np.ndarray:
    """The plate in frontal view, RGB uint8 (height, w, 3)."""
    corners = np.array(plate.corners, np.float32)
    wide = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    high = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    return rectify(photo, corners, (height, int(np.clip(height * wide / max(high, 1), 32, 12 * height))))


def colour_of(confidence: float) -> tuple[int, int, int]:
    """Red for a low, amber for a medium, green for a high confidence: RGB."""
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
