"""Batches in an order that is a function of (seed, epoch) alone, so that a resumed run sees what it would have seen.

A dataset is anything with `__len__` and `__getitems__(items) -> batch`, where an item is an (index, seed) pair. The
seed is a function of (run seed, epoch, index): augmentation that uses nothing else is the same in whichever worker,
process or resumed run it is drawn.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from shared.training import distributed


class Item(NamedTuple):
    """What a dataset is asked for."""

    index: int
    seed: int


class Batchable(Protocol):
    """A dataset that fetches a whole batch at once."""

    def __len__(self) -> int: ...

    def __getitems__(self, items: list[Item]) -> Any: ...


class Batches:
    """Shuffled training batches; every process of a `torchrun` gets its share of each one.

    batch_size counts the items of all processes together. The incomplete last batch is left out.
    """

    def __init__(self, dataset: Batchable, batch_size: int, seed: int, workers: int = 0) -> None:
        self.batch_size = min(batch_size, len(dataset))
        if self.batch_size % distributed.world_size():
            raise ValueError(
                f"training.batch_size {batch_size} must be a multiple of {distributed.world_size()} processes"
            )
        self.dataset, self.seed, self.workers = dataset, seed, workers

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def order(self, epoch: int) -> list[list[Item]]:
        """The batches of an epoch: this process's items of each."""
        generator = np.random.default_rng((self.seed, epoch))
        order = generator.permutation(len(self.dataset))
        seeds = generator.integers(2**63, size=len(self.dataset))
        mine = slice(distributed.rank(), None, distributed.world_size())
        return [
            [Item(int(i), int(seeds[i])) for i in order[b * self.batch_size : (b + 1) * self.batch_size][mine]]
            for b in range(len(self))
        ]

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Any]:
        """The batches of one epoch, without the first `skip`."""
        return iter(_loader(self.dataset, self.order(epoch)[skip:], self.workers))


def in_order(dataset: Batchable, batch_size: int, workers: int = 0) -> Iterator[Any]:
    """Every item of the dataset once, unshuffled; of several processes each gets every n-th (see `interleave`)."""
    mine = range(distributed.rank(), len(dataset), distributed.world_size())
    items = [Item(index, 0) for index in mine]
    batches = [items[start : start + batch_size] for start in range(0, len(items), batch_size)]
    return iter(_loader(dataset, batches, workers))


def _loader(dataset: Batchable, batches: list[list[Item]], workers: int) -> DataLoader:
    return DataLoader(
        cast("Dataset[Any]", dataset),  # it has what a Dataset needs, by structure
        batch_sampler=batches,
        collate_fn=_as_it_is,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # else starting an epoch would draw from the global random state
    )


def _as_it_is(batch: Any) -> Any:
    return batch
