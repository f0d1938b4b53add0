"""Exercise rectify: a quadrilateral of an image as a rectangle."""

import numpy as np

from projects.numberplate.geometry import rectify

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 100), np.uint8)


def test_an_upright_rectangle_of_the_same_size_is_cut_out() -> None:
    flat = rectify(IMAGE, np.array([[20, 10], [60, 10], [60, 30], [20, 30]]), (20, 40))
    assert flat.shape == (20, 40), f"size is height and width: (20, 40), not {flat.shape}"
    wrong = int((flat != IMAGE[10:30, 20:60]).sum())
    assert wrong == 0, f"rows 10-29, columns 20-59 of the image; {wrong} of 800 pixels differ"


def test_the_first_corner_becomes_the_top_left() -> None:
    flat = rectify(IMAGE, np.array([[60, 30], [20, 30], [20, 10], [60, 10]]), (20, 40))
    difference = int(np.abs(flat[1:, 1:].astype(int) - IMAGE[10:30, 20:60][::-1, ::-1][:-1, :-1]).max())
    assert difference <= 1, (
        f"corners from the bottom right on turn the plate by 180 degrees; pixels differ by {difference}"
    )
