"""Exercise cut_mix: a rectangle of the neighbour in every image."""

import torch

from shared.data.augmentation import cut_mix

IMAGES = torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 16, 16)  # image i has the value i everywhere
SEEDS = torch.arange(4)


def test_with_probability_0_nothing_changes() -> None:
    mixed, _, own = cut_mix(IMAGES, SEEDS, 0.0)
    assert torch.equal(mixed, IMAGES) and own == 1, f"probability 0: the images as they were and 1.0, not {own}"


def test_an_image_holds_itself_and_its_partner() -> None:
    mixed, partners, _ = cut_mix(IMAGES, SEEDS, 1.0)
    for number in range(4):
        values = set(mixed[number].unique().tolist())
        allowed = {float(number), float(partners[number])}
        assert values <= allowed, f"image {number} may hold {sorted(allowed)}, not {sorted(values)}"
