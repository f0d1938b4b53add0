"""Photos -> training, validation and test set, and what the network sees of them."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from projects.plantdisease.config import Config, DataConfig
from projects.plantdisease.duplicates import Duplicates
from projects.plantdisease.leaf_groups import leaf_groups
from projects.plantdisease.sources import list_photos, source_folder
from shared.compute.device import pick_device
from shared.console import note
from shared.data import splits
from shared.data.augmentation import augment
from shared.data.cache import fingerprint
from shared.data.features import fingerprint_weights, frozen_features
from shared.data.images import load_images, normalise, readable_photos
from shared.data.loader import Item
from shared.data.provenance import Fingerprints
from shared.data.summary import DataSummary, named

ENOUGH = 10
"""Validation photos that a class needs, so that what is said about it can be believed."""


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
        self.folder, self.config = source_folder(config), config
        listed, self.found = list_photos(self.folder, config, classes)
        readable = readable_photos([photo.path for photo in listed], config.damaged, config.cache)
        self.photos = [photo for photo, kept in zip(listed, readable) if kept]
        self.damaged = [photo.path for photo, kept in zip(listed, readable) if not kept]
        self.classes = classes or sorted(self.found.classes)
        self.labels = np.array([photo.label for photo in self.photos])
        self.images, self.images_key = load_images([photo.path for photo in self.photos], decode_size, config.cache)
        self.duplicates = Duplicates.find(self.images, self.images_key, config.cache)
        self.conflicts = self.duplicates.in_two_classes(self.labels)
        self.split_name = self._split_name()
        self.parts, self.dropped = self._split()
        if self.split_name == "session" and config.split == "auto" and (lacking := self._lacking()):
            note(f"split session leaves {lacking[0]}: split leaf")
            self.split_name = "leaf"
            self.parts, self.dropped = self._split()
        if classes is None and self.split_name != "all":
            self._require_every_class()

    def _split(self) -> tuple[np.ndarray, np.ndarray]:
        """The set of every photo, and which copies were left out to keep all of one photo in one set."""
        parts = self._assign()
        parts[self.conflicts] = splits.UNUSED
        return self.duplicates.on_one_side(parts)

    def _lacking(self) -> list[str]:
        """Which set has no photo of which class; of a given split only the training set must have all."""
        return [
            f"no {part} photo of class {name}"
            for part in (splits.NAMES[:1] if self.split_name == "given" else splits.NAMES)
            for number, name in enumerate(self.classes)
            if not (self.parts[self.labels == number] == part).any()
        ]

    def _require_every_class(self) -> None:
        """Raise ValueError where a set lacks a class, with what to do about it."""
        if not (lacking := self._lacking()):
            return
        for number, name in enumerate(self.classes):
            if self.conflicts[self.labels == number].all():
                other = self.classes[self.duplicates.other_class(self.labels, number)]
                raise ValueError(
                    f"all photos of class {name} are in class {other} as well; make them one class with "
                    f"--data.names '{_json({name: other})}', or delete one"
                )
        few = [name for number, name in enumerate(self.classes) if (self.labels == number).sum() < len(splits.NAMES)]
        if few and self.split_name != "given":
            raise ValueError(
                f"fewer than 3 photos of class {named(few)}, but each set needs one; add photos, or leave the class "
                f"out with --data.names '{_json(dict.fromkeys(few))}'"
            )
        other = "leaf" if self.split_name == "session" else "random"
        advice = "" if other == self.split_name else f": --data.split {other}"
        raise ValueError(f"split {self.split_name} leaves {lacking[0]}; it needs more photos, or another split{advice}")

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

    def _split_name(self) -> str:
        split, given = self.config.split, {photo.part for photo in self.photos} - {None}
        divided = splits.TRAIN in given and len(given) > 1
        if split == "given" and not divided:
            raise ValueError(
                f"{self.folder} is not divided into train and validation or test, by folders or by a column split; "
                "use another --data.split"
            )
        if split == "auto" and divided:
            return "given"
        if len(given) > 1 and split != "all":
            listed = ", ".join(sorted(map(str, given)))
            note(f"{self.folder} is divided into {listed}; that is not used, its photos are divided anew")
        return self._split_by_name() if split in ("auto", "leaf", "session") else split

    def _split_by_name(self) -> str:
        """The split that the names of the photos allow."""
        split = self.config.split
        known = [photo.source is not None for photo in self.photos]
        by_leaf = "leaf" if any(known) else "look-alikes"
        if split == "leaf" or (split == "auto" and not any(known)):
            return by_leaf
        if not all(known):
            example = self.photos[known.index(False)].path.name
            if split == "session":
                raise ValueError(
                    f"split session needs file names like `uuid___RS_HL 5641.JPG`, and {example} is not; "
                    "use --data.split leaf"
                )
            told = f"the names of {sum(known)} of {len(known)} photos say when they were taken, that of {example} not"
            note(f"plantdisease: {told}: split leaf")
            return by_leaf
        camera_numbers = np.mean([not photo.names_leaf for photo in self.photos])
        return "session" if split == "session" or camera_numbers > 0.5 else by_leaf

    def _assign(self) -> np.ndarray:
        config = self.config
        fractions = (config.validation, config.test)
        if self.split_name == "all":
            return np.full(len(self.photos), splits.TEST, dtype=object)
        if self.split_name == "given":
            return self._given()
        if self.split_name == "random":
            return splits.grouped(self.duplicates.groups.tolist(), self.labels.tolist(), fractions, config.seed)
        if self.split_name in ("leaf", "look-alikes"):
            return splits.grouped(self._leaves(), self.labels.tolist(), fractions, config.seed)
        sources = [f"{photo.label:03d} {photo.source}" for photo in self.photos]
        numbers = [photo.number or 0 for photo in self.photos]
        return splits.contiguous(sources, numbers, fractions, config.guard, config.seed)

    def _leaves(self) -> list[int]:
        return leaf_groups(self.photos, self.images, self.duplicates.groups)

    def _given(self) -> np.ndarray:
        """The sets that folders or table name; a missing validation or test set is taken from the training set."""
        parts = np.array([photo.part or splits.UNUSED for photo in self.photos], dtype=object)
        fractions = [
            0.0 if (parts == name).any() else size
            for name, size in ((splits.VALIDATION, self.config.validation), (splits.TEST, self.config.test))
        ]
        if any(fractions):
            rows = np.flatnonzero(parts == splits.TRAIN)
            leaves, labels = np.array(self._leaves())[rows].tolist(), self.labels[rows].tolist()
            parts[rows] = splits.grouped(leaves, labels, (fractions[0], fractions[1]), self.config.seed)
            missing = " and ".join(name for name, size in zip((splits.VALIDATION, splits.TEST), fractions) if size)
            note(f"{self.folder} has no {missing} set: it is taken from the training set, by leaf")
        return parts

    def fingerprints(self, part: Photos) -> Fingerprints:
        """Content hashes of the photos of one set."""
        known = self.duplicates.fingerprints
        return Fingerprints(known.exact[part.indices], np.asarray(known.perceptual)[part.indices])

    @property
    def too_few(self) -> dict[str, int]:
        """Classes with fewer than 10 validation photos, and how many they have."""
        counts = np.bincount(self.validation.targets, minlength=len(self.classes)).tolist()
        return {name: count for name, count in zip(self.classes, counts) if count < ENOUGH}

    def summary(self) -> DataSummary:
        """How the photos were understood."""
        guarded = (self.parts == splits.UNUSED) & ~self.conflicts & ~self.dropped
        reasons = {
            "photos that cannot be read": [path.name for path in self.damaged],
            "photos that are in two classes": self._file_names(self.conflicts),
            "copies of photos in another set": self._file_names(self.dropped),
            "photos in none of the sets": self._file_names(guarded) if self.split_name == "given" else [],
            "photos taken next to those of another set": int(guarded.sum()) if self.split_name == "session" else 0,
        }
        facts = dict(self.found.facts)
        if copies := self.duplicates.in_words(self.photos, self.labels):
            table = self.config.cache / f"copies-{self.images_key}.csv"
            self.duplicates.write(table, self.photos, self.classes, self.parts)
            facts["copies"] = f"{copies} (all: {table})"
        if self.split_name != "all" and (few := self.too_few):
            listed = named([f"{name} {count}" for name, count in few.items()])
            facts["too few"] = (
                f"fewer than {ENOUGH} validation photos of {len(few)} of the classes ({listed}): "
                "too few to believe what is said about them"
            )
        return DataSummary(
            items="photos",
            source=str(self.folder),
            parts=Counter(self.parts.tolist()),
            split=self.split_name,
            classes={name: int((self.labels == number).sum()) for number, name in enumerate(self.classes)},
            columns=self.found.columns,
            left_out={**self.found.left_out, **reasons},
            facts=facts,
        )

    def _file_names(self, mask: np.ndarray) -> list[str]:
        return [self.photos[row].path.name for row in np.flatnonzero(mask)]


def _json(names: Mapping[str, str | None]) -> str:
    return json.dumps(names, ensure_ascii=False)


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
