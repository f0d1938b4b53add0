"""A finished model: one file with both networks and everything needed to answer for a raw photo."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn
from tqdm import tqdm

from projects.numberplate.config import Config, ModelConfig
from projects.numberplate.data import FixedPlates, PlateData
from projects.numberplate.detect import Detection, NetworkDetector
from projects.numberplate.metrics import average_precision, detection_metrics
from projects.numberplate.model import Detector, Reader
from projects.numberplate.read import NetworkReader, Reading
from projects.numberplate.sources import Photo
from shared.compute.device import seed_everything
from shared.data import splits
from shared.data.images import read_image
from shared.training.checkpoint import load_model, save_model, saved_settings, select

SHIPPED = Path(__file__).parent / "shipped" / "model.safetensors"
"""The weights that come with the project."""
UNSURE = 0.3
"""From this score on a plate is believed if it can be read well, below the threshold too."""
LOW = 0.05
"""Scores below this are not looked at when the threshold is chosen."""


@dataclass
class Predictor:
    """Both networks, and from which score on a plate is one."""

    detector: Detector
    reader: Reader
    config: ModelConfig
    threshold: float

    @classmethod
    def start(cls, config: Config) -> "Predictor":
        """The networks before training: random, or with the weights that the settings name."""
        seed_everything(config.detector.seed)
        detector = Detector(config.model.width_multiplier)
        seed_everything(config.reader.seed)
        model = cls(detector, Reader(config.model.hidden_size), config.model, 0.5)
        for part, wanted in (("detector", config.model.detector), ("reader", config.model.reader)):
            if wanted == "auto":
                wanted = "none" if config.part in ("both", part) else "shipped"
            if wanted != "none":
                path = SHIPPED if wanted == "shipped" else Path(wanted)
                other = cls.load(path)
                network, weights = getattr(model, part), getattr(other, part).state_dict()
                if any(weights[name].shape != value.shape for name, value in network.state_dict().items()):
                    raise ValueError(
                        f"model.{part}: the network in {path} has another width than model.width_multiplier or .hidden_size"
                    )
                network.load_state_dict(weights)
                if part == "detector":
                    model.threshold = other.threshold
                    if config.part == "reader":  # it is used as it was trained
                        model.config = config.model.model_copy(update={"image_size": other.config.image_size})
        return model

    def calibrate(self, data: PlateData) -> None:
        """Choose the threshold: the best balance of recall and precision on the validation photos."""
        photos = data.photos_of(splits.VALIDATION)
        if photos:
            self.threshold = best_threshold(detect_all(self.detector, photos, self.config.image_size), photos)[0]

    def save(self, path: Path) -> None:
        """Write one safetensors file, in half precision: the answers are the same to three digits."""
        tensors = {f"detector.{name}": value for name, value in self.detector.state_dict().items()}
        tensors |= {f"reader.{name}": value for name, value in self.reader.state_dict().items()}
        halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
        about = {"project": "numberplate", "model": self.config.model_dump(mode="json"), "threshold": self.threshold}
        save_model(path, halves, about)

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "numberplate")
        config = saved_settings(ModelConfig, about["model"], path)
        model = cls(Detector(config.width_multiplier), Reader(config.hidden_size), config, about["threshold"])
        for part in ("detector", "reader"):
            weights = {
                name: value.float() if value.is_floating_point() else value
                for name, value in select(tensors, f"{part}.").items()
            }
            getattr(model, part).load_state_dict(weights)
        return model

    @property
    def plate_detector(self) -> NetworkDetector:
        """The detector, ready to be asked; it also names plates that it is less than sure of (`Pipeline` decides)."""
        return NetworkDetector(deepcopy(self.detector), self.config.image_size, min(self.threshold, UNSURE))

    @property
    def text_reader(self) -> NetworkReader:
        """The reader, ready to be asked."""
        return NetworkReader(deepcopy(self.reader))


def detect_all(detector: nn.Module, photos: list[Photo], size: int) -> list[list[Detection]]:
    """All plates of many photos, unsure ones too."""
    plate_detector = NetworkDetector(deepcopy(detector).cpu(), size, LOW)
    return [plate_detector(read_image(photo.path)) for photo in tqdm(photos, desc="finding", unit="photo", leave=False)]


def best_threshold(found: list[list[Detection]], photos: list[Photo]) -> tuple[float, dict[str, float]]:
    """The threshold with the best balance of recall and precision, the metrics there, and `ap` over all thresholds."""
    boxes = [photo.boxes for photo in photos]

    def at(threshold: float) -> dict[str, float]:
        return detection_metrics([[d for d in ds if d.score >= threshold] for ds in found], boxes)

    thresholds = np.arange(LOW, 0.95, 0.025).round(3).tolist()
    best = max(thresholds, key=lambda threshold: at(threshold)["f1"])
    return best, {**at(best), "ap": average_precision(found, boxes)}


def read_all(reader: nn.Module, plates: FixedPlates) -> list[Reading]:
    """The readings of many plates."""
    ask = NetworkReader(deepcopy(reader).cpu())
    readings: list[Reading] = []
    for start in range(0, len(plates), 64):
        images = [plates.flat(index) for index in range(start, min(start + 64, len(plates)))]
        readings += ask.read_plates(np.stack(images))
    return readings
