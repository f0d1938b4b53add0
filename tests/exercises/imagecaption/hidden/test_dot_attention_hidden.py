"""Exercise dot_attention, the tests that give points: PyTorch's own attention."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from projects.imagecaption.model import DotAttention


def layer_and_inputs(heads: int, scale: float = 1.0) -> tuple[DotAttention, Tensor, Tensor, Tensor]:
    torch.manual_seed(heads)
    layer = DotAttention(12, heads).requires_grad_(False)
    with torch.no_grad():
        layer.query.weight.mul_(4)
    return layer, torch.randn(2, 3, 12), scale * torch.randn(2, 5, 12), torch.randn(2, 5, 12)


def heads_of(x: Tensor, heads: int) -> Tensor:
    b, n, d = x.shape
    return x.reshape(b, n, heads, d // heads).permute(0, 2, 1, 3)


def of_pytorch(layer: DotAttention, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """The context, and the weights of every head (B, H, K, L): the context of values that are unit vectors."""
    q, k, v = (heads_of(x, layer.num_heads) for x in (layer.query(h), keys, values))
    units = torch.eye(keys.shape[1]).expand(*k.shape[:2], -1, -1)
    context = F.scaled_dot_product_attention(q, k, v).permute(0, 2, 1, 3).reshape(h.shape)
    return context, F.scaled_dot_product_attention(q, k, units)


@pytest.mark.parametrize("heads", [1, 3, 12])
def test_the_context_is_that_of_pytorch(heads: int) -> None:
    layer, h, keys, values = layer_and_inputs(heads)
    wrong = float((layer(h, keys, values)[0] - of_pytorch(layer, h, keys, values)[0]).abs().max())
    assert wrong < 1e-4, f"number of heads {heads}: scaled_dot_product_attention differs by up to {wrong:.3f}"


@pytest.mark.parametrize("heads", [1, 4])
def test_the_weights_are_the_mean_of_the_heads(heads: int) -> None:
    layer, h, keys, values = layer_and_inputs(heads)
    wrong = float((layer(h, keys, values)[1] - of_pytorch(layer, h, keys, values)[1].mean(dim=1)).abs().max())
    assert wrong < 1e-5, f"number of heads {heads}: their mean weights differ by up to {wrong:.3f}"


def test_grid_points_in_another_order_have_the_same_weights_in_that_order() -> None:
    layer, h, keys, values = layer_and_inputs(3)
    order = torch.tensor([4, 2, 0, 3, 1])
    (context, alpha), (same, moved) = layer(h, keys, values), layer(h, keys[:, order], values[:, order])
    wrong = max(float((moved - alpha[:, :, order]).abs().max()), float((same - context).abs().max()))
    assert wrong < 1e-5, f"the order of the grid points must not matter; results differ by up to {wrong:.3f}"


def test_captions_and_photos_do_not_influence_each_other() -> None:
    layer, h, keys, values = layer_and_inputs(3)
    wrong = float((layer(h, keys, values)[0][1:, 2:] - layer(h[1:, 2:], keys[1:], values[1:])[0]).abs().max())
    assert wrong < 1e-5, f"a caption alone has the context that it has in a batch; it differs by up to {wrong:.3f}"


def test_large_keys_give_no_number_that_is_not_finite() -> None:
    layer, h, keys, values = layer_and_inputs(3, scale=1e4)
    context, alpha = layer(h, keys, values)
    finite = bool(context.isfinite().all() and alpha.isfinite().all())
    assert finite, f"scores of 10,000 and more need a stable softmax; the weights are {alpha[0, 0].tolist()}"
