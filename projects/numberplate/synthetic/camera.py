"""A model of the camera: exposure, blur, noise, perspective, and the position in a photo.

A drawn plate is either shown alone (`close_up`, for the reader) or pasted into a photo at known corners (`paste`, for
the detector). All randomness comes from the generator passed in.
"""

import cv2
import numpy as np

from projects.numberplate.geometry import outline, rectify


def degrade(image: np.ndarray, rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Exposure, colour cast, blur, noise and JPEG artefacts of a camera: uint8 (H, W) or (H, W, 3) -> the same."""
    x = image.astype(np.float32)
    contrast, middle = float(np.exp(rng.uniform(-1.1, 0.25) * difficulty)), rng.uniform(60, 180)
    x *= contrast
    x += 128 * (1 - contrast) + (middle - 128) * difficulty
    if x.ndim == 3:
        x *= 1 + rng.uniform(-0.2, 0.2, 3).astype(np.float32) * difficulty
    if rng.random() < 0.5 * difficulty:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < 0.25 * difficulty:  # motion
        length = int(rng.integers(3, 7))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), rng.uniform(-90, 90), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
        x = cv2.filter2D(x, -1, np.divide(kernel, max(float(kernel.sum()), 1e-3)))
    grain = rng.standard_normal(x.shape[:2], np.float32) * np.float32(rng.uniform(0, 12) * difficulty)
    x = x + (grain if x.ndim == 2 else grain[:, :, None])
    x = x.clip(0, 255, out=x).astype(np.uint8)
    if rng.random() < 0.5 * difficulty:
        encoded = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1]
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED))
    return x


def close_up(
    image: np.ndarray, size: tuple[int, int], rng: np.random.Generator, difficulty: float = 1.0, min_height: float = 0.0
) -> np.ndarray:
    """A plate as the reader's input, rectified with slightly perturbed corners: grey, uint8 (h, w) of `size`.

    min_height: the plate is first scaled down to a random height of at least this many pixels; 0 keeps its height.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image
    if min_height:
        target = float(np.exp(rng.uniform(np.log(min_height), np.log(72))))
        if target < grey.shape[0]:
            grey = cv2.resize(
                grey,
                (max(8, round(grey.shape[1] * target / grey.shape[0])), round(target)),
                interpolation=cv2.INTER_AREA,
            )
    grey = degrade(grey, rng, difficulty)
    height, width = grey.shape
    middle = rng.uniform(-0.02, 0.05)  # on average slightly more than the plate
    spread = rng.normal(0, 0.035 * difficulty, (4, 2)) * (min(width, 2.5 * height), height)
    outward = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (0.5 * middle * width, middle * height)
    shear = rng.normal(0, 0.05 * difficulty) * width * np.array([[1, 0], [1, 0], [-1, 0], [-1, 0]]) * 0.3
    return rectify(grey, outline(width, height) + spread + outward + shear, size)


def tilted_corners(width: float, height: float, rng: np.random.Generator, difficulty: float = 1.0) -> np.ndarray:
    """Corners (4, 2) around the origin of a plate of this size, rotated, sheared and in perspective."""
    x, y = width / 2, height / 2
    corners = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    roll = np.radians(np.clip(rng.normal(0, 9 * difficulty), -30, 30))
    shear = np.tan(np.radians(np.clip(rng.normal(0, 7 * difficulty), -25, 25)))
    corners[:, 1] += shear * corners[:, 0]
    corners[:, 1] *= (
        1 + rng.uniform(-0.12, 0.12) * difficulty * corners[:, 0] / x
    )  # perspective: the nearer side is higher
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return corners @ turn


def paste(photo: np.ndarray, plate: np.ndarray, corners: np.ndarray, rng: np.random.Generator) -> None:
    """Paste a plate into a photo, in place, with the brightness and sharpness around it. corners: (4, 2) in pixels."""
    low = np.floor(corners.min(axis=0)).astype(int) - 2
    high = np.ceil(corners.max(axis=0)).astype(int) + 2
    x0, y0 = np.maximum(low, 0)
    x1, y1 = np.minimum(high, (photo.shape[1], photo.shape[0]))
    around = photo[y0:y1, x0:x1].astype(np.float32)
    height, width = plate.shape[:2]
    target = np.linalg.norm(corners[3] - corners[0])
    if target < height / 1.5:
        plate = cv2.resize(
            plate, (max(8, round(width * target / height)), max(5, round(target))), interpolation=cv2.INTER_AREA
        )
        height, width = plate.shape[:2]
    matrix = cv2.getPerspectiveTransform(outline(width, height), (corners - (x0, y0)).astype(np.float32))
    size = (int(x1 - x0), int(y1 - y0))
    flat = cv2.warpPerspective(plate, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )
    mask = (
        cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_LINEAR)[:, :, None]
        / 255
    )
    bright = np.clip((around.mean() + 40) / 170, 0.25, 1.2) * rng.uniform(0.75, 1.35)
    flat = (flat * bright * rng.uniform(0.92, 1.08, 3)).clip(0, 255)
    mixed = around + mask * (flat - around)
    if rng.random() < 0.7:
        mixed = cv2.GaussianBlur(mixed, (0, 0), rng.uniform(0.3, 1.0))
    photo[y0:y1, x0:x1] = mixed.clip(0, 255).astype(np.uint8)
