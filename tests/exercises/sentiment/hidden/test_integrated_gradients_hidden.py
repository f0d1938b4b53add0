"""Exercise integrated_gradients, the tests that give points: integrals in closed form, and completeness."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from projects.sentiment.attribution import integrated_gradients
from projects.sentiment.config import ModelConfig
from projects.sentiment.model import SentimentNet, Transformer

VECTORS = torch.tensor([[0.0, 0.0], [5.0, 5.0], [1.0, 0.5], [2.0, -1.0], [-0.5, 1.0]])
TOKENS = torch.tensor([[2, 3, 4]])


class Toy(nn.Module):
    """tokens (B, L) -> logits (B, C): a function of the sum of the word vectors (B, E)."""

    def __init__(self, logits: Callable[[Tensor], Tensor], vectors: Tensor = VECTORS) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(vectors, freeze=False)
        self.logits = logits

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return self.logits((self.embedding(tokens) * mask.unsqueeze(2)).sum(dim=1))


class Strict(Toy):
    """A network that refuses a text without words, as the BiLSTM does."""

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        assert bool(mask.any(dim=1).all()), "the baseline is padding: a mask that is True everywhere makes it readable"
        return super().forward(tokens, mask)


class ToyTransformer(Transformer):
    """An encoder whose word vectors are those of its `network`."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.network = Embeddings()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return (self.network.table(tokens) * mask.unsqueeze(2)).sum(dim=1)


class Embeddings(nn.Module):
    """What a pretrained encoder calls its word vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding.from_pretrained(VECTORS, freeze=False)

    def get_input_embeddings(self) -> nn.Module:
        return self.table


def attributions(encoder: nn.Module, tokens: Tensor = TOKENS) -> list[float]:
    network = SentimentNet(encoder, 2, 2, ModelConfig())
    network.head = nn.Sequential()
    return integrated_gradients(network.eval(), tokens)[0].tolist()


def two(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second], dim=1)


def test_the_integral_of_a_square() -> None:
    found = attributions(Toy(lambda s: two(s.sum(dim=1) ** 2, 0 * s[:, 0])))
    expected = [1.5 * 3, 1.0 * 3, 0.5 * 3]  # the sums of the vectors are 1.5, 1, .5, and 3 together
    assert found == pytest.approx(expected, rel=0.05), f"3² = 9 is shared as {expected}, not {found}"


def test_a_saturated_logit_is_explained_too() -> None:
    found = sum(attributions(Toy(lambda s: two(torch.tanh(3 * s.sum(dim=1)), -s[:, 0]))))
    assert found == pytest.approx(1, rel=0.05), (
        f"tanh(9) - tanh(0) = 1 must be shared among the tokens, not {found:.4f}"
    )


def test_the_class_that_is_explained_is_the_predicted_one() -> None:
    found = attributions(Toy(lambda s: two(s[:, 0] - 9, s[:, 1] - 1)))
    expected = [0.5, -1.0, 1.0]
    assert found == pytest.approx(expected, abs=1e-3), (
        f"the second logit, -0.5, is the largest: {expected}, not {found}"
    )


def test_tokens_against_the_prediction_are_negative() -> None:
    found = attributions(Toy(lambda s: two(s[:, 0], -9 + s[:, 1])))
    assert found[2] == pytest.approx(-0.5, abs=1e-3), f"the last token lowers the logit by 0.5, not by {-found[2]:.3f}"


def test_the_baseline_is_the_vector_of_padding() -> None:
    vectors = VECTORS.clone()
    vectors[0] = torch.tensor([0.25, 0.0])
    found = attributions(Toy(lambda s: two(s[:, 0], 0 * s[:, 1] - 9), vectors))
    expected = [0.75, 1.75, -0.75]
    assert found == pytest.approx(expected, abs=1e-3), f"the vector of padding is [.25, 0]: {expected}, not {found}"


def test_the_baseline_has_a_mask_that_is_true() -> None:
    found = sum(attributions(Strict(lambda s: two(s[:, 0], 0 * s[:, 1] - 9))))
    assert found == pytest.approx(2.5, abs=1e-3), (
        f"the values sum to the difference of the logits, 2.5, not {found:.3f}"
    )


def test_the_word_vectors_of_a_transformer_are_found() -> None:
    found = attributions(ToyTransformer())
    expected = [1.0, 2.0, -0.5]
    assert found == pytest.approx(expected, abs=1e-3), f"a transformer's tokens add {expected}, not {found}"
