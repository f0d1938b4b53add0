"""Exercise leaf_groups, the tests that give points; the last one splits drawn photos as a training does."""

import uuid
from pathlib import Path

import cv2
import numpy as np
import pytest

from projects.plantdisease.config import DataConfig
from projects.plantdisease.data import LeafData
from projects.plantdisease.leaf_groups import joined, leaf_groups
from projects.plantdisease.sample import CLASSES, draw_leaf, photograph
from projects.plantdisease.sources import Photo


def partition(groups: np.ndarray) -> list[list[int]]:
    groups = np.asarray(groups)
    return sorted(np.flatnonzero(groups == number).tolist() for number in set(groups.tolist()))


def by_sets(first: np.ndarray, second: np.ndarray) -> list[list[int]]:
    """Sets that share a member are united."""
    sets: list[set[int]] = []
    for new in map(set, partition(first) + partition(second)):
        touched = [one for one in sets if one & new]
        sets = [one for one in sets if not one & new] + [new.union(*touched)]
    return sorted(sorted(one) for one in sets)


def test_a_long_chain_is_one_group() -> None:
    first, second = np.arange(60) // 2, (np.arange(60) + 1) // 2
    order = np.random.default_rng(0).permutation(60)
    found = partition(joined(first[order], second[order]))
    assert len(found) == 1, f"60 photos in a chain of links are one group, not {len(found)}"


@pytest.mark.parametrize("seed", range(4))
def test_random_groups_are_united_as_sets_are(seed: int) -> None:
    first, second = np.random.default_rng(seed).integers(0, 40, (2, 50))
    found, expected = partition(joined(first, second)), by_sets(first, second)
    assert found == expected, (
        f"united as sets these are {len(expected)} groups; yours are {len(found)}, or have other members"
    )


def test_equal_numbers_in_first_and_second_are_no_link() -> None:
    groups = np.asarray(joined(np.array([0, 1, 2]), np.array([1, 2, 0]))).tolist()
    assert len(set(groups)) == 3, f"leaf 1 and copy 1 have only the number in common: three groups, not {groups}"


def test_numbers_may_have_gaps() -> None:
    found = partition(joined(np.array([7, 7, 90, 3]), np.array([500, 2, 2, 0])))
    expected = [[0, 1, 2], [3]]
    assert found == expected, f"7 twice and 2 twice: {expected}, not {found}"


def test_copies_unite_the_leaves_of_photos() -> None:
    photos = [Photo(Path(f"{n}.jpg"), 0, "RS_Leaf", leaf) for n, leaf in enumerate([1, 1, 2, 2, 3, 4])]
    groups = leaf_groups(photos, np.zeros((6, 8, 8, 3), np.uint8), np.array([0, 1, 1, 2, 3, 4]))
    found, expected = partition(np.array(groups)), [[0, 1, 2, 3], [4], [5]]
    assert found == expected, f"photo 1 of leaf 1 is a copy of photo 2 of leaf 2: {expected}, not {found}"


def drawn_leaves(folder: Path) -> None:
    """Five leaves of four classes, photographed under two numbers; the mirrored copy of a photo links the two."""
    for name in CLASSES[:4]:
        (folder / name).mkdir(parents=True)
        for leaf in range(5):
            generator = np.random.default_rng((CLASSES.index(name), leaf))
            drawn, mask = draw_leaf(*name.split("___"), generator)
            shots = [photograph(drawn, mask, generator) for _ in range(3)]
            shots.insert(2, shots[0][:, ::-1])
            for shot, photo in enumerate(shots):
                label = uuid.UUID(int=CLASSES.index(name) * 1000 + leaf * 10 + shot, version=4)
                number = leaf + 100 * (shot >= 2)
                path = folder / name / f"{label}___DRAWN Leaf {number}.{shot}.png"
                cv2.imwrite(str(path), photo[:, :, ::-1])


def test_no_leaf_of_the_test_set_was_trained_on(tmp_path: Path) -> None:
    drawn_leaves(tmp_path / "leaves")
    config = DataConfig(source="folder", root=tmp_path / "leaves", split="leaf", cache=tmp_path / "cache")
    data = LeafData(config, 64)
    leaf = np.array([f"{photo.label} {(photo.number or 0) % 100}" for photo in data.photos])
    trained = set(leaf[data.parts == "train"])
    tested = leaf[data.parts == "test"]
    assert len(trained) >= 12 and len(tested), f"at least 12 of the 20 leaves are for training, not {len(trained)}"
    leaked = sum(one in trained for one in tested)
    assert leaked == 0, f"{leaked} of {len(tested)} test photos show a leaf that is in the training set, too"
