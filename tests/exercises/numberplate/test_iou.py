"""Exercise iou: intersection over union of boxes."""

import numpy as np

from projects.numberplate.geometry import iou


def test_boxes_that_overlap_by_half_have_one_third() -> None:
    value = iou(np.array([[0.0, 0, 4, 2]]), np.array([[2.0, 0, 6, 2]]))[0, 0]
    assert abs(value - 1 / 3) < 1e-6, f"4 of 12 square pixels are shared: 1/3, not {value:.3f}"


def test_all_pairs_are_compared() -> None:
    shape = iou(np.zeros((3, 4)), np.zeros((5, 4))).shape
    assert shape == (3, 5), f"3 boxes with 5 boxes give (3, 5), not {shape}"
