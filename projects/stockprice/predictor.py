"""A finished model: one file with the networks of every refit and what turns their numbers into forecasts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from projects.stockprice.calibration import recalibrated, return_quantiles
from projects.stockprice.config import Config
from projects.stockprice.data import Series, Windows
from projects.stockprice.model import Forecasters
from projects.stockprice.tutorial import Tutorial
from shared.evaluation.inference import predict
from shared.training.checkpoint import load_model, save_model, saved_settings, select


@dataclass
class Fitted:
    """What one refit made."""

    since: np.datetime64
    networks: Forecasters


@dataclass
class Predictor:
    """The networks of every refit, in order, and the settings they were trained with."""

    config: Config
    fitted: list[Fitted]
    tutorial: Tutorial | None = None

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors: dict[str, Tensor] = {}
        for number, fitted in enumerate(self.fitted):
            tensors |= {f"{number}.network.{name}": value for name, value in fitted.networks.state_dict().items()}
        if self.tutorial is not None:
            tensors |= {f"tutorial.{name}": value for name, value in self.tutorial.state_dict().items()}
        about = {
            "project": "stockprice",
            "config": self.config.model_dump(mode="json"),
            "since": [str(fitted.since) for fitted in self.fitted],
        }
        save_model(path, tensors, about)

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "stockprice")
        config = saved_settings(Config, about["config"], path)
        fitted = []
        for number, since in enumerate(about["since"]):
            networks = Forecasters(config.model)
            networks.load_state_dict(select(tensors, f"{number}.network."))
            fitted.append(Fitted(np.datetime64(since), networks.eval()))
        tutorial = None
        if config.tutorial:
            tutorial = Tutorial()
            tutorial.load_state_dict(select(tensors, "tutorial."))
        return cls(config, fitted, tutorial)

    def forecast(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Forecast of day t + 1 from every origin t (N,): its variance, or its return if the task is price.

        Each by the networks that were fitted last before that day; with `latest`, by the newest ones. NaN where too few
        days realised before.
        """
        if self.config.task != "price":
            return self._variance(series, latest)[origins]
        return self._outputs(series, origins, latest).mean(axis=1) * np.exp(series.level[origins] / 2)

    def quantiles(self, series: Series, origins: np.ndarray, latest: bool = False) -> np.ndarray:
        """Quantiles of the return of day t + 1 from every origin, (N, 6), in the order of QUANTILES; NaN where too
        few days realised before."""
        return return_quantiles(self._variance(series, latest), series.next_return)[origins]

    def _variance(self, series: Series, latest: bool) -> np.ndarray:
        """Forecasts from every day of a series, (T,); NaN where too few days realised before."""
        forecasts = np.full(len(series.days), np.nan)
        origins = np.arange(series.first_origin(self.config.model.window), len(series.days))
        relative = np.exp(self._outputs(series, origins, latest)).mean(axis=1)
        forecasts[origins] = relative * np.exp(series.level[origins])
        return recalibrated(forecasts, series.next_variance)

    def _outputs(self, series: Series, origins: np.ndarray, latest: bool) -> np.ndarray:
        """What every network of the refit in charge says, (N, S)."""
        positions = np.stack([np.zeros(len(origins), int), origins], axis=1)
        outputs = np.empty((len(origins), self.config.model.ensemble_size))
        for fitted, rows in self._by_refit(series, origins, latest):
            # of the last day of all the target is not known; it is not asked for
            windows = Windows([series], positions[rows], self.config.model.window, None)
            outputs[rows] = predict(fitted.networks, windows, lambda batch: batch[0], 4096, precision="fp32").double()
        return outputs

    def _by_refit(self, series: Series, origins: np.ndarray, latest: bool) -> list[tuple[Fitted, np.ndarray]]:
        """The networks to ask, and the numbers of the origins to ask them for."""
        if latest:
            return [(self.fitted[-1], np.arange(len(origins)))]
        days = series.days[np.minimum(origins + 1, len(series.days) - 1)]
        since = np.array([fitted.since for fitted in self.fitted])
        which = np.maximum(np.searchsorted(since, days, side="right") - 1, 0)
        return [(fitted, np.flatnonzero(which == n)) for n, fitted in enumerate(self.fitted) if (which == n).any()]
