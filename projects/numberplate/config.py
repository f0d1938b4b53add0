"""Every knob of the project, with what it does."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from projects.numberplate.formats import known_country
from shared.config import OF_ONE_SOURCE, RunOptions, Section
from shared.training.config import TrainingConfig

Country = Annotated[str, AfterValidator(known_country)]


class DataConfig(Section):
    """Which photos and crops, and how they are divided."""

    source: Literal["sample", "csv"] = "sample"
    """sample: cars and plates drawn by code. csv: your own photos."""
    root: Annotated[Path | None, OF_ONE_SOURCE] = None
    """csv: a table of photos (file,x0,y0,x1,y1,text; paths relative to it, one row a plate, no box: no plate) or of
    crops (file,text). sample: where to keep what is drawn (default: data/)."""
    crops: Annotated[Path | None, OF_ONE_SOURCE] = None
    """A second table, of crops (file,text), for the reader."""
    split: Literal["auto", "all"] = "auto"
    """auto: the table's column `split` where it has one (train, dev), else by plate text. all: everything is test
    data (evaluation only)."""
    validation: float = Field(0.1, gt=0, lt=0.5)
    """Part of the training photos and crops that decides which weights are kept."""
    test: float = Field(0.2, gt=0, lt=0.5)
    """Part that is looked at once, at the end, where the table has no column `split`."""
    exclude_sets: Annotated[tuple[str, ...], OF_ONE_SOURCE] = ()
    """Sets that are not trained on: the table's column `set`, or the name of the folder the file is in."""
    test_sets: Annotated[tuple[str, ...], OF_ONE_SOURCE] = ()
    """Sets that are tested on; none named: all."""
    fold: Annotated[int | None, OF_ONE_SOURCE] = Field(None, ge=0, le=4)
    """Crops: the fifth of the plate texts that is the test part; none: as `split` and `test` say."""
    glyphs: Annotated[Path | None, OF_ONE_SOURCE] = None
    """A folder of glyph sheets (.png with Tesseract .box files) to draw plates with, beside the fonts of the system."""
    sample_size: int = Field(600, ge=40)
    """How many photos the sample has."""
    seed: int = Field(0, ge=0)
    """Decides the split and the sample."""

    @model_validator(mode="after")
    def _tables_are_csv(self) -> "DataConfig":
        if self.source == "sample" and self.crops:
            raise ValueError("data.crops is a table: say so with --data.source csv")
        return self


class ModelConfig(Section):
    """The two networks."""

    detector: str = "auto"
    """Weights the detector starts from: none, shipped (those that come with the project), or a run's model.safetensors.
    auto: none where it is trained, shipped where it is not."""
    reader: str = "auto"
    """The same for the reader."""
    image_size: int = Field(832, ge=128, le=2048, multiple_of=32)
    """Longer side in pixels of the photo that the detector sees."""
    width_multiplier: float = Field(1.0, gt=0.2, le=4)
    """Channels of the detector as a factor."""
    hidden_size: int = Field(96, ge=8)
    """Units of the reader's LSTM in each direction."""


class DetectorConfig(TrainingConfig):
    """Training of the detector."""

    samples_per_epoch: int = Field(3000, ge=16)
    """Training views of one epoch: each is drawn anew."""
    real_fraction: float = Field(0.6, ge=0, le=1)
    """Part of the views that show photos as they are; in the others drawn plates are pasted in."""
    image_size: int = Field(416, ge=96, le=1024, multiple_of=32)
    """Side in pixels of a training view."""
    epochs: int = Field(12, ge=1)
    """Epochs of `samples_per_epoch` views."""
    batch_size: int = Field(32, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.02, ge=0)
    """Pulls weights towards zero; biases and normalisation weights are left out."""
    gradient_clip: float = Field(5.0, ge=0)
    """Largest norm of the gradient; 0 switches clipping off."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""
    monitor: Literal["ap", "f1", "recall", "precision", "recall_70", "precision_70"] = "ap"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class ReaderConfig(TrainingConfig):
    """Training of the reader."""

    samples_per_epoch: int = Field(20000, ge=16)
    """Training plates of one epoch: each is drawn anew."""
    real_fraction: float = Field(0.5, ge=0, le=1)
    """Part of the plates that are real crops, where there are any; the others are drawn."""
    difficulty: float = Field(1.0, ge=0, le=1)
    """How worn, dark, tilted and small the drawn plates are: 0 clean, 1 as bad as on the road."""
    epochs: int = Field(12, ge=1)
    """Epochs of `samples_per_epoch` plates."""
    batch_size: int = Field(64, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    gradient_clip: float = Field(5.0, ge=0)
    """Largest norm of the gradient; 0 switches clipping off."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the moving average of the weights that is evaluated and kept; 0 keeps the weights themselves."""
    monitor: Literal["exact", "folded", "cer"] = "exact"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class EvaluationConfig(Section):
    """What the evaluation measures beside our own networks."""

    baseline_size: int = Field(100, ge=0)
    """On how many photos and crops the classic way (contours, then Tesseract) is run as well; it is slow. 0: none."""
    country: Country | None = None
    """Two letters (de, br, us ...): look-alikes are disambiguated by this country's formats, as `predict --country` does."""


class Config(Section):
    """Number plates: a detector that finds them and a reader that reads them."""

    part: Literal["both", "detector", "reader"] = "both"
    """Which network is trained; the other one stays as it is."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    detector: DetectorConfig = DetectorConfig()
    reader: ReaderConfig = ReaderConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source == "csv" and self.data.root is None and self.data.crops is None:
            raise ValueError("data.source is csv: say where the table is with --data.root FILE")
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        return self


class EvaluateOptions(RunOptions):
    """Score a finished run, or the weights that come with the project (--run shipped), on photos or crops."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class ReadingOptions(RunOptions):
    """What predict, the window and the web page have in common."""

    run: str = "shipped"
    """A run's folder or name, or shipped: the weights that come with the project."""
    engine: Literal["ours", "tesseract", "classic"] = "ours"
    """ours: both networks. tesseract: our detector, Tesseract reads. classic: contours, then Tesseract."""
    country: Country | None = None
    """Two letters (de, br, us ...): disambiguate 0/O, 1/I, 5/S, 8/B where the country's formats decide."""


class PredictOptions(ReadingOptions):
    """Read the plates on one photo, on every photo of a folder, or in a video."""

    input: list[Path] = Field(min_length=1)
    """Photos, folders or videos."""
    overlay: Path | None = None
    """Folder for pictures with the plates marked; default: `runs/numberplate/predictions/`."""


class GuiOptions(ReadingOptions):
    """Read plates in a window."""

    input: tuple[Path, ...] = ()
    """Photos, folders or a video to open at once."""


class AppOptions(ReadingOptions):
    """Read plates on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
