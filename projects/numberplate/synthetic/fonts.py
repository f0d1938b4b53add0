"""Fonts for drawn plates: characters from font files and glyph sheets, as masks of one height."""

from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from projects.numberplate.formats import CHARACTERS

HEIGHT = 64
"""Height in pixels of every mask."""
PLATE_LIKE = (
    "din",
    "rg2014",
    "roadgeek",
    "overpass",
    "highway",
    "narrow",
    "condensed",
    "mono",
    "sans",
    "gothic",
    "plate",
)
SEAL = "°"
"""Marks the position of a seal or a crest in a line."""

Font = dict[str, list[np.ndarray]]
"""Each character's masks (several where a sheet shows it several times), uint8 (HEIGHT, w), 255 is ink."""


@cache
def load_fonts(glyphs: Path | None = None) -> list[Font]:
    """All fonts: glyph sheets, then those that come with matplotlib, then those of the system that resemble plates.

    Raises ValueError if `glyphs` is not a folder of sheets.
    """
    sheets = [font_from_sheet(path) for path in sorted(glyphs.glob("*.png"))] if glyphs else []
    if glyphs and not sheets:
        raise ValueError(f"data.glyphs: there is no glyph sheet (.png and .box file) in {glyphs}")
    fonts = [font for path in font_files() if (font := font_from_file(path))]
    return [complete(sheet, fonts[0]) for sheet in sheets] + fonts


def matplotlib_fonts() -> list[Font]:
    """The fonts that come with matplotlib, which are the same on every machine."""
    return [font for path in matplotlib_files() if (font := font_from_file(path))]


def matplotlib_files() -> list[Path]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [folder / f"DejaVuSans{style}.ttf" for style in ("-Bold", "", "Mono-Bold", "Mono")]


def font_files() -> list[Path]:
    """Font files of matplotlib, then those of the system that resemble plates; no italics."""
    from matplotlib.font_manager import findSystemFonts

    found = sorted({Path(path) for path in findSystemFonts(fontext="ttf")})
    names = [(path, path.stem.lower()) for path in found]
    suited = [
        path
        for path, name in names
        if any(word in name for word in PLATE_LIKE)
        and not any(
            word in name for word in ("italic", "oblique", "math", "icon", "serif", "light", "thin", "cjk", "arab")
        )
    ]
    return matplotlib_files() + [path for path in suited if not path.stem.startswith("DejaVu")]


@cache
def font_from_file(path: Path) -> Font | None:
    """Capitals and digits of a TrueType font; None if some are missing or the glyphs are all alike."""
    try:
        font = ImageFont.truetype(str(path), 96)
        masks = {character: [_from_glyph(character, font)] for character in CHARACTERS}
    except (OSError, ValueError):
        return None
    return masks if len({mask[0].tobytes() for mask in masks.values()}) > 30 else None


def _from_glyph(character: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    canvas = Image.new("L", (192, 192))
    ImageDraw.Draw(canvas).text((48, 24), character, fill=255, font=font)
    return _to_height(np.asarray(canvas))


def font_from_sheet(path: Path) -> Font:
    """A glyph sheet: dark characters on white, and a Tesseract box file with the position of each."""
    boxes = path.with_suffix(".box")
    if not boxes.is_file():
        raise ValueError(f"data.glyphs: {path.name} needs a file {boxes.name}")
    page = 255 - np.asarray(Image.open(path).convert("L"))
    found: Font = {}
    for number, line in enumerate(boxes.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            character, left, bottom, right, top = line.split()[:5]
            if character in CHARACTERS and len(found.setdefault(character, [])) < 24:
                cut = page[page.shape[0] - int(top) : page.shape[0] - int(bottom), int(left) : int(right)]
                found[character].append(_to_height(cut))
        except ValueError as error:
            raise ValueError(f"data.glyphs: line {number} of {boxes.name}: {error}") from None
    return found


def complete(font: Font, other: Font) -> Font:
    """The font; characters it lacks (Q, or I and O in some countries) are taken from another one."""
    return {character: font.get(character) or other[character] for character in CHARACTERS}


def _to_height(ink: np.ndarray) -> np.ndarray:
    """Cut to the bounding box of the ink and scale to HEIGHT. Raises ValueError if there is no ink."""
    rows, columns = np.flatnonzero(ink.max(axis=1) > 99), np.flatnonzero(ink.max(axis=0) > 99)
    if not rows.size or not columns.size:
        raise ValueError("the glyph is empty")
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(3, round(cut.shape[1] * HEIGHT / cut.shape[0]))
    return cv2.resize(cut, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def write_line(font: Font, line: str, gap: float, rng: np.random.Generator) -> np.ndarray:
    """A line of characters, spaces, dashes, dots and seals as one mask, uint8 (HEIGHT, w). gap: in pixels."""
    parts: list[np.ndarray] = []
    for character in line:
        if character in font:
            masks = font[character]
            parts.append(masks[int(rng.integers(len(masks)))])
        else:
            parts.append(_seal(rng) if character == SEAL else _mark(character))
        parts.append(np.zeros((HEIGHT, max(1, round(gap * rng.uniform(0.8, 1.2)))), np.uint8))
    return np.concatenate(parts[:-1], axis=1)


def _mark(character: str) -> np.ndarray:
    mark = np.zeros((HEIGHT, 14), np.uint8)
    if character == "-":
        mark[28:36] = 255
    elif character == "·":
        mark[26:38, 1:13] = 255
    return mark


def _seal(rng: np.random.Generator) -> np.ndarray:
    """One large or two small grey discs with a rim and a coarse pattern."""
    width, discs = int(rng.integers(22, 40)), 1 + int(rng.random() < 0.6)
    pattern = cv2.resize(rng.integers(0, 256, (5, 4), np.uint8), (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    seal, inside = np.zeros((HEIGHT, width), np.uint8), np.zeros((HEIGHT, width), np.uint8)
    radius = min(width // 2 - 1, HEIGHT // (2 * discs) - 1)
    for disc in range(discs):
        middle = (width // 2, round(HEIGHT * (disc + 0.5) / discs))
        cv2.circle(inside, middle, radius, 255, -1)
        cv2.circle(seal, middle, radius, int(rng.integers(90, 256)), 2)
    return np.maximum(seal, cv2.bitwise_and(pattern // 2, inside))
