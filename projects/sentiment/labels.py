"""Labels and star ratings, as people write them -> classes. What is assumed is said; what would be a guess is asked.

Ratings in the middle of a scale belong to no class: 3 of 5 stars are neither negative nor positive.
"""

from collections.abc import Mapping, Sequence
from math import ceil, floor

import numpy as np
import pandas as pd

from projects.sentiment.config import interval
from shared.data.config import TableFormat
from shared.data.tables import plain_name
from shared.data.values import MISSING, RATING, read_ratings
from shared.names import shown

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
WORDS = {
    word: name
    for name, words in {
        NEGATIVE: "negative neg bad unhappy - __label__1 negativ negativo negativa négatif negatif negatief schlecht",
        NEUTRAL: "neutral neu neutre neutro neutra neutraal",
        POSITIVE: "positive pos good happy + __label__2 positiv positivo positiva positif positief gut",
    }.items()
    for word in words.split()
}
ANSWERS = {"false": NEGATIVE, "no": NEGATIVE, "true": POSITIVE, "yes": POSITIVE}
CODES = ((0, 1), (-1, 1), (-1, 0, 1), (0, 4), (0, 2, 4))
"""Numbers that stand for classes, from negative to positive; 0 to 4 are those of Sentiment140."""
LIMITS = {5: (2.5, 3.5), 10: (4, 7), 50: (25, 35), 100: (40, 60)}
"""The highest rating of a scale -> its highest negative and its lowest positive one; 50 are five stars in tenths."""
NPS = (6, 9)  # 'would you recommend us?', 0 to 10: detractors up to 6, promoters from 9 on
RATING_VALUE = r'^\{.*"ratingValue": "?([^",}]+).*\}$'  # of schema.org
DIGITS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}  # Google's stars
PREFIX = r"(?i)^(?:label_|__label__(?=\D))"
MOST = 20  # labels; with more of them than half of the rows a column holds no labels


def read_classes(
    values: pd.Series,
    where: str,
    form: TableFormat,
    setting: Mapping[str, Sequence[str]],
    classes: Sequence[str] | None = None,
    is_rating: bool = False,
) -> tuple[pd.Series, str]:
    """The class of every label or rating, '' where it has none, and a sentence that says which stands for which.

    where: file and column. setting: `data.classes`. classes: those of a finished run. is_rating: whether the column
    has the name of one of ratings. Raises ValueError that asks for `data.classes` where it could be several things.
    """
    text = written(values)
    given = text[text != ""]
    column = where.rsplit(": ", 1)[-1]
    if not setting:
        given = given.str.replace(PREFIX, "", regex=True)
        absent = MISSING - {plain(name) for name in classes or ()} - ({"-"} if (given == "+").any() else set())
        given = given[~given.map(plain).isin(absent)]
    if setting:
        names, kind = _by_setting(given, where, form, setting), column
    elif classes and set(given.map(plain)) <= {plain(name) for name in classes}:
        names, kind = given.map(plain).map({plain(name): name for name in classes}), column
    elif (numbers := label_numbers(given, where, form)) is not None:
        names, kind = _by_number(numbers, _written_scale(given, where), where, is_rating)
    else:
        names, kind = _by_word(given, where), column
    names = names.reindex(text.index).fillna("")
    return names, _said(kind, text, names)


def plain(label: str) -> str:
    """A label without case and `.0`: 4.0 and 4, Positive and positive are one."""
    return label.strip().casefold().removesuffix(".0")


def has_poles(values: pd.Series) -> bool:
    """Whether a column holds negative and positive labels in well-known words."""
    found = {WORDS.get(word) for word in {plain(value) for value in values.dropna().unique()[: MOST + 1]}}
    return {NEGATIVE, POSITIVE} <= found and len(found) <= MOST


def is_like_labels(values: pd.Series) -> bool:
    """Whether a column has so few different values that they may be labels, and no scores such as 0.8316."""
    count, numbers = values.nunique(), pd.to_numeric(values.dropna(), errors="coerce")
    is_score = bool((numbers * 2 % 1 > 0).mean() > 0.3)
    return not is_score and 0 < count <= max(MOST, len(values.dropna()) // 2)


def _by_setting(given: pd.Series, where: str, form: TableFormat, setting: Mapping[str, Sequence[str]]) -> pd.Series:
    labels = {plain(label): name for name, values in setting.items() for label in [name, *values]}
    labels |= {plain(label): name for name, values in setting.items() for label in values}
    names = given.map(plain).map(labels)
    ranges = [(bounds, name) for name, values in setting.items() for v in values if (bounds := interval(v))]
    others = given[names.isna()]
    numbers = label_numbers(others[_are_ratings(others)], where, form) if ranges else None
    if numbers is not None:
        for (low, high), name in ranges:
            names[numbers.index[numbers.between(low, high)]] = name
    if len(given) and names.isna().all():
        raise ValueError(f"{where}: none of its values ({_listed(given)}) is in data.classes")
    return names


def _by_word(given: pd.Series, where: str) -> pd.Series:
    """Labels that are words; those for negative and positive get these names where both occur."""
    if len(given) and not is_like_labels(given):
        raise ValueError(f"{where} has {given.nunique()} different values in {len(given)} rows, which are no labels")
    words = given.map(plain)
    if set(words) <= set(ANSWERS):
        return words.map(ANSWERS)
    names = words.map(lambda word: WORDS.get(word, word))
    if {NEGATIVE, POSITIVE} <= set(names):
        return names
    return words if words.nunique() < given.nunique() else given  # Positive and positive are one class


def written(values: pd.Series) -> pd.Series:
    """Labels or ratings as text without blanks around it, '' where there are none."""
    return values.fillna("").astype(str).str.strip().str.replace(RATING_VALUE, r"\1", regex=True)


def label_numbers(given: pd.Series, where: str, form: TableFormat) -> pd.Series | None:
    """Labels or ratings as numbers, or None where most are words."""
    if set(given.map(plain)) <= set(DIGITS):
        given = given.map(plain).map(DIGITS)
    given = given.str.removesuffix("%")
    numbers = pd.to_numeric(given, errors="coerce")
    if len(given) and numbers.notna().all():
        return numbers
    return read_ratings(given, where, form) if is_like_ratings(given) else None


def is_like_ratings(values: pd.Series) -> bool:
    """Whether most values of a column are numbers, stars or `4 out of 5`."""
    text = values.dropna().astype(str).str.strip()
    return bool(len(text)) and bool(_are_ratings(text).mean() > 0.5)


def _are_ratings(text: pd.Series) -> pd.Series:
    """Which values are numbers, stars or `4 out of 5`."""
    found = text.str.match(RATING) | text.str.contains("^[★☆⭐\U0001f31f⯨½ ]+$|bubble_?\\d", regex=True)
    return found | pd.to_numeric(text.str.removesuffix("%"), errors="coerce").notna()


def _written_scale(given: pd.Series, where: str) -> float | None:
    """The highest possible rating, where all ratings name it: 4 out of 5, 8/10, 80%, ★★★★☆."""
    tops = pd.to_numeric(given.str.extract(r"(?:out of|von|sur|de|su|di|/)\s*(\d+)")[0])
    symbols = given.str.extract("^([★☆]*☆[★☆]*)$")[0].dropna()
    if len(symbols) and given.str.fullmatch("[★☆]+").all() and symbols.str.len().nunique() == 1:
        return float(len(symbols.iloc[0]))
    if tops.nunique() > 1:
        scales = " and ".join(f"{top:g}" for top in sorted(set(tops.dropna())))
        raise ValueError(f"{where} mixes ratings out of {scales}; write all of them on one scale")
    if len(given) and given.str.endswith("%").all():
        return 100
    return float(tops.iloc[0]) if len(tops) and tops.notna().all() else None


def _by_number(numbers: pd.Series, top: float | None, where: str, is_rating: bool) -> tuple[pd.Series, str]:
    """The classes of numbers, and what they are. Raises ValueError where it could be several things."""
    column = where.rsplit(": ", 1)[-1]
    found = sorted(set(numbers.dropna()))
    codes = [code for code in CODES if set(found) == set(code) and not (is_rating and 4 in code)]
    if not is_rating and found and set(found) < {0, 1}:
        codes = [(0, 1)]
    if codes and top is None:
        poles = {codes[0][0]: NEGATIVE, codes[0][-1]: POSITIVE}
        return numbers.map(lambda number: poles.get(number, NEUTRAL), na_action="ignore"), column
    limits, scale = _limits(found, top, column)
    if limits is None:
        raise ValueError(_question(found, where))
    names = np.select([numbers <= limits[0], numbers >= limits[1]], [NEGATIVE, POSITIVE], "")
    return pd.Series(names, numbers.index), scale


def _limits(found: list[float], top: float | None, column: str) -> tuple[tuple[float, float] | None, str]:
    """The highest negative and the lowest positive rating, and the name of the scale; None if it is not certain."""
    if not found or found[0] < 0:
        return None, ""
    low, high = found[0], found[-1]
    if top is None and 5 < high <= 10 and any(word in plain_name(column) for word in ("nps", "recommend", "promoter")):
        return NPS, "answers 0 to 10 to the NPS question"
    if top is None and low > 0 and 4 < high <= 5:
        top = 5
    if top is None and low >= 10 and high == 50 and all(number % 5 == 0 for number in found):
        top = 50
    if top not in LIMITS or (low == 0 and top == 5) or high > top:
        return None, ""
    return LIMITS[int(top)], f"ratings up to {top:g}" + (" (tenths of stars)" if top == 50 else "")


def _question(found: list[float], where: str) -> str:
    """A sentence with every reading of numbers, as a setting to paste."""
    low, high = (found[0], found[-1]) if found else (0.0, 0.0)
    whole = all(number == int(number) for number in found)
    if low < 0 or (high <= 1 and not whole):
        least = "1" if whole else "0.05"
        halves = (f"{low:g}..-{least}", f"{least}..{high:g}") if low < 0 else ("0..0.4", "0.6..1")
        readings = [("scores", *halves)]
    elif whole and len(found) <= 3 and high <= 3:
        readings = [("classes", f"{low:g}", f"{high:g}")]
    elif high <= 4:
        readings = [("they go from 0 to 4", "0, 1", "3, 4")] if low == 0 else []
        readings += [("they go from 1 to 4", "1, 2", "3, 4")] if low else []
        readings += [("they go from 1 to 5", "1..2.5", "3.5..5")]
    elif high <= 5:
        readings = [("0 is the worst", "0..2", "3..5"), ("0 means not rated", "1..2.5", "3.5..5")]
    elif high == 10:
        readings = [("they are ratings", "0..4", "7..10"), ("they answer the NPS question", "0..6", "9..10")]
    elif 10 < high <= 100:
        readings = [("they go up to 20", "0..8", "12..20")] if high <= 20 else []
        readings += [("they go up to 100", "0..40", "60..100")]
    else:
        lower, upper = floor(low + (high - low) / 3), ceil(high - (high - low) / 3)
        readings = [(f"{high:g} is the best", f"{low:g}..{lower}", f"{upper}..{high:g}")]
        readings += [(f"{low:g} is the best", f"{upper}..{high:g}", f"{low:g}..{lower}")] if high < 10 else []
    middle = f", neutral: [{found[1]:g}]" if whole and len(found) == 3 and high <= 3 and low >= 0 else ""
    lines = [
        f"--data.classes '{{negative: [{a}]{middle}, positive: [{b}]}}'" + (f" if {name}" if " " in name else "")
        for name, a, b in readings
    ]
    values = ", ".join(f"{number:g}" for number in found[:8]) + (f" ... {high:g}" if len(found) > 8 else "")
    return f"{where} holds the numbers {values or 'none'}; say which mean what: {'; or '.join(lines)}"


def _said(kind: str, values: pd.Series, names: pd.Series) -> str:
    """`label: 0 = negative; 4 = positive`, or `ratings up to 5: 1, 2 = negative; 4, 5 = positive; 3 left out`."""
    groups = {name: values[(names == name) & (values != "")] for name in sorted(set(names) - {""})}
    parts = [f"{_listed(group)} = {shown(name)}" for name, group in groups.items() if set(group) != {name}]
    rest = values[(names == "") & (values != "")]
    if len(rest):
        parts.append(f"{_listed(rest)} left out")
    return f"{shown(kind)}: {'; '.join(parts)}" if parts else ""


def _listed(values: pd.Series, most: int = 8) -> str:
    """The different values in order, at most eight of them."""
    distinct = {plain(value): value.strip().removesuffix(".0") for value in values}
    numbers = pd.to_numeric(pd.Series(list(distinct)), errors="coerce")
    in_order = list(distinct.values())
    in_order = [in_order[i] for i in numbers.argsort()] if numbers.notna().all() else sorted(in_order)
    more = f" ... {shown(in_order[-1])}" if len(in_order) > most else ""
    return ", ".join(shown(value)[:30] for value in in_order[:most]) + more
