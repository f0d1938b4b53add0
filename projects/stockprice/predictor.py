"""The predictor: one file with the networks of every refit and everything needed to forecast from daily prices."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from projects.stockprice.calibration import COVERAGES, MIN_DAYS, recalibrated, return_quantiles
from projects.stockprice.cleaning import after_gap
from projects.stockprice.config import Config
from projects.stockprice.data import Windows, prepared, refit_numbers
from projects.stockprice.model import Ensemble
from projects.stockprice.series import MIN_LEVEL_DAYS, Series
from projects.stockprice.tutorial import Tutorial
from shared.compute.device import threads
from shared.evaluation.inference import predict
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select

PARTS = ("networks", "linear")
"""What is saved of each refit."""


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
    ahead: list[dict[str, Any]] = field(default_factory=list)
    """For each of the next days: `days` from now, `volatility` until then (annualised) and `intervals` of its close."""

    def __str__(self) -> str:
        low, high = self.intervals["90"]
        ratio = self.volatility / self.mean_volatility
        compared = "above" if ratio > 1.1 else "below" if ratio < 0.9 else "close to"
        return (
            f"{self.name}, next trading day after {self.day} (close {amount(self.close)}): 90 % interval of the close "
            f"{amount(low)} to {amount(high)}; annual volatility {self.volatility:.0%} within the day, {compared} the "
            f"mean of the last year ({self.mean_volatility:.0%}; from close to close {self.close_to_close:.0%}). "
            f"{self._until()}The direction is not predictable. Not investment advice."
        )

    def _until(self) -> str:
        """The furthest horizon in a sentence."""
        if len(self.ahead) < 2:
            return ""
        last = self.ahead[-1]
        low, high = last["intervals"]["90"]
        return (
            f"In {last['days']} trading days: 90 % interval {amount(low)} to {amount(high)}, annual volatility until "
            f"then {last['volatility']:.0%}. "
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
    linear: Ensemble | None = None
    """The linear part alone, trained in the same way (`training.ablation`)."""


def ensembles(config: Config) -> tuple[Ensemble, Ensemble | None]:
    """Untrained networks of these settings, and with `training.ablation` their linear part alone."""
    inputs = len(config.data.inputs)
    linear = Ensemble(config.model, inputs, recurrent=False) if config.training.ablation else None
    return Ensemble(config.model, inputs), linear


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
            for part in PARTS if refit.linear else PARTS[:1]:
                state = getattr(refit, part).state_dict()
                tensors |= {f"{number}.{part}.{name}": value for name, value in state.items()}
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
            fitted = FittedEnsemble(np.datetime64(since), *ensembles(config))
            for part in PARTS if fitted.linear else PARTS[:1]:
                load_network(getattr(fitted, part), select(tensors, f"{number}.{part}."), path)
            refits.append(fitted)
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
        model, data = self.config.model, self.config.data
        calibration = 2 * (MIN_DAYS + model.horizons[-1] - 1)
        needed = min(MIN_LEVEL_DAYS, model.volatility_window) + model.length + calibration
        if len(frame) < needed:
            raise ValueError(f"{name} is too short: {len(frame)} days, but at least {needed} are needed")
        days = frame.index.to_numpy().astype("datetime64[D]")
        if (gaps := after_gap(days)[-model.length :]).any():
            raise ValueError(
                f"{name} has a gap before {days[-model.length :][gaps][-1]}; a forecast needs {model.length} days after"
            )
        if data.variance == "returns":
            frame = frame[["close", *data.inputs]]
        elif "high" not in frame:
            raise ValueError(
                f"{name} has no high and low, which this run needs; one trained with --data.variance returns does not"
            )
        return prepared(name, frame, model, data)

    def __call__(self, name: str, frame: pd.DataFrame, horizon: int = 1) -> Prediction:
        """Daily prices up to the last close -> volatility and intervals of the next days, by the newest networks.

        Raises ValueError where the networks do not forecast so many days.
        """
        self.require_volatility()
        self.require_horizon(horizon)
        series = self.prepare(name, frame)
        close, year = series.close[-1], series.days_per_year
        term, quantiles = self.term_structure(series, horizon)
        quantiles = close * np.exp(quantiles)
        return Prediction(
            name=name,
            day=str(series.days[-1]),
            close=float(close),
            volatility=float(np.sqrt(year * term[0])),
            mean_volatility=float(np.sqrt(year * series.variance[-year:].mean())),
            close_to_close=float(np.sqrt(year) * series.returns[-year:].std()),
            intervals=intervals(quantiles[0]),
            ahead=[
                {"days": days, "volatility": float(np.sqrt(year * variance)), "intervals": intervals(values)}
                for days, (variance, values) in enumerate(zip(term, quantiles), 1)
            ],
        )

    def require_horizon(self, horizon: int) -> None:
        """Raise ValueError if the networks do not forecast so many days."""
        if not 1 <= horizon <= self.config.model.horizons[-1]:
            raise ValueError(
                f"this run forecasts 1 to {self.config.model.horizons[-1]} days ahead, not {horizon}; "
                "model.horizons of a training sets them, as in global.yaml"
            )

    def returns(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """With task price: the return of day t + 1 from every origin t, (N,), forecast by the last refit before it;
        with `latest`, by the newest one."""
        outputs = self._outputs(series, origins, latest, "networks")[..., 0]
        return outputs.mean(axis=1) * np.exp(series.level[origins] / 2)

    def forecast(self, series: Series, origins: np.ndarray, latest: bool = False, part: str = "networks") -> np.ndarray:
        """The variance of day t + 1 from every origin t, (N,). NaN without enough history.

        part: `networks`, or `linear` for the linear part alone.
        """
        return self.calibrated(self.raw_variances(series, latest, part), series)[origins]

    def quantiles(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Quantiles of the return of day t + 1 from every origin t, (N, 6) in the order of QUANTILES.

        NaN where there is too little history.
        """
        return self.quantiles_ahead(self.raw_variances(series, latest), series)[origins]

    def quantiles_ahead(self, raw: np.ndarray, series: Series, number: int = 0) -> np.ndarray:
        """Quantiles of the return up to one of the horizons, (T, 6). raw: see `raw_variances`."""
        days = self.config.model.horizons[number]
        return return_quantiles(days * self.calibrated(raw, series, number), series.next_return(days), days)

    def calibrated(self, raw: np.ndarray, series: Series, number: int = 0) -> np.ndarray:
        """Mean variance up to one of the horizons, forecast from every day, (T,). raw: see `raw_variances`."""
        days = self.config.model.horizons[number]
        return recalibrated(raw[:, number], series.next_variance(days), self.config.model.recalibration, days)

    def term_structure(self, series: Series, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """From the last day of a series, for each of the next days: mean variance until then, (D,), and quantiles of
        the return, (D, 6). Between the networks' horizons, variances and standardised quantiles are interpolated."""
        raw, horizons = self.raw_variances(series, latest=True), self.config.model.horizons
        known = [self.calibrated(raw, series, number)[-1] for number in range(len(horizons))]
        scaled = [
            self.quantiles_ahead(raw, series, number)[-1] / np.sqrt(days * variance)
            for number, (days, variance) in enumerate(zip(horizons, known))
        ]
        days, at = np.arange(1, horizon + 1), np.log(horizons)
        variances = np.exp(np.interp(np.log(days), at, np.log(known)))
        standardised = np.stack([np.interp(np.log(days), at, column) for column in np.transpose(scaled)], axis=1)
        return variances, standardised * np.sqrt(days * variances)[:, None]

    def refit_numbers(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Number of the refit whose networks forecast day t + 1, (N,)."""
        if latest:
            return np.full(len(origins), len(self.refits) - 1)
        return refit_numbers(series, origins, [refit.since for refit in self.refits])

    def raw_variances(self, series: Series, latest: bool, part: str = "networks") -> np.ndarray:
        """Mean variance over each horizon, forecast from every day of a series and not calibrated yet, (T, K)."""
        forecasts = np.full((len(series.days), len(self.config.model.horizons)), np.nan)
        origins = series.origins(self.config.model.length)
        if not len(origins):
            return forecasts
        relative = np.exp(self._outputs(series, origins, latest, part)).mean(axis=1)
        forecasts[origins] = relative * np.exp(series.level[origins])[:, None]
        return forecasts

    def _outputs(self, series: Series, origins: np.ndarray, latest: bool, part: str) -> np.ndarray:
        """The outputs of the networks of the refit that forecasts each origin, (N, E, K)."""
        positions = np.stack([np.zeros(len(origins), int), origins], axis=1)
        numbers = self.refit_numbers(series, origins, latest)
        outputs: np.ndarray | None = None
        for number in np.unique(numbers):
            rows = numbers == number
            windows = Windows([series], positions[rows], self.config.model.length, target=None)
            networks = getattr(self.refits[number], part)
            with threads(1):
                found = predict(networks, windows, batch_size=4096, precision="fp32").double().numpy()
            outputs = np.empty((len(origins), *found.shape[1:])) if outputs is None else outputs
            outputs[rows] = found
        assert outputs is not None  # there is at least one origin
        return outputs


def intervals(quantiles: np.ndarray) -> dict[str, list[float]]:
    """Quantiles (6,) -> `{"90": [low, high], ...}`."""
    return {name: [float(quantiles[low]), float(quantiles[high])] for name, (low, high) in COVERAGES.items()}
