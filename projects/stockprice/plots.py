"""The pictures of the report."""

import numpy as np
from matplotlib.figure import Figure

from projects.stockprice.backtest import Backtest
from projects.stockprice.calibration import COVERAGES
from projects.stockprice.data import Days
from projects.stockprice.metrics import terciles
from shared.evaluation import report

NAMES = {
    "lstm": "LSTM",
    "naive": "naive (random walk)", "drift": "mean return", "ar5": "AR(5)", "arima": "ARIMA(1, 1, 1)",
    "rolling": "mean of 22 days",
    "ewma": "EWMA", "garch": "GARCH(1, 1)", "gjr": "GJR-GARCH", "har": "HAR", "log_har": "log-HAR with leverage",
    "constant": "constant", "tutorial": "the tutorials' LSTM",
}  # fmt: skip


def volatility(one: Days) -> Figure:
    """What was forecast, and the range of the day that came."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots()
    days = one.series.days[one.origins + 1]
    axes.plot(days, np.sqrt(252 * one.variance), color=report.SOFT, linewidth=0.5, label="range of the day")
    axes.plot(
        days, np.sqrt(252 * one.forecasts["lstm"]), color=report.ACCENT, linewidth=1, label="LSTM, the day before"
    )
    axes.set(ylabel="annual volatility", ylim=(0, np.quantile(np.sqrt(252 * one.variance), 0.999)))
    axes.legend(frameon=False)
    report.plain(axes)
    return figure


def calibration(one: Days) -> Figure:
    """Mean variance that realised, for each twentieth of the forecasts."""
    figure = Figure(figsize=(3.8, 3.4), layout="constrained")
    axes = figure.subplots()
    for name, colour in (("lstm", report.ACCENT), ("har", report.SECOND)):
        if name in one.forecasts:
            parts = np.array_split(np.argsort(one.forecasts[name]), 20)
            x, y = ([np.sqrt(252 * v[part].mean()) for part in parts] for v in (one.forecasts[name], one.variance))
            axes.plot(x, y, "o-", color=colour, markersize=3, label=NAMES[name])
    ends = axes.get_xlim()
    axes.plot(ends, ends, color=report.SOFT, linewidth=1)
    axes.set(xlabel="forecast", ylabel="what came", xscale="log", yscale="log")
    axes.legend(frameon=False)
    report.plain(axes)
    return figure


def fan(one: Days, last: int = 252) -> Figure:
    """The last returns and the intervals forecast for them."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    axes = figure.subplots()
    rows = slice(-last, None)
    days, quantiles = one.series.days[one.origins + 1][rows], 100 * one.forecasts["lstm"][rows]
    for (low, high), alpha in zip(COVERAGES.values(), (0.35, 0.22, 0.12)):
        axes.fill_between(days, quantiles[:, low], quantiles[:, high], color=report.ACCENT, alpha=alpha, linewidth=0)
    axes.plot(days, 100 * one.actual[rows], ".", color=report.INK, markersize=3)
    axes.set(ylabel="return, %")
    report.plain(axes)
    return figure


def coverage(one: Days) -> Figure:
    """Share of days inside the 90 % interval in calm, middling and wild markets."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    third = terciles(one.volatility)
    names = [name for name in ("lstm", "constant", "ewma", "garch", "gjr", "har") if name in one.forecasts]
    for place, name in enumerate(names):
        low, high = COVERAGES["90"]
        inside = (one.actual >= one.forecasts[name][:, low]) & (one.actual <= one.forecasts[name][:, high])
        shares = [inside[third == part].mean() for part in range(3)]
        at = np.arange(3) + 0.8 * (place / len(names) - 0.4)
        colour = {"lstm": report.ACCENT, "constant": report.SECOND}.get(name, report.SOFT)
        axes.bar(at, shares, 0.7 / len(names), color=colour, label=NAMES[name])
    axes.axhline(0.9, color=report.INK, linewidth=0.8)
    axes.set_xticks(range(3), ["low", "medium", "high"])
    axes.set(ylim=(0.75, 1), ylabel="inside the 90 % interval")
    axes.legend(frameon=False, fontsize=7, ncol=3)
    report.plain(axes)
    return figure


def exhibit(one: Days) -> Figure:
    """The tutorials' plot, and a month of it close up."""
    figure = Figure(figsize=(8.6, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    days, closes = one.series.days[one.origins + 1], one.series.close[one.origins + 1]
    for axes, rows in ((left, slice(None)), (right, slice(-22, None))):
        axes.plot(days[rows], closes[rows], color=report.INK, linewidth=1, label="close")
        axes.plot(
            days[rows], one.forecasts["tutorial"][rows], color=report.SECOND, linewidth=1, label="the tutorials' LSTM"
        )
        axes.plot(days[rows], one.today[rows], color=report.SOFT, linewidth=1, linestyle=":", label="as the day before")
        axes.tick_params(axis="x", rotation=30, labelsize=7)
        report.plain(axes)
    left.legend(frameon=False, fontsize=7)
    return figure


def cumulative(one: Days, gain: np.ndarray) -> Figure:
    """Sum over the days of what the LSTM has less loss than its reference. gain (N,)."""
    figure = Figure(figsize=(8.6, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(one.series.days[one.origins + 1], gain.cumsum(), color=report.ACCENT)
    axes.axhline(0, color=report.SOFT, linewidth=1)
    report.plain(axes)
    return figure


def trading(one: Days, traded: Backtest) -> Figure:
    """What one unit of money becomes, held and traded."""
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    axes = figure.subplots()
    days = one.series.days[one.origins + 1][: len(traded.returns)]
    axes.plot(days, np.exp(traded.holding.cumsum()), color=report.SOFT, label="buy and hold")
    axes.plot(days, np.exp(traded.returns.cumsum()), color=report.ACCENT, label="in the market when the forecast is up")
    axes.set(ylabel="one unit becomes", yscale="log")
    axes.legend(frameon=False)
    report.plain(axes)
    return figure
