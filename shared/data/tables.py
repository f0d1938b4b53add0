"""Tables as people have them (CSV in any dialect, JSON, Parquet, Excel, compressed or not) -> a frame of text.

What is recognised and not written down in the file (encoding, delimiter, title lines) is said on stderr. What would be
a guess is refused with the setting that decides it.
"""

import ast
import codecs
import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import charset_normalizer
import numpy as np
import pandas as pd
from pandas.io.common import get_handle

from shared.console import note
from shared.data.config import TableFormat
from shared.files import size_in_words
from shared.names import one_line, shown

LARGEST = 2 * 10**9  # bytes of a table when it is unpacked
DELIMITERS = ",;\t|"
COMPRESSED = {".gz", ".bz2", ".xz", ".zst", ".zip", ".tar"}
SUFFIXES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods"}
"""Names of files that `read_table` reads, before a suffix of `COMPRESSED`."""
SPREADSHEETS = {".xlsx", ".xlsm", ".xls", ".ods"}
MAX_RAGGED = 0.05
"""Fraction of the rows that may have more or fewer values than there are columns; they are left out and named."""
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
         codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
"""Byte order marks, the longer ones first."""
SCRIPTS = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
"""Encodings of languages that are not written in Latin letters."""
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
        rows = _spreadsheet_rows(content, path)
    elif content.startswith(b"PAR1"):
        return _non_empty(_parquet(content, path), path)
    else:
        text = decode(content, path, form.encoding)
        if text.lstrip()[:1] in ("{", "["):
            return _non_empty(_json_table(text, path), path)
        if text.lstrip()[:1] == "<" and re.match(r"\s*<(\?xml|!doctype|html)", text, re.IGNORECASE):
            raise ValueError(f"{path} is {'XML' if '<?xml' in text[:200] else 'a web page'}, not a table")
        rows = _delimited_rows(text, path)
    return _non_empty(_with_header(rows, path, form, headerless, last_is_text), path)


def _non_empty(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        raise ValueError(f"{path} has a header but no rows")
    return frame


def read_bytes(path: Path) -> bytes:
    """The content of a file that may be compressed. Raises FileNotFoundError, or ValueError with one sentence."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty (0 bytes)")
    try:
        with get_handle(path, "rb", compression="infer", is_text=False) as opened:
            content = opened.handle.read(LARGEST + 1)
    except Exception as error:  # what damaged and encrypted archives raise in the libraries is of many kinds
        raise _unreadable(path, error) from None
    if len(content) > LARGEST:
        raise ValueError(f"{path} holds more than {size_in_words(LARGEST)} of text; divide it into several files")
    return content


def _unreadable(path: Path, error: object) -> ValueError:
    return ValueError(f"{path} is not readable as a table: {one_line(error, 300)}")


def decode(content: bytes, path: Path, encoding: str | None = None) -> str:
    """Text in the given encoding, else by its byte order mark, as UTF-8, or in the encoding that is detected and said.

    Raises ValueError with one sentence.
    """
    mark = next((name for bom, name in MARKS.items() if content.startswith(bom)), None)
    detected = encoding or mark or "utf-8"
    try:
        text = content.decode(detected)
    except UnicodeError as error:
        if encoding or mark:
            raise ValueError(
                f"{path} is not text in {detected}; save it in UTF-8, or name its encoding with --data.encoding"
            ) from None
        detected = _detect(content, path, error)
        text = content.decode(detected)
        note(f"{path}: not UTF-8, read as {detected} (--data.encoding names another)")
    except LookupError:
        raise ValueError(f"encoding {encoding} is not known; utf-8, cp1252 and latin-1 are usual") from None
    text = text.removeprefix("\ufeff")
    if binary := re.search("[\0\ud800-\udfff]", text):
        line = text.count("\n", 0, binary.start()) + 1
        raise ValueError(f"{path} is not a table of text: it holds binary data in line {line}")
    return text


def _detect(content: bytes, path: Path, error: UnicodeError) -> str:
    """The likely encoding of text that is not UTF-8. Raises ValueError where it is UTF-8 but for a few bytes."""
    valid = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", content))
    broken = content.decode("utf-8", errors="replace").count("\ufffd")
    if valid > 4 * broken:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise ValueError(f"{path} is UTF-8, but {broken} characters are damaged, the first in line {line}")
    foreign, letters = len(re.findall(rb"[\x80-\xff]", content)), len(re.findall(rb"[A-Za-z]", content))
    if foreign > letters / 3:
        best = charset_normalizer.from_bytes(content[:100_000], cp_isolation=SCRIPTS).best()
        return best.encoding if best else "latin_1"
    try:  # an accent here and there
        content.decode("cp1252")
        return "cp1252"
    except UnicodeError:
        return "latin_1"


# --- text with delimiters

Rows = list[tuple[int, list[str]]]
"""The rows of a file that are not blank, each with the number of its line, from 1 on."""


def _delimited_rows(text: str, path: Path) -> Rows:
    """The rows of delimited text. Raises ValueError for quotes that never close."""
    first = re.match(r'"?sep=(.)"?[ \t]*(?:\r\n|\r|\n)', text)
    skipped = 0
    if first:  # Excel's own way to name the delimiter
        text, skipped = text[first.end() :], 1
    delimiter = first[1] if first else _delimiter(text, "\t" if ".tsv" in path.name.lower() else ",")
    usual = delimiter == ("\t" if ".tsv" in path.name.lower() else ",")
    if not usual and not first:
        names = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", ",": "commas"}
        note(f"{path}: its columns are divided by {names[delimiter]}")
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL
    if delimiter == "\t" and not (re.search(r'(^|\t)"', text, re.MULTILINE) and text.count('"') % 2 == 0):
        quoting = csv.QUOTE_NONE  # between tabs quotes are characters, unless they are around cells
    first_end = rf"[^\r\n{re.escape(delimiter)}]*{re.escape(delimiter)} "
    spaces = delimiter != "\t" and bool(re.match(first_end, text))  # as in `image| comment`
    csv.field_size_limit(2**31 - 1)  # a cell may be a book
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, skipinitialspace=spaces)
    rows: Rows = []
    line = 1 + skipped
    try:
        for row in reader:
            if len(row) > 1 or "".join(row).strip():
                rows.append((line, row))
            line = reader.line_num + 1 + skipped
    except csv.Error as error:
        raise _unreadable(path, error) from None
    if not rows:
        raise _unreadable(path, "it has no rows")
    if quoting == csv.QUOTE_MINIMAL and text.count('"') % 2 and "\n" in rows[-1][1][-1]:
        return _without_cut_row(rows, delimiter, path)
    return rows


def _without_cut_row(rows: Rows, delimiter: str, path: Path) -> Rows:
    """Rows without the last one, whose quote never closes because the file is cut off inside a text.

    Raises ValueError where it has swallowed other rows: where its lines look like rows.
    """
    line, row = rows[-1]
    widths = Counter(len(row) for _, row in rows[:-1])
    lines = [part for part in row[-1].splitlines()[1:] if part.strip()]
    like_rows = sum(len(next(csv.reader([part], delimiter=delimiter))) in widths for part in lines)
    if not widths or like_rows * 2 > len(lines):
        raise _unreadable(path, f"does the quote in line {line} never close?")
    note(f"{path}: left out: the last row (line {line}), which is cut off inside a quoted text")
    return rows[:-1]


def _delimiter(text: str, usual: str) -> str:
    """The delimiter by which most of the first rows have the same number of values, at least two."""

    def score(delimiter: str) -> tuple[float, bool, int]:
        lines = io.StringIO(text[:200_000], newline="")
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            widths = Counter(len(row) for row, _ in zip(reader, range(200)) if row)
        except csv.Error:
            return 0, False, 0
        width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]), default=(1, 0))
        return (count / sum(widths.values()) if width > 1 else 0), delimiter == usual, width

    scores = {delimiter: score(delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    header = text.lstrip().split("\n", 1)[0]
    if scores[best][0] < 0.9 and usual in header:  # unquoted delimiters in texts: the header decides
        return max(DELIMITERS, key=lambda delimiter: (header.count(delimiter), delimiter == usual))
    return best if scores[best][0] else usual


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
        raise _unreadable(path, f"line {rows[start][0]} must be the header, but it is empty")
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
            raise _unreadable(path, f"does the quote in line {line} never close?")
    if joined:
        note(f"{path}: {joined} rows have commas without quotes in the last column; they are read as part of its text")
    if len(ragged) > MAX_RAGGED * len(rows):
        line, row = ragged[0]
        more = len(row) > width
        raise _unreadable(
            path,
            f"line {line} has {'more' if more else 'fewer'} values than columns ({len(row)}, not {width}); "
            + ("a text with commas needs quotes" if more else "is the file cut off?"),
        )
    if ragged:
        lines = ", ".join(str(line) for line, _ in ragged[:5]) + (", ..." if len(ragged) > 5 else "")
        note(f"{path}: left out: {len(ragged)} rows with more or fewer values than the {width} columns (line {lines})")
    return kept


# --- other formats


def _spreadsheet_rows(content: bytes, path: Path) -> Rows:
    """The rows of the first sheet that is not empty."""
    try:
        import python_calamine
    except ImportError:
        raise ValueError(
            f"{path}: spreadsheets need an extra package: pip install -e '.[tables]'; or save it as CSV"
        ) from None
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except Exception as error:  # calamine's own errors have no common type
        raise _unreadable(path, error) from None
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise _unreadable(path, "its sheets are empty")
    name, rows = next(iter(filled.items()))
    if len(filled) > 1:
        note(f"{path}: read its first sheet, {shown(name)}; not read: {', '.join(shown(n) for n in [*filled][1:])}")
    numbered = [(number, [_cell(value) for value in row]) for number, row in enumerate(rows, 1)]
    return [(number, row) for number, row in numbered if any(row)]


def _parquet(content: bytes, path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError:
        raise ValueError(f"{path}: Parquet needs an extra package: pip install -e '.[tables]'") from None
    except Exception as error:  # those of pyarrow have no common type
        raise _unreadable(path, error) from None
    if frame.index.name or not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return _as_text(list(frame.columns), frame.to_numpy(object).tolist())


def _json_table(text: str, path: Path) -> pd.DataFrame:
    """JSON lines, a list of objects, an object of lists or objects, or an object that holds one of them."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise _unreadable(path, "its JSON is nested too deeply") from None
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not lines[0][1].strip().endswith(("}", "]")):
            raise _unreadable(path, error) from None
        value = []
        for number, line in lines:
            try:
                value.append(_json_line(line))
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                if not value or number < lines[-1][0]:
                    raise _unreadable(path, f"line {number} is not JSON") from None
                note(f"{path}: left out: the last line ({number}), which is cut off or not JSON")
    return _as_text(*_records(value, path))


def _json_line(line: str) -> Any:
    """A line of JSON, or of Python's notation of dicts ({'stars': 5}), which some data sets have."""
    try:
        return json.loads(line)
    except ValueError:
        return ast.literal_eval(line.strip())


def _records(value: Any, path: Path) -> tuple[list[str], list[list[Any]]]:
    """Column names and rows of a JSON value."""
    if isinstance(value, dict):
        inner = [v for v in value.values() if isinstance(v, list | dict) and v]
        tables = [v for v in inner if isinstance(v, dict) or isinstance(v[0], dict)]
        alone = len(tables) == 1 and isinstance(tables[0], list)  # {"reviews": [{...}]}
        if alone or (len(tables) == 1 and len(tables) < len(value)):  # {"status": "ok", "reviews": [{...}]}
            return _records(tables[0], path)
        nested = [v for v in tables if isinstance(v, dict) and all(isinstance(row, dict) for row in v.values())]
        if len(nested) == 1 and len(value) > 1:  # {"Meta Data": {...}, "Time Series": {"2024-01-31": {...}}}
            return _records(nested[0], path)
        if tables and len(tables) == len(value) and all(isinstance(v, dict) for v in tables):
            plain = all(not isinstance(cell, list | dict) for row in tables for cell in row.values())
            columns = len(tables) < len(tables[0]) and all(set(row) == set(tables[0]) for row in tables)
            if plain and columns:  # {"text": {"0": ...}, "stars": {"0": ...}}
                return list(value), [[v[key] for v in tables] for key in tables[0]]
            return _records([{"key": key, **row} for key, row in value.items()], path)  # {"2024-01-31": {...}}
        lists = {key: v for key, v in value.items() if isinstance(v, list) and v}
        if (
            lists
            and len(lists) == len(inner)
            and len({len(v) for v in inner}) == 1
            and (len(lists) > 1 or len(value) == 1)
        ):
            return list(lists), [list(row) for row in zip(*inner)]  # {"status": "ok", "date": [...], "close": [...]}
        told = next((str(v) for v in value.values() if isinstance(v, str)), "")
        raise ValueError(f"{path} holds no table of rows{f', but this message: {shown(told[:200])}' if told else ''}")
    if not isinstance(value, list) or not value:
        raise _unreadable(path, "its JSON holds no rows")
    if not all(isinstance(row, dict) for row in value):
        raise _unreadable(path, "its JSON is not a list of objects")
    names = list(dict.fromkeys(str(key) for row in value for key in row))
    return names, [[row.get(name) for name in names] for row in value]


def _as_text(names: Sequence[Any], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([[_cell(v) for v in row] for row in rows], columns=[str(n) for n in names], dtype=str)
    return frame.mask(frame.isin([""]))


def _cell(value: Any) -> str:
    """A value of a spreadsheet, Parquet or JSON as text; nothing as ''."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)) or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)


# --- columns


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
