"""Prices -> windows: the network's input, and the next day's target.

Inputs and targets are relative to the mean log variance of the preceding months, which is known at the time. So no
scaler is fitted that could leak the future (look-ahead bias), and one network works for tickers of any price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from projects.stockprice.cleaning import after_gap
from projects.stockprice.config import Config, DataConfig, ForecastTraining, ModelConfig
from projects.stockprice.record import Record
from projects.stockprice.selection import MIN_FIT_DAYS, leave_out, select, usual_test_start
from shared.data import splits
from shared.data.loader import Item
from shared.data.provenance import Fingerprints, content_hashes
from shared.data.summary import DataSummary

MIN_LEVEL_DAYS = 60  # minimum number of days in the mean that is the level of volatility
BLOCK = 22  # consecutive days that go into the training or the validation set together
FEATURES = ("log range variance", "return", "negative return", "absolute return", "mean reversion")


@dataclass(frozen=True)
class Series:
    """One ticker; row t holds what is known after the close of day t. Arrays (T,), `features` (T, F)."""

    name: str
    days: np.ndarray
    """datetime64[D]"""
    open: np.ndarray
    """The close where the open is not known."""
    close: np.ndarray
    returns: np.ndarray
    """log(close_t / close_{t-1}), 0 on the first day and after a gap."""
    log_range: np.ndarray
    """log(high_t / low_t); NaN where only closes are known."""
    variance: np.ndarray
    """Variance of a day from its range (Parkinson 1980): log(high / low)^2 / (4 log 2). Without a range (a day locked
    at its limit; closes only): squared return."""
    level: np.ndarray
    """Level of volatility: mean log variance of the last `model.volatility_window` days up to day t; NaN at first."""
    features: np.ndarray
    """Input of the network, relative to the level: float32, dimensionless."""

    def first_origin(self, window: int) -> int:
        """The first day to forecast from: it has a level and a whole window of days with a level before it."""
        known = np.flatnonzero(~np.isnan(self.level))
        return int(known[0] if len(known) else len(self.days)) + window - 1

    @property
    def days_per_year(self) -> int:
        """365 where the market never closes (crypto), else 252."""
        return 365 if (~np.is_busday(self.days)).mean() > 0.2 else 252

    @property
    def next_variance(self) -> np.ndarray:
        """Variance of day t + 1, (T,); NaN on the last day."""
        return np.append(self.variance[1:], np.nan)

    @property
    def next_return(self) -> np.ndarray:
        """Return of day t + 1, (T,); NaN on the last day."""
        return np.append(self.returns[1:], np.nan)

    @property
    def month_variance(self) -> np.ndarray:
        """Mean variance of the last 22 days, (T,); NaN on the first 21."""
        return pd.Series(self.variance).rolling(22).mean().to_numpy()

    @classmethod
    def from_prices(cls, name: str, frame: pd.DataFrame, volatility_window: int) -> "Series":
        """A table of close, and mostly open, high and low, by day -> returns, variance, level and features by day."""
        close = frame["close"].to_numpy(float)
        days = frame.index.to_numpy().astype("datetime64[D]")
        returns = np.diff(np.log(close), prepend=np.log(close[0]))
        returns[after_gap(days)] = 0  # of the time between nothing is known
        log_range = np.full(len(close), np.nan)
        if "high" in frame:
            log_range = np.log(frame["high"].to_numpy(float) / frame["low"].to_numpy(float))
        variance = np.where(log_range > 0, log_range**2 / (4 * np.log(2)), returns**2)
        # the logarithm needs a variance above 0: days without any move get 1 % of the smallest variance so far
        smallest = pd.Series(np.where(variance > 0, variance, np.nan)).cummin().ffill().bfill().to_numpy()
        variance = np.where(variance > 0, variance, 0.01 * smallest)
        log_variance = pd.Series(np.log(variance))
        min_days = min(MIN_LEVEL_DAYS, volatility_window)
        level = log_variance.rolling(volatility_window, min_periods=min_days).mean().to_numpy()
        relative = returns / np.exp(level / 2)
        mean_reversion = level - log_variance.expanding().mean().to_numpy()  # volatility returns to its long-run mean
        features = [log_variance - level, relative, np.minimum(relative, 0), np.abs(relative), mean_reversion]
        return cls(
            name=name,
            days=days,
            open=frame["open" if "open" in frame else "close"].to_numpy(float),
            close=close,
            returns=returns,
            log_range=log_range,
            variance=variance,
            level=level,
            features=np.clip(np.stack(features, axis=1), -8, 8).astype(np.float32),
        )

    def fingerprints(self, rows: np.ndarray, fit: np.ndarray) -> Fingerprints:
        """Content hashes of the days in these rows (N,), independent of file name and ticker.

        fit: number of a refit for each, (N,) (see `Fingerprints.fit`).
        """
        moves = np.stack([self.returns[rows], self.log_range[rows]], axis=1).round(6) + 0.0  # no -0
        texts = (f"{day} {move:.6f} {width:.6f}" for day, (move, width) in zip(self.days[rows], moves))
        return Fingerprints(content_hashes(text.encode() for text in texts), fit=fit)


@dataclass(frozen=True)
class Windows:
    """A dataset of forecast origins. A batch: windows (B, W, F), targets (B,), levels (B,).

    The origin t is the last day that is known; the target belongs to day t + 1.
    """

    series: Sequence[Series]
    positions: np.ndarray
    """Number of the series and origin t of every item, (N, 2)."""
    window: int
    target: Literal["variance", "return"] | None
    """None: the next day is not known yet, and the targets are 0."""

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


class Refit(NamedTuple):
    """One step of walk-forward validation: networks and baselines are fitted again."""

    since: np.datetime64
    """The first day that is forecast with it."""
    known: np.datetime64
    """Training data end before this day: `since`, or an earlier day (`training.train_end`)."""


class PriceData:
    """Prices, the days to forecast, and the refits. Raises ValueError with one sentence."""

    def __init__(
        self,
        config: DataConfig,
        model: ModelConfig,
        training: ForecastTraining,
        one_ticker: bool = False,
    ) -> None:
        """one_ticker: raise ValueError if there are several."""
        self.window, self.training, self.record = model.window, training, Record()
        self.config, frames = select(config, model.volatility_window + 60, one_ticker, self.record)
        series = [Series.from_prices(name, frame, model.volatility_window) for name, frame in frames.items()]
        self.series = [one for one in series if one.name not in config.auxiliary_tickers]
        self.auxiliary = [one for one in series if one.name in config.auxiliary_tickers]
        if config.test_start is None:
            start = usual_test_start(config, np.unique(np.concatenate([one.days for one in self.series])))
            self.config = self.config.model_copy(update={"test_start": start})
        if config.split == "walk_forward":
            self._leave_out_late_starters()
        self.record.say(config.root or config.source)
        self.refits = self._refits()

    def _leave_out_late_starters(self) -> None:
        """Without the tickers that have too few days before the first refit to fit baselines on."""
        known = self._refits()[0].known
        for one in list(self.series):
            before = int(np.searchsorted(one.days, known))
            if before < MIN_FIT_DAYS and len(self.test_origins(one)):
                reason = (
                    f"{one.name} has {before} days before {known} to fit on, {MIN_FIT_DAYS} are needed; "
                    "leave it out with data.tickers, or set a later data.test_start"
                )
                leave_out(one.name, [other.name for other in self.series], reason, self.config, self.record)
                self.series.remove(one)

    def origins(
        self, series: Series, start: np.datetime64 | None = None, end: np.datetime64 | None = None
    ) -> np.ndarray:
        """Days t of a series with a whole window before them, without a gap, and day t + 1 in [start, end)."""
        t = np.arange(series.first_origin(self.window), len(series.days) - 1)
        gaps = np.cumsum(after_gap(series.days))
        t = t[gaps[t + 1] == gaps[t - self.window + 1]]
        target_day = series.days[t + 1]
        inside = np.ones(len(t), bool)
        if start is not None:
            inside &= target_day >= start
        if end is not None:
            inside &= target_day < end
        return t[inside]

    def test_origins(self, series: Series) -> np.ndarray:
        """The origins of the test days of a series."""
        if self.config.split == "all":
            return self.origins(series)
        until = np.datetime64(self.config.test_end) + 1 if self.config.test_end else None
        return self.origins(series, np.datetime64(self.config.test_start), until)

    def windows(
        self, target: Literal["variance", "return"], refit: Refit, part: Literal["train", "validation"]
    ) -> Windows:
        """The training or validation set of a refit, from the days before it.

        Every n-th block of 22 days is for validation, so that both sets contain years of low and high volatility, and
        the latest days are in the training set. A day is in the same set for all tickers; auxiliary tickers are for
        training only.
        """
        all_series = [*self.series, *self.auxiliary]
        origins = [self.origins(series, end=refit.known) for series in all_series]
        days = [series.days[t + 1] for series, t in zip(all_series, origins)]
        calendar, every = np.unique(np.concatenate(days)), round(1 / self.training.validation)
        positions = []
        for number in range(len(all_series if part == "train" else self.series)):
            held_out = np.searchsorted(calendar, days[number]) // BLOCK % every == every - 1
            chosen = origins[number][~held_out if part == "train" else held_out]
            positions.append(np.stack([np.full(len(chosen), number), chosen], axis=1))
        chosen = np.concatenate(positions)
        if not len(chosen):
            raise ValueError(
                f"no {part} window of {self.window} days lies before {refit.known}; set a later data.test_start"
                + (" or training.train_end" if self.training.train_end else "")
            )
        return Windows(all_series, chosen, self.window, target)

    def fingerprints(self) -> Fingerprints:
        """The days in training and validation sets, with the number of the first refit that uses them."""
        known = np.array([refit.known for refit in self.refits])
        parts = []
        for one in (*self.series, *self.auxiliary):
            first = np.searchsorted(known, one.days, side="right")
            rows = np.flatnonzero(first < len(known))
            parts.append(one.fingerprints(rows, first[rows]))
        return Fingerprints.join(*parts)

    def _refits(self) -> list[Refit]:
        start, rule = np.datetime64(self.config.test_start), self.training.refit
        days = [one.days[self.test_origins(one) + 1] for one in self.series if len(self.test_origins(one))]
        if not days:
            raise ValueError(
                f"there is no day to forecast from {start} on: the prices end on "
                f"{max(one.days[-1] for one in self.series)}, or there are too few (data.test_start names another day)"
            )
        if self.config.split == "all":
            start = min(d[0] for d in days)
        last = max(d[-1] for d in days)
        months = np.arange(start.astype("datetime64[Y]"), last.astype("datetime64[M]") + 1, dtype="datetime64[M]")
        later = months[:: 12 if rule == "year" else 3].astype("datetime64[D]")
        days = [start, *(day for day in later if day > start and rule != "never")]
        return refits_at(days, self.training)

    def summary(self) -> DataSummary:
        """How the prices were understood."""
        tested = sum(len(self.test_origins(one)) for one in self.series)
        earlier = sum(len(one.days) for one in self.series) - tested
        tickers = {one.name: f"{len(one.days):,} days, {one.days[0]} to {one.days[-1]}" for one in self.series[:20]}
        return DataSummary(
            items="days",
            source=f"{self.config.root or self.config.source}",
            parts={splits.TRAIN: earlier, splits.TEST: tested},
            split=self.config.split,
            columns=self.record.columns,
            left_out=self.record.left_out,
            facts={
                **tickers,
                "more tickers": f"{len(self.series) - 20}" if len(self.series) > 20 else "",
                "variance": "of squared returns" if self.config.variance == "returns" else "",
                "test days": f"from {self.config.test_start} on",
                "refits": f"{len(self.refits)}, the first on {self.refits[0].since}",
            },
        )


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    return PriceData(config.data, config.model, config.training, one_ticker=config.task == "price").summary()


def test_days(tickers: Sequence[tuple[str, np.ndarray]]) -> str:
    """One line on the test days (N,) of every ticker: `sp500: 377 test days, 2017-07-03 to 2018-12-31`."""
    days = np.concatenate([test for _, test in tickers])
    name = tickers[0][0] if len(tickers) == 1 else f"{len(tickers)} tickers"
    return f"{name}: {len(days)} test days, {days.min()} to {days.max()}"


def refits_at(days: Sequence[np.datetime64], training: ForecastTraining) -> list[Refit]:
    """Refits on these days, each on the days before it."""
    limit = np.datetime64(training.train_end) + 1 if training.train_end else days[-1]
    return [Refit(day, min(day, limit)) for day in days]


def target_of(config: Config) -> Literal["variance", "return"]:
    """The target of the network; intervals are derived from the variance."""
    return "return" if config.task == "price" else "variance"
