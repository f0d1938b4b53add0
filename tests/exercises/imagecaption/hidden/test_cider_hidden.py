"""Exercise cider, the tests that give points. Values of COCO's own program were computed once, with pycocoevalcap."""

import math

import pytest

from projects.imagecaption.metrics import Cider

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
OF_COCO = [3.4353541, 2.66022766, 3.00039336, 0.86456372]


def scorer(references: list[list[str]] = REFERENCES) -> Cider:
    return Cider([[caption.split() for caption in several] for several in references])


def score(cider: Cider, caption: str, photo: int) -> float:
    return float(cider([caption.split()], [photo])[0])


@pytest.mark.parametrize("photo", range(4))
def test_captions_have_the_values_of_coco(photo: int) -> None:
    found = score(scorer(), CAPTIONS[photo], photo)
    assert found == pytest.approx(OF_COCO[photo], abs=1e-5), (
        f"'{CAPTIONS[photo]}' has {OF_COCO[photo]:.4f} in COCO's program, not {found:.4f}"
    )


FAR = [["u v w x y"], ["k l m n o"]]


def test_a_repeated_word_is_clipped() -> None:
    cider = scorer([["red"], *FAR])
    found = score(cider, "red red red", 0)
    expected = 10 / 4 * math.exp(-(2**2) / 72)  # the direction is that of the reference: only clipping and length count
    assert found == pytest.approx(expected / 3, abs=1e-5), (
        f"'red red red' shares one 'red', with a vector three times as long: {expected / 3:.3f}, not {found:.3f}"
    )


def test_another_length_is_punished() -> None:
    cider = scorer([["red boat", "red boat red boat red boat red boat"], *FAR])
    short, long = "red boat", "red boat red boat red boat red boat"
    found = score(cider, short, 0)
    words, bigrams = 1, 4 / math.hypot(4, 3)  # cosines: (1, 1) and (4, 4); (1, 0) and (4, 3)
    expected = 10 / 4 * (2 + math.exp(-(6**2) / 72) * (words + bigrams)) / 2
    assert found == pytest.approx(expected, abs=1e-5), (
        f"'{short}' for '{long}' lacks 6 words, which is a factor of exp(-36 / 72) = .61: {expected:.4f}, not {found:.4f}"
    )


def test_ngrams_of_all_photos_are_worth_nothing() -> None:
    cider = scorer([["a man"], ["a man"], ["a man"]])
    found = score(cider, "a man", 0)
    assert found == 0, f"every photo has 'a man', so that it says nothing: 0, not {found}"


def test_the_mean_over_the_references_counts() -> None:
    cider = scorer([["red boat at sea", "p q z"], *FAR])
    found = score(cider, "red boat at sea", 0)
    assert found == pytest.approx(5, abs=1e-5), (
        f"one of two references is equal, the other shares nothing: 5, not {found:.3f}"
    )


@pytest.mark.parametrize("caption", ["", "zebra", "red"])
def test_captions_without_ngrams_have_a_number(caption: str) -> None:
    found = score(scorer([["red boat at sea"], *FAR]), caption, 0)
    assert math.isfinite(found) and 0 <= found < 10, f"'{caption}' has a number from 0 to 10, not {found}"
