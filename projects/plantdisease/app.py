"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.plantdisease.app --run RUN
"""

if __name__ == "__main__":
    from projects.plantdisease.config import AppOptions
    from shared.command import answer

    answer("projects.plantdisease.app", AppOptions)

import os

import numpy as np

from projects.plantdisease.config import AppOptions
from projects.plantdisease.predict import Predictor
from shared.runs import Run


def main(options: AppOptions, run: Run) -> None:
    """Serve the page until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    predictor = Predictor.from_checkpoint(run.model_file)

    def diagnose(photo: np.ndarray | None) -> tuple[dict[str, float], np.ndarray | None, str]:
        if photo is None:
            return {}, None, ""
        prediction = predictor(photo, top=5)
        note = "" if prediction.familiar else "This does not look like one of the leaves I know."
        return dict(prediction.classes), predictor.explain(photo, prediction.classes[0][0]), note

    page = gradio.Interface(
        fn=diagnose,
        inputs=gradio.Image(label="A photo of one leaf"),
        outputs=[gradio.Label(label="Answer"), gradio.Image(label="Where it looked"), gradio.Textbox(label="Note")],
        title="Plant disease",
        description=f"{run.name} · {len(predictor.classes)} classes",
        flagging_mode="never",
    )
    page.launch(server_name="127.0.0.1", server_port=options.port)
