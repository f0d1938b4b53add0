"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.numberplate.app
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

import numpy as np

from projects.numberplate.config import AppOptions
from projects.numberplate.pipeline import mark
from projects.numberplate.predictor import Predictor
from shared.page import photo_page
from shared.runs import Run


def interface(options: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a photo in; the photo with its plates marked, and their texts out."""
    import gradio

    pipeline = Predictor.load(run.model_file).pipeline(options.engine, options.country)

    def read(photo: np.ndarray) -> tuple[np.ndarray, str]:
        plates = pipeline(photo)
        return mark(photo, plates), "\n".join(map(str, plates)) or "no plate"

    outputs = [gradio.Image(label="Detected plates"), gradio.Textbox(label="Texts")]
    return {
        **photo_page(read, outputs, "A photo of cars"),
        "title": "Number plates",
        "description": run.name,
    }
