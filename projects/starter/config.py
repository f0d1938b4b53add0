"""Every setting of the project, with what it does."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.config import Section
from shared.data.config import PhotoConfig
from shared.training.config import TrainingConfig


class DataConfig(PhotoConfig):
    """Which images, and how they are split."""

    source: Literal["sample", "folder"] = "sample"
    """sample: scikit-learn's handwritten digits. folder: your own images, one folder per class."""
    root: Path = Path("data")
    """The folder of `folder`; for the sample, where to keep it."""
    split: Literal["random", "all"] = "random"
    """random: 70 % training, 15 % validation, 15 % test set. all: every image is in the test set (evaluation only)."""


class ModelConfig(Section):
    """The network and what it sees."""

    image_size: int = Field(16, ge=8)
    """Side in pixels of the network's input."""


class Config(Section):
    """The smallest complete project: a small CNN that classifies images."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig(epochs=8, learning_rate=3e-3, monitor="accuracy", direction="max")
