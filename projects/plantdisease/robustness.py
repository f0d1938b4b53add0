"""Robustness: the same photos corrupted, and without their leaf, which shows what a clean test score hides.

After Hendrycks & Dietterich 2019 (common corruptions) and Noyan 2022 (a few background pixels of PlantVillage are
enough to guess 49 % of the classes).
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch

from shared.data.augmentation import foreground, replace_background
from shared.data.images import to_float

Corruption = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _blur(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), 0.012 * len(image))


def _noise(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return (image + generator.normal(0, 20, image.shape)).clip(0, 255).astype(np.uint8)


def _jpeg(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    encoded = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 12])[1]  # OpenCV takes BGR
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[:, :, ::-1]


def _darker(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return (image * 0.55).astype(np.uint8)


def _brighter(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return (image * 1.45).clip(0, 255).astype(np.uint8)


def _rotated(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    middle = (len(image) - 1) / 2
    turn = cv2.getRotationMatrix2D((middle, middle), generator.uniform(20, 340), 1.0)
    return cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def _new_background(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    draws = torch.from_numpy(generator.random((11, 1)).astype(np.float32))
    return _to_uint8(replace_background(to_float(torch.from_numpy(image[None])), draws))


def background_only(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """The photo with a box around its leaf painted over in the background's own mean colour: the outline of a leaf
    would tell, too."""
    leaf = (foreground(to_float(torch.from_numpy(image[None])))[0, 0] > 0.5).numpy()  # (H, W)
    rows, columns = np.flatnonzero(leaf.any(axis=1)), np.flatnonzero(leaf.any(axis=0))
    if not len(rows):
        return image
    mean = image[~leaf].mean(axis=0) if not leaf.all() else np.full(3, 127)
    covered = image.copy()
    covered[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = mean.round()
    return covered


def _to_uint8(x: torch.Tensor) -> np.ndarray:
    return (x[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte().numpy()


CORRUPTIONS: dict[str, Corruption] = {
    "blur": _blur,
    "noise": _noise,
    "strong JPEG": _jpeg,
    "darker": _darker,
    "brighter": _brighter,
    "rotated": _rotated,
    "other background": _new_background,
    "background only": background_only,
}


def corrupted(images: np.ndarray, corruption: Corruption, seed: int = 0) -> np.ndarray:
    """Every image corrupted: uint8 (N, H, W, 3) -> the same."""
    generator = np.random.default_rng(seed)
    return np.stack([corruption(image, generator) for image in images])
