"""The promise: nothing that belongs together is torn apart, and every label keeps its share."""

import numpy as np
import pytest

from shared.data.splits import NAMES, TEST, TRAIN, UNUSED, VALIDATION, contiguous, grouped, stratified

FRACTIONS = (0.15, 0.15)


def test_a_stratified_split_keeps_the_label_proportions() -> None:
    labels = ["a"] * 200 + ["b"] * 40
    split = stratified(labels, FRACTIONS, seed=1)
    for label, expected in (("a", 30), ("b", 6)):
        inside = split[np.array(labels) == label]
        assert (inside == TEST).sum() == (inside == VALIDATION).sum() == expected


@pytest.mark.parametrize("seed", range(5))
def test_no_group_crosses_a_split(seed: int) -> None:
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, 80, 400).tolist()
    labels = [group % 4 for group in groups]
    split = grouped(groups, labels, FRACTIONS, seed)
    for group in set(groups):
        assert len(set(split[np.array(groups) == group])) == 1
    for name, share in ((TRAIN, 0.7), (VALIDATION, 0.15), (TEST, 0.15)):
        assert abs((split == name).mean() - share) < 0.08


@pytest.mark.parametrize("seed", range(5))
def test_contiguous_sets_have_a_gap_between_them(seed: int) -> None:
    positions = np.random.default_rng(seed).choice(1000, 400, replace=False)
    split = contiguous(["s"] * 400, positions.tolist(), FRACTIONS, guard=10, seed=seed)
    test = np.sort(positions[split == TEST])
    for part in (TRAIN, VALIDATION):
        gaps = np.abs(test[:, None] - positions[split == part][None, :])
        assert gaps.min() > 10
    # a stretch on the ring: in sorted order, test changes to something else at most twice
    is_test = split[np.argsort(positions)] == TEST
    assert (np.diff(is_test.astype(int)) != 0).sum() <= 2
    assert (split == UNUSED).mean() < 0.15


def test_a_small_source_is_for_training_only() -> None:
    split = contiguous(["small"] * 10, list(range(10)), FRACTIONS, guard=2, seed=0)
    assert set(split) == {TRAIN}


def test_a_split_is_a_function_of_its_seed() -> None:
    labels = list(range(7)) * 30
    assert (stratified(labels, FRACTIONS, 3) == stratified(labels, FRACTIONS, 3)).all()
    assert (stratified(labels, FRACTIONS, 3) != stratified(labels, FRACTIONS, 4)).any()
    assert set(stratified(labels, FRACTIONS, 3)) == set(NAMES)
