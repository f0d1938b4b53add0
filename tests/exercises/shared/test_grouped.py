"""Exercise grouped: a split in which no group is in two sets."""

from shared.data.splits import grouped

GROUPS = [number // 4 for number in range(200)]
LABELS = ["healthy" if group < 25 else "rust" for group in GROUPS]


def test_no_group_is_in_two_sets() -> None:
    parts = grouped(GROUPS, LABELS, (0.2, 0.2), seed=0)
    torn = [group for group in set(GROUPS) if len({p for g, p in zip(GROUPS, parts) if g == group}) > 1]
    assert not torn, f"all items of a group must be in one set; groups {torn[:5]} are in several"


def test_the_fractions_are_those_of_the_items() -> None:
    parts = list(grouped(GROUPS, LABELS, (0.2, 0.2), seed=0))
    counts = parts.count("validation"), parts.count("test")
    assert counts == (40, 40), f"20 % of 200 items are 40 for validation and 40 for test, not {counts}"
