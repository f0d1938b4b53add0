"""Every setting of the project, with what it does."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from projects.numberplate.formats import known_country
from shared.config import EvaluateOptions as SharedEvaluateOptions
from shared.config import RunOptions, Section
from shared.data.config import Damaged, PhotoConfig, TableFormat
from shared.training.config import TrainingConfig

Country = Annotated[str, AfterValidator(known_country)]
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: [name.strip() for name in value.split(",")] if isinstance(value, str) else value),
]
"""Several names, on the command line with commas between."""
Layout = Literal[
    "auto", "table", "voc", "cvat", "coco", "via", "labelme", "labelstudio", "createml", "yolo", "keras", "oid",
    "icdar", "openalpr", "ufpr", "ccpd",
]  # fmt: skip
"""The kinds of labels that are read."""


class DataConfig(PhotoConfig, TableFormat):
    """Which photos and crops, and how they are split."""

    renamed = {"photos": "sample_size", "leave_out": "exclude_sets", "only": "test_sets"}

    source: Literal["sample", "csv", "folder"] = "sample"
    """sample: synthetic streets with plates. csv, folder: your own photos, in any layout of the README."""
    root: Path | None = None
    """Your own photos: a table of photos (file,x0,y0,x1,y1,text; one row per plate, no box: no plate) or of crops
    (file,text), a file of an annotation tool, or a folder with photos and their labels. sample: where to keep what is
    drawn (default: data/)."""
    layout: Layout = "auto"
    """How the labels are written, where a folder has several kinds of them."""
    plate_class: Names = ()
    """The class that is the plate, where labels have several; names with commas between."""
    file: str | None = None
    """Column of the photo; by default the first with a usual name (file, filename, image, image_path ...)."""
    text: str | None = None
    """Column of the plate's text; by default the first with a usual name (text, plate, plate_text ...)."""
    box_columns: Names = ()
    """The four columns of the box, such as a,b,c,d, in the order of `box_format`."""
    box_format: Literal["auto", "xyxy", "xywh", "cxcywh"] = "auto"
    """What the four numbers of a box in a table are: two corners; a corner, width and height; or centre, width and
    height. auto: by the names of the columns."""
    box_units: Literal["auto", "pixels", "stored", "declared", "fractions", "percent"] = "auto"
    """pixels: of the upright photo. stored: of the photo before its rotation by EXIF. declared: of the width and height
    that are written beside the box; the photo was resized since. fractions, percent: of its width and height."""
    damaged: Damaged = "refuse"
    """leave-out: photos that are missing, that cannot be read or that have an impossible box are left out and named."""
    crops: Path | None = None
    """csv: a second table, of crops (file,text), for the reader."""
    split: Literal["auto", "all"] = "auto"
    """auto: the given parts (a column, lists of names, folders called train, valid and test), else by plate text. all:
    everything is test data (evaluation only)."""
    validation: float = Field(0.1, gt=0, lt=0.5)
    """Fraction of the training photos and crops in the validation set, which decides which weights are kept."""
    test: float = Field(0.2, gt=0, lt=0.5)
    """Fraction in the test set, which is used once, at the end; ignored where a test set is given."""
    exclude_sets: tuple[str, ...] = ()
    """Sets that are left out of training. A set is named by the column `set`, else by the folder of the file."""
    test_sets: tuple[str, ...] = ()
    """Sets in the test set; empty: all."""
    fold: int | None = Field(None, ge=0, le=4)
    """Crops: five-fold cross-validation by plate text, the number of the fold that is the test set. None: no folds,
    a split by `split` and `test`."""
    glyphs: Path | None = None
    """csv: a folder of glyph sheets (.png with Tesseract .box files) to draw plates with, in addition to
    the fonts of the system."""
    sample_size: int = Field(600, ge=40)
    """Number of photos in the sample."""
    seed: int = Field(0, ge=0)
    """Seed of the split and of the sample."""

    @model_validator(mode="after")
    def _tables_are_csv(self) -> "DataConfig":
        if self.source != "sample" and self.root is None and self.crops is None:
            raise ValueError(f"data.source {self.source} needs photos: --data.root FILE or FOLDER")
        if self.source == "sample" and self.crops:
            raise ValueError("data.crops needs --data.source csv")
        if len(self.box_columns) not in (0, 4):
            raise ValueError("data.box_columns must name four columns, such as x0,y0,x1,y1")
        return self


class ModelConfig(Section):
    """The two networks."""

    renamed = {
        "detector": "detector_weights",
        "reader": "reader_weights",
        "size": "image_size",
        "width": "width_multiplier",
        "hidden": "hidden_size",
    }

    detector_weights: str = "auto"
    """Initial weights of the detector: none (random), shipped (those that come with the project), or a run's
    model.safetensors. auto: none where the detector is trained, else shipped."""
    reader_weights: str = "auto"
    """The same for the reader."""
    image_size: int = Field(832, ge=128, le=2048, multiple_of=32)
    """Longer side in pixels of the photo in the detector's input."""
    width_multiplier: float = Field(1.0, gt=0.2, le=4)
    """Factor on the number of channels of the detector."""
    hidden_size: int = Field(96, ge=8)
    """Units of the reader's LSTM in each direction."""


class DetectorConfig(TrainingConfig):
    """Training of the detector."""

    renamed = {
        **TrainingConfig.renamed,
        "images": "samples_per_epoch",
        "real": "real_fraction",
        "size": "image_size",
    }

    samples_per_epoch: int = Field(3000, ge=16)
    """Training views in one epoch: random, augmented crops of photos, new ones in every epoch."""
    real_fraction: float = Field(0.6, ge=0, le=1)
    """Fraction of the views without drawn plates; they are pasted into the others."""
    image_size: int = Field(416, ge=96, le=1024, multiple_of=32)
    """Side in pixels of a training view."""
    epochs: int = Field(12, ge=1)
    """Epochs of `samples_per_epoch` views."""
    batch_size: int = Field(32, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    weight_decay: float = Field(0.02, ge=0)
    """Decoupled weight decay; biases and normalisation weights are excluded."""
    gradient_clip: float = Field(5.0, ge=0)
    """Maximum norm of the gradient; 0 turns clipping off."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the exponential moving average (EMA) of the weights, which is evaluated and kept; 0 turns it off."""
    monitor: Literal["ap", "f1", "recall", "precision", "recall_70", "precision_70"] = "ap"
    """The validation metric that decides which weights are kept; ap is the average precision."""
    direction: Literal["min", "max"] = "max"
    """Whether `monitor` is minimised or maximised."""


class ReaderConfig(TrainingConfig):
    """Training of the reader."""

    minimised = frozenset({"loss", "cer"})
    renamed = {
        **TrainingConfig.renamed,
        "images": "samples_per_epoch",
        "real": "real_fraction",
        "hard": "difficulty",
    }

    samples_per_epoch: int = Field(20000, ge=16)
    """Training plates in one epoch: real or drawn, each augmented anew in every epoch."""
    real_fraction: float = Field(0.5, ge=0, le=1)
    """Fraction of the plates that are real crops, where there are any; the others are drawn."""
    difficulty: float = Field(1.0, ge=0, le=1)
    """How worn, dark, tilted and small the drawn plates are: 0 clean, 1 as bad as in street photos."""
    epochs: int = Field(12, ge=1)
    """Epochs of `samples_per_epoch` plates."""
    batch_size: int = Field(64, ge=1)
    """Items in one forward pass, over all processes."""
    learning_rate: float = Field(2e-3, gt=0)
    """Peak learning rate."""
    gradient_clip: float = Field(5.0, ge=0)
    """Maximum norm of the gradient; 0 turns clipping off."""
    ema_decay: float = Field(0.99, ge=0, lt=1)
    """Decay of the exponential moving average (EMA) of the weights, which is evaluated and kept; 0 turns it off."""
    monitor: Literal["exact", "folded", "cer"] = "exact"
    """The validation metric that decides which weights are kept; cer is the character error rate."""
    direction: Literal["min", "max"] = "max"
    """Whether `monitor` is minimised or maximised."""


class EvaluationConfig(Section):
    """What the evaluation measures in addition to the two networks."""

    renamed = {"baseline": "baseline_size"}

    baseline_size: int = Field(100, ge=0)
    """Number of photos and crops on which the classical pipelines (contours or cascade, then Tesseract) are run as
    well; they are slow. 0: none."""
    country: Country | None = None
    """Two letters (de, br, us ...): disambiguate look-alike characters by this country's formats, as in
    `predict --country`."""


class Config(Section):
    """Number plates: a detector that finds them and a reader that reads them."""

    part: Literal["both", "detector", "reader"] = "both"
    """Which network is trained; the other one keeps its weights."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    detector: DetectorConfig = DetectorConfig()
    reader: ReaderConfig = ReaderConfig()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        return self


class EvaluateOptions(SharedEvaluateOptions):
    """Score a finished run, or the weights that come with the project (--run shipped), on photos or crops."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class ReadingOptions(RunOptions):
    """What predict, the window and the web page have in common."""

    run: str = "shipped"
    """A run's folder or name, or shipped: the weights that come with the project."""
    engine: Literal["ours", "tesseract", "classic"] = "ours"
    """ours: both networks. tesseract: our detector, then Tesseract. classic: the classical pipeline, contours and
    Tesseract."""
    country: Country | None = None
    """Two letters (de, br, us ...): disambiguate 0/O, 1/I, 5/S, 8/B where the country's formats decide."""


class PredictOptions(ReadingOptions):
    """Read the plates on one photo, on every photo of a folder, or in a video."""

    input: list[Path] = Field(min_length=1)
    """Photos, folders or videos."""
    overlay: Path | None = None
    """Folder for pictures with the plates marked; default: `predictions/` in the run."""


class GuiOptions(ReadingOptions):
    """Read plates in a window."""

    input: tuple[Path, ...] = ()
    """Photos, folders or a video to open at once."""


class AppOptions(ReadingOptions):
    """Read plates on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
