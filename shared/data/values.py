"""Columns of text -> numbers, star ratings and days, in the notations of any country. No guess is made in silence."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from shared.console import note
from shared.data.config import TableFormat
from shared.data.tables import AUTO
from shared.names import shown

MISSING = {  # what people write where there is no number
    "", "-", "--", "–", "—", ".", "null", "none", "nan", "na", "n/a", "n.a.", "nat", "#n/a", "?",
}  # fmt: skip
MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "mio": 1e6, "mln": 1e6, "b": 1e9, "bn": 1e9, "mrd": 1e9, "t": 1e12}
POINT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)
COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)?(?:,\d*)?(?:e[+-]?\d+)?", re.IGNORECASE)
MARKS = str.maketrans("٫٬．，－＋", ".,.,-+")
CURRENCY = r"(?:[$€£¥₹₽₩%]|(?i:usd|eur|gbp|inr|chf|rs\.?|kr\.?|zł))"

RATING = re.compile(
    r"^(?:rated|rating:?)?\s*(\d+(?:[.,]\d+)?)\s*(?:(?:out of|von|sur|de|su|di|/)\s*\d+)?"
    r"\s*(?:\w*stars?|stern\w*|étoiles?|estrellas|stelle|[★⭐])?\.?$",
    re.IGNORECASE,
)


def decimal_mark(columns: Sequence[pd.Series], where: str, form: TableFormat = AUTO) -> Literal["point", "comma"]:
    """The decimal mark of the numbers of a table: point (1,234.5) or comma (1.234,5).

    Raises ValueError where it could be both, as in a table of numbers like 1,234 only.
    """
    if form.decimal != "auto":
        return form.decimal
    cells = pd.concat([_bare(column)[0] for column in columns]).drop_duplicates()
    cells = cells[cells.str.contains(r"[.,]")]
    point = cells.map(lambda cell: bool(POINT.fullmatch(cell)))
    comma = cells.map(lambda cell: bool(COMMA.fullmatch(cell)))
    if comma.all() and not point.all():
        return "comma"
    if point.all() and comma.all() and cells.str.contains(",", regex=False).any():
        example = cells[cells.str.contains(",", regex=False)].iloc[0]
        raise ValueError(
            f"{where}: {example} is {example.replace(',', '.')} or {example.replace(',', '')}; "
            "say which with --data.decimal comma or point"
        )
    return "point"


def read_numbers(values: pd.Series, where: str, form: TableFormat = AUTO, mark: str | None = None) -> pd.Series:
    """Text as float64: 1,234.5, 1.234,5, 1 234,5, $175.11, 12 %, 1.23M, (3.5); what means "no number" is NaN.

    mark: the decimal mark, where other columns of the table tell it. Raises ValueError with the first other text.
    """
    bare, factors = _bare(values)
    mark = mark or decimal_mark([values], where, form)
    marked = bare.map(lambda cell: bool((POINT if mark == "point" else COMMA).fullmatch(cell)))
    plain = bare.str.replace("," if mark == "point" else ".", "", regex=False).str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(plain.where(marked), errors="coerce")
    unknown = ~np.isfinite(numbers) & (bare != "")
    if unknown.any():
        row = int(np.flatnonzero(unknown)[0])
        example = shown(str(values.iloc[row]))[:80]
        other = "comma" if mark == "point" else "point"
        hint = f"; is the decimal mark a {other}? (--data.decimal {other})" if re.search("[.,]", example) else ""
        raise ValueError(f"{where}: {example!r} in row {row + 1} is not a number{hint}")
    return numbers * factors


def _bare(values: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Numbers without currency, per cent and blanks, '' where there is none; and what they are to be multiplied by."""
    text = values.fillna("").astype(str).str.strip().str.replace("\u2212", "-", regex=False)
    if text.str.fullmatch(r"[+-]?[0-9.,]*[0-9]").all():  # the usual case, and much faster
        return text, pd.Series(1.0, text.index)
    text = text.mask(text.str.lower().isin(MISSING), "")
    text = text.map(lambda cell: cell if cell.isascii() else _western(cell))
    negative = text.str.fullmatch(r"\([^()+-]*\d[^()]*\)")
    text = text.mask(negative, text.str.slice(1, -1))
    text = text.str.replace(rf"^([+-]?)\s*{CURRENCY}|{CURRENCY}$", r"\1", regex=True).str.strip()
    text = text.str.replace(r"(?<=\d)[\s'’_](?=\d{3}(?!\d))|\s(?!\d)|(?<!\d)\s", "", regex=True)  # 1 234, + 5, 12 k
    parts = text.str.extract(r"^(.*?\d[.,]?)((?i:k|mio|mln|m|bn|b|mrd|t)?)\.?$")
    units = parts[1].fillna("").str.lower()
    bare = parts[0].where(parts[0].notna(), text)
    return bare, units.map(MULTIPLES).fillna(1.0) * np.where(negative, -1.0, 1.0)


def _western(text: str) -> str:
    """Digits of any script as 0 to 9; decimal and thousands marks of Arabic, and full-width ones, as . and ,

    >>> _western("١٢٫٥"), _western("１２３")
    ('12.5', '123')
    """
    return "".join(str(unicodedata.decimal(character, character)) for character in text.translate(MARKS))


def read_ratings(values: pd.Series, where: str, form: TableFormat = AUTO) -> pd.Series:
    """Star ratings as float64: 4, 4,5, 5.0 out of 5 stars, 4/5, ★★★★☆, bubble_45 (of TripAdvisor); none is NaN."""
    text = values.fillna("").astype(str).str.strip()
    filled = text.str.count("[★⭐\U0001f31f]") + 0.5 * text.str.count("[⯨½]")
    starred = text.str.contains("[★⭐\U0001f31f]") & ~text.str.contains(r"\d")
    text = text.mask(starred, filled.astype(str))
    bubbles = text.str.extract(r"bubble_?(\d)(\d)\b")
    text = text.mask(bubbles[0].notna(), bubbles[0] + "." + bubbles[1].fillna("0"))
    found = text.str.extract(RATING)[0]
    other = found.isna() & ~text.str.lower().isin(MISSING)
    if other.any():
        note(f"{where}: {int(other.sum())} values are not ratings, such as {shown(text[other].iloc[0])[:60]!r}")
    return read_numbers(found, where, form)


# --- days

MONTHS_OF = {
    "jänner": 1, "januar": 1, "janvier": 1, "enero": 1, "gennaio": 1, "februar": 2, "février": 2, "febrero": 2,
    "febbraio": 2, "märz": 3, "mrz": 3, "mär": 3, "mars": 3, "marzo": 3, "avril": 4, "abril": 4, "aprile": 4, "mai": 5,
    "mayo": 5, "maggio": 5, "juni": 6, "juin": 6, "junio": 6, "giugno": 6, "juli": 7, "juillet": 7, "julio": 7,
    "luglio": 7, "août": 8, "agosto": 8, "septembre": 9, "septiembre": 9, "settembre": 9, "oktober": 10, "okt": 10,
    "octobre": 10, "octubre": 10, "ottobre": 10, "novembre": 11, "noviembre": 11, "dezember": 12, "dez": 12,
    "décembre": 12, "diciembre": 12, "dicembre": 12, "ene": 1, "gen": 1, "janv": 1, "févr": 2, "abr": 4, "avr": 4,
    "mag": 5, "giu": 6, "lug": 7, "juil": 7, "ago": 8, "set": 9, "ott": 10, "déc": 12, "dic": 12, "janeiro": 1,
    "fevereiro": 2, "março": 3, "maio": 5, "junho": 6, "julho": 7, "setembro": 9, "outubro": 10, "novembro": 11,
    "dezembro": 12, "fev": 2, "out": 10, "januari": 1, "februari": 2, "maart": 3, "mrt": 3, "mei": 5,
    "augustus": 8,
}  # fmt: skip
"""Months of other languages than English, which pandas reads."""
ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NUMERIC = re.compile(r"^(\d{1,2})\s?([/.-])\s?(\d{1,2})\s?[/.-]\s?(\d{4}|\d{2})(?!\d)")
CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?"
YEAR = r"(?<!\d)(?:1[7-9]|2[01])\d\d(?!\d)|[^\W\d]{3}[-\s.,']*\d\d(?!\d)"  # the second: 31-Dec-98
EPOCHS = ((9, 10, "s"), (12, 13, "ms"), (15, 16, "us"), (18, 19, "ns"))


def read_days(values: pd.Series, path: Path, form: TableFormat = AUTO) -> pd.Series:
    """A column of days or times as datetime64, in the clock of its own place; what is no day becomes NaT.

    2014-01-31, 20140131, 31 Jan 2014, 31/01/2014 in one order for the whole column, seconds to nanoseconds since 1970.
    Years of two digits are not in the future: 68 is 1968, which is said. Raises ValueError with both readings if it
    cannot be told which number is the month.
    """
    text = values.fillna("").astype(str).str.strip()
    days = pd.Series(pd.NaT, index=text.index, dtype="datetime64[ns]")
    whole = text.str.replace(r"\.0+$|(?<=\d{9})\.\d+$", "", regex=True)
    compact = whole.str.extract(r"^((?:19|20)\d{6})(?:[ T]?(\d{6}|\d{4}|\d{2}))?$")
    chosen = compact[0].notna()
    stamp = compact[0].fillna("") + compact[1].fillna("").str.ljust(6, "0")
    days[chosen] = pd.to_datetime(stamp[chosen], errors="coerce", format="%Y%m%d%H%M%S").to_numpy()
    for least, most, unit in EPOCHS:
        chosen = whole.str.fullmatch(rf"\d{{{least},{most}}}") & days.isna()
        if chosen.any():
            days[chosen] = pd.to_datetime(pd.to_numeric(whole[chosen]), unit=unit, errors="coerce").to_numpy()

    rest = days.isna() & (text != "") & ~whole.str.fullmatch(r"\d+")
    written = text[rest].str.replace(r"(?<=\d)T(?=\d)", " ", regex=True)
    written = written.str.replace(r"^(\d{4})[./](\d{1,2})[./](\d{1,2})", r"\1-\2-\3", regex=True)
    written = written.str.replace(r"^(\d{4})[年년]\s?(\d{1,2})[月월]\s?(\d{1,2})[日일]\D*$", r"\1-\2-\3", regex=True)
    # the clock of the place: after the day, without zones, their names in brackets, and weekdays
    written = written.str.replace(r"\s*\([^)]*\)$|(?<=\d)\s+[A-Z]{3,4}(?=\s+\d{4}$)", "", regex=True)
    written = written.str.replace(rf"({CLOCK})\s*(?:[A-Z]{{3,4}}|Z)?\s*(?:[+-]\d\d(?::?\d\d)?)?$", r"\1", regex=True)
    written = written.str.replace(rf"^({CLOCK})[\s,]+(?=.*\d)(.+)$", r"\2 \1", regex=True)
    written = written.str.replace(r"^(?i:mon|tue|wed|thu|fri|sat|sun)\w*,?\s+", "", regex=True)
    written = written.str.replace(r"^(?i:reviewed in .* on|on|am|le|el|il)\s+(?=\d|\w+ \d)", "", regex=True)
    written = written.str.replace(r"(?<=\d)(?:st|nd|rd|th)\b|(?<=\d)\.(?=\s*[^\W\d])", "", regex=True)
    written = written.str.replace(r"\bde(?:l)?\b", " ", regex=True)  # 3 de mayo de 2024
    written = written.str.replace(r"[^\W\d]{3,}", lambda word: _english(word[0]), regex=True)
    numeric = written.str.extract(NUMERIC)
    day_first = _day_first(written, numeric, path, form)
    if day_first is not None:
        order = (2, 0) if day_first else (0, 2)
        year = numeric[3].where(numeric[3].str.len() != 2, "20" + numeric[3].fillna(""))
        iso = year + "-" + numeric[order[0]].str.zfill(2) + "-" + numeric[order[1]].str.zfill(2)
        written = written.mask(numeric[0].notna(), iso + written.str.replace(NUMERIC, "", regex=True))
    written = written.where(written.str.contains(YEAR), "")  # a clock or May 5 is no day
    try:
        days[rest] = pd.to_datetime(written, errors="coerce", format="mixed").to_numpy()
    except (TypeError, ValueError):
        raise ValueError(f"{path}: its days are in several time zones; write them without, as 2014-01-31") from None
    future = (days > pd.Timestamp.now() + pd.Timedelta(days=2)) & ~text.str.contains(r"\d{4}")
    if future.any():
        days = days.where(~future, days - pd.DateOffset(years=100))
        note(f"{path}: years of two digits; {shown(text[future].iloc[0])} is {days[future].iloc[0]:%Y-%m-%d}")
    return days


def _english(word: str) -> str:
    month = MONTHS_OF.get(word.lower())
    return ENGLISH[month - 1] if month else word


def _day_first(text: pd.Series, numeric: pd.DataFrame, path: Path, form: TableFormat) -> bool | None:
    """Whether the day stands before the month in dates like 01/02/2024; None where there are none."""
    if numeric[0].isna().all():
        return None
    first, second = pd.to_numeric(numeric[0]), pd.to_numeric(numeric[2])
    example = text[numeric[0].notna()].iloc[0]
    short = (numeric[3].dropna().str.len() == 2).any()
    if short and (second.dropna() <= 12).all() and form.dates == "auto":
        raise ValueError(
            f"{path}: which number of {example} is the year cannot be told; "
            "say which is first with --data.dates day-first or month-first, or write 2014-01-31"
        )
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    if day_first and month_first:
        raise ValueError(f"{path}: some days are written day/month/year, others month/day/year")
    if day_first or month_first:
        return day_first
    if form.dates != "auto":
        return form.dates == "day-first"
    if (first == second)[first.notna()].all() or (numeric[1].dropna() == ".").all():
        return True  # with dots it is always the day that comes first
    one = text[numeric[0].notna() & (first != second)].iloc[0]
    a, b = int(first[first != second].dropna().iloc[0]), int(second[first != second].dropna().iloc[0])
    raise ValueError(
        f"{path}: {one} is {a} {ENGLISH[b - 1]} or {b} {ENGLISH[a - 1]}; "
        "say which with --data.dates day-first or month-first"
    )
