"""How good are the forecasts? Numbers, pictures and a report, beside the baselines, walking forward.

python -m projects.stockprice.evaluate                      # the latest run, on its own test days
python -m projects.stockprice.evaluate --run RUN --data.source csv --data.root FILE --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.stockprice.config import EvaluateOptions
    from shared.command import answer

    answer("projects.stockprice.evaluate", EvaluateOptions)

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from projects.stockprice.backtest import Backtest, backtest
from projects.stockprice.baselines import LEAST
from projects.stockprice.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.stockprice.data import Days, PriceData, Refit, Series, refits_at
from projects.stockprice.metrics import block_interval, daily_losses, diebold_mariano, score
from projects.stockprice.plots import NAMES
from projects.stockprice.predictor import Predictor
from projects.stockprice.report import chance, verdict, write_report
from projects.stockprice.tasks import TASKS
from shared.command import show
from shared.evaluation.metrics import proportion_interval
from shared.files import write_json
from shared.runs import Run


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: PriceData
    days: list[Days]
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    losses: dict[str, np.ndarray]
    """Loss of every day, the mean over the tickers, by which models are compared, (D,), by model."""
    trading: Backtest | None = None
    tests: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Diebold-Mariano statistic and p value of the LSTM against every baseline."""


def evaluate(run: Run, model: Predictor, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test days (all days that have enough history with `data.split all`)."""
    task, settings = model.config.task, model.config
    refuse_what_was_seen(model, data_config, config)
    everywhere, since = data_config.split == "all", [fitted.since for fitted in model.fitted]
    refit = "year" if everywhere and config.refit == "never" else config.refit  # the baselines must start somewhere
    theirs = data_config.model_copy(update={"train_end": None}) if everywhere else data_config  # and learn from it
    data = PriceData(theirs, settings.model.window, refit, one=task == "price")
    refits = data.refits if everywhere else refits_at(since, settings.data)  # the baselines' are the networks'
    days = [forecast_days(model, data, series, refits) for series in data.series if len(data.test_origins(series))]
    early = sum(int((one.series.days[one.origins + 1] < since[-1]).sum()) for one in days) if everywhere else 0
    if early:
        print(
            f"stockprice: {early} of these days lie before {since[-1]}: the networks have seen that time, and if these "
            "are the prices they were trained on, the very days; the baselines have not",
            file=sys.stderr,
        )
    names = [name for name in days[0].forecasts if all(name in one.forecasts for one in days)]
    if names == ["lstm"]:
        raise ValueError(f"no baseline can be fitted: fewer than {LEAST} days lie before every refit")
    scored = {name: score(days, name, task) for name in names}
    losses = {name: daily_losses(days, name, task) for name in names}
    key = TASKS[task].key
    numbers = {
        **run.scored_on("stockprice", data_config, data_config.split, sum(len(one.origins) for one in days)),
        "metrics": scored["lstm"],
        "intervals": {key: block_interval(losses["lstm"], _mean_of(key), config.bootstrap)},
        "baselines": {name: values for name, values in scored.items() if name != "lstm"},
    }
    tests = {name: diebold_mariano(losses["lstm"], losses[name]) for name in names if name != "lstm"}
    trading = None
    if task == "price":
        one = days[0]
        trading = backtest(one.series, one.origins, one.forecasts["lstm"] - one.today, config.cost)
        right = int((np.sign(one.forecasts["lstm"] - one.today) == np.sign(one.actual)).sum())
        numbers["intervals"]["direction"] = list(proportion_interval(right, len(one.origins)))
        numbers["metrics"]["sharpe"] = trading.sharpe
        numbers["intervals"]["sharpe"] = trading.sharpe_interval(config.bootstrap)
    return Evaluation(data, days, numbers, losses, trading, tests)


def refuse_what_was_seen(model: Predictor, data: DataConfig, config: EvaluationConfig) -> None:
    """Raise ValueError where the networks would forecast days that they were trained on, or from other inputs."""
    own = model.config.data
    same = data.source == own.source and _share(data.root, own.root)
    if same and data.source == "sample":
        same = data.index in (own.index, *own.auxiliary_tickers)
    elif same and data.tickers and own.tickers:
        same = not {*own.tickers, *own.auxiliary_tickers}.isdisjoint(data.tickers)
    if data.split == "all" and same:
        raise ValueError(
            "data.split all would score the days that the networks were trained on; it is for other prices"
        )
    if data.split == "walk_forward" and np.datetime64(data.test_start) < model.fitted[0].since:
        raise ValueError(
            f"data.test_start lies before {model.fitted[0].since}: the networks were trained on those days"
        )
    if model.volatility_window != own.level:
        raise ValueError(f"model.volatility_window must be that of the run, {own.level}")
    if data.train_end != own.train_end:
        raise ValueError(f"data.train_end must be that of the run, {own.train_end}")
    if data.split == "walk_forward" and config.refit != model.config.evaluation.refit:
        raise ValueError(f"evaluation.refit must be that of the run, {model.config.evaluation.refit}")


def _share(a: Path | None, b: Path | None) -> bool:
    """Whether two files or folders hold the same prices, or one holds the other."""
    if a is None or b is None:
        return a == b
    a, b = a.resolve(), b.resolve()
    return a == b or a in b.parents or b in a.parents


def forecast_days(model: Predictor, data: PriceData, series: Series, refits: Sequence[Refit]) -> Days:
    """What the networks and the baselines forecast for the test days of a ticker; days that a baseline lacks the
    history for are left out for all."""
    origins, task, latest = data.test_origins(series), model.config.task, data.config.split == "all"
    forecasts: dict[str, np.ndarray] = {}
    if task == "interval":
        forecasts["lstm"] = model.quantiles(series, origins, latest)
    else:
        forecasts["lstm"] = model.forecast(series, origins, latest)
    for name, rule in TASKS[task].rules.items():
        forecasts[name] = TASKS[task].walk(series, origins, refits, rule)
    if task == "price":
        forecasts = {name: series.close[origins] * np.exp(values) for name, values in forecasts.items()}
        if model.tutorial is not None and not latest:
            forecasts["tutorial"] = model.tutorial.forecast(series)[origins]
    lacking = {name: np.isnan(values.reshape(len(origins), -1)).any(axis=1) for name, values in forecasts.items()}
    if lacking["lstm"].all():
        raise ValueError(f"{series.name} is too short: too few days lie before every day to forecast")
    known = [name for name in forecasts if not lacking[name].all()]  # a short file is too short for some baselines
    kept = ~np.any([lacking[name] for name in known], axis=0)
    return Days(series, origins[kept], {name: forecasts[name][kept] for name in known})


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test days also renew its report."""
    model = Predictor.load(run.model_file)
    if options.data == model.config.data:
        result = _renew(run, model, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test days; write evaluation.json and report.html into it."""
    model = Predictor.load(run.model_file)
    _renew(run, model, model.config.evaluation)


def _renew(run: Run, model: Predictor, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, model.config.data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    write_report(run, model, result)
    _print(model, result)
    return result


def _mean_of(key: str) -> Callable[[np.ndarray], float]:
    """How the losses of days become the metric."""
    return (lambda losses: float(np.sqrt(losses.mean()))) if key == "rmse" else (lambda losses: float(losses.mean()))


def _print(model: Predictor, result: Evaluation) -> None:
    task, numbers = model.config.task, result.numbers
    print(verdict(result, task))
    print(f"  {'LSTM':<22}{show(numbers['metrics'])}")
    for name, values in numbers["baselines"].items():
        print(f"  {NAMES.get(name, name):<22}{show(values)}  (p {chance(result.tests[name][1])})")
