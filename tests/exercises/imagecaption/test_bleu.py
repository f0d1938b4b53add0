"""Exercise bleu: clipped n-gram precision of a corpus of captions."""

from projects.imagecaption.metrics import bleu


def test_a_reference_itself_has_one_hundred() -> None:
    words = "two dogs run on the beach".split()
    found = bleu([words], [[words, "dogs on sand".split()]])
    assert all(abs(found[f"bleu{n}"] - 100) < 1e-4 for n in range(1, 5)), f"bleu1 to bleu4 are 100, not {found}"


def test_a_repeated_word_is_clipped() -> None:
    found = bleu(["the the the the the the the".split()], [["the cat is on the mat".split(), "a cat".split()]])["bleu1"]
    assert abs(found - 28.571) < 0.01, f"'the' is at most twice in a reference: 2 of 7 = 28.57, not {found:.2f}"
