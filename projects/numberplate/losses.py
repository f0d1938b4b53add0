"""Losses of the detector and the reader."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

from projects.numberplate.model import decode

WIDTHS = {8: (0.0, 88.0), 16: (64.0, 200.0), 32: (144.0, 1e9)}
"""Widths in pixels of the plates that the grid points of each stride predict; the ranges overlap."""


def assign(points: Tensor, boxes: Tensor) -> Tensor:
    """The plate that each grid point predicts: points (N, 3), boxes (B, M, 4) -> (B, N), -1 for none.

    A grid point predicts the nearest plate whose centre is less than one stride away in x and in y.
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2  # (B, M, 2)
    distance = ((points[None, :, None, :2] - centre[:, None]).abs() / points[None, :, None, 2:]).amax(
        dim=3
    )  # (B, N, M)
    width = (boxes[..., 2] - boxes[..., 0])[:, None]  # (B, 1, M)
    low, high = torch.zeros_like(points[:, 2]), torch.zeros_like(points[:, 2])
    for stride, (least, most) in WIDTHS.items():
        low[points[:, 2] == stride], high[points[:, 2] == stride] = least, most
    near = (distance < 1) & (width >= low[None, :, None]) & (width < high[None, :, None])  # NaN compares false
    nearest = torch.where(near, distance, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)


def detector_loss(outputs: Tensor, points: Tensor, boxes: Tensor, corners: Tensor) -> dict[str, Tensor]:
    """outputs (B, N, 13), points (N, 3), boxes (B, M, 4), corners (B, M, 4, 2) with NaN where not known.

    Score: quality focal loss (Lin et al. 2017; Li et al. 2020), whose target is the IoU of the predicted box. Box: 1 -
    generalised IoU (Rezatofighi et al. 2019). Corners: smooth L1 in units of half the box; where the true corners are
    not known, the predicted ones must span the box.
    """
    outputs = outputs.float()
    assigned = assign(points, boxes)  # (B, N)
    image, point = torch.nonzero(assigned >= 0, as_tuple=True)  # (P,)
    plate = assigned[image, point]
    target_boxes, target_corners = boxes[image, plate], corners[image, plate]  # (P, 4), (P, 4, 2)
    predicted_boxes, _ = decode(outputs[image, point], points[point])  # (P, 4)
    count = max(1, len(plate))

    giou_loss = generalized_box_iou_loss(predicted_boxes, target_boxes, reduction="none")  # (P,)
    quality = torch.zeros_like(outputs[..., 0])
    quality[image, point] = (1 - giou_loss.detach()).clamp(0.1, 1)
    scores = outputs[..., 0]
    modulation = (scores.sigmoid() - quality).abs() ** 2
    score = (modulation * F.binary_cross_entropy_with_logits(scores, quality, reduction="none")).sum() / count

    half = (target_boxes[:, 2:] - target_boxes[:, :2]) / 2
    centre = (target_boxes[:, 2:] + target_boxes[:, :2]) / 2
    predicted = outputs[image, point, 5:].view(-1, 4, 2)  # in units of half the box
    target = (target_corners - centre[:, None]) / half[:, None]
    known = ~target.isnan()
    corner_error = torch.where(
        known, F.smooth_l1_loss(predicted, target.nan_to_num(), reduction="none", beta=0.1), 0
    ).sum()
    span = (predicted.amin(dim=1) + 1).abs() + (predicted.amax(dim=1) - 1).abs()  # (P, 2)
    span_error = torch.where(known.flatten(1).any(dim=1, keepdim=True), 0, span).sum()
    corner = (corner_error + span_error) / 8 / count
    return {
        "loss": score + 2 * giou_loss.sum() / count + 2 * corner,
        "score": score,
        "box": giou_loss.sum() / count,
        "corner": corner,
    }


def reader_loss(logits: Tensor, texts: Tensor, lengths: Tensor) -> Tensor:
    """Connectionist temporal classification (Graves et al. 2006). logits (T, B, C), texts (B, L), lengths (B,)."""
    steps = torch.full((logits.shape[1],), logits.shape[0], dtype=torch.long)
    log_probabilities = logits.float().log_softmax(dim=2)
    return F.ctc_loss(log_probabilities, texts, steps, lengths, blank=0, zero_infinity=True)
