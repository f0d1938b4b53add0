"""Exercise text_cnn: the largest response of each filter."""

import torch
from torch import nn

from projects.sentiment.config import ModelConfig
from projects.sentiment.model import CNN

CONFIG = ModelConfig(name="cnn", num_filters=5)


def test_there_is_one_number_for_each_filter() -> None:
    tokens = torch.randint(1, 20, (4, 9), generator=torch.Generator().manual_seed(0))
    shape = tuple(CNN(nn.Embedding(20, 6), CONFIG).eval()(tokens, tokens != 0).shape)
    assert shape == (4, 15), f"4 texts and 5 filters of 3 widths give (4, 15), not {shape}"


def test_one_word_is_enough_for_every_filter() -> None:
    network = CNN(nn.Embedding.from_pretrained(torch.tensor([[0.0], [2.0]])), CONFIG).eval()
    for convolution in network.convolutions:
        nn.init.constant_(convolution.weight, 3.0)
        nn.init.constant_(convolution.bias, 1.0)
    tokens = torch.tensor([[1]])
    found = [round(value, 3) for value in network(tokens, tokens != 0)[0].tolist()]
    assert found == [7] * 15, f"a word of 2, weights of 3 and a bias of 1: every filter has 7, not {found}"
