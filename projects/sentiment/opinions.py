"""What each review says about each topic: the sentiment of the clauses that mention it, counted once per review."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from statsmodels.stats.multitest import multipletests
from torch import Tensor

from projects.sentiment.clauses import clauses_of, stems_in
from projects.sentiment.predictor import Predictor
from projects.sentiment.quantify import leans, trend_p
from projects.sentiment.topic_words import Encoder
from projects.sentiment.topics import Topic, find_topics, kinds_of, mentions
from shared.console import note
from shared.evaluation.metrics import proportion_interval

SILENT, NEUTRAL, PRAISE, COMPLAINT, MIXED = range(5)
VERDICTS = ("", "neutral", "praise", "complaint", "mixed")
THRESHOLD = 0.7  # a clause with a smaller probability is neither praise nor complaint
MAX_CLAUSES = 30_000  # in longer files the topics are those of reviews chosen at random
MIN_LABELLED = 50  # reviews with a class, from which on the clauses have their own calibration
Trends = list[tuple[float, float, float] | None]
"""For each topic the fraction of complaints in the earlier and the later half, and the p value, where it is tested."""
MIN_TREND = 6  # dated complaints about a topic, from which on a trend is tested


@dataclass(frozen=True)
class Quote:
    """A clause about a topic."""

    row: int
    clause: str
    confidence: float


@dataclass
class Opinions:
    """The topics of reviews, and what each review says about each of them."""

    topics: list[Topic]
    verdicts: np.ndarray
    """SILENT, NEUTRAL, PRAISE, COMPLAINT or MIXED for each review and topic, (N, T)."""
    quotes: list[dict[int, list[Quote]]]
    """For each topic the clauses of praise and of complaints, the most confident first, one of each review."""
    kinds: list[str] | None = None
    """The kind of product of each review, where there are several."""
    temperature: float = 1.0
    """Of the clauses, on top of the network's own."""
    was_read: np.ndarray | None = None
    """Reviews that were chosen at random because there were too many, bool (N,); None: all were read."""

    def counts(self, topic: int, rows: np.ndarray | slice = slice(None)) -> tuple[int, int, int, int]:
        """Reviews that praise, complain about, do both, and say nothing of it, among those that mention it."""
        column = self.verdicts[rows, topic]
        praise, complaint, mixed, neutral = (int((column == v).sum()) for v in (PRAISE, COMPLAINT, MIXED, NEUTRAL))
        return praise, complaint, mixed, neutral

    def reviews_of(self, topic: int) -> int:
        """Reviews that were read and could mention a topic: those of its kind of products."""
        kind = self.topics[topic].kind
        read = self.was_read if self.was_read is not None else np.ones(len(self.verdicts), bool)
        return int(sum(r and k == kind for r, k in zip(read, self.kinds)) if kind and self.kinds else read.sum())

    def is_one_sided(self) -> list[bool]:
        """Which topics are praised more or less often than criticised (Benjamini-Hochberg)."""
        counts = [self.counts(t) for t in range(len(self.topics))]
        return leans([(praise, praise + complaints) for praise, complaints, _, _ in counts])

    def trends(self, days: np.ndarray | None) -> Trends:
        """For each topic the fraction of reviews that complain in the earlier and in the later half, and the p value
        of the trend, corrected for the number of topics (Benjamini-Hochberg). days (N,): NaN where unknown."""
        found: Trends = [None] * len(self.topics)
        if days is None:
            return found
        for number, topic in enumerate(self.topics):
            rows = ~np.isnan(days) & (True if self.was_read is None else self.was_read)
            if topic.kind and self.kinds:  # the mix of products may change with time
                rows &= np.array([kind == topic.kind for kind in self.kinds])
            complains = np.isin(self.verdicts[rows, number], (COMPLAINT, MIXED))
            if complains.sum() < MIN_TREND or len(np.unique(days[rows])) < 3:
                continue
            later = days[rows] > np.median(days[rows])
            if later.any():
                p = trend_p(complains, days[rows])
                found[number] = (float(complains[~later].mean()), float(complains[later].mean()), p)
        corrected = iter(
            multipletests([trend[2] for trend in found if trend], method="fdr_bh")[1] if any(found) else []
        )
        return [(*trend[:2], float(next(corrected))) if trend else None for trend in found]

    def rows(self, products: Sequence[str] | None, trends: Trends) -> list[dict]:
        """The table topics.csv: a row for every topic, and one for each of its products."""
        table = []
        for number, topic in enumerate(self.topics):
            mentioned = np.flatnonzero(self.verdicts[:, number]).tolist()
            names = sorted({products[i] for i in mentioned} - {""}) if products else []
            for name in ["", *(names if len(names) > 1 else [])]:
                rows = np.array([i for i in mentioned if not name or products is None or products[i] == name], int)
                praise, complaints, mixed, neutral = self.counts(number, rows)
                low, high = proportion_interval(praise, praise + complaints)
                worse = proportion_interval(complaints + mixed, len(rows))
                trend = trends[number] if not name else None
                table.append({
                    "topic": topic.name, "kind": topic.kind, "product": name, "mentions": len(rows), "praise": praise,
                    "complaints": complaints, "mixed": mixed, "neutral": neutral,
                    "positive": round(praise / (praise + complaints), 4) if praise + complaints else "",
                    "positive_low": round(low, 4), "positive_high": round(high, 4),
                    "complaint_share_low": round(worse[0], 4), "complaint_share_high": round(worse[1], 4),
                    "complaints_earlier": round(trend[0], 4) if trend else "",
                    "complaints_later": round(trend[1], 4) if trend else "",
                    "trend_p": round(trend[2], 6) if trend else "",
                    "words": ", ".join(topic.words),
                })  # fmt: skip
        return table


def find_opinions(
    predictor: Predictor,
    texts: Sequence[str],
    labels: np.ndarray,
    count: int,
    given: Sequence[Topic],
    is_english: bool,
    products: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
) -> Opinions:
    """The `count` topics of each kind of product beside those that the user names, and the verdict of every review.

    labels (N,): the class of each review, '' where it has none or the run has seen it; with enough of them the clauses
    are calibrated.
    """
    pieces = [clauses_of(text) for text in texts]
    rows = _read(pieces)
    clauses = [(row, clause) for row in rows for clause in pieces[row]]
    kinds = kinds_of(texts, products, categories)
    topics = list(given)
    if not is_english and count:
        note("sentiment: topics are found in English texts only; name your own with --topics 'delivery: words, of it'")
    elif count:
        encoder = Encoder() if Encoder.is_installed() else None
        for kind in sorted(set(kinds)) if kinds else [""]:
            own = [clause for row, clause in clauses if kinds is None or kinds[row] == kind]
            topics += find_topics(own, count, encoder, given, kind)
    found = mentions(topics, clauses, kinds)
    about = [(clause, numbers) for clause, numbers in zip(clauses, found) if numbers]
    opinions = judge(predictor, topics, about, len(texts), labels)
    opinions.kinds = kinds
    opinions.was_read = np.isin(np.arange(len(texts)), rows) if len(rows) < len(texts) else None
    return opinions


def judge(
    predictor: Predictor,
    topics: list[Topic],
    about: list[tuple[tuple[int, str], list[int]]],
    n: int,
    labels: np.ndarray,
) -> Opinions:
    """The verdict of `n` reviews on each topic. about: review number and clause, and the topics that it mentions."""
    verdicts = np.zeros((n, len(topics)), np.int8)
    quotes: list[dict[int, list[Quote]]] = [{PRAISE: [], COMPLAINT: []} for _ in topics]
    pairs = [(row, clause, number) for (row, clause), numbers in about for number in numbers]
    if not pairs:
        return Opinions(topics, verdicts, quotes)
    if predictor.needs_aspects:
        words = [_word_in(clause, topics[number]) for _, clause, number in pairs]
        logits, place = predictor.forward([clause for _, clause, _ in pairs], words), range(len(pairs))
        temperature = 1.0
    else:
        logits = predictor.forward([clause for (_, clause), _ in about])
        place = [i for i, (_, numbers) in enumerate(about) for _ in numbers]
        temperature = clause_temperature(logits, [row for (row, _), _ in about], labels, predictor.classes)
    probabilities = (logits / temperature).softmax(dim=1)
    positive, negative = (probabilities[:, predictor.classes.index(name)].tolist() for name in ("positive", "negative"))
    best: dict[tuple[int, int, int], Quote] = {}
    for (row, clause, number), at in zip(pairs, place):
        confidence = max(positive[at], negative[at])
        verdict = NEUTRAL if confidence < THRESHOLD else PRAISE if positive[at] > negative[at] else COMPLAINT
        before = verdicts[row, number]
        if {before, verdict} == {PRAISE, COMPLAINT} or before == MIXED:
            verdicts[row, number] = MIXED
        else:
            verdicts[row, number] = max(before, verdict)
        if verdict != NEUTRAL:
            key = (row, number, verdict)
            if key not in best or best[key].confidence < confidence:
                best[key] = Quote(row, clause, confidence)
    for (_, number, verdict), quote in sorted(best.items(), key=lambda pair: -pair[1].confidence):
        quotes[number][verdict].append(quote)
    return Opinions(topics, verdicts, quotes, temperature=temperature)


def clause_temperature(logits: Tensor, rows: Sequence[int], labels: np.ndarray, classes: list[str]) -> float:
    """The temperature that makes the mean of a review's clauses agree best with its class (maximum likelihood).

    At least 1: neutral clauses flatten the mean, which would make the others more certain than they are (RESULTS.md).
    1 where few reviews have a class.
    logits (M, C) of clauses, rows (M,): their reviews.
    """
    known = [i for i, row in enumerate(rows) if labels[row] in classes]
    reviews = sorted({rows[i] for i in known})
    if len(reviews) < MIN_LABELLED:
        return 1.0
    number = {row: n for n, row in enumerate(reviews)}
    owner = torch.tensor([number[rows[i]] for i in known])
    size = torch.bincount(owner).unsqueeze(1)
    targets = torch.tensor([classes.index(labels[row]) for row in reviews])
    logits, candidates = logits.float(), torch.logspace(0, 1, 51)
    losses = []
    for temperature in candidates:
        probabilities = (logits[known] / temperature).softmax(dim=1)
        means = torch.zeros(len(reviews), len(classes)).index_add_(0, owner, probabilities) / size  # (reviews, C)
        losses.append(-means.gather(1, targets.unsqueeze(1)).clamp_min(1e-6).log().sum())
    return float(candidates[torch.stack(losses).argmin()])


def _read(pieces: list[list[str]]) -> list[int]:
    """The reviews whose clauses are read, in order: all, or as many as allowed, chosen at random."""
    if sum(map(len, pieces)) <= MAX_CLAUSES:
        return list(range(len(pieces)))
    chosen, total = [], 0
    for row in np.random.default_rng(0).permutation(len(pieces)).tolist():
        total += len(pieces[row])
        if total > MAX_CLAUSES:
            break
        chosen.append(row)
    note(f"sentiment: the topics are those of {len(chosen)} of {len(pieces)} reviews, chosen at random")
    return sorted(chosen)


def _word_in(clause: str, topic: Topic) -> str:
    """The topic's word that the clause has."""
    stems = f" {' '.join(stems_in(clause))} "
    return next((word for word in topic.words if f" {' '.join(stems_in(word))} " in stems), topic.words[0])


def topic_names(opinions: Opinions) -> list[str]:
    """A name for each topic; topics of the same name also have their kind of products, or their first word."""
    several, names = Counter(topic.name for topic in opinions.topics), []
    for topic in opinions.topics:
        name = f"{topic.name} ({topic.kind or topic.words[0]})" if several[topic.name] > 1 else topic.name
        names.append(f"{name} ({topic.words[0]})" if name in names else name)
    return names
