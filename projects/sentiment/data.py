"""Texts -> train, validation and test: the split, and what the network sees of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from projects.sentiment.config import DataConfig
from projects.sentiment.near_duplicates import near_duplicates
from projects.sentiment.sources import Table, load_table
from projects.sentiment.vocabulary import PAD, encode
from shared.data import splits
from shared.data.loader import Item

PRODUCTS = 20
"""From so many on `split auto` divides by product."""


@dataclass(frozen=True)
class Texts:
    """A dataset of tokenized texts. A batch: tokens int64 (B, L), padded with 0, and targets (B,)."""

    tokens: list[list[int]]
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        rows = [item.index for item in items]
        return pad([self.tokens[row] for row in rows]), torch.from_numpy(self.targets[rows])

    @property
    def lengths(self) -> list[int]:
        return [len(tokens) for tokens in self.tokens]


def pad(tokens: Sequence[Sequence[int]]) -> Tensor:
    """Token lists as one tensor (B, L), filled up with 0."""
    batch = np.full((len(tokens), max(map(len, tokens))), PAD, np.int64)
    for row, ids in enumerate(tokens):
        batch[row, : len(ids)] = ids
    return torch.from_numpy(batch)


class ReviewData:
    """The texts of a source, divided. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig, classes: list[str] | None = None) -> None:
        """classes: the classes of a finished run, when its model is to be scored on other texts."""
        table = load_table(config, classes)
        to_train = config.split not in ("all", "test")
        self.split_name, parts = divide(table, config)
        kept = parts != splits.UNUSED
        if to_train:
            overlapping = near_duplicates(table.texts, parts, config.max_overlap) & kept
            table.left_out["text that near_duplicates a held-back one"] += int(overlapping.sum())
            kept &= ~overlapping
        self.table, self.parts = table.rows(kept), parts[kept]
        self.classes = table.classes
        for part in splits.NAMES if to_train else ():
            absent = set(range(len(self.classes))) - set(self.table.labels[self.parts == part].tolist())
            if absent:
                raise ValueError(
                    f"split {self.split_name} leaves no {part} text of class {self.classes[min(absent)]}; "
                    "it needs more texts, or another data.split"
                )

    def part(self, name: str) -> Table:
        """`train`, `validation` or `test`."""
        return self.table.rows(self.parts == name)

    @property
    def train(self) -> Table:
        return self.part(splits.TRAIN)

    @property
    def validation(self) -> Table:
        return self.part(splits.VALIDATION)

    @property
    def test(self) -> Table:
        return self.part(splits.TEST)

    def summary(self) -> str:
        """One line: how many texts of how many classes are where, and what was left out."""
        counts = Counter(self.parts.tolist())
        parts = ", ".join(f"{counts[part]} {part}" for part in splits.NAMES if counts[part])
        line = f"{len(self.parts)} texts, {len(self.classes)} classes, split {self.split_name}: {parts}"
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.table.left_out.items() if count)
        return line + (f" (left out: {reasons})" if reasons else "")


def to_dataset(table: Table, tokenizer: Tokenizer, longest: int) -> Texts:
    """Texts as the network sees them; training, evaluation and prediction all come through here."""
    return Texts(encode(tokenizer, table.texts, table.aspects, longest), table.labels)


def divide(table: Table, config: DataConfig) -> tuple[str, np.ndarray]:
    """The name of the split and the part of every text, (N,)."""
    fractions, labels = (config.validation, config.test), table.labels.tolist()
    name = config.split
    if name == "auto":
        enough = table.products is not None and len(set(table.products)) >= PRODUCTS
        given = {splits.TRAIN, splits.TEST} <= set(table.parts or ())
        name = "given" if given else "product" if enough else "random"
    if name == "all":
        return name, np.full(len(labels), splits.TEST, dtype=object)
    if name in ("given", "test"):
        if table.parts is None:
            raise ValueError(f"split {name} needs data that come in parts; use --data.split random")
        parts = np.array(table.parts, dtype=object)
        if name == "test":
            return name, np.where(parts == splits.TEST, splits.TEST, splits.UNUSED)
        if not {splits.TRAIN, splits.TEST} <= set(table.parts):
            raise ValueError("split given needs parts named train and test; use --data.split random")
        if splits.VALIDATION not in table.parts:
            of_train = np.flatnonzero(parts == splits.TRAIN)
            held = splits.grouped(
                [table.texts[i] for i in of_train],
                table.labels[of_train].tolist(),
                (config.validation, 0.0),
                config.seed,
            )
            parts[of_train[held == splits.VALIDATION]] = splits.VALIDATION
        table.left_out["text of another part"] += int((~np.isin(parts, splits.NAMES)).sum())
        parts[~np.isin(parts, splits.NAMES)] = splits.UNUSED
        return name, parts
    if name == "product":
        if table.products is None:
            raise ValueError("split product needs a column of products; name it with --data.product")
        return name, splits.grouped(table.products, labels, fractions, config.seed)
    # one text may be there several times, with another aspect each time
    return name, splits.grouped(table.texts, labels, fractions, config.seed)
