"""Texts -> training, validation and test set, and the input of the network."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from projects.sentiment.config import Config, DataConfig, ModelConfig
from projects.sentiment.labels import NEGATIVE, NEUTRAL, POSITIVE
from projects.sentiment.layouts import NONE
from projects.sentiment.near_duplicates import near_duplicates
from projects.sentiment.sources import Table, load_table
from projects.sentiment.vocabulary import PAD, encode
from shared.data import splits
from shared.data.loader import Item
from shared.data.provenance import Fingerprints, text_fingerprints
from shared.data.summary import DataSummary

PRODUCTS = 20
"""With at least this number of products `split auto` is by product."""


@dataclass(frozen=True)
class Texts:
    """A dataset of tokenized texts, each one or more windows.

    A batch: tokens int64 (B, L), or (B, W, L) where a text has several windows, padded with 0, and targets (B,)."""

    tokens: list[list[list[int]]]
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        rows = [item.index for item in items]
        return pad_windows([self.tokens[row] for row in rows]), torch.from_numpy(self.targets[rows])

    @property
    def lengths(self) -> list[int]:
        return [sum(map(len, windows)) for windows in self.tokens]


def pad(tokens: Sequence[Sequence[int]]) -> Tensor:
    """Token ids of several texts as one tensor (B, L), padded with 0."""
    batch = np.full((len(tokens), max(map(len, tokens))), PAD, np.int64)
    for row, ids in enumerate(tokens):
        batch[row, : len(ids)] = ids
    return torch.from_numpy(batch)


def pad_windows(texts: Sequence[Sequence[Sequence[int]]]) -> Tensor:
    """The windows of several texts as one tensor (B, W, L), or (B, L) if none has more than one; padded with 0."""
    most = max(map(len, texts))
    tokens = pad([ids for windows in texts for ids in [*windows, *[()] * (most - len(windows))]])
    return tokens if most == 1 else tokens.view(len(texts), most, -1)


def to_dataset(table: Table, tokenizer: Tokenizer, model: ModelConfig) -> Texts:
    """Tokenised texts: the input of the network in training and evaluation."""
    return Texts(encode(tokenizer, table.texts, table.aspects, model), table.labels)


class ReviewData:
    """The texts of a source, split. Raises ValueError or FileNotFoundError with one sentence."""

    def __init__(self, config: DataConfig, classes: list[str] | None = None) -> None:
        """classes: the classes of a finished run whose predictor is scored on other texts."""
        table, self.split_name, parts = load_parts(config, classes)
        title, aspect = table.columns.get("title", NONE), table.columns.get("aspect")
        recognised = {} if config.tables else {"title": title, "aspect": aspect}
        self.config = config.model_copy(update=recognised)
        self.source = f"{config.root or config.source}"
        has_training_set = config.split not in ("all", "test")
        kept = parts != splits.UNUSED
        if has_training_set:
            overlapping = near_duplicates(table.texts, parts, config.max_overlap) & kept
            table.left_out["near duplicates of validation or test texts"] += int(overlapping.sum())
            kept &= ~overlapping
        self.table, self.parts = table.rows(kept), parts[kept]
        self.classes = table.classes
        for part in splits.NAMES if has_training_set else ():
            absent = set(range(len(self.classes))) - set(self.table.labels[self.parts == part].tolist())
            if absent:
                raise ValueError(self._absence(part, min(absent), table))

    def _absence(self, part: str, label: int, table: Table) -> str:
        """A sentence about a set that has no text of a class."""
        duplicates = table.left_out["near duplicates of validation or test texts"]
        ways = ["more texts", "another data.split"]
        ways += ["data.classes without this class"] if len(self.classes) > 2 else []
        ways += [f"--data.max_overlap 1, for {duplicates} near duplicates were left out"] if duplicates else []
        return (
            f"split {self.split_name} leaves no {part} text of class {self.classes[label]}, which has "
            f"{int((table.labels == label).sum())} texts; what helps: {', or '.join(ways)}"
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

    def summary(self) -> DataSummary:
        """How the texts were understood."""
        return DataSummary(
            items="texts",
            source=self.source,
            parts=Counter(self.parts.tolist()),
            split=self.split_name,
            classes={name: int((self.table.labels == number).sum()) for number, name in enumerate(self.classes)},
            columns=self.table.columns,
            left_out=self.table.left_out,
            facts=self.table.facts,
        )


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    return ReviewData(config.data).summary()


def fingerprints(table: Table, bare: bool = False) -> Fingerprints:
    """Content hashes of the texts with headline and aspect (another aspect is another item), or of the bare texts.

    Bare texts recognise training texts in tables that are read with other columns.
    """
    return bare_fingerprints(table.bodies or table.texts) if bare else text_fingerprints(table.with_aspects)


def bare_fingerprints(texts: Iterable[str]) -> Fingerprints:
    """Content hashes of texts without headline and aspect."""
    return text_fingerprints(f"bare text {text}" for text in texts)


def load_parts(config: DataConfig, classes: list[str] | None) -> tuple[Table, str, np.ndarray]:
    """All labelled texts of a source, the name of their split, and the set that each belongs to, (N,)."""
    if config.source != "several":
        table = load_table(config, classes)
        return table, *assign_parts(table, config)
    tables, names, parts = zip(*(load_parts(part, classes) for part in config.parts))
    return joined(tables), ", ".join(dict.fromkeys(names)), np.concatenate(parts)


def joined(tables: Sequence[Table]) -> Table:
    """The texts of several tables as one. Raises ValueError where some have aspects."""
    if any(table.aspects is not None for table in tables):
        raise ValueError("data.tables: texts with aspects cannot be joined with others; set aspect: none")
    found = {name for table in tables for name in table.classes}
    classes = [name for name in (NEGATIVE, NEUTRAL, POSITIVE) if name in found]
    classes += sorted(found - set(classes))
    labels = [np.array([classes.index(name) for name in table.classes])[table.labels] for table in tables]
    return Table(
        items=[f"{number}:{item}" for number, table in enumerate(tables, start=1) for item in table.items],
        texts=[text for table in tables for text in table.texts],
        labels=np.concatenate(labels),
        classes=classes,
        bodies=[text for table in tables for text in table.bodies or table.texts],
        left_out=sum((table.left_out for table in tables), Counter()),
        facts={
            f"{name} of {number}": said
            for number, table in enumerate(tables, start=1)
            for name, said in table.facts.items()
        },
    )


def assign_parts(table: Table, config: DataConfig) -> tuple[str, np.ndarray]:
    """The name of the split, and the set that every text belongs to, (N,)."""
    fractions, labels = (config.validation, config.test), table.labels.tolist()
    name = config.split
    if name == "auto":
        enough = table.products is not None and len(set(table.products)) >= PRODUCTS
        given = {splits.TRAIN, splits.TEST} <= set(table.parts or ())
        name = "given" if given else "product" if enough else "random"
    if name == "all":
        return name, np.full(len(labels), splits.TEST, dtype=object)
    if name in ("given", "test"):
        return name, _given_parts(table, config)
    if name == "product":
        if table.products is None:
            raise ValueError(
                "split product needs a column of products: --data.product names it; or use --data.split random"
            )
        return name, splits.grouped(table.products, labels, fractions, config.seed)
    # a text may occur several times, with another aspect each time
    return name, splits.grouped(table.texts, labels, fractions, config.seed)


def _given_parts(table: Table, config: DataConfig) -> np.ndarray:
    """The source's own split, (N,); where it has no validation set, one is taken from its training set."""
    if table.parts is None:
        raise ValueError(f"split {config.split} needs data with their own split; use --data.split random")
    parts = np.array(table.parts, dtype=object)
    if config.split == "test":
        return np.where(parts == splits.TEST, splits.TEST, splits.UNUSED)
    if not {splits.TRAIN, splits.TEST} <= set(table.parts):
        raise ValueError("split given needs sets named train and test; use --data.split random")
    if splits.VALIDATION not in table.parts:
        train = np.flatnonzero(parts == splits.TRAIN)
        texts, labels = [table.texts[i] for i in train], table.labels[train].tolist()
        held_out = splits.grouped(texts, labels, (config.validation, 0.0), config.seed)
        parts[train[held_out == splits.VALIDATION]] = splits.VALIDATION
    unknown = ~np.isin(parts, splits.NAMES)
    table.left_out["of another set"] += int(unknown.sum())
    parts[unknown] = splits.UNUSED
    return parts
