"""The pipeline on a web page.

pip install -e '.[app]'
python -m projects.numberplate.app
"""

if __name__ == "__main__":
    from projects.numberplate.config import AppOptions
    from shared.command import answer

    answer("projects.numberplate.app", AppOptions)

import os

import numpy as np

from projects.numberplate.config import AppOptions
from projects.numberplate.pipeline import Pipeline, mark
from shared.runs import Run


def main(options: AppOptions, run: Run) -> None:
    """Serve the page until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    pipeline = Pipeline.from_checkpoint(run.model_file, options.engine, options.country)

    def look(photo: np.ndarray | None) -> tuple[np.ndarray | None, str]:
        if photo is None:
            return None, ""
        plates = pipeline(photo)
        return mark(photo, plates), "\n".join(map(str, plates)) or "no plate"

    page = gradio.Interface(
        fn=look,
        inputs=gradio.Image(label="A photo of cars"),
        outputs=[gradio.Image(label="Where the plates are"), gradio.Textbox(label="What they say")],
        title="Number plates",
        description=run.name,
        flagging_mode="never",
    )
    page.launch(server_name="127.0.0.1", server_port=options.port)
