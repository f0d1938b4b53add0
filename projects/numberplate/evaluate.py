"""How good is it? Numbers, pictures and a report, beside the classic way.

python -m projects.numberplate.evaluate                    # the latest run, on its own test photos
python -m projects.numberplate.evaluate --run shipped --data.source csv --data.root truth.csv --json out.json
"""

if __name__ == "__main__":
    from projects.numberplate.config import EvaluateOptions
    from shared.command import answer

    answer("projects.numberplate.evaluate", EvaluateOptions)

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
from tqdm import tqdm

from projects.numberplate.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.numberplate.data import FixedPlates, PlateData
from projects.numberplate.detect import CLASSIC, Detection
from projects.numberplate.formats import disambiguate
from projects.numberplate.geometry import outline
from projects.numberplate.metrics import detection_metrics, match_detections, reading_metrics
from projects.numberplate.pipeline import Pipeline, Plate
from projects.numberplate.plots import Pair, slices
from projects.numberplate.predictor import Predictor
from projects.numberplate.read import NO_TESSERACT, TextReader, tesseract, tesseract_is_there
from projects.numberplate.report import write_report
from projects.numberplate.sources import Crop, Photo
from shared.command import show
from shared.data import splits
from shared.data.images import read_image
from shared.evaluation.metrics import proportion_interval
from shared.files import write_json
from shared.runs import Run

TIMED = 40
"""Photos on which the time with one and with two threads is taken; for the classic way, which is slow, a quarter."""
THREADS = {"ms_one_thread": 1, "ms_two_threads": 2}


@dataclass
class Answers:
    """What one way of finding and reading made of the photos."""

    photos: list[Photo]
    plates: list[list[Plate]]
    brightness: list[list[float]]
    """Mean grey value of every plate that is there."""
    ms: float
    """Mean milliseconds a photo, without decoding the file."""

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every plate that is there, with what was found at it."""
        found = []
        for photo, plates, brightness in zip(self.photos, self.plates, self.brightness):
            taken = match_detections(detections(plates), photo.boxes, 0.5)
            ordered = sorted(plates, key=lambda plate: -plate.score)
            at = {number: plate for number, plate in zip(taken, ordered) if number >= 0}
            found += [Pair(photo, number, at.get(number), value) for number, value in enumerate(brightness)]
        return found

    def metrics(self) -> dict[str, float]:
        """Reading (where texts are known) and finding."""
        known = [(pair.read, pair.truth) for pair in self.pairs if pair.truth]
        numbers = reading_metrics(*zip(*known)) if known else {}
        found = detection_metrics([detections(p) for p in self.plates], [photo.boxes for photo in self.photos])
        return {**numbers, **found, "ms": self.ms}


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: PlateData
    ours: Answers | None
    """None where there are only crops."""
    crops: list[Crop]
    readings: list[str]
    numbers: dict[str, Any]
    """The content of evaluation.json."""


def detections(plates: Sequence[Plate]) -> list[Detection]:
    """Plates as the detector's answers."""
    return [Detection(np.array(p.box, np.float32), np.array(p.corners, np.float32), p.score) for p in plates]


def ask(pipeline: Pipeline, photos: list[Photo]) -> Answers:
    """Run a pipeline over photos."""
    plates, brightness, seconds = [], [], 0.0
    for photo in tqdm(photos, desc="photos", unit="photo", leave=False):
        image = read_image(photo.path)
        start = time.perf_counter()
        plates.append(pipeline(image))
        seconds += time.perf_counter() - start
        brightness.append([float(inside(image, box).mean()) for box in photo.boxes])
    return Answers(photos, plates, brightness, 1000 * seconds / max(1, len(photos)))


def evaluate(run: Run, model: Predictor, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = PlateData(data_config)
    photos, crops = data.photos_of(splits.TEST), data.crops_of(splits.TEST)
    if not photos and not crops:
        raise ValueError("there is no test photo and no test crop; --data.split all takes them all")
    metrics: dict[str, float] = {}
    baselines: dict[str, dict[str, float]] = {}
    ours = None
    pipeline = Pipeline.of(model, config.country)
    if photos:
        ours = ask(pipeline, photos)
        metrics = {**ours.metrics(), **times(pipeline, photos[:TIMED])}
    plates = FixedPlates(crops)
    readings = read_crops(plates.images, pipeline.reader, config.country)
    if crops:
        on_truth = reading_metrics(readings, plates.texts)
        metrics |= {f"{name}_on_truth": value for name, value in on_truth.items()} if photos else on_truth
    if config.baseline_size and tesseract_is_there():
        baselines = classic(photos, crops, config.baseline_size)
    elif config.baseline_size:
        print(f"no baseline: {NO_TESSERACT}")
    numbers = {
        **run.scored_on("numberplate", data_config, data_config.split, len(photos) or len(crops)),
        "metrics": metrics,
        "intervals": intervals(ours, readings, plates.texts),
        "baselines": baselines,
        "slices": slices(ours.pairs) if ours else {},
    }
    return Evaluation(data, ours, crops, readings, numbers)


def classic(photos: list[Photo], crops: list[Crop], most: int) -> dict[str, dict[str, float]]:
    """The same numbers for Tesseract after contours and after the cascade, on an even choice of at most so many photos
    and crops."""
    few = evenly(photos, most)
    baselines = {}
    for name, plate_detector in CLASSIC.items() if few else ():
        pipeline = Pipeline(plate_detector, tesseract)
        baselines[f"{name}_tesseract"] = {**ask(pipeline, few).metrics(), **times(pipeline, few[: TIMED // 4])}
    if crops:
        plates = FixedPlates(evenly(crops, most))
        on_truth = reading_metrics(read_crops(plates.images, tesseract), plates.texts)
        baselines["tesseract"] = {f"{name}_on_truth": value for name, value in on_truth.items()} if photos else on_truth
    return baselines


def read_crops(images: list[np.ndarray], reader: TextReader, country: str | None = None) -> list[str]:
    """What a reader makes of plates seen close by, grey uint8 (H, W)."""
    texts = []
    for image in tqdm(images, desc="reading", unit="plate", leave=False):
        height, width = image.shape
        reading = reader(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), outline(width, height))
        texts.append(disambiguate(reading.text, reading.confidences, country))
    return texts


def evenly(items: list[Any], most: int) -> list[Any]:
    """An even choice of at most so many."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]


def times(pipeline: Pipeline, photos: list[Photo]) -> dict[str, float]:
    """Mean milliseconds a photo with one and with two threads of the CPU."""
    return {name: with_threads(number, lambda: ask(pipeline, photos).ms) for name, number in THREADS.items()}


def with_threads(number: int, measure: Callable[[], float]) -> float:
    """A time taken while PyTorch and OpenCV use so many threads."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(number)
    cv2.setNumThreads(number)
    try:
        return measure()
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def intervals(ours: Answers | None, readings: list[str], truths: list[str]) -> dict[str, Any]:
    """95 % intervals of exact and of recall (Wilson)."""
    if ours is None:
        return {"exact": _interval([reading == truth for reading, truth in zip(readings, truths)])}
    known = [pair.read == pair.truth for pair in ours.pairs if pair.truth]
    exact = {"exact": _interval(known)} if known else {}
    return {**exact, "recall": _interval([pair.plate is not None for pair in ours.pairs])}


def inside(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The part of a photo (H, W, 3) in a box (4,), at least one pixel."""
    x0, y0, x1, y1 = box.astype(int)
    return image[max(0, y0) : max(0, y1) + 1, max(0, x0) : max(0, x1) + 1]


def _interval(right: list[bool]) -> list[float]:
    return list(proportion_interval(sum(right), len(right)))


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test photos also renew its report."""
    model = Predictor.load(run.model_file)
    own = options.data == DataConfig.model_validate(run.settings["data"])
    if own and run.name != "shipped":
        result = _renew(run, model, options.data, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test photos; write evaluation.json and report.html into it."""
    settings = run.settings
    data, config = DataConfig.model_validate(settings["data"]), EvaluationConfig.model_validate(settings["evaluation"])
    _renew(run, Predictor.load(run.model_file), data, config)


def _renew(run: Run, model: Predictor, data: DataConfig, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    write_report(run, model, result)
    _print(result)
    return result


def _print(result: Evaluation) -> None:
    data = result.numbers["data"]
    print(f"{data['n']} {'photos' if result.ours else 'crops'}, {len(result.crops)} texts, split {data['split']}")
    rows = {"ours": result.numbers["metrics"], **result.numbers["baselines"]}
    for name, values in rows.items():
        print(f"  {name:<19}{show(values)}")
    for name, values in result.numbers["slices"].items():
        print(f"  {name:<27}{show(values)}")
