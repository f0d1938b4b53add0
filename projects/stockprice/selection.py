"""Which tickers are used and from when on: those with enough days, and with a range where it is needed."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from projects.stockprice.config import DataConfig
from projects.stockprice.record import Record
from projects.stockprice.sources import Prices, load_prices
from shared.console import note
from shared.data.summary import named

MIN_FIT_DAYS = 250  # days that networks and baselines need before the first refit
SAMPLE_TEST_START = date(2010, 1, 1)


def select(config: DataConfig, needed: int, one_ticker: bool, record: Record) -> tuple[DataConfig, Prices]:
    """The prices of every ticker with so many days, and the settings, with the variance that is measured.

    one_ticker: for forecasts of the price, which need closes only. Raises ValueError with one sentence.
    """
    frames = load_prices(config, record)
    for name, count in [(name, len(frame)) for name, frame in frames.items() if len(frame) < needed]:
        way = "get a longer file"
        if count > MIN_FIT_DAYS + 10:
            way = f"--model.volatility_window {count - 60} needs fewer"
        reason = f"{name} is too short: {count} days, but at least {needed} are needed; {way}"
        leave_out(name, [other for other in frames if other not in config.auxiliary_tickers], reason, config, record)
        del frames[name]
    tickers = [name for name in frames if name not in config.auxiliary_tickers]
    if one_ticker and len(tickers) > 1:
        raise ValueError(
            f"task price needs one ticker, not {len(tickers)} ({named(tickers, 5)}); name it with data.tickers: "
            f"--data.tickers '[{tickers[0]}]'"
        )
    closes_only = [name for name, frame in frames.items() if "high" not in frame]
    measured = config.variance
    if measured != "returns" and closes_only:
        _refuse_closes(closes_only, len(frames), one_ticker, config)
        measured = "returns"
    elif measured == "auto":
        measured = "range"
    if measured == "returns":
        frames = {name: frame[["close", *config.inputs]] for name, frame in frames.items()}
    return config.model_copy(update={"variance": measured}), frames


def leave_out(name: str, tickers: Sequence[str], reason: str, config: DataConfig, record: Record) -> None:
    """Leave out a ticker of several, but not one that a setting names. Raises ValueError with the reason."""
    if len(tickers) < 2 or name in (*config.tickers, *config.auxiliary_tickers):
        raise ValueError(reason)
    record.leave_out("tickers", [reason.split(";")[0]])


def _refuse_closes(closes_only: Sequence[str], tickers: int, one_ticker: bool, config: DataConfig) -> None:
    """Raise ValueError where closes alone do not suffice, else say how variance is measured then."""
    source = config.root or config.source
    of = "" if len(closes_only) == tickers else f" of {', '.join(closes_only[:5])}"
    if not one_ticker or config.variance == "range":
        way = "in a new training, " if config.variance == "range" else "--task price does not need them, and "
        raise ValueError(
            f"{source} has no high and low{of} (--data.columns '{{high: NAME, low: NAME}}' names them), from which "
            f"volatility is measured; {way}with --data.variance returns it is measured by squared returns (less "
            "precisely), for --task volatility or interval"
        )
    note(f"{source}: no high and low{of}; variance is measured by squared returns")


def usual_test_start(config: DataConfig, days: np.ndarray) -> date:
    """The first of the last fifth of these days (N,), but at least MIN_FIT_DAYS after the first one."""
    if config.source == "sample":
        return SAMPLE_TEST_START
    if config.test_end:
        days = days[days <= np.datetime64(config.test_end)]
    if len(days) <= MIN_FIT_DAYS + 1:
        raise ValueError(
            f"there are {len(days)} days, but networks and baselines need {MIN_FIT_DAYS} before the first test day"
        )
    start = days[max(len(days) * 4 // 5, MIN_FIT_DAYS)]
    if config.split == "walk_forward":
        note(f"test days begin on {start}, with the last fifth of the days (--data.test_start names another day)")
    return start.item()
