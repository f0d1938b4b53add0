"""A finished model: one file with the networks of every refit and what turns their numbers into forecasts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from projects.stockprice.config import Config
from projects.stockprice.data import QUANTILES, PriceData, Refit, Series, Windows
from projects.stockprice.model import Forecasters
from projects.stockprice.tutorial import Tutorial
from shared.evaluation.predict import predict
from shared.training.checkpoint import load_model, save_model, select


@dataclass
class Fitted:
    """What one refit made: networks, and how their numbers lay beside what came."""

    since: np.datetime64
    networks: Forecasters
    scale: Tensor
    """Mean of actual variance over forecast variance on the validation days, where the loss does not see to that."""
    quantiles: Tensor
    """Of the next return in units of the forecast deviation, on the validation days: one for each of QUANTILES."""


@dataclass
class FinishedModel:
    """The networks of every refit, in order, and the settings they were trained with."""

    config: Config
    fitted: list[Fitted]
    tutorial: Tutorial | None = None

    @classmethod
    def finish(cls, networks: Forecasters, refit: Refit, data: PriceData, config: Config) -> Fitted:
        """Measure on the validation days of a refit what turns outputs into variances and intervals."""
        fitted = Fitted(refit.since, networks.cpu().eval(), torch.ones(()), torch.zeros(len(QUANTILES)))
        if config.task != "price":
            validation = data.windows("variance", refit, "validation", config.training.validation)
            forecasts, actual, returns = [], [], []
            for number, series in enumerate(data.series):
                origins = validation.places[validation.places[:, 0] == number, 1]
                forecasts.append(_variance(fitted, series, origins, config.model.window))
                actual.append(series.variance[origins + 1])
                returns.append(series.returns[origins + 1])
            forecast = np.concatenate(forecasts)
            if config.loss == "mse":
                fitted.scale = torch.tensor(float(np.mean(np.concatenate(actual) / forecast)))
            deviation = np.sqrt(forecast * float(fitted.scale))
            relative = np.quantile(np.concatenate(returns) / deviation, QUANTILES)
            fitted.quantiles = torch.from_numpy(relative).float()
        return fitted

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors: dict[str, Tensor] = {}
        for number, fitted in enumerate(self.fitted):
            tensors |= {f"{number}.network.{name}": value for name, value in fitted.networks.state_dict().items()}
            tensors |= {f"{number}.scale": fitted.scale, f"{number}.quantiles": fitted.quantiles}
        if self.tutorial is not None:
            tensors |= {f"tutorial.{name}": value for name, value in self.tutorial.state_dict().items()}
        about = {
            "project": "stockprice",
            "config": self.config.model_dump(mode="json"),
            "since": [str(fitted.since) for fitted in self.fitted],
        }
        save_model(path, tensors, about)

    @classmethod
    def load(cls, path: Path) -> "FinishedModel":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        if not path.is_file():
            raise FileNotFoundError(f"there is no model file {path}")
        tensors, about = load_model(path)
        config = Config.model_validate(about["config"])
        fitted = []
        for number, since in enumerate(about["since"]):
            networks = Forecasters(config.model)
            networks.load_state_dict(select(tensors, f"{number}.network."))
            fitted.append(
                Fitted(
                    np.datetime64(since), networks.eval(), tensors[f"{number}.scale"], tensors[f"{number}.quantiles"]
                )
            )
        tutorial = None
        if config.tutorial:
            tutorial = Tutorial()
            tutorial.load_state_dict(select(tensors, "tutorial."))
        return cls(config, fitted, tutorial)

    def forecast(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Forecast of day t + 1 from every origin t (N,): its variance, or its return if the task is price.

        Each by the networks that were fitted last before that day; with `latest`, by the newest ones.
        """
        result = np.empty(len(origins))
        for fitted, rows in self._by_refit(series, origins, latest):
            if self.config.task == "price":
                unit = np.exp(series.level[origins[rows]] / 2)
                result[rows] = _outputs(fitted, series, origins[rows], self.config.model.window).mean(axis=1) * unit
            else:
                result[rows] = _variance(fitted, series, origins[rows], self.config.model.window)
        return result

    def quantiles(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Quantiles of the return of day t + 1 from every origin, (N, 6), in the order of QUANTILES."""
        deviation = np.sqrt(self.forecast(series, origins, latest))
        result = np.empty((len(origins), len(QUANTILES)))
        for fitted, rows in self._by_refit(series, origins, latest):
            result[rows] = deviation[rows, None] * fitted.quantiles.numpy()
        return result

    def _by_refit(self, series: Series, origins: np.ndarray, latest: bool) -> list[tuple[Fitted, np.ndarray]]:
        """The networks to ask, and the numbers of the origins to ask them for."""
        if latest:
            return [(self.fitted[-1], np.arange(len(origins)))]
        days = series.days[np.minimum(origins + 1, len(series.days) - 1)]
        since = np.array([fitted.since for fitted in self.fitted])
        which = np.maximum(np.searchsorted(since, days, side="right") - 1, 0)
        return [(fitted, np.flatnonzero(which == n)) for n, fitted in enumerate(self.fitted) if (which == n).any()]


def _outputs(fitted: Fitted, series: Series, origins: np.ndarray, window: int) -> np.ndarray:
    """What every network says, (N, S)."""
    places = np.stack([np.zeros(len(origins), int), origins], axis=1)
    # of the last day of all the target is not known; it is not asked for
    windows = Windows([series], places, window, None)
    return predict(fitted.networks, windows, lambda batch: batch[0], 4096, precision="fp32").double().numpy()


def _variance(fitted: Fitted, series: Series, origins: np.ndarray, window: int) -> np.ndarray:
    relative = np.exp(_outputs(fitted, series, origins, window)).mean(axis=1)
    return relative * np.exp(series.level[origins]) * float(fitted.scale)
