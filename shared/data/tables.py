"""Tables of text from anywhere: .csv and .tsv files, plain or compressed, with columns under their usual names."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
from pandas.io.common import get_handle

from shared.files import size_in_words

LARGEST = 2 * 10**9  # bytes of a table when it is unpacked


def read_table(path: Path, encoding: str = "utf-8") -> pd.DataFrame:
    """A .csv or .tsv file with a header, all cells as text, empty ones as NaN. It may be compressed with gzip, bzip2,
    xz or zstandard, or be the only file in a .zip or .tar.

    Raises FileNotFoundError, or ValueError with one sentence, also where a row has more or fewer values than there are
    columns: such a file is cut off, or its commas are not all separators.
    """
    text = _read_text(path, encoding)
    tabs = ".tsv" in [suffix.lower() for suffix in path.suffixes]
    delimiter = "\t" if tabs else ","
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    if tabs and not (re.search(r'(^|\t)"', text, re.MULTILINE) and text.count('"') % 2 == 0):
        quoting = csv.QUOTE_NONE  # in a .tsv file quotes are characters, unless they are around cells
    try:
        _check_rows(text, delimiter, quoting)
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            quoting=quoting,
            keep_default_na=False,  # 'NA' and 'None' are words
            na_values=[""],
            dtype=str,  # a text of digits is a text
            index_col=False,
        )
    except (ValueError, csv.Error) as error:  # those of pandas are ValueErrors
        raise ValueError(f"{path} is not readable as a table: {' '.join(str(error).split())}") from None
    if frame.empty:
        raise ValueError(f"{path} has a header but no rows")
    return frame


def _read_text(path: Path, encoding: str) -> str:
    """The text of a file that may be compressed. Raises FileNotFoundError, or ValueError with one sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes)")
    try:
        with get_handle(path, "rb", compression="infer", is_text=False) as opened:
            content = opened.handle.read(LARGEST + 1)
    except Exception as error:  # what damaged and encrypted archives raise in the libraries is of many kinds
        raise ValueError(
            f"{path} is not readable as a table: {' '.join(str(error).split()) or type(error).__name__}"
        ) from None
    if len(content) > LARGEST:
        raise ValueError(f"{path} holds more than {size_in_words(LARGEST)} of text; divide it into several files")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError:
        raise ValueError(
            f"{path} is not text in {encoding}; save it in UTF-8, or name its encoding (cp1252, say)"
        ) from None
    except LookupError:
        raise ValueError(f"encoding {encoding} is not known; utf-8, cp1252 and latin-1 are usual") from None
    if binary := re.search("[\0\ud800-\udfff]", text):
        line = text.count("\n", 0, binary.start()) + 1
        raise ValueError(f"{path} is not a table of text: it holds binary data in line {line}")
    return text


def _check_rows(text: str, delimiter: str, quoting: Literal[0, 3]) -> None:
    """Raises ValueError where a name stands over two columns, or a row has more or fewer values than there are columns;
    pandas would rename the column and fill up the row."""
    csv.field_size_limit(2**31 - 1)  # a cell may be a book
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    header: list[str] = []
    first = 1
    for row in reader:
        if len(row) > 1 or "".join(row).strip():  # empty lines are passed over
            header = header or _checked_header(row)
            if len(row) != len(header):
                more = len(row) > len(header)
                hint = "a text with commas needs quotes" if more else "is the file cut off?"
                if reader.line_num > first:
                    hint = f"does the quote in line {first} never close?"
                raise ValueError(
                    f"line {reader.line_num} has {'more' if more else 'fewer'} values than columns "
                    f"({len(row)}, not {len(header)}); {hint}"
                )
        first = reader.line_num + 1


def _checked_header(names: list[str]) -> list[str]:
    if len(names) == 1 and ";" in names[0]:
        raise ValueError("its columns are divided by semicolons; save it with commas")
    if twice := [name for name, count in Counter(names).items() if name and count > 1]:
        raise ValueError(f"it has several columns called {twice[0]}")
    return names


def find_column(
    frame: pd.DataFrame, setting: str | None, name: str | None, usual: Sequence[str], path: Path, needed: bool = True
) -> str | None:
    """The column that is named, else the first one with a usual name. Raises ValueError that names those there are."""
    columns = [str(column) for column in frame.columns]
    for candidate in [name] if name else usual:
        found = [column for column in columns if column.strip().lower() == candidate.lower()]
        if candidate in found or len(found) == 1:
            return candidate if candidate in found else found[0]
        if found:
            raise ValueError(f"{path} has several columns called {candidate}: {', '.join(found)}")
    if name or needed:
        hint = f" (--{setting} names the right one)" if setting else ""
        raise ValueError(
            f"{path} has no column {name or ' or '.join(usual)}; its columns are {', '.join(columns)}{hint}"
        )
    return None


def read_days(values: pd.Series, path: Path) -> pd.Series:
    """A column of days or times as datetime64 without a time zone: 2014-01-31, 20140131, Jan 31 2014, or 31/01/2014 in
    one order of day and month for the whole column. What is no day becomes NaT.

    Raises ValueError if it cannot be told which number is the month, or the year.
    """
    text = values.fillna("").astype(str).str.strip()
    text = text.str.replace(r"(:\d\d(?:\.\d+)?)\s*(?:Z|UTC|[+-]\d\d:?\d\d)$", r"\1", regex=True)  # the place's own day
    if (short := text.str.match(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}(?!\d)")).any():
        raise ValueError(f"{path}: which number of {text[short].iloc[0]} is the year cannot be told; write 2014-01-31")
    numbers = text.str.extract(r"^(\d{1,2})([/.-])(\d{1,2})[/.-]\d{4}")
    first, second = pd.to_numeric(numbers[0]), pd.to_numeric(numbers[2])
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    if day_first and month_first:
        raise ValueError(f"{path}: some days are written day/month/year, others month/day/year")
    if not day_first and not month_first and (first != second)[first.notna()].any():
        if (numbers[1].dropna() != ".").any():
            example = text[first.notna()].iloc[0]
            raise ValueError(f"{path}: which number of {example} is the month cannot be told; write 2014-01-31")
        day_first = True  # with dots it is always the day that comes first
    compact = text.str.fullmatch(r"(?:19|20)\d{6}")
    days = pd.to_datetime(text.where(~compact), errors="coerce", format="mixed", dayfirst=day_first)
    return days.where(~compact, pd.to_datetime(text.where(compact), errors="coerce", format="%Y%m%d"))
