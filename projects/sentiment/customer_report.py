"""A page for a shop: what customers like and dislike, by product, with confidence intervals.

python -m projects.sentiment.customer_report reviews.csv --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from collections import Counter
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from projects.sentiment.aspects import Feature, find_features
from projects.sentiment.config import CustomerReportOptions
from projects.sentiment.predict import load_for_whole_texts
from projects.sentiment.predictor import Predictor
from projects.sentiment.quantify import best_and_worst, differs_from_rest, leans, shrunken
from projects.sentiment.review_checks import (
    check_numbers,
    check_section,
    check_stars,
    corrected_share,
    disagreement_section,
    find_warning,
    said_beside,
    share_cards,
)
from projects.sentiment.reviews import Reviews, read_reviews
from shared.evaluation.metrics import proportion_interval
from shared.evaluation.report import ACCENT, INK, SOFT, Card, Section, plain, write_page
from shared.files import read_json, write_csv, write_json
from shared.names import shown
from shared.runs import Run

LIKED, DISLIKED = ACCENT, "#c24a3d"
MIN_REVIEWS = 20  # with fewer, the interval of a product is too wide to rank it
UNCERTAIN = 0.6  # with a lower probability of the predicted class a review counts as uncertain


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
    numbers = _numbers(positive, reviews, features) | check_numbers(check, share, reviews.labels, warning)
    says = f"The network calls {positive.mean():.0%} of {len(positive)} reviews positive ({low:.0%} to {high:.0%})"
    rest = "" if warning else f"{_best_and_worst(positive, reviews.products)}{_likes_and_dislikes(features)}"
    lead = " ".join(filter(None, [warning, f"{says}{said_beside(share, numbers)}.", rest]))
    interval = f"of {len(positive)} reviews; 95 % confidence interval {low:.0%} to {high:.0%}"
    cards = [
        Card("predicted positive", f"{positive.mean():.0%}", interval),
        *share_cards(share, numbers),
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
        check_section(check, share, reviews, len(differing)),
        _product_section(positive, reviews.products),
        _trend_section(positive, reviews.dates),
        _feature_section(features),
        _quote_section(features),
        _by_product_section(features, reviews.products),
        disagreement_section(differing, reviews, names, confidence),
        _reading_section(run),
    ]
    write_page(output, "What customers say", f"{path.name} · predictions of {run.name}", lead, cards, sections)
    write_csv(table, _rows(reviews, names, confidence))
    if options.json_file:
        write_json(options.json_file, numbers)
    print(lead)
    print(f"page: {output}")
    print(f"table: {table}")


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
