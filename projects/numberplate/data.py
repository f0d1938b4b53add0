"""Photos and crops -> training, validation and test set, and the training batches of both networks."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from projects.numberplate.augmentation import MAX_PLATES, colour_jitter, mask_unusable, random_view, write_words
from projects.numberplate.config import Config, DataConfig
from projects.numberplate.formats import CHARACTERS, MAX_LENGTH
from projects.numberplate.geometry import box_of, iou, outline, rectify
from projects.numberplate.model import READER_SIZE
from projects.numberplate.sources import Crop, Photo, counted, load_plates
from projects.numberplate.synthetic import camera
from projects.numberplate.synthetic.fonts import Font, load_fonts, matplotlib_fonts
from projects.numberplate.synthetic.plates import draw_plate
from shared.data import splits
from shared.data.images import read_image
from shared.data.loader import Item
from shared.data.provenance import Fingerprints, file_fingerprints
from shared.data.summary import DataSummary
from shared.names import shown

FEW = " (evaluate --run shipped scores any number)"
WORDS = 0.3
"""Fraction of the training views with words written on them."""


class PlateData:
    """The photos and crops of a source, split. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig) -> None:
        self.photos, self.crops, self.understood = load_plates(config)
        self.source, self.split_name = f"{config.root or config.crops or config.source}", config.split

    def photos_of(self, split: str) -> list[Photo]:
        """Photos of the `train`, `validation` or `test` set."""
        return [photo for photo in self.photos if photo.split == split]

    def crops_of(self, split: str) -> list[Crop]:
        """Plates with a text of the `train`, `validation` or `test` set."""
        return [crop for crop in self.crops if crop.split == split]

    def fingerprints(self, split: str, part: str) -> Fingerprints:
        """Content hashes of the files of a set that the detector, the reader or both use."""
        photos = self.photos_of(split) if part in ("both", "detector") else []
        crops = self.crops_of(split) if part in ("both", "reader") else []
        return file_fingerprints(one.path for one in (*photos, *crops))

    def summary(self) -> DataSummary:
        """How the photos, plates and texts were understood."""
        plates = sum(len(photo.boxes) for photo in self.photos)
        empty = sum(not len(photo.boxes) for photo in self.photos)
        texts = f"{len(self.crops):,}: {counted([crop.split for crop in self.crops])}" if self.crops else "none"
        found = self.understood
        return DataSummary(
            items="photos" if self.photos else "crops",
            source=self.source,
            parts=Counter(one.split for one in self.photos or self.crops),
            split=self.split_name,
            columns=found.columns,
            left_out=found.left_out,
            facts={
                **found.facts,
                **({"plates": f"{plates:,}; {empty:,} photos without a plate"} if self.photos else {}),
                "texts": texts,
                **({"such as": self._example()} if self.photos or self.crops else {}),
            },
        )

    def _example(self) -> str:
        """One plate, to compare with its photo."""
        for photo in self.photos:
            for box, text in zip(photo.boxes, photo.texts):
                numbers = ", ".join(f"{number:g}" for number in box)
                return f"{shown(photo.path.name)}: {shown(text) or 'no text'} in the box {numbers}"
        return f"{shown(self.crops[0].path.name)}: {shown(self.crops[0].text)}" if self.crops else "no plate"


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    data = PlateData(config.data)
    try:
        require_plates(data, config.part)
    except ValueError:
        print(data.summary().details(), flush=True)  # what was understood, before what is missing
        raise
    return data.summary()


def require_plates(data: PlateData, part: str) -> None:
    """Raise ValueError where a set of the network that is trained would be empty."""
    if part in ("both", "detector"):
        if not data.photos_of(splits.TRAIN):
            raise ValueError("there is no training photo for the detector; --part reader trains the reader alone")
        if not any(len(photo.boxes) for photo in data.photos_of(splits.VALIDATION)):
            raise ValueError(f"the split leaves no validation photo with a plate; it needs more photos{FEW}")
    if part in ("both", "reader") and not data.crops_of(splits.VALIDATION):
        raise ValueError("the split leaves no validation plate with a text; --part detector trains without texts")
    if not data.photos_of(splits.TEST) and not data.crops_of(splits.TEST):
        raise ValueError(f"the split leaves nothing to test on; it needs more photos{FEW}")


def fonts_for(config: DataConfig) -> list[Font]:
    """The fonts of drawn plates: for the sample those of matplotlib, else all that are installed."""
    if config.source == "sample" and config.glyphs:
        raise ValueError("data.glyphs is for source csv; the sample is drawn with fonts that every machine has")
    return matplotlib_fonts() if config.source == "sample" else load_fonts(config.glyphs)


def pick_font(fonts: list[Font], rng: np.random.Generator) -> Font:
    """A random font; with probability 0.5 a glyph sheet (from real plates), which come first in the list."""
    sheets = sum(len(font["7"]) > 1 for font in fonts)
    return fonts[int(rng.integers(sheets if sheets and rng.random() < 0.5 else len(fonts)))]


@dataclass(frozen=True)
class RandomViews:
    """A dataset of random views of photos for the detector, some with drawn plates pasted in. A view depends on its
    item's seed alone.

    A batch: images uint8 (B, S, S, 3), boxes (B, M, 4), corners (B, M, 4, 2) in pixels; NaN where there is none.
    """

    photos: list[Photo]
    fonts: list[Font]
    count: int
    size: int
    real_fraction: float

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
        if rng.random() >= self.real_fraction:
            boxes, corners = self._paste(view, boxes, corners, rng)
        if rng.random() < WORDS:
            write_words(view, boxes, rng)
        view, boxes, corners = mask_unusable(view, boxes, corners)
        padded = np.full((MAX_PLATES, 4), np.nan, np.float32), np.full((MAX_PLATES, 4, 2), np.nan, np.float32)
        padded[0][: len(boxes)], padded[1][: len(boxes)] = boxes, corners
        return colour_jitter(view, rng), *padded

    def _paste(
        self, view: np.ndarray, boxes: np.ndarray, corners: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Paste one to three drawn plates into a view, without overlapping another plate."""
        for _ in range(int(rng.integers(1, 4))):
            plate = draw_plate(pick_font(self.fonts, rng), rng)
            width = float(np.exp(rng.uniform(np.log(16), np.log(0.8 * self.size))))
            quad = camera.tilted_corners(width, width * plate.image.shape[0] / plate.image.shape[1], rng)
            quad = (quad + rng.uniform(0.05, 0.95, 2) * self.size).astype(np.float32)
            box = box_of(quad)
            if not iou(box, boxes).any():
                camera.paste(view, plate.image, quad, rng)
                boxes, corners = np.vstack([boxes, box[None]]), np.concatenate([corners, quad[None]])
        return boxes, corners


class RandomPlates:
    """A dataset of plates for the reader: augmented real crops, and drawn plates. A plate depends on the seed of its
    item alone.

    A batch: plates uint8 (B, 48, 160), texts (B, MAX_LENGTH) int64 (1 + character number, 0 is padding), lengths (B,).
    """

    def __init__(
        self, crops: list[Crop], fonts: list[Font], count: int, real_fraction: float, difficulty: float = 1.0
    ) -> None:
        self.fonts, self.count, self.difficulty = fonts, count, difficulty
        self.images, self.texts = load_crops(crops)
        self.real_fraction = real_fraction if self.images else 0.0
        sizes: dict[str, int] = {}
        for crop in crops:
            sizes[crop.set_name] = sizes.get(crop.set_name, 0) + 1
        weights = np.array(
            [sizes[crop.set_name] ** -0.5 for crop in crops]
        )  # sets are drawn in proportion to the square root of their size
        self.cumulative = np.cumsum(weights / weights.sum()) if crops else np.zeros(0)

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        plates = [self.plate(np.random.default_rng(item.seed)) for item in items]
        return _batch([image for image, _ in plates], [text for _, text in plates])

    def plate(self, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """One plate as the reader's input, and its text."""
        if rng.random() < self.real_fraction:
            index = min(int(np.searchsorted(self.cumulative, rng.random())), len(self.images) - 1)
            return camera.close_up(self.images[index], READER_SIZE, rng, 0.6), self.texts[index]
        plate = draw_plate(pick_font(self.fonts, rng), rng, self.difficulty)
        return camera.close_up(plate.image, READER_SIZE, rng, self.difficulty, min_height=11), plate.text


class FixedPlates:
    """Crops without augmentation, for validation and test."""

    def __init__(self, crops: list[Crop]) -> None:
        self.images, self.texts = load_crops(crops)

    def __len__(self) -> int:
        return len(self.texts)

    def rectified(self, index: int) -> np.ndarray:
        """One plate as the reader's input, uint8 (48, 160)."""
        height, width = self.images[index].shape
        return rectify(self.images[index], outline(width, height), READER_SIZE)


def load_crops(crops: list[Crop]) -> tuple[list[np.ndarray], list[str]]:
    """The plates of crops, grey, decoded once, and their texts."""
    images: list[np.ndarray] = []
    last: tuple[Path | None, np.ndarray] = (None, np.zeros((1, 1, 3), np.uint8))
    for crop in tqdm(crops, desc="plates", unit="plate", leave=False):
        if crop.path != last[0]:
            last = (crop.path, read_image(crop.path))
        images.append(np.ascontiguousarray(crop_plate(last[1], crop)))
    return images, [crop.text for crop in crops]


def crop_plate(image: np.ndarray, crop: Crop, margin: float = 0.12) -> np.ndarray:
    """The plate of a crop in grey; where it is part of a photo, with a margin."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if crop.box is None:
        return grey
    x0, y0, x1, y1 = crop.box
    dx, dy = margin * (y1 - y0), margin * (y1 - y0)
    if x0 >= image.shape[1] or y0 >= image.shape[0] or x1 <= 0 or y1 <= 0:
        raise ValueError(f"a box of {crop.path} lies outside of the photo")
    top, left = max(0, round(y0 - dy)), max(0, round(x0 - dx))
    return grey[top : max(top + 4, round(y1 + dy)), left : max(left + 4, round(x1 + dx))]


def _batch(images: list[np.ndarray], texts: list[str]) -> tuple[Tensor, Tensor, Tensor]:
    padded = np.zeros((len(texts), MAX_LENGTH), np.int64)
    for row, text in enumerate(texts):
        padded[row, : len(text)] = [1 + CHARACTERS.index(c) for c in text]
    return torch.from_numpy(np.stack(images)), torch.from_numpy(padded), torch.tensor([len(text) for text in texts])


def training_views(data: PlateData, config: Config) -> RandomViews:
    """The detector's training set."""
    photos = data.photos_of(splits.TRAIN)
    settings = config.detector
    return RandomViews(
        photos, fonts_for(config.data), settings.samples_per_epoch, settings.image_size, settings.real_fraction
    )


def training_plates(data: PlateData, config: Config) -> RandomPlates:
    """The reader's training set."""
    settings, crops = config.reader, data.crops_of(splits.TRAIN)
    fonts = fonts_for(config.data)
    return RandomPlates(crops, fonts, settings.samples_per_epoch, settings.real_fraction, settings.difficulty)
