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

    furthest = predictor.config.model.horizons[-1]
    form = AUTO.model_copy(update={"inputs": predictor.config.data.inputs})

    def forecast(file: str | None, horizon: int = 1) -> tuple[str, Figure | None]:
        if file is None:
            return "", None
        record = Record()
        try:
            name, frame = read_ticker(Path(file), form, record)
        except ValueError as error:
            if "--" not in str(error):
                raise
            raise ValueError(f"{error} (such settings are those of `python -m projects.stockprice.predict`)") from None
        prediction = predictor(name, frame, horizon)
        return "\n".join([str(prediction), *record.lines()]), fan_chart(frame, prediction)

    days = [gradio.Slider(1, furthest, 1, step=1, label="Trading days ahead")] if furthest > 1 else []
    return {
        "fn": forecast,
        "inputs": [gradio.File(label="Daily prices (a table)", type="filepath"), *days],
        "outputs": [gradio.Textbox(label="Forecast"), gradio.Plot(label="The next trading days")],
        "title": "Volatility",
        "description": run.name,
    }
