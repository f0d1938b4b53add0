"""What may tomorrow bring?

python -m projects.stockprice.predict prices.csv
python -m projects.stockprice.predict prices.csv --run RUN --json answer.json
"""

if __name__ == "__main__":
    from projects.stockprice.config import PredictOptions
    from shared.command import answer

    answer("projects.stockprice.predict", PredictOptions)

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from projects.stockprice.calibration import COVERAGES, LEAST
from projects.stockprice.config import PredictOptions
from projects.stockprice.data import Series
from projects.stockprice.predictor import Predictor
from projects.stockprice.sources import read_prices, ticker_of
from shared.evaluation import report
from shared.files import write_bytes, write_json
from shared.runs import Run


@dataclass
class Prediction:
    """The answer for one ticker."""

    name: str
    day: str
    """The last known day; the answer is about the next one."""
    close: float
    """On that day."""
    volatility: float
    """Forecast deviation of the next day's return over the day's range, annual."""
    usual: float
    """The same, as it was in the year before."""
    intervals: dict[str, list[float]]
    """`{"90": [low, high], ...}`: where the next close lies in so many of a hundred cases."""

    def __str__(self) -> str:
        low, high = self.intervals["90"]
        than = (
            "more than"
            if self.volatility > 1.1 * self.usual
            else "less than"
            if self.volatility < 0.9 * self.usual
            else "about"
        )
        return (
            f"{self.name}, the day after {self.day} (close {self.close:.2f}): in 9 of 10 cases the close lies between "
            f"{low:.2f} and {high:.2f}; volatility {self.volatility:.0%} a year, {than} usual ({self.usual:.0%}). "
            "Where in between is not known to anybody. No advice."
        )


class Predictor:
    """A finished model of the volatility that answers for daily prices.

    >>> predictor = Predictor.from_checkpoint("runs/stockprice/.../model.safetensors")
    >>> print(predictor("mine", read_prices(Path("prices.csv"))))
    """

    def __init__(self, model: Predictor) -> None:
        if model.config.task == "price":
            raise ValueError("this run forecasts prices, which nobody can; train one with task volatility or interval")
        self.model = model

    @classmethod
    def from_checkpoint(cls, path: Path | str) -> "Predictor":
        """Load `model.safetensors` of a finished run. Raises ValueError or FileNotFoundError with one sentence."""
        return cls(Predictor.load(Path(path)))

    def prepare(self, name: str, frame: pd.DataFrame) -> Series:
        """Prices up to today -> what the networks were trained on. Raises ValueError if they are too few."""
        config = self.model.config
        needed = (
            min(60, config.model.volatility_window) + config.model.window + 2 * LEAST
        )  # to scale, then for the quantiles
        if len(frame) < needed:
            raise ValueError(f"{name} is too short: {len(frame)} days, but {needed} are needed at least")
        return Series.from_prices(name, frame, config.model.volatility_window)

    def __call__(self, name: str, frame: pd.DataFrame) -> Prediction:
        """Daily prices up to today -> volatility and intervals of the next day, by the newest networks."""
        series = self.prepare(name, frame)
        last = np.array([len(series.days) - 1])
        quantiles = series.close[-1] * np.exp(self.model.quantiles(series, last, latest=True)[0])
        return Prediction(
            name=name,
            day=str(series.days[-1]),
            close=float(series.close[-1]),
            volatility=float(np.sqrt(252 * self.model.forecast(series, last, latest=True)[0])),
            usual=float(np.sqrt(252 * series.variance[-252:].mean())),
            intervals={
                name: [float(quantiles[low]), float(quantiles[high])] for name, (low, high) in COVERAGES.items()
            },
        )


def fan_chart(series: Series, prediction: Prediction, last: int = 60) -> Figure:
    """The last closes and the intervals of the next one."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.subplots()
    closes = series.close[-last:]
    at = np.arange(len(closes))
    axes.plot(at, closes, color=report.INK, linewidth=1.2)
    for name, alpha in (("95", 0.12), ("90", 0.22), ("50", 0.35)):
        low, high = prediction.intervals[name]
        axes.fill_between(
            [at[-1], at[-1] + 1], [closes[-1], low], [closes[-1], high], color=report.ACCENT, alpha=alpha, lw=0
        )
        axes.annotate(f"{name} %", (at[-1] + 1.1, high), fontsize=7, color=report.SOFT, va="center")
    marks = at[:: max(1, len(at) // 6)]
    axes.set_xticks(marks, [str(series.days[-last:][i]) for i in marks], fontsize=8)
    axes.set(xlim=(0, at[-1] + 4), ylabel="close")
    report.plain(axes)
    return figure


def main(options: PredictOptions, run: Run) -> None:
    """The command line: a sentence, and a picture."""
    path = options.input[0]
    predictor = Predictor.from_checkpoint(run.model_file)
    frame = read_prices(path, options.columns)
    prediction = predictor(ticker_of(path), frame)
    picture = options.picture or run.folder / "predictions" / f"{prediction.name}.png"
    write_bytes(picture, report.png(fan_chart(predictor.prepare(prediction.name, frame), prediction)))
    print(f"{prediction}\n  {picture}")
    if options.json_file:
        write_json(options.json_file, asdict(prediction))
