"""Exercise decode_boxes: from the outputs at a grid point to pixels."""

import torch

from projects.numberplate.model import decode

POINTS = torch.tensor([[100.0, 60, 8], [200, 80, 32]])


def test_zeros_are_a_box_of_one_stride_around_the_point() -> None:
    boxes = decode(torch.zeros(2, 13), POINTS)[0].tolist()
    assert boxes[0] == [96, 56, 104, 64], f"stride 8 around (100, 60): [96, 56, 104, 64], not {boxes[0]}"
    assert boxes[1] == [184, 64, 216, 96], f"stride 32 around (200, 80): [184, 64, 216, 96], not {boxes[1]}"


def test_there_are_four_corners_with_x_and_y() -> None:
    boxes, corners = decode(torch.zeros(3, 2, 13), POINTS)
    assert boxes.shape == (3, 2, 4), f"3 photos and 2 points have boxes (3, 2, 4), not {tuple(boxes.shape)}"
    assert corners.shape == (3, 2, 4, 2), f"and corners (3, 2, 4, 2), not {tuple(corners.shape)}"
