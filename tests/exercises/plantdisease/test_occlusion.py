"""Exercise occlusion: which parts of a photo does a prediction rest on?"""

import numpy as np
import torch
from torch import Tensor, nn

from projects.plantdisease.attribution import occlusion
from projects.plantdisease.model import LeafNet

SIZE = 90


class LooksAt(nn.Module):
    """The first of two logits is the brightness of a part of the photo, the other one 0."""

    def __init__(self, rows: slice, columns: slice) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, images: Tensor) -> Tensor:
        brightness = images[:, :, self.rows, self.columns].mean(dim=(1, 2, 3))
        return torch.stack([brightness, torch.zeros_like(brightness)], dim=1)


def photo(rows: slice, columns: slice) -> Tensor:
    image = torch.zeros(1, 3, SIZE, SIZE)
    image[:, :, rows, columns] = 3
    return image


def test_the_map_is_highest_where_the_network_looks() -> None:
    rows, columns = slice(20, 30), slice(60, 70)
    heat = occlusion(LeafNet(LooksAt(rows, columns), nn.Identity()), photo(rows, columns), 0)
    assert heat.shape == (SIZE, SIZE), f"a photo of {SIZE} x {SIZE} has a map of that size, not {heat.shape}"
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert 20 <= row < 30 and 60 <= column < 70, f"the maximum is in rows 20-29, columns 60-69, not at {row}, {column}"


def test_what_supports_one_class_speaks_against_the_other() -> None:
    rows, columns = slice(20, 30), slice(60, 70)
    heat = occlusion(LeafNet(LooksAt(rows, columns), nn.Identity()), photo(rows, columns), 1)
    assert heat[25, 65] < 0, f"the bright square lowers class 1: a negative value, not {heat[25, 65]:.3f}"
