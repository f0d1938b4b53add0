"""Reading number plates: ours, the classical pipeline and a general OCR engine on the same photos.

python -m benchmarks.plates photos.csv [MOST]     # file,x0,y0,x1,y1,text; pip install rapidocr for the engine
"""

import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from projects.numberplate.config import DataConfig
from projects.numberplate.detect import Detection
from projects.numberplate.evaluate import Answers, evenly_spaced, run_pipeline
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import box_of, corners_of
from projects.numberplate.pipeline import Pipeline, classical_pipeline
from projects.numberplate.predictor import SHIPPED, Predictor
from projects.numberplate.read import Reading, tesseract_available
from projects.numberplate.sources import Photo, load_plates


class Engine:
    """RapidOCR on the whole photo: every text of four to nine letters and digits is a detection."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # type: ignore[import-not-found]

        self.ocr: Any = RapidOCR(params={"Global.log_level": "error"})
        self.texts: dict[bytes, Reading] = {}

    def find(self, photo: np.ndarray) -> list[Detection]:
        """The boxes of these texts."""
        answer = self.ocr(photo[:, :, ::-1])
        found = []
        for quad, text, score in zip(
            *(part if part is not None else () for part in (answer.boxes, answer.txts, answer.scores))
        ):
            plain = "".join(c for c in text.upper() if c in CHARACTERS)
            if 4 <= len(plain) <= 9:
                box = box_of(np.asarray(quad, np.float32))
                self.texts[corners_of(box).tobytes()] = Reading(plain, (float(score),) * len(plain))
                found.append(Detection(box, corners_of(box), float(score)))
        return found

    def read(self, photo: np.ndarray, corners: np.ndarray) -> Reading:
        """The text that was read with the box."""
        return self.texts[corners.tobytes()]


def exact_near(answers: Answers) -> float:
    """Fraction of the plates whose text is read in a box that contains their centre, at any IoU."""
    correct = 0
    for photo, plates in zip(answers.photos, answers.plates):
        for box, text in zip(photo.boxes, photo.texts):
            x, y = (box[:2] + box[2:]) / 2
            correct += any(p.text == text and p.box[0] <= x <= p.box[2] and p.box[1] <= y <= p.box[3] for p in plates)
    return correct / max(1, sum(len(photo.boxes) for photo in answers.photos))


def cpu_seconds() -> float:
    """CPU time of this process and its finished child processes, such as Tesseract."""
    return sum(os.times()[:4])


def main(table: str, most: str = "100") -> None:
    """Print the table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = load_plates(DataConfig(source="csv", root=Path(table), split="all")).photos
    known: list[Photo] = evenly_spaced([photo for photo in photos if photo.texts and all(photo.texts)], int(most))
    pipelines = {"ours": Predictor.load(SHIPPED).pipeline()}
    if tesseract_available():
        pipelines["contours + Tesseract"] = classical_pipeline()
    try:
        engine = Engine()
        pipelines["RapidOCR, whole photo"] = Pipeline(engine.find, engine.read)
    except ImportError:
        print("RapidOCR is not installed: pip install rapidocr")
    print(f"{len(known)} photos{'':<16}{'exact':>8}{'recall':>8}{'ms':>8}{'ratio':>8}   one thread (RapidOCR uses all)")
    first = None
    for name, pipeline in pipelines.items():
        start = cpu_seconds()
        answers = run_pipeline(pipeline, known)
        cpu = 1000 * (cpu_seconds() - start) / len(known)
        first = first or cpu
        print(f"{name:<26}{exact_near(answers):>8.3f}{answers.metrics()['recall']:>8.3f}{cpu:>8.0f}{cpu / first:>8.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
