"""Exercise greedy_decode, the tests that give points; the last one reads plates with the weights of the project."""

from itertools import groupby

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from projects.numberplate.formats import CHARACTERS
from projects.numberplate.predictor import SHIPPED, Predictor
from projects.numberplate.read import greedy_decode
from projects.numberplate.synthetic.fonts import matplotlib_fonts
from projects.numberplate.synthetic.plates import draw_plate

BLANK = "_"


def path(*plates: str) -> Tensor:
    """Logits (T, B, 37) whose most likely symbols are these; `_` is a blank."""
    numbers = [[(BLANK + CHARACTERS).index(symbol) for symbol in plate] for plate in plates]
    return 9 * torch.eye(1 + len(CHARACTERS))[torch.tensor(numbers)].transpose(0, 1)


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [("AAAA", "A"), ("A__A", "AA"), ("0Z0Z", "0Z0Z"), ("____", ""), ("_ABA", "ABA"), ("AB_B", "ABB"), ("Z___", "Z")],
)
def test_paths_by_hand(symbols: str, expected: str) -> None:
    text = greedy_decode(path(symbols))[0].text
    assert text == expected, f"{symbols} is {expected!r}, not {text!r}"


def test_random_paths_are_read_as_by_groupby() -> None:
    generator = np.random.default_rng(0)
    plates = ["".join(generator.choice(list("__A1Z"), 40)) for _ in range(20)]
    found = [reading.text for reading in greedy_decode(path(*plates))]
    for plate, text in zip(plates, found):
        expected = "".join(symbol for symbol, _ in groupby(plate) if symbol != BLANK)
        assert text == expected, f"{plate} is {expected}, not {text}"


def test_a_plate_does_not_go_on_in_the_next() -> None:
    found = [reading.text for reading in greedy_decode(path("__BA", "A_C_", "C___"))]
    assert found == ["BA", "AC", "C"], f"three plates begin anew: ['BA', 'AC', 'C'], not {found}"


def test_a_confidence_is_the_largest_probability_of_the_merged_steps() -> None:
    probabilities = torch.full((5, 1, 37), 0.0)
    steps = [(11, 0.5), (11, 0.9), (11, 0.7), (0, 0.8), (12, 0.6)]  # A A A blank B
    for step, (symbol, probability) in enumerate(steps):
        probabilities[step, 0] = (1 - probability) / 36
        probabilities[step, 0, symbol] = probability
    reading = greedy_decode(probabilities.log() + 3)[0]
    assert reading.text == "AB", f"the path is A A A blank B: AB, not {reading.text!r}"
    assert reading.confidences == pytest.approx((0.9, 0.6), abs=1e-5), (
        f"A has .9 (of .5, .9 and .7), B has .6, not {reading.confidences}"
    )


def test_a_plate_without_characters_has_no_confidences() -> None:
    reading = greedy_decode(path("______"))[0]
    assert reading.text == "" and reading.confidence == 0, f"only blanks: no text and 0, not {reading}"


def test_the_weights_of_the_project_read_drawn_plates() -> None:
    reader = Predictor.load(SHIPPED).reader.eval()
    generator = np.random.default_rng(0)
    plates = [draw_plate(matplotlib_fonts()[0], generator, difficulty=0.0) for _ in range(24)]
    grey = [cv2.cvtColor(plate.image, cv2.COLOR_RGB2GRAY) for plate in plates]
    inputs = np.stack([cv2.resize(image, (160, 48), interpolation=cv2.INTER_AREA) for image in grey])
    with torch.inference_mode():
        found = [reading.text for reading in greedy_decode(reader(torch.from_numpy(inputs)))]
    right = sum(text == plate.text for text, plate in zip(found, plates))
    example = next(
        (f"; {plate.text} was read as {text!r}" for text, plate in zip(found, plates) if text != plate.text), ""
    )
    assert right >= 20, f"with the weights of the project at least 20 of 24 drawn plates are read, not {right}{example}"
