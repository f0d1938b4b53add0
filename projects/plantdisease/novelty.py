"""Does a photo look like one of the leaves the network knows?

Distance of the last convolution's mean activations to the nearest class centre, in units of the spread within classes
(Mahalanobis distance; Lee et al. 2018, A Simple Unified Framework for Detecting Out-of-Distribution Samples).
"""

import torch
from torch import Tensor, nn

from projects.plantdisease.model import Views, last_convolution


class Novelty(nn.Module):
    """Class centres and within-class precision as buffers, and the threshold above which a photo is strange."""

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
    def fit(cls, activations: Tensor, labels: Tensor, classes: int) -> "Novelty":
        """Centres and spread from training data. activations (N, D), labels (N,)."""
        novelty = cls(classes, activations.shape[1])
        for label in range(classes):
            novelty.centres[label] = activations[labels == label].mean(dim=0)
        within = activations - novelty.centres[labels]
        covariance = within.T @ within / len(within)
        novelty.precision = torch.linalg.inv(
            covariance + 0.02 * covariance.diagonal().mean() * torch.eye(len(covariance))
        )
        novelty.threshold = torch.tensor(1.0)
        return novelty

    def calibrate(self, activations: Tensor, accepted: float = 0.99) -> None:
        """Choose the threshold that lets this part of (validation) activations (N, D) pass."""
        self.threshold = torch.quantile(self(activations), accepted)


def with_activations(model: Views, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (B, C) and the last convolution's mean activations for the first view (B, D) in one pass."""
    kept: list[Tensor] = []
    layer = last_convolution(model.network.trunk)
    hook = layer.register_forward_hook(lambda _module, _inputs, output: kept.append(output.relu().mean(dim=(2, 3))))
    try:
        logits = model(images)
    finally:
        hook.remove()
    return logits, kept[0]
