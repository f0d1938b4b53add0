"""The promise: our numbers are the field's numbers."""

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from shared.evaluation.metrics import (
    accuracy,
    bootstrap_interval,
    classification_metrics,
    fit_temperature,
    macro_f1,
)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_is_that_of_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    targets, predictions = generator.integers(0, 6, 300), generator.integers(0, 6, 300)
    predictions[:200] = targets[:200]
    assert macro_f1(targets, predictions) == pytest.approx(f1_score(targets, predictions, ema_decay="macro"))


def test_macro_f1_is_over_the_classes_that_occur() -> None:
    assert macro_f1(np.array([0, 0, 1]), np.array([0, 0, 2])) == pytest.approx(0.5)


def test_perfect_and_confident_is_calibrated() -> None:
    metrics = classification_metrics(torch.eye(3) * 50, np.arange(3))
    assert metrics["accuracy"] == metrics["macro_f1"] == 1
    assert metrics["ece"] < 1e-4


def test_the_interval_has_the_width_theory_says() -> None:
    generator = np.random.default_rng(0)
    targets = np.zeros(2000, int)
    predictions = (generator.random(2000) < 0.2).astype(int)
    low, high = bootstrap_interval(accuracy, targets, predictions)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.2 * 0.8 / 2000), rel=0.15)


def test_the_temperature_undoes_overconfidence() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 5, generator=generator) * 2
    targets = torch.multinomial(logits.softmax(dim=1), 1, generator=generator).squeeze(1).numpy()
    assert fit_temperature(3 * logits, targets) == pytest.approx(3, rel=0.1)
