"""Exercise additive_attention, the tests that give points: the formula in loops, and what attention must not depend on;
the last one trains a small decoder to read a picture from left to right."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.imagecaption.config import ModelConfig
from projects.imagecaption.decode import beam_search
from projects.imagecaption.encoder import Encoder
from projects.imagecaption.model import AdditiveAttention, Captioner, LstmDecoder
from projects.imagecaption.vocabulary import END, START


def attention_and_inputs(scale: float = 1.0) -> tuple[AdditiveAttention, Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    layer = AdditiveAttention(6).requires_grad_(False)
    with torch.no_grad():
        layer.score.weight.mul_(5)
    return layer, scale * torch.randn(2, 3, 6), scale * torch.randn(2, 4, 6), torch.randn(2, 4, 6)


def in_loops(layer: AdditiveAttention, h: Tensor, keys: Tensor) -> Tensor:
    """alpha (B, K, L), one number after the other."""
    alpha = torch.zeros(len(h), h.shape[1], keys.shape[1])
    weights = layer.score.weight[0].tolist()
    for b in range(len(h)):
        for k in range(h.shape[1]):
            query = layer.query(h[b, k]).tolist()
            scores = [sum(w * math.tanh(q + a) for w, q, a in zip(weights, query, key)) for key in keys[b].tolist()]
            total = sum(math.exp(score) for score in scores)
            alpha[b, k] = torch.tensor([math.exp(score) / total for score in scores])
    return alpha


def test_the_weights_are_those_of_the_formula() -> None:
    layer, h, keys, values = attention_and_inputs()
    wrong = float((layer(h, keys, values)[1] - in_loops(layer, h, keys)).abs().max())
    assert wrong < 1e-5, f"softmax of w · tanh(W h + key), written in loops, differs by up to {wrong:.3f}"


def test_the_context_is_the_weighted_sum_of_the_values() -> None:
    layer, h, keys, values = attention_and_inputs()
    alpha = in_loops(layer, h, keys)
    expected = torch.stack([sum(alpha[:, :, i, None] * values[:, None, i] for i in range(4))])[0]
    wrong = float((layer(h, keys, values)[0] - expected).abs().max())
    assert wrong < 1e-5, f"the context is the sum of weight times value; it differs by up to {wrong:.3f}"


def test_large_inputs_saturate() -> None:
    layer, h, keys, values = attention_and_inputs(scale=100.0)
    alpha = layer(h, keys, values)[1]
    ratio = float((alpha.amax(dim=2) / alpha.amin(dim=2)).max())
    limit = math.exp(2 * float(layer.score.weight.abs().sum()))
    assert ratio <= limit * 1.01, (
        f"tanh bounds the scores, so that weights differ at most {limit:.0f}fold, not {ratio:.1e}"
    )


def test_grid_points_in_another_order_have_the_same_weights_in_that_order() -> None:
    layer, h, keys, values = attention_and_inputs()
    order = torch.tensor([2, 0, 3, 1])
    (context, alpha), (same, moved) = layer(h, keys, values), layer(h, keys[:, order], values[:, order])
    wrong = max(float((moved - alpha[:, :, order]).abs().max()), float((same - context).abs().max()))
    assert wrong < 1e-5, f"the order of the grid points must not matter; results differ by up to {wrong:.3f}"


def test_captions_and_photos_do_not_influence_each_other() -> None:
    layer, h, keys, values = attention_and_inputs()
    whole = layer(h, keys, values)[0]
    alone = layer(h[1:, 2:], keys[1:], values[1:])[0]
    wrong = float((whole[1:, 2:] - alone).abs().max())
    assert wrong < 1e-5, f"a caption alone has the context that it has in a batch; it differs by up to {wrong:.3f}"


def test_the_state_decides() -> None:
    layer, h, keys, values = attention_and_inputs()
    one, two = layer(h, keys, values)[1], layer(3 * h.roll(1, dims=1), keys, values)[1]
    change = float((one - two).abs().max())
    assert change > 0.05, f"another hidden state attends to other grid points; the weights move by {change:.3f} only"


COLOURS, POINTS = 6, 5


class Strip(Encoder):
    """A picture that is its own features: a strip of five fields in six colours."""

    channels, grid_points = COLOURS, POINTS

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, photos: Tensor) -> Tensor:
        return photos


def strips(number: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random strips (B, 5, 6), and captions (B, 7) that name their colours from left to right."""
    colours = torch.randint(COLOURS, (number, POINTS), generator=torch.Generator().manual_seed(seed))
    start, end = torch.full((number, 1), START), torch.full((number, 1), END)
    return F.one_hot(colours, COLOURS).float(), torch.cat([start, colours + 4, end], dim=1)


def test_a_decoder_learns_to_read_a_picture_from_left_to_right() -> None:
    torch.manual_seed(0)
    config = ModelConfig(hidden_size=32, num_heads=1, dropout=0.0, attention="additive", max_words=POINTS + 2)
    model = Captioner(Strip(), LstmDecoder(Strip(), COLOURS + 4, config), fine_tune=False)
    optimizer = torch.optim.Adam(model.decoder.parameters(), 0.01)
    for step in range(120):
        pictures, captions = strips(64, step + 1)
        loss = F.cross_entropy(model(pictures, captions.unsqueeze(1))[0], captions[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.decoder.parameters(), 1.0)
        optimizer.step()
    pictures, captions = strips(100, seed=0)
    with torch.inference_mode():
        found = [several[0].tokens for several in beam_search(model.eval(), pictures, 2, POINTS + 2)]
    right = sum(tokens == caption[1:].tolist() for tokens, caption in zip(found, captions))
    assert right >= 95, f"after 120 steps at least 95 of 100 new pictures are read without a mistake, not {right}"
