"""Exercise cut_mix, the tests that give points."""

import pytest
import torch

from shared.data.augmentation import cut_mix

SIZE = 32
IMAGES = torch.arange(5.0).reshape(5, 1, 1, 1).expand(5, 3, SIZE, SIZE)


@pytest.mark.parametrize("seed", range(8))
def test_the_part_that_is_returned_is_the_part_of_the_pixels(seed: int) -> None:
    mixed, _, own = cut_mix(IMAGES, torch.arange(5) + 10 * seed, 1.0)
    for number in range(5):
        counted = float((mixed[number] == number).float().mean())
        assert counted == pytest.approx(own, abs=1e-6), (
            f"{counted:.3f} of image {number} is its own, {own:.3f} is returned"
        )


def test_the_cut_out_is_a_square_of_the_same_place_in_the_partner() -> None:
    images = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    mixed, partners, own = cut_mix(images, torch.arange(4) + 3, 1.0)
    changed = (mixed != images).any(dim=1)  # (B, S, S)
    assert changed.any(), f"nothing was cut in (own part {own:.2f})"
    for number in range(4):
        rows, columns = changed[number].any(dim=1).sum(), changed[number].any(dim=0).sum()
        assert rows == columns and int(changed[number].sum()) == rows * columns, "the cut-out is one square"
        partner = images[partners[number]]
        assert torch.equal(mixed[number][:, changed[number]], partner[:, changed[number]]), (
            "pixels come from the same place"
        )


def test_areas_are_spread_evenly() -> None:
    parts = torch.tensor([cut_mix(IMAGES, torch.tensor([s, s + 1, 0, 0, 0]), 1.0)[2] for s in range(0, 2000, 2)])
    assert abs(float(parts.mean()) - 0.5) < 0.05, f"λ is uniform: one half on average, not {float(parts.mean()):.2f}"
    assert float((parts < 0.25).float().mean()) == pytest.approx(0.25, abs=0.06), "a quarter of them is below 1/4"


def test_the_seeds_alone_decide_and_the_batch_is_not_changed() -> None:
    images = IMAGES.clone()
    one, two = (cut_mix(images, torch.arange(5) + 7, 1.0) for _ in range(2))
    assert torch.equal(one[0], two[0]) and one[2] == two[2], "the same seeds must give the same images"
    assert torch.equal(images, IMAGES), "the images that came in must stay as they were"


def test_a_probability_of_one_half_mixes_about_half_of_the_batches() -> None:
    mixed = sum(cut_mix(IMAGES, torch.tensor([s, s, 0, 0, 0]), 0.5)[2] < 1 for s in range(400))
    assert 140 < mixed < 260, f"about 200 of 400 batches are mixed, not {mixed}"
