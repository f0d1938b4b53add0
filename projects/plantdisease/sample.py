"""Leaves drawn by code: the embedded sample. It looks simple, but colour alone does not solve it.

A leaf is drawn once and photographed three times: turned, shifted, in other light, on another background. Spots and
blight share their browns, rust its orange with the rim of spots, mosaic its greens with healthy leaves; every photo has
its own white balance. What tells the classes apart is the shape of the leaf and the pattern on it.
"""

import uuid
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from shared.data.cache import sample_folder
from shared.files import atomic_folder

CLASSES = (
    "Oval___healthy", "Oval___Spots", "Oval___Rust", "Oval___Mildew",
    "Lobed___healthy", "Lobed___Blight", "Lobed___Rust", "Lobed___Mosaic",
    "Slender___healthy", "Slender___Spots", "Slender___Blight", "Slender___Mildew",
)  # fmt: skip
PHOTOS_PER_LEAF = 3
CANVAS, PHOTO = 256, 160  # side in pixels of a drawn leaf and of a photo of it
BROWN, ORANGE, YELLOW, WHITE = (101, 67, 38), (176, 92, 28), (205, 190, 80), (226, 228, 220)


def draw_sample(folder: Path, photos: int, seed: int) -> Path:
    """The sample as a folder per class, PlantVillage-style names; drawn on first use, complete or absent."""
    target = sample_folder(folder, "plantdisease", (photos, seed), Path(__file__))
    if target.is_dir():
        return target
    leaves = photos // (len(CLASSES) * PHOTOS_PER_LEAF)
    with atomic_folder(target) as temporary:
        for name in CLASSES:
            (temporary / name).mkdir()
        for index in tqdm(range(leaves * len(CLASSES)), desc="drawing", unit="leaf", leave=False):
            name, number = CLASSES[index % len(CLASSES)], index // len(CLASSES)
            generator = np.random.default_rng((seed, index))
            leaf, mask = draw_leaf(*name.split("___"), generator)
            for shot in range(1, PHOTOS_PER_LEAF + 1):
                photo = photograph(leaf, mask, generator)
                label = uuid.UUID(bytes=generator.bytes(16), version=4)
                path = temporary / name / f"{label}___DRAWN Leaf {number}.{shot}.jpg"
                encoded = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1]
                path.write_bytes(encoded.tobytes())
    return target


def draw_leaf(species: str, condition: str, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One leaf, upright in the middle of the canvas: uint8 colours (C, C, 3) and mask 0..1 (C, C)."""
    outline, midrib = leaf_outline(species, generator)
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)

    green = np.array([60, 120, 45]) + generator.normal(0, [16, 20, 12])
    image = (
        np.ones((CANVAS, CANVAS, 3), np.float32) * green.astype(np.float32)
        + 16 * cloud(generator, 8)[:, :, None]
        + 6 * cloud(generator, 64)[:, :, None]
    )
    veins = np.zeros((CANVAS, CANVAS), np.uint8)
    for start, end in midrib:
        cv2.line(veins, start, end, 255, 2 if start == midrib[0][0] else 1, cv2.LINE_AA)
    image += veins[:, :, None] / 255 * generator.uniform(15, 40)
    if condition != "healthy":
        {"Spots": spots, "Blight": blight, "Rust": rust, "Mildew": mildew, "Mosaic": mosaic}[condition](
            image, mask, generator
        )
    return image.clip(0, 255).astype(np.uint8), cv2.GaussianBlur(mask, (3, 3), 0).astype(np.float32) / 255


def leaf_outline(species: str, generator: np.random.Generator) -> tuple[np.ndarray, list]:
    """Outline (N, 2) in pixels and vein segments of a leaf whose tip points up."""
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    length, wobble = generator.uniform(85, 110), generator.uniform(0.9, 1.1)
    if species == "Oval":
        radius = 1 - 0.18 * np.abs(np.sin(angle)) + 0.12 * np.exp(-((angle / 0.35) ** 2)) + 0.015 * np.sin(34 * angle)
        width = 0.72
    elif species == "Lobed":
        radius = 0.78 + 0.2 * np.cos(5 * angle) + 0.03 * np.sin(31 * angle)
        width = 1.0
    else:
        radius = 0.95 + 0.03 * np.sign(np.sin(40 * angle))
        width = 0.36
    radius = radius * (
        1 + 0.05 * np.sin(angle + generator.uniform(0, 6)) + 0.03 * np.sin(3 * angle + generator.uniform(0, 6))
    )
    x = CANVAS / 2 + length * width * wobble * radius * np.sin(angle)
    y = CANVAS / 2 - length * radius * np.cos(angle)
    middle = CANVAS // 2
    veins = [((middle, int(middle + length)), (middle, int(middle - 0.95 * length)))]
    for step in np.linspace(-0.7, 0.6, 7):
        root = int(middle - step * length)
        reach = int(length * width * 0.8 * (1 - 0.5 * abs(step)))
        for side in (-1, 1):
            veins.append(((middle, root), (middle + side * reach, int(root - 0.35 * length))))
    return np.stack([x, y], axis=1).round().astype(np.int32), veins


def cloud(generator: np.random.Generator, cells: int) -> np.ndarray:
    """Smooth noise of about deviation 1 with so many cells a side, (C, C)."""
    coarse = generator.normal(size=(cells, cells)).astype(np.float32)
    return cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)


def random_points(mask: np.ndarray, count: int, generator: np.random.Generator) -> list[tuple[int, int]]:
    """Random points (x, y) inside the leaf."""
    ys, xs = np.nonzero(cv2.erode(mask, np.ones((9, 9), np.uint8)))
    return [(int(xs[i]), int(ys[i])) for i in generator.integers(0, len(xs), count)]


def paint(image: np.ndarray, shape: np.ndarray, colour: tuple[int, int, int], generator: np.random.Generator) -> None:
    """Lay a colour, a little different every time, over the image where shape (C, C) in 0..1 says."""
    rows, columns = np.flatnonzero(shape.max(axis=1)), np.flatnonzero(shape.max(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tint = (np.array(colour) + generator.normal(0, 12, 3)).astype(np.float32)
    image[part] += shape[part][:, :, None] * (tint - image[part])


def disc(centre: tuple[int, int], radius: float, generator: np.random.Generator, thickness: int = -1) -> np.ndarray:
    """A round patch with soft edge, a little elliptic, (C, C) in 0..1."""
    canvas = np.zeros((CANVAS, CANVAS), np.uint8)
    axes = (max(1, round(radius * generator.uniform(0.8, 1.2))), max(1, round(radius)))
    cv2.ellipse(canvas, centre, axes, generator.uniform(0, 180), 0, 360, 255, thickness, cv2.LINE_AA)
    return canvas.astype(np.float32) / 255


def spots(image: np.ndarray, mask: np.ndarray, generator: np.random.Generator) -> None:
    """Many small brown spots with a sharp edge."""
    for centre in random_points(mask, int(generator.integers(9, 17)), generator):
        paint(image, disc(centre, generator.uniform(7, 12), generator), BROWN, generator)


def blight(image: np.ndarray, mask: np.ndarray, generator: np.random.Generator) -> None:
    """A few large brown patches with rings like a target."""
    for centre in random_points(mask, int(generator.integers(2, 5)), generator):
        radius = generator.uniform(20, 32)
        paint(image, 0.8 * disc(centre, radius, generator), BROWN, generator)
        for ring in np.arange(radius - 4, 2, -7):
            paint(image, 0.6 * disc(centre, ring, generator, thickness=3), YELLOW, generator)


def rust(image: np.ndarray, mask: np.ndarray, generator: np.random.Generator) -> None:
    """Orange-brown pustules, each in a pale halo."""
    for centre in random_points(mask, int(generator.integers(8, 15)), generator):
        radius = generator.uniform(6, 9)
        halo = cv2.GaussianBlur(disc(centre, 2.2 * radius, generator), (0, 0), 2)
        paint(image, 0.7 * halo, YELLOW, generator)
        paint(image, disc(centre, radius, generator), ORANGE if generator.random() < 0.6 else BROWN, generator)


def mildew(image: np.ndarray, mask: np.ndarray, generator: np.random.Generator) -> None:
    """White, powdery patches without an edge."""
    powder = 0.75 + 0.25 * cloud(generator, 90)
    for centre in random_points(mask, int(generator.integers(4, 9)), generator):
        patch = cv2.GaussianBlur(disc(centre, generator.uniform(14, 26), generator), (0, 0), 6)
        paint(image, (generator.uniform(0.4, 0.8) * patch * powder).clip(0, 1), WHITE, generator)


def mosaic(image: np.ndarray, _mask: np.ndarray, generator: np.random.Generator) -> None:
    """Light and dark green fields side by side."""
    field = np.tanh(4 * cloud(generator, 11))
    image += field[:, :, None] * np.array([22, 26, 8]) * generator.uniform(0.7, 1.2)


def photograph(leaf: np.ndarray, mask: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One photo of a leaf: its own pose, background, light and noise. uint8 (P, P, 3)."""
    turn = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), generator.uniform(0, 360), generator.uniform(0.6, 0.85))
    turn[:, :2] = turn[:, :2] @ (np.eye(2) + generator.normal(0, 0.06, (2, 2)))  # seen at a slant
    turn[:, 2] = PHOTO / 2 + generator.uniform(-8, 8, 2) - turn[:, :2] @ [CANVAS / 2, CANVAS / 2]
    front = cv2.warpAffine(leaf, turn, (PHOTO, PHOTO), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(mask, turn, (PHOTO, PHOTO))[:, :, None]
    shadow = cv2.GaussianBlur(np.roll(alpha[:, :, 0], generator.integers(2, 7, 2), axis=(0, 1)), (0, 0), 3)[:, :, None]

    table = generator.uniform(70, 210) + generator.normal(0, 22, 3)
    grain = cv2.resize(cloud(generator, int(generator.integers(4, 120))), (PHOTO, PHOTO))[:, :, None]
    back = (table + generator.uniform(2, 14) * grain) * (1 - generator.uniform(0.2, 0.5) * shadow)

    slope = np.linspace(-1, 1, PHOTO)
    light = (
        1 + generator.uniform(-0.2, 0.2) * slope[:, None, None] + generator.uniform(-0.2, 0.2) * slope[None, :, None]
    )
    balance = generator.uniform(0.7, 1.25) * np.exp(generator.normal(0, 0.15, 3))
    photo = (front * alpha + back * (1 - alpha)) * light * balance + generator.normal(0, 4, (PHOTO, PHOTO, 3))
    return photo.clip(0, 255).astype(np.uint8)
