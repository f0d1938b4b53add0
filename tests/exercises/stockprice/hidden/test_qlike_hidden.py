"""Exercise qlike, the tests that give points: closed forms, and why this loss is used."""

import math

import numpy as np
import pytest

from projects.stockprice.metrics import qlike


@pytest.mark.parametrize(
    ("ratio", "expected"), [(math.e, math.e - 2), (1 / math.e, 1 / math.e), (10, 6.697415)], ids=["e", "1/e", "10"]
)
def test_the_loss_is_that_of_the_closed_form(ratio: float, expected: float) -> None:
    found = float(np.mean(qlike(np.array([ratio * 1e-4]), np.array([1e-4]))))
    assert found == pytest.approx(expected, abs=1e-5), (
        f"a variance of {ratio:.3f} times the forecast costs {expected:.4f}, not {found:.4f}"
    )


def test_every_day_has_a_loss_of_its_own() -> None:
    losses = np.asarray(qlike(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0])))
    assert losses.shape == (3,), f"3 days have 3 losses, not the shape {losses.shape}"
    assert np.all(np.diff(losses) > 0), f"ratios 1, 2 and 4 cost more and more, not {losses}"


def test_the_unit_of_the_variance_does_not_matter() -> None:
    generator = np.random.default_rng(0)
    variance, forecast = generator.gamma(2, 1, (2, 50))
    plain, percent = qlike(variance, forecast), qlike(1e4 * variance, 1e4 * forecast)
    difference = float(np.abs(plain - percent).max())
    assert difference < 1e-9, f"returns in percent multiply every variance by 10,000; the loss moves by {difference}"


def test_a_forecast_that_is_too_low_costs_more_than_one_that_is_too_high() -> None:
    low, high = (float(np.mean(qlike(np.ones(1), np.array([f])))) for f in (1 / 3, 3.0))
    assert low > high, f"a third of the variance must cost more than three times it, not {low:.3f} and {high:.3f}"


def test_no_constant_forecast_is_better_than_the_mean_variance() -> None:
    variance = np.random.default_rng(1).gamma(0.5, 2e-4, 2000)  # as noisy as squared returns
    factors = np.linspace(0.2, 3, 281)
    means = [float(qlike(variance, np.full(2000, f * variance.mean())).mean()) for f in factors]
    best = float(factors[int(np.argmin(means))])
    assert best == pytest.approx(1, abs=0.011), (
        f"of all constants the mean variance has the smallest mean loss, not {best:.2f} times it"
    )
