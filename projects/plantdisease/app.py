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
from shared.page import photo_page
from shared.runs import Run


def interface(_: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a photo in; the classes, the heat map and a note out."""
    import gradio

    predictor = Predictor.load(run.model_file)

    def diagnose(photo: np.ndarray) -> tuple[dict[str, float], np.ndarray, str]:
        prediction = predictor(photo, top=5)
        notes = [] if prediction.in_distribution else ["Out of distribution: it is not like the training photos."]
        notes += [f"{name}: too few photos to believe ({n} in validation)." for name, n in prediction.too_few.items()]
        return dict(prediction.classes), predictor.explain(photo, prediction.classes[0][0]), " ".join(notes)

    outputs = [gradio.Label(label="Prediction"), gradio.Image(label="Attribution"), gradio.Textbox(label="Note")]
    return {
        **photo_page(diagnose, outputs, "A photo of one leaf", at_least=predictor.config.model.decode_size),
        "title": "Plant disease",
        "description": f"{run.name} · {len(predictor.classes)} classes",
    }
