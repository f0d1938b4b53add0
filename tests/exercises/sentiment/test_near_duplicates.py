"""Exercise near_duplicates: training texts that are almost the same as a held-out text."""

import numpy as np

from projects.sentiment.near_duplicates import near_duplicates
from shared.data.splits import TEST, TRAIN, VALIDATION

TEXTS = [
    "The handle broke after two days, and nobody answered my letters.",
    "the handle broke after two days and nobody answered my letters",
    "A good kettle: it is quiet, quick and easy to clean.",
    "I would buy this lamp again, it is bright and cheap.",
]


def test_a_copy_without_punctuation_is_found() -> None:
    found = near_duplicates(TEXTS, np.array([TEST, TRAIN, TRAIN, VALIDATION]), 0.5).tolist()
    assert found == [False, True, False, False], f"only the training text 1 is a copy of the test text 0, not {found}"


def test_test_texts_are_never_left_out() -> None:
    found = near_duplicates(TEXTS[:2], np.array([TEST, TEST]), 0.5).tolist()
    assert found == [False, False], f"the test set stays whole: nothing is left out of it, not {found}"
