"""Detection: classical OpenCV detectors, kept as readable baselines, and the network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import nms

from projects.numberplate.geometry import clockwise, corners_of, iou
from projects.numberplate.model import Conv, decode, grid_points

FILL = 114
"""Grey value of padding, and of plates that are masked in training views."""
MAX_PLATES = 20
"""Maximum number of plates on one photo."""
NMS_IOU = 0.4
"""Of two boxes with a larger IoU only the one with the higher score is kept (non-maximum suppression)."""
SMALL_SCALE, SMALL_MIN_WIDTH = 0.4, 90.0
"""The second scale of the detector relative to the first, and the minimum width of a plate at it, in its pixels."""


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
    """The method of most tutorials: smooth, detect edges (Canny 1986), keep contours with four corners and the aspect
    ratio of a plate."""
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
    return _without_overlaps(found)[:3]


def cascade(photo: np.ndarray) -> list[Detection]:
    """Boosted Haar features (Viola & Jones 2001): the cascade for Russian plates that OpenCV ships."""
    classifier = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_russian_plate_number.xml"))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    boxes = classifier.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4)
    found = [np.array([x, y, x + width, y + height], np.float32) for x, y, width, height in boxes]
    return [Detection(box, corners_of(box), 0.5) for box in found]


CLASSICAL: dict[str, PlateDetector] = {"contours": contours, "cascade": cascade}


class NetworkDetector:
    """Our detector, at two scales: the photo with its longer side scaled to `size`, and a much smaller copy, which is
    cheap and shows plates that fill the photo at a width as in training. threshold: the lowest score of a detection.
    """

    def __init__(self, network: nn.Module, size: int, threshold: float) -> None:
        self.network = fuse_batch_norm(network).to(memory_format=torch.channels_last)
        self.size, self.threshold = size, threshold

    def __call__(self, photo: np.ndarray) -> list[Detection]:
        """All plates of an RGB photo, uint8 (H, W, 3), the highest score first."""
        scales = [
            self._at_scale(photo, self.size),
            self._at_scale(photo, self.size * SMALL_SCALE, min_width=SMALL_MIN_WIDTH),
        ]
        boxes, corners, scores = (torch.cat(part) for part in zip(*scales))
        kept = nms(boxes, scores, NMS_IOU)[:MAX_PLATES]
        height, width = photo.shape[:2]
        limits = np.array([width, height, width, height], np.float32)
        return [
            Detection(np.clip(boxes[i].numpy(), 0, limits), corners[i].numpy(), float(scores[i])) for i in kept.tolist()
        ]

    def _at_scale(self, photo: np.ndarray, size: float, min_width: float = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (P, 4), corners (P, 4, 2) and scores (P,) in the photo's pixels. min_width: in pixels of this scale."""
        image, scale = letterbox(photo, size)
        with torch.inference_mode():
            outputs = self.network(to_input(image[None]))
        boxes, corners, scores = select(outputs[0], grid_points(*image.shape[:2]), self.threshold)
        wide = boxes[:, 2] - boxes[:, 0] >= min_width
        return boxes[wide] / scale, corners[wide] / scale, scores[wide]


def letterbox(photo: np.ndarray, size: float) -> tuple[np.ndarray, float]:
    """The photo with its longer side scaled to `size`, padded to sides that are multiples of 32; and the scale."""
    height, width = photo.shape[:2]
    scale = size / max(height, width)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(photo, small, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.full((-(-small[1] // 32) * 32, -(-small[0] // 32) * 32, 3), FILL, np.uint8)
    canvas[: small[1], : small[0]] = resized
    return canvas, scale


def to_input(images: np.ndarray | Tensor) -> Tensor:
    """uint8 (B, H, W, 3) -> the detector's input, float (B, 3, H, W) in 0..1."""
    return torch.as_tensor(images).permute(0, 3, 1, 2).float().div(255)


def select(outputs: Tensor, points: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """Scores above the threshold, after non-maximum suppression: one photo's outputs (N, 13) -> boxes (P, 4), corners
    (P, 4, 2), scores (P,)."""
    scores = outputs[:, 0].float().sigmoid()
    above = torch.nonzero(scores > threshold).squeeze(1)
    above = above[scores[above].argsort(descending=True)][:500]
    boxes, corners = decode(outputs[above], points[above])
    kept = nms(boxes, scores[above], NMS_IOU)[:MAX_PLATES]
    return boxes[kept], corners[kept], scores[above][kept]


def fuse_batch_norm(network: nn.Module) -> nn.Module:
    """Batch normalisation folded into the convolutions before it, in place: the same outputs in less time."""
    network.eval()
    for module in network.modules():
        if isinstance(module, Conv) and isinstance(module[1], nn.BatchNorm2d):
            convolution = module[0]
            assert isinstance(convolution, nn.Conv2d)
            module[0], module[1] = fuse_conv_bn_eval(convolution, module[1]), nn.Identity()
    return network


def _without_overlaps(found: list[Detection]) -> list[Detection]:
    """Without those that overlap an earlier one."""
    kept: list[Detection] = []
    for one in found:
        if all(iou(one.box, other.box)[0, 0] < 0.3 for other in kept):
            kept.append(one)
    return kept
