"""Out-of-distribution (OOD) detection: does a photo look like the training photos at all?

Distance of the last convolution's mean activations to the nearest class centre, in units of the spread within classes
(Mahalanobis distance; Lee et al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples).
"""

import torch
from torch import Tensor, nn

from projects.plantdisease.model import TestTimeAugmentation, last_convolution


class OutOfDistribution(nn.Module):
    """Class centres, within-class precision, and the threshold above which a photo is out of distribution."""

    centres: Tensor
    precision: Tensor
    threshold: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(classes, width))
        self.register_buffer("precision", torch.eye(width))
        self.register_buffer("threshold", torch.tensor(float("inf")))

    def forward(self, activations: Tensor) -> Tensor:
        """activations (B, D) -> distance to the nearest class (B,); 1 is the threshold."""
        differences = (activations - centre for centre in self.centres)  # C of (B, D), one at a time
        squared = torch.stack([((d @ self.precision) * d).sum(dim=1) for d in differences])  # (C, B)
        return squared.amin(dim=0).clamp(min=0).sqrt() / self.threshold

    @classmethod
    def fit(cls, activations: Tensor, labels: Tensor, classes: int) -> "OutOfDistribution":
        """Centres and spread from training data. activations (N, D), labels (N,)."""
        ood_score = cls(classes, activations.shape[1])
        for label in range(classes):
            ood_score.centres[label] = activations[labels == label].mean(dim=0)
        within = activations - ood_score.centres[labels]
        covariance = within.T @ within / len(within)
        ood_score.precision = torch.linalg.inv(
            covariance + 0.02 * covariance.diagonal().mean() * torch.eye(len(covariance))
        )
        ood_score.threshold = torch.tensor(1.0)
        return ood_score

    def calibrate(self, activations: Tensor, accepted: float = 0.99) -> None:
        """Choose the threshold that lets this part of (validation) activations (N, D) pass."""
        self.threshold = torch.quantile(self(activations), accepted)


def with_activations(model: TestTimeAugmentation, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (B, C) and, in the same pass, the mean activations of the last convolution for the first view (B, D). A
    network without a convolution is described by its logits."""
    layer = last_convolution(model.network)
    if layer is None:
        logits = model(images)
        return logits, logits
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _module, _inputs, output: kept.append(output.relu().mean(dim=(2, 3))))
    try:
        logits = model(images)
    finally:
        hook.remove()
    return logits, kept[0]
