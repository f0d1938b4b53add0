"""A finished model: one file with everything needed to answer for a raw photo."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from projects.plantdisease.baselines import colour_histogram, fit_colour_baseline
from projects.plantdisease.config import Config, ModelConfig
from projects.plantdisease.data import LeafData, Photos
from projects.plantdisease.model import LeafNet, Views, build_model
from projects.plantdisease.novelty import Novelty, with_activations
from shared.data.images import normalise
from shared.evaluation.classification import fit_temperature
from shared.evaluation.predict import predict
from shared.training.checkpoint import load_model, save_model, saved_settings, select
from shared.training.device import device_of, pick_device

ENOUGH = 60  # photos of a class from which its usual activations are learned


def at_most(photos: Photos, per_class: int) -> Photos:
    """An even choice of at most so many photos of each class."""
    chosen = [photos.indices[photos.targets == label] for label in np.unique(photos.targets)]
    even = [rows[np.linspace(0, len(rows) - 1, min(len(rows), per_class)).astype(int)] for rows in chosen]
    return Photos(photos.images, photos.labels, np.concatenate(even))


class _Both(nn.Module):
    """Logits and activations side by side, (B, C + D)."""

    def __init__(self, views: Views) -> None:
        super().__init__()
        self.views = views

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(with_activations(self.views, images), dim=1)


@dataclass
class FinishedModel:
    """Network, classes, calibration, the measure of what is familiar, and the baselines to compare with."""

    network: LeafNet
    classes: list[str]
    config: Config
    temperature: float
    novelty: Novelty
    colour_weights: Tensor
    """Logistic regression on colour histograms, (512, C)."""
    colour_bias: Tensor
    """(C,)."""
    commonest: int
    """The commonest class of the training data."""

    @classmethod
    def finish(cls, network: LeafNet, data: LeafData, config: Config) -> "FinishedModel":
        """Calibrate a trained network on the validation photos and fit the baselines on the training photos."""
        network.to(pick_device(config.training.device))
        views = Views(network, config.model.views)
        count = len(data.classes)

        def run(photos: Photos) -> tuple[Tensor, Tensor]:
            both = predict(_Both(views), photos, lambda batch: normalise(batch[0], config.model.size), precision="fp32")
            return both[:, :count], both[:, count:]

        some = at_most(data.train, ENOUGH)
        _, seen = run(some)
        logits, held_back = run(data.validation)
        novelty = Novelty.fit(seen, torch.from_numpy(some.targets), count)
        novelty.calibrate(held_back)
        weights, bias = fit_colour_baseline(data.images[data.train.indices], data.train.targets, count)
        return cls(
            network=network.cpu().eval(),
            classes=data.classes,
            config=config,
            temperature=fit_temperature(logits, data.validation.targets),
            novelty=novelty,
            colour_weights=torch.from_numpy(weights),
            colour_bias=torch.from_numpy(bias),
            commonest=int(np.bincount(data.train.targets).argmax()),
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"novelty.{name}": value for name, value in self.novelty.state_dict().items()}
        tensors |= {"colour.weights": self.colour_weights, "colour.bias": self.colour_bias}
        about = {
            "project": "plantdisease",
            "config": self.config.model_dump(mode="json"),
            "classes": self.classes,
            "temperature": self.temperature,
            "commonest": self.commonest,
        }
        save_model(path, tensors, about)

    @classmethod
    def load(cls, path: Path) -> "FinishedModel":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "plantdisease")
        config = saved_settings(Config, about["config"], path)
        architecture: ModelConfig = config.model.model_copy(update={"weights": "none"})
        network = build_model(architecture, len(about["classes"]))
        network.load_state_dict(select(tensors, "network."))
        known = select(tensors, "novelty.")
        novelty = Novelty(*known["centres"].shape)
        novelty.load_state_dict(known)
        return cls(
            network=network.eval(),
            classes=about["classes"],
            config=config,
            temperature=about["temperature"],
            novelty=novelty,
            colour_weights=tensors["colour.weights"],
            colour_bias=tensors["colour.bias"],
            commonest=about["commonest"],
        )

    @property
    def views(self) -> Views:
        """What answers: the network, from as many sides as the settings say."""
        return Views(self.network, self.config.model.views).eval()

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 (B, H, W, 3) -> calibrated logits (B, C) and novelty (B,), where above 1 is strange."""
        with torch.inference_mode():
            logits, activations = with_activations(self.views, normalise(images, self.config.model.size))
            return logits / self.temperature, self.novelty(activations)

    def score(self, photos: Photos) -> tuple[Tensor, Tensor]:
        """`__call__` for a whole dataset, on the device that trains: (N, C) and (N,)."""
        network = _Both(self.views).to(device_of(self.config.training.device))
        both = predict(network, photos, lambda batch: normalise(batch[0], self.config.model.size), precision="fp32")
        self.network.cpu()
        logits, activations = both.split([len(self.classes), self.novelty.centres.shape[1]], dim=1)
        return logits / self.temperature, self.novelty(activations)

    def colour_baseline(self, images: np.ndarray) -> np.ndarray:
        """What the logistic regression on colours says: uint8 (N, H, W, 3) -> class numbers (N,)."""
        scores = colour_histogram(images) @ self.colour_weights.numpy() + self.colour_bias.numpy()
        return scores.argmax(axis=1)
