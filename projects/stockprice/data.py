"""Prices -> windows: what the network sees of the past, and the day it must forecast.

Everything is measured relative to the level of volatility over the last months, which is known at the time: there is no
scaler to fit, no day ahead of its time, and one network serves tickers of any price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from projects.stockprice.config import Config, DataConfig
from projects.stockprice.sources import load_prices
from shared.data.loader import Item

LEAST = 250  # days to fit on
BLOCK = 22  # days that go to training or to validation together
FEATURES = ("log range variance", "return", "fall", "size of the return", "level beside all years so far")


@dataclass(frozen=True)
class Series:
    """One ticker; row t is what is known after the close of day t. All arrays (T,), but `features` (T, F)."""

    name: str
    days: np.ndarray
    """datetime64[D]"""
    open: np.ndarray
    close: np.ndarray
    returns: np.ndarray
    """log(close_t / close_{t-1}), 0 on the first day."""
    variance: np.ndarray
    """Parkinson 1980: log(high / low)^2 / (4 log 2), the variance of a day from its range."""
    level: np.ndarray
    """Mean of log variance over the last `model.volatility_window` days, up to day t; NaN in the first 60."""
    features: np.ndarray
    """What the network sees, float32, without units: measured relative to the level."""

    def first_origin(self, window: int) -> int:
        """The first day with a level and a whole window before it: the first to forecast from."""
        known = np.flatnonzero(~np.isnan(self.level))
        return int(known[0] if len(known) else len(self.days)) + window - 1

    @property
    def next_variance(self) -> np.ndarray:
        """Of the day after; NaN on the last."""
        return np.append(self.variance[1:], np.nan)

    @property
    def next_return(self) -> np.ndarray:
        """Of the day after; NaN on the last."""
        return np.append(self.returns[1:], np.nan)

    @property
    def month_variance(self) -> np.ndarray:
        """Mean variance of the last 22 days, NaN for the first 21."""
        return pd.Series(self.variance).rolling(22).mean().to_numpy()

    @classmethod
    def from_prices(cls, name: str, frame: pd.DataFrame, level_days: int) -> "Series":
        """Compute what is known after each day from prices up to that day."""
        close = frame["close"].to_numpy(float)
        returns = np.diff(np.log(close), prepend=np.log(close[0]))
        variance = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float)) ** 2 / (4 * np.log(2))
        # a day without any range counts as a tenth of the smallest range there was so far
        smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().to_numpy()
        variance = np.where(variance > 0, variance, 0.01 * smallest)
        log_variance = np.log(variance)
        level = pd.Series(log_variance).rolling(level_days, min_periods=min(60, level_days)).mean().to_numpy()
        unit = np.exp(level / 2)
        relative = returns / unit
        mean_reversion = level - pd.Series(log_variance).expanding().mean().to_numpy()  # volatility returns to its mean
        features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
        table = np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32)
        return cls(
            name,
            frame.index.to_numpy().astype("datetime64[D]"),
            frame["open"].to_numpy(float),
            close,
            returns,
            variance,
            level,
            table,
        )


@dataclass(frozen=True)
class Windows:
    """A dataset of days to forecast from. A batch: windows (B, W, F), targets (B,), levels (B,).

    The origin t is the last day that is known; the target belongs to day t + 1.
    """

    series: Sequence[Series]
    positions: np.ndarray
    """Number of the series and origin t of every item, (N, 2)."""
    window: int
    target: Literal["variance", "return"] | None
    """None where the next day is not known yet; the targets are 0 then."""

    def __len__(self) -> int:
        return len(self.positions)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        positions = self.positions[[item.index for item in items]]
        windows = np.empty((len(positions), self.window, len(FEATURES)), np.float32)
        targets, levels = np.zeros(len(positions), np.float32), np.empty(len(positions), np.float32)
        for number in np.unique(positions[:, 0]):
            one, rows = self.series[number], positions[:, 0] == number
            origins = positions[rows, 1]
            all_windows = sliding_window_view(one.features, self.window, axis=0)  # (T - W + 1, F, W), no copy
            windows[rows] = all_windows[origins - self.window + 1].transpose(0, 2, 1)
            levels[rows] = one.level[origins]
            if self.target == "variance":
                targets[rows] = np.log(one.variance[origins + 1])
            elif self.target == "return":
                targets[rows] = one.returns[origins + 1] / np.exp(one.level[origins] / 2)
        return torch.from_numpy(windows), torch.from_numpy(targets), torch.from_numpy(levels)

    def everything(self) -> tuple[Tensor, Tensor, Tensor]:
        """All items as one batch."""
        return self.__getitems__([Item(index, 0) for index in range(len(self))])


@dataclass
class Days:
    """The test days of one ticker and every model's forecasts of them."""

    series: Series
    origins: np.ndarray
    forecasts: dict[str, np.ndarray]
    """`lstm` and the baselines: the close, the variance, or the quantiles of the return, (N,) or (N, 6)."""

    @property
    def actual(self) -> np.ndarray:
        """Return of the forecast days, (N,)."""
        return self.series.returns[self.origins + 1]

    @property
    def variance(self) -> np.ndarray:
        """Range variance of the forecast days, (N,)."""
        return self.series.variance[self.origins + 1]

    @property
    def volatility(self) -> np.ndarray:
        """Mean range variance of the 22 days before, known at the time, (N,)."""
        return self.series.month_variance[self.origins]

    @property
    def today(self) -> np.ndarray:
        """The last known close, (N,)."""
        return self.series.close[self.origins]


class Refit(NamedTuple):
    """When everything is fitted again."""

    since: np.datetime64
    """The first day that is forecast with it."""
    known: np.datetime64
    """Only days before this one are fitted on: the same day, or an earlier one (`data.train_end`)."""


class PriceData:
    """Series, the days to forecast, and when everything is fitted again. Raises ValueError with one sentence."""

    def __init__(self, config: DataConfig, window: int, refit: str = "year", one: bool = False) -> None:
        """one: refuse more than one ticker."""
        self.config, self.window = config, window
        frames = load_prices(config)
        series = [Series.from_prices(name, frame, config.volatility_window) for name, frame in frames.items()]
        self.series = [s for s in series if s.name not in config.auxiliary_tickers]
        self.auxiliary = [s for s in series if s.name in config.auxiliary_tickers]
        if one and len(self.series) > 1:
            raise ValueError(f"task price is about one ticker, these are {len(self.series)}; name it with data.tickers")
        self.refits = self._refits(refit)
        for series in self.series if config.split == "walk_forward" else ():
            before = int(np.searchsorted(series.days, self.refits[0].known))
            if before < LEAST and len(self.test_origins(series)):
                raise ValueError(
                    f"{series.name} has {before} days before {self.refits[0].known} to fit on, {LEAST} are needed; "
                    "name others with data.tickers, or set a later data.test_start"
                )

    def origins(
        self, series: Series, start: np.datetime64 | None = None, end: np.datetime64 | None = None
    ) -> np.ndarray:
        """Days t of a series from which day t + 1 in [start, end) can be forecast: with a whole window before."""
        t = np.arange(series.first_origin(self.window), len(series.days) - 1)
        target_day = series.days[t + 1]
        inside = np.ones(len(t), bool)
        if start is not None:
            inside &= target_day >= start
        if end is not None:
            inside &= target_day < end
        return t[inside]

    def test_origins(self, series: Series) -> np.ndarray:
        """The days from which a test day is forecast."""
        if self.config.split == "all":
            return self.origins(series)
        until = np.datetime64(self.config.test_end) + 1 if self.config.test_end else None
        return self.origins(series, np.datetime64(self.config.test_start), until)

    def windows(self, target: Literal["variance", "return"], refit: Refit, part: str, validation: float) -> Windows:
        """The `train` or `validation` windows before a refit: every so many blocks of 22 days one is for validation,
        so that calm and wild years are in both and the latest days are learned from; a day is in the same part for all
        tickers. `data.auxiliary_tickers` is for training."""
        everyone = [*self.series, *self.auxiliary]
        origins = [self.origins(series, end=refit.known) for series in everyone]
        days = [series.days[t + 1] for series, t in zip(everyone, origins)]
        calendar, every = np.unique(np.concatenate(days)), round(1 / validation)
        positions = []
        for number in range(len(everyone if part == "train" else self.series)):
            held = np.searchsorted(calendar, days[number]) // BLOCK % every == every - 1
            chosen = origins[number][~held if part == "train" else held]
            positions.append(np.stack([np.full(len(chosen), number), chosen], axis=1))
        chosen = np.concatenate(positions)
        if not len(chosen):
            raise ValueError(
                f"no {part} window of {self.window} days lies before {refit.known}; set a later data.test_start"
            )
        return Windows(everyone, chosen, self.window, target)

    def _refits(self, rule: str) -> list[Refit]:
        start = np.datetime64(self.config.test_start)
        days = [s.days[self.test_origins(s) + 1] for s in self.series if len(self.test_origins(s))]
        if not days:
            raise ValueError(f"there is no day to forecast from {start} on: the prices end before, or are too few")
        if self.config.split == "all":
            start = min(d[0] for d in days)
        last = max(d[-1] for d in days)
        months = np.arange(start.astype("datetime64[Y]"), last.astype("datetime64[M]") + 1, dtype="datetime64[M]")
        later = months[:: 12 if rule == "year" else 3].astype("datetime64[D]")
        days = [start, *(day for day in later if day > start and rule != "never")]
        return refits_at(days, self.config)

    def summary(self) -> str:
        """One line: how many days of what are forecast."""
        n = sum(len(self.test_origins(s)) for s in self.series)
        days = [s.days[self.test_origins(s) + 1] for s in self.series if len(self.test_origins(s))]
        first, last = min(d[0] for d in days), max(d[-1] for d in days)
        names = self.series[0].name if len(self.series) == 1 else f"{len(self.series)} tickers"
        return f"{names}: {n} days forecast, {first} to {last}, fitted {len(self.refits)} times"


def refits_at(days: Sequence[np.datetime64], config: DataConfig) -> list[Refit]:
    """Everything is fitted on these days, on what is known before them."""
    limit = np.datetime64(config.train_end) + 1 if config.train_end else days[-1]
    return [Refit(day, min(day, limit)) for day in days]


def target_of(config: Config) -> Literal["variance", "return"]:
    """What the network is trained to forecast: an interval is made from the volatility."""
    return "return" if config.task == "price" else "variance"
