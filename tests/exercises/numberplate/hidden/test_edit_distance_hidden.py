"""Exercise edit_distance, the tests that give points: the definition, tried out."""

from functools import cache

import numpy as np
import pytest

from projects.numberplate.metrics import edit_distance


@cache
def by_definition(a: str, b: str) -> int:
    """The first character is substituted or kept, deleted, or inserted."""
    if not a or not b:
        return len(a) + len(b)
    same = by_definition(a[1:], b[1:]) + (a[0] != b[0])
    return min(same, by_definition(a[1:], b) + 1, by_definition(a, b[1:]) + 1)


def texts(count: int, longest: int = 9) -> list[str]:
    generator = np.random.default_rng(0)
    return ["".join(generator.choice(list("AB1"), generator.integers(0, longest))) for _ in range(count)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("kitten", "sitting", 3), ("", "ABC", 3), ("ABC", "", 3), ("", "", 0), ("AB", "BA", 2), ("XABC", "ABCY", 2)],
)
def test_pairs_by_hand(a: str, b: str, expected: int) -> None:
    found = edit_distance(a, b)
    assert found == expected, f"{a!r} and {b!r}: {expected}, not {found}"


def test_it_is_the_smallest_number_by_definition() -> None:
    for a, b in zip(texts(80), texts(160)[80:]):
        expected, found = by_definition(a, b), edit_distance(a, b)
        assert found == expected, f"{a!r} and {b!r}: {expected}, not {found}"


def test_the_order_of_the_texts_plays_no_part() -> None:
    for a, b in zip(texts(40), texts(80)[40:]):
        one, other = edit_distance(a, b), edit_distance(b, a)
        assert one == other, f"{a!r} and {b!r} have {one}, {b!r} and {a!r} {other}"


def test_long_texts_take_no_time() -> None:
    found = edit_distance("AB1" * 60, "1AB" * 60)
    assert found == 2, f"moved by one character, one is inserted and one deleted: 2, not {found}"
