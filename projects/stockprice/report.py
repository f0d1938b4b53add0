"""What the report shows: the numbers in words, tables and pictures."""

from typing import TYPE_CHECKING, Any

import numpy as np

from projects.stockprice import plots
from projects.stockprice.backtest import Backtest
from projects.stockprice.data import Days
from projects.stockprice.metrics import day_losses
from projects.stockprice.plots import NAMES
from projects.stockprice.predictor import Predictor
from projects.stockprice.tasks import TASKS
from shared.evaluation import report
from shared.runs import Run

if TYPE_CHECKING:
    from projects.stockprice.evaluate import Evaluation


def write_report(run: Run, model: Predictor, result: "Evaluation") -> None:
    """`report.html` into the run."""
    task, numbers, one = model.config.task, result.numbers, result.days[0]
    reference = reference_of(result, task)
    of = f" ({one.series.name})" if len(result.days) > 1 else ""
    sections = [
        _baselines_section(result),
        *_task_sections(task, one, result),
        report.Section(
            "Where one is better",
            f"Sum of the loss of {NAMES[reference]} minus that of the LSTM, day by day: rising is better for the LSTM{of}.",
            figure=plots.cumulative(one, day_losses(one, reference, task) - day_losses(one, "lstm", task)),
        ),
        report.Section(
            "Training, last refit",
            figure=report.learning_curves(run.stage(f"{model.fitted[-1].since}").history(), "loss"),
        ),
        report.Section(
            "What this is not",
            "Not advice. The past of one market is one sample; costs, taxes and gaps are larger than they look in a "
            "table, and whatever worked in it is known to others.",
        ),
    ]
    sample = " (the embedded sample)" if numbers["data"]["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"{TASKS[task].title} with an LSTM{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=verdict(result, task),
        cards=_cards(result, task),
        sections=sections,
    )


def verdict(result: "Evaluation", task: str) -> str:
    """Whether the LSTM beats its reference, in words, with the p value."""
    key, reference = TASKS[task].key, reference_of(result, task)
    statistic, p = result.tests[reference]
    ours, theirs = result.numbers["metrics"][key], result.numbers["baselines"][reference][key]
    word = "is no better and no worse than" if p >= 0.05 else "beats" if statistic < 0 else "loses to"
    return (
        f"At forecasting {TASKS[task].what} the LSTM {word} {NAMES[reference]}: {plain(key)} {number(ours)} against "
        f"{number(theirs)} (Diebold-Mariano p {chance(p)}, {len(result.losses['lstm'])} days)."
    )


def reference_of(result: "Evaluation", task: str) -> str:
    """The baseline that must be beaten; another one where there were too few days for it."""
    return TASKS[task].reference if TASKS[task].reference in result.tests else next(iter(result.tests))


def _cards(result: "Evaluation", task: str) -> list[report.Card]:
    numbers, key, reference = result.numbers, TASKS[task].key, reference_of(result, task)
    metrics, (low, high) = numbers["metrics"], numbers["intervals"][key]
    first = report.Card(plain(key), number(metrics[key]), f"95 % interval {number(low)} to {number(high)}")
    if task == "volatility":
        return [first, report.Card("beside it", number(numbers["baselines"][reference][key]), NAMES[reference])]
    if task == "interval":
        return [first, report.Card("inside the 90 % interval", f"{metrics['coverage_90']:.1%}", "should be 90 %")]
    a, b = numbers["intervals"]["direction"]
    up = np.concatenate([one.actual > 0 for one in result.days]).mean()
    beside = f"{a:.1%} to {b:.1%}; always 'up' {up:.1%}"
    return [first, report.Card("direction right", f"{metrics['direction']:.1%}", beside)]


def _baselines_section(result: "Evaluation") -> report.Section:
    columns = list(result.numbers["metrics"])

    def row(name: str, values: dict[str, float], p: str) -> list[Any]:
        return [name, *(number(values[c]) if c in values else "" for c in columns), p]

    baselines = result.numbers["baselines"].items()
    return report.Section(
        "Beside the baselines",
        "All fitted at the same dates on the same days before. p: Diebold-Mariano test against the LSTM.",
        columns=("", *map(plain, columns), "p"),
        rows=[
            row("LSTM", result.numbers["metrics"], ""),
            *(row(NAMES.get(name, name), values, chance(result.tests[name][1])) for name, values in baselines),
        ],
        ours=[0],
    )


def _task_sections(task: str, one: Days, result: "Evaluation") -> list[report.Section]:
    if task == "volatility":
        return [
            report.Section(
                "Forecast and what came",
                "Annual volatility from the daily range: a day's own is noisy (grey), the forecast follows its level.",
                figure=plots.volatility(one),
            ),
            report.Section(
                "Is it calibrated?",
                "Mean range variance of the days in each twentieth of the forecasts.",
                figure=plots.calibration(one),
            ),
        ]
    if task == "interval":
        return [
            report.Section(
                "The last year", "Returns, and the intervals forecast the day before.", figure=plots.fan(one)
            ),
            report.Section(
                "How many days lie inside",
                "For calm, middling and wild markets (thirds of the days by the volatility of the month before). An "
                "interval of constant width is too wide in calm markets and too narrow in wild ones.",
                figure=plots.coverage(one),
            ),
        ]
    sections = [_trading_section(result.trading, result)] if result.trading else []
    if "tutorial" in one.forecasts:
        values = result.numbers["baselines"]["tutorial"]
        naive = result.numbers["baselines"]["naive"]
        sections.insert(
            0,
            report.Section(
                "The exhibit: a plot that fools",
                "The popular settings: 60 days of prices, a scaler fitted on the whole series, a forecast of the level. "
                f"Its curve follows the truth and its R2 is {values['r2']:.3f}. But its RMSE is {values['rmse']:.2f}, "
                f"and 'tomorrow is naive (random walk)' has {naive['rmse']:.2f} and an R2 of {naive['r2']:.4f}. Over years "
                "a price's variance is mostly its trend, so whatever follows the trend has a fine R2, and over years a "
                "curve that is a day late, or off by a tenth, looks right. On the right a month of it.",
                figure=plots.exhibit(one),
            ),
        )  # fmt: skip
    return sections


def _trading_section(trading: Backtest, result: "Evaluation") -> report.Section:
    low, high = result.numbers["intervals"]["sharpe"]
    return report.Section(
        "Would it have paid?",
        f"Decided after the close, traded at the next open, {trading.cost:g} basis points for what is traded, "
        f"{trading.trades} trades: Sharpe ratio {trading.sharpe:.2f} (95 % interval {low:.2f} to {high:.2f}); "
        f"buying and holding {trading.holding_sharpe:.2f}. The interval is wide because a few years of days are few.",
        figure=plots.trading(result.days[0], trading),
    )


def plain(name: str) -> str:
    """`coverage_90_low` as people write it."""
    return {"qlike": "QLIKE", "rmse": "RMSE", "mae": "MAE", "mase": "MASE", "r2": "R2"}.get(
        name, name.replace("_", " ")
    )


def chance(p: float) -> str:
    """`= 0.03`, `< 0.001`"""
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def number(value: float) -> str:
    """Three positions, or four digits."""
    return f"{value:.3f}" if 0.01 < abs(value) < 1 or value == 0 else f"{value:.4g}"
