"""Exercise occlusion, the tests that give points: networks whose answer is a closed form of the photo."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from projects.plantdisease.attribution import occlusion
from projects.plantdisease.model import LeafNet

SIZE, STEP = 90, 10


class Weighted(nn.Module):
    """Logits from the weighted mean of the grey values, scale * mean + offset, then 0; and one number added to both."""

    def __init__(self, weights: Tensor, scale: float = 1.0, offset: float = 0.0, common: float = 0.0) -> None:
        super().__init__()
        self.weights, self.scale, self.offset, self.common = weights, scale, offset, common

    def forward(self, images: Tensor) -> Tensor:
        grey = images.mean(dim=1)
        own = self.scale * (grey * self.weights).sum(dim=(1, 2)) / self.weights.sum() + self.offset
        return torch.stack([own, torch.zeros_like(own)], dim=1) + self.common * grey.mean(dim=(1, 2))[:, None]


def square(top: int, left: int, side: int = STEP, size: int = SIZE) -> Tensor:
    mask = torch.zeros(size, size)
    mask[top : top + side, left : left + side] = 1
    return mask


def explained(network: nn.Module, grey: Tensor, target: int = 0) -> np.ndarray:
    return np.asarray(occlusion(LeafNet(network, nn.Identity()), grey.expand(1, 3, *grey.shape), target))


@pytest.mark.parametrize("size", [64, 90, 101])
def test_a_plain_photo_has_nothing_to_smooth_away(size: int) -> None:
    heat = explained(Weighted(torch.ones(size, size), scale=10, offset=-20), torch.full((size, size), 2.0))
    assert heat.shape == (size, size), (
        f"the map of a photo of {size} pixels has {size} x {size} values, not {heat.shape}"
    )
    largest = float(np.abs(heat).max())
    assert largest < 1e-3, (
        f"smoothing changes nothing in a plain photo, also at its edge: 0 everywhere, not {largest:.3f}"
    )


def test_what_changes_all_logits_alike_is_no_evidence() -> None:
    image = torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    largest = float(np.abs(explained(Weighted(square(0, 0, SIZE), scale=0, common=50), image)).max())
    assert largest < 1e-3, f"a number added to all logits changes no probability: 0 everywhere, not {largest:.3f}"


@pytest.mark.parametrize(("top", "left"), [(20, 60), (60, 30), (40, 40)])
def test_the_map_is_high_at_the_evidence_and_zero_elsewhere(top: int, left: int) -> None:
    mask = square(top, left)
    heat = explained(Weighted(mask, scale=5), mask)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    inside = top <= row < top + STEP and left <= column < left + STEP
    assert inside, f"the maximum is in the square from {top}, {left}, not at {row}, {column}"
    far = np.ones((SIZE, SIZE), bool)
    far[max(0, top - 3 * STEP) : top + 4 * STEP, max(0, left - 3 * STEP) : left + 4 * STEP] = False
    largest = float(np.abs(heat[far]).max())
    assert largest < 1e-3, f"the network does not look at what is 3 steps away: 0 there, not {largest:.3f}"


def test_the_fall_is_that_of_the_log_probability() -> None:
    mask = square(40, 40)
    scale, offset = 10.0, -8.0
    heat = float(explained(Weighted(mask, scale, offset), mask)[45, 45])
    left_over = STEP**2 / (2 * STEP + 1) ** 2  # of the square's brightness after smoothing

    def log_probability(brightness: float) -> float:
        return -math.log1p(math.exp(-(scale * brightness + offset)))

    fall = log_probability(1) - log_probability(left_over)
    assert 0.5 * fall < heat < 1.05 * fall, (
        f"without the square log p falls by {fall:.1f}; the blurred map has between half and all of that there, not {heat:.2f}"
    )


def test_the_class_that_is_asked_for_is_explained_and_not_the_most_likely_one() -> None:
    mask = square(20, 60)
    network = Weighted(mask, scale=3)
    for_first, against_second = explained(network, mask, 0)[25, 65], explained(network, mask, 1)[25, 65]
    assert for_first > 0 > against_second, (
        f"the square speaks for class 0 and against class 1: + and -, not {for_first:.3f} and {against_second:.3f}"
    )


def test_neighbouring_values_of_the_map_differ_little() -> None:
    mask = square(40, 40)
    heat = explained(Weighted(mask, scale=5), mask)
    jump = float(max(np.abs(np.diff(heat, axis=axis)).max() for axis in (0, 1)) / heat.max())
    assert jump < 0.15, f"a blurred map has no edges of patches: steps below .15 of its maximum, not {jump:.2f}"
