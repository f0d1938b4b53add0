"""What the corners bring: plates turned by known angles, rectified by their corners beside cut out by their box.

python -m benchmarks.tilt [PLATES]     # drawn into drawn streets; the weights that come with numberplate
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
from projects.numberplate.synthetic.fonts import carried
from projects.numberplate.synthetic.plates import draw_plate
from projects.numberplate.synthetic.streets import SIZE, street

ANGLES = (0, 8, 15, 25)
"""Degrees."""


def scene(angle: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
    """A street with one plate: RGB uint8 (2 H, 2 W, 3), the plate's corners (4, 2) and its text."""
    fonts = carried()
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
    """The surest plate that was found where the true one is."""
    return next((p for p in plates if iou(np.array(p.box), box_of(corners))[0, 0] >= 0.5), None)


def main(count: str = "200") -> None:
    """Print the table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = Predictor.load(SHIPPED)
    plate_detector = model.plate_detector

    def boxes_only(photo: np.ndarray) -> list[Detection]:
        return [replace(found, corners=corners_of(found.box)) for found in plate_detector(photo)]

    by_corners = Pipeline(plate_detector, model.text_reader, threshold=model.threshold)
    by_box = Pipeline(boxes_only, model.text_reader, threshold=model.threshold)
    print(f"{count} plates{'found':>14}{'corners off':>14}{'read exactly':>14}{'cut by box':>12}{'ratio':>8}")
    for angle in ANGLES:
        rng, off, right, boxed = np.random.default_rng(angle), [], 0, 0
        for _ in tqdm(range(int(count)), desc=f"{angle} degrees", unit="plate", leave=False):
            photo, corners, text = scene(angle, rng)
            plate, by_its_box = (at(pipeline(photo), corners) for pipeline in (by_corners, by_box))
            right += plate is not None and plate.text == text
            boxed += by_its_box is not None and by_its_box.text == text
            if plate is not None:
                height = np.linalg.norm(corners[3] - corners[0])
                off.append(np.linalg.norm(plate.corners - corners, axis=1).mean() / height)
        print(
            f"{angle:>3} degrees{len(off) / int(count):>15.3f}{np.mean(off):>14.3f}{right / int(count):>14.3f}"
            f"{boxed / int(count):>12.3f}{right / boxed if boxed else np.inf:>8.1f}"
        )
    print("'corners off': mean distance to the true ones, as a part of the plate's height")


if __name__ == "__main__":
    main(*sys.argv[1:])
