"""The report of an evaluation: sentences, tables and figures."""

from typing import Any

import numpy as np

from projects.stockprice.backtest import Backtest
from projects.stockprice.charts import (
    calibration,
    coverage,
    cumulative,
    equity_curves,
    fan,
    price_chart,
    tutorial_plot,
    volatility,
)
from projects.stockprice.evaluate import Evaluation
from projects.stockprice.metrics import ticker_losses
from projects.stockprice.names import NAMES, label, number, p_value
from projects.stockprice.predictor import Predictor
from projects.stockprice.tasks import TASKS
from shared.evaluation.report import Card, Report, Section, learning_curves
from shared.runs import Run

MAX_PARTS = 40  # rows of a table by year or ticker


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    task, one = predictor.config.task, result.forecasts[0]
    history = run.stage(f"{predictor.refits[-1].since}").history()
    sections = [
        _price_section(result),
        _baselines_section(result),
        *{"price": _price_sections, "volatility": _volatility_sections, "interval": _interval_sections}[task](result),
        _loss_section(result, task),
        *_parts_sections(result, task),
        *(_coverage_sections(result) if task != "price" else []),
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
    """Whether the LSTM beats the best of all baselines, with the p value."""
    metric, best = TASKS[task].metric, result.best
    statistic, p = result.tests[best]
    ours, theirs = result.numbers["metrics"][metric], result.numbers["baselines"][best][metric]
    relation = "does not differ significantly from" if p >= 0.05 else "beats" if statistic < 0 else "loses to"
    return (
        f"Forecasting {TASKS[task].target}, the LSTM {relation} the best baseline, {NAMES[best]}: {label(metric)} "
        f"{number(ours)} against {number(theirs)} (Diebold-Mariano p {p_value(p)}, {len(result.losses['lstm'])} days)."
    )


def _price_section(result: Evaluation) -> Section:
    one = result.forecasts[0]
    return Section(
        "Where is the predicted price?",
        f"Here, for {one.series.name}, with the naive forecast: the close of the day before. Any curve that hugs the "
        "price like this one repeats it a day late and earns nothing; what can be forecast is how far the price will "
        "move" + (", the shaded interval." if one.quantiles is not None else "."),
        figure=price_chart(one),
    )


def _cards(result: Evaluation, task: str) -> list[Card]:
    numbers, metric, best = result.numbers, TASKS[task].metric, result.best
    metrics, (low, high) = numbers["metrics"], numbers["intervals"][metric]
    first = Card(label(metric), number(metrics[metric]), f"95 % confidence interval {number(low)} to {number(high)}")
    if task == "volatility":
        return [
            first,
            Card(f"{label(metric)} of the best baseline", number(numbers["baselines"][best][metric]), NAMES[best]),
            Card("coverage of the 90 % interval", f"{numbers['coverage']['all']:.1%}", "nominal 90 %"),
        ]
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
    columns, best = list(result.numbers["metrics"]), result.numbers["confidence_set"]

    def row(name: str, values: dict[str, float], p: str) -> list[Any]:
        numbers = [number(values[c]) if c in values else "" for c in columns]
        return [NAMES.get(name, name), *numbers, p, "yes" if name in best else ""]

    baselines = result.numbers["baselines"].items()
    return Section(
        "Comparison with baselines",
        "All are refitted on the same dates and the same days, on these prices. p: Diebold-Mariano test against the "
        "LSTM (Newey-West errors; a panel by its daily means). May be best: the model confidence set at 90 %.",
        columns=("", *map(label, columns), "p", "may be best"),
        rows=[
            row("lstm", result.numbers["metrics"], ""),
            *(row(name, values, p_value(result.tests[name][1]).removeprefix("= ")) for name, values in baselines),
        ],
        ours=[0],
    )


def _loss_section(result: Evaluation, task: str) -> Section:
    one, best = result.forecasts[0], result.best
    of = f" ({one.series.name})" if len(result.forecasts) > 1 else ""
    gain = ticker_losses(one, best, task) - ticker_losses(one, "lstm", task)
    return Section(
        "Cumulative loss difference",
        f"Loss of {NAMES[best]} minus loss of the LSTM, summed over the days{of}. The LSTM is better where the curve "
        "rises.",
        figure=cumulative(one, gain),
    )


def _parts_sections(result: Evaluation, task: str) -> list[Section]:
    """Mean loss by year, ticker and volatility."""
    others = sorted(result.tests, key=lambda name: float(result.losses[name].mean()))
    models = [
        "lstm",
        *[name for name in others if name == "linear"],
        *[name for name in others if name != "linear"][:2],
    ]
    metric = TASKS[task].metric
    texts = {"volatility": "Days of low, medium and high volatility: terciles of the variance of the month before. "}
    sections = []
    for by, parts in result.numbers["parts"].items():
        if len(parts) < 2:
            continue
        better = sum(values["lstm"] < values[result.best] for values in parts.values())
        shown = list(parts.items())[:MAX_PARTS]
        more = f" The first {MAX_PARTS} of {len(parts)} are shown." if len(parts) > MAX_PARTS else ""
        loss = "Squared error" if metric == "rmse" else label(metric)
        sections.append(
            Section(
                f"By {by}",
                f"{texts.get(by, '')}{loss} of each part; the LSTM is better than {NAMES[result.best]} in {better} of "
                f"{len(parts)}.{more}",
                columns=("", "days", *(NAMES[name] for name in models)),
                rows=[[part, values["n"], *(number(values[name]) for name in models)] for part, values in shown],
            )
        )
    return sections


def _coverage_sections(result: Evaluation) -> list[Section]:
    tests, horizons = result.numbers["coverage"], result.numbers["horizons"]
    sections = [
        Section(
            "Coverage of the 90 % interval",
            "Filtered historical simulation with adaptive levels. p values, median over the tickers: Kupiec, as many "
            f"days outside as promised {p_value(tests['kupiec_p'])}; Christoffersen, they do not follow each other "
            f"{p_value(tests['christoffersen_p'])}.",
            columns=("", "coverage"),
            rows=[["all days", f"{tests['all']:.1%}"], *([year, f"{v:.1%}"] for year, v in tests["by_year"].items())],
        )
    ]
    if horizons:
        rows = [
            [f"{days} days", *(number(one["qlike"][name]) for name in ("lstm", "pooled_log_har", "ewma")),
             p_value(one["p"]).removeprefix("= "), f"{one['coverage_90']:.1%}"]
            for days, one in horizons.items()
        ]  # fmt: skip
        sections.append(
            Section(
                "Several days ahead",
                "QLIKE of the mean variance until then; p: against the better of the two baselines, with errors that "
                "allow for the overlap; coverage: of the 90 % interval of the return until then.",
                columns=("", *(NAMES[name] for name in ("lstm", "pooled_log_har", "ewma")), "p", "coverage"),
                rows=rows,
            )
        )
    return sections


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
