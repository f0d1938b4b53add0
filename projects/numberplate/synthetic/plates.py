"""Synthetic plates in frontal view: unlimited training data with known text.

`camera.py` turns them into images as in photos. All randomness comes from the generator passed in.
"""

import string
from dataclasses import dataclass

import cv2
import numpy as np

from projects.numberplate.formats import CHARACTERS, FORMATS
from projects.numberplate.synthetic.fonts import HEIGHT, SEAL, Font, write_line

Colour = tuple[int, int, int]
BLACK, WHITE, YELLOW, BLUE, RED, GREEN = (
    (20, 20, 22),
    (236, 238, 236),
    (238, 190, 30),
    (20, 50, 140),
    (170, 25, 30),
    (30, 100, 60),
)
EUROPE = frozenset(
    "at be bg ch cz de dk ee es fi fr gb gr hr hu ie is it lt lu lv mk nl no pl pt ro rs se si sk ba ua tr ru".split()
)
SIGNS = {
    "at": "A", "be": "B", "de": "D", "ee": "EST", "es": "E", "fi": "FIN", "fr": "F", "hu": "H", "ie": "IRL", "it": "I",
    "lu": "L", "mk": "NMK", "no": "N", "pt": "P", "rs": "SRB", "ru": "RUS", "se": "S", "si": "SLO", "ba": "BIH",
}  # fmt: skip
"""The sign in the blue band, where it is not the country's two letters."""
SEALED = frozenset("at ch cz de hr pl si sk".split())
"""Countries with a seal or a crest between the first two parts of the text."""


@dataclass(frozen=True)
class DrawnPlate:
    """A plate in frontal view: RGB uint8 (H, W, 3), and its text."""

    image: np.ndarray
    text: str
    lines: int


def random_text(rng: np.random.Generator) -> tuple[str, str]:
    """A country and a text in one of its formats, separators included. One in seven follows no format."""
    if rng.random() < 0.15:
        letters = rng.choice(list(CHARACTERS), int(rng.integers(3, 9)))
        return "", "".join(letters)
    country = str(rng.choice(list(FORMATS), p=_weights()))
    pattern = str(rng.choice(FORMATS[country]))
    capitals = list(string.ascii_uppercase)
    text = "".join(str(rng.choice(capitals)) if c == "A" else str(rng.integers(10)) if c == "9" else c for c in pattern)
    text = text.replace("-", str(rng.choice(["-", " ", "·", "-"])))
    if country in SEALED and rng.random() < 0.6:
        text = text.replace(" ", SEAL, 1)
    return country, text


def _weights() -> np.ndarray:
    """Large countries and those with unusual layouts are drawn somewhat more often."""
    weights = np.array(
        [4.0 if c in ("us", "br", "ar") else 2.0 if c in ("de", "fr", "es", "gb") else 1.0 for c in FORMATS]
    )
    return weights / weights.sum()


def draw_plate(font: Font, rng: np.random.Generator, difficulty: float = 1.0) -> DrawnPlate:
    """A plate of a random country, layout and colour. difficulty: 0 clean, 1 as worn as in street photos."""
    country, written = random_text(rng)
    lines = _in_lines(written, country, rng)
    american = country in ("us", "br", "ar", "")
    aspect = rng.uniform(1.25, 1.9) if len(lines) == 2 else rng.uniform(1.9, 3.4) if american else rng.uniform(4.0, 5.2)
    height = 96
    width = round(height * aspect)
    ink, ground = _colours(country, rng)
    plate = np.full((height, width, 3), ground, np.float32)
    if country == "us" and rng.random() < 0.7:
        plate = _picture(plate, rng)
    left = 0.03 * width
    if country in EUROPE and rng.random() < 0.75:
        band = round(height * rng.uniform(0.3, 0.45) * (0.8 if len(lines) == 2 else 1))
        _band(plate, band, country, rng)
        left += band
    top, bottom = (0.24, 0.9) if country == "br" else (0.22, 0.8) if american and rng.random() < 0.8 else (0.1, 0.9)
    if (top, bottom) != (0.1, 0.9):
        _captions(plate, ink, rng, top, bottom)
    area = (left, top * height, width * rng.uniform(0.95, 0.98), bottom * height)
    mask = np.zeros((height, width), np.float32)
    edge = 0.5 * (area[1] + area[3])
    areas = (
        [area] if len(lines) == 1 else [(area[0], area[1], area[2], edge - 2), (area[0], edge + 2, area[2], area[3])]
    )
    for line, line_area in zip(lines, areas):
        _fit(mask, write_line(font, line, rng.uniform(3, 12), rng), line_area, rng)
    if rng.random() < 0.6:
        cv2.rectangle(mask, (2, 2), (width - 3, height - 3), 1.0, int(rng.integers(1, 4)))
    plate += mask[:, :, None] * (np.array(ink, np.float32) - plate)
    text = "".join(c for c in written if c in CHARACTERS)
    return DrawnPlate(wear(plate, rng, difficulty), text, len(lines))


def _band(plate: np.ndarray, width: int, country: str, rng: np.random.Generator) -> None:
    """Draw the blue band of a European plate, in place: the country's sign and usually a ring of stars."""
    height = plate.shape[0]
    plate[:, :width] = np.array(BLUE) * rng.uniform(0.7, 1.3)
    sign = SIGNS.get(country, country.upper())
    scale = width / (30 + 16 * len(sign))
    _write(plate, sign, (round(width / 2 - 9.5 * scale * len(sign)), round(height * 0.88)), scale, WHITE, 2)
    if rng.random() < 0.7:
        middle, radius = (width / 2, height * rng.uniform(0.28, 0.36)), width * rng.uniform(0.25, 0.36)
        for angle in np.arange(12) * np.pi / 6:
            at = (round(middle[0] + radius * np.sin(angle)), round(middle[1] + radius * np.cos(angle)))
            cv2.circle(plate, at, 1 if width < 36 else 2, YELLOW, -1)


def _in_lines(written: str, country: str, rng: np.random.Generator) -> list[str]:
    """One line, or two for about every fifth plate: broken at a separator, else in the middle."""
    if len(written) < 5 or rng.random() > (0.12 if country == "us" else 0.22):
        return [written]
    breaks = [i for i, c in enumerate(written) if c not in CHARACTERS]
    middle = len(written) / 2
    at = min(breaks, key=lambda i: abs(i - middle)) if breaks else round(middle)
    return [written[:at], written[at:].lstrip(f" -·{SEAL}")]


def _colours(country: str, rng: np.random.Generator) -> tuple[Colour, Colour]:
    draw = rng.random()
    if country == "us":
        inks: list[Colour] = [BLACK, BLUE, BLUE, RED, GREEN]
        ink = inks[int(rng.integers(len(inks)))]
        return (WHITE, ink) if draw < 0.12 else (ink, WHITE)
    if country == "br" and draw < 0.6:
        return BLACK, (150, 152, 155)
    if country in ("br", "") and draw < 0.75:
        return WHITE, RED
    if country == "ar":
        return (WHITE, BLACK) if draw < 0.5 else (BLACK, WHITE)
    if country in ("nl", "gb", "lu", "fr", "") and draw < 0.5:
        return BLACK, YELLOW
    if draw < 0.06:
        return WHITE, BLACK
    return ((RED if country == "be" else GREEN if draw < 0.12 else BLACK), WHITE)


def _picture(plate: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth patches of colour behind the text, as on American plates."""
    spots = rng.uniform(110, 255, (3, 5, 3)).astype(np.float32)
    clouds = cv2.resize(spots, (plate.shape[1], plate.shape[0]), interpolation=cv2.INTER_CUBIC)
    return plate + rng.uniform(0.1, 0.55) * (clouds - plate)


def _captions(plate: np.ndarray, ink: Colour, rng: np.random.Generator, top: float, bottom: float) -> None:
    """Draw small words above and below, which are not part of the text, in place."""
    height, width = plate.shape[:2]
    for y, size in ((top * height - 5, top * height - 8), (0.96 * height, (1 - bottom) * height - 6)):
        if size > 6 and rng.random() < 0.75:
            word = "".join(
                rng.choice(
                    list(string.ascii_letters if rng.random() < 0.5 else string.ascii_uppercase),
                    int(rng.integers(4, 13)),
                )
            )
            scale = size / 24
            wide = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
            x = round((width - wide) * rng.uniform(0.3, 0.7))
            _write(plate, word, (max(2, x), round(y)), scale, ink, int(rng.integers(1, 3)))


def _write(plate: np.ndarray, word: str, at: tuple[int, int], scale: float, ink: Colour, thick: int) -> None:
    """Draw small print, in place."""
    mask = np.zeros(plate.shape[:2], np.uint8)
    cv2.putText(mask, word, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
    where = np.nonzero(mask)
    plate[where] += mask[where][:, None] / np.float32(255) * (np.array(ink, np.float32) - plate[where])


def _fit(mask: np.ndarray, line: np.ndarray, area: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Draw a line of text into its part of the plate, in place, condensed where it is too wide."""
    x0, y0, x1, y1 = area
    height = (y1 - y0) * rng.uniform(0.85, 1.0)
    natural = line.shape[1] * height / HEIGHT * rng.uniform(0.75, 1.0)
    width = min(natural, (x1 - x0) * rng.uniform(0.93, 1.0))
    resized = cv2.resize(line, (max(4, round(width)), max(4, round(height))), interpolation=cv2.INTER_AREA)
    x = round(x0 + (x1 - x0 - resized.shape[1]) * rng.uniform(0.35, 0.65))
    y = round(y0 + (y1 - y0 - resized.shape[0]) * 0.5)
    part = mask[max(y, 0) : y + resized.shape[0], max(x, 0) : x + resized.shape[1]]
    np.maximum(part, resized[: part.shape[0], : part.shape[1]] / 255, out=part)


def wear(plate: np.ndarray, rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Stickers, screws, dirt and shadow on a plate, float (H, W, 3) -> uint8."""
    height, width = plate.shape[:2]
    if rng.random() < 0.5 * difficulty:  # stickers between the characters
        side = int(rng.integers(8, 20))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        colour = rng.uniform(20, 240, 3)
        if y < 12 or y > height - side - 12:
            plate[y : y + side, x : x + side] = colour
    for _ in range(int(rng.integers(0, 5) * difficulty)):  # screws
        at = (int(rng.uniform(0.05, 0.95) * width), int(rng.choice([0.1, 0.5, 0.9]) * height))
        cv2.circle(plate, at, int(rng.integers(2, 6)), (int(rng.integers(40, 220)),) * 3, -1)
    if rng.random() < 0.5 * difficulty:  # dirt
        spots = rng.random((int(rng.integers(3, 9)), int(rng.integers(6, 18)))).astype(np.float32)
        dirt = np.clip(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC) - rng.uniform(0.4, 0.8), 0, 1)
        plate = plate + (dirt * rng.uniform(0.5, 1.8)).clip(0, 0.8)[:, :, None] * (rng.uniform(40, 110) - plate)
    if rng.random() < 0.4 * difficulty:  # a shadow's edge
        x, slope = rng.uniform(0, width), rng.uniform(-1.5, 1.5)
        side = (np.arange(width)[None] - x + slope * np.arange(height)[:, None]) > 0
        plate = plate * np.where(side, rng.uniform(0.35, 0.8), 1.0)[:, :, None]
    return plate.clip(0, 255).astype(np.uint8)
