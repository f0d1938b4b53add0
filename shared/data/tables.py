"""Tables of text from anywhere: .csv and .tsv files, plain or gzipped, with columns under their usual names."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def read_table(path: Path, encoding: str = "utf-8") -> pd.DataFrame:
    """A .csv or .tsv file with a header. Raises FileNotFoundError, or ValueError with one sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes)")
    tabs = ".tsv" in path.suffixes
    try:
        frame = pd.read_csv(
            path,
            sep="\t" if tabs else ",",
            encoding=encoding,
            quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
            keep_default_na=False,  # 'NA' and 'None' are words
            na_values=[""],
        )
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in {encoding}; name another encoding (cp1252, say)") from None
    except LookupError:
        raise ValueError(f"encoding {encoding} is not known; utf-8, cp1252 and latin-1 are usual") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError, EOFError) as error:
        raise ValueError(f"{path} is not readable as a table: {' '.join(str(error).split())}") from None
    if frame.empty:
        raise ValueError(f"{path} has a header but no rows")
    if any("\0" in str(name) for name in frame.columns):
        raise ValueError(f"{path} is not a table of text: it holds binary data")
    return frame


def find_column(
    frame: pd.DataFrame, setting: str, name: str | None, usual: Sequence[str], path: Path, needed: bool = True
) -> str | None:
    """The column that is named, else the first one with a usual name. Raises ValueError that names those there are."""
    by_lower = {str(column).strip().lower(): str(column) for column in frame.columns}
    for candidate in [name] if name else usual:
        if candidate.lower() in by_lower:
            return by_lower[candidate.lower()]
    if name or needed:
        raise ValueError(
            f"{path} has no column {name or ' or '.join(usual)}; its columns are {', '.join(by_lower.values())} "
            f"(--{setting} names the right one)"
        )
    return None
