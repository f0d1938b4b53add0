"""Exercise head_and_tail: the beginning and the end of a long text."""

from projects.sentiment.vocabulary import head_and_tail


def test_a_quarter_of_the_tokens_is_from_the_beginning() -> None:
    found = head_and_tail(list(range(100)), 8)
    expected = [0, 1, 94, 95, 96, 97, 98, 99]
    assert found == expected, f"8 of the tokens 0 to 99: 2 from the beginning, 6 from the end, not {found}"


def test_a_short_text_stays_as_it_is() -> None:
    found = head_and_tail(["very", "good"], 8)
    assert found == ["very", "good"], f"two tokens fit into 8: they stay, not {found}"
