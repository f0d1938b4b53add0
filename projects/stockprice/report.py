"""The report of an evaluation: sentences, tables and figures."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from projects.stockprice.backtest import Backtest
from projects.stockprice.calibration import COVERAGES
from projects.stockprice.evaluate import Evaluation
from projects.stockprice.metrics import Forecasts, covered, terciles, ticker_losses
from projects.stockprice.predictor import Predictor
from projects.stockprice.tasks import TASKS
from shared.evaluation.report import ACCENT, INK, SECOND, SOFT, Card, Report, Section, learning_curves, plain
from shared.runs import Run

NAMES = {
    "lstm": "LSTM",
    "naive": "naive (random walk)", "drift": "mean return", "ar5": "AR(5)", "arima": "ARIMA(1, 1, 1)",
    "rolling": "22-day mean", "ewma": "EWMA", "garch": "GARCH(1, 1)", "gjr": "GJR-GARCH", "har": "HAR",
    "log_har": "log-HAR with leverage", "constant": "constant variance", "tutorial": "tutorial LSTM",
}  # fmt: skip
METRICS = {"qlike": "QLIKE", "rmse": "RMSE", "mae": "MAE", "mase": "MASE", "r2": "R2", "sharpe": "Sharpe ratio"}


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    task, one = predictor.config.task, result.forecasts[0]
    history = run.stage(f"{predictor.refits[-1].since}").history()
    sections = [
        _baselines_section(result),
        *{"price": _price_sections, "volatility": _volatility_sections, "interval": _interval_sections}[task](result),
        _loss_section(result, task),
        Section("Training, last refit", figure=learning_curves(history, "loss")) if history else None,
        Section(
            "Disclaimer",
            "Not investment advice. One market's history is a single sample; real costs, taxes and price gaps are "
            "larger than in a backtest, and other traders know any strategy that worked in one.",
        ),
    ]
    return Report(
        title=f"{TASKS[task].title} with an LSTM",
        lead=" ".join(filter(None, (verdict(result, task), result.note))),
        cards=_cards(result, task),
        sections=sections,
        picture=fan(one) if task == "interval" else volatility(one) if task == "volatility" else None,
    )


def verdict(result: Evaluation, task: str) -> str:
    """Whether the LSTM beats the reference baseline, with the p value."""
    metric, reference = TASKS[task].metric, reference_of(result, task)
    statistic, p = result.tests[reference]
    ours, theirs = result.numbers["metrics"][metric], result.numbers["baselines"][reference][metric]
    relation = "does not differ significantly from" if p >= 0.05 else "beats" if statistic < 0 else "loses to"
    return (
        f"Forecasting {TASKS[task].target}, the LSTM {relation} {NAMES[reference]}: {label(metric)} {number(ours)} "
        f"against {number(theirs)} (Diebold-Mariano p {p_value(p)}, {len(result.losses['lstm'])} days)."
    )


def reference_of(result: Evaluation, task: str) -> str:
    """The baseline to beat; another one where there were too few days to fit that one."""
    return TASKS[task].reference if TASKS[task].reference in result.tests else next(iter(result.tests))


def _cards(result: Evaluation, task: str) -> list[Card]:
    numbers, metric, reference = result.numbers, TASKS[task].metric, reference_of(result, task)
    metrics, (low, high) = numbers["metrics"], numbers["intervals"][metric]
    first = Card(label(metric), number(metrics[metric]), f"95 % confidence interval {number(low)} to {number(high)}")
    if task == "volatility":
        return [first, Card(f"{label(metric)} of {NAMES[reference]}", number(numbers["baselines"][reference][metric]))]
    if task == "interval":
        return [first, Card("coverage of the 90 % interval", f"{metrics['coverage_90']:.1%}", "nominal 90 %")]
    if "direction" not in metrics:
        return [first]
    low, high = numbers["intervals"]["direction"]
    up = np.concatenate([one.returns > 0 for one in result.forecasts]).mean()
    return [
        first,
        Card("directional accuracy", f"{metrics['direction']:.1%}", f"{low:.1%} to {high:.1%}; always up: {up:.1%}"),
    ]


def _baselines_section(result: Evaluation) -> Section:
    columns = list(result.numbers["metrics"])

    def row(name: str, values: dict[str, float], p: str) -> list[Any]:
        return [NAMES.get(name, name), *(number(values[c]) if c in values else "" for c in columns), p]

    baselines = result.numbers["baselines"].items()
    return Section(
        "Comparison with baselines",
        "All are refitted on the same dates and the same days. p: Diebold-Mariano test against the LSTM.",
        columns=("", *map(label, columns), "p"),
        rows=[
            row("lstm", result.numbers["metrics"], ""),
            *(row(name, values, p_value(result.tests[name][1]).removeprefix("= ")) for name, values in baselines),
        ],
        ours=[0],
    )


def _loss_section(result: Evaluation, task: str) -> Section:
    one, reference = result.forecasts[0], reference_of(result, task)
    of = f" ({one.series.name})" if len(result.forecasts) > 1 else ""
    gain = ticker_losses(one, reference, task) - ticker_losses(one, "lstm", task)
    return Section(
        "Cumulative loss difference",
        f"Loss of {NAMES[reference]} minus loss of the LSTM, summed over the days{of}. The LSTM is better where the "
        "curve rises.",
        figure=cumulative(one, gain),
    )


def _volatility_sections(result: Evaluation) -> list[Section]:
    one = result.forecasts[0]
    return [
        Section(
            "Forecast and realised volatility",
            "Annual volatility. The daily range (grey) is a noisy measure of it; the forecast follows its level.",
            figure=volatility(one),
        ),
        Section(
            "Calibration",
            "Mean realised variance in 20 equal-sized bins of the forecast, as annual volatility; if calibrated, they "
            "lie on the diagonal.",
            figure=calibration(one),
        ),
    ]


def _interval_sections(result: Evaluation) -> list[Section]:
    one = result.forecasts[0]
    return [
        Section("Prediction intervals", "Returns of the last year, and their prediction intervals.", figure=fan(one)),
        Section(
            "Coverage by volatility",
            "Coverage of the 90 % interval for days of low, medium and high volatility (terciles of the variance of "
            "the month before). An interval of constant width is too wide when volatility is low and too narrow when "
            "it is high.",
            figure=coverage(one),
        ),
    ]


def _price_sections(result: Evaluation) -> list[Section]:
    sections = [_trading_section(result.trading, result)] if result.trading else []
    if "tutorial" not in result.numbers["baselines"]:
        return sections
    tutorial, naive = (result.numbers["baselines"][name] for name in ("tutorial", "naive"))
    text = (
        "The set-up of the popular tutorials: 60 days of prices as input, a scaler fitted on the whole series (data "
        f"leakage), the price as target. The curve follows the price and R2 is {tutorial['r2']:.3f}. But RMSE is "
        f"{tutorial['rmse']:.2f}; the naive forecast (persistence) has {naive['rmse']:.2f} and an R2 of "
        f"{naive['r2']:.4f}. Over years most of a price's variance is its trend, so any forecast near the last price "
        "has a high R2, and its errors are invisible in the plot. The right panel shows one month."
    )
    return [Section("A misleading plot", text, figure=tutorial_plot(result.forecasts[0])), *sections]


def _trading_section(trading: Backtest, result: Evaluation) -> Section:
    low, high = result.numbers["intervals"]["sharpe"]
    series = result.forecasts[0].series
    traded = "close, as opens are not known" if np.array_equal(series.open, series.close) else "open"
    return Section(
        "Backtest",
        f"Positions are chosen after the close and traded at the next {traded}, at {trading.cost:g} basis points of "
        f"the traded amount; {trading.trades} trades. Sharpe ratio {trading.sharpe:.2f} (95 % confidence interval "
        f"{low:.2f} to {high:.2f}); buy and hold {trading.holding_sharpe:.2f}. A few years give a wide interval.",
        figure=equity_curves(result.forecasts[0], trading),
    )


def label(metric: str) -> str:
    """The display name of a metric: `coverage_90_low` -> `coverage 90 low`."""
    return METRICS.get(metric, metric.replace("_", " "))


def p_value(p: float) -> str:
    """`= 0.03`, `< 0.001`"""
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def number(value: float) -> str:
    """Three decimals, or four digits."""
    return f"{value:.3f}" if 0.01 < abs(value) < 1 or value == 0 else f"{value:#.4g}".rstrip(".")


def annual(variance: np.ndarray, one: Forecasts) -> np.ndarray:
    """Daily variance -> annual volatility."""
    return np.sqrt(one.series.days_per_year * variance)


def volatility(one: Forecasts) -> Figure:
    """Forecast volatility and the range of each day."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(one.days, annual(one.variance, one), color=SOFT, linewidth=0.5, label="realised (daily range)")
    axes.plot(one.days, annual(one.models["lstm"], one), color=ACCENT, linewidth=1, label="LSTM forecast")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.set(ylabel="annual volatility", ylim=(0, np.quantile(annual(one.variance, one), 0.999)))
    axes.legend(frameon=False)
    plain(axes)
    return figure


def calibration(one: Forecasts) -> Figure:
    """Mean realised variance in 20 equal-sized bins of the forecast."""
    figure = Figure(figsize=(3.8, 3.4), layout="constrained")
    axes = figure.subplots()
    for name, colour in (("lstm", ACCENT), ("har", SECOND)):
        if name in one.models:
            parts = np.array_split(np.argsort(one.models[name]), min(20, len(one.days)))
            x, y = ([annual(v[part].mean(), one) for part in parts] for v in (one.models[name], one.variance))
            axes.plot(x, y, "o-", color=colour, markersize=3, label=NAMES[name])
    ends = axes.get_xlim()
    axes.plot(ends, ends, color=SOFT, linewidth=1)
    axes.set(xlabel="forecast", ylabel="realised", xscale="log", yscale="log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        ticks = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if low < tick < high]
        axis.set_ticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.minorticks_off()
    axes.legend(frameon=False)
    plain(axes)
    return figure


def fan(one: Forecasts, last: int = 252) -> Figure:
    """The last returns and their prediction intervals."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots()
    days, quantiles = one.days[-last:], 100 * one.models["lstm"][-last:]
    for (low, high), alpha in zip(COVERAGES.values(), (0.35, 0.22, 0.12)):
        axes.fill_between(days, quantiles[:, low], quantiles[:, high], color=ACCENT, alpha=alpha, linewidth=0)
    axes.plot(days, 100 * one.returns[-last:], ".", color=INK, markersize=3)
    axes.set(ylabel="return, %")
    plain(axes)
    return figure


def coverage(one: Forecasts) -> Figure:
    """Coverage of the 90 % interval for days of low, medium and high volatility."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    third = terciles(one.past_variance)
    names = [name for name in ("lstm", "constant", "ewma", "garch", "gjr", "har") if name in one.models]
    for position, name in enumerate(names):
        inside = covered(one, one.models[name], "90")
        coverages = [inside[third == part].mean() for part in range(3)]
        at = np.arange(3) + 0.8 * (position / len(names) - 0.4)
        colour = {"lstm": ACCENT, "constant": SECOND}.get(name, SOFT)
        axes.bar(at, coverages, 0.7 / len(names), color=colour, label=NAMES[name])
    axes.axhline(0.9, color=INK, linewidth=0.8)
    axes.set_xticks(range(3), ["low", "medium", "high"])
    axes.set(ylim=(0.75, 1), xlabel="volatility", ylabel="coverage of the 90 % interval")
    axes.legend(frameon=False, fontsize=7, ncol=3)
    plain(axes)
    return figure


def tutorial_plot(one: Forecasts) -> Figure:
    """The plot of the tutorials, and its last month enlarged."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, rows in ((left, slice(None)), (right, slice(-22, None))):
        for values, colour, style, name in (
            (one.closes, INK, "-", "close"),
            (one.models["tutorial"], SECOND, "-", NAMES["tutorial"]),
            (one.last_closes, SOFT, ":", "naive (close of the day before)"),
        ):
            axes.plot(one.days[rows], values[rows], color=colour, linewidth=1, linestyle=style, label=name)
        axes.tick_params(axis="x", rotation=30, labelsize=7)
        plain(axes)
    left.legend(frameon=False, fontsize=7)
    return figure


def cumulative(one: Forecasts, gain: np.ndarray) -> Figure:
    """Sum over the days of the loss difference (N,)."""
    figure = Figure(figsize=(8.6, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(one.days, gain.cumsum(), color=ACCENT)
    axes.axhline(0, color=SOFT, linewidth=1)
    axes.set(ylabel="loss difference")
    plain(axes)
    return figure


def equity_curves(one: Forecasts, traded: Backtest) -> Figure:
    """Growth of one unit of money: buy and hold, and the strategy."""
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    axes = figure.subplots()
    days = one.days[: len(traded.returns)]
    axes.plot(days, np.exp(traded.holding.cumsum()), color=SOFT, label="buy and hold")
    axes.plot(days, np.exp(traded.returns.cumsum()), color=ACCENT, label="long when the forecast is positive")
    axes.set(ylabel="growth of 1", yscale="log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend(frameon=False)
    plain(axes)
    return figure
