"""Exercise ood_fit: where the activations of the training photos lie."""

import torch

from projects.plantdisease.ood import OutOfDistribution

ACTIVATIONS = torch.tensor([[0.0, 0], [2, 0], [10, 4], [10, 6], [10, 5]])
LABELS = torch.tensor([0, 0, 1, 1, 1])


def test_centres_are_the_means_of_the_classes() -> None:
    centres = OutOfDistribution.fit(ACTIVATIONS, LABELS, 2).centres.tolist()
    assert centres == [[1, 0], [10, 5]], f"the means of the classes are [1, 0] and [10, 5], not {centres}"


def test_a_centre_is_at_distance_zero_and_other_places_are_not() -> None:
    distances = OutOfDistribution.fit(ACTIVATIONS, LABELS, 2)(torch.tensor([[10.0, 5], [5, 2]])).tolist()
    assert distances[0] == 0, f"the centre of class 1 is at distance 0, not {distances[0]:.3f}"
    assert distances[1] > 1, f"[5, 2] is between the classes: a distance above 1, not {distances[1]:.3f}"
