"""The reviews of a file for the customer report: texts, products, days and, where there are any, stars or labels."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from projects.sentiment.config import CustomerReportOptions
from projects.sentiment.labels import NEUTRAL, label_numbers, read_classes, written
from projects.sentiment.layouts import (
    NONE,
    is_rating_name,
    label_column,
    other_column,
)
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import read_rows
from shared.console import note
from shared.data.values import read_days


@dataclass
class Reviews:
    """The reviews of a file, row by row."""

    texts: list[str]
    bodies: list[str]
    """The texts without their headlines."""
    products: list[str] | None
    dates: pd.Series | None
    rows: list[str]
    stars: list[str] | None
    """Labels or stars as the file writes them, where it has any."""
    labels: np.ndarray
    """Their classes, (N,); '' where there is none. The middle of a scale, as 3 of 5 stars, is neutral."""
    ratings: np.ndarray
    """The stars as numbers, (N,); NaN where there are none, or labels of classes instead."""
    categories: list[str] | None = None
    """The kind of product, where the file has a column of it."""

    @property
    def days(self) -> np.ndarray | None:
        """Days as numbers, (N,), NaN where unknown; None where the file has none."""
        if self.dates is None:
            return None
        return (self.dates - pd.Timestamp(0, tz=self.dates.dt.tz)).dt.total_seconds().to_numpy(float) / 86400


def read_reviews(path: Path, options: CustomerReportOptions, predictor: Predictor) -> Reviews:
    """The reviews of a table; rows without a text are left out and counted on stderr."""
    trained_title = predictor.config.data.title
    frame, column, texts, bodies = read_rows(path, options, options.text, options.title, trained_title)
    product = other_column(frame, path, "product", options.product, "")
    products = frame[product].fillna("").astype(str).tolist() if product else None
    dates = read_dates(frame, path, options)
    category = other_column(frame, path, "category", options.category, "")
    stars, labels, ratings = read_stars(frame, path, options, column, predictor.classes)
    kept = [bool(text) for text in texts]
    if not any(kept):
        raise ValueError(f"{path} has no text")
    if not all(kept):
        note(f"sentiment: left out: {kept.count(False)} rows of {path} without a text")
    return Reviews(
        [text for text in texts if text],
        [body for body in bodies if body],
        [product for product, keep in zip(products, kept) if keep] if products else None,
        dates[kept].reset_index(drop=True) if dates is not None else None,
        [row for row, keep in zip(frame.index.astype(str), kept) if keep],
        [value for value, keep in zip(stars, kept) if keep] if stars else None,
        labels[kept],
        ratings[kept],
        frame[category].fillna("").astype(str)[kept].tolist() if category else None,
    )


def read_stars(
    frame: pd.DataFrame, path: Path, options: CustomerReportOptions, text: str, classes: list[str]
) -> tuple[list[str] | None, np.ndarray, np.ndarray]:
    """Labels or stars as written, where there are any; their classes (N,), '' where a row has none; stars as numbers.

    What cannot be read is said; it raises ValueError where --label names it.
    """
    nothing = None, np.full(len(frame), "", dtype=object), np.full(len(frame), np.nan)
    if options.label == NONE:
        return nothing
    try:
        column = label_column(frame, path, options.label, text)
    except ValueError:
        if options.label:
            raise
        return nothing  # most files have none
    try:
        names, said = read_classes(frame[column], f"{path}: {column}", options, {}, classes, is_rating_name(column))
    except ValueError as error:
        if options.label:
            raise
        note(f"sentiment: left out: the stars or labels: {error}")
        return nothing
    rated = (
        column if options.label or is_rating_name(column) else other_column(frame, path, "stars", None, "") or column
    )
    ratings = read_numbers(frame[rated], path, options)
    if rated == column and len(np.unique(ratings[~np.isnan(ratings)])) > 2:
        names = names.mask((names == "") & ~np.isnan(ratings), NEUTRAL)
        said = said.replace("left out", "neutral")
    if said:
        note(said)
    names = names.where(names.isin([*classes, NEUTRAL]), "")
    return frame[column].fillna("").astype(str).tolist(), names.to_numpy(object), ratings


def read_numbers(values: pd.Series, path: Path, options: CustomerReportOptions) -> np.ndarray:
    """Stars as numbers, (N,); NaN where a row has none, everywhere if they are words or another code."""
    given, numbers = written(values), None
    with contextlib.suppress(ValueError):
        numbers = label_numbers(given[given != ""], f"{path}: {values.name}", options)
    return np.full(len(values), np.nan) if numbers is None else numbers.reindex(values.index).to_numpy(float)


def read_dates(frame: pd.DataFrame, path: Path, options: CustomerReportOptions) -> pd.Series | None:
    """The column of days, where there is one. Raises ValueError if it is named with --date and cannot be read."""
    column = other_column(frame, path, "date", options.date, "")
    if column is None:
        return None
    try:
        dates = read_days(frame[column], path, options)
    except ValueError as error:
        if options.date:
            raise
        note(f"sentiment: left out: {error}")
        return None
    if options.date and dates.isna().all():
        raise ValueError(f"{path}: nothing in column {column} is a date (--date)")
    return None if dates.isna().all() else dates
