"""A page for a shop: what customers like and dislike, by product, with confidence intervals.

python -m projects.sentiment.customer_report reviews.csv --run RUN
python -m projects.sentiment.customer_report reviews.csv --topics 'delivery: courier, shipping, arrived' --xlsx all.xlsx
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from collections import Counter

import numpy as np
from matplotlib.figure import Figure

from projects.sentiment.config import CustomerReportOptions
from projects.sentiment.drivers import drivers_section, find_drivers, with_stars_and_topic
from projects.sentiment.opinions import Opinions, Trends, find_opinions
from projects.sentiment.own_training import MIN_OWN, train_on
from projects.sentiment.predict import load_for_whole_texts
from projects.sentiment.predictor import Predictor
from projects.sentiment.quantify import Rates, Share, best_and_worst, corrected_share_of, differs_from_rest, shrunken
from projects.sentiment.review_checks import (
    MIN_ENGLISH,
    check_numbers,
    check_section,
    check_stars,
    corrected_share,
    disagreement_section,
    english_share,
    find_warning,
    said_beside,
    share_cards,
)
from projects.sentiment.reviews import Reviews, read_reviews
from projects.sentiment.spreadsheet import require_writer, write_spreadsheet
from projects.sentiment.topic_sections import (
    LIKED,
    answers_of,
    decisions_section,
    product_topics_section,
    quote_section,
    said_of_topics,
    shares_figure,
    topic_sections,
    trend_section,
)
from projects.sentiment.topics import read_topics
from shared.evaluation.metrics import proportion_interval
from shared.evaluation.report import Card, Section, plain, write_page
from shared.files import read_json, write_csv, write_json
from shared.names import shown
from shared.runs import Run

MIN_REVIEWS = 20  # with fewer, the interval of a product is too wide to rank it
UNCERTAIN = 0.6  # with a lower probability of the predicted class a review counts as uncertain


def customer_report(options: CustomerReportOptions, run: Run) -> None:
    """Read the reviews, predict their sentiment, write the page and the tables beside it."""
    path, given = options.input[0], read_topics(options.topics)
    if options.xlsx:
        require_writer(options.xlsx)
    if options.train:
        run = train_on(path, options)
    output = options.output or run.output / "reviews.html"
    tables = output.with_suffix(".csv"), output.with_name(f"{output.stem}-topics.csv")
    for table in (*tables, *([options.xlsx] if options.xlsx else [])):
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
    warning = find_warning(predictor, run, reviews, check, path, options.trust)
    share = corrected_share(positive, reviews, check, run)
    is_poor = check is not None and check.is_poor
    rates = check.error_rates if check and check.is_enough and not is_poor else None
    unseen = np.where(check.measured, reviews.labels, "") if check else np.full(len(reviews.texts), "")
    opinions = find_opinions(
        _load_aspects(options.aspects) if options.aspects else predictor, reviews.texts, unseen,
        options.topic_count, given, english_share(reviews.texts) >= MIN_ENGLISH, reviews.products, reviews.categories,
    )  # fmt: skip
    drivers, trends = find_drivers(opinions, reviews.ratings), opinions.trends(reviews.days)
    by_product = shares_by(positive, reviews.labels, rates, reviews.products)
    periods = shares_over_time(positive, reviews, rates)

    low, high = proportion_interval(int(positive.sum()), len(positive))
    numbers = _numbers(positive, by_product, periods, opinions, trends) | check_numbers(
        check, share, reviews.labels, warning
    )
    numbers["classes"] = {name: int((predicted == number).sum()) for number, name in enumerate(predictor.classes)}
    numbers["drivers"] = [driver.__dict__ for driver in drivers]
    names = [predictor.classes[label] for label in predicted]
    answers = answers_of(names, confidence, opinions)
    numbers["mixed"] = answers.count("mixed")
    says = f"The network calls {positive.mean():.0%} of {len(positive)} reviews positive ({low:.0%} to {high:.0%})"
    rest = "" if warning else f"{_best_and_worst(by_product)}{said_of_topics(opinions)}"
    lead = " ".join(filter(None, [warning, f"{says}{said_beside(share, numbers)}.", rest, _offer(reviews, run, path)]))
    differing = [
        i
        for i in np.argsort(-confidence, kind="stable")
        if reviews.labels[i] in predictor.classes and reviews.labels[i] != names[i]
    ]
    sections = [
        None if warning else decisions_section(opinions, drivers, trends, reviews),
        *topic_sections(opinions),
        drivers_section(drivers, int(with_stars_and_topic(opinions, reviews.ratings).sum())),
        trend_section(opinions, trends),
        quote_section(opinions, reviews),
        _product_section(by_product, rates is not None),
        product_topics_section(opinions, reviews),
        _period_section(periods),
        check_section(check, share, reviews, len(differing), predictor.classes),
        disagreement_section(differing, reviews, names, confidence),
        _reading_section(run, opinions),
    ]
    cards = [
        *_class_cards(predicted, predictor.classes),
        *share_cards(share, numbers),
        Card("mixed", f"{answers.count('mixed') / len(answers):.0%}", "praise and complaints in one review"),
        Card("uncertain", f"{(confidence < UNCERTAIN).mean():.0%}", f"confidence below {UNCERTAIN:.0%}"),
        *_accuracy_card(run),
    ]
    write_page(output, "What customers say", f"{path.name} · predictions of {run.name}", lead, cards, sections)
    rows, topic_rows = _rows(reviews, names, answers, confidence), opinions.rows(reviews.products, trends)
    write_csv(tables[0], rows)
    write_csv(tables[1], topic_rows or [{"topic": ""}])
    if options.xlsx:
        write_spreadsheet(options.xlsx, {"reviews": rows, "topics": topic_rows, "drivers": numbers["drivers"]})
    if options.json_file:
        write_json(options.json_file, numbers)
    print(lead)
    print(f"page: {output}")
    print(f"tables: {', '.join(str(table) for table in (*tables, options.xlsx) if table)}")


def _load_aspects(name: str) -> Predictor:
    """The predictor of a run that was trained on aspects. Raises ValueError or FileNotFoundError with one sentence."""
    predictor = Predictor.load(Run.open("sentiment", name).model_file)
    if not predictor.needs_aspects or not {"negative", "positive"} <= set(predictor.classes):
        raise ValueError(f"--aspects {name} was not trained on aspects; see configs/sentiment/aspects.yaml")
    return predictor


def _offer(reviews: Reviews, run: Run, path: object) -> str:
    """That the file's own stars can train a run, where they are enough and this run is not about them."""
    enough = all((reviews.labels == name).sum() >= MIN_OWN / 4 for name in ("negative", "positive"))
    if (
        not enough
        or (reviews.labels != "").sum() < MIN_OWN
        or (run.settings["data"]["source"] == "csv" and not run.is_shipped)
    ):
        return ""
    return f"The file's own {int((reviews.labels != '').sum())} stars or labels can train a better run: add --train."


def shares_by(
    positive: np.ndarray, labels: np.ndarray, rates: Rates | None, names: list[str] | None
) -> list[tuple[str, Share]]:
    """The share of each product, the most reviewed first."""
    found = []
    for name, _ in Counter(filter(None, names or [])).most_common():
        inside = np.array([other == name for other in names or []])
        found.append((name, corrected_share_of(positive[inside], labels[inside], rates)))
    return found


def shares_over_time(positive: np.ndarray, reviews: Reviews, rates: Rates | None) -> list[tuple[str, Share]]:
    """The share of each month, quarter or year, at most about 24 periods, in their order."""
    dates = reviews.dates
    if dates is None:
        return []
    days = (dates.max() - dates.min()).days
    unit = "M" if days < 800 else "Q" if days < 2400 else "Y"
    periods = dates.dt.tz_localize(None).dt.to_period(unit)
    names = [str(period) if period == period else "" for period in periods.astype(object)]
    return sorted(shares_by(positive, reviews.labels, rates, names))


def _accuracy_card(run: Run) -> list[Card]:
    """Accuracy of the run on its own test set, where it is on record."""
    path = run.folder / "evaluation.json"
    if not path.is_file():
        return []
    return [Card("accuracy", f"{read_json(path)['metrics']['accuracy']:.0%}", "of the network on its own test texts")]


def _class_cards(predicted: np.ndarray, classes: list[str]) -> list[Card]:
    """The share of positive reviews, or of every class where there are more than two."""
    n = len(predicted)
    cards = []
    for name in classes if len(classes) > 2 else ["positive"]:
        k = int((predicted == classes.index(name)).sum())
        beside = "of {} reviews; 95 % confidence interval {:.0%} to {:.0%}".format(n, *proportion_interval(k, n))
        cards.append(Card(f"predicted {name}", f"{k / n:.0%}", beside))
    return cards


def _best_and_worst(by_product: list[tuple[str, Share]]) -> str:
    ranked = [(name, share) for name, share in by_product if share.reviews >= MIN_REVIEWS]
    if len(ranked) < 2:
        return ""
    found = best_and_worst([share.counts for _, share in ranked])
    if found is None:
        return f"The {len(ranked)} products with at least {MIN_REVIEWS} reviews do not differ beyond chance. "
    (best, high), (worst, low) = (ranked[place] for place in found)
    return f"Customers are happiest with {best} ({high.value:.0%}) and least with {worst} ({low.value:.0%}). "


def _product_section(by_product: list[tuple[str, Share]], is_corrected: bool) -> Section | None:
    rows = by_product[:20]
    if len(rows) < 2:
        return None
    counts = [share.counts for _, share in rows]
    ordered = sorted(zip(shrunken(counts), differs_from_rest(counts), rows), key=lambda row: -row[0])
    table = [
        [name[:60], share.reviews, f"{share.value:.0%}", "{:.0%} to {:.0%}".format(*share.interval), f"{drawn:.0%}",
         ("yes" if differs else "no")]
        for drawn, differs, (name, share) in ordered
    ]  # fmt: skip
    figure = shares_figure(
        [name[:40] for _, _, (name, _) in ordered], [(s.value, *s.interval) for _, _, (_, s) in ordered]
    )
    corrected = (
        "Reviews with stars count by their stars, the others by the network, corrected for its errors on the reviews "
        "with stars; the intervals and the tests have these errors, too. "
    )
    return Section(
        "Products",
        f"Fraction of positive reviews, for at most the 20 most reviewed products. {corrected if is_corrected else ''}"
        "They are ordered by the shrunken fraction (empirical Bayes): the fewer reviews, the nearer it is to that "
        "of all. The last column says whether a product differs from all others (score test, p < .05 after Holm's "
        "correction).",
        columns=("product", "reviews", "positive", "95 % interval", "shrunken", "differs"), rows=table, figure=figure,
    )  # fmt: skip


def _period_section(periods: list[tuple[str, Share]]) -> Section | None:
    if len(periods) < 3:
        return None
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    axes = figure.subplots()
    bounds, at = np.array([share.interval for _, share in periods]), range(len(periods))
    axes.fill_between(at, bounds[:, 0], bounds[:, 1], color=LIKED, alpha=0.15, linewidth=0)
    axes.plot(at, [share.value for _, share in periods], color=LIKED, marker="o", markersize=3)
    step = max(1, len(periods) // 12)
    axes.set_xticks(list(at)[::step], [name for name, _ in periods][::step], fontsize=8)
    axes.set(ylim=(0, 1), ylabel="positive")
    plain(axes)
    return Section("Over time", "Fraction of positive reviews with its 95 % interval.", figure=figure)


def _reading_section(run: Run, opinions: Opinions) -> Section:
    text = (
        "The network makes errors: if they are more often in one direction, an uncorrected fraction is wrong however "
        "many reviews there are, and its interval does not show it. Counts of topics are not corrected. Reviewers are "
        "a biased sample of customers: very happy and very angry ones write more often."
    )
    if opinions.temperature != 1:
        text += f" The clauses have a temperature of their own, {opinions.temperature:.1f}, fitted on the stars."
    if run.settings["data"]["source"] == "sample":
        text += " This network was trained on generated sentences only; train one on reviews like yours first."
    return Section("How to read this", text)


def _rows(reviews: Reviews, names: list[str], answers: list[str], confidence: np.ndarray) -> list[dict]:
    """The table beside the page, a row for each review."""
    days = [""] * len(names) if reviews.dates is None else reviews.dates.dt.strftime("%Y-%m-%d").fillna("").tolist()
    return [
        {
            "row": reviews.rows[i], "product": reviews.products[i] if reviews.products else "", "date": days[i],
            "label": names[i], "probability": round(float(confidence[i]), 4), "answer": answers[i],
            "stars": reviews.stars[i] if reviews.stars else "",
        }
        for i in range(len(names))
    ]  # fmt: skip


def _numbers(
    positive: np.ndarray,
    by_product: list[tuple[str, Share]],
    periods: list[tuple[str, Share]],
    opinions: Opinions,
    trends: Trends,
) -> dict:
    def told(name: str, found: list[tuple[str, Share]]) -> list[dict]:
        return [{name: key, "positive": share.value, "reviews": share.reviews} for key, share in found]

    return {
        "reviews": len(positive),
        "positive": float(positive.mean()),
        "interval": list(proportion_interval(int(positive.sum()), len(positive))),
        "products": told("product", by_product),
        "trend": told("period", periods),
        "topics": list(opinions.rows(None, trends)),
    }
