"""Exercise text_cnn, the tests that give points: filters moved over the words by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from projects.sentiment.config import ModelConfig
from projects.sentiment.model import CNN

CONFIG = ModelConfig(name="cnn", num_filters=4, dropout=0.5)


def network(vectors: Tensor) -> CNN:
    torch.manual_seed(1)
    return CNN(nn.Embedding.from_pretrained(vectors), CONFIG).eval()


def random_vectors() -> Tensor:
    return torch.randn(20, 4, generator=torch.Generator().manual_seed(0))  # that of padding is not 0


def set_filters(net: CNN, weight: float, bias: float) -> CNN:
    for convolution in net.convolutions:
        nn.init.constant_(convolution.weight, weight)
        nn.init.constant_(convolution.bias, bias)
    return net


def by_hand(net: CNN, words: np.ndarray) -> np.ndarray:
    """The largest responses to the word vectors of one text, (n, E)."""
    largest = []
    for convolution in net.convolutions:
        weight, bias = convolution.weight.detach().numpy(), convolution.bias.detach().numpy()
        width = weight.shape[2]
        padded = np.pad(words, ((width - 1, width - 1), (0, 0)))
        windows = [padded[start : start + width] for start in range(len(words) + width - 1)]
        largest.append(np.max([np.einsum("fek,ke->f", weight, window) + bias for window in windows], axis=0))
    return np.maximum(np.concatenate(largest), 0)


@pytest.mark.parametrize("length", [1, 2, 4, 11])
def test_it_is_what_moving_the_filters_by_hand_gives(length: int) -> None:
    vectors = random_vectors()
    net, tokens = network(vectors), torch.arange(1, length + 1).unsqueeze(0)
    found = net(tokens, tokens != 0)[0].detach().numpy()
    wrong = float(np.abs(found - by_hand(net, vectors[1 : length + 1].numpy())).max())
    assert wrong < 1e-4, f"a text of length {length}: the largest responses differ by up to {wrong:.3f}"


@pytest.mark.parametrize("padding", [1, 3, 12])
def test_the_amount_of_padding_changes_nothing(padding: int) -> None:
    net = network(random_vectors())
    tokens = torch.tensor([[3, 7, 5, 9, 2, 8]])
    padded = torch.cat([tokens, torch.zeros(1, padding, dtype=torch.long)], dim=1)
    wrong = float((net(tokens, tokens != 0) - net(padded, padded != 0)).abs().max())
    assert wrong < 1e-5, f"padding of length {padding}, whose vector is not 0, changes a response by {wrong:.3f}"


def test_a_filter_that_sees_only_padding_does_not_count() -> None:
    net = set_filters(network(torch.tensor([[0.0], [2.0]])), weight=-1.0, bias=1.0)
    tokens = torch.tensor([[1] + [0] * 12])
    found = float(net(tokens, tokens != 0).max())
    assert found == 0, f"at the word each filter has 1 - 2, after the ReLU 0; the bias at the padding is {found:.2f}"


def test_texts_of_a_batch_have_their_own_lengths() -> None:
    net = network(random_vectors())
    batch = torch.tensor([[4, 6, 0, 0, 0, 0, 0], [3, 7, 5, 9, 2, 8, 1]])
    together = net(batch, batch != 0)
    alone = net(batch[:1, :2], batch[:1, :2] != 0)[0]
    wrong = float((together[0] - alone).abs().max())
    assert wrong < 1e-5, f"beside a longer text, a response of the short one differs by {wrong:.3f}"


def test_responses_below_zero_become_zero() -> None:
    net = set_filters(network(torch.tensor([[0.0], [1.0]])), weight=0.0, bias=-2.0)
    found = net(torch.ones(1, 6, dtype=torch.long), torch.ones(1, 6, dtype=torch.bool))[0].tolist()
    assert found == [0] * 12, f"every response is -2; after the ReLU it is 0, not {found[:3]}"


def test_word_vectors_have_dropout_in_training_only() -> None:
    net, tokens = network(random_vectors()), torch.arange(1, 15).unsqueeze(0)
    assert torch.equal(net(tokens, tokens != 0), net(tokens, tokens != 0)), "without training, the same text, the same"
    net.train()
    same = torch.equal(net(tokens, tokens != 0), net(tokens, tokens != 0))
    assert not same, "in training, two passes over a text must differ: `self.dropout` of the word vectors"
