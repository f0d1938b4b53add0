"""Bad ticks, and prices that are not adjusted for a stock split."""

import numpy as np
import pandas as pd

from projects.stockprice.config import PRICES
from projects.stockprice.record import Ticker, days_in_words

DOUBLE = np.log(2)
LONGEST = 5  # days of a wrong price
RATIOS = np.array([5 / 2, 7 / 2, *range(2, 11), 12, 15, 20, 25, 30, 40, 50, 75, 100])
RATIOS = np.concatenate([RATIOS, 1 / RATIOS])
"""Usual ratios of splits that halve the price or more (2:1, 7:1), or double it (1:8)."""
SMALL_RATIOS = np.array([5 / 4, 4 / 3, 3 / 2, 2 / 3])


def ticks(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Without bad ticks: prices of one day far from each other, or days far from both their neighbours."""
    if ticker.form.damaged == "keep":
        return frame
    frame = unadjusted_close(frame, ticker)
    wrong = odd_prices(frame) | odd_days(frame)
    if wrong.mean() > 0.01 and ticker.form.damaged == "auto":
        raise ValueError(
            f"{ticker.name}: on {days_in_words(frame[wrong])} prices are half or "
            "double of the others, or more; --data.damaged leave-out leaves them out, --data.damaged keep uses them"
        )
    reason = "days with bad ticks, a price half or double of the others (--data.damaged keep uses them)"
    return ticker.without(frame, wrong, reason)


def odd_prices(frame: pd.DataFrame) -> np.ndarray:
    """Days with a price at half or double of the others, and far beyond the usual range, bool (T,)."""
    if "high" not in frame:
        return np.zeros(len(frame), bool)
    log = np.log(frame[[column for column in PRICES if column in frame]].to_numpy())
    distance = np.abs(log - np.median(log, axis=1, keepdims=True)).max(axis=1)
    return distance > np.maximum(DOUBLE, 10 * usual_range(frame))


def usual_range(frame: pd.DataFrame) -> np.ndarray:
    """Median log(high / low) of the quarter around each day, (T,)."""
    return np.log(frame["high"] / frame["low"]).rolling(61, center=True, min_periods=1).median().to_numpy()


def odd_days(frame: pd.DataFrame) -> np.ndarray:
    """Up to LONGEST days that the price reaches and leaves by opposite jumps of at least half or double, bool (T,)."""
    odd = np.zeros(len(frame), bool)
    jump = overnight(frame)
    for start in np.flatnonzero(np.abs(jump) > DOUBLE).tolist():
        back = np.abs(jump[start] + jump[start + 1 : start + 1 + LONGEST]) < 0.25 * abs(jump[start])
        if back.any() and not odd[start - 1]:
            odd[start : start + 1 + back.argmax()] = True
    return odd


def overnight(frame: pd.DataFrame) -> np.ndarray:
    """log(open / last close), (T,), 0 on the first day; of closes where there is no open."""
    price = frame["open" if "open" in frame else "close"]
    return np.log(price / frame["close"].shift()).fillna(0).to_numpy()


def unadjusted_close(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """A close that is for long a multiple of open, high and low: adjusted for a split are only these."""
    if "high" not in frame:
        return frame
    ratio = (frame["close"] / np.sqrt(frame["high"] * frame["low"])).to_numpy()
    other = np.abs(np.log(ratio)) > np.maximum(0.9 * DOUBLE, 5 * usual_range(frame))
    if other.mean() < 0.05 or np.log(ratio[other]).std() > 0.1:
        return frame
    factor, last = np.median(ratio[other]), frame.index[other][-1]
    if ticker.form.splits != "adjust":
        raise ValueError(
            f"{ticker.name}: until {last:%Y-%m-%d} the close is {factor:.3g} times the other prices, as if only they "
            f"were adjusted for a split; --data.splits adjust divides it by {factor:.3g}"
        )
    ticker.remark(frame, other, f"the close, not adjusted for a split, is divided by {factor:.3g}")
    divided = (frame["close"] / factor).clip(frame["low"], frame["high"])
    return frame.assign(close=frame["close"].where(~other, divided))


def splits(frame: pd.DataFrame, ticker: Ticker) -> pd.DataFrame:
    """Prices adjusted for splits: overnight changes that look like one are refused or adjusted."""
    if ticker.form.splits == "keep":
        return frame
    certain, possible = split_ratios(frame)
    change = np.exp(overnight(frame))
    ticker.record.remark(
        "large changes overnight, taken for real moves and not for splits",
        [f"{ticker.name} {change[t] - 1:+.0%} on {frame.index[t]:%Y-%m-%d}" for t in possible],
    )
    if not certain:
        return frame
    first, *others = [f"{in_words(ratio)} on {frame.index[t]:%Y-%m-%d}" for t, ratio in certain]
    if ticker.form.splits == "refuse":
        more = f" and {len(others)} more" if others else ""
        at = certain[0][0]
        wrong = f", --data.end {frame.index[at - 1]:%Y-%m-%d} leaves it out" if at >= len(frame) - LONGEST else ""
        raise ValueError(
            f"{ticker.name}: its prices look unadjusted for a split of {first}{more} (overnight the price times "
            f"{change[at]:.3g}); --data.splits adjust divides the prices before it, --data.splits keep "
            f"takes it for a real move{wrong}"
        )
    ticker.record.remark(
        "prices before a split are divided by its ratio", [f"{ticker.name} {s}" for s in (first, *others)]
    )
    factor = np.ones(len(frame))
    for t, ratio in certain:
        factor[:t] /= ratio
    return frame.assign(**{column: frame[column] * factor for column in PRICES if column in frame})


def split_ratios(frame: pd.DataFrame) -> tuple[list[tuple[int, float]], list[int]]:
    """Rows of the first days after splits with their ratios (2.0 for 2:1, 0.125 for 1:8), and rows after other large
    changes.

    News that move a price so far come with many times the usual volume and a wild day, a split does not. A change of
    less than 1.8 is one only near a usual ratio, on a calm day whose volume is known.
    """
    jump = overnight(frame)
    certain: list[tuple[int, float]] = []
    possible: list[int] = []
    width = np.log(frame["high"] / frame["low"]) if "high" in frame else pd.Series(np.abs(jump), frame.index)
    usual = width.rolling(21, min_periods=1).median().shift().to_numpy()
    volume = frame["volume"] if "volume" in frame else pd.Series(np.nan, frame.index)
    traded = (volume / volume.rolling(21, min_periods=1).median().shift()).to_numpy()  # times the usual volume
    for t in np.flatnonzero(np.abs(jump) > np.log(1.2)):
        large = abs(jump[t]) > np.log(1.8)
        ratios = RATIOS if large else SMALL_RATIOS
        ratio = float(ratios[np.abs(np.log(ratios) + jump[t]).argmin()])
        news = traded[t] > 4 * max(1, ratio)
        near = abs(np.log(ratio) + jump[t]) < 0.02
        calm = width.iloc[t] < 2 * usual[t] < 0.08 and traded[t] < 1.5 * max(1, ratio)
        if (large and not news) or (near and calm):
            certain.append((int(t), ratio))
        elif large or near:
            possible.append(int(t))
    return certain, possible


def in_words(ratio: float) -> str:
    """`2:1`, `3:2`, `1:8`."""
    below = next(n for n in range(1, 101) if abs(ratio * n - round(ratio * n)) < 1e-6)
    return f"{round(ratio * below)}:{below}"
