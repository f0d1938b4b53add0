"""Evaluate a run and compare it with its baselines and the human baseline.

python -m projects.imagecaption.evaluate                             # the latest run, on its own test set
python -m projects.imagecaption.evaluate --decode.beam_size 3        # the same with another beam size
python -m projects.imagecaption.evaluate --run RUN --data.source flickr8k --data.root DIR --data.split test
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projects.imagecaption.baselines import human_baseline
from projects.imagecaption.config import EvaluateOptions
from projects.imagecaption.data import CaptionData, fingerprints, references
from projects.imagecaption.metrics import Cider, References, Words, caption_metrics, diversity, meteor
from projects.imagecaption.predictor import Prediction, Predictor
from projects.imagecaption.sources import Photo
from shared.data.provenance import Provenance, Seen
from shared.evaluation.metrics import bootstrap_interval

HEADLINE, ITEMS = ("cider", "max"), "photos"


@dataclass
class Evaluation:
    """The result of an evaluation, and its data."""

    summary: str
    test: list[Photo]
    answers: list[Prediction]
    """One for each test photo."""
    references: References
    cider: np.ndarray
    """CIDEr of every test photo, (N,)."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen


def evaluate(predictor: Predictor, options: EvaluateOptions, provenance: Provenance) -> Evaluation:
    """Score a predictor on the test set (with `data.split all`: on all photos) without the run's training data."""
    data, config = CaptionData(options.data), options.evaluation
    seen = provenance.seen(fingerprints(data.test), options.seen == "keep")
    test = [photo for photo, scored in zip(data.test, seen.scored) if scored]
    answers, truth = predictor.caption(test, options.decode, options.data.cache), references(test)
    hypotheses, scorer = [answer.words for answer in answers], Cider(truth)
    baselines = {"nearest": [answer.nearest for answer in answers], "constant": [predictor.constant] * len(test)}

    def score(captions: Sequence[Words]) -> dict[str, float]:
        metrics = caption_metrics(captions, truth, scorer)
        value = meteor(captions, truth) if config.meteor else None
        return metrics if value is None else {**metrics, "meteor": value}

    cider = scorer(hypotheses)
    numbers = {
        "data": {"split": data.split_name, "n": len(test), "seen": seen.count},
        "metrics": score(hypotheses),
        "intervals": {"cider": bootstrap_interval(lambda a, _: float(a.mean()), cider, cider, config.bootstrap)},
        "baselines": {name: score(captions) for name, captions in baselines.items()},
        "human_comparison": compare_with_human(hypotheses, truth),
        "diversity": {
            "network": diversity(hypotheses),
            "nearest": diversity(baselines["nearest"]),
            "human": diversity([several[0] for several in truth]),
        },
        "out_of_distribution": float(np.mean([not answer.in_distribution for answer in answers])),
    }
    rows = [
        {
            "item": photo.path.name,
            "caption": " ".join(answer.words),
            "cider": round(float(value), 4),
            "nearest_caption": " ".join(answer.nearest),
            "reference": " ".join(several[0]),
            "ood_score": round(answer.ood_score, 4),
        }
        for photo, answer, value, several in zip(test, answers, cider, truth)
    ]
    return Evaluation(str(data.summary()), test, answers, truth, cider, numbers, rows, seen)


def compare_with_human(hypotheses: Sequence[Words], truth: References) -> dict[str, dict[str, float]]:
    """Captions of the network and of one person, both scored against the captions of the others; empty where no photo
    has two captions."""
    human, others, several = human_baseline(truth)
    if not human:
        return {}
    network = [words for words, kept in zip(hypotheses, several) if kept]
    scorer = Cider(others)
    return {"network": caption_metrics(network, others, scorer), "human": caption_metrics(human, others, scorer)}
