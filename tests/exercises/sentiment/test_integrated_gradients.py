"""Exercise integrated_gradients: what each token adds to the logit of the predicted class."""

import torch
from torch import Tensor, nn

from projects.sentiment.attribution import integrated_gradients
from projects.sentiment.config import ModelConfig
from projects.sentiment.model import SentimentNet


class Sum(nn.Module):
    """tokens (B, L) -> (B, 2): the sum of the word vectors; their two numbers are the logits."""

    def __init__(self) -> None:
        super().__init__()
        vectors = torch.tensor([[0.0, 0], [0, 0], [1, 3], [2, -1], [0, 4]])
        self.embedding = nn.Embedding.from_pretrained(vectors, freeze=False)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        return (self.embedding(tokens) * mask.unsqueeze(2)).sum(dim=1)


def network() -> SentimentNet:
    net = SentimentNet(Sum(), 2, 2, ModelConfig())
    net.head = nn.Sequential()
    return net.eval()


def test_in_a_sum_each_token_adds_its_own_number() -> None:
    found = [round(value, 4) for value in integrated_gradients(network(), torch.tensor([[2, 3, 4]]))[0].tolist()]
    assert found == [3, -1, 4], f"the logits are [3, 6]; to the second the tokens add [3, -1, 4], not {found}"


def test_there_is_one_value_for_each_token() -> None:
    shape = tuple(integrated_gradients(network(), torch.tensor([[2, 3, 4, 2, 2]])).shape)
    assert shape == (1, 5), f"5 tokens have values of the shape (1, 5), not {shape}"
