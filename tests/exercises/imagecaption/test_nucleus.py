"""Exercise nucleus: the most probable words that together reach a probability."""

import torch

from projects.imagecaption.decode import _nucleus


def test_words_beyond_the_nucleus_are_removed() -> None:
    p = torch.tensor([[[0.05, 0.5, 0.15, 0.3]]])
    found = _nucleus(p, 0.7)[0, 0].tolist()
    assert [round(x, 4) for x in found] == [0, 0.5, 0, 0.3], (
        f".5 alone is less than .7, .5 + .3 reach it: [0, .5, 0, .3], not {found}"
    )


def test_the_most_probable_word_always_stays() -> None:
    found = _nucleus(torch.tensor([[[0.1, 0.8, 0.1]]]), 0.2)[0, 0].tolist()
    assert [round(x, 4) for x in found] == [0, 0.8, 0], f".8 exceeds .2 at once, and must stay: [0, .8, 0], not {found}"
