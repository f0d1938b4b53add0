"""Numbers, star ratings and days in the notations of several countries."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.data.config import TableFormat
from shared.data.values import read_days, read_numbers, read_ratings
from shared.names import shown


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,234.5", "2,000", "-"], [1234.5, 2000, np.nan]),
        (["1.234,5", "3,5", "null"], [1234.5, 3.5, np.nan]),
        (["1 234,5", "1'000,5", "7"], [1234.5, 1000.5, 7]),
        (["1,23,456.78", "1e9", ".5"], [123456.78, 1e9, 0.5]),
        (["$175.11", "€3", "Rs. 4", "5 kr.", "-$6"], [175.11, 3, 4, 5, -6]),
        (["1.23M", "12K", "3"], [1_230_000, 12_000, 3]),
        (["(3.5)", "−2", "12 %"], [-3.5, -2, 12]),
        (["4,5", "5,0", "3"], [4.5, 5, 3]),
        (["0.0000036961", "5.", ""], [0.0000036961, 5, np.nan]),
        (["１２３", "٤٥٫٥", "৭"], [123, 45.5, 7]),
        (["1 000 000,5", "- 5", "+12 k"], [1_000_000.5, -5, 12_000]),
    ],
)
def test_numbers_of_many_countries(cells: list[str], numbers: list[float]) -> None:
    np.testing.assert_allclose(read_numbers(pd.Series(cells), "x"), numbers)


def test_a_decimal_mark_that_could_be_a_thousands_separator_is_refused_or_told() -> None:
    cells = pd.Series(["1,234", "5,678"])
    with pytest.raises(ValueError, match=r"1,234 is 1\.234 or 1234; say which with --data\.decimal"):
        read_numbers(cells, "prices.csv")
    assert read_numbers(cells, "x", TableFormat(decimal="comma")).tolist() == [1.234, 5.678]
    assert read_numbers(cells, "x", TableFormat(decimal="point")).tolist() == [1234, 5678]


def test_what_is_no_number_is_named_with_its_row() -> None:
    for cell in ("twelve", "12 (3)", "3 5", "10 20 30", "5'10", "5€50", "(-3.5)", "+", "e5", "1e999", "1²"):
        with pytest.raises(ValueError, match=f"x: {re.escape(repr(shown(cell)))} in row 2 is not a number"):
            read_numbers(pd.Series(["1", cell]), "x")


@pytest.mark.parametrize(
    ("cells", "ratings"),
    [
        (["5.0 out of 5 stars", "4.0 out of 5 stars"], [5, 4]),
        (["★★★★☆", "⭐⭐"], [4, 2]),
        (["4/5", "3/5"], [4, 3]),
        (["bubble_45", "ui_bubble_rating bubble_50"], [4.5, 5]),
        (["4,5 von 5 Sternen", "1"], [4.5, 1]),
        (["Rated 4 out of 5", "5 stars"], [4, 5]),
        (["3", "none"], [3, np.nan]),
    ],
)
def test_star_ratings_in_many_notations(cells: list[str], ratings: list[float]) -> None:
    np.testing.assert_allclose(read_ratings(pd.Series(cells), "x"), ratings)


@pytest.mark.parametrize(
    "cell",
    [
        "2009-04-06", "2009-04-06T22:19:45", "2009-04-06 22:19:45-07:00", "2009-04-06T00:00:00.000Z", "2009/4/6",
        "2009.04.06", "20090406", "20090406 221945", "1239056385", "1239056385000", "1239056385000000", "1239056385.0",
        "6-Apr-09", "06-APR-2009", "6 April 2009", "Apr 6, 2009", "April 6th, 2009", "Mon Apr 06 22:19:45 PDT 2009",
        "6. April 2009", "6 avril 2009", "6 de abril de 2009", "Reviewed in the United States on April 6, 2009",
        "6 abr 2009", "6 april 2009", "2009年4月6日", "2009년 4월 6일", "200904062219", "2009040622", "1239056385.25",
        "2009-04-06 22:19:45-07", "22:19 2009-04-06", "Mon, 06 Apr 2009 22:19:45 -0700 (PDT)", "2009-04-06 22:19 CEST",
    ],
)  # fmt: skip
def test_days_in_many_notations(cell: str) -> None:
    assert str(read_days(pd.Series([cell, ""]), Path("x")).iloc[0].date()) == "2009-04-06"


def test_years_of_two_digits_are_not_in_the_future() -> None:
    for cells in (["12/31/98", "1/15/99"], ["31-Dec-68", "6-Apr-09"], ["31.12.68", "5.4.09"]):
        first, second = read_days(pd.Series(cells), Path("x"), TableFormat(dates="day-first"))
        assert first.year in (1968, 1998) and second.year in (1999, 2009)


@pytest.mark.parametrize("cell", ["10:30", "today", "May 5", "3 days ago", "0001-01-01", "Week 5", "5"])
def test_what_is_no_day_is_none(cell: str) -> None:
    assert read_days(pd.Series([cell]), Path("x")).isna().all()


def test_a_clock_before_the_day_keeps_the_order_of_the_column() -> None:
    assert read_days(pd.Series(["10:30 03/04/2024", "11:00 13/04/2024"]), Path("x")).dt.day.tolist() == [3, 13]


def test_days_of_one_column_have_one_order() -> None:
    assert read_days(pd.Series(["1/3/2012", "1/13/2012"]), Path("x")).dt.day.tolist() == [3, 13]
    assert read_days(pd.Series(["1/3/2012", "13/1/2012"]), Path("x")).dt.day.tolist() == [1, 13]
    with pytest.raises(ValueError, match=r"01/02/2024 is 1 Feb or 2 Jan; say which with --data\.dates"):
        read_days(pd.Series(["01/02/2024"]), Path("x"))
    assert read_days(pd.Series(["01/02/2024"]), Path("x"), TableFormat(dates="month-first")).dt.month.tolist() == [1]
