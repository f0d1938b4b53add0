"""Exercise near_duplicates, the tests that give points: texts whose 5-grams are counted by hand."""

import numpy as np
import pytest

from projects.sentiment.near_duplicates import near_duplicates
from shared.data.splits import TEST, TRAIN, VALIDATION


def words(first: int, count: int) -> str:
    """The words w<first> and so on; `count` words have count - 4 different 5-grams."""
    return " ".join(f"w{number}" for number in range(first, first + count))


def found(texts: list[str], parts: list[str], max_overlap: float = 0.5) -> list[bool]:
    return near_duplicates(texts, np.array(parts), max_overlap).tolist()


@pytest.mark.parametrize(("max_overlap", "expected"), [(0.25, True), (0.5, True), (0.6, False)])
def test_the_threshold_is_reached_by_an_equal_part(max_overlap: float, expected: bool) -> None:
    out = found([words(0, 8), words(2, 20)], [TRAIN, TEST], max_overlap)
    assert out == [expected, False], (
        f"2 of 4 5-grams are shared, at least {max_overlap} of them are too many: {[expected, False]}, not {out}"
    )


def test_the_overlap_must_be_with_a_single_text() -> None:
    out = found([words(0, 8), words(0, 5), words(3, 5)], [TRAIN, TEST, TEST])
    assert not out[0], "a quarter of the text is in one test text and a quarter in another: it is a copy of neither"


def test_the_overlap_is_a_part_of_the_text_that_is_left_out() -> None:
    out = found([words(0, 6), words(0, 60)], [TRAIN, TEST])
    assert out == [True, False], f"the whole training text is a part of the test text: [True, False], not {out}"
    out = found([words(0, 60), words(0, 6)], [TRAIN, TEST])
    assert out == [False, False], f"2 of 56 5-grams of the training text are in a test text: it stays, not {out}"


def test_validation_texts_near_test_texts_are_left_out() -> None:
    out = found([words(0, 9), words(0, 9)], [VALIDATION, TEST])
    assert out == [True, False], f"the validation text is left out and the test text stays, not {out}"


def test_training_texts_near_validation_texts_are_left_out() -> None:
    out = found([words(0, 9), words(50, 9), words(0, 9)], [TRAIN, TEST, VALIDATION])
    assert out == [True, False, False], f"the training text equals a validation text: [True, False, False], not {out}"


@pytest.mark.parametrize("part", [TRAIN, VALIDATION])
def test_copies_within_one_set_stay(part: str) -> None:
    out = found([words(0, 9), words(0, 9), words(50, 9)], [part, part, TEST])
    assert out == [False] * 3, f"two copies in the {part} set are no leakage: nothing is left out, not {out}"


def test_a_validation_text_that_is_left_out_keeps_no_training_text_out() -> None:
    out = found([words(0, 8), words(2, 8), words(4, 8)], [TEST, VALIDATION, TRAIN])
    assert out == [False, True, False], (
        f"the training text is near a validation text that is no longer there: [False, True, False], not {out}"
    )
