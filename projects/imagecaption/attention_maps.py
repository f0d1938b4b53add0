"""Attention maps: the photo with a heat map of the grid points that the decoder attends to."""

from collections.abc import Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure

from shared.evaluation.report import picture_grid

MAX_SHOWN = 14  # words of a caption in a figure


def overlay(photo: np.ndarray, attention: np.ndarray) -> np.ndarray:
    """The photo with a heat map: uint8 (S, S, 3), attention (rows, columns) -> uint8 (S, S, 3)."""
    heat = cv2.resize(attention.astype(np.float32), photo.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0)
    heat = (heat / max(float(heat.max()), 1e-8) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO)[:, :, ::-1]
    weight = 0.65 * (heat[:, :, None] / 255.0)
    return (photo * (1 - weight) + colours * weight).astype(np.uint8)


def attention_figure(photo: np.ndarray, caption: str, overlays: Sequence[tuple[np.ndarray, str]]) -> Figure:
    """The photo with its caption, then its heat map for each word."""
    shown = overlays[:MAX_SHOWN]
    images, words = [image for image, _ in shown], [word for _, word in shown]
    return picture_grid([photo, *images], [caption, *words], columns=min(5, 1 + len(shown)))


def most_focused(words: Sequence[str], attention: np.ndarray, count: int = 3) -> list[int]:
    """Positions, in order, of the `count` words with the highest attention on one grid point: of four letters or more,
    where there are any.

    attention (T, rows, columns).
    """
    long = [t for t, word in enumerate(words) if len(word) > 3] or range(len(words))
    return sorted(sorted(long, key=lambda t: -float(attention[t].max()))[:count])
