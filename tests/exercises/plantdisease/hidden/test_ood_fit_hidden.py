"""Exercise ood_fit, the tests that give points: covariances by hand and by scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.covariance import EmpiricalCovariance
from torch import Tensor

from projects.plantdisease.ood import OutOfDistribution


def clusters(width: int, count: int = 300, apart: float = 20) -> tuple[Tensor, Tensor]:
    """Three classes, apart from each other, whose spread differs by direction. (N, D), (N,)."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 3
    centres = apart * torch.randn(3, width, generator=generator)
    mixing = torch.randn(width, width, generator=generator)
    return centres[labels] + torch.randn(count, width, generator=generator) @ mixing, labels


def test_the_precision_is_that_of_scikit_learn() -> None:
    activations, labels = clusters(4)
    within = activations.clone()
    for label in range(3):
        within[labels == label] -= activations[labels == label].mean(dim=0)
    covariance = EmpiricalCovariance(assume_centered=True).fit(within.double().numpy()).covariance_
    expected = np.linalg.inv(covariance + 0.02 * np.diag(covariance).mean() * np.eye(4))
    found = OutOfDistribution.fit(activations, labels, 3).precision.numpy()
    wrong = float(np.abs(found - expected).max() / np.abs(expected).max())
    assert wrong < 1e-3, f"the inverse of the covariance within classes, with .02 of its diagonal: off by {wrong:.0%}"


def test_a_direction_that_varies_much_counts_little() -> None:
    activations = torch.tensor([[10.0, 0], [-10, 0], [0, 1], [0, -1]])  # covariance: 50 and .5 on the diagonal
    along, across = OutOfDistribution.fit(activations, torch.zeros(4, dtype=torch.long), 1)(10 * torch.eye(2)).tolist()
    expected = 10 / (50 + 0.02 * 25.25) ** 0.5, 10 / (0.5 + 0.02 * 25.25) ** 0.5
    assert (along, across) == pytest.approx(expected, rel=1e-3), (
        f"ten to the right and ten up are at {expected[0]:.2f} and {expected[1]:.2f}, not {along:.2f} and {across:.2f}"
    )


def test_what_lies_between_the_classes_is_far_from_all_of_them() -> None:
    activations, labels = clusters(6)
    model = OutOfDistribution.fit(activations, labels, 3)
    usual, between = float(model(activations).median()), float(model(activations.mean(dim=0, keepdim=True)))
    assert between > 3 * usual, (
        f"the mean of three clusters that are apart is in none of them: more than 3 x {usual:.2f}, not {between:.2f}"
    )


def test_fewer_photos_than_activations_are_no_problem() -> None:
    activations, labels = clusters(64, count=60)
    distances = OutOfDistribution.fit(activations[:30], labels[:30], 3)(activations[30:])
    least, most = float(distances.min()), float(distances.max())
    assert 1 < least <= most < 200, (
        f"fitted on 30 photos with 64 activations, others of the same classes are at 1 to 200, not {least:.0f} to {most:.0f}"
    )


@pytest.mark.parametrize("scale", [0.001, 1000])
def test_the_unit_of_the_activations_plays_no_part(scale: float) -> None:
    activations, labels = clusters(5)
    one = OutOfDistribution.fit(activations, labels, 3)(activations[:20])
    other = OutOfDistribution.fit(activations * scale, labels, 3)(activations[:20] * scale)
    ratio = float((other / one).mean())
    assert ratio == pytest.approx(1, abs=0.01), f"activations times {scale}: the same distances, not {ratio:.3f} times"


def test_the_threshold_is_one_until_it_is_calibrated() -> None:
    threshold = float(OutOfDistribution.fit(*clusters(3), 3).threshold)
    assert threshold == 1, f"distances stay in units of the spread: threshold 1, not {threshold}"
