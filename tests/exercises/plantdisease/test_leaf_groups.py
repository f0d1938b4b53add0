"""Exercise leaf_groups: unite two groupings of the same photos."""

import numpy as np

from projects.plantdisease.leaf_groups import joined


def test_photos_of_one_leaf_or_one_copy_are_together() -> None:
    groups = joined(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
    assert groups[0] == groups[1] == groups[2], f"0 and 1 show one leaf, 1 and 2 are copies: one group, not {groups}"
    assert groups[3] not in groups[:3], f"photo 3 is linked with none of the others: a group of its own, not {groups}"


def test_there_is_a_number_for_every_photo() -> None:
    groups = joined(np.array([0, 1, 2]), np.array([0, 1, 2]))
    assert np.shape(groups) == (3,), f"3 photos have 3 numbers, not {np.shape(groups)}"
    assert len(set(np.asarray(groups).tolist())) == 3, f"nothing is linked: three groups, not {groups}"
