"""The predictor on a web page.

pip install -e '.[app]'
python -m projects.stockprice.app --run RUN
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from projects.stockprice.predict import fan_chart
from projects.stockprice.predictor import Predictor
from projects.stockprice.record import Record
from projects.stockprice.sources import AUTO, read_ticker
from shared.config import AppOptions
from shared.runs import Run


def interface(_: AppOptions, run: Run) -> dict[str, Any]:
    """What `gradio.Interface` shows: a file of prices in; the forecast and a fan chart out."""
    import gradio

    predictor = Predictor.load(run.model_file)
    predictor.require_volatility()

    def forecast(file: str | None) -> tuple[str, Figure | None]:
        if file is None:
            return "", None
        record = Record()
        name, frame = read_ticker(Path(file), AUTO, record)
        prediction = predictor(name, frame)
        return "\n".join([str(prediction), *record.lines()]), fan_chart(predictor.prepare(name, frame), prediction)

    return {
        "fn": forecast,
        "inputs": gradio.File(label="Daily prices (a table)", type="filepath"),
        "outputs": [gradio.Textbox(label="Forecast"), gradio.Plot(label="The next trading day")],
        "title": "Volatility",
        "description": run.name,
    }
