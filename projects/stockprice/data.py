"""Prices -> windows: the network's input, and the next day's target.

Inputs and targets are relative to the mean log variance of the preceding months, which is known at the time. So no
scaler is fitted that could leak the future (look-ahead bias), and one network works for tickers of any price.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from projects.stockprice.cleaning import after_gap
from projects.stockprice.config import Config, DataConfig, ForecastTraining, ModelConfig, PriceTable
from projects.stockprice.features import market_columns, with_features, with_market
from projects.stockprice.record import Record
from projects.stockprice.selection import MIN_FIT_DAYS, leave_out, select, usual_test_start
from projects.stockprice.series import Series
from shared.console import note
from shared.data import splits
from shared.data.loader import Item
from shared.data.provenance import Fingerprints
from shared.data.summary import DataSummary

BLOCK = 22  # consecutive days, at least, that go into the training or the validation set together
MARKET_DROPOUT = 0.2  # of the training windows do without the market


@dataclass(frozen=True)
class Windows:
    """A dataset of forecast origins. A batch: windows (B, D, F), targets (B, K) for K horizons, levels (B,).

    The origin t is the last day that is known; the targets belong to the days from t + 1 on.
    """

    series: Sequence[Series]
    positions: np.ndarray
    """Number of the series and origin t of every item, (N, 2)."""
    days: int
    """Length D of a window."""
    target: Literal["variance", "return"] | None
    """variance: log of the mean variance up to a horizon. return: relative to the level. None: not known yet, 0."""
    horizons: Sequence[int] = (1,)
    known: np.datetime64 | None = None
    """Targets that need this day or a later one are NaN."""
    dropped: Sequence[int] = ()
    """Columns that are 0 in a fraction of the items (input dropout), so that a network learns to do without them."""
    held_out: Sequence[np.ndarray] = ()
    """Of every series, the days of the validation set, bool (T,). Targets that need days of both sets are NaN."""

    def __len__(self) -> int:
        return len(self.positions)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        features, targets, levels, starts = self._arrays
        positions = self.positions[[item.index for item in items]]
        rows = starts[positions[:, 0]] + positions[:, 1]
        windows = features[rows[:, None] + np.arange(1 - self.days, 1)]
        if self.dropped:
            without = np.array([item.seed % 1000 < 1000 * MARKET_DROPOUT for item in items])
            windows[:, :, list(self.dropped)] *= ~without[:, None, None]
        return torch.from_numpy(windows), torch.from_numpy(targets[rows]), torch.from_numpy(levels[rows])

    def everything(self) -> tuple[Tensor, Tensor, Tensor]:
        """All items as one batch."""
        return self.__getitems__([Item(index, 0) for index in range(len(self))])

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Features (T, F), targets (T, K) and levels (T,) of all series, one after the other; and where each starts."""
        starts = np.cumsum([0, *(len(one.days) for one in self.series)])
        targets = np.concatenate([self._targets(number) for number in range(len(self.series))])
        features, levels = (
            np.concatenate([getattr(one, name) for one in self.series]) for name in ("features", "level")
        )
        return features, targets.astype(np.float32), levels.astype(np.float32), starts

    def _targets(self, number: int) -> np.ndarray:
        """(T, K)"""
        one = self.series[number]
        targets = np.zeros((len(one.days), len(self.horizons)))
        # how often the days have changed between training and validation set, up to each of them
        changes = np.cumsum(np.diff(self.held_out[number], prepend=False)) if self.held_out else None
        for k, days in enumerate(self.horizons if self.target else ()):
            if self.target == "variance":
                targets[:, k] = np.log(one.next_variance(days))
            else:
                targets[:, k] = one.next_return(days) / np.exp(one.level / 2)
            if self.known is not None:  # the last day of the target must be before it
                targets[max(0, int(np.searchsorted(one.days, self.known)) - days) :, k] = np.nan
            if changes is not None:
                last = changes[days:]
                targets[: len(last), k][changes[1:][: len(last)] != last] = np.nan
        return targets


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
        self.model, self.training, self.record = model, training, Record()
        self.config, frames = select(config, model.volatility_window + 60, one_ticker, self.record)
        series = with_market([prepared(name, frame, model, config) for name, frame in frames.items()], model.features)
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
        t = series.origins(self.model.length)
        t = t[t < len(series.days) - 1]
        t = t[~after_gap(series.days)[t + 1]]
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
        the latest days are in the training set. Blocks are three times as long as the longest horizon where the days
        suffice, and targets that need days of both sets are NaN. A day is in the same set for all tickers; auxiliary
        tickers are for training only.
        """
        all_series = [*self.series, *self.auxiliary]
        origins = [self.origins(series, end=refit.known) for series in all_series]
        calendar = np.unique(np.concatenate([series.days[t + 1] for series, t in zip(all_series, origins)]))
        every = round(1 / self.training.validation)
        block = max(BLOCK, min(3 * self.model.horizons[-1], len(calendar) // every))
        held_out = [np.searchsorted(calendar, series.days) // block % every == every - 1 for series in all_series]
        positions = []
        for number in range(len(all_series if part == "train" else self.series)):
            t = origins[number]
            t = t[held_out[number][t + 1] == (part == "validation")]
            positions.append(np.stack([np.full(len(t), number), t], axis=1))
        chosen = np.concatenate(positions)
        if not len(chosen):
            raise ValueError(
                f"no {part} window of {self.model.length} days lies before {refit.known}; set a later data.test_start"
                + (" or training.train_end" if self.training.train_end else "")
            )
        dropped = market_columns(self.model.features) if part == "train" else ()
        horizons = self.model.horizons
        return Windows(all_series, chosen, self.model.length, target, horizons, refit.known, dropped, held_out)

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
        rule = self.training.refit
        days = [one.days[self.test_origins(one) + 1] for one in self.series if len(self.test_origins(one))]
        if not days:
            raise ValueError(
                f"there is no day to forecast from {self.config.test_start} on: the prices end on "
                f"{max(one.days[-1] for one in self.series)}, or there are too few (data.test_start names another day)"
            )
        first = min(d[0] for d in days)
        start = np.datetime64(self.config.test_start) if self.config.split == "walk_forward" else first
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
                "test days": f"from {self.refits[0].since} on",
                "refits": f"{len(self.refits)}, the first on {self.refits[0].since}",
            },
        )


def prepared(name: str, frame: pd.DataFrame, model: ModelConfig, config: PriceTable) -> Series:
    """The prices of a ticker with the features that a network is given; those of the market are not known yet."""
    series = Series.from_prices(name, frame, model.volatility_window)
    if "range" in model.features and "high" in frame and "open" not in frame:
        note(f"{name}: no open, so the range features are those of high and low, and returns overnight are 0")
    return with_features(series, frame, model.features, config.inputs)


def check(config: Config) -> DataSummary:
    """What training would read, for `--check`."""
    return PriceData(config.data, config.model, config.training, one_ticker=config.task == "price").summary()


def test_days(tickers: Sequence[tuple[str, np.ndarray]]) -> str:
    """One line on the test days (N,) of every ticker: `sp500: 377 test days, 2017-07-03 to 2018-12-31`."""
    days = np.concatenate([test for _, test in tickers])
    name = tickers[0][0] if len(tickers) == 1 else f"{len(tickers)} tickers"
    return f"{name}: {len(days)} test days, {days.min()} to {days.max()}"


def refit_numbers(series: Series, origins: np.ndarray, since: Sequence[np.datetime64]) -> np.ndarray:
    """Number of the refit that forecasts day t + 1 from every origin, (N,): the last one that is not after that day,
    for earlier days the first. since: the first day of each refit."""
    days = series.days[np.minimum(origins + 1, len(series.days) - 1)]
    return np.maximum(np.searchsorted(np.array(since), days, side="right") - 1, 0)


def refits_at(days: Sequence[np.datetime64], training: ForecastTraining) -> list[Refit]:
    """Refits on these days, each on the days before it."""
    limit = np.datetime64(training.train_end) + 1 if training.train_end else days[-1]
    return [Refit(day, min(day, limit)) for day in days]


def target_of(config: Config) -> Literal["variance", "return"]:
    """The target of the network; intervals are derived from the variance."""
    return "return" if config.task == "price" else "variance"
