"""Photos with captions -> train, validation and test: the split, and what the network sees."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from projects.imagecaption.config import DataConfig
from projects.imagecaption.encoder import Encoder
from projects.imagecaption.sources import Photo, load_photos
from projects.imagecaption.vocabulary import PAD, Vocabulary, tokenize
from shared.data import splits
from shared.data.cache import fingerprint, fingerprint_files
from shared.data.features import fingerprint_weights, frozen_features
from shared.data.images import read_image
from shared.data.loader import Item

CAPTIONS = 5  # of a photo in one batch; of more, these are drawn


def squash(image: np.ndarray, size: int) -> np.ndarray:
    """The whole image as a square, uint8 (H, W, 3) -> (size, size, 3): captions also tell what stands at the edge."""
    smoothing = cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=smoothing)


@dataclass(frozen=True)
class Pictures:
    """Photos on disk that are decoded when they are asked for."""

    paths: Sequence[Path]
    size: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """uint8 (n, S, S, 3); training, evaluation and prediction all come through here."""
        with ThreadPoolExecutor(2) as pool:  # PIL and OpenCV release the interpreter lock
            return np.stack(list(pool.map(lambda row: self.read(self.paths[row]), rows)))

    def read(self, path: Path) -> np.ndarray:
        """One photo as the network sees it. Raises ValueError or FileNotFoundError with one sentence."""
        return self.prepare(read_image(path, at_least=self.size))

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) of any size -> what the network sees, uint8 (S, S, 3)."""
        return squash(image, self.size)


@dataclass(frozen=True)
class Captioned:
    """A dataset of photos with captions. A batch: what is seen, captions (B, K, T) padded with 0, rows (B,).

    What is seen is uint8 photos (B, S, S, 3), or features float16 (B, L, C) where the encoder is frozen.
    """

    pictures: Pictures
    tokens: list[list[list[int]]]
    """For each photo its captions as numbers."""
    views: list[np.ndarray]
    """Features of the photos and, second, of their mirror images, each (N, L, C); empty if the encoder is trained."""
    mirror: bool = False
    """Show half of the photos mirrored."""

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        rows = [item.index for item in items]
        mirrored = [self.mirror and item.seed % 2 == 1 for item in items]
        if self.views:
            seen = np.stack([self.views[int(other)][row] for row, other in zip(rows, mirrored)])
        else:
            seen = self.pictures[rows]
            seen[mirrored] = seen[mirrored, :, ::-1]
        captions = pad([some_of(self.tokens[item.index], item.seed) for item in items])
        return torch.from_numpy(seen), captions, torch.tensor(rows)

    @cached_property
    def lengths(self) -> list[int]:
        """The longest caption of every photo."""
        return [max(map(len, captions)) for captions in self.tokens]


def some_of(captions: list[list[int]], seed: int) -> list[list[int]]:
    """At most `CAPTIONS` of them, another choice for another seed."""
    if len(captions) <= CAPTIONS:
        return captions
    chosen = np.random.default_rng(seed).permutation(len(captions))[:CAPTIONS]
    return [captions[number] for number in chosen]


def pad(captions: Sequence[Sequence[Sequence[int]]]) -> Tensor:
    """Captions of B photos as one tensor (B, K, T), filled up with 0; a photo with fewer than K has empty ones."""
    most = max(len(several) for several in captions)
    longest = max(len(tokens) for several in captions for tokens in several)
    batch = np.full((len(captions), most, longest), PAD, np.int64)
    for b, several in enumerate(captions):
        for k, tokens in enumerate(several):
            batch[b, k, : len(tokens)] = tokens
    return torch.from_numpy(batch)


class CaptionData:
    """The photos of a source, divided. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig) -> None:
        self.config = config
        self.collection = load_photos(config)
        self.photos = self.collection.photos
        self.split_name, self.parts, self.note = divide(self.photos, config)
        wanted = splits.NAMES if self.split_name in ("official", "random") else (splits.TEST,)
        for part in wanted:
            if not (self.parts == part).any():
                raise ValueError(f"split {self.split_name} leaves no {part} photo; take another data.split")

    def part(self, name: str) -> list[Photo]:
        """The photos of `train`, `validation` or `test`."""
        return [photo for photo, part in zip(self.photos, self.parts) if part == name]

    @property
    def train(self) -> list[Photo]:
        return self.part(splits.TRAIN)

    @property
    def validation(self) -> list[Photo]:
        return self.part(splits.VALIDATION)

    @property
    def test(self) -> list[Photo]:
        return self.part(splits.TEST)

    def summary(self) -> str:
        """One line: how many photos with how many captions are where, and what was left out."""
        counts = Counter(self.parts.tolist())
        parts = ", ".join(f"{counts[part]} {part}" for part in (*splits.NAMES, splits.UNUSED) if counts[part])
        captions = sum(len(photo.captions) for photo in self.photos)
        line = f"{len(self.photos)} photos, {captions} captions, split {self.split_name}: {parts}{self.note}"
        complaints = self.collection.complaints()
        return line + (f" (left out: {complaints})" if complaints else "")


def divide(photos: list[Photo], config: DataConfig) -> tuple[str, np.ndarray, str]:
    """The name of the split, the part of every photo (N,), and what is to be said about it."""
    listed = np.array([photo.part or splits.UNUSED for photo in photos], dtype=object)
    has_lists = bool((listed != splits.UNUSED).any())
    name = config.split if config.split != "auto" else "official" if has_lists else "random"
    if name == "all":
        return name, np.full(len(photos), splits.TEST, dtype=object), ""
    if name == "random":
        parts = splits.grouped(_same(photos), [0] * len(photos), (config.validation, config.test), config.seed)
        return name, parts, ""
    if not has_lists:
        raise ValueError(f"split {name} needs data that come in parts; use --data.split random, or all for evaluate")
    if name in ("train", "dev", "test"):
        wanted = splits.VALIDATION if name == "dev" else name
        if not (listed == wanted).any():
            have = ", ".join(sorted({"dev" if p == splits.VALIDATION else p for p in listed if p != splits.UNUSED}))
            raise ValueError(f"there is no list of {name} photos; there is {have}")
        return name, np.where(listed == wanted, splits.TEST, splits.UNUSED), ""
    note = ""
    if not (listed == splits.TEST).any():
        listed[listed == splits.VALIDATION] = splits.TEST
        note = " (there is no list of test photos: those of dev are the test)"
    if not (listed == splits.VALIDATION).any():
        train = np.flatnonzero(listed == splits.TRAIN)
        same = _same([photos[i] for i in train])
        held = splits.grouped(same, [0] * len(train), (config.validation, 0.0), config.seed)
        listed[train[held == splits.VALIDATION]] = splits.VALIDATION
        note += " (validation is held out of train)"
    return name, listed, note


def _same(photos: Sequence[Photo]) -> list[str]:
    """What photos that are there twice have in common: they stay on one side."""
    return [fingerprint(photo.path.read_bytes()) for photo in photos]


def references(photos: Sequence[Photo]) -> list[list[list[str]]]:
    """The captions of every photo as the words that are scored."""
    return [[tokenize(caption) for caption in photo.captions] for photo in photos]


def to_dataset(
    photos: Sequence[Photo],
    vocabulary: Vocabulary,
    views: list[np.ndarray],
    size: int,
    longest: int,
    mirror: bool = False,
) -> Captioned:
    """Photos and captions as the network sees them."""
    tokens = [[vocabulary.encode(words, longest) for words in several] for several in references(photos)]
    return Captioned(Pictures([photo.path for photo in photos], size), tokens, views, mirror)


def grid_features(
    encoder: Encoder,
    photos: Sequence[Photo],
    size: int,
    cache: Path,
    device: torch.device,
    precision: str,
    mirror: bool = False,
) -> list[np.ndarray]:
    """What the frozen encoder makes of photos and, with `mirror`, of their mirror images: float16 (N, L, C) each."""
    pictures = Pictures([photo.path for photo in photos], size)
    content, weights = fingerprint_files(pictures.paths), fingerprint_weights(encoder)

    def view(mirrored: bool) -> np.ndarray:
        def inputs(start: int, stop: int) -> Tensor:
            images = torch.from_numpy(pictures[range(start, stop)])  # (B, S, S, 3)
            return images.flip(2) if mirrored else images

        key = fingerprint(content, weights, size, mirrored, "grid-1")
        title = "features of mirrored photos" if mirrored else "features"
        return frozen_features(encoder, inputs, len(photos), cache, key, device, precision, title)

    return [view(False), *([view(True)] if mirror else [])]
