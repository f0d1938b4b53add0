"""The settings of `fit`, the same words in every project."""

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shared.config import Section
from shared.runs import SMALLER_IS_BETTER


class TrainingConfig(Section):
    """How the network is trained."""

    epochs: int = Field(10, ge=1)
    """Passes over the training data."""
    batch_size: int = Field(64, ge=1)
    """Items in one forward pass, over all processes."""
    accumulate: int = Field(1, ge=1)
    """Forward passes whose gradients are averaged before one step of the optimiser."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov momentum 0.9."""
    learning_rate: float = Field(1e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.01, ge=0)
    """Pulls weights towards zero, beside the gradient (adamw) or as part of it (sgd); biases and normalisation weights
    are left out."""
    schedule: Literal["cosine", "one-cycle", "step", "constant"] = "cosine"
    """Warm-up, then a half cosine to zero; one-cycle (Smith 2018); a tenth after 60 % and 85 %; or constant."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """cosine, step: part of all steps in which the learning rate rises to its peak."""
    clip: float = Field(1.0, ge=0)
    """Largest norm of the gradient; 0 switches clipping off."""
    average: float = Field(0.0, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""
    patience: int = Field(0, ge=0)
    """Stop after this many epochs without a better `monitor`; 0 never stops early."""
    monitor: str = "loss"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "min"
    """Whether a better `monitor` is smaller or larger."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the forward pass; auto takes bf16 only where CPU or GPU have it natively."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or auto."""
    workers: int = Field(0, ge=0)
    """Processes that load data beside the one that trains."""
    quiet: bool = False
    """Print nothing while training; for projects that train many small networks and show their own progress."""
    seed: int = Field(0, ge=0)
    """Decides initial weights, order, augmentation and dropout."""
    checkpoint_minutes: float = Field(5.0, ge=0)
    """Save the training state this often within an epoch, beside every end of an epoch; 0 after every step."""

    @field_validator("device")
    @classmethod
    def _known(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
            raise ValueError(f"must be auto, cpu, cuda, cuda:1 or mps, not {device!r}")
        return device

    @model_validator(mode="after")
    def _same_direction(self) -> "TrainingConfig":
        if self.monitor in SMALLER_IS_BETTER and self.direction == "max":
            raise ValueError(f"{self.monitor} is the better the smaller it is: set direction to min as well")
        return self
