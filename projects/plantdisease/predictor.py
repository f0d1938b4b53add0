"""The predictor: one file with everything needed to answer for a raw photo."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from projects.plantdisease.attribution import grad_cam, occlusion, overlay
from projects.plantdisease.baselines import colour_histogram, fit_colour_baseline
from projects.plantdisease.config import Config, ModelConfig
from projects.plantdisease.data import LeafData, Photos
from projects.plantdisease.model import LeafNet, TestTimeAugmentation, build_model, network_name
from projects.plantdisease.ood import OutOfDistribution, with_activations
from shared.compute.device import device_of, pick_device
from shared.data.images import normalise, to_square
from shared.evaluation.inference import predict
from shared.evaluation.metrics import fit_temperature
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select

OOD_PHOTOS = 60  # photos per class from which the usual activations are estimated


@dataclass
class Prediction:
    """The answer for one photo."""

    classes: list[tuple[str, float]]
    """Class names with calibrated probabilities, the most likely first."""
    ood_score: float
    """Distance from the training photos; above 1 the photo is out of distribution."""
    too_few: dict[str, int] = field(default_factory=dict)
    """Those of the classes that had too few validation photos to believe it, and how many they had."""

    @property
    def in_distribution(self) -> bool:
        return self.ood_score <= 1

    def __str__(self) -> str:
        named = ", ".join(f"{name} {probability:.0%}{self._doubt(name)}" for name, probability in self.classes)
        if self.in_distribution:
            return named
        return f"out of distribution: not like the training photos (score {self.ood_score:.1f}); as a leaf: {named}"

    def _doubt(self, name: str) -> str:
        return f" (too few photos to believe: {self.too_few[name]} in validation)" if name in self.too_few else ""


def subsample_per_class(photos: Photos, most: int) -> Photos:
    """At most `most` photos of each class, evenly spaced."""
    chosen = [photos.indices[photos.targets == label] for label in np.unique(photos.targets)]
    even = [rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)] for rows in chosen]
    return Photos(photos.images, photos.labels, np.concatenate(even))


class _LogitsAndActivations(nn.Module):
    """Logits and activations side by side, (B, C + D)."""

    def __init__(self, views: TestTimeAugmentation) -> None:
        super().__init__()
        self.views = views

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat(with_activations(self.views, images), dim=1)


@dataclass
class Predictor:
    """Network, classes, calibration, out-of-distribution detector, and the baselines to compare with.

    predictor = Predictor.load(Path("runs/plantdisease/.../model.safetensors"))
    print(predictor(read_image(Path("photo.jpg"))))
    """

    network: LeafNet
    classes: list[str]
    config: Config
    temperature: float
    ood: OutOfDistribution
    colour_weights: Tensor
    """Logistic regression on colour histograms, (512, C)."""
    colour_bias: Tensor
    """(C,)."""
    majority: int
    """The most frequent class of the training set."""
    too_few: dict[str, int] = field(default_factory=dict)
    """Classes with too few validation photos to believe what is said about them, and how many they have."""

    @classmethod
    def fit(cls, network: LeafNet, data: LeafData, config: Config) -> "Predictor":
        """Calibrate a trained network on the validation set; fit OOD detector and baselines on the training set."""
        network.to(pick_device(config.training.device))
        views = TestTimeAugmentation(network, config.model.tta_views)
        count = len(data.classes)

        def run(photos: Photos) -> tuple[Tensor, Tensor]:
            both = predict(
                _LogitsAndActivations(views),
                photos,
                lambda b: normalise(b[0], config.model.image_size),
                precision="fp32",
            )
            return both[:, :count], both[:, count:]

        some = subsample_per_class(data.train, OOD_PHOTOS)
        _, activations = run(some)
        logits, held_out = run(data.validation)
        ood = OutOfDistribution.fit(activations, torch.from_numpy(some.targets), count)
        ood.calibrate(held_out)
        weights, bias = fit_colour_baseline(data.images[data.train.indices], data.train.targets, count)
        return cls(
            network=network.cpu().eval(),
            classes=data.classes,
            config=config,
            temperature=fit_temperature(logits, data.validation.targets),
            ood=ood,
            colour_weights=torch.from_numpy(weights),
            colour_bias=torch.from_numpy(bias),
            majority=int(np.argmax(np.bincount(data.train.targets))),
            too_few=data.too_few,
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"ood.{name}": value for name, value in self.ood.state_dict().items()}
        tensors |= {"colour.weights": self.colour_weights, "colour.bias": self.colour_bias}
        about = {
            "project": "plantdisease",
            "config": self.config.model_dump(mode="json"),
            "classes": self.classes,
            "temperature": self.temperature,
            "majority": self.majority,
            "too_few": self.too_few,
        }
        save_model(path, tensors, about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "plantdisease")
        config = saved_settings(Config, about["config"], path)
        architecture: ModelConfig = config.model.model_copy(update={"weights": "none"})
        network = build_model(architecture, len(about["classes"]))
        load_network(network, select(tensors, "network."), path)
        known = select(tensors, "ood.")
        ood = OutOfDistribution(*known["centres"].shape)
        load_network(ood, known, path)
        return cls(
            network=network,
            classes=about["classes"],
            config=config,
            temperature=about["temperature"],
            ood=ood,
            colour_weights=tensors["colour.weights"],
            colour_bias=tensors["colour.bias"],
            majority=about["majority"],
            too_few=about.get("too_few", {}),
        )

    @property
    def name(self) -> str:
        """The network's name for reports."""
        return network_name(self.network, self.config.model.backbone)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) of any size -> a photo as in the training set, uint8 (S, S, 3)."""
        return to_square(image, self.config.model.decode_size)

    def __call__(self, image: np.ndarray, top: int = 3) -> Prediction:
        """RGB uint8 (H, W, 3) -> the most likely classes, and whether the photo is like the training photos at all."""
        logits, score = self.forward(torch.from_numpy(self.prepare(image)[None]))
        probabilities, classes = logits.softmax(dim=1)[0].topk(min(top, len(self.classes)))
        named = [(self.classes[c], p) for c, p in zip(classes.tolist(), probabilities.tolist())]
        few = {name: self.too_few[name] for name, _ in named if name in self.too_few}
        return Prediction(named, score.item(), few)

    def explain(
        self, image: np.ndarray, name: str, method: Literal["occlusion", "grad-cam"] = "occlusion"
    ) -> np.ndarray:
        """The parts of a photo that support the class `name`: the photo under a heat map, RGB uint8 (S, S, 3)."""
        photo = self.prepare(image)
        seen = normalise(torch.from_numpy(photo[None]), self.config.model.image_size)
        attribute = occlusion if method == "occlusion" else grad_cam
        return overlay(photo, attribute(self.network, seen, self.classes.index(name)))

    @property
    def views(self) -> TestTimeAugmentation:
        """The network with its test-time augmentation."""
        return TestTimeAugmentation(self.network, self.config.model.tta_views).eval()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Prepared photos, uint8 (B, S, S, 3) -> calibrated logits (B, C) and OOD scores (B,)."""
        with torch.inference_mode():
            logits, activations = with_activations(self.views, normalise(images, self.config.model.image_size))
            return logits / self.temperature, self.ood(activations)

    def score(self, photos: Photos) -> tuple[Tensor, Tensor]:
        """`forward` for a whole dataset, on the training device: (N, C) and (N,)."""
        network = _LogitsAndActivations(self.views).to(device_of(self.config.training.device))
        both = predict(network, photos, lambda b: normalise(b[0], self.config.model.image_size), precision="fp32")
        self.network.cpu()
        logits, activations = both.split([len(self.classes), self.ood.centres.shape[1]], dim=1)
        return logits / self.temperature, self.ood(activations)

    def colour_baseline(self, images: np.ndarray) -> np.ndarray:
        """Predictions of the logistic regression on colours: uint8 (N, H, W, 3) -> class numbers (N,)."""
        scores = colour_histogram(images) @ self.colour_weights.numpy() + self.colour_bias.numpy()
        return scores.argmax(axis=1)
