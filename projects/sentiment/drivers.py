"""What goes with stars: a regression of the stars on praise and complaints. Associations, not causes."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from projects.sentiment.opinions import COMPLAINT, MIXED, PRAISE, Opinions, topic_names
from shared.evaluation.report import ACCENT, INK, Section, plain

MIN_REVIEWS = 100  # with stars and a topic
MIN_EACH = 10  # reviews that praise, or complain about, a topic
PER_COLUMN = 8  # reviews for each coefficient
DISLIKED = "#c24a3d"


@dataclass(frozen=True)
class Driver:
    """How many stars reviews that praise or complain about a topic have more, other topics being equal."""

    topic: str
    is_complaint: bool
    stars: float
    low: float
    high: float
    reviews: int
    is_certain: bool
    """Whether it differs from 0 after the correction for the number of coefficients (Benjamini-Hochberg)."""

    def __str__(self) -> str:
        what = "complaints about" if self.is_complaint else "praise of"
        low, high = sorted((abs(self.low), abs(self.high))) if self.low * self.high > 0 else (self.low, self.high)
        return f"{what} {self.topic}: {self.stars:+.1f} stars ({low:.1f} to {high:.1f})"


def with_stars_and_topic(opinions: Opinions, stars: np.ndarray) -> np.ndarray:
    """Which reviews the regression uses, (N,)."""
    return ~np.isnan(stars) & (opinions.verdicts > 0).any(axis=1)


def find_drivers(opinions: Opinions, stars: np.ndarray) -> list[Driver]:
    """Least squares with intervals that allow unequal variances (HC3; MacKinnon & White 1985), the costliest first.

    stars (N,): NaN where a review has none. Empty where there are too few reviews.
    """
    known = with_stars_and_topic(opinions, stars)
    if known.sum() < MIN_REVIEWS or len(np.unique(stars[known])) < 3:
        return []
    names = topic_names(opinions)
    said = [
        (
            number,
            is_complaint,
            np.isin(opinions.verdicts[known, number], (COMPLAINT if is_complaint else PRAISE, MIXED)),
        )
        for number in range(len(opinions.topics))
        for is_complaint in (False, True)
    ]
    said = sorted((s for s in said if MIN_EACH <= s[2].sum() <= known.sum() - MIN_EACH), key=lambda s: -s[2].sum())
    said = said[: int(known.sum()) // PER_COLUMN]
    columns: list[np.ndarray] = [np.ones(int(known.sum()))]
    kept = []
    for one in said:  # words in two given topics would make two equal columns
        if np.linalg.matrix_rank(np.column_stack([*columns, one[2]])) > len(columns):
            columns.append(one[2].astype(float))
            kept.append(one)
    if not kept:
        return []
    fitted = OLS(stars[known], np.column_stack(columns)).fit(cov_type="HC3")
    intervals, certain = fitted.conf_int()[1:], multipletests(fitted.pvalues[1:], method="fdr_bh")[0]
    found = [
        Driver(names[number], is_complaint, float(value), float(low), float(high), int(column.sum()), bool(sure))
        for (number, is_complaint, column), value, (low, high), sure in zip(kept, fitted.params[1:], intervals, certain)
    ]
    return sorted(found, key=lambda driver: driver.stars)


def drivers_section(drivers: list[Driver], reviews: int) -> Section | None:
    """Bars with their intervals, for those that differ from 0."""
    shown = [driver for driver in drivers if driver.is_certain]
    shown = shown if len(shown) <= 16 else [*shown[:8], *shown[-8:]]
    if not shown:
        return None
    figure = Figure(figsize=(8.6, 0.8 + 0.32 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for place, driver in enumerate(reversed(shown)):
        color = DISLIKED if driver.is_complaint else ACCENT
        axes.barh(place, driver.stars, color=color, height=0.62)
        axes.plot([driver.low, driver.high], [place, place], color=INK, linewidth=1.1)
        end = max(driver.high, 0) if driver.stars > 0 else min(driver.low, 0)
        axes.annotate(
            f"{driver.stars:+.1f}", (end, place), (6 if driver.stars > 0 else -6, 0), textcoords="offset points",
            ha="left" if driver.stars > 0 else "right", va="center", fontsize=9,
        )  # fmt: skip
    labels = [f"{'complaints about' if d.is_complaint else 'praise of'} {d.topic}" for d in reversed(shown)]
    axes.set_yticks(range(len(shown)), labels, fontsize=9)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.margins(x=0.15)
    axes.set(xlabel="stars, compared with reviews that do not say so")
    plain(axes)
    text = (
        f"{'; '.join(str(driver) for driver in shown[:3])}. A regression of the stars of {reviews} reviews on praise "
        "of and complaints about all topics, with 95 % intervals (HC3); only differences that remain after the "
        "correction for their number (Benjamini-Hochberg) are shown. This is association, not cause: who is angry "
        "complains more."
    )
    return Section("What goes with lost and won stars", text[0].upper() + text[1:], figure=figure)
