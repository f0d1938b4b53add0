"""What does the plate say? Tesseract, the baseline, and our own network."""

import shutil
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.numberplate.detect import fuse
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import rectify
from projects.numberplate.model import READER_SIZE

NO_TESSERACT = (
    "Tesseract is not installed: `apt install tesseract-ocr` (Debian, Ubuntu), `brew install tesseract` (Mac), or the "
    "installer of the UB Mannheim (Windows)"
)
MARGINS = (-0.03, 0.0, 0.06)
"""Of the three looks at a plate, see `flatten`."""


@dataclass(frozen=True)
class Reading:
    """The text of a plate and how sure the reader is of each character, in 0..1."""

    text: str
    confidences: tuple[float, ...]

    @property
    def confidence(self) -> float:
        """That of the whole text: the product of its characters'."""
        return float(np.prod(self.confidences)) if self.text else 0.0


class TextReader(Protocol):
    """Reads the plate at four corners (4, 2) of an RGB photo, uint8 (H, W, 3)."""

    def __call__(self, photo: np.ndarray, corners: np.ndarray) -> Reading: ...


def tesseract(photo: np.ndarray, corners: np.ndarray) -> Reading:
    """Tesseract's reading: rectified, enlarged, black on white (Otsu 1979), one line (psm 7), capitals and digits only.

    Raises ValueError with the line that installs it if it is not there.
    """
    import pytesseract

    if not tesseract_is_there():
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
        raise ValueError(f"Tesseract does not work: {' '.join(str(error.message).split())}") from None
    text, confidences = "", []
    for word, confidence in zip(found["text"], found["conf"]):
        characters = "".join(c for c in str(word).upper() if c in CHARACTERS)
        text += characters
        confidences += [max(0.0, float(confidence)) / 100] * len(characters)
    return Reading(text, tuple(confidences))


def tesseract_is_there() -> bool:
    """Whether the program can be found."""
    import pytesseract

    return shutil.which(pytesseract.pytesseract.tesseract_cmd) is not None


class NetworkReader:
    """Our reader. It looks three times, at the plate cut close, as it was found and with a margin, and believes the
    likeliest of the three texts: a detector is off by as much as that, and which look is best differs from photo to
    photo."""

    def __init__(self, network: nn.Module) -> None:
        self.network = fuse(network).to(memory_format=torch.channels_last)

    def __call__(self, photo: np.ndarray, corners: np.ndarray) -> Reading:
        plates = np.stack([flatten(photo, corners, margin) for margin in MARGINS])
        logits = self._logits(plates)
        readings = best_path(logits)
        return readings[int(likelihoods(logits, [reading.text for reading in readings]).argmax())]

    def read_plates(self, plates: np.ndarray) -> list[Reading]:
        """Rectified plates, uint8 (n, 48, 160), grey -> their readings."""
        return best_path(self._logits(plates))

    def _logits(self, plates: np.ndarray) -> Tensor:
        with torch.inference_mode():
            return self.network(torch.from_numpy(plates))


def flatten(photo: np.ndarray, corners: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """The plate at four corners as the reader sees it, uint8 (48, 160).

    margin: how much more than the plate is seen, as a part of its sides; below 0 less.
    """
    middle = corners.mean(axis=0)
    wider = middle + (corners - middle) * (1 + 2 * margin)
    low = np.floor(wider.min(axis=0)).astype(int) - 4
    high = np.ceil(wider.max(axis=0)).astype(int) + 4
    x0, y0 = np.clip(low, 0, (photo.shape[1] - 1, photo.shape[0] - 1))
    x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (photo.shape[1], photo.shape[0]))
    grey = cv2.cvtColor(photo[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY)
    return rectify(grey, wider - (x0, y0), READER_SIZE)


def likelihoods(logits: Tensor, texts: list[str]) -> Tensor:
    """Log-probability of each text, over all the ways to write it in T steps (Graves et al. 2006): a character that was
    all but read lowers it, too. logits (T, B, 37) -> (B,)."""
    steps, lengths = torch.full((len(texts),), len(logits)), torch.tensor([len(text) for text in texts])
    symbols = torch.tensor([1 + CHARACTERS.index(c) for text in texts for c in text], dtype=torch.long)
    return -F.ctc_loss(logits.float().log_softmax(dim=2), symbols, steps, lengths, reduction="none")


def best_path(logits: Tensor) -> list[Reading]:
    """The likeliest symbol of every step, repeats merged, blanks left out (Graves et al. 2006). logits (T, B, 37)."""
    sure, symbols = logits.float().softmax(dim=2).max(dim=2)  # (T, B)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), sure.T.tolist()):
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
