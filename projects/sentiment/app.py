"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.sentiment.app --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from typing import Any

from projects.sentiment.attribution import highlighted_html
from projects.sentiment.predict import load_for_whole_texts
from shared.config import AppOptions
from shared.runs import Run


def interface(_: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a text in; the classes and the highlighted text out."""
    import gradio

    predictor = load_for_whole_texts(run)

    def classify(text: str | None) -> tuple[dict[str, float], str]:
        if not text or not text.strip():
            return {}, ""
        (prediction,) = predictor([text])
        return dict(prediction.classes), highlighted_html(predictor.explain(text), prediction.label)

    return {
        "fn": classify,
        "inputs": gradio.Textbox(label="A text", lines=4),
        "outputs": [gradio.Label(label="Prediction"), gradio.HTML(label="Attribution")],
        "title": "Sentiment",
        "description": f"{run.name} · {len(predictor.classes)} classes",
    }
