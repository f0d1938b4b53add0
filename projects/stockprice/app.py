"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.stockprice.app --run RUN
"""

if __name__ == "__main__":
    from projects.stockprice.config import AppOptions
    from shared.command import answer

    answer("projects.stockprice.app", AppOptions)

import os
from pathlib import Path

from projects.stockprice.config import AppOptions
from projects.stockprice.predict import Figure, Predictor, fan_chart
from projects.stockprice.sources import read_prices
from shared.runs import Run


def main(options: AppOptions, run: Run) -> None:
    """Serve the page until Ctrl-C."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    try:
        import gradio
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    predictor = Predictor.from_checkpoint(run.model_file)

    def forecast(file: str | None) -> tuple[str, Figure | None]:
        if file is None:
            return "", None
        try:
            name, frame = Path(file).stem, read_prices(Path(file))
            prediction = predictor(name, frame)
        except ValueError as error:
            return str(error), None
        return str(prediction), fan_chart(predictor.prepare(name, frame), prediction)

    page = gradio.Interface(
        fn=forecast,
        inputs=gradio.File(label="Daily prices (.csv)", type="filepath"),
        outputs=[gradio.Textbox(label="Answer"), gradio.Plot(label="The next day")],
        title="Volatility",
        description=run.name,
        flagging_mode="never",
    )
    page.launch(server_name="127.0.0.1", server_port=options.port)
