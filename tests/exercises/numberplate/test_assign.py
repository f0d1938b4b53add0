"""Exercise assign: which grid point predicts which plate."""

import torch

from projects.numberplate.losses import assign

POINTS = torch.tensor([[20.0, 20, 8], [100, 20, 8], [24, 24, 16]])
BOX = torch.tensor([[4.0, 12, 36, 28]])  # 32 pixels wide, centre (20, 20)


def test_a_point_near_the_centre_predicts_the_plate_and_others_do_not() -> None:
    found = assign(POINTS, BOX[None])[0].tolist()
    assert found[0] == 0, f"point 0 is at the centre of plate 0: 0, not {found[0]}"
    assert found[1] == -1, f"point 1 is 80 pixels away: -1, not {found[1]}"


def test_a_narrow_plate_is_left_to_the_fine_grid() -> None:
    found = assign(POINTS, BOX[None])[0].tolist()
    assert found[2] == -1, f"stride 16 is for plates of 64 pixels and more, this one has 32: -1, not {found[2]}"


def test_every_point_of_every_photo_has_an_answer() -> None:
    shape = tuple(assign(POINTS, BOX.expand(2, 5, 4)).shape)
    assert shape == (2, 3), f"2 photos and 3 points: (2, 3), not {shape}"
