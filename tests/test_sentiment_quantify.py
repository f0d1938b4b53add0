"""Shares of positive reviews: closed forms, and simulations of networks that err."""

import numpy as np
import pytest

from projects.sentiment.quantify import Rates, adjusted_count, best_and_worst, differs_from_rest, shrunken


def test_the_adjusted_count_is_the_closed_form() -> None:
    rates = Rates(true_positives=80, positives=100, false_positives=30, negatives=100)
    share, low, high = adjusted_count(400, 1000, rates) or (0, 0, 0)
    assert share == pytest.approx((0.4 - 0.3) / (0.8 - 0.3))
    assert low < share < high
    perfect = adjusted_count(400, 1000, Rates(10**6, 10**6, 0, 10**6)) or (0, 0, 0)
    assert perfect == pytest.approx((0.4, 0.4 - 1.96 * 0.0155, 0.4 + 1.96 * 0.0155), abs=1e-3)


def test_a_network_near_chance_has_no_adjusted_count() -> None:
    assert adjusted_count(40, 100, Rates(50, 100, 45, 100)) is None
    assert adjusted_count(40, 100, Rates(0, 0, 45, 100)) is None


def test_rates_count_predictions_of_each_class() -> None:
    truth, predicted = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)
    assert Rates.of(truth, predicted) == Rates(2, 3, 1, 2)
    assert Rates.of(truth, predicted).balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize("true_share", [0.05, 0.3, 0.8])
def test_the_adjusted_count_recovers_the_share_of_a_biased_network(true_share: float) -> None:
    generator, shares, covered, naive = np.random.default_rng(0), [], 0, []
    for _ in range(1000):
        rates = Rates(generator.binomial(200, 0.7), 200, generator.binomial(150, 0.05), 150)
        truly = generator.binomial(800, true_share)
        positive = generator.binomial(truly, 0.7) + generator.binomial(800 - truly, 0.05)
        share, low, high = adjusted_count(positive, 800, rates) or (0, 0, 0)
        shares.append(share)
        naive.append(positive / 800)
        covered += low <= true_share <= high
    assert np.mean(shares) == pytest.approx(true_share, abs=0.01)
    assert abs(np.mean(naive) - true_share) > 0.02
    assert 930 <= covered <= 990


def test_shrinkage_draws_products_with_few_reviews_to_the_mean() -> None:
    small, large, *_ = shrunken([(3, 3), (270, 300), (30, 300), (150, 300)])
    assert 0.5 < small < 1 and abs(small - 1) > abs(large - 0.9)
    assert shrunken([(5, 10)] * 4) == [0.5] * 4  # no spread at all


def test_shrunken_shares_are_nearer_to_the_truth() -> None:
    generator = np.random.default_rng(0)
    truth, n = generator.beta(6, 4, 200), generator.integers(2, 30, 200)
    k = generator.binomial(n, truth)
    shares = np.array(shrunken(list(zip(k.tolist(), n.tolist()))))
    assert ((shares - truth) ** 2).mean() < 0.6 * ((k / n - truth) ** 2).mean()


def test_ties_and_chance_are_no_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels collects garbage for .2 s in each of 200 corrections
    assert best_and_worst([(10, 20), (10, 20)]) is None
    assert best_and_worst([(0, 20), (0, 20)]) is None
    assert best_and_worst([(40, 50), (10, 50), (25, 50)]) == (0, 1)
    assert differs_from_rest([(45, 50), (30, 50), (29, 50)]) == [True, False, False]
    generator = np.random.default_rng(0)
    samples = [[(int(k), 40) for k in generator.binomial(40, 0.6, 10)] for _ in range(200)]
    assert sum(best_and_worst(counts) is not None for counts in samples) <= 16  # 5 % of 200 and chance
    assert sum(any(differs_from_rest(counts)) for counts in samples) <= 18
