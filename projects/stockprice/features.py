"""Groups of features of a day, each known after its close and relative to the level of volatility.

`price` is part of every `Series`; the others are added by `model.features`.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from projects.stockprice.cleaning import after_gap
from projects.stockprice.series import PRICE_FEATURES, Series, always_open, weekdays

GROUPS = {
    "price": PRICE_FEATURES,
    "range": ("Garman-Klass variance", "Rogers-Satchell variance", "overnight return", "absolute overnight return"),
    "calendar": (
        *(f"next day is a {day}" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")),
        "closed before", "closed before, over three days", "holiday before",
    ),
    "quarters": tuple(
        f"{what} {when}"
        for what in ("variance", "overnight")
        for when in ("a quarter ago", "a year ago", "mean of four quarters", "mean of their weeks", "of quarters")
    ),
    "market": ("market variance", "market return", "market mean reversion", "market is known"),
}  # fmt: skip
MIN_TICKERS = 5  # tickers that a market needs on a day
LIMIT = 8  # of the features
FIRST_QUARTER = 200  # days of history before values of earlier quarters count


def names(groups: Sequence[str]) -> list[str]:
    """The names of the features of these groups, in the order of their columns."""
    return [name for group in GROUPS if group in groups for name in GROUPS[group]]


def with_features(series: Series, frame: pd.DataFrame, groups: Sequence[str], inputs: Sequence[str] = ()) -> Series:
    """The series with all features of these groups, in the order of GROUPS; those of the market are 0, not known."""
    columns = [series.features]
    if "range" in groups:
        columns.append(range_features(series, frame))
    if "calendar" in groups:
        columns.append(calendar_features(series.days))
    if "quarters" in groups:
        overnight = range_features(series, frame)[:, 3]
        columns += [quarter_features(series.days, values) for values in (series.features[:, 0], overnight)]
    if "market" in groups:
        columns.append(np.zeros((len(series.days), len(GROUPS["market"]))))
    columns += [input_feature(frame[name].to_numpy(float)) for name in inputs]
    features = np.concatenate(columns, axis=1).clip(-LIMIT, LIMIT)
    return replace(series, features=features.astype(np.float32))


def range_features(series: Series, frame: pd.DataFrame) -> np.ndarray:
    """Log variances of Garman & Klass (1980) and Rogers & Satchell (1991), and the return from close to open, (T, 4).

    Where open, high and low are not known, the variance of the series and no return.
    """
    if not {"open", "high", "low"} <= set(frame.columns):
        relative = np.log(series.variance) - series.level
        return np.stack([relative, relative, np.zeros_like(relative), np.zeros_like(relative)], axis=1)
    open_, high, low, close = (np.log(frame[name].to_numpy(float)) for name in ("open", "high", "low", "close"))
    least = 0.1 * series.variance  # where high and low are open and close, the estimates are near 0
    garman_klass = np.maximum(0.5 * (high - low) ** 2 - (2 * np.log(2) - 1) * (close - open_) ** 2, least)
    rogers_satchell = np.maximum((high - close) * (high - open_) + (low - close) * (low - open_), least)
    overnight = np.where(after_gap(series.days), 0, open_ - np.append(open_[0], close[:-1])) / np.exp(series.level / 2)
    variances = [np.log(estimate) - series.level for estimate in (garman_klass, rogers_satchell)]
    return np.stack([*variances, overnight, np.abs(overnight)], axis=1)


def next_days(days: np.ndarray) -> np.ndarray:
    """The day after each, (T,). After the last day of the data the next one is assumed that is a weekday, or any where
    the market never closes."""
    last = days[-1] + 1 if always_open(days) else np.busday_offset(days[-1], 1, roll="backward")
    return np.append(days[1:], last)


def calendar_features(days: np.ndarray) -> np.ndarray:
    """What an exchange's calendar tells of the next day, (T, 8): its weekday, and for how long the market is closed
    before it."""
    following = next_days(days)
    closed = (following - days).astype(int)
    flags = [weekdays(following) == number for number in range(5)]
    return np.stack([*flags, closed > 1, closed > 3, (closed == 2) | (closed > 3)], axis=1).astype(float)


def quarter_features(days: np.ndarray, values: np.ndarray) -> np.ndarray:
    """By how much a value was above the mean of its month on the weekday of the next day one to four quarters ago
    (companies report every 13 weeks), (T, 5). The last column tells whether that has been of use: the mean product of
    the value and the mean of its four quarters, over 500 days."""
    table = pd.Series(np.nan_to_num(values))
    excess = (table - table.rolling(22, min_periods=1).mean()).to_numpy()
    sums = np.concatenate([[0], np.cumsum(excess)])
    same_day, same_week = [], []
    for quarter in range(1, 5):
        day = next_days(days) - 91 * quarter
        row = np.minimum(np.searchsorted(days, day), len(days) - 1)
        known = day >= days[0] + FIRST_QUARTER
        near = np.abs((days[row] - day).astype(int)) <= 1
        same_day.append(np.where(known & near, excess[row], 0))
        first, end = np.searchsorted(days, day - 4), np.searchsorted(days, day + 5)
        end = np.minimum(end, np.arange(len(days)) + 1)
        same_week.append(np.where(known, (sums[end] - sums[first]) / np.maximum(end - first, 1), 0))
    mean = np.mean(same_day, axis=0)
    useful = pd.Series(np.append(0, mean[:-1]) * excess).rolling(500, min_periods=100).mean().fillna(0)
    return np.stack([same_day[0], same_day[3], mean, np.mean(same_week, axis=0), useful.to_numpy()], axis=1)


def input_feature(values: np.ndarray, days: int = 250) -> np.ndarray:
    """A column of numbers, of `data.inputs`, as standard scores of its last 250 days, (T, 1), on a logarithmic scale,
    as volumes need; 0 where it is not known."""
    scaled = pd.Series(np.sign(values) * np.log1p(np.abs(values)))
    past = scaled.rolling(days, min_periods=20)
    return np.nan_to_num(((scaled - past.mean()) / past.std()).to_numpy(), posinf=0, neginf=0)[:, None]


def with_market(panel: Sequence[Series], groups: Sequence[str]) -> list[Series]:
    """The panel with the features of its market: means over all tickers of a day, where there are at least five."""
    if "market" not in groups:
        return list(panel)
    wanted = [PRICE_FEATURES.index(name) for name in ("log range variance", "return", "mean reversion")]
    days = np.unique(np.concatenate([one.days for one in panel]))
    sums, counts = np.zeros((len(days), len(wanted))), np.zeros(len(days))
    for one in panel:
        known = ~np.isnan(one.level)
        rows = np.searchsorted(days, one.days[known])
        sums[rows] += one.features[known][:, wanted]
        counts[rows] += 1
    enough = counts >= MIN_TICKERS
    market = np.column_stack([np.where(enough[:, None], sums / np.maximum(counts, 1)[:, None], 0), enough])
    at = market_columns(groups)
    complete = []
    for one in panel:
        features = one.features.copy()
        features[:, at] = market[np.searchsorted(days, one.days)]
        complete.append(replace(one, features=features))
    return complete


def market_columns(groups: Sequence[str]) -> list[int]:
    """Which columns are the market's."""
    return [number for number, name in enumerate(names(groups)) if name in GROUPS["market"]]
