"""A page for a shop: what customers like and dislike, by product, with confidence intervals.

python -m projects.sentiment.customer_report reviews.csv --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from projects.sentiment.aspects import Feature, find_features
from projects.sentiment.config import CustomerReportOptions
from projects.sentiment.layouts import headline, needed_text_column, other_column, read_file
from projects.sentiment.predict import load_for_whole_texts
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import read_texts
from shared.console import note
from shared.data.values import read_days
from shared.evaluation.metrics import proportion_interval
from shared.evaluation.report import ACCENT, INK, SOFT, Card, Section, plain, write_page
from shared.files import read_json, write_json
from shared.runs import Run

LIKED, DISLIKED = ACCENT, "#c24a3d"
MIN_REVIEWS = 20  # with fewer, the interval of a product is too wide to rank it
UNCERTAIN = 0.6  # with a lower probability of the predicted class a review counts as uncertain


@dataclass
class Reviews:
    """The reviews of a file, row by row."""

    texts: list[str]
    products: list[str] | None
    dates: pd.Series | None


def customer_report(options: CustomerReportOptions, run: Run) -> None:
    """Read the reviews, predict their sentiment, write the page."""
    path = options.input[0]
    predictor = load_for_whole_texts(run)
    reviews = read_reviews(path, options, predictor.config.data.title)
    if not {"negative", "positive"} <= set(predictor.classes):
        raise ValueError(f"run {run.name} has no classes negative and positive, but {', '.join(predictor.classes)}")
    probabilities = predictor.forward(reviews.texts).softmax(dim=1)
    positive = (probabilities.argmax(dim=1) == predictor.classes.index("positive")).numpy()
    uncertain = (probabilities.amax(dim=1) < UNCERTAIN).numpy()
    aspect_predictor = _load_aspects(options.aspects) if options.aspects else predictor
    features = find_features(aspect_predictor, reviews.texts, options.features)

    low, high = proportion_interval(int(positive.sum()), len(positive))
    lead = (
        f"{positive.mean():.0%} of {len(positive)} reviews are positive ({low:.0%} to {high:.0%}). "
        f"{_best_and_worst(positive, reviews.products)}{_likes_and_dislikes(features)}"
    )
    interval = f"of {len(positive)} reviews; 95 % confidence interval {low:.0%} to {high:.0%}"
    cards = [
        Card("positive", f"{positive.mean():.0%}", interval),
        Card("uncertain", f"{uncertain.mean():.0%}", f"of the reviews: confidence below {UNCERTAIN:.0%}"),
        Card("accuracy", _accuracy(run), "of the network on its own test texts"),
    ]
    sections = [
        _product_section(positive, reviews.products),
        _trend_section(positive, reviews.dates),
        _feature_section(features),
        _quote_section(features),
        _by_product_section(features, reviews.products),
        _reading_section(run),
    ]
    output = options.output or run.output / "reviews.html"
    write_page(output, "What customers say", f"{path.name} · predictions of {run.name}", lead, cards, sections)
    if options.json_file:
        write_json(options.json_file, _numbers(positive, reviews, features))
    print(lead)
    print(f"page: {output}")


def read_reviews(path: Path, options: CustomerReportOptions, trained_title: str | None) -> Reviews:
    """The reviews of a table; rows without a text are left out and counted on stderr."""
    frame = read_file(path, options)
    column = needed_text_column(frame, path, options.text, "")
    texts = read_texts(frame, column, headline(frame, path, options.title, trained_title, column))
    product = other_column(frame, path, "product", options.product, "")
    products = frame[product].fillna("").astype(str).tolist() if product else None
    dates = read_dates(frame, path, options)
    kept = [bool(text) for text in texts]
    if not any(kept):
        raise ValueError(f"{path} has no text")
    if not all(kept):
        note(f"sentiment: left out: {kept.count(False)} rows of {path} without a text")
    return Reviews(
        [text for text in texts if text],
        [product for product, keep in zip(products, kept) if keep] if products else None,
        dates[kept].reset_index(drop=True) if dates is not None else None,
    )


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


def _load_aspects(name: str) -> Predictor:
    """The predictor of a run that was trained on aspects. Raises ValueError or FileNotFoundError with one sentence."""
    predictor = Predictor.load(Run.open("sentiment", name).model_file)
    if not predictor.needs_aspects or not {"negative", "positive"} <= set(predictor.classes):
        raise ValueError(f"--aspects {name} was not trained on aspects; see configs/sentiment/aspects.yaml")
    return predictor


def by_product(positive: np.ndarray, products: list[str] | None) -> list[tuple[str, int, int]]:
    """Product, positive reviews, all reviews; the most reviewed first."""
    counts = Counter(products or [])
    liked = Counter(product for product, is_positive in zip(products or [], positive) if is_positive)
    return [(product, liked[product], n) for product, n in counts.most_common() if product]


def by_period(positive: np.ndarray, dates: pd.Series) -> tuple[list[str], list[tuple[int, int]]]:
    """Months, quarters or years, at most about 24 periods: their names, and number of positive and of all reviews."""
    days = (dates.max() - dates.min()).days
    unit = "M" if days < 800 else "Q" if days < 2400 else "Y"
    periods = dates.dt.tz_localize(None).dt.to_period(unit)
    groups = pd.DataFrame({"period": periods, "positive": positive}).dropna().groupby("period")["positive"]
    return [str(p) for p in groups.groups], [(int(g.to_numpy().sum()), len(g)) for _, g in groups]


def _accuracy(run: Run) -> str:
    """Accuracy of the run on its own test set."""
    path = run.folder / "evaluation.json"
    return f"{read_json(path)['metrics']['accuracy']:.0%}" if path.is_file() else "unknown"


def _best_and_worst(positive: np.ndarray, products: list[str] | None) -> str:
    ranked = sorted(
        (row for row in by_product(positive, products) if row[2] >= MIN_REVIEWS), key=lambda row: row[1] / row[2]
    )
    if len(ranked) < 2:
        return ""
    (worst, a, n), (best, b, m) = ranked[0], ranked[-1]
    return f"Customers are happiest with {best} ({b / m:.0%}) and least with {worst} ({a / n:.0%}). "


def _likes_and_dislikes(features: list[Feature]) -> str:
    margins = [(len(f.praise) - len(f.complaints), f.name) for f in features]
    liked = [name for margin, name in sorted(margins, key=lambda pair: -pair[0]) if margin > 0]
    disliked = [name for margin, name in sorted(margins, key=lambda pair: pair[0]) if margin < 0]
    parts = [
        f"They like {', '.join(liked[:3])}" if liked else "",
        f"they complain about {', '.join(disliked[:3])}" if disliked else "",
    ]
    sentence = "; ".join(part for part in parts if part)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def _product_section(positive: np.ndarray, products: list[str] | None) -> Section | None:
    rows = by_product(positive, products)[:20]
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: -row[1] / row[2])
    table = [
        [name[:60], n, f"{k / n:.0%}", "{:.0%} to {:.0%}".format(*proportion_interval(k, n))] for name, k, n in rows
    ]
    figure = _intervals_figure([name[:40] for name, _, _ in rows], [(k, n) for _, k, n in rows])
    return Section(
        "Products",
        "Fraction of positive reviews, for at most the 20 most reviewed products.",
        columns=("product", "reviews", "positive", "95 % interval"), rows=table, figure=figure,
    )  # fmt: skip


def _trend_section(positive: np.ndarray, dates: pd.Series | None) -> Section | None:
    if dates is None:
        return None
    names, counts = by_period(positive, dates)
    if len(names) < 3:
        return None
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    axes = figure.subplots()
    fractions = [k / n for k, n in counts]
    bounds = np.array([proportion_interval(k, n) for k, n in counts])
    at = range(len(names))
    axes.fill_between(at, bounds[:, 0], bounds[:, 1], color=LIKED, alpha=0.15, linewidth=0)
    axes.plot(at, fractions, color=LIKED, marker="o", markersize=3)
    step = max(1, len(names) // 12)
    axes.set_xticks(list(at)[::step], names[::step], fontsize=8)
    axes.set(ylim=(0, 1), ylabel="positive")
    plain(axes)
    return Section("Over time", "Fraction of positive reviews with its 95 % interval.", figure=figure)


def _feature_section(features: list[Feature]) -> Section | None:
    if not features:
        return None
    figure = Figure(figsize=(8.6, 0.6 + 0.3 * len(features)), layout="constrained")
    axes = figure.subplots()
    for place, feature in enumerate(reversed(features)):
        axes.barh(place, len(feature.praise), color=LIKED)
        axes.barh(place, -len(feature.complaints), color=DISLIKED)
    axes.set_yticks(range(len(features)), [feature.name for feature in reversed(features)])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlabel="reviews that criticise   ·   reviews that praise")
    plain(axes)
    rows = []
    for feature in features:
        k, n = len(feature.praise), len(feature.praise) + len(feature.complaints)
        fraction = f"{k / n:.0%}" if n else ""
        rows.append([feature.name, k, n - k, fraction, "{:.0%} to {:.0%}".format(*proportion_interval(k, n))])
    return Section(
        "Product features",
        "Number of reviews that praise or criticise a product feature; a review counts only once for each feature.",
        columns=("feature", "praise", "complaints", "positive", "95 % interval"), rows=rows, figure=figure,
    )  # fmt: skip


def _quote_section(features: list[Feature], count: int = 8) -> Section | None:
    pieces = []
    for feature in features[:count]:
        for title, mentions in (("liked", feature.praise), ("disliked", feature.complaints)):
            quotes = [clause for _, clause in mentions if 4 <= len(clause.split()) <= 30][:2]
            if quotes:
                lines = "<br>".join(f"“{escape(quote)}”" for quote in quotes)
                pieces.append(
                    f'<p class="text"><b>{escape(feature.name)}, {title} by {len(mentions)}</b><br>{lines}</p>'
                )
    if not pieces:
        return None
    return Section(
        "Quotes", "The clauses that the network classified with the highest confidence.", html="".join(pieces)
    )


def _by_product_section(features: list[Feature], products: list[str] | None) -> Section | None:
    if not products or not features:
        return None
    rows = []
    for product, n in Counter(filter(None, products)).most_common(12):
        praise = Counter({f.name: sum(products[row] == product for row, _ in f.praise) for f in features})
        complaints = Counter({f.name: sum(products[row] == product for row, _ in f.complaints) for f in features})
        named = [", ".join(f"{name} ({k})" for name, k in c.most_common(3) if k) for c in (praise, complaints)]
        if any(named):
            rows.append([product[:50], n, *named])
    return Section("Features of each product", columns=("product", "reviews", "liked", "disliked"), rows=rows)


def _intervals_figure(names: list[str], counts: list[tuple[int, int]]) -> Figure:
    figure = Figure(figsize=(8.6, 0.8 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, (k, n) in enumerate(reversed(counts)):
        low, high = proportion_interval(k, n)
        axes.plot([low, high], [place, place], color=SOFT, linewidth=3, solid_capstyle="round")
        axes.plot(k / n, place, "o", color=LIKED)
    axes.set_yticks(range(len(names)), list(reversed(names)), fontsize=8)
    axes.set(xlim=(0, 1), xlabel="positive")
    plain(axes)
    return figure


def _reading_section(run: Run) -> Section:
    text = (
        "The network makes errors: it may misclassify a review, but the fraction over many reviews is nearly right. "
        "The intervals show the uncertainty from the limited number of reviews; they do not include the errors of the "
        "network. Reviewers are a biased sample of customers: very happy and very angry ones write more often."
    )
    if run.settings["data"]["source"] == "sample":
        text += " This network was trained on generated sentences only; train one on reviews like yours first."
    return Section("How to read this", text)


def _numbers(positive: np.ndarray, reviews: Reviews, features: list[Feature]) -> dict:
    periods = [] if reviews.dates is None else zip(*by_period(positive, reviews.dates))
    products = by_product(positive, reviews.products)
    return {
        "reviews": len(positive),
        "positive": float(positive.mean()),
        "interval": list(proportion_interval(int(positive.sum()), len(positive))),
        "products": [{"product": name, "positive": k, "reviews": n} for name, k, n in products],
        "trend": [{"period": period, "positive": k, "reviews": n} for period, (k, n) in periods],
        "features": [
            {"feature": f.name, "praise": len(f.praise), "complaints": len(f.complaints), "neutral": f.neutral}
            for f in features
        ],
    }
