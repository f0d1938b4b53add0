"""Layouts of price tables: what their columns are called, where tickers stand, and adjusted prices -> numbers by stamp.

Usual names are data (column_names.py). What is not usual is named by `data.columns`.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from projects.stockprice.column_names import FIELDS, KEYS, NAMES
from projects.stockprice.config import PRICES, PriceTable
from projects.stockprice.record import Record
from shared.console import note
from shared.data.summary import named as listing
from shared.data.tables import find_column, plain_name, read_table
from shared.data.values import MISSING, decimal_mark, read_days, read_numbers
from shared.names import shown

DAY = re.compile(r"\d{4}[-./]?\d\d[-./]?\d\d|\d{1,2}[-./](\d{1,2}|[A-Za-z]{3,9})[-./]\d{2,4}|\d{10}|\d{13}|\d{16}")
QUALIFIERS = ("prev", "previous", "adj", "adjusted")
BINANCE = ["close time", "quote volume", "trades", "taker volume", "taker quote volume", "ignore"]
SETTING = "data.columns '{{{field}: NAME}}'"


def read_columns(path: Path, form: PriceTable, record: Record) -> pd.DataFrame:
    """A table of prices in any layout -> ticker (empty: not said), stamp, close, and mostly open, high, low, volume.

    Prices are adjusted where the table has adjusted ones. Raises ValueError with one sentence.
    """
    table = read_table(path, form, headerless)
    table = by_ticker(table, form)
    again = table.columns.duplicated()
    table.columns = [f"{name} (again)" if twice else name for name, twice in zip(table.columns, again)]
    if again.any():
        table = table.loc[:, ~table.columns.duplicated()]
        note(f"{path}: of columns with one name the first is used: {listing([str(c) for c in table.columns], 20)}")
    found = find_columns(table, path, form)
    record.columns = found
    prices = [field for field in found if field not in ("date", "ticker", "clock")]
    events = pd.Series(False, table.index)
    for values in (table[found[field]].dropna() for field in prices):
        if len(words := values[pd.to_numeric(values, errors="coerce").isna()]):
            events[words.index] |= words.str.contains(r"(?i)dividend|split")
    record.leave_out("rows that tell of a dividend or split", table.loc[events, found["date"]].map(shown))
    table = table[~events].reset_index(drop=True)
    if table.empty:
        raise ValueError(f"{path} has no rows of prices")
    stamps = read_stamps(table, found, path, form)
    numbers = _numbers({field: table[found[field]] for field in prices}, path, form)
    unread = stamps.isna()
    empty = unread & numbers.isna().all(axis=1)
    record.leave_out("rows without day and price", table.loc[empty, found["date"]].fillna("blank").map(shown))
    if (unread & ~empty).any() and form.damaged != "leave-out":
        row = int(np.argmax(unread & ~empty))
        raise ValueError(
            f"{path}: {shown(table[found['date']].iloc[row])!r} in row {row + 1} of {shown(found['date'])} is not a "
            "date; --data.columns '{date: NAME}' names another column, --data.damaged leave-out leaves such rows out"
        )
    record.leave_out("rows without a date", table.loc[unread & ~empty, found["date"]].fillna("blank").map(shown))
    ticker = table[found["ticker"]].str.strip() if "ticker" in found else pd.Series("", table.index)
    record.leave_out("rows without a ticker", table.loc[ticker.isna(), found["date"]].fillna("blank").map(shown))
    frame = adjusted(numbers, path, record, form.inputs).assign(ticker=ticker, stamp=stamps)
    return frame[~unread & ticker.notna()]


# --- columns


def find_columns(table: pd.DataFrame, path: Path, form: PriceTable) -> dict[str, str]:
    """What is read -> its column: those of `data.columns`, the others by their usual names."""
    if unknown := sorted(set(form.columns) - {"date", "ticker", *PRICES, "volume"}):
        raise ValueError(
            f"data.columns: unknown {', '.join(unknown)}; known are date, ticker, {', '.join(PRICES)}, volume"
        )
    names = [str(column) for column in table.columns]
    if not form.columns and form.header == "auto" and sum(bool(re.fullmatch(r"[-+\d.,:/ ]+", n)) for n in names) > 1:
        others = "open: 2, high: 3, low: 4, close: 5" if len(names) > 4 else "close: 2"
        raise ValueError(
            f"{path} has no header: its first row is {', '.join(map(shown, names[:6]))}; say which are which: "
            f"--data.header none --data.columns '{{date: 1, {others}}}'"
        )
    found = {}
    for field in NAMES:
        if field in form.columns:
            found[field] = str(find_column(table, SETTING.format(field=field), form.columns[field], (), path))
        elif column := _usual(names, field, path):
            found[field] = column
    found = {
        field: column for field, column in found.items() if field in form.columns or column not in form.columns.values()
    }
    for name in form.inputs:
        if matches := [column for column in names if plain_name(column) == plain_name(name)]:
            found.setdefault(name, matches[0])
    listed = listing(names, 20)
    if "date" not in found:
        raise ValueError(
            f"{path} has no column date; its columns are {listed} (--data.columns '{{date: NAME}}' names it)"
        )
    clock = [n for n in names if plain_name(n) == "time" and n != found["date"] and "date" not in form.columns]
    if clock:
        found["clock"] = clock[0]
    if "close" not in found and "adjusted close" in found:
        found["close"] = found.pop("adjusted close")
    others = [n for n in names if n not in found.values()]
    if "close" not in found and len(others) == 1:
        found["close"] = others[0]
        note(f"{path}: its only column of numbers, {shown(others[0])}, is taken for the close")
    if "close" not in found:
        example = others[0] if others else "NAME"
        raise ValueError(
            f"{path} has no column close; its columns are {listed} (--data.columns '{{close: {shown(example)}}}' or "
            f"another of them names it{'' if 'high' in found else '; with --task price, which needs no high and low'})"
        )
    for one, other in (("high", "low"), ("low", "high")):
        if one in found and other not in found:
            note(f"{path}: no column {other} among {listed}; so {found.pop(one)} is not used")
    return found


def _usual(names: list[str], field: str, path: Path) -> str | None:
    """The first of the columns that has a usual name of what is read; units and numbers around it do not matter."""
    plain = [plain_name(name) if name else "" for name in names]
    bare = [plain_name(_bare(name)) if name else "" for name in names]
    for usual in NAMES[field]:
        for keys in (plain, bare):
            matches = [name for name, key in zip(names, keys) if key == (plain_name(usual) if usual else "")]
            if len(matches) == 1 or (matches and field in ("volume", "date")):
                return matches[0]
            if matches:
                raise ValueError(
                    f"{path} has several columns that may be {field}: {', '.join(map(shown, matches))}; "
                    f"--data.columns '{{{field}: NAME}}' names one, if they differ in their names"
                )
    if field == "volume":
        return next((name for name, key in zip(names, plain) if key.startswith("vol")), None)
    return None


def _bare(name: str) -> str:
    """`1. open`, `24h Open (USD)`, `Close USDT` -> `open`, `Open`, `Close`."""
    name = re.sub(r"[(\[].*?[)\]]", "", name)
    name = re.sub(r"^\d+\w?\.\s*|^\d+h\s+|^\w+:\s*(?=\w)", "", name.strip())
    return re.sub(r"(?i)[\s_]+(usdt?|eur|gbp|inr|rs\.?)$", "", name)


def by_ticker(table: pd.DataFrame, form: PriceTable) -> pd.DataFrame:
    """A wide table of several tickers as a long one: yfinance's header rows, `Close_AAPL`, `AAPL.Close`."""
    names, first = [str(c) for c in table.columns], table.iloc[0]
    words = [str(cell) for cell in first.iloc[1:] if isinstance(cell, str)]
    if len(words) == len(names) - 1 > 1 and not any(re.search(r"\d", w) and _is_number(w) for w in words):
        pair = [re.sub(r"\.\d+$", "", name) for name in names[1:]], words
        fields, tickers = pair if sum(plain_name(n) in KEYS for n in pair[0]) > 1 else pair[::-1]
        if sum(plain_name(n) in KEYS for n in fields) > 1:
            body = table.iloc[1:]
            third = body.iloc[:1].iloc[:, 1:].isna().all(axis=None) and not body.empty
            return _long(body.iloc[1:] if third else body, list(zip(fields, tickers)))
    plain = {KEYS.get(plain_name(n)) for name in names for n in (name, _bare(name))}
    if form.columns or plain & {"close", "adjusted close"}:
        return table
    pairs = [_field_and_ticker(name) for name in names]
    if any(pair and KEYS[plain_name(pair[0])].endswith("close") for pair in pairs):
        return _long(table, pairs[1:]) if pairs[0] is None else table
    return table


def _is_number(word: str) -> bool:
    return bool(re.fullmatch(r"[-+$€£]?[\d.,\s]+%?[KMB]?", word))


def _field_and_ticker(name: str) -> tuple[str, str] | None:
    """`Close_AAPL`, `AAPL.Close`, `('Close', 'AAPL')` -> ("Close", "AAPL")."""
    if pair := re.fullmatch(r"\('(.+?)', '(.+?)'\)", name):
        candidates: Iterable[tuple[str, ...]] = [(pair[1], pair[2])]
    else:
        splits = [cut for mark in "_./- |" for cut in (name.rsplit(mark, 1), name.split(mark, 1))]
        candidates = [(cut[0].strip(), cut[1].strip()) for cut in splits if len(cut) == 2]
    found = [
        (field, ticker)
        for one, other in candidates
        for field, ticker in ((one, other), (other, one))
        if plain_name(field) in FIELDS and ticker and plain_name(ticker) not in ("prev", "previous", "adj", "adjusted")
    ]
    return max(found, key=lambda pair: len(pair[0]), default=None)  # of AAPL_Adj_Close the field is Adj_Close


def _long(table: pd.DataFrame, pairs: list[tuple[str, str] | None]) -> pd.DataFrame:
    """A column of days and one of each (field, ticker) -> rows of ticker, date and fields; a ticker's empty rows go."""
    parts = []
    for ticker in dict.fromkeys(pair[1] for pair in pairs if pair):
        fields = {number: pair[0] for number, pair in enumerate(pairs, 1) if pair and pair[1] == ticker}
        part = table.iloc[:, list(fields)].dropna(how="all")
        part.columns = pd.Index(fields.values())
        part.insert(0, "date", table.iloc[:, 0][part.index])
        parts.append(part.assign(ticker=ticker))
    return pd.concat(parts, ignore_index=True)


def headerless(first: list[str]) -> list[str] | None:
    """The columns of a table without a header, by its first row: days, perhaps a time, then open, high, low and close
    (Binance, MetaTrader, histdata, Kraken), or the close alone."""
    cells = [cell.strip() for cell in first]
    names = ["ticker"] if len(cells) > 5 and re.fullmatch(r"[A-Za-z][\w.^=-]*", cells[0]) else []
    if len(cells) < 2 or not DAY.fullmatch(re.split(r"[ T]", cells[len(names)])[0]):
        return None
    names.append("date")
    if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?|000000", cells[len(names)]):
        names.append("time")
    try:
        numbers = [float(cell) for cell in cells[len(names) :]]
    except ValueError:
        return None
    if len(numbers) == 1:
        return [*names, "close"]
    if len(numbers) < 4 or numbers[1] < max(numbers[:4]) or numbers[2] > min(numbers[:4]):
        return None
    names += [*PRICES, "volume"][: len(numbers)]
    extra = len(cells) - len(names)
    return names + (
        BINANCE[:extra] if extra == len(BINANCE) else [f"column {len(names) + n}" for n in range(1, extra + 1)]
    )


# --- days and numbers


def read_stamps(table: pd.DataFrame, found: dict[str, str], path: Path, form: PriceTable) -> pd.Series:
    """The day or time of every row, NaT where there is none. Days that in UTC begin the evening before are put right.

    Midnight in Tokyo is 15:00 in UTC: as written, daily bars would run from Sunday to Thursday.
    """
    text = table[found["date"]].fillna("").str.strip()
    stamps = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")  # the usual case, and much faster
    if stamps.notna().all() and "clock" not in found:
        return stamps
    stamps = read_days(text, path, form)
    if "clock" in found:
        together = read_days(text + " " + table[found["clock"]].fillna("").str.strip(), path, form)
        stamps = together.where(together.notna(), stamps)
    utc = text.str.contains(r"(?:Z|UTC|GMT|\+00:?00)$") | text.str.fullmatch(r"\d{10}|\d{13}|\d{16}(?:\.0*)?")
    late = utc & (stamps.dt.hour >= 12)
    weekday = stamps[late].dt.dayofweek
    one_a_day = stamps[late].dt.normalize().nunique() > 0.5 * late.sum() / max(1, _tickers(table, found))
    if late.any() and one_a_day and weekday.isin([5, 6]).mean() > 0.1 and (weekday == 4).mean() < 0.02:
        example = text[late].iloc[0]
        stamps = stamps.where(~late, stamps.dt.normalize() + pd.Timedelta(days=1))
        note(f"{path}: its days begin on the evening before in UTC: {example} is {stamps[late].iloc[0]:%A, %Y-%m-%d}")
    return stamps


def _tickers(table: pd.DataFrame, found: dict[str, str]) -> int:
    return int(table[found["ticker"]].nunique()) if "ticker" in found else 1


def _numbers(columns: dict[str, pd.Series], path: Path, form: PriceTable) -> pd.DataFrame:
    """Text as numbers, with the decimal mark that all prices tell together. A volume that is not a number is NaN."""
    quick = {field: pd.to_numeric(values, errors="coerce") for field, values in columns.items()}
    slow = [f for f, values in columns.items() if form.decimal == "comma" or _unread(values, quick[f])]
    prices = [values for field, values in columns.items() if field != "volume"]
    mark = decimal_mark(prices, str(path), form) if slow else "point"
    slow = list(columns) if mark == "comma" else slow  # 1.234 is a thousand also where plain reading would take it
    numbers = {}
    for field, values in columns.items():
        try:
            numbers[field] = (
                read_numbers(values, f"{path}, column {field}", form, mark) if field in slow else quick[field]
            )
        except ValueError:
            if field != "volume" or field in form.inputs:
                raise
            numbers[field] = np.nan
            note(f"{path}: its volume is not numbers and is not used")
    return pd.DataFrame(numbers)


def _unread(values: pd.Series, numbers: pd.Series) -> bool:
    """Whether text is left that plain reading does not take for a number."""
    rest = values[numbers.isna()].dropna()
    return not rest.empty and not rest.str.strip().str.lower().isin(MISSING).all()


def adjusted(numbers: pd.DataFrame, path: Path, record: Record, inputs: Sequence[str]) -> pd.DataFrame:
    """Open, high, low and close adjusted for splits and dividends: the adjusted columns if all are there, else the raw
    ones times adjusted close / close. With volume and `inputs` where there are such columns."""
    fields = [field for field in PRICES if field in numbers]
    kept = dict.fromkeys((*fields, "volume", *inputs))
    frame = numbers[[field for field in kept if field in numbers]].copy()
    if all(f"adjusted {field}" in numbers for field in fields):
        record.remark("prices adjusted for splits and dividends are used, not the raw ones beside them", [path.name])
        return frame.assign(**{field: numbers[f"adjusted {field}"] for field in fields})
    if "adjusted close" in numbers and not numbers["adjusted close"].equals(numbers["close"]):
        factor = numbers["adjusted close"] / numbers["close"].where(numbers["close"] > 0)
        if (factor - 1).abs().max() > 1e-4:
            record.remark(
                "open, high, low and close are scaled by adjusted close / close (splits and dividends)", [path.name]
            )
            frame[fields] = frame[fields].mul(factor, axis=0)
    return frame
