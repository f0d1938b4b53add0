"""Photos and plates -> what the two networks see: views of photos with boxes and corners, plates with their text."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from projects.numberplate.config import Config, DataConfig
from projects.numberplate.detect import PAINT
from projects.numberplate.formats import CHARACTERS, LONGEST
from projects.numberplate.geometry import box_of, corners_of, iou, outline, rectify
from projects.numberplate.model import READER_SIZE
from projects.numberplate.sources import Crop, Photo, counted, load_tables
from projects.numberplate.synthetic import camera
from projects.numberplate.synthetic.fonts import Font, carried, load_fonts
from projects.numberplate.synthetic.plates import draw_plate
from shared.data import splits
from shared.data.images import read_image
from shared.data.loader import Item

MOST_PLATES = 12
"""Plates of one training view; further ones are painted over."""
SMALLEST = 9
"""Plates narrower than this many pixels are painted over in training views."""
WORDS = 0.3
"""Part of the training views that have words written on them which are no plate."""


class PlateData:
    """The photos and crops of a source, divided. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig) -> None:
        self.photos, self.crops = load_tables(config)

    def photos_of(self, part: str) -> list[Photo]:
        """Photos of `train`, `validation` or `test`."""
        return [photo for photo in self.photos if photo.part == part]

    def crops_of(self, part: str) -> list[Crop]:
        """Plates with a text of `train`, `validation` or `test`."""
        return [crop for crop in self.crops if crop.part == part]

    def summary(self) -> str:
        """One line: how many photos and plates are where."""
        plates = sum(len(photo.boxes) for photo in self.photos)
        parts = [
            f"{len(self.photos)} photos with {plates} plates: {counted([p.part for p in self.photos])}"
            if self.photos
            else "",
            f"{len(self.crops)} texts: {counted([c.part for c in self.crops])}" if self.crops else "",
        ]
        return "; ".join(part for part in parts if part)


def fonts_of(config: DataConfig) -> list[Font]:
    """What plates are drawn with: for the sample what every machine has, else all there is."""
    if config.source == "sample" and config.glyphs:
        raise ValueError("data.glyphs is for source csv; the sample is drawn with what every machine has")
    return carried() if config.source == "sample" else load_fonts(config.glyphs)


def pick(fonts: list[Font], rng: np.random.Generator) -> Font:
    """One of the load_fonts; glyph sheets, which show real plates and come first, in half of the draws."""
    sheets = sum(len(font["7"]) > 1 for font in fonts)
    return fonts[int(rng.integers(sheets if sheets and rng.random() < 0.5 else len(fonts)))]


@dataclass(frozen=True)
class RandomViews:
    """Random views of photos for the detector, some with drawn plates pasted in: a function of the item's seed alone.

    A batch: images uint8 (B, S, S, 3), boxes (B, M, 4), corners (B, M, 4, 2) in pixels; NaN where there is none.
    """

    photos: list[Photo]
    fonts: list[Font]
    count: int
    size: int
    real: float

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        views = [self.view(np.random.default_rng(item.seed)) for item in items]
        images, boxes, corners = (torch.from_numpy(np.stack(part)) for part in zip(*views))
        return images, boxes, corners

    def view(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One view (S, S, 3) with its boxes (M, 4) and corners (M, 4, 2)."""
        photo = self.photos[int(rng.integers(len(self.photos)))]
        image = read_image(photo.path)
        view, boxes, corners = random_view(image, photo.boxes, photo.corners, self.size, rng)
        if rng.random() >= self.real:
            boxes, corners = self._paste(view, boxes, corners, rng)
        if rng.random() < WORDS:
            write_words(view, boxes, rng)
        view, boxes, corners = paint_over(view, boxes, corners)
        padded = np.full((MOST_PLATES, 4), np.nan, np.float32), np.full((MOST_PLATES, 4, 2), np.nan, np.float32)
        padded[0][: len(boxes)], padded[1][: len(boxes)] = boxes, corners
        return change_light(view, rng), *padded

    def _paste(
        self, view: np.ndarray, boxes: np.ndarray, corners: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw one to three plates into a view where no plate is."""
        for _ in range(int(rng.integers(1, 4))):
            plate = draw_plate(pick(self.fonts, rng), rng)
            width = float(np.exp(rng.uniform(np.log(16), np.log(0.8 * self.size))))
            quad = camera.tilted(width, width * plate.image.shape[0] / plate.image.shape[1], rng)
            quad = (quad + rng.uniform(0.05, 0.95, 2) * self.size).astype(np.float32)
            box = box_of(quad)
            if not iou(box, boxes).any():
                camera.paste(view, plate.image, quad, rng)
                boxes, corners = np.vstack([boxes, box[None]]), np.concatenate([corners, quad[None]])
        return boxes, corners


def random_view(
    image: np.ndarray, boxes: np.ndarray, corners: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A turned, scaled, shifted and mirrored part of a photo, (S, S, 3), and where its plates are in it.

    Mostly scaled by a plate, so that every width from a few pixels to most of the view is about as frequent. Not turned
    where the corners of a plate are not known: the box around a turned box is too high for what is in it.
    """
    height, width = image.shape[:2]
    whole = size / max(height, width)
    scale, middle = whole * np.exp(rng.uniform(-0.3, 1.2)), rng.uniform(0, 1, 2) * (width, height)
    if len(boxes) and rng.random() < 0.7:
        x0, y0, x1, y1 = boxes[int(rng.integers(len(boxes)))]
        scale = np.exp(rng.uniform(np.log(14), np.log(0.8 * size))) / (x1 - x0)
        scale = float(np.clip(scale, 0.5 * whole, max(5 * whole, 2.5)))
        middle = np.array([x0 + x1, y0 + y1]) / 2 + rng.uniform(-0.4, 0.4, 2) * size / scale
    reach, whole_photo = size / (2 * scale), np.array([width, height])
    middle = np.clip(middle, np.minimum(reach, whole_photo - reach), np.maximum(reach, whole_photo - reach))
    known = np.isfinite(corners).all(axis=(1, 2)).reshape(-1, 1, 1)
    angle = np.radians(np.clip(rng.normal(0, 3), -8, 8)) if known.all() else 0.0
    stretch = np.exp(rng.normal(0, 0.08))
    mirror = -1 if rng.random() < 0.5 else 1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([mirror * stretch, 1])
    matrix = np.hstack([scale * turn, (size / 2 - scale * turn @ middle)[:, None]])
    if scale < 0.6:  # smooth first, as the resizing of `detect` does
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        to_small = np.array([small.shape[1] / width, small.shape[0] / height])
        from_small = np.hstack([matrix[:, :2] / to_small, matrix[:, 2:]])
        view = cv2.warpAffine(small, of_middles(from_small), (size, size), borderValue=(PAINT,) * 3)
    else:
        view = cv2.warpAffine(image, of_middles(matrix), (size, size), borderValue=(PAINT,) * 3)
    quads = np.where(known, corners, corners_of(boxes)) @ matrix[:, :2].T + matrix[:, 2]
    boxes = box_of(quads).astype(np.float32)
    quads = np.where(known, quads[:, [1, 0, 3, 2]] if mirror < 0 else quads, np.nan).astype(np.float32)
    return view, boxes, quads


def of_middles(matrix: np.ndarray) -> np.ndarray:
    """The affine map (2, 3) of places counted from the edge of the first pixel, as those of boxes and corners are, for
    OpenCV, which counts from its middle."""
    return np.hstack([matrix[:, :2], matrix[:, 2:] + matrix[:, :2].sum(axis=1, keepdims=True) / 2 - 0.5])


def write_words(view: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> None:
    """Stamps, brands and signs where no plate is: writing that must not be taken for one. In place."""
    for _ in range(int(rng.integers(1, 4))):
        letters = rng.choice(
            list("0123456789:-. abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), int(rng.integers(3, 20))
        )
        words, font = "".join(letters), int(rng.integers(0, 8))
        scale, thick = float(np.exp(rng.uniform(-1.2, 0.4))), int(rng.integers(1, 4))
        (wide, high), low = cv2.getTextSize(words, font, scale, thick)
        x, y = rng.integers(-wide // 3, view.shape[1] - wide // 3), rng.integers(high, view.shape[0])
        place = np.array([x, y - high, x + wide, y + low], np.float32)
        if not iou(place, boxes).any():
            colour = tuple(rng.uniform(0, 255, 3))
            cv2.putText(view, words, (int(x), int(y)), font, scale, colour, thick, cv2.LINE_AA)


def paint_over(view: np.ndarray, boxes: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plates that can be learned from; those too small or mostly outside are painted over."""
    size = view.shape[0]
    inside = np.clip(boxes, 0, size)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    seen = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1]) / np.maximum(area, 1e-6)
    kept = (seen > 0.7) & (boxes[:, 2] - boxes[:, 0] >= SMALLEST)
    kept &= np.cumsum(kept) <= MOST_PLATES
    for x0, y0, x1, y1 in inside[~kept & (seen > 0)]:
        view[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = PAINT
    return view, boxes[kept], corners[kept]


def change_light(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another camera and another hour: uint8 (S, S, 3) -> the same."""
    draw = rng.random()
    if draw < 0.15:
        view = np.repeat(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    elif draw < 0.3:
        view = view[:, :, rng.permutation(3)]
    return camera.light(np.ascontiguousarray(view), rng, 0.5)


def cut(image: np.ndarray, crop: Crop, margin: float = 0.12) -> np.ndarray:
    """The plate of a crop in grey, with a little around it where it is part of a photo."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if crop.box is None:
        return grey
    x0, y0, x1, y1 = crop.box
    dx, dy = margin * (y1 - y0), margin * (y1 - y0)
    if x0 >= image.shape[1] or y0 >= image.shape[0] or x1 <= 0 or y1 <= 0:
        raise ValueError(f"a box of {crop.path} lies outside of the photo")
    top, left = max(0, round(y0 - dy)), max(0, round(x0 - dx))
    return grey[top : max(top + 4, round(y1 + dy)), left : max(left + 4, round(x1 + dx))]


class Plates:
    """Plates for the reader: real ones from other angles and in other light, and drawn ones; by the item's seed alone.

    A batch: plates uint8 (B, 48, 160), texts (B, LONGEST) int64 (1 + character number, 0 is padding), lengths (B,).
    """

    def __init__(self, crops: list[Crop], fonts: list[Font], count: int, real: float, difficulty: float = 1.0) -> None:
        self.fonts, self.count, self.difficulty = fonts, count, hard
        self.images, self.texts = load_crops(crops)
        self.real = real if self.images else 0.0
        sizes: dict[str, int] = {}
        for crop in crops:
            sizes[crop.group] = sizes.get(crop.group, 0) + 1
        weights = np.array([sizes[crop.group] ** -0.5 for crop in crops])  # sets by the root of their size
        self.upto = np.cumsum(weights / weights.sum()) if crops else np.zeros(0)

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        drawn = [self.plate(np.random.default_rng(item.seed)) for item in items]
        return _batch([image for image, _ in drawn], [text for _, text in drawn])

    def plate(self, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """One plate as the reader sees it, and its text."""
        if rng.random() < self.real:
            index = min(int(np.searchsorted(self.upto, rng.random())), len(self.images) - 1)
            return camera.view(self.images[index], READER_SIZE, rng, 0.6), self.texts[index]
        plate = draw_plate(pick(self.fonts, rng), rng, self.difficulty)
        return camera.view(plate.image, READER_SIZE, rng, self.difficulty, small=11), plate.text


class FixedPlates:
    """Crops as they are, for validation and test."""

    def __init__(self, crops: list[Crop]) -> None:
        self.images, self.texts = load_crops(crops)

    def __len__(self) -> int:
        return len(self.texts)

    def flat(self, index: int) -> np.ndarray:
        """One plate as the reader sees it, uint8 (48, 160)."""
        height, width = self.images[index].shape
        return rectify(self.images[index], outline(width, height), READER_SIZE)


def load_crops(crops: list[Crop]) -> tuple[list[np.ndarray], list[str]]:
    """The plates of crops, grey, decoded once, and their texts."""
    images: list[np.ndarray] = []
    last: tuple[Path | None, np.ndarray] = (None, np.zeros((1, 1, 3), np.uint8))
    for crop in tqdm(crops, desc="plates", unit="plate", leave=False):
        if crop.path != last[0]:
            last = (crop.path, read_image(crop.path))
        images.append(np.ascontiguousarray(cut(last[1], crop)))
    return images, [crop.text for crop in crops]


def _batch(images: list[np.ndarray], texts: list[str]) -> tuple[Tensor, Tensor, Tensor]:
    padded = np.zeros((len(texts), LONGEST), np.int64)
    for row, text in enumerate(texts):
        padded[row, : len(text)] = [1 + CHARACTERS.index(c) for c in text]
    return torch.from_numpy(np.stack(images)), torch.from_numpy(padded), torch.tensor([len(text) for text in texts])


def training_plates(data: PlateData, config: Config) -> Plates:
    """What the reader is trained on."""
    settings = config.reader
    return Plates(
        data.crops_of(splits.TRAIN),
        fonts_of(config.data),
        settings.samples_per_epoch,
        settings.real_fraction,
        settings.difficulty,
    )


def validation_plates(data: PlateData) -> FixedPlates:
    """What decides which of the reader's weights are kept. Raises ValueError if there is none."""
    plates = FixedPlates(data.crops_of(splits.VALIDATION))
    if not len(plates):
        raise ValueError("the split leaves no validation plate with a text; --part detector trains without texts")
    return plates


def training_views(data: PlateData, config: Config) -> RandomViews:
    """What the detector is trained on. Raises ValueError if there is no photo, or none with a plate to validate on."""
    photos = data.photos_of(splits.TRAIN)
    if not photos:
        raise ValueError("there is no photo to train the detector on; --part reader trains the reader alone")
    if not any(len(photo.boxes) for photo in data.photos_of(splits.VALIDATION)):
        raise ValueError("the split leaves no validation photo with a plate; it needs more photos")
    settings = config.detector
    return RandomViews(
        photos, fonts_of(config.data), settings.samples_per_epoch, settings.image_size, settings.real_fraction
    )
