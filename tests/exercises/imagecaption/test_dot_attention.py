"""Exercise dot_attention: several heads that compare by dot products."""

import torch

from projects.imagecaption.model import DotAttention


def test_shapes_and_weights_that_sum_to_one() -> None:
    torch.manual_seed(0)
    h, keys, values = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    context, alpha = DotAttention(8, 2).requires_grad_(False)(h, keys, values)
    shapes = tuple(context.shape), tuple(alpha.shape)
    assert shapes == ((2, 3, 8), (2, 3, 5)), f"(B, K, D) and (B, K, L) are (2, 3, 8) and (2, 3, 5), not {shapes}"
    wrong = float((alpha.sum(dim=2) - 1).abs().max())
    assert wrong < 1e-5, f"the weights of the 5 grid points sum to 1; they are off by up to {wrong:.3f}"


def test_equal_keys_have_equal_weights() -> None:
    torch.manual_seed(0)
    values = torch.randn(1, 4, 8)
    context, alpha = DotAttention(8, 2).requires_grad_(False)(torch.randn(1, 1, 8), torch.ones(1, 4, 8), values)
    assert torch.allclose(alpha, torch.tensor(0.25), atol=1e-6), f"4 equal keys: 1/4 each, not {alpha.flatten()}"
    wrong = float((context[0, 0] - values[0].mean(dim=0)).abs().max())
    assert wrong < 1e-5, f"the context is then the mean of the values; it differs by up to {wrong:.3f}"
