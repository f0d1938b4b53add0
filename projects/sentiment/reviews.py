"""The reviews of a file for the customer report: texts, products, days and, where there are any, stars or labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from projects.sentiment.config import CustomerReportOptions
from projects.sentiment.labels import read_classes
from projects.sentiment.layouts import (
    NONE,
    headline,
    is_rating_name,
    label_column,
    needed_text_column,
    other_column,
    read_file,
)
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import read_texts
from shared.console import note
from shared.data.values import read_days


@dataclass
class Reviews:
    """The reviews of a file, row by row."""

    texts: list[str]
    products: list[str] | None
    dates: pd.Series | None
    rows: list[str]
    stars: list[str] | None
    """Labels or stars as the file writes them, where it has any."""
    labels: np.ndarray
    """Their classes, (N,); '' where there is none."""


def read_reviews(path: Path, options: CustomerReportOptions, predictor: Predictor) -> Reviews:
    """The reviews of a table; rows without a text are left out and counted on stderr."""
    frame = read_file(path, options)
    column = needed_text_column(frame, path, options.text, "")
    texts = read_texts(frame, column, headline(frame, path, options.title, predictor.config.data.title, column))
    product = other_column(frame, path, "product", options.product, "")
    products = frame[product].fillna("").astype(str).tolist() if product else None
    dates = read_dates(frame, path, options)
    stars, labels = read_stars(frame, path, options, column, predictor.classes)
    kept = [bool(text) for text in texts]
    if not any(kept):
        raise ValueError(f"{path} has no text")
    if not all(kept):
        note(f"sentiment: left out: {kept.count(False)} rows of {path} without a text")
    return Reviews(
        [text for text in texts if text],
        [product for product, keep in zip(products, kept) if keep] if products else None,
        dates[kept].reset_index(drop=True) if dates is not None else None,
        [row for row, keep in zip(frame.index.astype(str), kept) if keep],
        [value for value, keep in zip(stars, kept) if keep] if stars else None,
        labels[kept],
    )


def read_stars(
    frame: pd.DataFrame, path: Path, options: CustomerReportOptions, text: str, classes: list[str]
) -> tuple[list[str] | None, np.ndarray]:
    """Labels or stars as written, where there are any, and their classes (N,), '' where a row has none.

    What cannot be read is said; it raises ValueError where --label names it.
    """
    nothing = np.full(len(frame), "", dtype=object)
    if options.label == NONE:
        return None, nothing
    try:
        column = label_column(frame, path, options.label, text)
    except ValueError:
        if options.label:
            raise
        return None, nothing  # most files have none
    try:
        names, said = read_classes(frame[column], f"{path}: {column}", options, {}, classes, is_rating_name(column))
    except ValueError as error:
        if options.label:
            raise
        note(f"sentiment: left out: the stars or labels: {error}")
        return None, nothing
    if said:
        note(said)
    return frame[column].fillna("").astype(str).tolist(), names.where(names.isin(classes), "").to_numpy(object)


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
