"""Exercise pooling, the tests that give points: closed forms, and padding that changes nothing."""

import math

import pytest
import torch

from projects.sentiment.model import Pooling


def attention(weight: list[float], bias: float = 0.0) -> Pooling:
    pooling = Pooling("attention", len(weight))
    pooling.load_state_dict({"score.weight": torch.tensor([weight]), "score.bias": torch.tensor([bias])})
    return pooling


@pytest.mark.parametrize("kind", ["max", "mean", "attention"])
def test_padding_changes_nothing(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(2, 5, 3, generator=generator)
    padded = torch.cat([states, 20 * torch.randn(2, 4, 3, generator=generator)], dim=1)
    mask = torch.arange(9).expand(2, 9) < 5
    pooling = Pooling(kind, 3)
    one, two = pooling(states, mask[:, :5]), pooling(padded, mask)
    difference = float((one - two).abs().max())
    assert difference < 1e-5, f"{kind}: four tokens of padding change the vector by {difference:.3f}"


def test_each_text_has_its_own_length() -> None:
    states = torch.tensor([[[3.0], [5.0], [10.0]], [[3.0], [5.0], [10.0]]])
    mask = torch.tensor([[True, False, False], [True, True, True]])
    found = Pooling("mean", 1)(states, mask).flatten().tolist()
    assert found == [3, 6], f"the mean of [3] is 3 and that of [3, 5, 10] is 6: not {found}"


def test_the_maximum_may_be_negative() -> None:
    states = torch.tensor([[[-4.0, -1.0], [-2.0, -3.0], [0.0, 0.0]]])
    found = Pooling("max", 2)(states, torch.tensor([[True, True, False]])).tolist()
    assert found == [[-2, -1]], f"all states of the text are negative: the maximum is [[-2, -1]], not {found}"


def test_equal_scores_give_the_mean_of_the_tokens() -> None:
    states = torch.tensor([[[2.0, 0.0], [4.0, 6.0], [90.0, 90.0], [90.0, 90.0]]])
    found = attention([0.0, 0.0], bias=1.5)(states, torch.tensor([[True, True, False, False]])).flatten().tolist()
    assert found == pytest.approx([3, 3]), f"two tokens with the same score weigh one half each: [3, 3], not {found}"


def test_attention_weighs_the_tokens_by_the_softmax_of_their_scores() -> None:
    states = torch.tensor([[[0.0, 8.0], [math.log(3), 4.0]]])  # the score is the first number: weights 1/4 and 3/4
    found = float(attention([1.0, 0.0])(states, torch.ones(1, 2, dtype=torch.bool))[0, 1])
    assert found == pytest.approx(5), f"scores 0 and ln 3 are weights 1/4 and 3/4: 8 / 4 + 4 · 3/4 = 5, not {found:.3f}"
