"""Photos -> training, validation and test set, and what the network sees of them."""

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from projects.plantdisease.config import Config, DataConfig
from projects.plantdisease.leaf_groups import leaf_groups
from projects.plantdisease.sources import list_photos, source_folder
from shared.compute.device import pick_device
from shared.data import splits
from shared.data.augmentation import augment
from shared.data.cache import fingerprint
from shared.data.features import fingerprint_weights, frozen_features
from shared.data.images import load_images, normalise, readable_photos
from shared.data.loader import Item
from shared.data.provenance import Fingerprints, photo_fingerprints
from shared.data.summary import DataSummary


@dataclass(frozen=True)
class Photos:
    """A dataset of decoded photos. A batch: images uint8 (B, S, S, 3), targets (B,), seeds (B,)."""

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    """Which rows of `images` and `labels` belong to this part."""

    def __len__(self) -> int:
        return len(self.indices)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        rows = self.indices[[item.index for item in items]]
        seeds = torch.tensor([item.seed for item in items])
        return torch.from_numpy(self.images[rows]), torch.from_numpy(self.labels[rows]), seeds

    @property
    def targets(self) -> np.ndarray:
        """Class numbers, (N,)."""
        return self.labels[self.indices]


@dataclass(frozen=True)
class Features:
    """A dataset of frozen backbone features. A batch: features (B, D), targets (B,)."""

    photos: Photos
    copies: list[np.ndarray]
    """Each float16 (N, D) for all photos: first the photos themselves, then augmented ones."""

    def __len__(self) -> int:
        return len(self.photos)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        rows = self.photos.indices[[item.index for item in items]]
        features = [self.copies[item.seed % len(self.copies)][row] for item, row in zip(items, rows)]
        return torch.from_numpy(np.stack(features)).float(), torch.from_numpy(self.photos.labels[rows])


class LeafData:
    """The photos of a source, decoded and split. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig, decode_size: int, classes: list[str] | None = None) -> None:
        """classes: the classes of a finished run, when its predictor is scored on other photos."""
        self.folder = source_folder(config)
        found, self.classes = list_photos(self.folder, classes)
        readable = readable_photos([photo.path for photo in found], config.damaged, config.cache)
        self.photos = [photo for photo, kept in zip(found, readable) if kept]
        self.damaged = [photo.path for photo, kept in zip(found, readable) if not kept]
        self.labels = np.array([photo.label for photo in self.photos])
        self.images, self.images_key = load_images([photo.path for photo in self.photos], decode_size, config.cache)
        self.split_name = self._split_name(config)
        self.parts = self._assign(config)
        if self.split_name == "all":
            return
        for part in splits.NAMES:
            absent = set(range(len(self.classes))) - set(self.labels[self.parts == part].tolist())
            if absent:
                raise ValueError(
                    f"split {self.split_name} leaves no {part} photo of class {self.classes[min(absent)]}; "
                    "it needs more photos, or another data.split"
                )

    def part(self, name: str) -> Photos:
        """`train`, `validation` or `test`."""
        return Photos(self.images, self.labels, np.flatnonzero(self.parts == name))

    @property
    def train(self) -> Photos:
        return self.part(splits.TRAIN)

    @property
    def validation(self) -> Photos:
        return self.part(splits.VALIDATION)

    @property
    def test(self) -> Photos:
        return self.part(splits.TEST)

    def _split_name(self, config: DataConfig) -> str:
        if config.split not in ("auto", "leaf", "session"):
            return config.split
        named = [photo.source is not None for photo in self.photos]
        by_leaf = "leaf" if any(named) else "look-alikes"
        if config.split == "leaf" or (config.split == "auto" and not any(named)):
            return by_leaf
        if not all(named):
            example = self.photos[named.index(False)].path.name
            if config.split == "session":
                raise ValueError(
                    f"split session needs file names like `uuid___RS_HL 5641.JPG`, and {example} is not; "
                    "use --data.split leaf"
                )
            told = f"the names of {sum(named)} of {len(named)} photos say when they were taken, that of {example} not"
            print(f"plantdisease: {told}: split leaf", file=sys.stderr)
            return by_leaf
        camera_numbers = np.mean([not photo.names_leaf for photo in self.photos])
        return "session" if config.split == "session" or camera_numbers > 0.5 else by_leaf

    def _assign(self, config: DataConfig) -> np.ndarray:
        fractions = (config.validation, config.test)
        if self.split_name == "all":
            return np.full(len(self.photos), splits.TEST, dtype=object)
        if self.split_name == "random":
            return splits.stratified(self.labels.tolist(), fractions, config.seed)
        if self.split_name in ("leaf", "look-alikes"):
            groups = leaf_groups(self.photos, self.images)
            return splits.grouped(groups, self.labels.tolist(), fractions, config.seed)
        sources = [f"{photo.label:03d} {photo.source}" for photo in self.photos]
        numbers = [photo.number or 0 for photo in self.photos]
        return splits.contiguous(sources, numbers, fractions, config.guard, config.seed)

    def fingerprints(self, part: Photos) -> Fingerprints:
        """Content hashes of the photos of one set."""
        return photo_fingerprints(self.images[row] for row in part.indices)

    def summary(self) -> DataSummary:
        """How the photos were understood."""
        return DataSummary(
            items="photos",
            source=str(self.folder),
            parts=Counter(self.parts.tolist()),
            split=self.split_name,
            classes={name: int((self.labels == number).sum()) for number, name in enumerate(self.classes)},
            left_out={"photos that cannot be read": [path.name for path in self.damaged]},
        )


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    return LeafData(config.data, config.model.decode_size).summary()


def backbone_features(backbone: nn.Module, data: LeafData, config: Config) -> list[np.ndarray]:
    """What a frozen backbone makes of every photo, computed once and cached: `head.copies` arrays, float16 (N, D)."""
    size, settings = config.model.image_size, config.head
    weights = fingerprint_weights(backbone)

    def copy(number: int) -> np.ndarray:
        def inputs(start: int, stop: int) -> Tensor:
            images = torch.from_numpy(np.array(data.images[start:stop]))
            if number:
                images = augment(images, torch.arange(start, stop) + number * 10**9, config.augment, size)
            return normalise(images, size)

        augmentation = config.augment.model_dump() if number else {}
        key = fingerprint(data.images_key, weights, size, number, augmentation, "features-1")
        device, title = pick_device(settings.device), f"features, copy {number + 1}"
        return frozen_features(
            backbone, inputs, len(data.images), config.data.cache, key, device, settings.precision, title
        )

    return [copy(number) for number in range(settings.copies)]
