"""Exercise grouped, the tests that give points."""

import numpy as np
import pytest

from shared.data.splits import grouped


def sizes_of_groups(seed: int = 0) -> tuple[list[int], list[str]]:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 9, 120)
    groups = [number for number, size in enumerate(sizes) for _ in range(size)]
    return groups, [f"class {group % 3}" for group in groups]


def test_groups_of_different_sizes_stay_whole_and_meet_the_fractions() -> None:
    groups, labels = sizes_of_groups()
    parts = np.array(grouped(groups, labels, (0.15, 0.25), seed=1))
    for group in set(groups):
        found = set(parts[np.array(groups) == group])
        assert len(found) == 1, f"group {group} is in {sorted(found)}"
    for label in sorted(set(labels)):
        mine = parts[np.array(labels) == label]
        for name, fraction in (("validation", 0.15), ("test", 0.25)):
            share = float((mine == name).mean())
            assert abs(share - fraction) < 0.06, f"{label}: {name} has {share:.2f} of the items, not about {fraction}"


@pytest.mark.parametrize("seed", range(5))
def test_every_label_is_in_every_set(seed: int) -> None:
    labels = ["common"] * 55 + ["rare"] * 5
    parts = grouped(list(range(60)), labels, (0.2, 0.2), seed)
    rare = {part for part, label in zip(parts, labels) if label == "rare"}
    assert rare == {"train", "validation", "test"}, f"the rare class must be in all sets, not only in {sorted(rare)}"


def test_the_seed_alone_decides() -> None:
    groups, labels = sizes_of_groups()
    one, two, other = (list(grouped(groups, labels, (0.2, 0.2), seed=s)) for s in (5, 5, 6))
    assert one == two, "the same seed must give the same split"
    assert one != other, "another seed must give another split"


def test_groups_need_not_be_in_order() -> None:
    groups = ["b", "a", "b", "c", "a", "d"] * 10
    labels = ["x"] * 60
    parts = grouped(groups, labels, (0.25, 0.25), seed=0)
    found = {group: {p for g, p in zip(groups, parts) if g == group} for group in "abcd"}
    assert all(len(values) == 1 for values in found.values()), f"items of a group may lie apart: {found}"


def test_without_a_test_set_nothing_is_in_it() -> None:
    parts = list(grouped(list(range(40)), ["x"] * 40, (0.25, 0.0), seed=0))
    counts = parts.count("validation"), parts.count("test")
    assert counts == (10, 0), f"fractions (.25, 0) of 40 items: 10 and 0, not {counts}"
