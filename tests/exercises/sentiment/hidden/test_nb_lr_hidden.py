"""Exercise nb_lr, the tests that give points: log-count ratios by hand, scikit-learn on dense arrays; the last one
classifies the reviews of the sample."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from projects.sentiment.baselines import Baselines
from projects.sentiment.sample import generate_sample

NOUNS = ("soup", "bread", "service", "room")
POSITIVE = [f"a good {noun} and good value !" for noun in NOUNS]
NEGATIVE = [f"a bad {noun} , not good" for noun in NOUNS] + ["bad bad bad soup"]
NEUTRAL = [f"a {noun} as usual" for noun in NOUNS]
TEXTS = [*POSITIVE, *NEGATIVE, *NEUTRAL]
LABELS = np.array([2] * 4 + [0] * 5 + [1] * 4)


def occurs(text: str, term: str) -> bool:
    return f" {term} " in f" {' '.join(text.replace(',', '').split())} "


def of(fitted: Baselines, term: str) -> int:
    assert term in fitted.terms, f"'{term}' is in two texts or more and must be one of the terms"
    return fitted.terms.index(term)


def compare(texts: list[str], labels: np.ndarray, label: int, min_count: int) -> None:
    """The weights of NB-LR for one class with those of a regression on a dense array of scaled terms."""
    fitted = Baselines.fit(texts, labels, len(set(labels)), min_count)
    binary = np.array([[float(occurs(text, term)) for term in fitted.terms] for text in texts])
    inside = label == labels
    counts = [binary[part].sum(axis=0) + 1 for part in (inside, ~inside)]
    ratio = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())
    model = LogisticRegression(C=1.0, max_iter=1000).fit(binary * ratio, inside)
    expected = np.append(model.coef_[0] * ratio, model.intercept_[0])
    found = fitted.bayes[:, label].numpy()
    worst = int(np.abs(found - expected).argmax())
    term = [*fitted.terms, "(bias)"][worst]
    assert abs(found[worst] - expected[worst]) < 0.01, (
        f"class {label}, '{term}': the weight is {expected[worst]:.3f}, not {found[worst]:.3f}"
    )


@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_weights_are_those_of_a_regression_on_scaled_terms(label: int) -> None:
    compare(TEXTS, LABELS, label, min_count=2)


def test_two_classes_with_as_many_terms() -> None:
    good = ["good soup", "good bread", "good value", "value soup"]
    bad = [text.replace("good", "bad").replace("value", "waste") for text in good]
    compare([*bad, *good], np.array([0] * 4 + [1] * 4), 1, min_count=1)


def test_terms_of_the_other_classes_have_negative_weights() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 3)
    weight = float(fitted.bayes[of(fitted, "bad"), 2])
    assert weight < -0.1, f"'bad' is never in a text of class 2: a clearly negative weight, not {weight:.3f}"


def test_a_term_that_is_repeated_in_a_text_counts_once() -> None:
    twice = [text.replace("bad bad bad", "bad bad") for text in TEXTS]
    one, two = (Baselines.fit(texts, LABELS, 3) for texts in (twice, TEXTS))
    found = [float(fitted.bayes[of(fitted, "bad"), 0]) for fitted in (one, two)]
    assert found[0] == pytest.approx(found[1], abs=1e-3), f"'bad' twice or three times in a text is the same: {found}"


def test_pairs_of_words_have_weights_of_their_own() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 3)
    weight = float(fitted.bayes[of(fitted, "not good"), 0])
    assert weight > 0.1, f"'not good' speaks for class 0: a clearly positive weight, not {weight:.3f}"


def test_the_idf_is_that_of_the_textbook() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 3)
    expected = math.log((1 + 13) / (1 + 4)) + 1  # 4 of 13 texts
    found = float(fitted.idf[of(fitted, "usual")])
    assert found == pytest.approx(expected, abs=1e-4), f"'usual' is in 4 of 13 texts: {expected:.3f}, not {found:.3f}"


def test_the_other_model_is_a_regression_on_tf_idf() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 3)
    vectorizer = TfidfVectorizer(
        token_pattern=r"\w+|[!?]", ngram_range=(1, 3), vocabulary=fitted.terms, sublinear_tf=True
    )
    model = LogisticRegression(C=5.0, max_iter=1000).fit(vectorizer.fit_transform(TEXTS), LABELS)
    expected = model.coef_[:, of(fitted, "bad")]
    found = fitted.tfidf[of(fitted, "bad")].numpy()
    assert found == pytest.approx(expected, abs=0.01), f"'bad' has the TF-IDF weights {expected}, not {found}"


def test_both_tables_have_a_row_for_each_term_and_one_for_the_bias() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 3)
    shapes = tuple(fitted.bayes.shape), tuple(fitted.tfidf.shape)
    expected = (len(fitted.terms) + 1, 3)
    assert shapes == (expected, expected), f"{expected[0] - 1} terms, 3 classes: tables of {expected}, not {shapes}"


def test_texts_without_a_common_term_are_fitted_all_the_same() -> None:
    terms = sorted(Baselines.fit(["fine", "awful mess"], np.array([1, 0]), 2).terms)
    expected = ["awful", "awful mess", "fine", "mess"]
    assert terms == expected, f"no term is in two texts, so all of them count: {expected}, not {terms}"


def test_the_majority_is_the_most_frequent_class() -> None:
    found = Baselines.fit(["good", "bad", "bad", "awful"], np.array([1, 0, 0, 0]), 2).majority
    assert found == 0, f"three of four texts have class 0, not {found}"


def test_the_reviews_of_the_sample_are_classified(tmp_path: Path) -> None:
    with generate_sample(tmp_path, 3000, 0).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts, labels = [row["text"] for row in rows], np.array([row["label"] == "positive" for row in rows], int)
    predictions = Baselines.fit(texts[:2000], labels[:2000], 2).predict(texts[2000:], ["negative", "positive"])
    for name, least in (("tfidf_lr", 0.70), ("nb_lr", 0.69)):
        accuracy = float((predictions[name] == labels[2000:]).mean())
        assert accuracy >= least, (
            f"fitted on 2,000 reviews, {name} classifies at least {least:.0%} of 1,000 others correctly, not {accuracy:.1%}"
        )
