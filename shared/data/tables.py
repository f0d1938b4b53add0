"""Tables of text from anywhere: .csv and .tsv files, plain or gzipped, with columns under their usual names."""

import csv
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd


def read_table(path: Path, encoding: str = "utf-8") -> pd.DataFrame:
    """A .csv or .tsv file with a header, all cells as text, empty ones as NaN.

    Raises FileNotFoundError, or ValueError with one sentence.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes)")
    tabs = ".tsv" in [suffix.lower() for suffix in path.suffixes]

    def read(quoting: Literal[0, 3]) -> pd.DataFrame:
        return pd.read_csv(
            path,
            sep="\t" if tabs else ",",
            encoding=encoding,
            quoting=quoting,
            keep_default_na=False,  # 'NA' and 'None' are words
            na_values=[""],
            dtype=str,  # a text of digits is a text
            index_col=False,
        )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # a value too many would be dropped
            frame = read(csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL)
            if tabs and _is_quoted(frame):
                frame = read(csv.QUOTE_MINIMAL)
    except pd.errors.ParserWarning:
        raise ValueError(
            f"{path} has rows with more values than columns; a text with commas needs quotes, and columns are divided "
            "by commas"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(
            f"{path} is not text in {encoding}; save it in UTF-8, or name its encoding (cp1252, say)"
        ) from None
    except LookupError:
        raise ValueError(f"encoding {encoding} is not known; utf-8, cp1252 and latin-1 are usual") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not readable as a table: {' '.join(str(error).split())}") from None
    if frame.empty:
        raise ValueError(f"{path} has a header but no rows")
    if len(frame.columns) == 1 and ";" in str(frame.columns[0]):
        raise ValueError(f"{path}: its columns are divided by semicolons; save it with commas")
    if any("\0" in str(name) for name in frame.columns):
        raise ValueError(f"{path} is not a table of text: it holds binary data")
    return frame


def _is_quoted(frame: pd.DataFrame) -> bool:
    """Whether quotes in a .tsv file, read as characters of their own, are around cells, as spreadsheets write them."""
    cells = [str(cell) for cell in frame.fillna("").to_numpy().ravel()]
    return any(cell.startswith('"') for cell in cells) and sum(cell.count('"') for cell in cells) % 2 == 0


def find_column(
    frame: pd.DataFrame, setting: str | None, name: str | None, usual: Sequence[str], path: Path, needed: bool = True
) -> str | None:
    """The column that is named, else the first one with a usual name. Raises ValueError that names those there are."""
    by_lower = {str(column).strip().lower(): str(column) for column in frame.columns}
    for candidate in [name] if name else usual:
        if candidate.lower() in by_lower:
            return by_lower[candidate.lower()]
    if name or needed:
        hint = f" (--{setting} names the right one)" if setting else ""
        raise ValueError(
            f"{path} has no column {name or ' or '.join(usual)}; its columns are {', '.join(by_lower.values())}{hint}"
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
