"""Score a run: python -m projects.starter.evaluate [--run RUN] [--data.source folder --data.root DIR]"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

from projects.starter.data import load_data, to_dataset
from projects.starter.predictor import Predictor
from shared.data.provenance import Provenance, file_fingerprints
from shared.evaluation.classifier import ClassifierEvaluation, evaluate_classifier
from shared.evaluation.inference import predict

HEADLINE = ("accuracy", "max")


def evaluate(predictor: Predictor, options: Any, provenance: Provenance) -> ClassifierEvaluation:
    """Score a predictor on the test set without the images that the run has seen."""
    test = load_data(options.data, predictor.classes)[0]["test"]
    seen = provenance.seen(file_fingerprints(path for path, _ in test), options.seen == "keep")
    test = [record for record, scored in zip(test, seen.scored) if scored]
    logits = predict(predictor.network, to_dataset(test, predictor.config.model.image_size), precision="fp32")
    return evaluate_classifier(test, logits, predictor.classes, seen, options.data.split)
