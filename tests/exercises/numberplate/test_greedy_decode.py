"""Exercise greedy_decode: the best path of CTC."""

import torch
from torch import Tensor

from projects.numberplate.formats import CHARACTERS
from projects.numberplate.read import greedy_decode


def path(symbols: str) -> Tensor:
    """Logits (T, 1, 37) whose most likely symbols are these; `_` is a blank."""
    numbers = [0 if symbol == "_" else 1 + CHARACTERS.index(symbol) for symbol in symbols]
    return 9 * torch.eye(1 + len(CHARACTERS))[numbers][:, None]


def test_repeats_are_merged_and_blanks_removed() -> None:
    text = greedy_decode(path("__AAA_BB__7_"))[0].text
    assert text == "AB7", f"__AAA_BB__7_ is AB7, not {text!r}"


def test_a_blank_separates_equal_characters() -> None:
    text = greedy_decode(path("A_AA_11_1"))[0].text
    assert text == "AA11", f"A_AA_11_1 is AA11, not {text!r}"


def test_every_character_has_a_confidence() -> None:
    reading = greedy_decode(path("_XX_Y_"))[0]
    assert len(reading.confidences) == 2, f"XY has two confidences, not {reading.confidences}"
