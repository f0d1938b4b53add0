"""Exercise qlike: the loss of a forecast of variance."""

import numpy as np

from projects.stockprice.metrics import qlike


def test_a_perfect_forecast_costs_nothing() -> None:
    variance = np.array([1e-5, 1e-4, 2e-3])
    losses = qlike(variance, variance)
    assert np.allclose(losses, 0, atol=1e-12), f"three perfect forecasts cost 0 each, not {losses}"


def test_half_and_double_have_the_values_of_the_formula() -> None:
    losses = qlike(np.array([1.0, 1.0]), np.array([0.5, 2.0]))
    assert np.allclose(losses, [0.3069, 0.1931], atol=1e-4), (
        f"a forecast of half the variance costs 2 - log 2 - 1 = .3069, of twice the variance .1931, not {losses}"
    )
