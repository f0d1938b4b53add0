"""Exercise cider: shared n-grams, weighted by how rare they are."""

from projects.imagecaption.metrics import Cider

REFERENCES = [
    ["a red boat on a lake".split()],
    ["two dogs run on grass".split()],
    ["a child eats green apples".split()],
]


def test_the_only_reference_itself_has_ten() -> None:
    found = float(Cider(REFERENCES)(["two dogs run on grass".split()], [1])[0])
    assert abs(found - 10) < 1e-6, f"a caption that equals its only reference has 10, not {found:.3f}"


def test_a_caption_of_another_photo_has_almost_nothing() -> None:
    found = float(Cider(REFERENCES)(["a child eats green apples".split()], [1])[0])
    assert abs(found) < 1e-6, f"no n-gram is shared: 0, not {found:.3f}"
