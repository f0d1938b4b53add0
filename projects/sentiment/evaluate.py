"""How good is it? Numbers, pictures and a report, beside the baselines.

python -m projects.sentiment.evaluate                       # the latest run, on its own test texts
python -m projects.sentiment.evaluate --run RUN --data.source csv --data.root FILE --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.sentiment.config import EvaluateOptions
    from shared.command import answer

    answer("projects.sentiment.evaluate", EvaluateOptions)

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.sentiment.checklist import CheckResult, ask
from projects.sentiment.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.sentiment.data import ReviewData
from projects.sentiment.predictor import Predictor
from projects.sentiment.report import NAMES, against, write_report
from projects.sentiment.sources import Table
from shared.command import show
from shared.evaluation.metrics import accuracy, scores
from shared.files import write_json
from shared.runs import Run


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: ReviewData
    test: Table
    logits: Tensor
    simple: dict[str, np.ndarray]
    """Answers of the baselines, class numbers (N,)."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def targets(self) -> np.ndarray:
        return self.test.labels

    @property
    def predictions(self) -> np.ndarray:
        return self.logits.argmax(dim=1).numpy()

    @property
    def best_baseline(self) -> str:
        """The baseline with the best accuracy."""
        return max(self.simple, key=lambda name: accuracy(self.targets, self.simple[name]))


def evaluate(run: Run, model: Predictor, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = ReviewData(data_config, classes=model.classes)
    test = data.test
    if not test.texts:
        raise ValueError(f"there is no labelled text to score: {data.summary()}")
    logits, simple = model.score(test), model.baseline_predictions(test)
    numbers = {
        **run.scored_on("sentiment", data_config, data.split_name, len(test.texts)),
        **scores(logits, test.labels, simple, config.bootstrap),
    }
    return Evaluation(data, test, logits, simple, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test texts also renew its report."""
    model = Predictor.load(run.model_file)
    if options.data == model.config.data:
        result = _renew(run, model, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test texts; write evaluation.json and report.html into it."""
    model = Predictor.load(run.model_file)
    _renew(run, model, model.config.evaluation)


def _renew(run: Run, model: Predictor, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, model.config.data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    write_report(run, model, result, checklist(model, result) if config.checklist else [])
    _print(model, result)
    return result


def checklist(model: Predictor, result: Evaluation) -> list[tuple[CheckResult, CheckResult]]:
    """The same questions to the network and to its best best_baseline among the linear models."""
    if result.test.aspects is not None:
        return []
    best_baseline = max(("tfidf_lr", "nb_lr"), key=lambda name: accuracy(result.targets, result.simple[name]))
    ours = ask(lambda texts: model(texts).argmax(dim=1).numpy(), result.test.texts, model.classes)
    theirs = ask(
        lambda texts: model.baselines.predict(texts, model.classes)[best_baseline], result.test.texts, model.classes
    )
    return list(zip(ours, theirs))


def _print(model: Predictor, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["macro_f1"]
    print(result.data.summary())
    name = NAMES[model.config.model.name]
    print(f"  {name:<18}{show(numbers['metrics'])}  (macro_f1 95 % interval {low:.3f} - {high:.3f})")
    for baseline, values in numbers["baselines"].items():
        print(f"  {baseline:<18}{show(values)}")
    print(f"  {against(result)}")
