"""Every knob of the project, with what it does."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config import OF_ONE_SOURCE, RunOptions, Section
from shared.data.config import AugmentConfig
from shared.training.config import TrainingConfig


class DataConfig(Section):
    """Which photos, and how they are divided."""

    source: Literal["sample", "plantvillage", "folder"] = "sample"
    """sample: leaves drawn by code. plantvillage: the public set, downloaded. folder: your own, one folder a class."""
    root: Annotated[Path | None, OF_ONE_SOURCE] = None
    """The folder of `folder`; for the other sources, where to keep what is drawn or downloaded (default: data/)."""
    split: Literal["auto", "random", "leaf", "session", "all"] = "auto"
    """random: photo by photo, as in the literature. leaf: photos of one leaf stay together. session: contiguous camera
    numbers stay together, the honest one. auto: session where the file names tell, else leaf. all: every photo is
    test data (evaluation only)."""
    validation: float = Field(0.15, gt=0, lt=0.5)
    """Part of the photos that decides which weights are kept."""
    test: float = Field(0.15, gt=0, lt=0.5)
    """Part of the photos that is looked at once, at the end."""
    guard: int = Field(12, ge=0)
    """Session split: photos within this many camera numbers of another part are left out."""
    size: int = Field(160, ge=32, le=512)
    """Side in pixels of the decoded photos in the cache."""
    photos: int = Field(1800, ge=72)
    """How many photos the sample has."""
    cache: Path = Path("data/cache")
    """Where decoded photos and frozen features are kept."""
    seed: int = Field(0, ge=0)
    """Decides the split and the sample."""


class ModelConfig(Section):
    """The network."""

    backbone: str = "alexnet"
    """alexnet, or another classification network of torchvision by name: resnet18, mobilenet_v3_small, ..."""
    weights: str = "none"
    """imagenet (torchvision downloads them), none (random), or a .safetensors or .pt file, whole or only the trunk."""
    train: Literal["head", "all"] = "all"
    """head: the convolutions stay as they are, their output is computed once. all: head first, then every layer."""
    size: int = Field(224, ge=64, le=512)
    """Side in pixels of the images the network answers for; not data.size, at which photos are not resampled and so are
    sharper than those it was trained on."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of the head."""
    views: int = Field(1, ge=1, le=8)
    """The answer is the mean for so many views of a photo: as it is, the other quarter turns, the same mirrored. A leaf
    has no upper side, but every view costs as much as the first."""


class LeafTraining(TrainingConfig):
    """What both stages have in common."""

    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Part of the target spread over all classes (Szegedy et al. 2016)."""
    batch_size: int = Field(128, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(3e-4, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.05, ge=0)
    """Pulls weights towards zero; biases are left out."""
    monitor: Literal["accuracy", "macro_f1", "loss", "ece"] = "macro_f1"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class HeadConfig(LeafTraining):
    """Training of the head on frozen features. With `model.train: all` this is the first of two stages."""

    epochs: int = Field(10, ge=0)
    """Passes over the training data; 0 leaves this stage out."""
    copies: int = Field(1, ge=1)
    """Frozen features of each training photo: the photo itself and copies - 1 augmented ones."""
    schedule: Literal["cosine", "one-cycle", "step", "constant"] = "one-cycle"
    """Warm-up, then a half cosine to zero; one-cycle (Smith 2018); a tenth after 60 % and 85 %; or constant."""


class FineTuneConfig(LeafTraining):
    """Training of all layers."""

    epochs: int = Field(12, ge=1)
    """Passes over the training data."""
    size: int = Field(160, ge=64, le=512)
    """Side in pixels of the training images; smaller than model.size costs less time (Touvron et al. 2019)."""
    trunk_factor: float = Field(0.3, gt=0)
    """Learning rate of the convolutions as a part of the head's."""
    average: float = Field(0.99, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""


class EvaluationConfig(Section):
    """What the evaluation measures beside accuracy and F1."""

    robustness: bool = True
    """Score blurred, noisy, compressed, darker, brighter, rotated and background-replaced copies of the test photos."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % interval."""


class Config(Section):
    """Plant disease from leaf photos."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
    head: HeadConfig = HeadConfig()
    training: FineTuneConfig = FineTuneConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source == "folder" and self.data.root is None:
            raise ValueError("data.source is folder: say where it is with --data.root DIR")
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        if self.model.train == "head" and self.model.weights == "none":
            raise ValueError(
                "model.train is head, but model.weights is none: random convolutions are nothing to build on"
            )
        if self.model.train == "head" and self.head.epochs == 0:
            raise ValueError("model.train is head, but head.epochs is 0: nothing would be trained")
        return self


class EvaluateOptions(RunOptions):
    """Score a finished run, on its own test photos or on any others of the same classes."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """Name the disease on one photo or on every photo of a folder."""

    input: list[Path] = Field(min_length=1)
    """Photos or folders."""
    top: int = Field(3, ge=1)
    """How many classes to name."""
    explain: Literal["occlusion", "grad-cam"] = "occlusion"
    """How the picture of where the network looked is made: occlusion asks it a hundred times with a part of the photo
    smoothed away, a few seconds; grad-cam asks once, and is rough for AlexNet."""
    overlay: Path | None = None
    """Folder for these pictures; default: `predictions/` in the run."""


class ExportOptions(RunOptions):
    """Write a finished run as an ONNX file."""

    output: Path | None = None
    """The ONNX file; default: `model.onnx` in the run."""


class AppOptions(RunOptions):
    """Show a finished run on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
