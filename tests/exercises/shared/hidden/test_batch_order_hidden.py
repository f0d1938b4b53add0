"""Exercise batch_order, the tests that give points."""

from unittest.mock import patch

import numpy as np

from shared.compute import distributed
from shared.data.loader import Batches


def indices(batches: Batches, epoch: int = 0) -> list[list[int]]:
    return [[int(item) for item in batch] for batch in batches.order(epoch)]


def test_epochs_differ_and_so_do_seeds() -> None:
    batches = Batches(list(range(64)), 8, seed=1)
    assert indices(batches, 0) != indices(batches, 1), "two epochs must not have the same order"
    assert indices(batches, 0) != indices(Batches(list(range(64)), 8, seed=2), 0), "another seed, another order"


def test_every_item_has_a_seed_of_its_own_that_changes_with_the_epoch() -> None:
    batches = Batches(list(range(64)), 8, seed=1)
    first, second = ([item.seed for batch in batches.order(epoch) for item in batch] for epoch in (0, 1))
    assert len(set(first)) == 64, f"64 items need 64 seeds, not {len(set(first))}"
    assert not set(first) & set(second), "the augmentation of an item must differ from epoch to epoch"


def test_the_seed_belongs_to_the_item_and_not_to_its_place() -> None:
    plain = {int(i): i.seed for batch in Batches(list(range(40)), 8, seed=1).order(0) for i in batch}
    long = Batches(list(range(40)), 8, 1, lengths=list(range(40)))
    sorted_ones = {int(i): i.seed for batch in long.order(0) for i in batch}
    common = plain.keys() & sorted_ones.keys()
    assert all(plain[i] == sorted_ones[i] for i in common), "sorting by length must not change an item's seed"


def test_with_lengths_a_batch_holds_items_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 500, 800).tolist()
    spread = [
        max(lengths[i] for i in b) - min(lengths[i] for i in b)
        for b in indices(Batches(lengths, 8, 0, lengths=lengths))
    ]
    assert np.mean(spread) < 100, (
        f"lengths within a batch differ by {np.mean(spread):.0f} on average; sorted pools: below 100"
    )
    means = [np.mean([lengths[i] for i in b]) for b in indices(Batches(lengths, 8, 0, lengths=lengths))]
    assert abs(np.corrcoef(range(len(means)), means)[0, 1]) < 0.5, "the batches must be shuffled after sorting"


def test_several_processes_share_every_batch() -> None:
    whole = indices(Batches(list(range(64)), 8, seed=4))
    parts = []
    for rank in range(2):
        with patch.object(distributed, "rank", lambda r=rank: r), patch.object(distributed, "world_size", lambda: 2):
            parts.append(indices(Batches(list(range(64)), 8, seed=4)))
    for batch, one, two in zip(whole, *parts):
        assert sorted(one + two) == sorted(batch), f"two processes must share batch {batch}, not have {one} and {two}"
        assert len(one) == len(two) == 4, f"each process takes half of a batch of 8, not {len(one)} and {len(two)}"
