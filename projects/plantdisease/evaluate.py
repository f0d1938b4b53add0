"""Score a run beside its baselines.

python -m projects.plantdisease.evaluate                    # the latest run, on its own test set
python -m projects.plantdisease.evaluate --run RUN --data.source folder --data.root DIR --json out.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.plantdisease.config import EvaluateOptions
from projects.plantdisease.data import LeafData, Photos
from projects.plantdisease.predictor import Predictor
from projects.plantdisease.robustness import CORRUPTIONS, corrupted
from shared.data.provenance import Provenance, Seen
from shared.evaluation.metrics import classifier_rows, macro_f1, scores

HEADLINE, ITEMS = ("macro_f1", "max"), "photos"
ROBUSTNESS_PHOTOS = 400


@dataclass
class Evaluation:
    """What was measured, and on what."""

    summary: str
    test: Photos
    logits: Tensor
    ood: Tensor
    """Out-of-distribution scores, (N,)."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen


def evaluate(predictor: Predictor, options: EvaluateOptions, provenance: Provenance) -> Evaluation:
    """Score a predictor on the test set (on all photos with `data.split all`) without those that the run has seen."""
    data = LeafData(options.data, predictor.config.model.decode_size, predictor.classes)
    seen = provenance.seen(data.fingerprints(data.test), options.seen == "keep")
    test = Photos(data.images, data.labels, data.test.indices[seen.scored])
    logits, ood = predictor.score(test)
    baselines = {
        "majority": np.full(len(test), predictor.majority),
        "colour_histogram": predictor.colour_baseline(data.images[test.indices]),
    }
    numbers = {
        "data": {"split": data.split_name, "n": len(test), "seen": seen.count},
        **scores(logits, test.targets, baselines, options.evaluation.bootstrap),
    }
    if options.evaluation.robustness:
        numbers["robustness"] = score_robustness(predictor, test)
    files = [data.photos[row].path.name for row in test.indices]
    rows = classifier_rows(files, logits, test.targets, predictor.classes, ood_score=ood.numpy())
    return Evaluation(str(data.summary()), test, logits, ood, numbers, rows, seen)


def score_robustness(predictor: Predictor, test: Photos) -> dict[str, float]:
    """Macro F1 on at most 400 evenly spaced test photos, as they are and under every corruption."""
    rows = test.indices[np.linspace(0, len(test) - 1, min(len(test), ROBUSTNESS_PHOTOS)).astype(int)]
    images, targets = test.images[rows], test.labels[rows]

    def score(photos: np.ndarray) -> float:
        logits, _ = predictor.score(Photos(photos, targets, np.arange(len(photos))))
        return macro_f1(targets, logits.argmax(dim=1).numpy())

    return {"clean": score(images)} | {name: score(corrupted(images, change)) for name, change in CORRUPTIONS.items()}
