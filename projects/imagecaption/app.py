"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.imagecaption.app --run RUN
"""

if __name__ == "__main__":
    from projects.imagecaption.config import AppOptions
    from shared.command import answer

    answer("projects.imagecaption.app", AppOptions)

import os

import numpy as np

from projects.imagecaption.attention_figure import overlay
from projects.imagecaption.config import AppOptions
from projects.imagecaption.predict import Predictor
from shared.runs import Run


def main(options: AppOptions, run: Run) -> None:
    """Serve the page until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    predictor = Predictor.from_checkpoint(run.model_file)

    def describe(image: np.ndarray | None) -> tuple[str, list[tuple[np.ndarray, str]], str]:
        if image is None:
            return "", [], ""
        photo = predictor.prepare(image)
        prediction, caption = predictor.explain(photo)
        attention_maps = [(overlay(photo, look), word) for word, look in zip(caption.words, caption.attention)]
        note = "" if prediction.familiar else "This photo is unlike those I learned from: do not trust the caption."
        return f"{prediction.caption}  (log-probability {prediction.log_probability:.1f})", attention_maps, note

    page = gradio.Interface(
        fn=describe,
        inputs=gradio.Image(label="A photo"),
        outputs=[
            gradio.Textbox(label="Caption"),
            gradio.Gallery(label="Where each word looked", columns=6),
            gradio.Textbox(label="Note"),
        ],
        title="Image captions",
        description=f"{run.name} · {len(predictor.model.vocabulary)} words",
        flagging_mode="never",
    )
    page.launch(server_name="127.0.0.1", server_port=options.port)
