"""How good are the forecasts? Numbers, pictures and a report, beside the baselines, walking forward.

python -m projects.stockprice.evaluate                      # the latest run, on its own test days
python -m projects.stockprice.evaluate --run RUN --data.source csv --data.root FILE --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.stockprice.config import EvaluateOptions
    from shared.command import answer

    answer("projects.stockprice.evaluate", EvaluateOptions)

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from projects.stockprice import baselines, figures
from projects.stockprice.backtest import Backtest, backtest
from projects.stockprice.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.stockprice.data import Days, PriceData, Refit, Series
from projects.stockprice.figures import NAMES
from projects.stockprice.finished import FinishedModel
from projects.stockprice.metrics import block_interval, day_losses, diebold_mariano, mean_losses, score
from shared.command import show
from shared.evaluation import report
from shared.evaluation.classification import proportion_interval
from shared.files import write_json
from shared.runs import Run


@dataclass(frozen=True)
class Task:
    """How one kind of forecast is scored and named."""

    title: str
    what: str
    key: str
    """The metric that decides."""
    rival: str
    """The baseline that must be beaten."""
    rules: dict[str, baselines.Rule]
    walk: Callable[[Series, np.ndarray, Sequence[Refit], baselines.Rule], np.ndarray]


TASKS = {
    "price": Task("The next close", "the next day's close", "rmse", "naive", baselines.PRICE, baselines.walk),
    "volatility": Task(
        "Volatility", "the next day's volatility", "qlike", "har", baselines.VOLATILITY, baselines.walk_variance
    ),
    "interval": Task(
        "Intervals of the next return", "the next return", "interval_score", "garch", baselines.INTERVAL,
        baselines.walk_quantiles,
    ),
}  # fmt: skip


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


def evaluate(run: Run, model: FinishedModel, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test days (all days that have enough history with `data.split all`)."""
    task, settings = model.config.task, model.config
    _refuse_what_was_seen(model, data_config, config)
    data = PriceData(data_config, settings.model.window, config.refit, one=task == "price")
    days = [forecast_days(model, data, series) for series in data.series if len(data.test_origins(series))]
    names = [name for name in days[0].forecasts if all(name in one.forecasts for one in days)]
    if names == ["lstm"]:
        raise ValueError(f"no baseline can be fitted: fewer than {baselines.LEAST} days lie before every refit")
    scored = {name: score(days, name, task) for name in names}
    losses = {name: mean_losses(days, name, task) for name in names}
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


def _refuse_what_was_seen(model: FinishedModel, data: DataConfig, config: EvaluationConfig) -> None:
    """Raise ValueError where the networks would forecast days that they were trained on, or from other inputs."""
    own = model.config.data
    same = (data.source, data.root, data.index) == (own.source, own.root, own.index)
    if data.split == "all" and same:
        raise ValueError(
            "data.split all would score the days that the networks were trained on; it is for other prices"
        )
    if data.split == "walk" and np.datetime64(data.test_from) < model.fitted[0].since:
        raise ValueError(f"data.test_from lies before {model.fitted[0].since}: the networks were trained on those days")
    if data.level != own.level:
        raise ValueError(f"data.level must be that of the run, {own.level}")
    if data.split == "walk" and config.refit != model.config.evaluation.refit:
        raise ValueError(f"evaluation.refit must be that of the run, {model.config.evaluation.refit}")


def forecast_days(model: FinishedModel, data: PriceData, series: Series) -> Days:
    """What the networks and the baselines forecast for the test days of a ticker; days that a baseline lacks the
    history for are left out for all."""
    origins, task, latest = data.test_origins(series), model.config.task, data.config.split == "all"
    forecasts: dict[str, np.ndarray] = {}
    if task == "interval":
        forecasts["lstm"] = model.quantiles(series, origins, latest)
    else:
        forecasts["lstm"] = model.forecast(series, origins, latest)
    for name, rule in TASKS[task].rules.items():
        forecasts[name] = TASKS[task].walk(series, origins, data.refits, rule)
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
    model = FinishedModel.load(run.model_file)
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
    model = FinishedModel.load(run.model_file)
    _renew(run, model, model.config.evaluation)


def _renew(run: Run, model: FinishedModel, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, model.config.data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    _write_report(run, model, result)
    _print(model, result)
    return result


def verdict(result: Evaluation, task: str) -> str:
    """Whether the LSTM beats its rival, in words, with the p value."""
    key, rival = TASKS[task].key, rival_of(result, task)
    statistic, p = result.tests[rival]
    ours, theirs = result.numbers["metrics"][key], result.numbers["baselines"][rival][key]
    word = "is no better and no worse than" if p >= 0.05 else "beats" if statistic < 0 else "loses to"
    return (
        f"At forecasting {TASKS[task].what} the LSTM {word} {NAMES[rival]}: {_plain(key)} {_number(ours)} against "
        f"{_number(theirs)} (Diebold-Mariano p {_chance(p)}, {len(result.losses['lstm'])} days)."
    )


def rival_of(result: Evaluation, task: str) -> str:
    """The baseline that must be beaten; another one where there were too few days for it."""
    return TASKS[task].rival if TASKS[task].rival in result.tests else next(iter(result.tests))


def _mean_of(key: str) -> Callable[[np.ndarray], float]:
    """How the losses of days become the metric."""
    return (lambda losses: float(np.sqrt(losses.mean()))) if key == "rmse" else (lambda losses: float(losses.mean()))


def _print(model: FinishedModel, result: Evaluation) -> None:
    task, numbers = model.config.task, result.numbers
    print(verdict(result, task))
    print(f"  {'LSTM':<22}{show(numbers['metrics'])}")
    for name, values in numbers["baselines"].items():
        print(f"  {NAMES[name]:<22}{show(values)}  (p {_chance(result.tests[name][1])})")


def _write_report(run: Run, model: FinishedModel, result: Evaluation) -> None:
    task, numbers, config = model.config.task, result.numbers, model.config
    rival, key = rival_of(result, task), TASKS[task].key
    low, high = numbers["intervals"][key]
    cards = [
        report.Card(_plain(key), _number(numbers["metrics"][key]), f"95 % interval {_number(low)} to {_number(high)}")
    ]
    if task == "volatility":
        cards.append(report.Card("beside it", _number(numbers["baselines"][rival][key]), NAMES[rival]))
    if task == "price":
        a, b = numbers["intervals"]["direction"]
        up = np.concatenate([one.actual > 0 for one in result.days]).mean()
        cards.append(
            report.Card(
                "direction right", f"{numbers['metrics']['direction']:.1%}", f"{a:.1%} to {b:.1%}; always 'up' {up:.1%}"
            )
        )
    if task == "interval":
        cards.append(
            report.Card("inside the 90 % interval", f"{numbers['metrics']['coverage_90']:.1%}", "should be 90 %")
        )
    columns = list(numbers["metrics"])
    rows = [["LSTM", *(_number(numbers["metrics"][c]) for c in columns), ""]]
    for name, values in numbers["baselines"].items():
        cells = [_number(values[c]) if c in values else "" for c in columns]
        rows.append([NAMES[name], *cells, _chance(result.tests[name][1])])
    one = result.days[0]
    of = f" ({one.series.name})" if len(result.days) > 1 else ""
    sections = [
        report.Section(
            "Beside the baselines",
            "All fitted at the same dates on the same days before. p: Diebold-Mariano test against the LSTM.",
            columns=("", *map(_plain, columns), "p"), rows=rows, ours=[0],
        ),
        *_task_sections(task, one, result, config.evaluation.cost),
        report.Section(
            "Where one is better",
            f"Sum of the loss of {NAMES[rival]} minus that of the LSTM, day by day: rising is better for the LSTM{of}.",
            figure=figures.cumulative(one, day_losses(one, rival, task) - day_losses(one, "lstm", task)),
        ),
        report.Section("Training, last refit", figure=_curve(run, model)),
        report.Section(
            "What this is not",
            "Not advice. The past of one market is one sample; costs, taxes and gaps are larger than they look in a "
            "table, and whatever worked in it is known to others.",
        ),
    ]  # fmt: skip
    sample = " (the embedded sample)" if numbers["data"]["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"{TASKS[task].title} with an LSTM{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=verdict(result, task),
        cards=cards,
        sections=[section for section in sections if section],
    )


def _task_sections(task: str, one: Days, result: Evaluation, cost: float) -> list[report.Section]:
    if task == "volatility":
        return [
            report.Section(
                "Forecast and what came",
                "Annual volatility from the daily range: a day's own is noisy (grey), the forecast follows its level.",
                figure=figures.volatility(one),
            ),
            report.Section(
                "Is it calibrated?",
                "Mean range variance of the days in each twentieth of the forecasts.",
                figure=figures.calibration(one),
            ),
        ]
    if task == "interval":
        return [
            report.Section(
                "The last year", "Returns, and the intervals forecast the day before.", figure=figures.fan(one)
            ),
            report.Section(
                "How many days lie inside",
                "For calm, middling and wild markets (thirds of the days by the volatility of the month before). An "
                "interval of constant width is too wide in calm markets and too narrow in wild ones.",
                figure=figures.coverage(one),
            ),
        ]
    sections = [_trading_section(result.trading, cost, result)] if result.trading else []
    if "tutorial" in one.forecasts:
        values = result.numbers["baselines"]["tutorial"]
        naive = result.numbers["baselines"]["naive"]
        sections.insert(
            0,
            report.Section(
                "The exhibit: a plot that fools",
                "The popular recipe: 60 days of prices, a scaler fitted on the whole series, a forecast of the level. "
                f"Its curve follows the truth and its R2 is {values['r2']:.3f}. But its RMSE is {values['rmse']:.2f}, "
                f"and 'tomorrow is as today' has {naive['rmse']:.2f} and an R2 of {naive['r2']:.4f}. Over years "
                "a price's variance is mostly its trend, so whatever follows the trend has a fine R2, and over years a "
                "curve that is a day late, or off by a tenth, looks right. On the right a month of it.",
                figure=figures.exhibit(one),
            ),
        )  # fmt: skip
    return sections


def _curve(run: Run, model: FinishedModel) -> Figure:
    stage = run.stage(f"{model.fitted[-1].since}")
    return report.learning_curves(stage.history(), "loss")


def _trading_section(trading: Backtest, cost: float, result: Evaluation) -> report.Section:
    low, high = result.numbers["intervals"]["sharpe"]
    return report.Section(
        "Would it have paid?",
        f"Decided after the close, traded at the next open, {cost:g} basis points for what is traded, "
        f"{trading.trades} trades: Sharpe ratio {trading.sharpe:.2f} (95 % interval {low:.2f} to {high:.2f}); "
        f"buying and holding {trading.holding_sharpe:.2f}. The interval is wide because a few years of days are few.",
        figure=figures.trading(result.days[0], trading),
    )


def _plain(name: str) -> str:
    """`coverage_90_calm` as people write it."""
    return {"qlike": "QLIKE", "rmse": "RMSE", "mae": "MAE", "mase": "MASE", "r2": "R2"}.get(
        name, name.replace("_", " ")
    )


def _chance(p: float) -> str:
    """`= 0.03`, `< 0.001`"""
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _number(value: float) -> str:
    """Three places, or four digits."""
    return f"{value:.3f}" if 0.01 < abs(value) < 1 or value == 0 else f"{value:.4g}"
