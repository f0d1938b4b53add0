"""Exercise mcnemar: do two models that were scored on the same items differ?"""

import numpy as np

from shared.evaluation.metrics import mcnemar

TARGETS = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def test_only_items_that_one_model_alone_gets_right_are_counted() -> None:
    first = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    second = np.array([0, 1, 1, 1, 1, 1, 1, 0])
    counts = mcnemar(TARGETS, first, second)[:2]
    assert counts == (2, 1), (
        f"items 1 and 2 are right in the first model only, item 6 in the second: (2, 1), not {counts}"
    )


def test_equal_models_do_not_differ() -> None:
    p = mcnemar(TARGETS, TARGETS, TARGETS)[2]
    assert p == 1, f"two models with the same predictions have p = 1, not {p}"
