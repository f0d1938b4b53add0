"""Reading number plates: ours beside the classic way and a general OCR engine, on the same photos.

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
from projects.numberplate.detect import Detection, contours
from projects.numberplate.evaluate import Answers, ask, evenly
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import box_of, corners_of
from projects.numberplate.pipeline import Pipeline
from projects.numberplate.predictor import SHIPPED
from projects.numberplate.read import Reading, tesseract, tesseract_is_there
from projects.numberplate.sources import Photo, load_tables


class Engine:
    """RapidOCR on the whole photo: every line of text it finds is a candidate, most plate-like first."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # type: ignore[import-not-found]

        self.ocr: Any = RapidOCR(params={"Global.log_level": "error"})
        self.texts: dict[bytes, Reading] = {}

    def find(self, photo: np.ndarray) -> list[Detection]:
        """Boxes of all texts of four to nine letters and digits."""
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
        """What was read when the box was found."""
        return self.texts[corners.tobytes()]


def exact_near(answers: Answers) -> float:
    """Part of the plates whose text was read somewhere on their box, however loosely it was found."""
    right = 0
    for photo, plates in zip(answers.photos, answers.plates):
        for box, text in zip(photo.boxes, photo.texts):
            x, y = (box[:2] + box[2:]) / 2
            right += any(p.text == text and p.box[0] <= x <= p.box[2] and p.box[1] <= y <= p.box[3] for p in plates)
    return right / max(1, sum(len(photo.boxes) for photo in answers.photos))


def cpu_seconds() -> float:
    """Of this process and those it has waited for: Tesseract is one of its own."""
    return sum(os.times()[:4])


def main(table: str, most: str = "100") -> None:
    """Print the table."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos, _ = load_tables(DataConfig(source="csv", root=Path(table), split="all"))
    known: list[Photo] = evenly([photo for photo in photos if photo.texts and all(photo.texts)], int(most))
    ways = {"ours": Pipeline.from_checkpoint(SHIPPED)}
    if tesseract_is_there():
        ways["contours + Tesseract"] = Pipeline(contours, tesseract)
    try:
        engine = Engine()
        ways["RapidOCR, whole photo"] = Pipeline(engine.find, engine.read)
    except ImportError:
        print("RapidOCR is not installed: pip install rapidocr")
    print(
        f"{len(known)} photos{'':<16}{'exact':>8}{'recall':>8}{'ms':>8}{'ratio':>8}   one thread (RapidOCR takes all)"
    )
    first = None
    for name, pipeline in ways.items():
        start = cpu_seconds()
        answers = ask(pipeline, known)
        cpu = 1000 * (cpu_seconds() - start) / len(known)
        first = first or cpu
        print(f"{name:<26}{exact_near(answers):>8.3f}{answers.metrics()['recall']:>8.3f}{cpu:>8.0f}{cpu / first:>8.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
