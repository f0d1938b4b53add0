"""Exercise tta, the tests that give points: mean probabilities by numpy."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from projects.plantdisease.model import LeafNet, TestTimeAugmentation

SIDE = 6
IMAGES = torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def network(scale: float = 1.0) -> LeafNet:
    """Logits that depend on every pixel."""
    head = nn.Linear(3 * SIDE * SIDE, 4)
    weights = torch.randn(4, 3 * SIDE * SIDE, generator=torch.Generator().manual_seed(2))
    head.weight, head.bias = nn.Parameter(scale * weights), nn.Parameter(torch.zeros(4))
    return LeafNet(nn.Flatten(), head).eval()


def mean_probabilities(model: LeafNet, count: int) -> np.ndarray:
    weights = model.head.weight.detach().double().numpy()
    photos = IMAGES.double().numpy()
    views = [np.rot90(photos, quarter, (2, 3)) for quarter in range(4)]
    views = (views + [view[..., ::-1] for view in views])[:count]
    logits = np.stack([view.reshape(len(photos), -1) @ weights.T for view in views])
    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (odds / odds.sum(axis=2, keepdims=True)).mean(axis=0)


@pytest.mark.parametrize("count", [4, 8])
def test_it_is_the_log_of_the_mean_probabilities(count: int) -> None:
    model = network()
    with torch.inference_mode():
        found = TestTimeAugmentation(model, count)(IMAGES).double().numpy()
    expected = mean_probabilities(model, count)
    wrong = float(np.abs(np.exp(found) - expected).max())
    assert wrong < 1e-4, f"{count} views: the exponentials differ from the mean probabilities by up to {wrong:.3f}"


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_four_views_give_the_same_for_a_turned_photo(quarter: int) -> None:
    model = TestTimeAugmentation(network(), 4)
    with torch.inference_mode():
        difference = float((model(IMAGES) - model(torch.rot90(IMAGES, quarter, (2, 3)))).abs().max())
    assert difference < 1e-4, (
        f"turned by {90 * quarter} degrees a photo has the same four views; off by {difference:.3f}"
    )


@pytest.mark.parametrize("count", [1, 4, 8])
def test_the_network_sees_as_many_views_as_are_asked_for(count: int) -> None:
    seen: list[Tensor] = []
    model = network()
    model.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0]))
    with torch.inference_mode():
        TestTimeAugmentation(model, count)(IMAGES[:1])
    views = torch.cat(seen)
    different = len(torch.unique(views, dim=0))
    assert len(views) == different == count, f"{count} different views, not {len(views)} of which {different} differ"


def test_very_sure_networks_give_finite_numbers() -> None:
    with torch.inference_mode():
        found = TestTimeAugmentation(network(scale=1000), 8)(IMAGES)
    assert bool(found.isfinite().all()), (
        f"probabilities of nearly 0 have a finite logarithm here, not {found.min():.0f}"
    )


def test_one_view_is_the_network_itself() -> None:
    model = network()
    with torch.inference_mode():
        difference = float((TestTimeAugmentation(model, 1)(IMAGES) - model(IMAGES)).abs().max())
    assert difference == 0, f"with one view the logits are those of the network; they differ by {difference:.3f}"
