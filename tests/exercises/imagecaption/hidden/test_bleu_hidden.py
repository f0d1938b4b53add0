"""Exercise bleu, the tests that give points. Values of COCO's own program were computed once, with pycocoevalcap."""

import math

import pytest

from projects.imagecaption.metrics import bleu

CAPTIONS = [
    "a brown dog is running across the green grass",
    "two children play in the water",
    "a man rides his red bike down a busy street",
    "a a a dog dog on on grass",
]
REFERENCES = [
    [
        "a brown dog is running across the grass",
        "a dog runs over green grass",
        "the brown dog runs on grass near a fence",
    ],
    ["two kids are playing in the water", "children play in shallow water", "two children splash around"],
    [
        "a man on a red bicycle",
        "a man rides his bike down a busy street",
        "the cyclist is riding down the street today",
    ],
    ["a dog lies on grass", "the dog sleeps on the grass", "a dog on the green lawn in the sun"],
]
OF_COCO = {"bleu1": 87.878788, "bleu2": 81.649658, "bleu3": 68.399038, "bleu4": 57.148809}


def words_of(captions: list[str]) -> list[list[str]]:
    return [caption.split() for caption in captions]


@pytest.mark.parametrize("name", ["bleu1", "bleu2", "bleu3", "bleu4"])
def test_four_photos_have_the_values_of_coco(name: str) -> None:
    found = bleu(words_of(CAPTIONS), [words_of(several) for several in REFERENCES])[name]
    assert found == pytest.approx(OF_COCO[name], abs=1e-3), f"{name} of COCO is {OF_COCO[name]:.3f}, not {found:.3f}"


def test_short_captions_are_punished_by_the_closest_reference() -> None:
    references = [["a b c d e f g h".split(), "a b c d e".split()]]
    expected = 100 * math.exp(1 - 5 / 4)
    found = bleu(["a b c d".split()], references)["bleu1"]
    assert found == pytest.approx(expected, abs=1e-3), (
        f"4 words, the closest reference has 5: 100 exp(1 - 5 / 4) = {expected:.2f}, not {found:.2f}"
    )


def test_of_two_references_as_close_the_shorter_one_counts() -> None:
    for references in (["a b c".split(), "a b c d e".split()], ["a b c d e".split(), "a b c".split()]):
        found = bleu(["a b c d".split()], [references])["bleu1"]
        assert found == pytest.approx(100, abs=1e-3), (
            f"4 words, references of 3 and 5: no penalty, 100, not {found:.2f}"
        )


def test_an_ngram_counts_as_often_as_in_one_reference() -> None:
    found = bleu(["a a a a".split()], [["a a x y".split(), "a z x y".split()]])["bleu1"]
    assert found == pytest.approx(50, abs=1e-3), (
        f"'a' is twice in one reference, not three times in two: 50, not {found:.1f}"
    )


def test_the_corpus_counts_and_not_the_mean_of_its_captions() -> None:
    captions, references = [["a"], "b c d e f g h i j".split()], [[["a"]], ["x x x x x x x x x".split()]]
    found = bleu(captions, references)["bleu1"]
    assert found == pytest.approx(10, abs=1e-3), f"1 of 10 words occurs in the references: 10, not {found:.2f}"


@pytest.mark.parametrize("captions", [[[], []], [["x"], ["y"]]], ids=["empty", "nothing shared"])
def test_hopeless_captions_have_almost_nothing(captions: list[list[str]]) -> None:
    found = bleu(captions, [[["a", "b"]], [["c"]]])
    assert all(0 <= found[f"bleu{n}"] < 1e-3 for n in range(1, 5)), f"no n-gram is right: about 0, not {found}"
