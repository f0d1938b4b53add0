"""Exercise rectify, the tests that give points: homographies by hand, with smooth images as closed forms."""

import numpy as np
import pytest

from projects.numberplate.geometry import rectify


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 120 + 60 * np.sin(x / 17) + 50 * np.cos(y / 11)


def mapped(corners: list[tuple[float, float]], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in the photo the pixels of the rectangle lie, from the eight equations of the homography."""
    rows, right = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)]):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    h = np.append(np.linalg.solve(np.array(rows, float), np.array(right, float)), 1).reshape(3, 3)
    v, u = np.mgrid[:height, :width].astype(float)
    x, y, w = np.einsum("ij,jhw->ihw", h, np.stack([u, v, np.ones_like(u)]))
    return x / w, y / w


QUADRILATERALS = {
    "sheared": [(40, 40), (140, 60), (140, 90), (40, 70)],
    "near on the left": [(30, 30), (150, 50), (150, 75), (30, 90)],
    "rolled": [(60, 20), (130, 70), (112, 95), (42, 45)],
}


@pytest.mark.parametrize("name", QUADRILATERALS)
def test_pixels_come_from_where_the_homography_says(name: str) -> None:
    v, u = np.mgrid[:120, :200].astype(float)
    photo, corners = waves(u, v).round().astype(np.uint8), QUADRILATERALS[name]
    flat = rectify(photo, np.array(corners), (48, 120))
    x, y = mapped(corners, 48, 120)
    wrong = float(np.abs(flat - waves(x, y)).max())
    assert wrong < 3, f"{name}: grey values differ by up to {wrong:.0f} from those of the perspective transform"


@pytest.mark.parametrize("factor", [3, 6])
def test_a_large_plate_is_averaged(factor: int) -> None:
    stripes = np.zeros((48 * factor, 120 * factor), np.uint8)
    stripes[:, ::factor] = 255  # one of `factor` columns is white
    width, height = 120 * factor, 48 * factor
    flat = rectify(stripes, np.array([[0, 0], [width, 0], [width, height], [0, height]]), (48, 120)).astype(float)
    low, high = float(flat.min()), float(flat.max())
    expected = 255 / factor
    assert abs(low - expected) < 4 and abs(high - expected) < 4, (
        f"every pixel is the mean of {factor} columns, one of them white: {expected:.0f}, not {low:.0f} to {high:.0f}"
    )


def test_beyond_the_photo_its_edge_goes_on() -> None:
    flat = rectify(np.full((40, 80), 200, np.uint8), np.array([[-20, -10], [60, -10], [60, 30], [-20, 30]]), (40, 80))
    assert flat.min() == 200, f"a plate that is cut off by the photo's edge has no black margin: 200, not {flat.min()}"


def test_colours_and_sizes_stay() -> None:
    photo = np.zeros((50, 90, 3), np.uint8)
    photo[..., 0], photo[..., 2] = 10, 250
    flat = rectify(photo, np.array([[5, 5], [85, 8], [83, 45], [6, 44]]), (48, 160))
    assert flat.shape == (48, 160, 3), f"a photo in colour gives a plate in colour: (48, 160, 3), not {flat.shape}"
    assert flat.dtype == np.uint8, f"pixels are uint8, not {flat.dtype}"
    found = flat.reshape(-1, 3).mean(axis=0).round().tolist()
    assert found == [10, 0, 250], f"a photo of one colour stays that colour: [10, 0, 250], not {found}"


def test_a_small_plate_is_enlarged() -> None:
    ramp = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[None], 10, axis=0)  # 20 columns
    flat = rectify(ramp, np.array([[0, 0], [20, 0], [20, 10], [0, 10]]), (40, 80))[20].astype(float)
    assert np.abs(np.diff(flat)).max() < 6, (
        f"in between it is linear: steps of 2.5, not {np.abs(np.diff(flat)).max():.0f}"
    )
