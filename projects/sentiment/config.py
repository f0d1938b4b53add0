"""Every knob of the project, with what it does."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config import OF_ONE_SOURCE, RunOptions, Section
from shared.training.config import TrainingConfig


class DataConfig(Section):
    """Which texts, and how they are divided."""

    source: Literal["sample", "imdb", "sst2", "csv"] = "sample"
    """sample: reviews composed by code. imdb, sst2: the public sets, downloaded. csv: your own table of texts."""
    root: Annotated[Path | None, OF_ONE_SOURCE] = None
    """csv: the .csv or .tsv file, plain or gzipped. imdb, sst2: a folder or archive in the official layout. Else where
    to keep what is composed or downloaded (default: data/)."""
    split: Literal["auto", "given", "random", "product", "test", "all"] = "auto"
    """given: the official parts, or the column `split`. random: text by text. product: all texts about one product stay
    together. auto: the first of given (parts train and test), product (20 or more), random that the data allow. For
    evaluation only: test (the official test part) and all (every text)."""
    validation: float = Field(0.1, gt=0, lt=0.5)
    """Part of the texts that decides which weights are kept."""
    test: float = Field(0.2, gt=0, lt=0.5)
    """Part of the texts that is looked at once, at the end."""
    text: str | None = None
    """Column of the text; found by itself under its usual names (text, sentence, review ...)."""
    title: str | None = None
    """Column of a headline that is put before the text."""
    label: str | None = None
    """Column of the label; found by itself under its usual names (label, sentiment, polarity ...)."""
    stars: str | None = None
    """Column of stars, read where there is no label; `star_labels` says what they mean."""
    star_labels: dict[str, list[float]] = Field({"negative": [1, 2], "positive": [4, 5]})
    """Class of each number of stars; texts with other numbers are left out and counted."""
    class_names: list[str] = Field(["negative", "positive"])
    """Names of the classes where the labels are the numbers 0, 1, ..."""
    product: str | None = None
    """Column of what the text is about; found by itself."""
    aspect: str | None = None
    """Column of the aspect that is judged; in the text it stands where `$T$` is."""
    encoding: str = "utf-8"
    """Encoding of the table."""
    max_overlap: float = Field(0.5, gt=0, le=1)
    """A training text is left out if so large a part of its five-word runs occurs in one held-back text."""
    sample_size: int = Field(5000, ge=200)
    """How many reviews the sample has."""
    seed: int = Field(0, ge=0)
    """Decides the split and the sample."""

    @model_validator(mode="after")
    def _possible(self) -> "DataConfig":
        if self.label and self.stars:
            raise ValueError("label and stars name two columns for one thing; take one")
        if len(self.class_names) < 2 or len(self.star_labels) < 2:
            raise ValueError("names and star_labels must name at least two classes")
        graded = [number for numbers in self.star_labels.values() for number in numbers]
        if len(graded) > len(set(graded)):
            raise ValueError("star_labels must give every number of stars to one class")
        return self


class ModelConfig(Section):
    """The network."""

    name: Literal["bilstm", "cnn", "transformer"] = "bilstm"
    """bilstm: a recurrent network read in both directions. cnn: Kim 2014. transformer: a small pretrained encoder."""
    pretrained: str = "minilm"
    """The pretrained encoder: a name on the Hugging Face hub, a folder, or minilm (which the extra `text` brings)."""
    frozen_layers: int = Field(0, ge=0)
    """transformer: so many of the lowest layers, and the embedding, stay as they are."""
    word_vectors: str = "none"
    """bilstm, cnn: none (random), glove (those that the extra `text` brings), a GloVe text file, an .npy array
    (V, E) with its words in a .txt of the same name, or encoder (what `pretrained` makes of each word alone)."""
    vocab_size: int = Field(30000, ge=100)
    """bilstm, cnn: how many words are known at most."""
    min_count: int = Field(2, ge=1)
    """bilstm, cnn: rarer words are not known."""
    embedding_dim: int = Field(100, ge=4)
    """bilstm, cnn: numbers for each word; GloVe vectors bring their own."""
    size: int = Field(128, ge=4)
    """bilstm: width of each direction. cnn: filters of each width."""
    pooling: Literal["max", "mean", "attention"] = "max"
    """bilstm, transformer: how the states of all words become one."""
    max_tokens: int = Field(256, ge=8)
    """Longer texts lose their middle: a quarter of the tokens is kept from the beginning, the rest from the end."""
    dropout: float = Field(0.4, ge=0, lt=1)
    """Dropout before the last layer, and of the word vectors."""
    word_dropout: float = Field(0.0, ge=0, lt=1)
    """Part of the words of a training text that is hidden."""


class SentimentTraining(TrainingConfig):
    """How the network is trained."""

    epochs: int = Field(6, ge=1)
    """Passes over the training data."""
    encoder_lr_factor: float = Field(1.0, gt=0)
    """Learning rate of the pretrained part as a part of the rest's."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Part of the target spread over all classes (Szegedy et al. 2016)."""
    monitor: Literal["accuracy", "macro_f1", "loss", "ece"] = "accuracy"
    """The number of the validation that decides which weights are kept."""
    direction: Literal["min", "max"] = "max"
    """Whether a better `monitor` is smaller or larger."""


class EvaluationConfig(Section):
    """What the evaluation measures beside accuracy and F1."""

    checklist: bool = True
    """Ask the network small made-up questions: is a negation understood, does a typo or a name change the answer?"""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % interval."""


class Config(Section):
    """What users say about products and services."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: SentimentTraining = SentimentTraining()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source == "csv" and self.data.root is None:
            raise ValueError("data.source is csv: say where it is with --data.root FILE")
        if self.data.split in ("all", "test"):
            raise ValueError(f"data.split {self.data.split} leaves nothing to train on; it is for evaluate")
        if self.model.name == "transformer" and self.model.word_vectors != "none":
            raise ValueError("model.word_vectors is for bilstm and cnn; a transformer brings its own")
        if self.model.name != "transformer" and self.model.frozen_layers:
            raise ValueError("model.frozen_layers is for the transformer")
        return self


class EvaluateOptions(RunOptions):
    """Score a finished run, on its own test texts or on any others with the same labels."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """Say whether a text is positive, and which words say so."""

    input: list[str] = Field(min_length=1)
    """A text in quotes, or .csv, .tsv or .txt files."""
    text: str | None = None
    """Column of the text; found by itself under its usual names."""
    title: str | None = None
    """Column of a headline that is put before the text; that of the training where the table has it."""
    encoding: str = "utf-8"
    """Encoding of the files."""
    explain: int = Field(20, ge=0)
    """For so many texts the words that attributions the answer are computed and shown on a page."""


class ReportOptions(RunOptions):
    """A page for the shop: what customers like and dislike, product by product, and how sure that is."""

    input: list[Path] = Field(min_length=1, max_length=1)
    """A .csv or .tsv file of reviews."""
    text: str | None = None
    """Column of the text; found by itself under its usual names."""
    title: str | None = None
    """Column of a headline that is put before the text; that of the training where the table has it."""
    product: str | None = None
    """Column of the product; found by itself."""
    date: str | None = None
    """Column of the day; found by itself."""
    encoding: str = "utf-8"
    """Encoding of the file."""
    aspects: str | None = None
    """A run that was trained on aspects (aspects.yaml); it then judges what is said of each product feature."""
    features: int = Field(15, ge=1)
    """How many product features to list."""
    output: Path | None = None
    """The page; default: `reviews.html` in the run."""


class AppOptions(RunOptions):
    """Show a finished run on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
