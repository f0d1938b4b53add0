"""Exercise edit_distance: how many errors are in a text that was read?"""

from projects.numberplate.metrics import edit_distance


def test_a_missing_character_is_one_error() -> None:
    found = edit_distance("AB234", "AB1234")
    assert found == 1, f"AB234 lacks the 1 of AB1234: 1, not {found}"


def test_a_wrong_character_is_one_error() -> None:
    found = edit_distance("AB8234", "AB1234")
    assert found == 1, f"AB8234 has an 8 where AB1234 has a 1: 1, not {found}"


def test_equal_texts_have_no_error() -> None:
    found = edit_distance("AB1234", "AB1234")
    assert found == 0, f"equal texts: 0, not {found}"
