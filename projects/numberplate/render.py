"""Plates drawn by code: endless training data whose text and corners are known.

A plate is drawn flat (`draw_plate`), worn (`wear`), and then either seen close by (`view`, for the reader) or pasted
into a photo with known corners (`paste`, for the detector). Everything is a function of the generator handed in.
"""

import string
from dataclasses import dataclass

import cv2
import numpy as np

from projects.numberplate.formats import CHARACTERS, FORMATS
from projects.numberplate.typefaces import HEIGHT, SEAL, Typeface, write_line

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
"""What stands in the blue band, where it is not the country's two letters."""
SEALED = frozenset("at ch cz de hr pl si sk".split())
"""Countries with a seal or a crest where the first two parts of the text meet."""


@dataclass(frozen=True)
class Plate:
    """A plate seen flat and from the front: RGB uint8 (H, W, 3), and what stands on it."""

    image: np.ndarray
    text: str
    lines: int


def random_text(rng: np.random.Generator) -> tuple[str, str]:
    """A country and a plate of one of its formats, separators included. One in seven is free of any format."""
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
    """Large countries, and those with layouts of their own, a little more often."""
    weights = np.array(
        [4.0 if c in ("us", "br", "ar") else 2.0 if c in ("de", "fr", "es", "gb") else 1.0 for c in FORMATS]
    )
    return weights / weights.sum()


def draw_plate(face: Typeface, rng: np.random.Generator, hard: float = 1.0) -> Plate:
    """A plate of a random country, layout and colour. hard: 0 clean and plain, 1 as varied and worn as on the road."""
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
    room = (left, top * height, width * rng.uniform(0.95, 0.98), bottom * height)
    mask = np.zeros((height, width), np.float32)
    edge = 0.5 * (room[1] + room[3])
    rooms = (
        [room] if len(lines) == 1 else [(room[0], room[1], room[2], edge - 2), (room[0], edge + 2, room[2], room[3])]
    )
    for line, place in zip(lines, rooms):
        _fit(mask, write_line(face, line, rng.uniform(3, 12), rng), place, rng)
    if rng.random() < 0.6:
        cv2.rectangle(mask, (2, 2), (width - 3, height - 3), 1.0, int(rng.integers(1, 4)))
    plate += mask[:, :, None] * (np.array(ink, np.float32) - plate)
    text = "".join(c for c in written if c in CHARACTERS)
    return Plate(wear(plate, rng, hard), text, len(lines))


def _band(plate: np.ndarray, width: int, country: str, rng: np.random.Generator) -> None:
    """The blue band of a European plate, in place: the country's sign and mostly a ring of stars."""
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
    """One line, or two for every fifth plate: broken at a separator, or before the digits."""
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
    """Soft clouds of colour behind the text, as on American plates."""
    spots = rng.uniform(110, 255, (3, 5, 3)).astype(np.float32)
    clouds = cv2.resize(spots, (plate.shape[1], plate.shape[0]), interpolation=cv2.INTER_CUBIC)
    return plate + rng.uniform(0.1, 0.55) * (clouds - plate)


def _captions(plate: np.ndarray, ink: Colour, rng: np.random.Generator, top: float, bottom: float) -> None:
    """Small words above and below, which are not part of the text."""
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
    """Small print, in place."""
    mask = np.zeros(plate.shape[:2], np.uint8)
    cv2.putText(mask, word, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_AA)
    where = np.nonzero(mask)
    plate[where] += mask[where][:, None] / np.float32(255) * (np.array(ink, np.float32) - plate[where])


def _fit(mask: np.ndarray, line: np.ndarray, room: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Scale a written line into its room of the plate, condensed where it is too wide."""
    x0, y0, x1, y1 = room
    height = (y1 - y0) * rng.uniform(0.85, 1.0)
    natural = line.shape[1] * height / HEIGHT * rng.uniform(0.75, 1.0)
    width = min(natural, (x1 - x0) * rng.uniform(0.93, 1.0))
    resized = cv2.resize(line, (max(4, round(width)), max(4, round(height))), interpolation=cv2.INTER_AREA)
    x = round(x0 + (x1 - x0 - resized.shape[1]) * rng.uniform(0.35, 0.65))
    y = round(y0 + (y1 - y0 - resized.shape[0]) * 0.5)
    part = mask[max(y, 0) : y + resized.shape[0], max(x, 0) : x + resized.shape[1]]
    np.maximum(part, resized[: part.shape[0], : part.shape[1]] / 255, out=part)


def wear(plate: np.ndarray, rng: np.random.Generator, hard: float) -> np.ndarray:
    """Stickers, screws, dirt and shadow on a flat plate, float (H, W, 3) -> uint8."""
    height, width = plate.shape[:2]
    if rng.random() < 0.5 * hard:  # stickers between the characters
        side = int(rng.integers(8, 20))
        x, y = int(rng.integers(width - side)), int(rng.integers(height - side))
        colour = rng.uniform(20, 240, 3)
        if y < 12 or y > height - side - 12:
            plate[y : y + side, x : x + side] = colour
    for _ in range(int(rng.integers(0, 5) * hard)):  # screws
        at = (int(rng.uniform(0.05, 0.95) * width), int(rng.choice([0.1, 0.5, 0.9]) * height))
        cv2.circle(plate, at, int(rng.integers(2, 6)), (int(rng.integers(40, 220)),) * 3, -1)
    if rng.random() < 0.5 * hard:  # dirt
        spots = rng.random((int(rng.integers(3, 9)), int(rng.integers(6, 18)))).astype(np.float32)
        dirt = np.clip(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC) - rng.uniform(0.4, 0.8), 0, 1)
        plate = plate + (dirt * rng.uniform(0.5, 1.8)).clip(0, 0.8)[:, :, None] * (rng.uniform(40, 110) - plate)
    if rng.random() < 0.4 * hard:  # a shadow's edge
        x, slope = rng.uniform(0, width), rng.uniform(-1.5, 1.5)
        side = (np.arange(width)[None] - x + slope * np.arange(height)[:, None]) > 0
        plate = plate * np.where(side, rng.uniform(0.35, 0.8), 1.0)[:, :, None]
    return plate.clip(0, 255).astype(np.uint8)


def light(image: np.ndarray, rng: np.random.Generator, hard: float) -> np.ndarray:
    """Exposure, colour cast, blur, noise and JPEG of a camera, uint8 (H, W) or (H, W, 3) -> the same."""
    x = image.astype(np.float32)
    contrast, middle = float(np.exp(rng.uniform(-1.1, 0.25) * hard)), rng.uniform(60, 180)
    x *= contrast
    x += 128 * (1 - contrast) + (middle - 128) * hard
    if x.ndim == 3:
        x *= 1 + rng.uniform(-0.2, 0.2, 3).astype(np.float32) * hard
    if rng.random() < 0.5 * hard:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.25 * hard:  # motion
        length = int(rng.integers(3, 7))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(-90, 90), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
        x = cv2.filter2D(x, -1, np.divide(kernel, max(float(kernel.sum()), 1e-3)))
    grain = rng.standard_normal(x.shape[:2], np.float32) * np.float32(rng.uniform(0, 12) * hard)
    x = x + (grain if x.ndim == 2 else grain[:, :, None])
    x = x.clip(0, 255, out=x).astype(np.uint8)
    if rng.random() < 0.5 * hard:
        encoded = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1]
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    return x


def view(
    image: np.ndarray, size: tuple[int, int], rng: np.random.Generator, hard: float = 1.0, small: float = 0.0
) -> np.ndarray:
    """A plate as the reader is handed it: slightly beside its corners, small, and grey, uint8 (h, w) of `size`.

    small: the smallest height in pixels that the plate is seen at; 0 leaves its own.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    if small:
        seen = float(np.exp(rng.uniform(np.log(small), np.log(72))))
        if seen < grey.shape[0]:
            grey = cv2.resize(
                grey, (max(8, round(grey.shape[1] * seen / grey.shape[0])), round(seen)), interpolation=cv2.INTER_AREA
            )
    grey = light(grey, rng, hard)
    height, width = grey.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    middle = rng.uniform(-0.02, 0.05)  # on average a little more than the plate
    spread = rng.normal(0, 0.035 * hard, (4, 2)) * (min(width, 2.5 * height), height)
    outward = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (0.5 * middle * width, middle * height)
    shear = rng.normal(0, 0.05 * hard) * width * np.array([[1, 0], [1, 0], [-1, 0], [-1, 0]]) * 0.3
    return rectify(grey, corners + spread + outward + shear, size)


def rectify(image: np.ndarray, corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The quadrilateral of an image, seen flat: corners (4, 2) clockwise from the top left -> uint8 of size (h, w).

    Averages over pixels where the plate is larger than `size`, so nothing is lost to aliasing.
    """
    height, width = size
    corners = np.asarray(corners, np.float32)
    seen = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    factor = max(1, min(6, round(seen / height)))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) * factor
    matrix = cv2.getPerspectiveTransform(corners, target)
    flat = cv2.warpPerspective(
        image, matrix, (width * factor, height * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA) if factor > 1 else flat


def tilted(width: float, height: float, rng: np.random.Generator, hard: float = 1.0) -> np.ndarray:
    """Corners (4, 2) around the origin of a plate of this size, turned, sheared and seen from the side."""
    x, y = width / 2, height / 2
    corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    roll = np.radians(np.clip(rng.normal(0, 9 * hard), -30, 30))
    shear = np.tan(np.radians(np.clip(rng.normal(0, 7 * hard), -25, 25)))
    corners[:, 1] += shear * corners[:, 0]
    corners[:, 1] *= 1 + rng.uniform(-0.12, 0.12) * hard * corners[:, 0] / x  # the nearer side is higher
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return corners @ turn


def paste(photo: np.ndarray, plate: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> None:
    """Put a plate into a photo, in place, as bright and as sharp as what is around it. corners: (4, 2) in pixels."""
    low = np.floor(corners.min(axis=0)).astype(int) - 2
    high = np.ceil(corners.max(axis=0)).astype(int) + 2
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (photo.shape[1], photo.shape[0]))
    around = photo[y0:y1, x0:x1].astype(np.float32)
    height, width = plate.shape[:2]
    seen = np.linalg.norm(corners[3] - corners[0])
    if seen < height / 1.5:
        plate = cv2.resize(
            plate, (max(8, round(width * seen / height)), max(5, round(seen))), interpolation=cv2.INTER_AREA
        )
        height, width = plate.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, (corners - (x0, y0)).astype(np.float32))
    size = (int(x1 - x0), int(y1 - y0))
    flat = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )
    mask = (
        cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
        / 255
    )
    bright = np.clip((around.mean() + 40) / 170, 0.25, 1.2) * rng.uniform(0.75, 1.35)
    flat = (flat * bright * rng.uniform(0.92, 1.08, 3)).clip(0, 255)
    mixed = around + mask * (flat - around)
    if rng.random() < 0.7:
        mixed = cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.3, 1.0))
    photo[y0:y1, x0:x1] = mixed.clip(0, 255).astype(np.uint8)
