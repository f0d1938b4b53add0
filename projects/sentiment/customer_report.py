"""A page for the shop: what customers like and dislike, product by product, and how sure that is.

python -m projects.sentiment.customer_report reviews.csv --run RUN
"""

if __name__ == "__main__":
    from projects.sentiment.config import ReportOptions
    from shared.command import answer

    answer("projects.sentiment.customer_report", ReportOptions)

import sys
from collections import Counter
from html import escape

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from projects.sentiment.aspects import Feature, find_features
from projects.sentiment.config import ReportOptions
from projects.sentiment.predict import open_predictor
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import headline, read_dates, read_products, read_texts
from shared.data.tables import read_table
from shared.evaluation import report
from shared.evaluation.metrics import proportion_interval
from shared.files import read_json, write_json
from shared.runs import Run

LIKED, DISLIKED = report.ACCENT, "#c24a3d"
FEW = 20  # reviews; below, an interval is too wide to rank by


def main(options: ReportOptions, run: Run) -> None:
    """The command line: read the reviews, judge them, write the page."""
    path = options.input[0]
    frame = read_table(path, options.encoding)
    model = open_predictor(run).model
    texts = read_texts(frame, path, options.text, headline(frame, options.title, model.config.data.title))
    products, dates = read_products(frame, path, options.product), read_dates(frame, path, options.date)
    kept = [bool(text) for text in texts]
    if not any(kept):
        raise ValueError(f"{path} holds no text")
    if not all(kept):
        print(f"sentiment: left out: {kept.count(False)} rows of {path} without a text", file=sys.stderr)
    texts = [text for text in texts if text]
    products = [p for p, keep in zip(products, kept) if keep] if products else None
    dates = dates[kept].reset_index(drop=True) if dates is not None else None

    if not {"negative", "positive"} <= set(model.classes):
        raise ValueError(f"run {run.name} does not know the classes negative and positive, but {model.classes}")
    probabilities = model(texts).softmax(dim=1)
    likes = (probabilities.argmax(dim=1) == model.classes.index("positive")).numpy()
    unsure = (probabilities.amax(dim=1) < 0.6).numpy()
    judge = _open_aspects(options.aspects) if options.aspects else model
    features = find_features(judge, texts, options.features)
    about = _accuracy(run)

    low, high = proportion_interval(int(likes.sum()), len(likes))
    lead = (
        f"{likes.mean():.0%} of {len(texts)} reviews are positive ({low:.0%} to {high:.0%}). "
        f"{_best_and_worst(likes, products)}{_likes_and_dislikes(features)}"
    )
    cards = [
        report.Card(
            "positive", f"{likes.mean():.0%}", f"of {len(texts)} reviews; 95 % interval {low:.0%} to {high:.0%}"
        ),
        report.Card("hard to tell", f"{unsure.mean():.0%}", "of the reviews: the network is less than 60 % sure"),
        report.Card("right in", about, "of the test texts of its training"),
    ]
    sections = [
        _product_section(likes, products),
        _trend_section(likes, dates),
        _feature_section(features),
        _quote_section(features),
        _by_product_section(features, products),
        report.Section(
            "How to read this",
            "A network read the reviews; it errs now and then, so a single review may be judged wrongly while shares "
            "over many are close. Intervals say how far a share may be off because there are only so many reviews; "
            "they do not contain the network's errors. Reviews are not all customers: those who are very happy or very "
            "angry write more often. "
            + (
                ""
                if run.settings["data"]["source"] != "sample"
                else "This network was trained on composed sentences only; train it on reviews of your own kind first."
            ),
        ),
    ]
    output = options.output or run.folder / "reviews.html"
    report.write_page(output, "What customers say", f"{path.name} · judged by {run.name}", lead, cards, sections)
    if options.json_file:
        write_json(options.json_file, _numbers(likes, products, dates, features))
    print(lead)
    print(f"page: {output}")


def _open_aspects(name: str) -> Predictor:
    """The model of a run that judges aspects. Raises ValueError or FileNotFoundError with one sentence."""
    model = Predictor.load(Run.open("sentiment", name).model_file)
    if not model.config.data.aspect or not {"negative", "positive"} <= set(model.classes):
        raise ValueError(f"--aspects {name} was not trained on aspects; see configs/sentiment/aspects.yaml")
    return model


def by_product(likes: np.ndarray, products: list[str] | None) -> list[tuple[str, int, int]]:
    """Product, positive reviews, all reviews; the most reviewed first."""
    counts = Counter(products or [])
    positive = Counter(product for product, like in zip(products or [], likes) if like)
    return [(product, positive[product], n) for product, n in counts.most_common() if product]


def by_period(likes: np.ndarray, dates: pd.Series) -> tuple[list[str], list[tuple[int, int]]]:
    """Names of months, quarters or years, whichever gives some two dozen at most, with positive and all reviews."""
    days = (dates.max() - dates.min()).days
    unit = "M" if days < 800 else "Q" if days < 2400 else "Y"
    periods = dates.dt.tz_localize(None).dt.to_period(unit)
    groups = pd.DataFrame({"period": periods, "like": likes}).dropna().groupby("period")["like"]
    return [str(p) for p in groups.groups], [(int(g.to_numpy().sum()), len(g)) for _, g in groups]


def _accuracy(run: Run) -> str:
    path = run.folder / "evaluation.json"
    return f"{read_json(path)['metrics']['accuracy']:.0%}" if path.is_file() else "unknown"


def _best_and_worst(likes: np.ndarray, products: list[str] | None) -> str:
    ranked = sorted((row for row in by_product(likes, products) if row[2] >= FEW), key=lambda row: row[1] / row[2])
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


def _product_section(likes: np.ndarray, products: list[str] | None) -> report.Section | None:
    rows = by_product(likes, products)[:20]
    if len(rows) < 2:
        return None
    rows.sort(key=lambda row: -row[1] / row[2])
    table = [
        [name[:60], n, f"{k / n:.0%}", "{:.0%} to {:.0%}".format(*proportion_interval(k, n))] for name, k, n in rows
    ]
    figure = _shares([name[:40] for name, _, _ in rows], [(k, n) for _, k, n in rows])
    return report.Section(
        "Product by product",
        "Share of positive reviews, for at most the 20 most reviewed products.",
        columns=("product", "reviews", "positive", "95 % interval"), rows=table, figure=figure,
    )  # fmt: skip


def _trend_section(likes: np.ndarray, dates: pd.Series | None) -> report.Section | None:
    if dates is None:
        return None
    names, counts = by_period(likes, dates)
    if len(names) < 3:
        return None
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    axes = figure.subplots()
    shares = [k / n for k, n in counts]
    bounds = np.array([proportion_interval(k, n) for k, n in counts])
    at = range(len(names))
    axes.fill_between(at, bounds[:, 0], bounds[:, 1], color=LIKED, alpha=0.15, linewidth=0)
    axes.plot(at, shares, color=LIKED, marker="o", markersize=3)
    step = max(1, len(names) // 12)
    axes.set_xticks(list(at)[::step], names[::step], fontsize=8)
    axes.set(ylim=(0, 1), ylabel="positive")
    report.plain(axes)
    return report.Section("Over time", "Share of positive reviews with its 95 % interval.", figure=figure)


def _feature_section(features: list[Feature]) -> report.Section | None:
    if not features:
        return None
    figure = Figure(figsize=(8.6, 0.6 + 0.3 * len(features)), layout="constrained")
    axes = figure.subplots()
    for place, feature in enumerate(reversed(features)):
        axes.barh(place, len(feature.praise), color=LIKED)
        axes.barh(place, -len(feature.complaints), color=DISLIKED)
    axes.set_yticks(range(len(features)), [feature.name for feature in reversed(features)])
    axes.axvline(0, color=report.INK, linewidth=0.8)
    axes.set(xlabel="reviews that complain   ·   reviews that praise")
    report.plain(axes)
    rows = []
    for feature in features:
        k, n = len(feature.praise), len(feature.praise) + len(feature.complaints)
        share = f"{k / n:.0%}" if n else ""
        rows.append([feature.name, k, n - k, share, "{:.0%} to {:.0%}".format(*proportion_interval(k, n))])
    return report.Section(
        "What they talk about",
        "How many reviews praise something and how many complain about it; a review counts once for each.",
        columns=("feature", "praise", "complaints", "praise among both", "95 % interval"), rows=rows, figure=figure,
    )  # fmt: skip


def _quote_section(features: list[Feature], most: int = 8) -> report.Section | None:
    pieces = []
    for feature in features[:most]:
        for title, mentions in (("liked", feature.praise), ("disliked", feature.complaints)):
            quotes = [clause for _, clause in mentions if 4 <= len(clause.split()) <= 30][:2]
            if quotes:
                lines = "<br>".join(f"“{escape(quote)}”" for quote in quotes)
                pieces.append(
                    f'<p class="text"><b>{escape(feature.name)}, {title} by {len(mentions)}</b><br>{lines}</p>'
                )
    if not pieces:
        return None
    return report.Section("In their own words", "The sentences the network was most sure of.", html="".join(pieces))


def _by_product_section(features: list[Feature], products: list[str] | None) -> report.Section | None:
    if not products or not features:
        return None
    rows = []
    for product, n in Counter(filter(None, products)).most_common(12):
        praise = Counter({f.name: sum(products[row] == product for row, _ in f.praise) for f in features})
        complaints = Counter({f.name: sum(products[row] == product for row, _ in f.complaints) for f in features})
        named = [", ".join(f"{name} ({k})" for name, k in c.most_common(3) if k) for c in (praise, complaints)]
        if any(named):
            rows.append([product[:50], n, *named])
    return report.Section(
        "Liked and disliked in each product", columns=("product", "reviews", "liked", "disliked"), rows=rows
    )


def _shares(names: list[str], counts: list[tuple[int, int]]) -> Figure:
    figure = Figure(figsize=(8.6, 0.8 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, (k, n) in enumerate(reversed(counts)):
        low, high = proportion_interval(k, n)
        axes.plot([low, high], [place, place], color=report.SOFT, linewidth=3, solid_capstyle="round")
        axes.plot(k / n, place, "o", color=LIKED)
    axes.set_yticks(range(len(names)), list(reversed(names)), fontsize=8)
    axes.set(xlim=(0, 1), xlabel="positive")
    report.plain(axes)
    return figure


def _numbers(likes: np.ndarray, products: list[str] | None, dates: pd.Series | None, features: list[Feature]) -> dict:
    periods = [] if dates is None else zip(*by_period(likes, dates))
    low, high = proportion_interval(int(likes.sum()), len(likes))
    return {
        "reviews": len(likes),
        "positive": float(likes.mean()),
        "interval": [low, high],
        "products": [{"product": name, "positive": k, "reviews": n} for name, k, n in by_product(likes, products)],
        "trend": [{"period": period, "positive": k, "reviews": n} for period, (k, n) in periods],
        "features": [
            {"feature": f.name, "praise": len(f.praise), "complaints": len(f.complaints), "neutral": f.neutral}
            for f in features
        ],
    }
