"""The predictor: one file with the networks of every refit and everything needed to forecast from daily prices."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from projects.stockprice.calibration import COVERAGES, MIN_DAYS, recalibrated, return_quantiles
from projects.stockprice.config import Config
from projects.stockprice.data import MIN_LEVEL_DAYS, Series, Windows
from projects.stockprice.model import Ensemble
from projects.stockprice.tutorial import Tutorial
from shared.evaluation.inference import predict
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select


@dataclass
class Prediction:
    """The forecast for one ticker."""

    name: str
    day: str
    """The last day of the file; the forecast is for the next trading day."""
    close: float
    """Close of that day."""
    volatility: float
    """Forecast volatility of the next day, annualised."""
    mean_volatility: float
    """Mean volatility of the last year, annualised."""
    close_to_close: float
    """Standard deviation of the last year's daily returns, annualised: with the moves between close and open."""
    intervals: dict[str, list[float]]
    """Prediction intervals of the next close: `{"90": [low, high], ...}`."""

    def __str__(self) -> str:
        low, high = self.intervals["90"]
        ratio = self.volatility / self.mean_volatility
        compared = "above" if ratio > 1.1 else "below" if ratio < 0.9 else "close to"
        return (
            f"{self.name}, next trading day after {self.day} (close {amount(self.close)}): 90 % interval of the close "
            f"{amount(low)} to {amount(high)}; annual volatility {self.volatility:.0%} within the day, {compared} the "
            f"mean of the last year ({self.mean_volatility:.0%}; from close to close {self.close_to_close:.0%}). "
            "The direction is not predictable. Not investment advice."
        )


def amount(price: float) -> str:
    """A price with at least two decimals and five digits: 1234.50, 1.1037, 0.0000066246."""
    return f"{price:.{max(2, 4 - math.floor(math.log10(price))) if price < 10 else 2}f}"


@dataclass
class FittedEnsemble:
    """The networks of one refit."""

    since: np.datetime64
    """The first day that they forecast."""
    networks: Ensemble


@dataclass
class Predictor:
    """The ensembles of every refit, in order, and the settings they were trained with.

    predictor = Predictor.load(Path("runs/stockprice/.../model.safetensors"))
    print(predictor("SPY", read_prices(Path("SPY.csv"))))
    """

    config: Config
    refits: list[FittedEnsemble]
    tutorial: Tutorial | None = None

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors: dict[str, Tensor] = {}
        for number, refit in enumerate(self.refits):
            tensors |= {f"{number}.network.{name}": value for name, value in refit.networks.state_dict().items()}
        if self.tutorial is not None:
            tensors |= {f"tutorial.{name}": value for name, value in self.tutorial.state_dict().items()}
        about = {
            "project": "stockprice",
            "config": self.config.model_dump(mode="json"),
            "since": [str(refit.since) for refit in self.refits],
        }
        save_model(path, tensors, about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "stockprice")
        config = saved_settings(Config, about["config"], path)
        refits = []
        for number, since in enumerate(about["since"]):
            networks = Ensemble(config.model)
            load_network(networks, select(tensors, f"{number}.network."), path)
            refits.append(FittedEnsemble(np.datetime64(since), networks))
        tutorial = None
        if config.tutorial:
            tutorial = Tutorial()
            load_network(tutorial, select(tensors, "tutorial."), path)
        return cls(config, refits, tutorial)

    def require_volatility(self) -> None:
        """Raise ValueError if this is a predictor of prices, which has no intervals."""
        if self.config.task == "price":
            raise ValueError(
                "this run forecasts prices, which are not predictable; use a run with --task volatility or interval"
            )

    def prepare(self, name: str, frame: pd.DataFrame) -> Series:
        """Daily prices up to the last close -> the input of the networks. Raises ValueError if they are too few."""
        model = self.config.model
        needed = min(MIN_LEVEL_DAYS, model.volatility_window) + model.window + 2 * MIN_DAYS  # level, input, calibration
        if len(frame) < needed:
            raise ValueError(f"{name} is too short: {len(frame)} days, but at least {needed} are needed")
        if self.config.data.variance == "returns":
            frame = frame[["close"]]
        elif "high" not in frame:
            raise ValueError(
                f"{name} has no high and low, which this run needs; one trained with --data.variance returns does not"
            )
        return Series.from_prices(name, frame, model.volatility_window)

    def __call__(self, name: str, frame: pd.DataFrame) -> Prediction:
        """Daily prices up to the last close -> volatility and intervals of the next day, by the newest networks."""
        self.require_volatility()
        series = self.prepare(name, frame)
        last = np.array([len(series.days) - 1])
        quantiles = series.close[-1] * np.exp(self.quantiles(series, last, latest=True)[0])
        year = series.days_per_year
        return Prediction(
            name=name,
            day=str(series.days[-1]),
            close=float(series.close[-1]),
            volatility=float(np.sqrt(year * self.forecast(series, last, latest=True)[0])),
            mean_volatility=float(np.sqrt(year * series.variance[-year:].mean())),
            close_to_close=float(np.sqrt(year) * series.returns[-year:].std()),
            intervals={
                name: [float(quantiles[low]), float(quantiles[high])] for name, (low, high) in COVERAGES.items()
            },
        )

    def forecast(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Forecasts for day t + 1 from every origin t, (N,): its variance, or with task price its return.

        Each day is forecast by the last refit before it; with `latest`, by the newest one. NaN without enough history.
        """
        if self.config.task != "price":
            return self._variance(series, latest)[origins]
        return self._outputs(series, origins, latest).mean(axis=1) * np.exp(series.level[origins] / 2)

    def quantiles(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Quantiles of the return of day t + 1 from every origin t, (N, 6) in the order of QUANTILES.

        NaN where there is too little history.
        """
        return return_quantiles(self._variance(series, latest), series.next_return)[origins]

    def refit_numbers(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Number of the refit whose networks forecast day t + 1, (N,)."""
        if latest:
            return np.full(len(origins), len(self.refits) - 1)
        days = series.days[np.minimum(origins + 1, len(series.days) - 1)]
        since = np.array([refit.since for refit in self.refits])
        return np.maximum(np.searchsorted(since, days, side="right") - 1, 0)

    def _variance(self, series: Series, latest: bool) -> np.ndarray:
        """Recalibrated forecasts from every day of a series, (T,)."""
        forecasts = np.full(len(series.days), np.nan)
        origins = np.arange(series.first_origin(self.config.model.window), len(series.days))
        relative = np.exp(self._outputs(series, origins, latest)).mean(axis=1)
        forecasts[origins] = relative * np.exp(series.level[origins])
        return recalibrated(forecasts, series.next_variance)

    def _outputs(self, series: Series, origins: np.ndarray, latest: bool) -> np.ndarray:
        """The outputs of the networks of the refit that forecasts each origin, (N, E)."""
        positions = np.stack([np.zeros(len(origins), int), origins], axis=1)
        outputs = np.empty((len(origins), self.config.model.ensemble_size))
        numbers = self.refit_numbers(series, origins, latest)
        for number in np.unique(numbers):
            rows = numbers == number
            windows = Windows([series], positions[rows], self.config.model.window, target=None)
            networks = self.refits[number].networks
            outputs[rows] = predict(networks, windows, lambda batch: batch[0], 4096, precision="fp32").double()
        return outputs
