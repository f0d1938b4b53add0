"""Exercise pooling: one vector of the hidden states of a text."""

import torch

from projects.sentiment.model import Pooling

STATES = torch.tensor([[[1.0, 6.0], [3.0, 2.0], [50.0, 50.0]]])
MASK = torch.tensor([[True, True, False]])  # the third token is padding


def test_the_maximum_of_each_dimension() -> None:
    found = Pooling("max", 2)(STATES, MASK).tolist()
    assert found == [[3, 6]], f"the maximum over [1, 6] and [3, 2] is [[3, 6]], not {found}"


def test_the_mean_of_two_tokens() -> None:
    found = Pooling("mean", 2)(STATES, MASK).tolist()
    assert found == [[2, 4]], f"the mean of [1, 6] and [3, 2] is [[2, 4]], not {found}"


def test_attention_gives_a_vector_for_each_text() -> None:
    shape = tuple(Pooling("attention", 7)(torch.rand(4, 9, 7), torch.ones(4, 9, dtype=torch.bool)).shape)
    assert shape == (4, 7), f"4 texts with 9 states of width 7 give (4, 7), not {shape}"
