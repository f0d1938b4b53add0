"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.plantdisease.app --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

import numpy as np

from projects.plantdisease.predictor import Predictor
from shared.config import AppOptions
from shared.runs import Run


def interface(_: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a photo in; the classes, the heat map and a note out."""
    import gradio

    predictor = Predictor.load(run.model_file)

    def diagnose(photo: np.ndarray | None) -> tuple[dict[str, float], np.ndarray | None, str]:
        if photo is None:
            return {}, None, ""
        prediction = predictor(photo, top=5)
        note = "" if prediction.in_distribution else "Out of distribution: this photo is not like the training photos."
        return dict(prediction.classes), predictor.explain(photo, prediction.classes[0][0]), note

    return {
        "fn": diagnose,
        "inputs": gradio.Image(label="A photo of one leaf"),
        "outputs": [gradio.Label(label="Prediction"), gradio.Image(label="Attribution"), gradio.Textbox(label="Note")],
        "title": "Plant disease",
        "description": f"{run.name} · {len(predictor.classes)} classes",
    }
