"""Tables as people have them (CSV in any dialect, JSON, Parquet, Excel, compressed or not) -> a frame of text.

What is recognised and not written down in the file (encoding, delimiter, title lines) is said on stderr. What would be
a guess is refused with the setting that decides it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import pandas as pd

from shared.console import note
from shared.data.config import TableFormat
from shared.data.delimited import Rows, delimited_rows
from shared.data.encodings import decode, read_bytes, unreadable
from shared.data.structured import SPREADSHEETS, json_table, parquet_table, spreadsheet_rows
from shared.names import shown

COMPRESSED = {".gz", ".bz2", ".xz", ".zst", ".zip", ".tar"}
SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods"}
"""Names of files that `read_table` reads, before a suffix of `COMPRESSED`."""
MAX_RAGGED = 0.05
"""Fraction of the rows that may have more or fewer values than there are columns; they are left out and named."""
AUTO = TableFormat()
Headerless = Callable[[list[str]], list[str] | None]


def is_table(path: Path) -> bool:
    """Whether the name of a file is that of a table: `prices.csv`, `reviews.json.gz`, `reviews.xlsx`."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return bool(suffixes) and (suffixes[-1] in SUFFIXES or (suffixes[-1] in COMPRESSED and suffixes[0] in SUFFIXES))


def read_table(
    path: Path,
    form: TableFormat = AUTO,
    headerless: Headerless = lambda _: None,
    last_is_text: bool | Callable[[list[str]], bool] = False,
) -> pd.DataFrame:
    """A table with all cells as text and empty ones as NaN. Lists and objects in JSON cells are JSON text.

    headerless: the column names of a well-known layout without a header, by its first row, or None.
    last_is_text: values beyond the last column belong to its text, whose commas were written without quotes; or a
    function that says so of the first row.

    Raises FileNotFoundError, or ValueError with one sentence.
    """
    content = read_bytes(path)
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in COMPRESSED), "")
    if suffix in SPREADSHEETS:
        rows = spreadsheet_rows(content, path)
    elif content.startswith(b"PAR1"):
        return _non_empty(parquet_table(content, path), path)
    else:
        text = decode(content, path, form.encoding)
        if text.lstrip()[:1] in ("{", "["):
            return _non_empty(json_table(text, path), path)
        if text.lstrip()[:1] == "<" and re.match(r"\s*<(\?xml|!doctype|html)", text, re.IGNORECASE):
            raise ValueError(f"{path} is {'XML' if '<?xml' in text[:200] else 'a web page'}, not a table")
        rows = delimited_rows(text, path)
    return _non_empty(_with_header(rows, path, form, headerless, last_is_text), path)


def _non_empty(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        raise ValueError(f"{path} has a header but no rows")
    return frame


def _with_header(
    rows: Rows, path: Path, form: TableFormat, headerless: Headerless, last_is_text: bool | Callable[[list[str]], bool]
) -> pd.DataFrame:
    """Rows as a frame: below title lines, under their header, each with one value for each column."""
    last_is_text = last_is_text(rows[0][1]) if callable(last_is_text) else last_is_text
    widths = Counter(len(row) for _, row in rows)
    width = max(widths, key=lambda w: (widths[w], w))
    while rows and all(row[-1:] == [""] for _, row in rows if len(row) == width) and width > 1:  # trailing delimiters
        rows, width = [(line, row[:-1] if len(row) == width else row) for line, row in rows], width - 1
    start = next((n for n, (_, row) in enumerate(rows[:30]) if len(row) == width), 0)
    if last_is_text and len(rows[0][1]) > 1:
        start, width = 0, len(rows[0][1])
    if start == 1 and 1 < len(rows[0][1]) == width - 1:
        start, width = 0, width - 1  # rows with one value more than the header are ragged, not titled
    if start:
        titles = " ".join(shown(" ".join(row)) for _, row in rows[:start])
        note(f"{path}: {start} title line{'s' if start > 1 else ''} above the header: {titles[:120]}")
    first = rows[start][1]
    names = [f"{n}" for n in range(1, width + 1)] if form.header == "none" else headerless(first)
    if names is not None and form.header == "auto":
        note(f"{path}: no header; its columns are {', '.join(names)}")
    body = rows[start if names is not None else start + 1 :]
    header = names or [name.strip().strip("\ufeff") for name in first]
    if names is None and not any(header):
        raise unreadable(path, f"line {rows[start][0]} must be the header, but it is empty")
    frame = pd.DataFrame(_of_one_width(body, len(header), path, last_is_text), columns=header, dtype=str)
    return frame.mask(frame.isin([""]))


def _of_one_width(rows: Rows, width: int, path: Path, last_is_text: bool) -> list[list[str]]:
    """The values of all rows with `width` of them. A few others are left out and named; many raise ValueError."""
    kept: list[list[str]] = []
    ragged: Rows = []
    joined = 0
    for line, row in rows:
        if len(row) > width and not any(row[width:]):
            row = row[:width]  # delimiters at the end of a line
        if len(row) > width and last_is_text:
            row, joined = [*row[: width - 1], ",".join(row[width - 1 :])], joined + 1
        if len(row) == width:
            kept.append(row)
            continue
        ragged.append((line, row))
        if any("\n" in cell or "\r" in cell for cell in row):
            raise unreadable(path, f"does the quote in line {line} never close?")
    if joined:
        note(f"{path}: {joined} rows have commas without quotes in the last column; they are read as part of its text")
    if len(ragged) > MAX_RAGGED * len(rows):
        line, row = ragged[0]
        more = len(row) > width
        raise unreadable(
            path,
            f"line {line} has {'more' if more else 'fewer'} values than columns ({len(row)}, not {width}); "
            + ("a text with commas needs quotes" if more else "is the file cut off?"),
        )
    if ragged:
        lines = ", ".join(str(line) for line, _ in ragged[:5]) + (", ..." if len(ragged) > 5 else "")
        note(f"{path}: left out: {len(ragged)} rows with more or fewer values than the {width} columns (line {lines})")
    return kept


@lru_cache(10_000)
def plain_name(name: str) -> str:
    """A column's name without case, accents, blanks, dots and underscores.

    >>> plain_name("Review Text"), plain_name("reviewText"), plain_name("<OPEN>"), plain_name("Qualité")
    ('reviewtext', 'reviewtext', 'open', 'qualite')
    """
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in letters if c.isalnum()) or name.strip()


def find_column(
    frame: pd.DataFrame, setting: str | None, name: str | None, usual: Sequence[str], path: Path, needed: bool = True
) -> str | None:
    """The column that is named, else the first one with a usual name; `Review Text` and `review_text` are one name.

    Raises ValueError that names those there are.
    """
    columns = [str(column) for column in frame.columns]
    for candidate in [name] if name else usual:
        found = [column for column in columns if column == candidate]
        found = found or [column for column in columns if plain_name(column) == plain_name(candidate)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"{path} has several columns called {candidate}: {', '.join(map(shown, found))}")
    if name or needed:
        hint = f" (--{setting} names the right one)" if setting else ""
        listed = ", ".join(shown(column) for column in columns)
        if name is None and len(usual) > 8:
            usual = [*usual[:8], "..."]
        raise ValueError(f"{path} has no column {name or ' or '.join(usual)}; its columns are {listed}{hint}")
    return None
