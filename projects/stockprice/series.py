"""One ticker: what is known after the close of every day."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from projects.stockprice.cleaning import after_gap
from shared.data.provenance import Fingerprints, content_hashes

MIN_LEVEL_DAYS = 60  # minimum number of days in the mean that is the level of volatility
PRICE_FEATURES = ("log range variance", "return", "negative return", "absolute return", "mean reversion")


def weekdays(days: np.ndarray) -> np.ndarray:
    """0 for Mondays to 6 for Sundays, (T,). days: datetime64[D] (T,)"""
    return (days.astype(int) + 3) % 7  # 1970-01-01 was a Thursday


def always_open(days: np.ndarray) -> bool:
    """Whether a market trades on Saturdays and Sundays (crypto). datetime64[D] (T,)"""
    return bool(min((weekdays(days) == 5).mean(), (weekdays(days) == 6).mean()) > 0.1)


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

    def origins(self, window: int) -> np.ndarray:
        """The days that can be forecast from: the last ones of whole windows of days with a level, without a gap."""
        known = np.flatnonzero(~np.isnan(self.level))
        t = np.arange(int(known[0] if len(known) else len(self.days)) + window - 1, len(self.days))
        gaps = np.cumsum(after_gap(self.days))
        return t[gaps[t] == gaps[t - window + 1]]

    @property
    def days_per_year(self) -> int:
        """365 where the market never closes (crypto), else 252."""
        return 365 if always_open(self.days) else 252

    def next_variance(self, days: int = 1) -> np.ndarray:
        """Mean variance of the next days, (T,); NaN where not all of them are known or a gap lies before one."""
        return self._ahead(self.variance, days) / days

    def next_return(self, days: int = 1) -> np.ndarray:
        """Return over the next days, (T,); NaN where not all of them are known or a gap lies before one."""
        return self._ahead(self.returns, days)

    def _ahead(self, values: np.ndarray, days: int) -> np.ndarray:
        """Sum over days t + 1 to t + `days`, (T,)."""
        sums = np.full(len(values), np.nan)
        if len(values) > days:
            sums[:-days] = sliding_window_view(values[1:], days).sum(axis=1)
            gaps = np.cumsum(after_gap(self.days))
            sums[:-days][gaps[days:] != gaps[:-days]] = np.nan
        return sums

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
