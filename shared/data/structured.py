"""Spreadsheets, Parquet and JSON -> rows or frames of text."""

import ast
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shared.console import note
from shared.data.delimited import Rows
from shared.data.encodings import unreadable
from shared.names import shown

SPREADSHEETS = {".xlsx", ".xlsm", ".xls", ".ods"}


def spreadsheet_rows(content: bytes, path: Path) -> Rows:
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
        raise unreadable(path, error) from None
    filled = {name: rows for name, rows in sheets.items() if rows}
    if not filled:
        raise unreadable(path, "its sheets are empty")
    name, rows = next(iter(filled.items()))
    if len(filled) > 1:
        note(f"{path}: read its first sheet, {shown(name)}; not read: {', '.join(shown(n) for n in [*filled][1:])}")
    numbered = [(number, [_cell(value) for value in row]) for number, row in enumerate(rows, 1)]
    return [(number, row) for number, row in numbered if any(row)]


def parquet_table(content: bytes, path: Path) -> pd.DataFrame:
    """The table of a Parquet file, with its index where that has a name. Raises ValueError with one sentence."""
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError:
        raise ValueError(f"{path}: Parquet needs an extra package: pip install -e '.[tables]'") from None
    except Exception as error:  # those of pyarrow have no common type
        raise unreadable(path, error) from None
    if frame.index.name or not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return _as_text(list(frame.columns), frame.to_numpy(object).tolist())


def json_table(text: str, path: Path) -> pd.DataFrame:
    """JSON lines, a list of objects, an object of lists or objects, or an object that holds one of them."""
    try:
        value = json.loads(text)
    except RecursionError:
        raise unreadable(path, "its JSON is nested too deeply") from None
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not lines[0][1].strip().endswith(("}", "]")):
            raise unreadable(path, error) from None
        value = []
        for number, line in lines:
            try:
                value.append(_json_line(line))
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                if not value or number < lines[-1][0]:
                    raise unreadable(path, f"line {number} is not JSON") from None
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
        raise unreadable(path, "its JSON holds no rows")
    if not all(isinstance(row, dict) for row in value):
        raise unreadable(path, "its JSON is not a list of objects")
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
