"""Exercise tta: the mean prediction over several views of a photo."""

import torch
from torch import nn

from projects.plantdisease.model import LeafNet, TestTimeAugmentation

HEAD = nn.Linear(3 * 6 * 6, 4)
HEAD.weight = nn.Parameter(torch.randn(4, 3 * 6 * 6, generator=torch.Generator().manual_seed(0)))
NETWORK = LeafNet(nn.Flatten(), HEAD).eval()
IMAGES = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def test_one_view_is_the_network_itself() -> None:
    with torch.inference_mode():
        difference = float((TestTimeAugmentation(NETWORK, 1)(IMAGES) - NETWORK(IMAGES)).abs().max())
    assert difference == 0, f"with one view the logits are those of the network; they differ by {difference:.3f}"


def test_probabilities_sum_to_one() -> None:
    with torch.inference_mode():
        total = float(TestTimeAugmentation(NETWORK, 4)(IMAGES)[0].exp().sum())
    assert abs(total - 1) < 1e-5, (
        f"the exponentials of the result are mean probabilities: their sum is 1, not {total:.3f}"
    )


def test_eight_views_give_the_same_for_a_mirrored_photo() -> None:
    model = TestTimeAugmentation(NETWORK, 8)
    with torch.inference_mode():
        difference = float((model(IMAGES) - model(IMAGES.flip(3))).abs().max())
    assert difference < 1e-5, (
        f"a photo and its mirror image have the same eight views; the results differ by {difference:.3f}"
    )
