"""Topics, opinions and drivers of the customer report: planted effects are found, chance is not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from projects.sentiment import spreadsheet
from projects.sentiment.aspects import around
from projects.sentiment.clauses import clauses_of, stem
from projects.sentiment.drivers import find_drivers
from projects.sentiment.label import choose
from projects.sentiment.learning_curve import LearningCurve
from projects.sentiment.opinions import (
    COMPLAINT,
    MIXED,
    NEUTRAL,
    PRAISE,
    SILENT,
    Opinions,
    clause_temperature,
    judge,
    topic_names,
)
from projects.sentiment.quantify import Rates, corrected_share_of, trend_p
from projects.sentiment.topic_sections import answers_of
from projects.sentiment.topics import Topic, find_topics, kinds_of, mentions, read_topics

GROUPS = (("battery", "charge"), ("delivery", "courier"), ("screen", "display"))


class WordEncoder:
    """A stub for the encoder: words of one group are near, and only these are like aspects."""

    def __call__(self, texts: list[str]) -> np.ndarray:
        generator = np.random.default_rng(0)
        vectors = generator.normal(0, 0.05, (len(texts), 8))
        for place, text in enumerate(texts):
            for number, group in enumerate(GROUPS):
                vectors[place, number] += sum(stem(w.strip(".")) in map(stem, group) for w in text.lower().split())
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def aspect_probability(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors[:, : len(GROUPS)].max(axis=1) > 0.8).astype(float)


CLAUSES = [
    text
    for number in range(12)
    for text in (
        f"The battery lasts {'long' if number % 2 else 'short'}", "it does charge well", "Two batteries died",
        "The delivery was late", "the courier smiled", "The screen is dim", "a bright display",
    )
]  # fmt: skip


@pytest.mark.parametrize(("word", "same"), [("batteries", "battery"), ("freezes", "freezing"), ("stopped", "stop")])
def test_inflections_have_one_stem(word: str, same: str) -> None:
    assert stem(word) == stem(same)
    assert stem("service") != stem("serve")


def test_a_concession_between_subject_and_verb_keeps_the_noun() -> None:
    assert clauses_of("The service, although friendly, was slow.") == [
        "The service … was slow.", "The service … friendly"
    ]  # fmt: skip
    assert clauses_of("The room, while small, smelled fresh.")[1] == "The room … small"
    assert clauses_of("It is good, although pricey, and small.") == ["It is good", "pricey, and small."]
    for whole in ("The staff were nothing but kind.", "It is anything but bad.", "My battery was all but useless.",
                  "It has not yet failed me.", "It hasn't yet failed.", "I have yet to see one."):  # fmt: skip
        assert clauses_of(whole) == [whole]
    assert clauses_of("A cheap yet solid lid.") == ["A cheap", "solid lid."]
    assert clauses_of("The lid is good, but the cord is short. Fine.") == ["The lid is good", "the cord is short."]


def test_plurals_and_synonyms_are_one_topic() -> None:
    encoder: Any = WordEncoder()
    topics = find_topics(CLAUSES, 5, encoder)
    assert sorted(sorted(topic.keys) for topic in topics) == sorted(sorted(map(stem, group)) for group in GROUPS)
    assert topics[0].words[0] in ("battery", "batteries")
    assert not {"battery", "charge"} & {w for t in find_topics(CLAUSES, 5, encoder, topics[:1]) for w in t.words}


def test_without_the_encoder_nouns_are_topics() -> None:
    topics = find_topics(CLAUSES, 5, None)
    assert {"delivery", "screen"} <= {word for topic in topics for word in topic.words}
    assert not {"late", "bright", "smiled"} & {word for topic in topics for word in topic.words}


def test_topics_of_the_user_come_from_text_or_files(tmp_path: Path) -> None:
    assert read_topics("delivery: courier, on time; price") == [
        Topic("delivery", ("delivery", "courier", "on time"), is_given=True), Topic("price", ("price",), is_given=True)
    ]  # fmt: skip
    (tmp_path / "t.txt").write_text("delivery: courier\n\nprice: cost, cheap\n")
    (tmp_path / "t.yaml").write_text("delivery: [courier]\nprice: cost, cheap\n")
    assert read_topics(str(tmp_path / "t.txt")) == read_topics(str(tmp_path / "t.yaml"))
    assert read_topics("") == []
    with pytest.raises(ValueError, match="a topic is a name and its words"):
        read_topics(": courier")
    with pytest.raises(FileNotFoundError):
        read_topics(str(tmp_path / "none.txt"))


def test_topics_of_the_same_name_are_told_apart() -> None:
    topics = [Topic("lens", ("lens",), "cameras"), Topic("lens", ("lens",), "glasses"), Topic("price", ("cost",))]
    topics += [Topic("battery life", ("battery",)), Topic("battery life", ("life",))]
    opinions = Opinions(topics, np.zeros((1, 5), np.int8), [])
    assert topic_names(opinions) == [
        "lens (cameras)", "lens (glasses)", "price", "battery life (battery)", "battery life (life)"
    ]  # fmt: skip


def test_a_clause_mentions_stems_and_phrases_of_its_own_kind_only() -> None:
    topics = [Topic("delivery", ("courier", "on time")), Topic("lens", ("lens",), "cameras")]
    clauses = [(0, "The couriers came"), (1, "Right on time!"), (1, "time on end"), (0, "The lenses"), (1, "The lens")]
    found = mentions(topics, clauses, ["phones", "cameras"])
    assert found == [[0], [0], [], [], [1]]


def test_products_with_different_words_are_of_different_kinds() -> None:
    texts = ["the lens and the flash of this camera"] * 220 + ["the soup and the waiter of this place"] * 120
    products = ["A"] * 110 + ["B"] * 110 + ["C"] * 120
    kinds = kinds_of(texts, products, None) or []
    assert kinds[0] == kinds[150] == "A · B" and kinds[-1] == "C"
    assert kinds_of(texts, ["A"] * 340, None) is None
    assert (kinds_of(texts, products, ["x"] * 230 + ["y"] * 110) or [])[-1] == "y"


class SignPredictor:
    """A stub for a network: `good` is positive, `bad` negative, others uncertain."""

    classes = ["negative", "positive"]
    needs_aspects = False

    def forward(self, texts: list[str], aspects: object = None) -> torch.Tensor:
        return torch.tensor([[3.0 * ("bad" in text), 3.0 * ("good" in text)] for text in texts])


def test_a_review_counts_once_for_each_topic_and_both_signs_are_mixed() -> None:
    about = [
        ((0, "good lens"), [0]), ((0, "very good lens"), [0]), ((1, "good lens"), [0]), ((1, "bad lens"), [0]),
        ((2, "a lens"), [0]), ((3, "bad lens and price"), [0, 1]), ((1, "the lens"), [0]),
    ]  # fmt: skip
    predictor: Any = SignPredictor()
    opinions = judge(predictor, [Topic("lens", ("lens",)), Topic("price", ("price",))], about, 5, np.full(5, ""))
    assert opinions.verdicts[:, 0].tolist() == [PRAISE, MIXED, NEUTRAL, COMPLAINT, SILENT]
    assert opinions.counts(0) == (1, 1, 1, 1)
    assert [quote.row for quote in opinions.quotes[0][COMPLAINT]] == [1, 3]
    (row,) = (r for r in opinions.rows(None, opinions.trends(None)) if r["topic"] == "lens")
    assert (row["mentions"], row["praise"], row["mixed"]) == (4, 1, 1)


def test_clauses_that_are_too_certain_get_a_higher_temperature() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 400)
    says = np.where(generator.random(400) < 0.7, truth, 1 - truth)  # 70 % accuracy, 99 % confidence
    logits = torch.tensor(np.stack([4.6 * (says == 0), 4.6 * (says == 1)], axis=1))
    labels = np.array(["negative", "positive"], dtype=object)[truth]
    assert clause_temperature(logits, range(400), labels, ["negative", "positive"]) > 3
    assert clause_temperature(logits[:20], range(20), labels[:20], ["negative", "positive"]) == 1


def planted(n: int = 600, effect: float = -0.9) -> tuple[Opinions, np.ndarray]:
    """Three topics; only complaints about the first cost stars."""
    generator = np.random.default_rng(1)
    verdicts = generator.choice([SILENT, NEUTRAL, PRAISE, COMPLAINT], (n, 3), p=[0.3, 0.2, 0.3, 0.2]).astype(np.int8)
    stars = 4 + effect * (verdicts[:, 0] == COMPLAINT) + generator.normal(0, 0.7, n)
    topics = [Topic(name, (name,)) for name in ("battery", "price", "size")]
    return Opinions(topics, verdicts, [{PRAISE: [], COMPLAINT: []} for _ in topics]), np.round(stars).clip(1, 5)


def test_drivers_recover_what_complaints_cost() -> None:
    opinions, stars = planted()
    first, *others = find_drivers(opinions, stars)
    assert (first.topic, first.is_complaint, first.is_certain) == ("battery", True, True)
    assert first.high < -0.6 and "complaints about battery: -" in str(first)
    assert sum(driver.is_certain for driver in others) == 0
    assert find_drivers(opinions, np.full(600, np.nan)) == []
    assert find_drivers(*planted(80)) == []


def test_a_rising_complaint_is_a_trend_and_chance_is_not() -> None:
    opinions, _ = planted()
    days = np.arange(600.0)
    opinions.verdicts[:, 1] = np.where(np.random.default_rng(0).random(600) < days / 1000, COMPLAINT, PRAISE)
    trends = opinions.trends(days)
    assert trends[1] is not None and trends[1][0] < trends[1][1] and trends[1][2] < 1e-6
    assert all(trend is not None and trend[2] > 0.05 for trend in (trends[0], trends[2]))
    assert opinions.trends(None) == [None] * 3
    generator = np.random.default_rng(0)
    assert np.mean([trend_p(generator.random(200) < 0.2, np.arange(200.0)) < 0.05 for _ in range(300)]) < 0.09


def test_known_classes_count_as_they_are_and_the_others_are_corrected() -> None:
    rates = Rates(true_positives=70, positives=100, false_positives=10, negatives=100)
    known = corrected_share_of(np.zeros(50, bool), np.array(["positive"] * 40 + ["neutral"] * 10), rates)
    assert (known.value, known.size) == (0.8, 50)
    unknown = corrected_share_of(np.arange(100) < 40, np.full(100, ""), rates)
    assert unknown.value == pytest.approx((0.4 - 0.1) / 0.6) and unknown.size < 50
    assert corrected_share_of(np.arange(100) < 40, np.full(100, ""), None).counts == (40, 100)


def test_corrected_intervals_cover_the_true_share() -> None:
    generator, covered = np.random.default_rng(0), 0
    for _ in range(400):
        rates = Rates(generator.binomial(200, 0.8), 200, generator.binomial(200, 0.2), 200)
        truth = generator.random(200) < 0.6
        predicted = generator.random(200) < np.where(truth, 0.8, 0.2)
        low, high = corrected_share_of(predicted, np.full(200, ""), rates).interval
        covered += low <= 0.6 <= high
    assert 370 <= covered <= 395


def test_mixed_is_an_answer() -> None:
    verdicts = np.array([[PRAISE, COMPLAINT], [PRAISE, PRAISE], [PRAISE, COMPLAINT], [MIXED, SILENT]], np.int8)
    opinions: Any = SimpleNamespace(verdicts=verdicts)
    answers = answers_of(["positive"] * 4, np.array([0.8, 0.8, 0.99, 0.7]), opinions)
    assert answers == ["mixed", "positive", "positive", "mixed"]


def test_texts_to_label_are_typical_and_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.sentiment.label.Encoder.is_installed", lambda: False)
    texts = [f"the battery died on day {n}" for n in range(9)] + [f"the soup was cold at table {n}" for n in range(8)]
    texts.append("battery soup, what a pun")
    for count in (2, 7):
        chosen = choose(texts, count)
        assert len(set(chosen)) == count and {i // 9 for i in chosen} >= {0, 1}
    assert 17 not in choose(texts, 2)
    assert sorted(choose(texts, 99)) == list(range(18))
    assert len(set(choose(["the same"] * 9, 4))) == 4


def test_a_linear_model_sees_the_words_around_an_aspect() -> None:
    assert around("The decor is lovely but the very slow waiters spoiled it.", "waiters", 2) == (
        "very slow [aspect] spoiled it ; waiters"
    )
    assert around("Nothing of it.", "waiters", 2) == "Nothing of it. ; waiters"


def test_the_learning_curve_says_where_the_lines_cross() -> None:
    assert "with about 400 texts" in LearningCurve([100, 200, 400], [0.6, 0.7, 0.81], [(400, 0.8)]).said()
    said = LearningCurve([100, 200, 400], [0.6, 0.7, 0.75], [(100, 0.55), (200, 0.79), (400, 0.8)]).said()
    assert "does not reach" in said and "ahead from 200 texts" in said and "1.0 doublings" in said


def test_spreadsheets_hold_the_tables_or_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="must end with"):
        spreadsheet.require_writer(tmp_path / "a.csv")
    monkeypatch.setattr(spreadsheet, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="extra `tables`"):
        spreadsheet.require_writer(tmp_path / "a.xlsx")
    pytest.importorskip("xlsxwriter")
    rows = [{"topic": "=1+1", "praise": 3}, {"topic": "price", "praise": 4}]
    spreadsheet.write_spreadsheet(tmp_path / "a.xlsx", {"topics": rows, "drivers": []})
    pytest.importorskip("python_calamine")
    sheets = pd.read_excel(tmp_path / "a.xlsx", sheet_name=None, engine="calamine")
    assert sheets["topics"]["topic"].tolist() == ["=1+1", "price"] and sheets["topics"]["praise"].tolist() == [3, 4]
