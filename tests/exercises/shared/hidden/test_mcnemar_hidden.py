"""Exercise mcnemar, the tests that give points: closed forms of the binomial distribution."""

import numpy as np
import pytest

from shared.evaluation.metrics import mcnemar


@pytest.mark.parametrize(("first_only", "second_only"), [(5, 0), (8, 2), (3, 3), (1, 9)])
def test_p_is_that_of_the_exact_binomial_test(first_only: int, second_only: int) -> None:
    from math import comb

    n = first_only + second_only
    targets = np.zeros(n + 40, int)
    first, second = targets.copy(), targets.copy()
    second[:first_only] = 1
    first[first_only:n] = 1
    first[n : n + 10] = second[n : n + 10] = 1  # both wrong
    tail = sum(comb(n, k) for k in range(min(first_only, second_only) + 1)) / 2**n
    expected = min(1.0, 2 * tail)
    found = mcnemar(targets, first, second)
    assert found[:2] == (first_only, second_only), f"{first_only} and {second_only} discordant items, not {found[:2]}"
    assert found[2] == pytest.approx(expected), f"the exact two-sided p is {expected:.4f}, not {found[2]:.4f}"


def test_the_order_of_the_models_changes_the_counts_and_not_p() -> None:
    generator = np.random.default_rng(0)
    targets, first, second = generator.integers(3, size=(3, 200))
    one, two = mcnemar(targets, first, second), mcnemar(targets, second, first)
    assert one[:2] == two[:2][::-1], f"swapped models must swap the counts: {one[:2]} and {two[:2]}"
    assert one[2] == pytest.approx(two[2]), f"swapped models must have one p: {one[2]} and {two[2]}"


def test_predictions_of_several_classes_are_compared_with_the_targets() -> None:
    found = mcnemar(np.array([0, 1, 2]), np.array([1, 2, 2]), np.array([2, 0, 2]))
    assert found == (0, 0, 1.0), f"both models get the same items wrong, in different ways: (0, 0, 1), not {found}"
