"""Where are the plates? The classic ways with OpenCV, kept as the readable baseline, and our own network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import nms

from projects.numberplate.model import Conv, decode, grid_points

PAINT = 114
MOST = 20
"""Plates on one photo."""
GLANCE, WIDE = 0.4, 90.0
"""The second look: its size beside the first one's, and from which width in its pixels on a plate counts."""


@dataclass(frozen=True)
class Detection:
    """One plate: box (4,) x0, y0, x1, y1 and corners (4, 2) clockwise from the top left, in pixels; score in 0..1."""

    box: np.ndarray
    corners: np.ndarray
    score: float


class PlateDetector(Protocol):
    """Finds the plates of an RGB photo, uint8 (H, W, 3)."""

    def __call__(self, photo: np.ndarray) -> list[Detection]: ...


def contours(photo: np.ndarray) -> list[Detection]:
    """The tutorials' way: smooth, find edges (Canny 1986), take the outlines of four corners and a plate's shape."""
    scale = min(1.0, 1000 / max(photo.shape[:2]))
    small = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    grey = cv2.cvtColor(cv2.resize(photo, small, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(cv2.bilateralFilter(grey, 11, 17, 17), 30, 200)
    edges = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:30]:
        corners = cv2.approxPolyDP(outline, 0.03 * cv2.arcLength(outline, True), True).reshape(-1, 2)
        x, y, width, height = cv2.boundingRect(outline)
        if len(corners) == 4 and width > 20 and 1.3 < width / height < 7 and cv2.isContourConvex(corners):
            box = np.array([x, y, x + width, y + height], np.float32) / scale
            found.append(Detection(box, clockwise(corners.astype(np.float32) / scale), 0.5))
    return _apart(found)[:3]


def cascade(photo: np.ndarray) -> list[Detection]:
    """Boosted Haar features (Viola & Jones 2001), as OpenCV ships them for Russian plates."""
    classifier = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_russian_plate_number.xml"))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    boxes = classifier.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4)
    found = [np.array([x, y, x + width, y + height], np.float32) for x, y, width, height in boxes]
    return [Detection(box, corners_of(box), 0.5) for box in found]


CLASSIC: dict[str, PlateDetector] = {"contours": contours, "cascade": cascade}


class NetworkDetector:
    """Our detector. threshold: the smallest score of a plate.

    It looks twice: at the photo scaled to `size`, and at a much smaller copy, which costs little and shows plates that
    fill the photo at a width it was trained on.
    """

    def __init__(self, network: nn.Module, size: int, threshold: float) -> None:
        self.network = fuse(network).to(memory_format=torch.channels_last)
        self.size, self.threshold = size, threshold

    def __call__(self, photo: np.ndarray) -> list[Detection]:
        """All plates of an RGB photo, uint8 (H, W, 3), the surest first."""
        scales = [self._at_scale(photo, self.size), self._at_scale(photo, self.size * GLANCE, least=WIDE)]
        boxes, corners, scores = (torch.cat(part) for part in zip(*scales))
        kept = nms(boxes, scores, 0.4)[:MOST]
        height, width = photo.shape[:2]
        limits = np.array([width, height, width, height], np.float32)
        return [
            Detection(np.clip(boxes[i].numpy(), 0, limits), corners[i].numpy(), float(scores[i])) for i in kept.tolist()
        ]

    def _at_scale(self, photo: np.ndarray, size: float, least: float = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (P, 4), corners (P, 4, 2) and scores (P,) in the photo's pixels. least: the smallest width seen."""
        image, scale = fit_into(photo, size)
        with torch.inference_mode():
            outputs = self.network(to_input(image[None]))
        boxes, corners, scores = select(outputs[0], grid_points(*image.shape[:2]), self.threshold)
        wide = boxes[:, 2] - boxes[:, 0] >= least
        return boxes[wide] / scale, corners[wide] / scale, scores[wide]


def fit_into(photo: np.ndarray, size: float) -> tuple[np.ndarray, float]:
    """The photo with its longer side scaled to `size`, on a canvas whose sides are multiples of 32; and the scale."""
    height, width = photo.shape[:2]
    scale = size / max(height, width)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(photo, small, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.full((-(-small[1] // 32) * 32, -(-small[0] // 32) * 32, 3), PAINT, np.uint8)
    canvas[: small[1], : small[0]] = resized
    return canvas, scale


def to_input(images: np.ndarray | Tensor) -> Tensor:
    """uint8 (B, H, W, 3) -> what the detector takes, float (B, 3, H, W) in 0..1."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).float().div(255)


def select(outputs: Tensor, where: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """One photo's outputs (N, 13) -> boxes (P, 4), corners (P, 4, 2), scores (P,): sure enough, one for each plate."""
    scores = outputs[:, 0].float().sigmoid()
    sure = torch.nonzero(scores > threshold).squeeze(1)
    sure = sure[scores[sure].argsort(descending=True)][:500]
    boxes, corners = decode(outputs[sure], where[sure])
    kept = nms(boxes, scores[sure], 0.4)[:MOST]
    return boxes[kept], corners[kept], scores[sure][kept]


def fuse(network: nn.Module) -> nn.Module:
    """Batch normalisation folded into the convolutions before it, in place: the same answers in less time."""
    network.eval()
    for module in network.modules():
        if isinstance(module, Conv) and isinstance(module[1], nn.BatchNorm2d):
            convolution = module[0]
            assert isinstance(convolution, nn.Conv2d)
            module[0], module[1] = fuse_conv_bn_eval(convolution, module[1]), nn.Identity()
    return network


def _apart(found: list[Detection]) -> list[Detection]:
    """Without those that overlap an earlier one."""
    kept: list[Detection] = []
    for one in found:
        if all(iou(one.box, other.box)[0, 0] < 0.3 for other in kept):
            kept.append(one)
    return kept
