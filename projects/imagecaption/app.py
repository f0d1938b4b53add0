"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.imagecaption.app --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

import numpy as np

from projects.imagecaption.predictor import Predictor
from shared.config import AppOptions
from shared.page import photo_page
from shared.runs import Run


def interface(_: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a photo in; the caption, the attention and a note out."""
    import gradio

    predictor = Predictor.load(run.model_file)

    def describe(photo: np.ndarray) -> tuple[str, list[tuple[np.ndarray, str]], str]:
        prediction = predictor(photo)
        note = "" if prediction.in_distribution else "Out of distribution: this photo is not like the training photos."
        caption = f"{prediction.caption}  (log-probability {prediction.log_probability:.1f})"
        return caption, predictor.explain(photo, prediction), note

    outputs = [
        gradio.Textbox(label="Caption"),
        gradio.Gallery(label="Attention before each word", columns=6),
        gradio.Textbox(label="Note"),
    ]
    return {
        **photo_page(describe, outputs, "A photo", at_least=predictor.config.model.image_size),
        "title": "Image captions",
        "description": f"{run.name} · {len(predictor.vocabulary)} words",
    }
