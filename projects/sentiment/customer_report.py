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
import torch
from matplotlib.figure import Figure
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from projects.sentiment.aspects import Feature, find_features
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
from projects.sentiment.predict import MOST_UNKNOWN, load_for_whole_texts
from projects.sentiment.predictor import Predictor
from projects.sentiment.quantify import Rates, adjusted_count, best_and_worst, differs_from_rest, leans, shrunken
from projects.sentiment.sources import read_texts
from shared.console import note
from shared.data.provenance import Provenance, text_fingerprints
from shared.data.values import read_days
from shared.evaluation.metrics import expected_calibration_error, proportion_interval
from shared.evaluation.report import ACCENT, INK, SOFT, Card, Section, plain, write_page
from shared.files import read_json, write_csv, write_json
from shared.names import shown
from shared.runs import Run

LIKED, DISLIKED = ACCENT, "#c24a3d"
MIN_REVIEWS = 20  # with fewer, the interval of a product is too wide to rank it
UNCERTAIN = 0.6  # with a lower probability of the predicted class a review counts as uncertain
MIN_ENGLISH = 0.2  # fraction of common English words; less is another language
MIN_LABELLED = 20  # reviews of each class; with fewer the errors of the network are not estimated from the file
MIN_AGREEMENT = 0.7  # balanced accuracy by the stars of the file; with less the page warns


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


@dataclass
class Check:
    """The network against the stars or labels of the file."""

    measured: np.ndarray
    """The reviews with a class that the run was neither trained nor validated on, bool (N,)."""
    rates: Rates
    accuracy: float
    mean_confidence: float
    ece: float

    @property
    def is_enough(self) -> bool:
        """Whether there are enough reviews of both classes."""
        return min(self.rates.positives, self.rates.negatives) >= MIN_LABELLED


def customer_report(options: CustomerReportOptions, run: Run) -> None:
    """Read the reviews, predict their sentiment, write the page and the table beside it."""
    path = options.input[0]
    output = options.output or run.output / "reviews.html"
    table = output.with_suffix(".csv")
    if table.resolve() == path.resolve():
        raise ValueError(f"the table beside the page would replace {shown(path)}; choose another --output")
    predictor = load_for_whole_texts(run)
    if not {"negative", "positive"} <= set(predictor.classes):
        raise ValueError(f"run {run.name} has no classes negative and positive, but {', '.join(predictor.classes)}")
    reviews = read_reviews(path, options, predictor)
    probabilities = predictor.forward(reviews.texts).softmax(dim=1)
    predicted, confidence = probabilities.argmax(dim=1).numpy(), probabilities.amax(dim=1).numpy()
    positive = predicted == predictor.classes.index("positive")
    check = check_stars(predictor, run, reviews, probabilities)
    warning = find_warning(predictor, run, reviews, check, path)
    share = corrected_share(positive, reviews, check, run)
    aspect_predictor = _load_aspects(options.aspects) if options.aspects else predictor
    features = find_features(aspect_predictor, reviews.texts, options.features)

    low, high = proportion_interval(int(positive.sum()), len(positive))
    numbers = _numbers(positive, reviews, features) | _check_numbers(check, share, reviews.labels, warning)
    says = f"The network calls {positive.mean():.0%} of {len(positive)} reviews positive ({low:.0%} to {high:.0%})"
    rest = "" if warning else f"{_best_and_worst(positive, reviews.products)}{_likes_and_dislikes(features)}"
    lead = " ".join(filter(None, [warning, f"{says}{_beside(share, numbers)}.", rest]))
    interval = f"of {len(positive)} reviews; 95 % confidence interval {low:.0%} to {high:.0%}"
    cards = [
        Card("predicted positive", f"{positive.mean():.0%}", interval),
        *_share_cards(share, numbers),
        Card(
            "uncertain", f"{(confidence < UNCERTAIN).mean():.0%}", f"of the reviews: confidence below {UNCERTAIN:.0%}"
        ),
        Card("accuracy", _accuracy(run), "of the network on its own test texts"),
    ]
    names = [predictor.classes[label] for label in predicted]
    differing = [
        i for i in np.argsort(-confidence, kind="stable") if reviews.labels[i] and reviews.labels[i] != names[i]
    ]
    sections = [
        _check_section(check, share, reviews, len(differing)),
        _product_section(positive, reviews.products),
        _trend_section(positive, reviews.dates),
        _feature_section(features),
        _quote_section(features),
        _by_product_section(features, reviews.products),
        _disagreement_section(differing, reviews, names, confidence),
        _reading_section(run),
    ]
    write_page(output, "What customers say", f"{path.name} · predictions of {run.name}", lead, cards, sections)
    write_csv(table, _rows(reviews, names, confidence))
    if options.json_file:
        write_json(options.json_file, numbers)
    print(lead)
    print(f"page: {output}")
    print(f"table: {table}")


def check_stars(predictor: Predictor, run: Run, reviews: Reviews, probabilities: torch.Tensor) -> Check | None:
    """Agreement and calibration on the labelled reviews that the run has not seen. None without any."""
    known = Provenance.load(run.folder).items
    hashes = text_fingerprints(reviews.texts).exact
    measured = reviews.labels != ""
    if known is not None:
        measured &= ~np.isin(hashes, known.exact)
    if not measured.any():
        return None
    given = probabilities[torch.from_numpy(measured)]
    targets = np.array([predictor.classes.index(name) for name in reviews.labels[measured]])
    predicted, positive = given.argmax(dim=1).numpy(), predictor.classes.index("positive")
    return Check(
        measured,
        Rates.of(targets == positive, predicted == positive),
        float((targets == predicted).mean()),
        given.amax(dim=1).mean().item(),
        expected_calibration_error(given, torch.from_numpy(targets)),
    )


def find_warning(predictor: Predictor, run: Run, reviews: Reviews, check: Check | None, path: Path) -> str:
    """Why the shares are not to be trusted, in one sentence with the command that helps; '' if nothing speaks against.

    Raises ValueError for a run on generated sentences if the file has too few labels to show that it fits.
    """
    train = "python -m projects.sentiment.train --data.source csv --data.root"
    enough = check is not None and check.is_enough
    has_stars = min(int((reviews.labels == name).sum()) for name in ("negative", "positive")) >= MIN_LABELLED
    helps = f"train on reviews like these: {train} {shown(path) if has_stars else 'REVIEWS_WITH_STARS.csv'}"
    if run.settings["data"]["source"] == "sample" and not enough:
        raise ValueError(f"run {run.name} was trained on generated sentences only, not on reviews; {helps}")
    if enough and check and check.rates.balanced_accuracy < MIN_AGREEMENT:
        return (
            f"Do not use these predictions: they agree poorly with the file's own stars or labels (balanced accuracy "
            f"{check.rates.balanced_accuracy:.3f} on {int(check.measured.sum())} reviews; chance is 0.5); {helps}."
        )
    if (unknown := predictor.unknown_words(reviews.texts)) > MOST_UNKNOWN:
        return f"Use these predictions with care: {unknown:.0%} of the words are unknown to the run; {helps}."
    if predictor.config.model.name == "transformer" and english_share(reviews.texts) < MIN_ENGLISH:
        return f"Use these predictions with care: the texts do not look like English, which the encoder knows; {helps}."
    return ""


def english_share(texts: list[str]) -> float:
    """Fraction of the words that are common English words: about .4 to .5 in English."""
    words = [word for text in texts[:1000] for word in text.lower().split()]
    return sum(word in ENGLISH_STOP_WORDS for word in words) / max(1, len(words))


def corrected_share(
    positive: np.ndarray, reviews: Reviews, check: Check | None, run: Run
) -> tuple[float, float, float, str] | None:
    """The adjusted count with its interval, and where the network's errors were measured."""
    rates, where = None, f"{int(check.measured.sum())} labelled reviews of this file" if check else ""
    predictions = run.folder / "predictions.csv"
    stars = reviews.stars or [""] * len(positive)
    middle = np.array([bool(star) and not label for star, label in zip(stars, reviews.labels)])
    all_known = bool((middle | (reviews.labels != "")).all())
    is_poor = check is not None and check.is_enough and check.rates.balanced_accuracy < MIN_AGREEMENT
    if check and check.is_enough and not all_known:
        rates = check.rates
    elif predictions.is_file() and not is_poor:
        own = pd.read_csv(predictions, dtype=str, keep_default_na=False)
        rates, where = (
            Rates.of(*((own[c] == "positive").to_numpy() for c in ("true", "predicted"))),
            "the run's test set",
        )
    counted = positive[~middle]
    found = adjusted_count(int(counted.sum()), len(counted), rates) if rates and len(counted) else None
    return (*found, where) if found else None


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
    ranked = [row for row in by_product(positive, products) if row[2] >= MIN_REVIEWS]
    if len(ranked) < 2:
        return ""
    found = best_and_worst([(k, n) for _, k, n in ranked])
    if found is None:
        return f"The {len(ranked)} products with at least {MIN_REVIEWS} reviews do not differ beyond chance. "
    (best, b, m), (worst, a, n) = (ranked[place] for place in found)
    return f"Customers are happiest with {best} ({b / m:.0%}) and least with {worst} ({a / n:.0%}). "


def _likes_and_dislikes(features: list[Feature]) -> str:
    leaning = leans([(len(f.praise), len(f.praise) + len(f.complaints)) for f in features])
    margins = [(len(f.praise) - len(f.complaints), f.name) for f, leads in zip(features, leaning) if leads]
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
    counts = [(k, n) for _, k, n in rows]
    estimates = sorted(zip(shrunken(counts), differs_from_rest(counts), rows), key=lambda row: -row[0])
    rows = [row for _, _, row in estimates]
    table = [
        [name[:60], n, f"{k / n:.0%}", "{:.0%} to {:.0%}".format(*proportion_interval(k, n)), f"{drawn:.0%}",
         ("yes" if differs else "no")]
        for drawn, differs, (name, k, n) in estimates
    ]  # fmt: skip
    figure = _intervals_figure([name[:40] for name, _, _ in rows], [(k, n) for _, k, n in rows])
    return Section(
        "Products",
        "Fraction of reviews predicted positive, for at most the 20 most reviewed products, ordered by the shrunken "
        "fraction (empirical Bayes): the fewer reviews, the nearer it is to the fraction of all. The last column says "
        "whether a product differs from all others (score test, p < .05 after Holm's correction).",
        columns=("product", "reviews", "positive", "95 % interval", "shrunken", "differs"), rows=table, figure=figure,
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
        "The network makes errors: if they are more often in one direction, the "
        "fraction is wrong however many reviews there are. "
        "The intervals show the uncertainty from the limited number of reviews; they do not include the errors of the "
        "network. Reviewers are a biased sample of customers: very happy and very angry ones write more often."
    )
    if run.settings["data"]["source"] == "sample":
        text += " This network was trained on generated sentences only; train one on reviews like yours first."
    return Section("How to read this", text)


def _check_numbers(
    check: Check | None, share: tuple[float, float, float, str] | None, labels: np.ndarray, warning: str
) -> dict:
    known, liked = int((labels != "").sum()), int((labels == "positive").sum())
    return {
        "warning": warning,
        "stars": {"reviews": known, "positive": liked, "interval": list(proportion_interval(liked, known))},
        "corrected": share and {"positive": share[0], "interval": [share[1], share[2]], "errors_from": share[3]},
        "agreement": check
        and {
            "reviews": int(check.measured.sum()), "accuracy": check.accuracy,
            "balanced_accuracy": check.rates.balanced_accuracy if check.is_enough else None,
            "mean_confidence": check.mean_confidence, "ece": check.ece,
        },
    }  # fmt: skip


def _beside(share: tuple[float, float, float, str] | None, numbers: dict) -> str:
    stars = numbers["stars"]
    parts = []
    if stars["reviews"]:
        low, high = stars["interval"]
        parts.append(
            f"by the file's own stars or labels {stars['positive'] / stars['reviews']:.0%} of {stars['reviews']} are "
            f"({low:.0%} to {high:.0%})"
        )
    if share:
        parts.append(f"corrected for its errors on {share[3]}: {share[0]:.0%} ({share[1]:.0%} to {share[2]:.0%})")
    return "".join(f"; {part}" for part in parts)


def _share_cards(share: tuple[float, float, float, str] | None, numbers: dict) -> list[Card]:
    stars, cards = numbers["stars"], []
    if stars["reviews"]:
        cards.append(Card("positive by stars", f"{stars['positive'] / stars['reviews']:.0%}", f"of {stars['reviews']}"))
    if share:
        cards.append(Card("corrected", f"{share[0]:.0%}", f"95 % confidence interval {share[1]:.0%} to {share[2]:.0%}"))
    return cards


def _check_section(
    check: Check | None, share: tuple[float, float, float, str] | None, reviews: Reviews, differing: int
) -> Section | None:
    if check is None:
        return None
    seen = int((reviews.labels != "").sum() - check.measured.sum())
    text = (
        f"{int(check.measured.sum())} reviews have stars or labels of a class"
        + (f" and were not in the training ({seen} were, and are left out here)" if seen else "")
        + f". The accuracy on them is {check.accuracy:.0%}, the mean confidence {check.mean_confidence:.0%}, the "
        f"expected calibration error {check.ece:.3f}. Text and stars disagree in {differing} reviews of the file."
    )
    if share:
        text += (
            f" The corrected share is the adjusted count: the confusion matrix of {share[3]} says how often the "
            "network calls a positive and a negative review positive, which is solved for the share. Reviews with "
            "stars in the middle of the scale are left out of it. Where every review has a class, the errors are those "
            "on the run's test set, so that the corrected share can be compared with the share of the stars."
        )
    rates = check.rates
    rows = [
        ["positive", rates.true_positives, rates.positives - rates.true_positives],
        ["not positive", rates.false_positives, rates.negatives - rates.false_positives],
    ]
    columns = ("stars or label", "predicted positive", "predicted not positive")
    return Section("Agreement with the stars", text, columns=columns, rows=rows)


def _disagreement_section(
    differing: list[int], reviews: Reviews, names: list[str], confidence: np.ndarray, count: int = 15
) -> Section | None:
    if not differing or reviews.stars is None:
        return None
    rows = [
        [reviews.rows[i], reviews.stars[i], f"{names[i]} {confidence[i]:.0%}", reviews.texts[i][:200]]
        for i in differing[:count]
    ]
    text = f"The {len(rows)} most confident of {len(differing)}: errors of the network, or stars given by mistake."
    columns = ("row", "stars or label", "prediction", "text")
    return Section("Text and stars disagree", text, columns=columns, rows=rows)


def _rows(reviews: Reviews, names: list[str], confidence: np.ndarray) -> list[dict]:
    """The table beside the page, a row for each review."""
    days = [""] * len(names) if reviews.dates is None else reviews.dates.dt.strftime("%Y-%m-%d").fillna("").tolist()
    return [
        {
            "row": reviews.rows[i], "product": reviews.products[i] if reviews.products else "", "date": days[i],
            "label": names[i], "probability": round(float(confidence[i]), 4),
            "stars": reviews.stars[i] if reviews.stars else "",
        }
        for i in range(len(names))
    ]  # fmt: skip


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
