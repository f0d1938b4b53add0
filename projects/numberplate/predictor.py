"""The predictor: one file with both networks and everything needed to read the plates of a raw photo."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import nn
from tqdm import tqdm

from projects.numberplate.config import Config, ModelConfig
from projects.numberplate.data import FixedPlates
from projects.numberplate.detect import Detection, NetworkDetector
from projects.numberplate.model import Detector, Reader
from projects.numberplate.pipeline import Pipeline, Plate, classical_pipeline, require_tesseract
from projects.numberplate.read import NetworkReader, Reading, tesseract
from projects.numberplate.sources import Photo
from shared.compute.device import seed_everything
from shared.data.images import read_image
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select

SHIPPED = Path(__file__).parent / "shipped" / "model.safetensors"
"""The weights that come with the project."""
UNCERTAIN = 0.3
"""Detections from this score on are read; below the threshold they count only if the text reads like a plate's."""
LOWEST_SCORE = 0.05
"""Detections below this score are ignored when the threshold is chosen."""
PARTS = ("detector", "reader")


@dataclass(frozen=True, eq=False)
class Predictor:
    """Both networks, their settings, and the threshold of the detector's score.

    predictor = Predictor.load(SHIPPED)
    print(*predictor(read_image(Path("car.jpg"))))
    """

    detector: Detector
    reader: Reader
    config: ModelConfig
    threshold: float

    @classmethod
    def initial(cls, config: Config) -> "Predictor":
        """The networks before training: random, or with the weights that the settings name."""
        seed_everything(config.detector.seed)
        detector = Detector(config.model.width_multiplier)
        seed_everything(config.reader.seed)
        reader = Reader(config.model.hidden_size)
        settings, threshold = config.model, 0.5
        for part, network in zip(PARTS, (detector, reader)):
            path = initial_weights(config, part)
            if path is None:
                continue
            other = cls.load(path)
            weights = getattr(other, part).state_dict()
            if any(weights[name].shape != value.shape for name, value in network.state_dict().items()):
                raise ValueError(
                    f"model.{part}_weights: the network in {path} has another model.width_multiplier or "
                    "model.hidden_size"
                )
            network.load_state_dict(weights)
            if part == "detector":
                threshold = other.threshold
                if config.part == "reader":  # it is used as it was trained
                    settings = config.model.model_copy(update={"image_size": other.config.image_size})
        return cls(detector, reader, settings, threshold)

    def save(self, path: Path) -> None:
        """Write one safetensors file, in half precision: the outputs are the same to three digits."""
        tensors = {f"detector.{name}": value for name, value in self.detector.state_dict().items()}
        tensors |= {f"reader.{name}": value for name, value in self.reader.state_dict().items()}
        halves = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
        about = {"project": "numberplate", "model": self.config.model_dump(mode="json"), "threshold": self.threshold}
        save_model(path, halves, about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "numberplate")
        config = saved_settings(ModelConfig, about["model"], path)
        single = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
        detector, reader = Detector(config.width_multiplier), Reader(config.hidden_size)
        load_network(detector, select(single, "detector."), path)
        load_network(reader, select(single, "reader."), path)
        return cls(detector, reader, config, about["threshold"])

    def __call__(self, photo: np.ndarray) -> list[Plate]:
        """The plates of an RGB photo, uint8 (H, W, 3) of any size, the highest score first."""
        return self._pipeline(photo)

    def pipeline(self, engine: str = "ours", country: str | None = None) -> Pipeline:
        """engine: ours (both networks), tesseract (our detector, then Tesseract) or classic (`classical_pipeline`).
        country: two letters, to disambiguate look-alikes by its formats.

        Raises ValueError with one sentence if Tesseract is missing or the country is not known.
        """
        if engine == "classic":
            return classical_pipeline(country)
        if engine == "tesseract":
            require_tesseract()
            return Pipeline(self.plate_detector, tesseract, country, self.threshold)
        return Pipeline(self.plate_detector, self.text_reader, country, self.threshold)

    @cached_property
    def _pipeline(self) -> Pipeline:
        return self.pipeline()

    @property
    def plate_detector(self) -> NetworkDetector:
        """The detector for photos. It also returns detections below the threshold, for `Pipeline` to decide."""
        return NetworkDetector(deepcopy(self.detector), self.config.image_size, min(self.threshold, UNCERTAIN))

    @property
    def text_reader(self) -> NetworkReader:
        """The reader for plates of photos."""
        return NetworkReader(deepcopy(self.reader))


def initial_weights(config: Config, part: str) -> Path | None:
    """The model file whose weights a network (`detector` or `reader`) starts from; None: random weights."""
    wanted = config.model.detector_weights if part == "detector" else config.model.reader_weights
    if wanted == "auto":
        wanted = "none" if config.part in ("both", part) else "shipped"
    return None if wanted == "none" else SHIPPED if wanted == "shipped" else Path(wanted)


def detect_all(detector: nn.Module, photos: list[Photo], size: int) -> list[list[Detection]]:
    """The detections on many photos, those with low scores included."""
    network = NetworkDetector(deepcopy(detector).cpu(), size, LOWEST_SCORE)
    return [network(read_image(photo.path)) for photo in tqdm(photos, desc="detecting", unit="photo", leave=False)]


def read_all(reader: nn.Module, plates: FixedPlates) -> list[Reading]:
    """The readings of many plates."""
    network = NetworkReader(deepcopy(reader).cpu())
    readings: list[Reading] = []
    for start in range(0, len(plates), 64):
        images = [plates.rectified(index) for index in range(start, min(start + 64, len(plates)))]
        readings += network.read_plates(np.stack(images))
    return readings
