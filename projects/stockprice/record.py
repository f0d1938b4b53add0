"""What was recognised in prices, and which rows were left out: for messages and the summary of `train --check`."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from projects.stockprice.config import PriceTable
from shared.console import note
from shared.data.summary import named


@dataclass
class Record:
    """Filled while prices are read."""

    source: str = ""
    """The name of the only file; it is not repeated with every day."""
    columns: dict[str, str] = field(default_factory=dict)
    """What is read -> the column that it is read from, in the last file."""
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Reason -> the rows, days or tickers."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """What else there is to know -> the days or tickers it concerns."""

    def leave_out(self, reason: str, items: Iterable[str]) -> None:
        """Rows, days or tickers that are not used."""
        if items := list(items):
            self.left_out.setdefault(reason, []).extend(self._short(item) for item in items)

    def remark(self, text: str, items: Iterable[str]) -> None:
        """Something that was recognised or assumed, for days or tickers, if there are any."""
        if items := list(items):
            self.remarks.setdefault(text, []).extend(short for item in items if (short := self._short(item)))

    def _short(self, item: str) -> str:
        return item.removeprefix(self.source).strip()

    def lines(self) -> list[str]:
        """One line for each remark and reason."""
        remarks = [
            text + (f" ({f'{len(items)}: ' if len(items) > 3 else ''}{named(items)})" if items else "")
            for text, items in self.remarks.items()
        ]
        return remarks + [f"left out: {len(items)} {why} ({named(items)})" for why, items in self.left_out.items()]

    def say(self, source: object) -> None:
        """Print the lines on stderr."""
        for line in self.lines():
            note(f"{source}: {line}")


@dataclass(frozen=True)
class Ticker:
    """Whose prices are checked, how strictly, and where it is written down what was done."""

    name: str
    """The file's name, or in a table of several the ticker."""
    form: PriceTable
    record: Record

    def without(self, frame: pd.DataFrame, rows: pd.Series | np.ndarray, reason: str) -> pd.DataFrame:
        """The frame without some rows (T,), which are written down."""
        rows = np.asarray(rows)
        self.record.leave_out(reason, self._days(frame, rows))
        return frame[~rows]

    def remark(self, frame: pd.DataFrame, rows: pd.Series | np.ndarray, text: str) -> None:
        """Write down something about some rows (T,)."""
        self.record.remark(text, self._days(frame, np.asarray(rows)))

    def _days(self, frame: pd.DataFrame, rows: np.ndarray) -> list[str]:
        return [f"{self.name} {day:%Y-%m-%d}" for day in frame[rows].index]


def days_in_words(frame: pd.DataFrame) -> str:
    """`2024-01-31 and 3 other days`."""
    others = len(frame) - 1
    return f"{frame.index[0]:%Y-%m-%d}" + (f" and {others} other day{'s' if others > 1 else ''}" if others else "")
