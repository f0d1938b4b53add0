"""Text with delimiters in any dialect -> rows."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Literal

from shared.console import note
from shared.data.encodings import unreadable

DELIMITERS = ",;\t|"
Rows = list[tuple[int, list[str]]]
"""The rows of a file that are not blank, each with the number of its line, from 1 on."""


def delimited_rows(text: str, path: Path) -> Rows:
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

    def read(quoting: Literal[0, 3]) -> Rows:
        rows: Rows = []
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, skipinitialspace=spaces
        )
        line = 1 + skipped
        for row in reader:
            if len(row) > 1 or "".join(row).strip():
                rows.append((line, row))
            line = reader.line_num + 1 + skipped
        return rows

    try:
        rows = read(quoting)
        may_merge = delimiter == "\t" and quoting == csv.QUOTE_MINIMAL
        if may_merge and any("\t" in cell and "\n" in cell for _, row in rows for cell in row):
            apart = read(csv.QUOTE_NONE)  # two quotes in different rows are not around one cell
            rows = apart if len({len(row) for _, row in apart}) == 1 else rows
    except csv.Error as error:
        raise unreadable(path, error) from None
    if not rows:
        raise unreadable(path, "it has no rows")
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
        raise unreadable(path, f"does the quote in line {line} never close?")
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
