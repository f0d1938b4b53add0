"""The predictor: one file with everything needed to answer for a raw image."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from projects.starter.config import Config
from projects.starter.data import prepare
from projects.starter.model import build_model
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings


@dataclass
class Predictor:
    """Network, class names and settings."""

    network: nn.Module
    classes: list[str]
    config: Config

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        about = {"project": "starter", "config": self.config.model_dump(mode="json"), "classes": self.classes}
        save_model(path, self.network.state_dict(), about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "starter")
        config = saved_settings(Config, about["config"], path)
        return cls(load_network(build_model(len(about["classes"])), tensors, path), about["classes"], config)

    def __call__(self, image: np.ndarray) -> dict[str, float]:
        """RGB uint8 (H, W, 3) -> the probability of each class, the most likely first."""
        logits = self.network(prepare(image, self.config.model.image_size).unsqueeze(0))  # (1, classes)
        return dict(sorted(zip(self.classes, logits.softmax(dim=1)[0].tolist()), key=lambda pair: -pair[1]))
