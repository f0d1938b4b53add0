"""Images -> training, validation and test set, and what the network sees of them."""

import numpy as np
import torch

from projects.starter.config import Config, DataConfig
from projects.starter.sources import load_records
from shared.data import splits
from shared.data.images import Records, read_image, to_square
from shared.data.summary import DataSummary, summary_of_classes


def load_data(config: DataConfig, classes: list[str] | None = None) -> tuple[dict[str, Records], list[str]]:
    """The records of the `train`, `validation` and `test` sets, and the class names."""
    records, names = load_records(config, classes)
    fractions = (0.15, 0.15) if config.split == "random" else (0.0, 1.0)
    parts = splits.stratified([label for _, label in records], fractions, seed=0)
    return {name: [r for r, part in zip(records, parts) if part == name] for name in splits.NAMES}, names


def check(config: Config) -> DataSummary:
    """What training would read; printed before it, and by `--check`."""
    return summary_of_classes("images", config.data.root, config.data.split, *load_data(config.data))


def prepare(image: np.ndarray, size: int) -> torch.Tensor:
    """RGB uint8 (H, W, 3) of any size -> the network's input (3, size, size) in -1..1, everywhere the same."""
    return torch.from_numpy(to_square(image, size)).permute(2, 0, 1).float() / 127.5 - 1


def to_dataset(records: Records, size: int) -> list[tuple[torch.Tensor, int]]:
    """What the network sees: images (3, size, size) and class numbers. A list is a map-style dataset, too."""
    return [(prepare(read_image(path), size), label) for path, label in records]
