"""Exercise assign, the tests that give points: cases by hand, and a loop over all pairs."""

import pytest
import torch

from projects.numberplate.losses import WIDTHS, assign
from projects.numberplate.model import grid_points


def box(x: float, y: float, width: float) -> list[float]:
    return [x - width / 2, y - width / 8, x + width / 2, y + width / 8]


def by_hand(point: list[float], boxes: list[list[float]]) -> int:
    x, y, stride = point
    best, nearest = 1.0, -1
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        distance = max(abs(x - (x0 + x1) / 2), abs(y - (y0 + y1) / 2)) / stride
        if WIDTHS[int(stride)][0] <= x1 - x0 < WIDTHS[int(stride)][1] and distance < best:
            best, nearest = distance, number
    return nearest


def test_all_pairs_are_decided_as_by_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    points = grid_points(128, 224)
    centres = torch.rand(3, 6, 2, generator=generator) * torch.tensor([224, 128])
    widths = 20 + 230 * torch.rand(3, 6, generator=generator)
    boxes = torch.tensor([[box(*c.tolist(), float(w)) for c, w in zip(*one)] for one in zip(centres, widths)])
    found = assign(points, boxes)
    for number, photo in enumerate(boxes.tolist()):
        expected = torch.tensor([by_hand(point, photo) for point in points.tolist()])
        wrong = int((found[number] != expected).sum())
        assert wrong == 0, (
            f"photo {number}: {wrong} of {len(points)} grid points predict another plate than they should"
        )


@pytest.mark.parametrize(("dx", "dy", "expected"), [(7, 7, 0), (-7, 7, 0), (8, 0, -1), (0, -8, -1), (7, 9, -1)])
def test_a_point_reaches_less_than_one_stride_in_x_and_in_y(dx: float, dy: float, expected: int) -> None:
    found = int(assign(torch.tensor([[100.0 + dx, 100.0 + dy, 8]]), torch.tensor([[box(100, 100, 60)]]))[0, 0])
    assert found == expected, f"a point of stride 8 that is ({dx}, {dy}) pixels away: {expected}, not {found}"


@pytest.mark.parametrize(
    ("width", "strides"),
    [(40, {8}), (64, {8, 16}), (80, {8, 16}), (88, {16}), (170, {16, 32}), (200, {32}), (500, {32})],
)
def test_the_width_decides_which_strides_predict(width: float, strides: set[int]) -> None:
    points = torch.tensor([[300.0, 200, stride] for stride in (8, 16, 32)])
    answers = assign(points, torch.tensor([[box(300, 200, width)]]))[0].tolist()
    found = {stride for stride, answer in zip((8, 16, 32), answers) if answer == 0}
    assert found == strides, f"a plate of {width} pixels is predicted by strides {strides}, not {found}"


def test_of_two_plates_the_nearer_one_is_predicted() -> None:
    points = torch.tensor([[100.0, 100, 8], [106, 100, 8]])
    boxes = torch.tensor([[box(107, 100, 60), box(101, 100, 60)]])
    found = assign(points, boxes)[0].tolist()
    assert found == [1, 0], (
        f"both plates are in reach, at x 107 and 101, of points at x 100 and 106: [1, 0], not {found}"
    )


def test_rows_of_nan_are_no_plates() -> None:
    rows = torch.full((2, 4, 4), torch.nan)
    rows[1, 2] = torch.tensor(box(100, 100, 60))
    found = assign(torch.tensor([[100.0, 100, 8], [4, 4, 8]]), rows).tolist()
    expected = [[-1, -1], [2, -1]]
    assert found == expected, f"photo 0 has no plate, photo 1 has one in row 2, near point 0: {expected}, not {found}"
