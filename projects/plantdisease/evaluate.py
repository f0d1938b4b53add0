"""How good is it? Numbers, pictures and a report, beside the baselines.

python -m projects.plantdisease.evaluate                    # the latest run, on its own test photos
python -m projects.plantdisease.evaluate --run RUN --data.source folder --data.root DIR --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.plantdisease.config import EvaluateOptions
    from shared.command import answer

    answer("projects.plantdisease.evaluate", EvaluateOptions)

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.plantdisease.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.plantdisease.data import LeafData, Photos
from projects.plantdisease.figures import network_name, write_report
from projects.plantdisease.finished import FinishedModel
from projects.plantdisease.robustness import CHANGES, changed
from shared.command import show
from shared.evaluation.classification import macro_f1, scores
from shared.files import write_json
from shared.runs import Run

ROBUSTNESS_PHOTOS = 400


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: LeafData
    logits: Tensor
    novelty: Tensor
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def targets(self) -> np.ndarray:
        return self.data.test.targets

    @property
    def predictions(self) -> np.ndarray:
        return self.logits.argmax(dim=1).numpy()


def evaluate(run: Run, model: FinishedModel, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = LeafData(data_config, classes=model.classes)
    test = data.test
    logits, novelty = model.score(test)
    colour = model.colour_baseline(data.images[test.indices])
    majority = np.full(len(test), model.commonest)
    numbers = {
        **run.scored_on("plantdisease", data_config, data.split_name, len(test)),
        **scores(logits, test.targets, {"majority": majority, "colour_histogram": colour}, config.bootstrap),
    }
    if config.robustness:
        numbers["robustness"] = score_robustness(model, test)
    return Evaluation(data, logits, novelty, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test photos also renew its report."""
    model = FinishedModel.load(run.model_file)
    if options.data.size != model.config.data.size:
        raise ValueError(f"data.size must be that of the run, {model.config.data.size}")
    if _same_photos(options.data, model.config.data):
        result = _renew(run, model, options.data, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test photos; write evaluation.json and report.html into it."""
    model = FinishedModel.load(run.model_file)
    _renew(run, model, model.config.data, model.config.evaluation)


def _renew(run: Run, model: FinishedModel, data: DataConfig, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    write_report(run, model, result)
    _print(model, result)
    return result


def score_robustness(model: FinishedModel, test: Photos) -> dict[str, float]:
    """Macro F1 on an even choice of at most 400 test photos, as they are and under every change."""
    rows = test.indices[np.linspace(0, len(test) - 1, min(len(test), ROBUSTNESS_PHOTOS)).astype(int)]
    images, targets = test.images[rows], test.labels[rows]

    def score(pictures: np.ndarray) -> float:
        logits, _ = model.score(Photos(pictures, targets, np.arange(len(pictures))))
        return macro_f1(targets, logits.argmax(dim=1).numpy())

    return {"as they are": score(images)} | {name: score(changed(images, change)) for name, change in CHANGES.items()}


def _same_photos(mine: DataConfig, other: DataConfig) -> bool:
    """Whether two settings mean the same test photos (the place of the cache does not matter)."""
    return mine.model_copy(update={"cache": other.cache}) == other


def _print(model: FinishedModel, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["macro_f1"]
    print(f"{numbers['data']['n']} photos, split {numbers['data']['split']}")
    print(f"  {network_name(model):<18}{show(numbers['metrics'])}  (macro_f1 95 % interval {low:.3f} - {high:.3f})")
    for name, values in numbers["baselines"].items():
        print(f"  {name:<18}{show(values)}")
    for change, score in numbers.get("robustness", {}).items():
        print(f"  {change:<18}macro_f1 {score:.3f}")
