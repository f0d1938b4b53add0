"""How good is it? Numbers, pictures and a report, beside the baselines and beside people.

python -m projects.imagecaption.evaluate                    # the latest run, on its own test photos
python -m projects.imagecaption.evaluate --run RUN --data.source flickr8k --data.root DIR --data.split test --beam 3
"""

if __name__ == "__main__":
    from projects.imagecaption.config import EvaluateOptions
    from shared.command import answer

    answer("projects.imagecaption.evaluate", EvaluateOptions)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projects.imagecaption.config import DataConfig, DecodeConfig, EvaluateOptions, EvaluationConfig
from projects.imagecaption.data import CaptionData, references
from projects.imagecaption.metrics import Cider, References, Words, caption_metrics, diversity, meteor
from projects.imagecaption.predictor import Caption, Predictor
from projects.imagecaption.report import BASELINES, NAMES, human_comparison, write_report
from shared.command import show
from shared.evaluation.metrics import bootstrap_interval
from shared.files import write_json
from shared.runs import Run


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: CaptionData
    captions: list[Caption]
    references: References
    cider: np.ndarray
    """Of every photo, (N,)."""
    others: dict[str, list[list[str]]]
    """Captions of the baselines."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def said(self) -> list[list[str]]:
        return [caption.words for caption in self.captions]


def evaluate(
    run: Run, model: Predictor, data_config: DataConfig, config: EvaluationConfig, beam: int | None = None
) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = CaptionData(data_config)
    test, model = data.test, model.with_cache(data_config.cache)
    decode: DecodeConfig = model.config.decode.model_copy(update={"beam_size": beam} if beam else {})
    captions, truth = model.caption(test, decode), references(test)
    said, scorer = [caption.words for caption in captions], Cider(truth)
    others = {"nearest": model.nearest(test), "constant": [model.constant] * len(test)}

    def score(hypotheses: Sequence[Words]) -> dict[str, float]:
        found = caption_metrics(hypotheses, truth, scorer)
        more = meteor(hypotheses, truth) if config.meteor else None
        return found if more is None else {**found, "meteor": more}

    cider = scorer(said)
    numbers = {
        **run.scored_on("imagecaption", data_config, data.split_name, len(test)),
        "metrics": score(said),
        "intervals": {"cider": bootstrap_interval(lambda a, _: float(a.mean()), cider, cider, config.bootstrap)},
        "baselines": {name: score(hypotheses) for name, hypotheses in others.items()},
    }
    return Evaluation(data, captions, truth, cider, others, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test photos also renew its report."""
    model = Predictor.load(run.model_file)
    if options.config.model.image_size != model.config.model.image_size:
        raise ValueError(f"config.model.image_size must be that of the run, {model.config.model.image_size}")
    own = options.data.model_copy(update={"cache": model.config.data.cache}) == model.config.data
    if own and options.beam in (None, model.config.decode.beam_size):
        result = _renew(run, model, options.data, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation, options.beam)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test photos; write evaluation.json and report.html into it."""
    model = Predictor.load(run.model_file)
    _renew(run, model, model.config.data, model.config.evaluation)


def _renew(run: Run, model: Predictor, data: DataConfig, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    write_report(run, model, result)
    _print(model, result)
    return result


def _print(model: Predictor, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["cider"]
    print(result.data.summary())
    name = NAMES[model.config.model.decoder]
    print(f"  {name:<28}{show(numbers['metrics'])}  (cider 95 % interval {low:.3f} - {high:.3f})")
    for baseline, values in numbers["baselines"].items():
        print(f"  {BASELINES[baseline]:<28}{show(values)}")
    for who, values in human_comparison(result).items():
        print(f"  {who + ', fewer references':<28}{show(values)}")
    print(f"  {'what it says':<28}{show(diversity(result.said))}")
