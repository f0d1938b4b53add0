"""Pictures of where the decoder looked before each word."""

import cv2
import numpy as np
from matplotlib.figure import Figure

from projects.imagecaption.predictor import Caption
from shared.evaluation import report

SHOWN = 14  # words of a caption that are pictured


def overlay(photo: np.ndarray, look: np.ndarray) -> np.ndarray:
    """The photo under a heat map: uint8 (S, S, 3), weights of the grid (rows, columns) -> uint8 (S, S, 3)."""
    heat = cv2.resize(look.astype(np.float32), photo.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0)
    heat = (heat / max(float(heat.max()), 1e-8) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO)[:, :, ::-1]
    weight = 0.65 * (heat[:, :, None] / 255.0)
    return (photo * (1 - weight) + colours * weight).astype(np.uint8)


def attention_figure(photo: np.ndarray, caption: Caption) -> Figure:
    """The photo with its caption, then the photo once for each word with the places looked at."""
    words = caption.words[:SHOWN]
    heats = [overlay(photo, look) for look in caption.attention[: len(words)]]
    return report.picture_grid([photo, *heats], [str(caption), *words], columns=min(5, 1 + len(words)))


def attended_words(photo: np.ndarray, caption: Caption, count: int = 3) -> tuple[list[np.ndarray], list[str]]:
    """The photo and the `count` words of four letters or more that looked at one place most, in their order."""
    attention_maps = caption.attention[: len(caption.words)]
    telling = [t for t, word in enumerate(caption.words) if len(word) > 3]
    chosen = sorted(sorted(telling, key=lambda t: -float(attention_maps[t].max()))[:count])
    pictures = [photo, *(overlay(photo, attention_maps[t]) for t in chosen)]
    titles = [str(caption), *(caption.words[t] for t in chosen)]
    missing = count + 1 - len(pictures)
    return pictures + [np.full_like(photo, 255)] * missing, titles + [""] * missing
