"""Batches in an order that is a function of (seed, epoch) alone, so that a resumed run sees what it would have seen.

A dataset is anything with `__len__` and `__getitems__(items) -> batch`, where an item is an (index, seed) pair. The
seed is a function of (run seed, epoch, index): augmentation that uses nothing else is the same in whichever worker,
process or resumed run it is drawn.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol, cast

import cv2
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


POOL = 50  # batches within which items are sorted by length


class Batches:
    """Shuffled training batches; every process of a `torchrun` gets its share of each one.

    batch_size counts the items of all processes together. The incomplete last batch is left out. With the `lengths`
    of the items given, those of about equal length come together, so that little of a batch is padding.
    """

    def __init__(
        self, dataset: Batchable, batch_size: int, seed: int, workers: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        processes = distributed.world_size()
        if batch_size % processes:
            raise ValueError(f"batch_size {batch_size} must be a multiple of {processes} processes")
        if len(dataset) < processes:
            raise ValueError(f"there are {len(dataset)} items to train on, fewer than processes ({processes})")
        self.batch_size = min(batch_size, len(dataset) // processes * processes)
        self.dataset, self.seed, self.workers = dataset, seed, workers
        self.lengths = None if lengths is None else np.asarray(lengths)

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def order(self, epoch: int) -> list[list[Item]]:
        """The batches of an epoch: this process's items of each."""
        generator = np.random.default_rng((self.seed, epoch))
        order = generator.permutation(len(self.dataset))
        seeds = generator.integers(2**63, size=len(self.dataset))
        batches = order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)
        if self.lengths is not None:
            pools = np.split(batches, range(POOL, len(self), POOL))
            by_length = [pool.flat[np.argsort(self.lengths[pool], axis=None, kind="stable")] for pool in pools]
            batches = generator.permutation(np.concatenate(by_length).reshape(batches.shape))
        mine = slice(distributed.rank(), None, distributed.world_size())
        return [[Item(int(i), int(seeds[i])) for i in batch[mine]] for batch in batches]

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Any]:
        """The batches of one epoch, without the first `skip`."""
        return iter(_loader(self.dataset, self.order(epoch)[skip:], self.workers))


def in_order(
    dataset: Batchable, batch_size: int, order: Sequence[int] | None = None, workers: int = 0
) -> Iterator[Any]:
    """Every item of the dataset once, in its own or the given order; of several processes each gets every n-th (see
    `interleave`)."""
    indices = range(len(dataset)) if order is None else order
    items = [Item(int(index), 0) for index in indices[distributed.rank() :: distributed.world_size()]]
    batches = [items[start : start + batch_size] for start in range(0, len(items), batch_size)]
    return iter(_loader(dataset, batches, workers))


def _loader(dataset: Batchable, batches: list[list[Item]], workers: int) -> DataLoader:
    return DataLoader(
        cast("Dataset[Any]", dataset),  # it has what a Dataset needs, by structure
        batch_sampler=batches,
        collate_fn=_as_it_is,
        num_workers=workers,
        worker_init_fn=_one_thread,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # else starting an epoch would draw from the global random state
    )


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # as PyTorch does for itself: many workers of many threads only wait for each other


def _as_it_is(batch: Any) -> Any:
    return batch
