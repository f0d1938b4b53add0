"""Batches in an order that is a function of (seed, epoch) alone, so that a resumed run sees what it would have seen.

Any map-style dataset works: torchvision's, a list of pairs, your own class with `__len__` and `__getitem__`. What it
draws from the random generators of Python, NumPy or PyTorch is a function of (seed, epoch, item): the same in every
worker, process and resumed run. A dataset that is faster with whole batches has `__getitems__(items) -> batch` instead
of `__getitem__`, and takes the seed of its augmentation from `item.seed`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from shared.compute import distributed
from shared.compute.device import seeded
from shared.names import one_line


class Item(int):
    """The index of an item, with the seed of its augmentation: `dataset[item]` works on any dataset."""

    seed: int

    def __new__(cls, index: int, seed: int = 0) -> "Item":
        item = super().__new__(cls, index)
        item.seed = seed
        return item

    @property
    def index(self) -> int:
        """The index as a plain number."""
        return int(self)


POOL = 50  # batches within which items are sorted by length


class Batches:
    """Shuffled training batches; every process of a `torchrun` gets its share of each one.

    batch_size counts the items of all processes together. The incomplete last batch is dropped. With the `lengths` of
    the items given, items of similar length share a batch, which saves padding.
    """

    def __init__(
        self, dataset: Any, batch_size: int, seed: int, num_workers: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        processes = distributed.world_size()
        if batch_size % processes:
            raise ValueError(f"batch_size {batch_size} must be a multiple of {processes} processes")
        if len(dataset) < processes:
            raise ValueError(f"there are {len(dataset)} items to train on, fewer than processes ({processes})")
        self.batch_size = min(batch_size, len(dataset) // processes * processes)
        self.dataset, self.seed, self.num_workers = dataset, seed, num_workers
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
        return iter(_loader(self.dataset, self.order(epoch)[skip:], self.num_workers))


def in_order(dataset: Any, batch_size: int, order: Sequence[int] | None = None, num_workers: int = 0) -> DataLoader:
    """Every item of the dataset once, in its own or the given order; of several processes each gets every n-th (see
    `interleave`)."""
    indices = range(len(dataset)) if order is None else order
    items = [Item(int(index)) for index in indices[distributed.rank() :: distributed.world_size()]]
    batches = [items[start : start + batch_size] for start in range(0, len(items), batch_size)]
    return _loader(dataset, batches, num_workers)


def _loader(dataset: Any, batches: list[list[Item]], num_workers: int) -> DataLoader:
    own_item = getattr(type(dataset), "__getitem__", Dataset.__getitem__) is not Dataset.__getitem__
    whole_batches = hasattr(dataset, "__getitems__") and not own_item
    if num_workers and batches and not whole_batches:
        _collate([_Seeded(dataset)[batches[0][0]]])  # what is wrong with the items is said here, not by a worker
    return DataLoader(
        dataset if whole_batches else _Seeded(dataset),
        batch_sampler=batches,
        collate_fn=_as_it_is if whole_batches else _collate,
        num_workers=num_workers,
        worker_init_fn=_one_thread,
        pin_memory=torch.cuda.is_available(),
        generator=torch.Generator(),  # else starting an epoch would draw from the global random state
    )


class _Seeded(Dataset):
    """A dataset whose random transforms depend on nothing but the seed of the item."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Item) -> Any:
        with seeded(index.seed):
            return self.dataset[index]


def _collate(samples: list[Any]) -> Any:
    """PyTorch's default collate. Raises ValueError where it cannot make tensors of the samples."""
    try:
        return default_collate(samples)
    except (TypeError, RuntimeError) as error:
        kinds = samples[0] if isinstance(samples[0], (tuple, list)) else (samples[0],)
        named = ", ".join(type(part).__name__ for part in kinds)
        raise ValueError(
            f"items of ({named}) cannot be made into a batch ({one_line(error)}); give the dataset a transform "
            "to tensors of one size, such as torchvision's Compose([Resize((64, 64)), ToTensor()])"
        ) from None


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)  # as PyTorch does for itself: many workers of many threads only wait for each other


def _as_it_is(batch: Any) -> Any:
    return batch
