"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.sentiment.app --run RUN
"""

if __name__ == "__main__":
    from projects.sentiment.config import AppOptions
    from shared.command import answer

    answer("projects.sentiment.app", AppOptions)

import os

from projects.sentiment.attribution import highlighted_html
from projects.sentiment.config import AppOptions
from projects.sentiment.predict import open_predictor
from shared.runs import Run


def main(options: AppOptions, run: Run) -> None:
    """Serve the page until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    predictor = open_predictor(run)

    def judge(text: str) -> tuple[dict[str, float], str]:
        if not text.strip():
            return {}, ""
        (prediction,) = predictor([text], explain=1)
        return dict(prediction.classes), highlighted_html(prediction.words or [], prediction.label)

    page = gradio.Interface(
        fn=judge,
        inputs=gradio.Textbox(label="What somebody wrote", lines=4),
        outputs=[gradio.Label(label="Answer"), gradio.HTML(label="Which words attributions it")],
        title="Sentiment",
        description=f"{run.name} · {len(predictor.classes)} classes",
        flagging_mode="never",
    )
    page.launch(server_name="127.0.0.1", server_port=options.port)
