"""Every setting of the project, with what it does."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from shared.config import EvaluateOptions as SharedEvaluateOptions
from shared.config import RunOptions, Section
from shared.data.config import AugmentConfig, PhotoConfig, TableFormat
from shared.training.config import TrainingConfig


class DataConfig(PhotoConfig, TableFormat):
    """Which photos, and how they are split."""

    renamed = {"size": "model.decode_size", "photos": "sample_size"}

    source: Literal["sample", "plantvillage", "plantvillage-original", "folder", "csv"] = "sample"
    """sample: leaves drawn by code. plantvillage: the public set, downloaded. plantvillage-original: the same with its
    original file names, which the session split needs. folder: yours, one folder per class at any depth, or a table of
    labels beside the photos. csv: the same, and the table decides."""
    root: Path | None = None
    """The folder or table of `folder` and `csv`; else where to keep what is drawn or downloaded (default: data/)."""
    names: dict[str, str | None] = Field(default={})
    """Other names for classes, such as {"Tomato leaf late blight": Tomato___Late_blight}; null leaves a class out."""
    image_column: str | None = None
    """The column of the table that holds the names of the photos; by default it is found."""
    label_column: str | None = None
    """The column of the table that holds the classes; by default it is found."""
    split: Literal["auto", "given", "random", "leaf", "session", "all"] = "auto"
    """given: the folders train, validation and test, or a column of the table, say it. random: photo by photo, as in
    the literature. leaf: photos of one leaf stay together. session: contiguous camera numbers stay together, which
    prevents most leakage. auto: given if it is, session where the file names allow it, else leaf. all: every photo is
    test data (evaluation only)."""
    validation: float = Field(0.15, gt=0, lt=0.5)
    """Fraction of the photos in the validation set, which decides which weights are kept."""
    test: float = Field(0.15, gt=0, lt=0.5)
    """Fraction of the photos in the test set, which is used once, at the end."""
    guard: int = Field(12, ge=0)
    """Session split: photos within this many camera numbers of another set are left out."""
    sample_size: int = Field(1800, ge=72)
    """Number of photos in the sample."""
    seed: int = Field(0, ge=0)
    """Seed of the split and of the sample."""

    @model_validator(mode="after")
    def _has_a_place(self) -> "DataConfig":
        if self.source in ("folder", "csv") and self.root is None:
            raise ValueError(f"data.source is {self.source}: say where it is with --data.root DIR")
        return self


class ModelConfig(Section):
    """The network and what it sees."""

    renamed = {"size": "image_size", "views": "tta_views"}

    backbone: str = "alexnet"
    """alexnet, or another classification network of torchvision by name: resnet18, mobilenet_v3_small, ..."""
    weights: str = "none"
    """imagenet (torchvision downloads them), none (random), or a .safetensors or .pt file (backbone or all layers)."""
    train: Literal["head", "all"] = "all"
    """head: the backbone stays frozen and its features are computed once. all: the head first, then every layer."""
    decode_size: int = Field(160, ge=32, le=512)
    """Side in pixels of the decoded photos, which are cached."""
    image_size: int = Field(224, ge=64, le=512)
    """Side in pixels of the network's input in validation, test and prediction. It should differ from decode_size:
    photos that are not resampled are sharper than the augmented ones of the training set."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout of the head."""
    tta_views: int = Field(1, ge=1, le=8)
    """Test-time augmentation: the prediction is the mean over this many views of a photo (as it is, the other quarter
    turns, the same mirrored). A leaf has no upper side, but every view costs as much as the first."""


class LeafTraining(TrainingConfig):
    """What both stages have in common."""

    minimised = frozenset({"loss", "ece"})

    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Fraction of the target spread over all classes (Szegedy et al. 2016)."""
    batch_size: int = Field(128, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(3e-4, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.05, ge=0)
    """Decoupled weight decay; biases are excluded."""
    monitor: Literal["accuracy", "macro_f1", "loss", "ece"] = "macro_f1"
    """The validation metric that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether `monitor` is minimised or maximised."""


class HeadConfig(LeafTraining):
    """Training of the head on frozen features. With `model.train: all` this is the first of two stages."""

    epochs: int = Field(10, ge=0)
    """Passes over the training set; 0 leaves this stage out."""
    copies: int = Field(1, ge=1)
    """Frozen features of each training photo: the photo itself and copies - 1 augmented ones."""
    schedule: Literal["cosine", "one-cycle", "step", "constant"] = "one-cycle"
    """Warm-up, then a half cosine to zero; one-cycle (Smith 2018); a tenth after 60 % and 85 %; or constant."""


class FineTuneConfig(LeafTraining):
    """Training of all layers (fine-tuning)."""

    renamed = {**TrainingConfig.renamed, "size": "image_size", "trunk_factor": "backbone_lr_factor"}

    epochs: int = Field(12, ge=1)
    """Passes over the training set."""
    image_size: int = Field(160, ge=64, le=512)
    """Side in pixels of the training images; smaller than model.image_size takes less time (Touvron et al. 2019)."""
    backbone_lr_factor: float = Field(0.3, gt=0)
    """Learning rate of the backbone relative to that of the head."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the exponential moving average (EMA) of the weights, which is evaluated and kept; 0 turns it off."""


class EvaluationConfig(Section):
    """What the evaluation measures beside accuracy and F1."""

    robustness: bool = True
    """Score blurred, noisy, compressed, darker, brighter, rotated and background-replaced copies of the test photos."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % confidence interval."""


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
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        if self.model.train == "head" and self.model.weights == "none":
            raise ValueError(
                "model.train is head, but model.weights is none: a random frozen backbone has no useful features"
            )
        if self.model.train == "head" and self.head.epochs == 0:
            raise ValueError("model.train is head, but head.epochs is 0: nothing would be trained")
        return self


class EvaluateOptions(SharedEvaluateOptions):
    """Score a finished run on its own test photos, or on any others of the same classes."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """Name the disease on one photo or on every photo of a folder."""

    input: list[Path] = Field(min_length=1)
    """Photos or folders."""
    top: int = Field(3, ge=1)
    """How many classes to name."""
    explain: Literal["occlusion", "grad-cam"] = "occlusion"
    """Attribution method: occlusion (a hundred forward passes, seconds) or grad-cam (one backward pass, coarse)."""
    overlay: Path | None = None
    """Folder for these pictures; default: `predictions/` in the run."""


class ExportOptions(RunOptions):
    """Write a finished run as an ONNX file."""

    output: Path | None = None
    """The ONNX file; default: `model.onnx` in the run."""
