"""Ablation of the corners: plates at known angles, rectified by their corners or cropped by their box.

python -m benchmarks.tilt [PLATES]     # plates pasted into synthetic streets; the weights that come with numberplate
"""

import sys
from dataclasses import replace

import cv2
import numpy as np
import torch
from tqdm import tqdm

from projects.numberplate.detect import Detection
from projects.numberplate.geometry import box_of, corners_of, iou
from projects.numberplate.pipeline import Pipeline, Plate
from projects.numberplate.predictor import SHIPPED, Predictor
from projects.numberplate.synthetic import camera
from projects.numberplate.synthetic.fonts import matplotlib_fonts
from projects.numberplate.synthetic.plates import draw_plate
from projects.numberplate.synthetic.streets import SIZE, street

ANGLES = (0, 8, 15, 25)
"""Degrees."""


def scene(angle: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
    """A street with one plate: RGB uint8 (2 H, 2 W, 3), the plate's corners (4, 2) and its text."""
    fonts = matplotlib_fonts()
    photo = cv2.resize(street(rng), (2 * SIZE[1], 2 * SIZE[0]))
    plate = draw_plate(fonts[int(rng.integers(len(fonts)))], rng, 0.3)
    width = rng.uniform(90, 200)
    half = np.array([width, width * plate.image.shape[0] / plate.image.shape[1]]) / 2
    upright = corners_of(np.array([-1, -1, 1, 1])) * half
    a = np.radians(angle) * rng.choice([-1, 1])
    turned = upright @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    corners = (turned + rng.uniform([0.3, 0.4], [0.7, 0.8]) * [photo.shape[1], photo.shape[0]]).astype(np.float32)
    camera.paste(photo, plate.image, corners, rng)
    return photo, corners, plate.text


def at(plates: list[Plate], corners: np.ndarray) -> Plate | None:
    """The detection with the highest score at IoU 0.5 or more with the true plate."""
    return next((p for p in plates if iou(np.array(p.box), box_of(corners))[0, 0] >= 0.5), None)


def main(count: str = "200") -> None:
    """Print the table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    predictor = Predictor.load(SHIPPED)
    detector = predictor.plate_detector

    def boxes_only(photo: np.ndarray) -> list[Detection]:
        return [replace(found, corners=corners_of(found.box)) for found in detector(photo)]

    by_corners = Pipeline(detector, predictor.text_reader, threshold=predictor.threshold)
    by_box = Pipeline(boxes_only, predictor.text_reader, threshold=predictor.threshold)
    print(f"{count} plates{'recall':>14}{'corner error':>14}{'read exactly':>14}{'by box':>12}{'ratio':>8}")
    for angle in ANGLES:
        rng, errors, exact, exact_by_box = np.random.default_rng(angle), [], 0, 0
        for _ in tqdm(range(int(count)), desc=f"{angle} degrees", unit="plate", leave=False):
            photo, corners, text = scene(angle, rng)
            plate, by_its_box = (at(pipeline(photo), corners) for pipeline in (by_corners, by_box))
            exact += plate is not None and plate.text == text
            exact_by_box += by_its_box is not None and by_its_box.text == text
            if plate is not None:
                height = np.linalg.norm(corners[3] - corners[0])
                errors.append(np.linalg.norm(plate.corners - corners, axis=1).mean() / height)
        n = int(count)
        print(
            f"{angle:>3} degrees{len(errors) / n:>15.3f}{np.mean(errors):>14.3f}{exact / n:>14.3f}"
            f"{exact_by_box / n:>12.3f}{exact / exact_by_box if exact_by_box else np.inf:>8.1f}"
        )
    print("corner error: mean distance to the true corners, as a fraction of the plate's height")


if __name__ == "__main__":
    main(*sys.argv[1:])
