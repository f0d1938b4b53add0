"""Evaluate a run and compare it with its baselines.

python -m projects.sentiment.evaluate                       # the latest run, on its own test set
python -m projects.sentiment.evaluate --run RUN --data.source csv --data.root FILE --json out.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.sentiment.aspects import linear_inputs
from projects.sentiment.baselines import LINEAR, stack
from projects.sentiment.checklist import CheckResult, run_checks
from projects.sentiment.config import DataConfig, EvaluateOptions
from projects.sentiment.data import ReviewData, fingerprints
from projects.sentiment.layouts import NONE
from projects.sentiment.learning_curve import LearningCurve, linear_curve, network_curve
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import Table
from shared.data.provenance import Provenance, Seen
from shared.evaluation.metrics import accuracy, classifier_rows, macro_f1, mcnemar, scores

HEADLINE, ITEMS = ("accuracy", "max"), "texts"
MODEL_SETTINGS = ("title", "aspect", "classes")
"""Settings of the data that define a model's inputs and classes."""


@dataclass
class Evaluation:
    """The result of an evaluation, and its data."""

    summary: str
    test: Table
    logits: Tensor
    baselines: dict[str, np.ndarray]
    """Predictions of the baselines, class numbers (N,)."""
    checks: list[tuple[CheckResult, CheckResult]]
    """Behavioural tests of the network and of the best linear baseline."""
    curve: LearningCurve | None
    """Accuracy by the number of training texts, on the run's own data."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen

    @property
    def targets(self) -> np.ndarray:
        """True class numbers, (N,)."""
        return self.test.labels

    @property
    def predicted(self) -> np.ndarray:
        """Predicted class numbers, (N,)."""
        return self.logits.argmax(dim=1).numpy()

    @property
    def best_baseline(self) -> str:
        """The baseline with the best accuracy."""
        return best_of(self.baselines, self.targets)


def evaluate(predictor: Predictor, options: EvaluateOptions, provenance: Provenance) -> Evaluation:
    """Score a predictor on the test set (with `data.split all`: on all texts) without the run's training data."""
    config, trained = with_settings_of(predictor, options.data), predictor.config.data
    data = ReviewData(config, classes=predictor.classes)
    test = data.test
    if not test.texts:
        raise ValueError(f"there is no labelled text to score: {data.summary()}")
    columns = (test.columns.get("title", NONE), test.columns.get("aspect"))
    same_columns = columns == (trained.title, trained.aspect)
    seen = provenance.seen(fingerprints(test, bare=not same_columns), options.seen == "keep")
    test = test.rows(seen.scored)
    logits, baselines = predictor.score(test), predictor.baselines.predict(linear_inputs(test), predictor.classes)
    best = best_of(baselines, test.labels)
    only_network, only_baseline, p = mcnemar(test.labels, logits.argmax(dim=1).numpy(), baselines[best])
    curve = find_curve(predictor, data, test, logits, baselines, options.evaluation.learning_curve)
    checks = behavioural_tests(predictor, test, baselines) if options.evaluation.checklist else []
    numbers = {
        "data": {"split": data.split_name, "n": len(test.texts), "seen": seen.count},
        **scores(logits, test.labels, baselines, options.evaluation.bootstrap),
        "mcnemar": {"baseline": best, "only_network": only_network, "only_baseline": only_baseline, "p": p},
    }
    if predictor.stack is not None:
        numbers["stacked"] = stacked(predictor, test, logits, baselines[best])
    if checks:
        numbers["checklist"] = {ours.name: {"network": ours.passed, "linear": theirs.passed} for ours, theirs in checks}
    if curve:
        numbers["learning_curve"] = {"sizes": curve.sizes, "linear": curve.linear, "network": curve.network}
    told = {"product": test.products, "aspect": test.aspects, "text": test.texts}
    given = {name: values for name, values in told.items() if values is not None}
    rows = classifier_rows(test.items, logits, test.labels, predictor.classes, **given)
    return Evaluation(str(data.summary()), test, logits, baselines, checks, curve, numbers, rows, seen)


def find_curve(
    predictor: Predictor,
    data: ReviewData,
    test: Table,
    logits: Tensor,
    baselines: dict[str, np.ndarray],
    with_network: bool,
) -> LearningCurve | None:
    """The learning curve on the run's own data; None on other data, or where they are too few.

    logits, baselines: the outputs of the run itself for the test set, the last points of the curve.
    """
    config, trained = data.config, predictor.config.data
    if (config.source, config.root, config.split) != (trained.source, trained.root, trained.split):
        return None
    train = data.train
    sizes, linear = linear_curve(train, test, len(predictor.classes))
    if not sizes:
        return None
    network = (len(train.texts), accuracy(test.labels, logits.argmax(dim=1).numpy()))
    best = accuracy(test.labels, baselines[best_linear(baselines, test.labels)])
    parts = network_curve(predictor, data, test) if with_network else []
    return LearningCurve([*sizes, len(train.texts)], [*linear, best], [*parts, network])


def stacked(predictor: Predictor, test: Table, logits: Tensor, baseline: np.ndarray) -> dict[str, Any]:
    """Scores of the network's mean with naive Bayes, compared with a baseline's predictions, (N,)."""
    bayes = predictor.baselines.bayes_logits(linear_inputs(test))
    predicted = stack(logits, bayes, predictor.stack or 0.0).argmax(dim=1).numpy()
    return {
        "weight": predictor.stack,
        "accuracy": accuracy(test.labels, predicted),
        "macro_f1": macro_f1(test.labels, predicted),
        "p": mcnemar(test.labels, predicted, baseline)[2],
    }


def with_settings_of(predictor: Predictor, data: DataConfig) -> DataConfig:
    """The settings of other data, with the training run's values of `MODEL_SETTINGS` unless they are set."""
    own = {name: getattr(predictor.config.data, name) for name in MODEL_SETTINGS if not getattr(data, name)}
    return data.model_copy(update=own)


def best_of(baselines: dict[str, np.ndarray], targets: np.ndarray) -> str:
    """The name of the baseline with the best accuracy."""
    return max(baselines, key=lambda name: accuracy(targets, baselines[name]))


def best_linear(baselines: dict[str, np.ndarray], targets: np.ndarray) -> str:
    """The name of the linear model with the best accuracy."""
    return best_of({name: baselines[name] for name in LINEAR}, targets)


def behavioural_tests(
    predictor: Predictor, test: Table, baselines: dict[str, np.ndarray]
) -> list[tuple[CheckResult, CheckResult]]:
    """The same tests of the network and of the best linear baseline; none for data with aspects."""
    if test.aspects is not None:
        return []
    best = best_linear(baselines, test.labels)

    def network(texts: list[str]) -> np.ndarray:
        return predictor.forward(texts).argmax(dim=1).numpy()

    def linear(texts: list[str]) -> np.ndarray:
        return predictor.baselines.predict(texts, predictor.classes)[best]

    return list(zip(*(run_checks(model, test.texts, predictor.classes) for model in (network, linear))))
