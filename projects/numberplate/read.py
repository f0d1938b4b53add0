"""Reading: Tesseract, the baseline, and the network."""

import shutil
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.numberplate.detect import fuse_batch_norm
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import rectify
from projects.numberplate.model import READER_SIZE
from shared.names import one_line

NO_TESSERACT = (
    "Tesseract is not installed: `apt install tesseract-ocr` (Debian, Ubuntu), `brew install tesseract` (Mac), or the "
    "installer of the UB Mannheim (Windows)"
)
MARGINS = (-0.03, 0.0, 0.06)
"""Margins of the three crops of a plate (test-time augmentation); see `reader_input`."""


@dataclass(frozen=True)
class Reading:
    """The text of a plate and the confidence of each character, in 0..1."""

    text: str
    confidences: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """Of the whole text: the product over its characters."""
        return float(np.prod(self.confidences)) if self.text else 0.0


class TextReader(Protocol):
    """Reads the plate at four corners (4, 2) of an RGB photo, uint8 (H, W, 3)."""

    def __call__(self, photo: np.ndarray, corners: np.ndarray) -> Reading: ...


def tesseract(photo: np.ndarray, corners: np.ndarray) -> Reading:
    """Tesseract on the rectified, enlarged plate in black on white (Otsu 1979): one line (psm 7), capitals and digits.

    Raises ValueError with the command that installs it if it is missing.
    """
    import pytesseract

    if not tesseract_available():
        raise ValueError(NO_TESSERACT)
    width = max(np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[2] - corners[3]))
    height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    plate = rectify(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), corners, (80, max(80, round(80 * width / max(height, 1)))))
    _, ink = cv2.threshold(cv2.GaussianBlur(plate, (3, 3), 0), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    if ink.mean() < 110:  # white on black
        ink = 255 - ink
    ink = cv2.copyMakeBorder(ink, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=255)
    lines = 6 if width < 2.2 * height else 7
    settings = f"--oem 3 --psm {lines} -c tessedit_char_whitelist={CHARACTERS}"
    try:
        found = pytesseract.image_to_data(ink, config=settings, output_type=pytesseract.Output.DICT)
    except pytesseract.TesseractError as error:
        raise ValueError(f"Tesseract does not work: {one_line(error.message)}") from None
    text, confidences = "", []
    for word, confidence in zip(found["text"], found["conf"]):
        characters = "".join(c for c in str(word).upper() if c in CHARACTERS)
        text += characters
        confidences += [max(0.0, float(confidence)) / 100] * len(characters)
    return Reading(text, tuple(confidences))


def tesseract_available() -> bool:
    """Whether Tesseract is installed."""
    import pytesseract

    return shutil.which(pytesseract.pytesseract.tesseract_cmd) is not None


class NetworkReader:
    """Our reader, on three crops of a plate: tighter than its corners, exact, and with a margin. The text with the
    highest likelihood is kept: the corners are inaccurate by about that much, so the best crop differs by photo.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = fuse_batch_norm(network).to(memory_format=torch.channels_last)

    def __call__(self, photo: np.ndarray, corners: np.ndarray) -> Reading:
        logits = self._logits(np.stack([reader_input(photo, corners, margin) for margin in MARGINS]))
        readings = greedy_decode(logits)
        return readings[int(log_likelihoods(logits, [reading.text for reading in readings]).argmax())]

    def read_plates(self, plates: np.ndarray) -> list[Reading]:
        """Readings of rectified plates, uint8 (n, 48, 160), grey; one crop each."""
        return greedy_decode(self._logits(plates))

    def _logits(self, plates: np.ndarray) -> Tensor:
        with torch.inference_mode():
            return self.network(torch.from_numpy(plates))


def reader_input(photo: np.ndarray, corners: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """The plate at four corners, rectified and grey, uint8 (48, 160).

    margin: what is added on every side, as a fraction of that side; negative values cut the plate's edge off.
    """
    middle = corners.mean(axis=0)
    wider = middle + (corners - middle) * (1 + 2 * margin)
    low = np.floor(wider.min(axis=0)).astype(int) - 4
    high = np.ceil(wider.max(axis=0)).astype(int) + 4
    x0, y0 = np.clip(low, 0, (photo.shape[1] - 1, photo.shape[0] - 1))
    x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (photo.shape[1], photo.shape[0]))
    grey = cv2.cvtColor(photo[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    return rectify(grey, wider - (x0, y0), READER_SIZE)


def log_likelihoods(logits: Tensor, texts: list[str]) -> Tensor:
    """Log-likelihood of each text, summed over all its CTC alignments (Graves et al. 2006): a competing character that
    greedy decoding drops lowers it, too. logits (T, B, 37) -> (B,)."""
    steps, lengths = torch.full((len(texts),), len(logits)), torch.tensor([len(text) for text in texts])
    symbols = torch.tensor([1 + CHARACTERS.index(c) for text in texts for c in text], dtype=torch.long)
    return -F.ctc_loss(logits.float().log_softmax(dim=2), symbols, steps, lengths, reduction="none")


def greedy_decode(logits: Tensor) -> list[Reading]:
    """The most likely symbol of every step, repeats merged, blanks removed (Graves et al. 2006). logits (T, B, 37)."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)  # (T, B)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        text, confidences, last = "", [], 0
        for symbol, probability in zip(steps, probabilities):
            if symbol and symbol != last:
                text += CHARACTERS[symbol - 1]
                confidences.append(probability)
            elif symbol:
                confidences[-1] = max(confidences[-1], probability)
            last = symbol
        readings.append(Reading(text, tuple(confidences)))
    return readings
