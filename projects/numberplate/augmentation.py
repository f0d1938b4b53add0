"""Augmentation for the detector: random crops of photos, scaled, rotated, mirrored and degraded.

All randomness comes from the generator passed in.
"""

import cv2
import numpy as np

from projects.numberplate.detect import FILL
from projects.numberplate.geometry import box_of, corners_of, iou
from projects.numberplate.synthetic import camera

MAX_PLATES = 12
"""Plates of one training view; further ones are masked."""
MIN_WIDTH = 9
"""Plates narrower than this many pixels are masked in training views."""


def random_view(
    image: np.ndarray, boxes: np.ndarray, corners: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A rotated, scaled, shifted and mirrored crop of a photo, (S, S, 3), and the boxes and corners of its plates.

    Usually the scale is chosen for one plate, so that all widths from a few pixels to most of the view are about
    equally frequent. Photos with unknown corners are not rotated: the box around a rotated box is too high.
    """
    height, width = image.shape[:2]
    whole = size / max(height, width)
    scale, middle = whole * np.exp(rng.uniform(-0.3, 1.2)), rng.uniform(0, 1, 2) * (width, height)
    if len(boxes) and rng.random() < 0.7:
        x0, y0, x1, y1 = boxes[int(rng.integers(len(boxes)))]
        scale = np.exp(rng.uniform(np.log(14), np.log(0.8 * size))) / (x1 - x0)
        scale = float(np.clip(scale, 0.5 * whole, max(5 * whole, 2.5)))
        middle = np.array([x0 + x1, y0 + y1]) / 2 + rng.uniform(-0.4, 0.4, 2) * size / scale
    reach, whole_photo = size / (2 * scale), np.array([width, height])
    middle = np.clip(middle, np.minimum(reach, whole_photo - reach), np.maximum(reach, whole_photo - reach))
    known = np.isfinite(corners).all(axis=(1, 2)).reshape(-1, 1, 1)
    angle = np.radians(np.clip(rng.normal(0, 3), -8, 8)) if known.all() else 0.0
    stretch = np.exp(rng.normal(0, 0.08))
    mirror = -1 if rng.random() < 0.5 else 1
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([mirror * stretch, 1])
    matrix = np.hstack([scale * turn, (size / 2 - scale * turn @ middle)[:, None]])
    if scale < 0.6:  # averaged first, as `detect.letterbox` does
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        to_small = np.array([small.shape[1] / width, small.shape[0] / height])
        from_small = np.hstack([matrix[:, :2] / to_small, matrix[:, 2:]])
        view = cv2.warpAffine(small, of_pixel_centres(from_small), (size, size), borderValue=(FILL,) * 3)
    else:
        view = cv2.warpAffine(image, of_pixel_centres(matrix), (size, size), borderValue=(FILL,) * 3)
    quads = np.where(known, corners, corners_of(boxes)) @ matrix[:, :2].T + matrix[:, 2]
    boxes = box_of(quads).astype(np.float32)
    quads = np.where(known, quads[:, [1, 0, 3, 2]] if mirror < 0 else quads, np.nan).astype(np.float32)
    return view, boxes, quads


def of_pixel_centres(matrix: np.ndarray) -> np.ndarray:
    """The affine map (2, 3) for OpenCV, whose coordinates count from the centre of the first pixel; those of boxes and
    corners count from its edge."""
    return np.hstack([matrix[:, :2], matrix[:, 2:] + matrix[:, :2].sum(axis=1, keepdims=True) / 2 - 0.5])


def write_words(view: np.ndarray, boxes: np.ndarray, rng: np.random.Generator) -> None:
    """Write words away from the plates, in place: hard negatives such as time stamps, brands and signs."""
    for _ in range(int(rng.integers(1, 4))):
        letters = rng.choice(
            list("0123456789:-. abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), int(rng.integers(3, 20))
        )
        words, font = "".join(letters), int(rng.integers(0, 8))
        scale, thick = float(np.exp(rng.uniform(-1.2, 0.4))), int(rng.integers(1, 4))
        (wide, high), low = cv2.getTextSize(words, font, scale, thick)
        x, y = rng.integers(-wide // 3, view.shape[1] - wide // 3), rng.integers(high, view.shape[0])
        written = np.array([x, y - high, x + wide, y + low], np.float32)
        if not iou(written, boxes).any():
            colour = tuple(rng.uniform(0, 255, 3))
            cv2.putText(view, words, (int(x), int(y)), font, scale, colour, thick, cv2.LINE_AA)


def mask_unusable(
    view: np.ndarray, boxes: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plates to train on; those that are too small or mostly outside the view are masked."""
    size = view.shape[0]
    inside = np.clip(boxes, 0, size)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    visible = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1]) / np.maximum(area, 1e-6)
    kept = (visible > 0.7) & (boxes[:, 2] - boxes[:, 0] >= MIN_WIDTH)
    kept &= np.cumsum(kept) <= MAX_PLATES
    for x0, y0, x1, y1 in inside[~kept & (visible > 0)]:
        view[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = FILL
    return view, boxes[kept], corners[kept]


def colour_jitter(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes greyscale or permuted channels, then the degradation by a camera: uint8 (S, S, 3) -> the same."""
    draw = rng.random()
    if draw < 0.15:
        view = np.repeat(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    elif draw < 0.3:
        view = view[:, :, rng.permutation(3)]
    return camera.degrade(np.ascontiguousarray(view), rng, 0.5)
