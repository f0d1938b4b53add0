"""The promise: our numbers are the field's numbers. Each is compared with scikit-learn, SciPy, statsmodels or a sum."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.optimize import minimize_scalar
from scipy.stats import binom, binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support
from statsmodels.stats import contingency_tables
from statsmodels.stats.proportion import proportion_confint
from torch import Tensor

from shared.evaluation.metrics import (
    accuracy,
    bootstrap_interval,
    classification_metrics,
    classifier_rows,
    confusions,
    expected_calibration_error,
    fit_temperature,
    linear_weights,
    macro_f1,
    mcnemar,
    per_class_table,
    proportion_interval,
    scores,
)


def answers(seed: int, n: int = 300, classes: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Targets and predictions, about two thirds of them correct."""
    generator = np.random.default_rng(seed)
    targets, guesses = generator.integers(0, classes, n), generator.integers(0, classes, n)
    return targets, np.where(generator.random(n) < 0.6, targets, guesses)


def confident(p: list[float]) -> Tensor:
    """Probabilities (N, 2) that predict class 1 with confidence p."""
    return torch.tensor([[1 - value, value] for value in p])


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_equal_those_of_scikit_learn(seed: int) -> None:
    targets, predictions = answers(seed)
    assert accuracy(targets, predictions) == pytest.approx(accuracy_score(targets, predictions))
    assert macro_f1(targets, predictions) == pytest.approx(f1_score(targets, predictions, average="macro"))


def test_macro_f1_is_the_mean_over_the_classes_that_occur() -> None:
    assert macro_f1(np.array([0, 0, 1]), np.array([0, 0, 2])) == pytest.approx(0.5)


def test_macro_f1_counts_a_rare_class_as_much_as_a_frequent_one() -> None:
    targets = np.array([0] * 98 + [1] * 2)
    assert macro_f1(targets, np.zeros(100, int)) == pytest.approx(98 / 99 / 2)


@pytest.mark.parametrize("n", [1, 2, 5, 20, 100, 1000])
def test_the_confidence_interval_of_a_proportion_is_wilsons(n: int) -> None:
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        expected = proportion_confint(k, n, alpha=0.05, method="wilson")
        assert proportion_interval(k, n) == pytest.approx(expected, abs=2e-5)


def test_the_confidence_interval_of_an_empty_sample_is_0_to_1() -> None:
    assert proportion_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("first_only, second_only", [(0, 1), (1, 0), (3, 3), (2, 9), (9, 2), (30, 14), (0, 12)])
def test_mcnemar_is_the_exact_test(first_only: int, second_only: int) -> None:
    both, neither = 40, 7
    right = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first_only, second_only, neither], axis=0)
    targets = np.ones(len(right), int)
    only_first, only_second, p = mcnemar(targets, right[:, 0], right[:, 1])
    assert (only_first, only_second) == (first_only, second_only)
    table = [[both, first_only], [second_only, neither]]
    assert p == pytest.approx(contingency_tables.mcnemar(table, exact=True).pvalue)
    assert p == pytest.approx(binomtest(first_only, first_only + second_only, 0.5).pvalue)


def test_mcnemar_finds_no_difference_between_models_that_err_on_the_same_items() -> None:
    targets = np.array([0, 1, 2, 2])
    assert mcnemar(targets, np.array([0, 1, 1, 1]), np.array([0, 1, 0, 0])) == (0, 0, 1.0)


@pytest.mark.parametrize("rate", [0.5, 0.8])
def test_the_bootstrap_interval_has_95_percent_coverage(rate: float) -> None:
    n = 2000
    targets = np.random.default_rng(0).integers(0, 3, n)
    predictions = np.where(np.arange(n) < rate * n, targets, (targets + 1) % 3)
    low, high = bootstrap_interval(accuracy, targets, predictions, resamples=4000)
    # A resample's correct items are binomially distributed. The bounds of a 90 % and a 99 % interval are 6 and 11 items
    # away from these; the sampling error of a bound is less than 1.
    for bound, quantile in ((low, 0.025), (high, 0.975)):
        assert bound * n == pytest.approx(binom.ppf(quantile, n, rate), abs=2.5)


def test_the_bootstrap_resamples_targets_and_predictions_together() -> None:
    targets = np.random.default_rng(0).integers(0, 10, 200)
    assert bootstrap_interval(accuracy, targets, targets) == [1.0, 1.0]
    assert bootstrap_interval(accuracy, targets, (targets + 1) % 10) == [0.0, 0.0]


def test_the_bootstrap_is_a_function_of_its_seed() -> None:
    targets, predictions = answers(0)
    first = bootstrap_interval(macro_f1, targets, predictions, resamples=200)
    assert bootstrap_interval(macro_f1, targets, predictions, resamples=200) == first
    assert bootstrap_interval(macro_f1, targets, predictions, resamples=200, seed=1) != first


def test_the_calibration_error_has_15_bins() -> None:
    # .61 and .69 are in two of 15 bins and in one of 10 or 2; .89 and .91 are in one of 15 bins and in two of 20.
    probabilities, targets = confident([0.61, 0.69, 0.89, 0.91]), torch.tensor([1, 0, 1, 0])
    by_hand = (abs(1 - 0.61) + abs(0 - 0.69) + 2 * abs(1 / 2 - (0.89 + 0.91) / 2)) / 4
    assert by_hand == pytest.approx(0.47)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(by_hand, abs=1e-6)


def test_the_calibration_error_equals_that_of_guo_et_al() -> None:
    generator = torch.Generator().manual_seed(0)
    probabilities = (torch.randn(500, 4, generator=generator) * 2).softmax(dim=1)
    targets = torch.randint(4, (500,), generator=generator)
    confidence, predictions = (part.numpy() for part in probabilities.max(dim=1))
    correct, error = predictions == targets.numpy(), 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            error += inside.sum() / 500 * abs(correct[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(probabilities, targets) == pytest.approx(error, abs=1e-5)


def test_a_confidence_of_1_is_in_the_last_bin() -> None:
    probabilities = torch.tensor([[1.0, 0.0]] * 50 + [[0.94, 0.06]] * 50)
    targets = torch.tensor([0] * 45 + [1] * 5 + [0] * 50)  # .95 are right, at a mean confidence of .97
    assert expected_calibration_error(probabilities, targets) == pytest.approx(0.02, abs=1e-6)


def test_the_calibration_error_weighs_a_bin_by_its_items() -> None:
    probabilities, targets = confident([0.95] * 9 + [0.55]), torch.tensor([1] * 9 + [0])
    assert expected_calibration_error(probabilities, targets) == pytest.approx((9 * 0.05 + 0.55) / 10, abs=1e-6)


def test_the_loss_is_the_mean_negative_log_likelihood() -> None:
    logits, targets = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.0, 0.0]]), np.array([0, 2])
    first = -math.log(math.exp(2) / (math.exp(2) + 1 + math.exp(1)))
    assert classification_metrics(logits, targets)["loss"] == pytest.approx((first + math.log(3)) / 2, rel=1e-5)


def test_the_metrics_take_logits_not_probabilities() -> None:
    sure = 1 / (1 + math.exp(-1))
    assert classification_metrics(torch.tensor([[1.0, 0.0]]), np.array([0]))["ece"] == pytest.approx(1 - sure)


def test_perfect_and_confident_predictions_are_calibrated() -> None:
    metrics = classification_metrics(torch.eye(3) * 50, np.arange(3))
    assert metrics["accuracy"] == metrics["macro_f1"] == 1
    assert metrics["ece"] < 1e-4


@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_the_temperature_minimises_the_negative_log_likelihood(factor: float) -> None:
    generator = torch.Generator().manual_seed(0)
    calibrated = torch.randn(8000, 5, generator=generator) * 2
    targets = torch.multinomial(calibrated.softmax(dim=1), 1, generator=generator).squeeze(1)
    logits = calibrated * factor

    def likelihood(log_temperature: float) -> float:
        return F.cross_entropy(logits.double() / 10**log_temperature, targets).item()

    best = minimize_scalar(likelihood, bounds=(-1, 1), method="bounded").x
    assert 10**best == pytest.approx(factor, rel=0.1)
    # the candidates are .01 apart in log10, so the nearest is at most half of that away
    assert math.log10(fit_temperature(logits, targets.numpy())) == pytest.approx(best, abs=0.006)


def test_a_few_right_answers_do_not_make_every_answer_certain() -> None:
    logits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert 0.5 < fit_temperature(logits, np.array([0, 0, 1])) < 1
    assert fit_temperature(torch.empty(0, 2), np.empty(0, np.int64)) == pytest.approx(1)
    wrong = fit_temperature(logits, np.array([1, 1, 0]))
    assert 1 < wrong < 3


@pytest.mark.parametrize("classes", [2, 3])
def test_linear_weights_reproduce_the_predictions_of_the_regression(classes: int) -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(300) % classes
    features = generator.normal(size=(300, 4)) + labels[:, None] * [1, -0.5, 0, 0] + 5
    regression = LogisticRegression(max_iter=1000).fit(features, labels)
    coefficients, intercepts = linear_weights(regression)
    assert coefficients.shape == (classes, 4) and intercepts.shape == (classes,)
    predictions = regression.predict(features)
    assert 0.5 < accuracy(labels, predictions) < 1 and len(set(predictions)) == classes
    np.testing.assert_array_equal((features @ coefficients.T + intercepts).argmax(axis=1), predictions)


@pytest.mark.parametrize("missing", [0, 3, 5])
def test_the_metrics_by_class_equal_those_of_scikit_learn_with_rows_for_absent_classes(missing: int) -> None:
    targets, predictions = answers(1)
    kept = (targets != missing) & (predictions != missing)
    targets, predictions = targets[kept], predictions[kept]
    names = [f"class {number}" for number in range(6)]
    table = per_class_table(targets, predictions, names)
    expected = precision_recall_fscore_support(targets, predictions, labels=range(6), zero_division=0)
    assert [row["class"] for row in table] == names
    assert table[missing]["n"] == 0 and table[missing]["recall"] == 0
    for column, values in zip(("precision", "recall", "f1", "n"), expected):
        assert [row[column] for row in table] == pytest.approx(list(values))


def test_the_confusion_matrix_has_true_classes_in_rows_and_predicted_ones_in_columns() -> None:
    targets, predictions = answers(2)
    np.testing.assert_array_equal(confusions(targets, predictions, 6), confusion_matrix(targets, predictions))
    assert confusions(np.array([0, 0, 1]), np.array([1, 1, 1]), 3).tolist() == [[0, 2, 0], [0, 1, 0], [0, 0, 0]]


def test_scores_have_metrics_confidence_intervals_and_the_metrics_of_every_baseline() -> None:
    targets, predictions = answers(3)
    logits, majority = F.one_hot(torch.as_tensor(predictions), 6).float(), np.zeros(300, int)
    numbers = scores(logits, targets, {"majority": majority}, resamples=100)
    assert set(numbers) == {"metrics", "intervals", "baselines"}
    assert numbers["metrics"] == classification_metrics(logits, targets)
    assert numbers["baselines"] == {
        "majority": {"accuracy": accuracy(targets, majority), "macro_f1": macro_f1(targets, majority)}
    }
    for metric in (accuracy, macro_f1):
        interval = bootstrap_interval(metric, targets, predictions, resamples=100)
        assert numbers["intervals"][metric.__name__] == interval
        assert interval[0] < numbers["metrics"][metric.__name__] < interval[1]


def test_rows_of_predictions_have_true_class_predicted_class_and_confidence() -> None:
    logits = torch.tensor([[0.9, 0.1], [0.3, 0.7]]).log()
    rows = classifier_rows(
        ["a", "b"], logits, np.array([0, 0]), ["cat", "dog"], score=np.array([1 / 3, 2]), fold=[1, 2]
    )
    assert rows == [
        {"item": "a", "true": "cat", "predicted": "cat", "correct": 1, "confidence": 0.9, "score": 0.3333, "fold": 1},
        {"item": "b", "true": "cat", "predicted": "dog", "correct": 0, "confidence": 0.7, "score": 2.0, "fold": 2},
    ]
