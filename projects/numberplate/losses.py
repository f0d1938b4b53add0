"""What the two networks are asked to make small."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import generalized_box_iou_loss

from projects.numberplate.model import decode

WIDTHS = {8: (0.0, 88.0), 16: (64.0, 200.0), 32: (144.0, 1e9)}
"""Width in pixels of the plates that the places of each stride answer for; they overlap."""


def assign(where: Tensor, boxes: Tensor) -> Tensor:
    """Which plate each place answers for: where (N, 3), boxes (B, M, 4) -> (B, N), -1 for none.

    A place answers for a plate whose middle is less than one stride away in x and in y, the nearest one first.
    """
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2  # (B, M, 2)
    away = ((where[None, :, None, :2] - middle[:, None]).abs() / where[None, :, None, 2:]).amax(dim=3)  # (B, N, M)
    width = (boxes[..., 2] - boxes[..., 0])[:, None]  # (B, 1, M)
    low, high = torch.zeros_like(where[:, 2]), torch.zeros_like(where[:, 2])
    for stride, (least, most) in WIDTHS.items():
        low[where[:, 2] == stride], high[where[:, 2] == stride] = least, most
    near = (away < 1) & (width >= low[None, :, None]) & (width < high[None, :, None])  # NaN compares false
    nearest = torch.where(near, away, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)


def detector_loss(outputs: Tensor, where: Tensor, boxes: Tensor, corners: Tensor) -> dict[str, Tensor]:
    """outputs (B, N, 13), where (N, 3), boxes (B, M, 4), corners (B, M, 4, 2) with NaN where not known.

    Score: focal loss (Lin et al. 2017) towards the overlap of the predicted box (Li et al. 2020). Box: 1 - generalised
    IoU (Rezatofighi et al. 2019). Corners: distance in half boxes; where they are not known they must span the box.
    """
    outputs = outputs.float()
    mine = assign(where, boxes)  # (B, N)
    image, place = torch.nonzero(mine >= 0, as_tuple=True)  # (P,)
    plate = mine[image, place]
    target_boxes, target_corners = boxes[image, plate], corners[image, plate]  # (P, 4), (P, 4, 2)
    found, _ = decode(outputs[image, place], where[place])  # (P, 4)
    count = max(1, len(plate))

    apart = generalized_box_iou_loss(found, target_boxes, reduction="none")  # (P,)
    quality = torch.zeros_like(outputs[..., 0])
    quality[image, place] = (1 - apart.detach()).clamp(0.1, 1)
    scores = outputs[..., 0]
    surprise = (scores.sigmoid() - quality).abs() ** 2
    score = (surprise * F.binary_cross_entropy_with_logits(scores, quality, reduction="none")).sum() / count

    half = (target_boxes[:, 2:] - target_boxes[:, :2]) / 2
    middle = (target_boxes[:, 2:] + target_boxes[:, :2]) / 2
    guess = outputs[image, place, 5:].view(-1, 4, 2)  # in units of half the box
    truth = (target_corners - middle[:, None]) / half[:, None]
    known = ~truth.isnan()
    exact = torch.where(known, F.smooth_l1_loss(guess, truth.nan_to_num(), reduction="none", beta=0.1), 0).sum()
    span = (guess.amin(dim=1) + 1).abs() + (guess.amax(dim=1) - 1).abs()  # (P, 2)
    loose = torch.where(known.flatten(1).any(dim=1, keepdim=True), 0, span).sum()
    corner = (exact / 8 + loose / 8) / count
    return {
        "loss": score + 2 * apart.sum() / count + 2 * corner,
        "score": score,
        "box": apart.sum() / count,
        "corner": corner,
    }


def reader_loss(logits: Tensor, texts: Tensor, lengths: Tensor) -> Tensor:
    """Connectionist temporal classification (Graves et al. 2006). logits (T, B, C), texts (B, L), lengths (B,)."""
    steps = torch.full((logits.shape[1],), logits.shape[0], dtype=torch.long)
    log_probabilities = logits.float().log_softmax(dim=2)
    return F.ctc_loss(log_probabilities, texts, steps, lengths, blank=0, zero_infinity=True)
