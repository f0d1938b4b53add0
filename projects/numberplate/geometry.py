"""Boxes and corners: intersection over union, the order of corners, rectification."""

import cv2
import numpy as np


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes a (n, 4) with boxes b (m, 4), (n, m)."""
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    intersection = sides.prod(axis=2)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    return intersection / np.maximum(areas - intersection, 1e-9)


def corners_of(boxes: np.ndarray) -> np.ndarray:
    """The corners (..., 4, 2) of boxes (..., 4), clockwise from the top left."""
    return boxes[..., [0, 1, 2, 1, 2, 3, 0, 3]].reshape(*boxes.shape[:-1], 4, 2)


def box_of(corners: np.ndarray) -> np.ndarray:
    """The upright boxes (..., 4) around corners (..., 4, 2)."""
    return np.concatenate([corners.min(axis=-2), corners.max(axis=-2)], axis=-1)


def clockwise(corners: np.ndarray) -> np.ndarray:
    """Four corners in the order top left, top right, bottom right, bottom left."""
    from_middle = corners - corners.mean(axis=0)
    around = corners[np.arctan2(from_middle[:, 1], from_middle[:, 0]).argsort()]  # y points down
    return np.roll(around, -int(around.sum(axis=1).argmin()), axis=0)


def rotated(points: np.ndarray, degrees: float, centre: np.ndarray) -> np.ndarray:
    """Points (n, 2) in pixels, rotated clockwise around a point (2,).

    >>> rotated(np.array([[2.0, 0.0]]), 90, np.array([1.0, 0.0])).round(6).tolist()
    [[1.0, 1.0]]
    """
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre  # y points down


def outline(width: float, height: float) -> np.ndarray:
    """The corners (4, 2) of an image of this size, clockwise from the top left, in pixels."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def rectify(image: np.ndarray, corners: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A quadrilateral of an image as a rectangle: corners (4, 2), clockwise from the top left -> uint8 of size (h, w).

    Averages over pixels where the plate is larger than `size`, which prevents aliasing.
    """
    height, width = size
    corners = np.asarray(corners, np.float32)
    plate_height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    factor = max(1, min(6, round(plate_height / height)))
    matrix = cv2.getPerspectiveTransform(corners, outline(width, height) * factor)
    flat = cv2.warpPerspective(
        image, matrix, (width * factor, height * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA) if factor > 1 else flat
