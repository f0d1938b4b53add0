"""Every knob of the project, with what it does."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.config import OF_ONE_SOURCE, RunOptions, Section
from shared.training.config import TrainingConfig


class DataConfig(Section):
    """Which prices, and which days are forecast."""

    source: Literal["sample", "csv", "yahoo"] = "sample"
    """sample: an index 1999-2018 that the package `arch` carries. csv: your own file, or a folder of one file a ticker.
    yahoo: daily prices by ticker, downloaded (extra `yahoo`)."""
    root: Annotated[Path | None, OF_ONE_SOURCE] = None
    """csv: the file or folder. yahoo: where downloads are kept (default: data/)."""
    index: Literal["sp500", "nasdaq"] = "sp500"
    """Of the sample."""
    tickers: Annotated[list[str], OF_ONE_SOURCE] = Field([])
    """yahoo: what to download. csv with a folder: which files, by name; all of them if empty."""
    auxiliary_tickers: Annotated[list[str], OF_ONE_SOURCE] = Field([])
    """Tickers that are learned from but not forecast: files of csv's folder, Yahoo's, of the sample nasdaq or sp500."""
    columns: Annotated[dict[str, str], OF_ONE_SOURCE] = Field({})
    """Other names of the columns date, open, high, low, close, volume: `{close: last}`."""
    split: Literal["walk_forward", "all"] = "walk_forward"
    """walk: only days from `test_start` on are forecast, by networks trained on earlier days. all: every day that has
    enough history (evaluation of a finished run on other prices)."""
    start: date | None = None
    """First day that is used."""
    test_start: date = date(2010, 1, 1)
    """First day that is forecast."""
    test_end: date | None = None
    """Last day that is forecast."""
    train_end: date | None = None
    """Last day that is trained on (default: the day before each refit)."""
    level: int = Field(250, ge=20)
    """Days over which the level of volatility is taken, relative to which everything is measured."""


class ModelConfig(Section):
    """The network."""

    window: int = Field(22, ge=2)
    """Days that the network sees."""
    hidden_size: int = Field(16, ge=1)
    """Width of the LSTM."""
    num_layers: int = Field(1, ge=1)
    """LSTMs on top of each other."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout before the last layer."""
    head_init: Literal["random", "zero"] = "random"
    """zero: the last layers start at zero, so that a new network says 'as usual' and must learn to differ from it."""
    ensemble_size: int = Field(3, ge=1)
    """Networks that differ only in their initial weights; their forecasts are averaged."""


class ForecastTraining(TrainingConfig):
    """How the networks are trained."""

    epochs: int = Field(20, ge=1)
    """Passes over the training data."""
    batch_size: int = Field(128, ge=1)
    """Windows in one forward pass, over all processes."""
    learning_rate: float = Field(3e-3, gt=0)
    """Peak learning rate."""
    patience: int = Field(5, ge=0)
    """Stop after this many epochs without a better `monitor`; 0 never stops early."""
    validation: float = Field(0.15, gt=0, lt=0.5)
    """Part of the days before a refit that decides which weights are kept: one month in so many (.15: in 7)."""
    quiet: bool = True
    """No line for each epoch."""


class EvaluationConfig(Section):
    """How the forecasts are scored."""

    refit: Literal["year", "quarter", "never"] = "year"
    """How often everything, networks and baselines, is fitted again on all days before."""
    cost: float = Field(5.0, ge=0)
    """Cost of trading in basis points of what is traded."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % intervals, in blocks of days."""


class Config(Section):
    """Prices, honestly: what an LSTM can forecast and what it cannot."""

    task: Literal["price", "volatility", "interval"] = "volatility"
    """price: the next day's close. volatility: the next day's range. interval: where the next close will lie."""
    tutorial: bool = False
    """With task price: the popular settings, kept as an exhibit of what goes wrong (see README)."""
    loss: Literal["qlike", "mse"] = "qlike"
    """Of the volatility: QLIKE (Patton 2011), or squared error of the logarithm."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: ForecastTraining = ForecastTraining()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source == "csv" and self.data.root is None:
            raise ValueError("data.source is csv: say where it is with --data.root FILE")
        if self.data.source == "sample" and (self.data.root or self.data.tickers or self.data.columns):
            raise ValueError("data.root, data.tickers and data.columns are for other prices; name --data.source csv")
        if self.data.source == "yahoo" and not self.data.tickers:
            raise ValueError("data.source is yahoo: say what with --data.tickers '[SPY]'")
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        if self.tutorial and self.task != "price":
            raise ValueError("tutorial is about the price: set task: price")
        return self


class EvaluateOptions(RunOptions):
    """Score a finished run, on its own test days or on other prices."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """What tomorrow may bring, in a sentence and a picture."""

    input: list[Path] = Field(min_length=1, max_length=1)
    """A .csv file of daily prices, up to today."""
    columns: dict[str, str] = Field({})
    """Other names of the columns date, open, high, low, close, volume: `{close: last}`."""
    picture: Path | None = None
    """Where the fan chart goes; default: `predictions/` in the run."""


class AppOptions(RunOptions):
    """Show a finished run on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""
