"""Every setting of the project, with what it does."""

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shared.config import EvaluateOptions as SharedEvaluateOptions
from shared.config import RunOptions, Section
from shared.data.config import TableFormat
from shared.training.config import TrainingConfig

PRICES = ("open", "high", "low", "close")


class PriceTable(TableFormat):
    """How a file of prices is read."""

    columns: dict[str, str] = Field({})
    """Names of the columns date, open, high, low, close, volume, ticker, where they are unusual: `{close: last}`."""
    tickers: list[str] = Field([])
    """Which tickers are read, by the names of their files or in a table of several; all of them if empty. yahoo: the
    tickers to download."""
    start: date | None = None
    """First day that is used; earlier prices are ignored."""
    end: date | None = None
    """Last day that is used; later prices are ignored."""
    bars: Literal["as-they-are", "day"] = "as-they-are"
    """day: intraday bars are aggregated to days."""
    inputs: list[str] = Field([])
    """More input of the network: columns of the table (`volume`), or tickers of the folder, as `vix`, whose last close
    is used."""
    splits: Literal["refuse", "adjust", "keep"] = "refuse"
    """Changes overnight that look like a stock split. adjust: divide the prices before it. keep: take it for a move."""
    damaged: Literal["auto", "leave-out", "keep"] = "auto"
    """Implausible days. auto: single bad ticks and an unfinished last day are left out and named, other kinds are
    refused. leave-out: all of them are left out and named. keep: they are used, except prices of zero or less."""


class DataConfig(PriceTable):
    """Which prices, and which days are forecast."""

    renamed = {
        "also": "auxiliary_tickers",
        "test_from": "test_start",
        "test_until": "test_end",
        "train_until": "training.train_end",
        "level": "model.volatility_window",
    }

    source: Literal["sample", "csv", "yahoo"] = "sample"
    """sample: a stock index, 1999-2018, which comes with the package `arch`. csv: your own file, or a folder with one
    file per ticker. yahoo: daily prices by ticker, downloaded (extra `yahoo`)."""
    root: Path | None = None
    """csv: the file or folder. yahoo: where downloads are kept (default: data/)."""
    index: Literal["sp500", "nasdaq"] = "sp500"
    """sample: which index is forecast."""
    auxiliary_tickers: list[str] = Field([])
    """Tickers used for training but not forecast: files of csv's folder, Yahoo's, or the sample's sp500 or nasdaq."""
    variance: Literal["auto", "range", "returns"] = "auto"
    """How the variance of a day is measured. range: from its high and low. returns: by its squared return, which needs
    closes only and is noisier. auto: range; with task price, returns where there are only closes."""
    split: Literal["walk_forward", "all"] = "walk_forward"
    """walk_forward: the days from `test_start` on are test days, each forecast by networks trained on earlier days.
    all: every day with enough history is a test day (evaluation only)."""
    test_start: date | None = None
    """First test day (default: the last fifth of the days; for sample 2010-01-01)."""
    test_end: date | None = None
    """Last test day (default: the last day of the data)."""

    @model_validator(mode="after")
    def _has_a_place(self) -> "DataConfig":
        if self.source == "csv" and self.root is None:
            raise ValueError("data.source csv needs a file or folder: --data.root FILE")
        return self


class ModelConfig(Section):
    """The network and its input."""

    renamed = {"size": "hidden_size", "layers": "num_layers", "seeds": "ensemble_size", "start": "head_init"}

    features: list[Literal["price", "range", "calendar", "quarters", "market"]] = Field(["price"])
    """Groups of input features. price: returns and the range of each day. range: other measures of variance from open,
    high, low and close, and the return overnight. calendar: weekday and holidays of the next day. quarters: the
    same weekday one to four quarters ago, when earnings were announced. market: means over all tickers, where there
    are five or more."""
    window: int = Field(22, ge=2)
    """Length of the LSTM's input sequence in trading days."""
    spans: list[int] = Field([1, 5, 22], min_length=1)
    """Days over which the linear part averages the features."""
    horizons: list[int] = Field([1], min_length=1)
    """Days ahead that are forecast; the first is 1. predict --horizon draws any number up to the last."""
    volatility_window: int = Field(250, ge=20)
    """Trading days over which log variance is averaged; inputs and targets are measured relative to this mean."""
    hidden_size: int = Field(16, ge=1)
    """Width of the LSTM's hidden state."""
    head_size: int = Field(0, ge=0)
    """Width of a hidden layer between the LSTM's state, together with the means, and the forecast; 0: none."""
    num_layers: int = Field(1, ge=1)
    """Number of stacked LSTM layers."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout before the output layer."""
    head_init: Literal["random", "zero", "least-squares"] = "random"
    """Initial weights of the output layers. zero: an untrained network forecasts the mean of the volatility window.
    least-squares: that of the linear part is a regression, from which training goes on."""
    ensemble_size: int = Field(3, ge=1)
    """Networks that differ only in their initial weights; their forecasts are averaged."""
    recalibration: float = Field(1.0, ge=0, le=1)
    """Forecasts are rescaled daily by the mean ratio of realised to predicted variance over the last 500 days, to this
    power; 0: not at all."""

    @property
    def length(self) -> int:
        """Days of input that a forecast needs."""
        return max(self.window, *self.spans)

    @field_validator("features")
    @classmethod
    def _with_prices(cls, features: list[str]) -> list[str]:
        if "price" not in features:
            raise ValueError("needs price: [price, range]")
        return features

    @field_validator("horizons", "spans")
    @classmethod
    def _ascending(cls, days: list[int]) -> list[int]:
        if days[0] < 1 or days != sorted(set(days)):
            raise ValueError("must be positive and ascending")
        return days

    @field_validator("horizons")
    @classmethod
    def _from_one(cls, days: list[int]) -> list[int]:
        if days[0] != 1:
            raise ValueError("must begin with 1, the next day")
        return days


class ForecastTraining(TrainingConfig):
    """How the networks are trained."""

    refit: Literal["year", "quarter", "never"] = "year"
    """Walk-forward validation: how often networks and baselines are refitted on all earlier days."""
    train_end: date | None = None
    """Last day of the training data (default: the day before each refit)."""
    epochs: int = Field(20, ge=1)
    """Passes over the training set."""
    batch_size: int = Field(128, ge=1)
    """Windows in one forward pass, over all processes."""
    learning_rate: float = Field(3e-3, gt=0)
    """Peak learning rate."""
    patience: int = Field(5, ge=0)
    """Early stopping: training ends after this many epochs without a better `monitor`; 0 turns it off."""
    validation: float = Field(0.15, gt=0, lt=0.5)
    """Fraction of the days before a refit in the validation set, in blocks of a month or, if longer, three times the
    longest of `model.horizons`: every seventh with .15."""
    ablation: bool = False
    """Also train the linear part of the network alone: a baseline that shows what the LSTM adds."""
    quiet: bool = True
    """Print no line per epoch."""


class EvaluationConfig(Section):
    """How the forecasts are scored."""

    renamed = {"refit": "training.refit", "cost": "trading_cost_bp"}

    trading_cost_bp: float = Field(5.0, ge=0)
    """Backtest: trading costs in basis points of the traded amount."""
    ticker: str | None = None
    """Whose figures are in the report (default: the first ticker)."""
    bootstrap: int = Field(1000, ge=100)
    """Resamples of the 95 % confidence intervals (block bootstrap over days)."""


class Config(Section):
    """Daily prices: what an LSTM can and cannot forecast."""

    task: Literal["price", "volatility", "interval"] = "volatility"
    """What is forecast for the next day. price: its close. volatility: its variance. interval: quantiles of its
    return."""
    tutorial: bool = False
    """With task price: also train the LSTM of the popular tutorials, as an example of data leakage (see README)."""
    loss: Literal["qlike", "mse"] = "qlike"
    """Training loss for volatility and interval: QLIKE (Patton 2011), or squared error of the log variance."""
    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: ForecastTraining = ForecastTraining()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _possible(self) -> "Config":
        if self.data.source == "sample" and (self.data.root or self.data.tickers or self.data.columns):
            raise ValueError("data.root, data.tickers and data.columns need --data.source csv")
        if self.data.source == "yahoo" and not self.data.tickers:
            raise ValueError("data.source yahoo needs tickers: --data.tickers '[SPY]'")
        if self.data.split == "all":
            raise ValueError("data.split all leaves nothing to train on; it is for evaluate")
        if self.tutorial and self.task != "price":
            raise ValueError("tutorial forecasts prices: set task: price")
        if self.task == "price" and self.model.horizons != [1]:
            raise ValueError(
                "task price forecasts the next day only; model.horizons need --task volatility or interval"
            )
        return self


class EvaluateOptions(SharedEvaluateOptions):
    """Score a finished run on its own test days, or on any other prices."""

    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()


class PredictOptions(RunOptions):
    """Forecast volatility and intervals of the next trading day."""

    renamed = {"columns": "data.columns"}

    input: list[Path] = Field(min_length=1, max_length=1)
    """A file of daily prices, up to the last close."""
    data: PriceTable = PriceTable()
    horizon: int = Field(1, ge=1)
    """How many days ahead, for runs with `model.horizons`, as the one that comes with the project."""
    picture: Path | None = None
    """File for the fan chart; default: `predictions/` in the run."""
