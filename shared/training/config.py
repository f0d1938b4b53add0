"""The settings of `fit`, the same words in every project."""

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from shared.config import Section


class TrainingConfig(Section):
    """How the network is trained."""

    minimised: ClassVar[frozenset[str]] = frozenset({"loss"})
    """Metrics that are better when they are smaller; a project adds its own."""
    renamed = {
        "average": "ema_decay",
        "accumulate": "gradient_accumulation",
        "clip": "gradient_clip",
        "workers": "num_workers",
    }

    epochs: int = Field(10, ge=1)
    """Passes over the training set."""
    batch_size: int = Field(64, ge=1)
    """Items in one forward pass, over all processes."""
    gradient_accumulation: int = Field(1, ge=1)
    """Forward passes whose gradients are averaged before one optimiser step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov momentum 0.9."""
    learning_rate: float = Field(1e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.01, ge=0)
    """Decoupled (adamw) or L2 (sgd) weight decay; biases and normalisation weights are excluded."""
    schedule: Literal["cosine", "one-cycle", "step", "constant"] = "cosine"
    """Warm-up, then a half cosine to zero; one-cycle (Smith 2018); a tenth after 60 % and 85 %; or constant."""
    warmup: float = Field(0.05, ge=0, lt=1)
    """cosine, step: fraction of all steps in which the learning rate rises to its peak."""
    gradient_clip: float = Field(1.0, ge=0)
    """Maximum norm of the gradient; 0 turns clipping off."""
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay of the exponential moving average (EMA) of the weights, which is evaluated and kept; 0 turns it off."""
    patience: int = Field(0, ge=0)
    """Early stopping: epochs without a better `monitor` after which training ends; 0 turns it off."""
    monitor: str = "loss"
    """The validation metric that decides which weights are kept."""
    direction: Literal["min", "max"] = "min"
    """Whether `monitor` is minimised or maximised."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the forward pass; auto takes bf16 only where CPU or GPU have it natively."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps, or auto."""
    num_workers: int = Field(0, ge=0)
    """Worker processes of the data loader; 0 loads in the training process."""
    quiet: bool = False
    """Print no line per epoch (for projects that train many small networks and show their own progress)."""
    seed: int = Field(0, ge=0)
    """Seed of initial weights, data order, augmentation and dropout."""
    checkpoint_minutes: float = Field(5.0, ge=0)
    """Minutes between checkpoints within an epoch; another is written after every epoch. 0: after every step."""

    @field_validator("device")
    @classmethod
    def _known(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
            raise ValueError(f"must be auto, cpu, cuda, cuda:1 or mps, not {device!r}")
        return device

    @model_validator(mode="after")
    def _same_direction(self) -> "TrainingConfig":
        if self.monitor in self.minimised and self.direction == "max":
            raise ValueError(f"{self.monitor} is minimised; set direction: min")
        return self
