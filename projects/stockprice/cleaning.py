"""Rows of prices by stamp -> valid prices by day. What is implausible is repaired, left out or refused, and said."""

import numpy as np
import pandas as pd

from projects.stockprice.anomalies import splits, ticks
from projects.stockprice.config import PRICES, PriceTable
from projects.stockprice.record import Record, Ticker, days_in_words

MAX_GAP = 14  # days between two rows; holidays are shorter
SUMMARY = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
"""How the columns of several bars become one."""


def clean(frame: pd.DataFrame, name: str, form: PriceTable, record: Record) -> pd.DataFrame:
    """Rows of open, high, low, close (or the close alone) and volume by stamp -> valid prices by day, in order.

    Raises ValueError with one sentence.
    """
    ticker = Ticker(name, form, record)
    frame = by_day(frame, ticker)
    frame = frame[pd.Timestamp(form.start or "1677-09-22") : pd.Timestamp(form.end or "2262-04-11")]
    if frame.empty:
        raise ValueError(f"{name} has no rows from data.start {form.start} to data.end {form.end}")
    for step in STEPS:
        frame = step(frame, ticker)
        if frame.empty:
            raise ValueError(f"{name} has no day with all its prices")
    gaps = frame.index.to_series().diff().dt.days
    record.remark(
        f"gaps of more than {MAX_GAP} days, which no window of the network spans; their returns count as 0",
        [f"{name} {gap:.0f} days before {day:%Y-%m-%d}" for day, gap in gaps[gaps > MAX_GAP].items()],
    )
    return frame


def after_gap(days: np.ndarray) -> np.ndarray:
    """The first days after a gap, bool (T,). Prices before and after it are not those of consecutive days."""
    return np.diff(days, prepend=days[:1]) > np.timedelta64(MAX_GAP, "D")


def by_day(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """The rows in order, by day. Intraday bars are aggregated where `data.bars` says so, else refused."""
    stamps = pd.DatetimeIndex(frame.index)
    if not (stamps.is_monotonic_increasing or stamps.is_monotonic_decreasing):
        ticker.record.remark("the rows were not in order; they are sorted now", [ticker.name])
    frame = frame.iloc[::-1] if stamps.is_monotonic_decreasing else frame.sort_index(kind="stable")
    stamps = pd.DatetimeIndex(frame.index)
    days = stamps.normalize().rename("date")
    counts = pd.Series(1, days).groupby(level=0).sum()
    usual = counts.median()
    if usual < 2 or len(counts) < 2:
        return frame.set_axis(days)
    if stamps.duplicated().mean() > 0.3:
        raise ValueError(
            f"{ticker.name} has {usual:.0f} rows a day with one and the same time: are they of several tickers? "
            "--data.columns '{ticker: NAME}' names the column that tells them apart"
        )
    if ticker.form.bars != "day":
        raise ValueError(
            f"{ticker.name} has {usual:.0f} rows a day (intraday bars, {len(counts)} days): --data.bars day aggregates "
            "them" + (", but these days are too few: a training needs some 300" if len(counts) < 300 else "")
        )
    ticker.record.remark(f"intraday bars, {usual:.0f} a day, are aggregated to days", [ticker.name])
    frame = frame.groupby(days).agg({column: SUMMARY.get(column, "last") for column in frame.columns})
    few = (counts < 0.9 * usual).to_numpy(copy=True)
    few[1:-1] = False
    return ticker.without(frame, few, "unfinished first or last days with fewer bars than usual")


def duplicates(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """One row a day: equal ones are dropped, of the last day's the later one is used (Yahoo's live quote)."""
    frame = ticker.without(frame, frame.reset_index().duplicated(), "rows that repeat another one")
    earlier = frame.index.duplicated("last") & (frame.index == frame.index[-1])
    frame = ticker.without(frame, earlier, "earlier rows of the last day, which has several (a live quote)")
    double = frame.index.duplicated(keep=False)
    if ticker.form.damaged == "keep":
        return ticker.without(frame, frame.index.duplicated("last"), "earlier ones of two rows for a day")
    if ticker.form.damaged == "auto" and double.any():
        day = frame.index[double][0]
        one, other = (" ".join(f"{v:g}" for v in row) for row in frame[frame.index == day].to_numpy(float)[:2])
        raise ValueError(
            f"{ticker.name} has two rows for {day:%Y-%m-%d}, {one} and {other}; keep one, or use --data.damaged keep "
            "(the later row) or leave-out (neither)"
        )
    return ticker.without(frame, double, "rows of days that have two different ones")


def missing(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Only days with all prices. The open, which few things need, is not used where it is often 0 or missing."""
    if "open" in frame:
        others = np.isfinite(frame[[c for c in PRICES if c in frame and c != "open"]]).all(axis=1)
        unknown = others & (~np.isfinite(frame["open"]) | (frame["open"] == 0))
        if unknown.sum() > 0.01 * len(frame):
            ticker.remark(frame, unknown, "the open is 0 or missing on many days and is not used")
            frame = frame.drop(columns="open")
        else:
            frame = frame.assign(open=frame["open"].mask(unknown))
    prices = prices_of(frame)
    return ticker.without(frame, ~np.isfinite(prices).all(axis=1) | (prices == 0).all(axis=1), "days without a price")


def prices_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of prices that there are, (T, 1 to 4)."""
    return frame[[column for column in PRICES if column in frame]]


def positive(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Prices above 0, which returns need."""
    wrong = (prices_of(frame) <= 0).any(axis=1).to_numpy()
    if wrong.any() and ticker.form.damaged != "leave-out":
        first, last, right = *frame.index[wrong][[0, -1]], frame.index[~wrong]
        ways = [f"--data.damaged leave-out leaves {'them' if wrong.sum() > 1 else 'it'} out"]
        ways += [f"--data.end {right[right < first][-1]:%Y-%m-%d} ends before it"] if (right < first).any() else []
        ways += [f"--data.start {right[right > last][0]:%Y-%m-%d} begins after it"] if (right > last).any() else []
        raise ValueError(
            f"{ticker.name} has a price of zero or less on {days_in_words(frame[wrong])}, and returns need positive "
            f"prices; {', '.join(ways)}"
        )
    return ticker.without(frame, wrong, "days with a price of zero or less")


def sundays(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """The short sessions that currencies and futures have on Sundays are part of Monday. A market that is open on
    Saturdays (crypto), or closed on Fridays (Riyadh), keeps its Sundays."""
    weekday = pd.DatetimeIndex(frame.index).dayofweek.to_numpy()
    counts = np.bincount(weekday, minlength=7)
    if counts[6] < 0.02 * len(frame) or counts[5] > 0.2 * counts[6] or counts[4] < 0.5 * counts[6]:
        return frame
    monday = frame.index + pd.Timedelta(days=1)
    followed = monday.isin(frame.index)
    ticker.remark(frame, (weekday == 6) & followed, "Sunday's short session is made part of Monday")
    days = pd.Series(np.where((weekday == 6) & followed, monday, frame.index), frame.index, name="date")
    frame = ticker.without(frame, (weekday == 6) & ~followed, "Sundays without a Monday after them")
    return frame.groupby(days[frame.index]).agg({column: SUMMARY.get(column, "last") for column in frame.columns})


def closes(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Without open, high and low where they only repeat the close; old index data often begin so."""
    if "high" not in frame:
        return frame
    ranged = (frame["high"] != frame["low"]).to_numpy()
    if not ranged.any():
        ticker.record.remark("high and low are the same on every day; only the close is used", [ticker.name])
        return frame.drop(columns=["open", "high", "low"], errors="ignore")
    first = int(ranged.argmax())
    if first > 1:
        rows = np.arange(len(frame)) < first
        frame = ticker.without(frame, rows, "first days without a range between low and high")
    locked = (frame["high"] == frame["low"]) & (frame["close"] != frame["close"].shift())
    text = "days without a range (illiquid, or locked at a limit) are kept, their variance is their squared return"
    ticker.remark(frame, locked, text)
    return frame


def fillings(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Without days on which nothing was traded: filled-in holidays are trivial to forecast and distort the input."""
    if "high" not in frame:
        return frame
    filled = prices_of(frame).eq(frame["close"].shift(), axis=0).all(axis=1)
    return ticker.without(frame, filled, "days that only repeat the last close (no trading)")


def spacing(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Daily bars; weekly and monthly ones are refused."""
    apart = frame.index.to_series().diff().dt.days.median()
    if apart > 4:
        kind = "weekly bars" if apart < 10 else "monthly bars" if 25 < apart < 35 else "not daily prices"
        raise ValueError(
            f"{ticker.name} has a row every {apart:.0f} days ({kind}); a forecast of the next day needs daily prices, "
            "which cannot be computed from them: download the file again with one row a day (interval 1d, 'daily')"
        )
    return frame


def ranges(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Ranges that open and close do not exceed: few are widened, many refused."""
    if "high" not in frame:
        return frame
    body = frame[[column for column in ("open", "close") if column in frame]]
    top, bottom = body.max(axis=1), body.min(axis=1)
    wrong = (frame["high"] < top * 0.9999) | (frame["low"] > bottom * 1.0001)
    if wrong.mean() > 0.01 and ticker.form.damaged == "auto":
        raise ValueError(
            f"{ticker.name}: on {days_in_words(frame[wrong])} open or close is "
            "outside low and high; are the columns right? --data.damaged leave-out leaves these days out, "
            "--data.damaged keep widens their range"
        )
    if ticker.form.damaged == "leave-out":
        frame = ticker.without(frame, wrong, "days with open or close outside low and high")
    else:
        ticker.remark(frame, wrong, "days with open or close outside low and high: the range is widened")
    return frame.assign(high=np.maximum(frame["high"], top), low=np.minimum(frame["low"], bottom))


def weekends(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Weekends filled with Friday's prices are refused."""
    weekend = pd.DatetimeIndex(frame.index).dayofweek.to_numpy() >= 5
    unchanged = (frame["close"].diff() == 0).to_numpy()
    if weekend.mean() < 0.1 or unchanged[weekend].mean() < 0.9 or ticker.form.damaged == "keep":
        return frame
    if ticker.form.damaged == "auto":
        raise ValueError(
            f"{ticker.name} has weekends filled with Friday's price, which are trivial to forecast; "
            "--data.damaged leave-out leaves them out"
        )
    return ticker.without(frame, weekend, "days of weekends filled with Friday's price")


def last_day(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Without a last day whose range is a tenth of the usual one and the smallest of a year: it is not over."""
    if frame.index[-1] >= pd.Timestamp.now().normalize() and len(frame) > 1:
        text = f"the last row is of today; is trading over? (--data.end {frame.index[-2]:%Y-%m-%d} leaves it out)"
        ticker.record.remark(text, [ticker.name])
    if "high" not in frame or ticker.form.damaged == "keep" or len(frame) < 60:
        return frame
    width = np.log(frame["high"] / frame["low"]).to_numpy()
    small = 0 < width[-1] < min(0.1 * np.median(width[-61:-1]), width[-251:-1].min())
    unfinished = (np.arange(len(frame)) == len(frame) - 1) & small
    reason = "last day that looks unfinished, with a tenth of the usual range (--data.damaged keep uses it)"
    return ticker.without(frame, unfinished, reason)


STEPS = (
    duplicates, missing, positive, sundays, closes, fillings, spacing, ticks, ranges, weekends, splits, last_day,
)  # fmt: skip
