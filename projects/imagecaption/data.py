"""Photos with captions -> training, validation and test set, and the input of the network."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from projects.imagecaption.config import Config, DataConfig, ModelConfig
from projects.imagecaption.encoder import Encoder
from projects.imagecaption.sources import Photo, load_photos
from projects.imagecaption.vocabulary import PAD, SPECIAL, Vocabulary, tokenize
from shared.data import splits
from shared.data.cache import fingerprint, fingerprint_files
from shared.data.features import fingerprint_weights, frozen_features
from shared.data.images import read_image
from shared.data.loader import Item
from shared.data.provenance import Fingerprints, copies, photo_fingerprints
from shared.data.summary import DataSummary

CAPTIONS_PER_PHOTO = 5  # in one batch; of more captions, five are drawn
THUMBNAIL = 64  # pixels to which a JPEG may be decoded for its fingerprint
TRAINED, VALIDATED = 0, 1  # values of `Fingerprints.fit`: training and validation photos


def resize_to_square(image: np.ndarray, size: int) -> np.ndarray:
    """The whole image as a square, uint8 (H, W, 3) -> (size, size, 3). No cropping: captions mention the edges, too."""
    interpolation = cv2.INTER_AREA if min(image.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=interpolation)


@dataclass(frozen=True)
class PhotoFiles:
    """Photos on disk, decoded on access."""

    paths: Sequence[Path]
    size: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """uint8 (N, S, S, 3)."""
        with ThreadPoolExecutor(2) as pool:  # PIL and OpenCV release the interpreter lock
            return np.stack(list(pool.map(lambda row: self.read(self.paths[row]), rows)))

    def read(self, path: Path) -> np.ndarray:
        """One photo as the network's input. Raises ValueError or FileNotFoundError with one sentence."""
        return resize_to_square(read_image(path, at_least=self.size), self.size)


@dataclass(frozen=True)
class CaptionedPhotos:
    """A dataset of photos with captions. A batch: inputs, captions (B, K, T) padded with 0, indices of the photos (B,).

    The inputs are photos uint8 (B, S, S, 3), or features float16 (B, L, C) where the encoder is frozen.
    """

    files: PhotoFiles
    tokens: list[list[list[int]]]
    """The captions of each photo as token numbers."""
    features: list[np.ndarray]
    """Frozen encoder: features of the photos and then of the mirrored photos, (N, L, C) each; otherwise empty."""
    horizontal_flip: bool = False
    """Mirror half of the photos."""

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        rows = [item.index for item in items]
        mirrored = [self.horizontal_flip and item.seed % 2 == 1 for item in items]
        if self.features:
            inputs = np.stack([self.features[int(flip)][row] for row, flip in zip(rows, mirrored)])
        else:
            inputs = self.files[rows]
            inputs[mirrored] = inputs[mirrored, :, ::-1]
        captions = pad_captions([subsample_captions(self.tokens[item.index], item.seed) for item in items])
        return torch.from_numpy(inputs), captions, torch.tensor(rows)

    @cached_property
    def lengths(self) -> list[int]:
        """The length of the longest caption of every photo."""
        return [max(map(len, captions)) for captions in self.tokens]


def subsample_captions(captions: list[list[int]], seed: int) -> list[list[int]]:
    """At most `CAPTIONS_PER_PHOTO` captions, chosen at random by the seed."""
    if len(captions) <= CAPTIONS_PER_PHOTO:
        return captions
    chosen = np.random.default_rng(seed).permutation(len(captions))[:CAPTIONS_PER_PHOTO]
    return [captions[number] for number in chosen]


def pad_captions(captions: Sequence[Sequence[Sequence[int]]]) -> Tensor:
    """Captions of B photos as one tensor (B, K, T), padded with 0; a photo with fewer than K gets empty ones."""
    most = max(len(several) for several in captions)
    longest = max(len(tokens) for several in captions for tokens in several)
    batch = np.full((len(captions), most, longest), PAD, np.int64)
    for b, several in enumerate(captions):
        for k, tokens in enumerate(several):
            batch[b, k, : len(tokens)] = tokens
    return torch.from_numpy(batch)


class CaptionData:
    """The photos of a source, split. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig) -> None:
        self.source = f"{config.root or config.source}"
        self.collection = load_photos(config)
        self.photos = self.collection.photos
        self.split_name, self.parts, self.note = assign_parts(self.photos, config)
        needed = splits.NAMES if self.split_name in ("official", "random") else (splits.TEST,)
        for part in needed:
            if not (self.parts == part).any():
                advice = "there must be more photos" if self.split_name == "random" else "use --data.split random"
                raise ValueError(f"split {self.split_name} leaves no {part} photo of {len(self.photos)}; {advice}")

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

    def summary(self, config: Config | None = None) -> DataSummary:
        """How the photos and captions were understood; with the settings of a training, also what it leaves out of the
        captions."""
        captions = sum(len(photo.captions) for photo in self.photos)
        files = self.collection.files
        columns = files[0].columns if len(files) == 1 else {}
        read = ", ".join(file.name for file in files)
        return DataSummary(
            items="photos",
            source=self.source,
            parts=Counter(self.parts.tolist()),
            split=f"{self.split_name}{self.note}",
            left_out=self.collection.left_out,
            columns=columns,
            facts={
                "captions": f"{captions:,}, {captions / len(self.photos):.1f} a photo, from {read}",
                **(self.word_facts(config.model) if config else {}),
            },
        )

    def word_facts(self, model: ModelConfig) -> dict[str, str]:
        """How many training captions are cut, and how many words the vocabulary does not know.

        Raises ValueError where no word is frequent enough.
        """
        captions = {
            part: [words for several in references(self.part(part)) for words in several] for part in splits.NAMES
        }
        training = captions[splits.TRAIN]
        vocabulary = Vocabulary.build(training, model.min_count)
        known = {}
        for part in (splits.VALIDATION, splits.TEST):
            words = [word for caption in captions[part] for word in caption]
            known[part] = sum(word in vocabulary.index for word in words) / max(1, len(words))
        cut = sum(len(words) > model.max_words for words in training)
        mean = sum(map(len, training)) / len(training)
        return {
            "words": f"{mean:.1f} a training caption; {cut:,} of {len(training):,} have more than {model.max_words} "
            "and are cut (model.max_words)",
            "words known": ", ".join(f"{share:.0%} in {part}" for part, share in known.items())
            + f": the {len(vocabulary) - len(SPECIAL):,} that occur at least {model.min_count} times in train "
            "(model.min_count)",
        }


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    return CaptionData(config.data).summary(config)


def assign_parts(photos: list[Photo], config: DataConfig) -> tuple[str, np.ndarray, str]:
    """The name of the split, the set that every photo belongs to (N,), and a note for the summary."""
    listed = np.array([photo.part or splits.UNUSED for photo in photos], dtype=object)
    has_lists = bool((listed != splits.UNUSED).any())
    name = config.split if config.split != "auto" else "official" if has_lists else "random"
    if name == "all":
        return name, np.full(len(photos), splits.TEST, dtype=object), ""
    if name == "random":
        fractions = (config.validation, config.test)
        return name, splits.grouped(copies_of(photos), [0] * len(photos), fractions, config.seed), ""
    if not has_lists:
        raise ValueError(f"split {name} needs data with lists; use --data.split random, or all for evaluate")
    if name in ("train", "dev", "test"):
        wanted = splits.VALIDATION if name == "dev" else name
        if not (listed == wanted).any():
            available = ", ".join(
                sorted({"dev" if p == splits.VALIDATION else p for p in listed if p != splits.UNUSED})
            )
            raise ValueError(f"there is no list of {name} photos; there is {available}")
        return name, np.where(listed == wanted, splits.TEST, splits.UNUSED), ""
    note = ""
    if not (listed == splits.TEST).any():
        listed[listed == splits.VALIDATION] = splits.TEST
        note = " (no test list: the dev photos are the test set)"
    if not (listed == splits.VALIDATION).any():
        train = np.flatnonzero(listed == splits.TRAIN)
        held_out = splits.grouped(
            copies_of([photos[i] for i in train]), [0] * len(train), (config.validation, 0.0), config.seed
        )
        listed[train[held_out == splits.VALIDATION]] = splits.VALIDATION
        note += " (the validation set is taken from train)"
    return name, listed, note


def copies_of(photos: Sequence[Photo]) -> list[int]:
    """Equal numbers for the same photo, also re-encoded or resized: copies must be in the same set."""
    return copies(fingerprints(photos)).tolist() if photos else []


def fingerprints(photos: Sequence[Photo], fit: int | None = None) -> Fingerprints:
    """Content hashes of photos. fit: `TRAINED` or `VALIDATED`, for the provenance of a run."""

    def compute(photo: Photo) -> Fingerprints:
        return photo_fingerprints([read_image(photo.path, at_least=THUMBNAIL)])

    with ThreadPoolExecutor() as pool:  # PIL and OpenCV release the interpreter lock
        found = pool.map(compute, photos)
        each = list(tqdm(found, total=len(photos), desc="fingerprints", unit="photo", leave=False))
    joined = Fingerprints.join(*each)
    return joined if fit is None else replace(joined, fit=np.full(len(photos), fit, np.int64))


def references(photos: Sequence[Photo]) -> list[list[list[str]]]:
    """The tokenised reference captions of every photo."""
    return [[tokenize(caption) for caption in photo.captions] for photo in photos]


def to_dataset(
    photos: Sequence[Photo],
    vocabulary: Vocabulary,
    features: list[np.ndarray],
    size: int,
    max_words: int,
    horizontal_flip: bool = False,
) -> CaptionedPhotos:
    """Photos with their captions as token numbers."""
    tokens = [[vocabulary.encode(words, max_words) for words in several] for several in references(photos)]
    return CaptionedPhotos(PhotoFiles([photo.path for photo in photos], size), tokens, features, horizontal_flip)


def grid_features(
    encoder: Encoder,
    photos: Sequence[Photo],
    size: int,
    cache: Path,
    device: torch.device,
    precision: str,
    horizontal_flip: bool = False,
) -> list[np.ndarray]:
    """Features of photos and, with `horizontal_flip`, of the mirrored photos from a frozen encoder, computed once and
    cached: float16 (N, L, C) each."""
    files = PhotoFiles([photo.path for photo in photos], size)
    content, weights = fingerprint_files(files.paths), fingerprint_weights(encoder)

    def compute(mirrored: bool) -> np.ndarray:
        def inputs(start: int, stop: int) -> Tensor:
            images = torch.from_numpy(files[range(start, stop)])  # (B, S, S, 3)
            return images.flip(2) if mirrored else images

        key = fingerprint(content, weights, size, mirrored, "grid-1")
        title = "features of mirrored photos" if mirrored else "features"
        return frozen_features(encoder, inputs, len(photos), cache, key, device, precision, title)

    return [compute(False), *([compute(True)] if horizontal_flip else [])]
