"""Exercise additive_attention: how much each grid point counts for the next word."""

import torch

from projects.imagecaption.model import AdditiveAttention


def test_shapes_and_weights_that_sum_to_one() -> None:
    torch.manual_seed(0)
    h, keys, values = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    context, alpha = AdditiveAttention(8).requires_grad_(False)(h, keys, values)
    shapes = tuple(context.shape), tuple(alpha.shape)
    assert shapes == ((2, 3, 8), (2, 3, 5)), f"(B, K, D) and (B, K, L) are (2, 3, 8) and (2, 3, 5), not {shapes}"
    wrong = float((alpha.sum(dim=2) - 1).abs().max())
    assert wrong < 1e-5, f"the weights of the 5 grid points sum to 1; they are off by up to {wrong:.3f}"


def test_one_number_by_hand() -> None:
    attention = AdditiveAttention(1).requires_grad_(False)
    for part in (attention.query, attention.key, attention.score):
        torch.nn.init.ones_(part.weight)
        torch.nn.init.zeros_(part.bias)
    context, alpha = attention(torch.tensor([[[0.5]]]), torch.tensor([[[0.5], [-0.5]]]), torch.tensor([[[1.0], [0.0]]]))
    found = float(alpha[0, 0, 0])
    assert abs(found - 0.6817) < 1e-3, (
        f"the scores are tanh(1) = .762 and tanh(0) = 0, their softmax begins with .682, not {found:.3f}"
    )
    assert abs(float(context) - found) < 1e-5, f"values 1 and 0 have the mean {found:.3f}, not {float(context):.3f}"
