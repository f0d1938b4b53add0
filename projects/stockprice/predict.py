"""How far will the price move tomorrow?

python -m projects.stockprice.predict prices.csv
python -m projects.stockprice.predict prices.csv --run RUN --json answer.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from projects.stockprice.config import PredictOptions
from projects.stockprice.predictor import Prediction, Predictor
from projects.stockprice.sources import read_ticker
from shared.evaluation.report import ACCENT, INK, SOFT, plain, png
from shared.files import write_bytes
from shared.names import safe_file_name
from shared.runs import Run


def predict(options: PredictOptions, run: Run) -> dict[str, Any]:
    """The forecast in a sentence, and a fan chart."""
    predictor = Predictor.load(run.model_file)
    inputs = {"inputs": predictor.config.data.inputs}
    name, frame = read_ticker(options.input[0], options.data.model_copy(update=inputs))
    prediction = predictor(name, frame, options.horizon)
    picture = options.picture or run.predictions / f"{safe_file_name(name)}.png"
    write_bytes(picture, png(fan_chart(frame, prediction)))
    print(f"{prediction}\n  {picture}")
    return asdict(prediction)


def fan_chart(frame: pd.DataFrame, prediction: Prediction, last: int = 60) -> Figure:
    """The last closes, the naive forecast, and the prediction intervals of the next days."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.subplots()
    closes = frame["close"].to_numpy(float)[-last:]
    at = np.arange(len(closes))
    axes.plot(at, closes, color=INK, linewidth=1.2)
    ahead = at[-1] + np.arange(len(prediction.ahead) + 1)
    for name, alpha in (("95", 0.12), ("90", 0.22), ("50", 0.35)):
        ends = np.array([[closes[-1], closes[-1]], *(one["intervals"][name] for one in prediction.ahead)])
        axes.fill_between(ahead, ends[:, 0], ends[:, 1], color=ACCENT, alpha=alpha, lw=0)
        axes.annotate(f"{name} %", (ahead[-1] + 0.1, ends[-1, 1]), fontsize=7, color=SOFT, va="center")
    axes.plot(ahead, np.full(len(ahead), closes[-1]), color=INK, linewidth=0.8, linestyle="--")
    marks = at[:: max(1, len(at) // 6)]
    axes.set_xticks(marks, [f"{frame.index[-last:][i]:%Y-%m-%d}" for i in marks], fontsize=8)
    axes.set(xlim=(0, ahead[-1] + 4), ylabel="close; dashed: no change")
    plain(axes)
    return figure
