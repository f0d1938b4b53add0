"""Exercise decode_boxes, the tests that give points: known boxes written as outputs, and read back."""

import math

import pytest
import torch
from torch import Tensor

from projects.numberplate.model import SQUARE, decode, grid_points


def output(point: list[float], box: list[float], corners: list[float]) -> list[float]:
    """The 13 numbers that mean a box and corners, in pixels, at a grid point."""
    x, y, stride = point
    x0, y0, x1, y1 = box
    cx, cy, half = (x0 + x1) / 2, (y0 + y1) / 2, ((x1 - x0) / 2, (y1 - y0) / 2)
    sizes = [math.log(side / stride) for side in (x1 - x0, y1 - y0)]
    relative = [(value - (cx, cy)[i % 2]) / half[i % 2] for i, value in enumerate(corners)]
    return [0.7, (cx - x) / stride, (cy - y) / stride, *sizes, *relative]


def whole(pixels: Tensor) -> list[int]:
    return [int(value) for value in pixels.flatten().round()]


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_what_was_encoded_is_decoded(stride: float) -> None:
    point, box = [104.0, 72.0, stride], [60.0, 50, 180, 90]
    corners = [62.0, 51, 178, 60, 180, 89, 60, 80]
    boxes, found = decode(torch.tensor([output(point, box, corners)]), torch.tensor([point]))
    assert boxes[0].tolist() == pytest.approx(box, abs=1e-3), f"the box is {box}, not {whole(boxes[0])}"
    assert found[0].flatten().tolist() == pytest.approx(corners, abs=1e-3), (
        f"the corners are {corners}, not {whole(found[0])}"
    )


def test_every_point_of_every_photo_has_its_own_box() -> None:
    generator = torch.Generator().manual_seed(0)
    points = grid_points(64, 96)
    outputs = torch.randn(2, len(points), 13, generator=generator)
    boxes, corners = decode(outputs, points)
    for photo, number in ((0, 5), (1, 40), (1, len(points) - 1)):
        one_box, one_corners = decode(outputs[photo, number : number + 1], points[number : number + 1])
        same = torch.allclose(boxes[photo, number], one_box[0]) and torch.allclose(
            corners[photo, number], one_corners[0]
        )
        assert same, (
            f"point {number} of photo {photo} alone has {whole(one_box)}, in the batch {whole(boxes[photo, number])}"
        )


@pytest.mark.parametrize(("size", "limit"), [(80.0, 5), (-80.0, -4)])
def test_the_log_size_has_limits(size: float, limit: float) -> None:
    outputs = torch.zeros(1, 13)
    outputs[0, 3:5] = size
    boxes = decode(outputs, torch.tensor([[0.0, 0, 8]]))[0][0]
    width, expected = float(boxes[2] - boxes[0]), 8 * math.exp(limit)
    assert width == pytest.approx(expected, rel=1e-4), (
        f"a log size of {size} counts as {limit}: {expected:.2f}, not {width:.2f}"
    )


def test_an_upright_plate_has_the_corners_of_its_box() -> None:
    outputs = torch.tensor([0.0, 0.5, -0.25, 1.2, 0.3, *SQUARE.tolist()])[None]
    boxes, corners = decode(outputs, torch.tensor([[50.0, 70, 16]]))
    x0, y0, x1, y1 = boxes[0].tolist()
    expected = [x0, y0, x1, y0, x1, y1, x0, y1]
    found = corners[0].flatten().tolist()
    assert found == pytest.approx(expected, abs=1e-3), (
        f"clockwise from the top left {whole(torch.tensor(expected))}, not {whole(corners)}"
    )


def test_half_precision_is_enough_for_the_outputs_but_not_for_pixels() -> None:
    outputs = torch.tensor([0.0, 0.25, 0.5, 2, 1, *SQUARE.tolist()])[None]
    points = torch.tensor([[1900.0, 1003, 8]])
    single, half = decode(outputs, points), decode(outputs.half(), points)
    assert half[0].dtype == half[1].dtype == torch.float32, f"boxes and corners are float32, not {half[0].dtype}"
    difference = float((single[0] - half[0]).abs().max())
    assert difference < 0.01, f"a box near x = 1900 must be exact to .01 pixels, it is off by {difference:.2f}"
