"""Exercise nb_lr: linear models on one to three words in a row."""

import numpy as np

from projects.sentiment.baselines import Baselines

TEXTS = ["good soup", "good bread", "very good soup", "bad soup", "bad bread", "very bad soup", "not bad !"]
LABELS = np.array([1, 1, 1, 0, 0, 0, 1])


def test_terms_are_words_and_sequences_that_are_in_two_texts() -> None:
    found = sorted(Baselines.fit(TEXTS, LABELS, 2).terms)
    expected = ["bad", "bad soup", "bread", "good", "good soup", "soup", "very"]
    assert found == expected, f"terms in at least two texts: {expected}, not {found}"


def test_a_good_word_speaks_for_the_good_class() -> None:
    fitted = Baselines.fit(TEXTS, LABELS, 2)
    weight = float(fitted.bayes[fitted.terms.index("good"), 1])
    assert weight > 0.1, f"only good texts hold 'good': its weight for class 1 is clearly positive, not {weight:.3f}"
