"""Images -> training, validation and test set, and what the network sees of them."""

from collections import Counter

import numpy as np
import torch

from projects.starter.config import Config, DataConfig
from projects.starter.sources import Record, load_records
from shared.data import splits
from shared.data.images import keep_readable, read_image, to_square
from shared.data.summary import DataSummary


def load_data(config: DataConfig, classes: list[str] | None = None) -> tuple[dict[str, list[Record]], list[str]]:
    """The records of the `train`, `validation` and `test` sets, and the class names."""
    found, names = load_records(config, classes)
    records = keep_readable(found, config)
    fractions = (0.15, 0.15) if config.split == "random" else (0.0, 1.0)
    parts = splits.stratified([label for _, label in records], fractions, seed=0)
    return {name: [r for r, part in zip(records, parts) if part == name] for name in splits.NAMES}, names


def check(config: Config) -> DataSummary:
    """What training would read; printed before it, and by `--check`."""
    data, classes = load_data(config.data)
    counts = Counter(classes[label] for records in data.values() for _, label in records)
    parts = {name: len(records) for name, records in data.items()}
    return DataSummary("images", str(config.data.root), parts, config.data.split, counts)


def prepare(image: np.ndarray, size: int) -> torch.Tensor:
    """RGB uint8 (H, W, 3) of any size -> the network's input (3, size, size) in -1..1, everywhere the same."""
    return torch.from_numpy(to_square(image, size)).permute(2, 0, 1).float() / 127.5 - 1


def to_dataset(records: list[Record], size: int) -> list[tuple[torch.Tensor, int]]:
    """What the network sees: images (3, size, size) and class numbers. A list is a map-style dataset, too."""
    return [(prepare(read_image(path), size), label) for path, label in records]
