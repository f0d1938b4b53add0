"""The embedded sample: synthetic streets with zero to two cars.

Signs with words, lamps and grilles are distractors that cause false positives.
"""

from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from projects.numberplate.synthetic import camera
from projects.numberplate.synthetic.fonts import Font, matplotlib_fonts
from projects.numberplate.synthetic.plates import draw_plate
from shared.data.cache import sample_folder
from shared.files import atomic_folder, write_text

SIZE = (360, 480)
"""Height and width in pixels of a drawn photo."""
HERE = Path(__file__).parent
CODE = [
    *(HERE / f"{name}.py" for name in ("streets", "plates", "camera", "fonts")),
    *(HERE.parent / f"{name}.py" for name in ("formats", "geometry")),
]
"""The files that determine the photos: the sample is drawn again when one of them changes."""
DIFFICULTY = 0.35
"""How worn the plates are; see `draw_plate`."""


def draw_sample(folder: Path, photos: int, seed: int) -> Path:
    """The table of the sample's photos, in the format of `source: csv`; drawn on first use, complete or absent."""
    target = sample_folder(folder, "numberplate", (photos, seed), *CODE)
    if target.is_dir():
        return target / "photos.csv"
    fonts = matplotlib_fonts()
    lines = ["file,x0,y0,x1,y1,text,corners"]
    with atomic_folder(target) as temporary:
        for index in tqdm(range(photos), desc="drawing", unit="photo", leave=False):
            rng = np.random.default_rng((seed, index))
            photo, plates = draw_scene(fonts, rng)
            name = f"{index:05d}.jpg"
            (temporary / name).write_bytes(
                cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
            )
            for corners, text in plates:
                (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
                numbers = " ".join(f"{value:.1f}" for value in corners.flat)
                lines.append(f"{name},{x0:.1f},{y0:.1f},{x1:.1f},{y1:.1f},{text},{numbers}")
            if not plates:
                lines.append(f"{name},,,,,,")
        write_text(temporary / "photos.csv", "\n".join(lines) + "\n")
    return target / "photos.csv"


def draw_scene(fonts: list[Font], rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[np.ndarray, str]]]:
    """A street, RGB uint8 (H, W, 3), and for each plate its corners (4, 2) and text."""
    photo = street(rng)
    plates: list[tuple[np.ndarray, str]] = []
    count = int(rng.choice([0, 1, 1, 1, 1, 2]))
    for number in range(count):
        width = rng.uniform(0.35, 0.75) * SIZE[1] / (1.7 if count == 2 else 1)
        middle = SIZE[1] * (rng.uniform(0.35, 0.65) if count == 1 else 0.25 + 0.5 * number)
        plates.append(draw_car(photo, middle, rng.uniform(0.6, 0.95) * SIZE[0], width, fonts, rng))
    if rng.random() < 0.5:
        draw_sign(photo, rng, [corners for corners, _ in plates])
    return camera.degrade(photo, rng, DIFFICULTY), plates


def street(rng: np.random.Generator) -> np.ndarray:
    """Sky, houses and a road, out of focus."""
    height, width = SIZE
    horizon = int(height * rng.uniform(0.3, 0.6))
    photo = np.empty((height, width, 3), np.float32)
    photo[:horizon] = rng.uniform(110, 240, 3)
    photo[horizon:] = rng.uniform(60, 140) + rng.uniform(-12, 12, 3)
    for _ in range(int(rng.integers(2, 7))):  # houses and their windows
        x, wide = int(rng.integers(-60, width)), int(rng.integers(50, 180))
        top = int(horizon * rng.uniform(0.0, 0.7))
        colour = rng.uniform(50, 220, 3)
        photo[top:horizon, max(x, 0) : x + wide] = colour
        for wx in range(max(x, 0) + 8, x + wide - 12, 22):
            for wy in range(top + 8, horizon - 16, 26):
                cv2.rectangle(photo, (wx, wy), (wx + 10, wy + 14), tuple(colour * 0.5), -1)
    photo += cv2.resize(rng.normal(0, 14, (24, 32)).astype(np.float32), (width, height))[:, :, None]
    return cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.5, 2.0)).clip(0, 255).astype(np.uint8)


def draw_car(
    photo: np.ndarray, x: float, bottom: float, width: float, fonts: list[Font], rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Draw a car in frontal or rear view, in place, and return its plate: corners (4, 2) and text."""
    paint = rng.uniform(20, 235, 3)
    body = width * rng.uniform(0.5, 0.62)
    left, right, top = int(x - width / 2), int(x + width / 2), int(bottom - body)
    waist = int(bottom - body * 0.58)
    for wheel in (left + 0.14 * width, right - 0.14 * width):
        cv2.ellipse(
            photo, (int(wheel), int(bottom)), (int(0.09 * width), int(0.1 * width)), 0, 0, 360, (18, 18, 20), -1
        )
    roof = [
        (left + 0.16 * width, top),
        (right - 0.16 * width, top),
        (right - 0.03 * width, waist),
        (left + 0.03 * width, waist),
    ]
    cv2.fillPoly(photo, [np.array(roof, np.int32)], tuple(paint * 0.8), cv2.LINE_AA)
    glass = [
        (left + 0.2 * width, top + 0.06 * body),
        (right - 0.2 * width, top + 0.06 * body),
        (right - 0.1 * width, waist),
        (left + 0.1 * width, waist),
    ]
    cv2.fillPoly(photo, [np.array(glass, np.int32)], (45, 55, 65), cv2.LINE_AA)
    cv2.rectangle(photo, (left, waist), (right, int(bottom - 0.04 * body)), tuple(paint), -1)
    lamp = (200, 30, 30) if rng.random() < 0.5 else (240, 240, 220)
    for lx in (left + 0.1 * width, right - 0.1 * width):
        cv2.ellipse(
            photo,
            (int(lx), int(waist + 0.12 * body)),
            (int(0.08 * width), int(0.05 * width)),
            0,
            0,
            360,
            lamp,
            -1,
            cv2.LINE_AA,
        )
    for line in range(int(rng.integers(0, 5))):  # a grille
        y = int(waist + (0.08 + 0.04 * line) * body)
        cv2.line(photo, (int(x - 0.2 * width), y), (int(x + 0.2 * width), y), (25, 25, 28), 2)
    cv2.rectangle(photo, (left, int(bottom - 0.16 * body)), (right, int(bottom - 0.04 * body)), tuple(paint * 0.6), -1)
    plate = draw_plate(fonts[int(rng.integers(len(fonts)))], rng, DIFFICULTY)
    wide = width * rng.uniform(0.26, 0.36) * (0.7 if plate.lines == 2 else 1)
    corners = camera.tilted_corners(wide, wide * plate.image.shape[0] / plate.image.shape[1], rng, 0.5)
    corners += (x + rng.uniform(-0.04, 0.04) * width, bottom - body * rng.uniform(0.2, 0.3))
    camera.paste(photo, plate.image, corners, rng)
    return corners, plate.text


def draw_sign(photo: np.ndarray, rng: np.random.Generator, plates: list[np.ndarray]) -> None:
    """Draw a sign with words away from the plates, in place: text that is not a plate."""
    words = " ".join("".join(rng.choice(list("abcdefghijklmnoprstuvw"), int(rng.integers(2, 8)))) for _ in range(2))
    scale, thick = rng.uniform(0.4, 0.9), int(rng.integers(1, 3))
    (wide, high), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_DUPLEX, scale, thick)
    x, y = int(rng.integers(0, max(1, photo.shape[1] - wide))), int(rng.integers(high, photo.shape[0] // 2))
    board = np.array([x - 8, y - high - 8, x + wide + 8, y + 10])
    for corners in plates:
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        if board[0] < x1 and x0 < board[2] and board[1] < y1 and y0 < board[3]:
            return
    cv2.rectangle(photo, tuple(map(int, board[:2])), tuple(map(int, board[2:])), tuple(rng.uniform(120, 250, 3)), -1)
    cv2.putText(photo, words, (x, y), cv2.FONT_HERSHEY_DUPLEX, scale, tuple(rng.uniform(0, 80, 3)), thick, cv2.LINE_AA)
