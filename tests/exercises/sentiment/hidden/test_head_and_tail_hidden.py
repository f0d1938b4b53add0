"""Exercise head_and_tail, the tests that give points."""

import pytest

from projects.sentiment.vocabulary import head_and_tail


@pytest.mark.parametrize("count", [8, 12, 14, 15, 256])
def test_exactly_the_allowed_number_is_kept(count: int) -> None:
    found = head_and_tail(list(range(1000)), count)
    head = count // 4
    assert len(found) == count, f"{count} tokens are allowed, {len(found)} are kept"
    assert found[:head] == list(range(head)), f"the first {head} tokens come first, not {found[:head][:6]} ..."
    last = list(range(1000 - count + head, 1000))
    assert found[head:] == last, f"then come {last[0]} to 999 of 1000, not {found[head]} to {found[-1]}"


@pytest.mark.parametrize("length", [0, 1, 3, 7, 8])
def test_nothing_is_cut_from_or_repeated_in_a_text_that_fits(length: int) -> None:
    text = list(range(length))
    found = head_and_tail(text, 8)
    assert found == text, f"a text of length {length} fits into 8 and stays, not {found}"


def test_one_token_too_many_loses_the_third() -> None:
    found = head_and_tail(list("abcdefghi"), 8)
    assert found == list("abdefghi"), f"9 tokens, 8 allowed: 2 and 6, without c, not {found}"


def test_the_quarter_is_rounded_down() -> None:
    found = head_and_tail(list(range(10)), 6)
    assert found == [0, 5, 6, 7, 8, 9], f"a quarter of 6 is 1.5: one from the beginning and 5 from the end, not {found}"


def test_a_single_token_is_the_last_one() -> None:
    found = head_and_tail(list("abc"), 1)
    assert found == ["c"], f"a quarter of 1 is 0 tokens, the rest is the last one: ['c'], not {found}"


def test_the_list_that_came_in_is_not_changed() -> None:
    text = list(range(30))
    head_and_tail(text, 8)
    assert text == list(range(30)), f"the caller still needs its 30 tokens; {len(text)} are left"
