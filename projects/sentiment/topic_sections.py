"""The parts of the customer report about topics: what to decide from, bars, tables, quotes and trends."""

from collections import Counter
from html import escape

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from projects.sentiment.clauses import stems_in
from projects.sentiment.drivers import DISLIKED, Driver
from projects.sentiment.opinions import COMPLAINT, MIXED, PRAISE, Opinions, Quote, Trends, topic_names
from projects.sentiment.quantify import ALPHA, shrunken
from projects.sentiment.reviews import Reviews
from shared.evaluation.metrics import proportion_interval
from shared.evaluation.report import ACCENT, INK, SOFT, Section, plain

LIKED = ACCENT
MIXED_COLOR = "#d9b36c"
MAX_PRODUCTS = 12
MIN_CELL = 3  # verdicts of a product on a topic, to be named


def decisions_section(opinions: Opinions, drivers: list[Driver], trends: Trends, reviews: Reviews) -> Section | None:
    """The topics to work on and to advertise, with a quote each."""
    names, sided = topic_names(opinions), opinions.is_one_sided()
    costs = {
        driver.topic: driver for driver in drivers if driver.is_complaint and driver.is_certain and driver.stars < 0
    }
    complained, liked = [], []
    for number, name in enumerate(names):
        praise, complaints, mixed, _ = opinions.counts(number)
        cost = -costs[name].stars * (complaints + mixed) if name in costs else 0.0
        if (sided[number] and complaints > praise) or (name in costs and not sided[number]):
            complained.append((cost, complaints + mixed, name, number))
        elif sided[number]:
            liked.append((praise + mixed, name, number))
    lines = []
    for _, count, name, number in sorted(complained, reverse=True)[:3]:
        what = f"{count} complaints in {opinions.reviews_of(number)} reviews"
        what += f"; goes with {costs[name].stars:+.1f} stars" if name in costs else ""
        trend = trends[number]
        if trend and trend[2] < ALPHA:
            what += f"; {'more' if trend[1] > trend[0] else 'less'} often than before ({trend[0]:.1%} → {trend[1]:.1%})"
        lines.append(_decision("Work on", DISLIKED, name, what, _short(opinions, number, COMPLAINT), reviews))
    for count, name, number in sorted(liked, reverse=True)[:3]:
        what = f"praised in {count} of {opinions.reviews_of(number)} reviews"
        lines.append(_decision("Keep and show", LIKED, name, what, _short(opinions, number, PRAISE), reviews))
    if not lines:
        return None
    return Section("What to decide from", html="".join(lines))


def _decision(verb: str, color: str, name: str, what: str, quotes: list[Quote], reviews: Reviews) -> str:
    quote = next(iter(quotes), None)
    said = f"<br>“{escape(quote.clause)}” {_source(quote, reviews)}" if quote else ""
    return (
        f'<p class="text" style="border-left:5px solid {color}"><b style="color:{color}">{verb}</b> &nbsp;'
        f'<strong style="font-size:17px">{escape(name)}</strong> <span class="soft">{escape(what)}</span>{said}</p>'
    )


def topic_sections(opinions: Opinions) -> list[Section]:
    """Bars and a table of the topics; one of each for every kind of product."""
    sections = []
    kinds = list(dict.fromkeys(topic.kind for topic in opinions.topics))
    text = (
        "Number of reviews that praise a topic, complain about it, or do both (mixed); a review counts once for each "
        "topic. Positive: praise among praise and complaints, with its 95 % interval (Wilson). A topic is the words in "
        "the last column, and what shares their stem."
    )
    if opinions.was_read is not None:
        text += f" From {int(opinions.was_read.sum())} reviews chosen at random."
    for kind in kinds:
        numbers = [n for n, topic in enumerate(opinions.topics) if topic.kind == kind]
        numbers.sort(key=lambda n: -sum(opinions.counts(n)[:3]))
        rows = []
        for number in numbers:
            praise, complaints, mixed, neutral = opinions.counts(number)
            judged = praise + complaints
            low, high = proportion_interval(praise, judged)
            share = f"{praise / judged:.0%} ({low:.0%} to {high:.0%})" if judged else ""
            topic = opinions.topics[number]
            words = ", ".join(topic.words[:6]) + (f" and {len(topic.words) - 6} more" if len(topic.words) > 6 else "")
            rows.append([topic.name, praise, complaints, mixed, neutral, share, words])
        columns = ("topic", "praise", "complaints", "mixed", "neutral", "positive", "its words")
        title = f"Topics: {kind}" if kind else "Topics"
        sections.append(Section(title, text, columns=columns, rows=rows, figure=_bars(opinions, numbers)))
        text = ""
    return sections


def _bars(opinions: Opinions, numbers: list[int]) -> Figure:
    figure = Figure(figsize=(8.6, 0.9 + 0.3 * len(numbers)), layout="constrained")
    axes = figure.subplots()
    for place, number in enumerate(reversed(numbers)):
        praise, complaints, mixed, _ = opinions.counts(number)
        axes.barh(place, praise, color=LIKED, height=0.7)
        axes.barh(place, -complaints, color=DISLIKED, height=0.7)
        axes.barh(place, mixed / 2, left=praise, color=MIXED_COLOR, height=0.7)
        axes.barh(place, -mixed / 2, left=-complaints, color=MIXED_COLOR, height=0.7)
    axes.set_yticks(range(len(numbers)), [opinions.topics[number].name for number in reversed(numbers)])
    axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set(xlabel="reviews that criticise   ·   reviews that praise")
    colors = {"complaints": DISLIKED, "mixed": MIXED_COLOR, "praise": LIKED}
    patches = [Patch(color=color, label=label) for label, color in colors.items()]
    figure.legend(handles=patches, loc="outside upper right", ncols=3, fontsize=8, frameon=False)
    plain(axes)
    return figure


def quote_section(opinions: Opinions, reviews: Reviews, count: int = 8) -> Section | None:
    """The most confident clauses about the most mentioned topics, with product, day and row."""
    pieces, names = [], topic_names(opinions)
    for number in sorted(range(len(names)), key=lambda number: -sum(opinions.counts(number)[:3]))[:count]:
        for title, verdict in (("liked", PRAISE), ("disliked", COMPLAINT)):
            quotes = opinions.quotes[number][verdict]
            if chosen := _short(opinions, number, verdict)[:2]:
                lines = "<br>".join(f"“{escape(quote.clause)}” {_source(quote, reviews)}" for quote in chosen)
                pieces.append(
                    f'<p class="text"><b>{escape(names[number])}, {title} by {len(quotes)}</b><br>{lines}</p>'
                )
    if not pieces:
        return None
    return Section(
        "Quotes", "The clauses that the network classified with the highest confidence.", html="".join(pieces)
    )


def _short(opinions: Opinions, number: int, verdict: int) -> list[Quote]:
    """Quotes of 4 to 30 words, first those with the most typical word of the topic."""
    topic = opinions.topics[number]
    typical = {key for word in (topic.name, topic.words[0]) for key in stems_in(word)}
    quotes = [quote for quote in opinions.quotes[number][verdict] if 4 <= len(quote.clause.split()) <= 30]
    return sorted(quotes, key=lambda quote: not typical & set(stems_in(quote.clause)))


def _source(quote: Quote, reviews: Reviews) -> str:
    """Where a quote is from: product, day and row of the file."""
    product = reviews.products[quote.row][:40] if reviews.products else ""
    day = reviews.dates[quote.row] if reviews.dates is not None else None
    parts = [product, f"{day:%Y-%m-%d}" if day is not None and day == day else "", f"row {reviews.rows[quote.row]}"]
    return f'<span class="soft">{escape(", ".join(filter(None, parts)))}</span>'


def trend_section(opinions: Opinions, trends: Trends) -> Section | None:
    """The fraction of reviews that complain about each topic, in the earlier and the later half."""
    tested = {name: trend for name, trend in zip(topic_names(opinions), trends) if trend}
    if not tested:
        return None
    rows = [
        [name, f"{before:.1%}", f"{after:.1%}", ("rising" if after > before else "falling") if p < ALPHA else "", p]
        for name, (before, after, p) in sorted(tested.items(), key=lambda pair: pair[1][2])
    ]
    text = (
        "Fraction of reviews that complain about a topic, in the earlier and the later half of the dated reviews. The "
        "trend over all days is tested (Cochran-Armitage); p is corrected for their number (Benjamini-Hochberg)."
    )
    columns = ("complaints about", "earlier half", "later half", "trend", "corrected p")
    return Section("Complaints over time", text, columns=columns, rows=rows)


def product_topics_section(opinions: Opinions, reviews: Reviews) -> Section | None:
    """What each product is liked and disliked for, by fractions that are drawn to those of all products."""
    products = reviews.products
    if not products or not opinions.topics:
        return None
    common = [name for name, _ in Counter(filter(None, products)).most_common(MAX_PRODUCTS)]
    of_product = {name: np.array([product == name for product in products]) for name in common}
    best: dict[str, list[tuple[float, str]]] = {name: [] for name in common}
    for number, topic in enumerate(topic_names(opinions)):
        pairs = [(name, opinions.counts(number, of_product[name])) for name in common]
        judged = [
            (name, praise, praise + complaints) for name, (praise, complaints, _, _) in pairs if praise + complaints
        ]
        if not judged:
            continue
        for (name, praise, n), drawn in zip(judged, shrunken([(k, n) for _, k, n in judged])):
            if n >= MIN_CELL:
                best[name].append((drawn, f"{topic} ({drawn:.0%}: {praise} of {n})"))
    rows = []
    for name in (name for name in common if best[name]):
        ordered = sorted(best[name], reverse=True)
        liked = [text for share, text in ordered if share >= 0.5][:3]
        disliked = [text for share, text in reversed(ordered) if share < 0.5][:3]
        rows.append([name[:50], int(of_product[name].sum()), ", ".join(liked), ", ".join(disliked)])
    if len(rows) < 2:
        return None
    text = (
        "Positive among praise and complaints, drawn towards the fraction of all products (empirical Bayes): the fewer "
        "reviews, the more. Behind the colon: praise, of praise and complaints."
    )
    return Section("Topics of each product", text, columns=("product", "reviews", "liked", "disliked"), rows=rows)


def shares_figure(names: list[str], intervals: list[tuple[float, float, float]]) -> Figure:
    """Values with their intervals (value, low, high), one under the other."""
    figure = Figure(figsize=(8.6, 0.8 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    for place, (value, low, high) in enumerate(reversed(intervals)):
        axes.plot([low, high], [place, place], color=SOFT, linewidth=3, solid_capstyle="round")
        axes.plot(value, place, "o", color=LIKED)
    axes.set_yticks(range(len(names)), list(reversed(names)), fontsize=8)
    axes.set(xlim=(0, 1), xlabel="positive")
    plain(axes)
    return figure


def said_of_topics(opinions: Opinions) -> str:
    """`They like price; they complain about delivery.`, for the topics that lean to one side beyond chance."""
    names, sided = topic_names(opinions), opinions.is_one_sided()
    praised, criticised = [], []
    for number, name in enumerate(names):
        praise, complaints, mixed, _ = opinions.counts(number)
        if sided[number] and praise > complaints:
            praised.append((praise + mixed, name))
        elif sided[number]:
            criticised.append((complaints + mixed, name))
    liked, disliked = ([name for _, name in sorted(found, reverse=True)] for found in (praised, criticised))
    parts = [
        f"They like {', '.join(liked[:3])}" if liked else "",
        f"they complain about {', '.join(disliked[:3])}" if disliked else "",
    ]
    sentence = "; ".join(part for part in parts if part)
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def answers_of(labels: list[str], confidence: np.ndarray, opinions: Opinions, certain: float = 0.9) -> list[str]:
    """The class of each review, or 'mixed' where it praises and criticises about as many topics and is not certain."""
    praise = np.isin(opinions.verdicts, (PRAISE, MIXED)).sum(axis=1)
    complaints = np.isin(opinions.verdicts, (COMPLAINT, MIXED)).sum(axis=1)
    few, many = np.minimum(praise, complaints), np.maximum(praise, complaints)
    mixed = (few > 0) & (2 * few >= many) & (confidence < certain)
    return ["mixed" if is_mixed else label for label, is_mixed in zip(labels, mixed)]
