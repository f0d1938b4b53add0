"""Exercise iou, the tests that give points: pixels counted by hand."""

import numpy as np
import pytest

from projects.numberplate.geometry import iou


def painted(box: np.ndarray) -> np.ndarray:
    canvas = np.zeros((40, 40), bool)
    x0, y0, x1, y1 = box.astype(int)
    canvas[y0:y1, x0:x1] = True
    return canvas


def test_it_is_what_counting_pixels_gives() -> None:
    corners = np.random.default_rng(0).integers(0, 40, (2, 12, 2, 2)).astype(float)
    a, b = (np.concatenate([c.min(axis=1), c.max(axis=1) + 0], axis=1) for c in corners)
    a[:, 2:] += 1
    b[:, 2:] += 1
    a, b = a.clip(0, 40), b.clip(0, 40)
    counted = [[(painted(x) & painted(y)).sum() / (painted(x) | painted(y)).sum() for y in b] for x in a]
    wrong = float(np.abs(iou(a, b) - counted).max())
    assert wrong < 1e-6, f"counted pixels differ by up to {wrong:.3f}"


def test_boxes_that_are_apart_in_both_directions_share_nothing() -> None:
    value = iou(np.array([[0.0, 0, 2, 2]]), np.array([[5.0, 5, 9, 9]]))[0, 0]
    assert value == 0, f"two negative sides must not multiply to an area: 0, not {value:.3f}"


@pytest.mark.parametrize("inner", [(2.0, 2, 4, 4), (0.0, 0, 10, 5)])
def test_a_box_inside_another_has_the_ratio_of_the_areas(inner: tuple[float, ...]) -> None:
    box = np.array([inner])
    expected = float((box[0, 2] - box[0, 0]) * (box[0, 3] - box[0, 1]) / 100)
    value = iou(box, np.array([[0.0, 0, 10, 10]]))[0, 0]
    assert value == pytest.approx(expected), f"the union is the outer box: {expected:.2f}, not {value:.3f}"


def test_empty_boxes_give_no_number_that_is_not_finite() -> None:
    value = iou(np.zeros((1, 4)), np.zeros((1, 4)))[0, 0]
    assert np.isfinite(value), f"two empty boxes have 0, not {value}"
