"""Exercise batch_order: the batches of an epoch from the seed and the epoch's number alone."""

from shared.data.loader import Batches


def test_an_epoch_has_every_item_at_most_once() -> None:
    order = [int(item) for batch in Batches(list(range(50)), 8, seed=0).order(0) for item in batch]
    assert len(order) == 48 and len(set(order)) == 48, (
        f"6 whole batches of 8 different items, not {len(set(order))} items"
    )


def test_asking_again_gives_the_same_batches() -> None:
    one, two = (Batches(list(range(50)), 8, seed=0).order(3) for _ in range(2))
    assert one == two, "epoch 3 must have the same batches whenever it is asked for"
