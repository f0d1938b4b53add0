"""The figures of a report."""

import numpy as np
from matplotlib.figure import Figure

from projects.stockprice.backtest import Backtest
from projects.stockprice.calibration import COVERAGES
from projects.stockprice.metrics import Forecasts, covered, terciles
from projects.stockprice.names import NAMES
from shared.evaluation.report import ACCENT, INK, SECOND, SOFT, plain


def price_chart(one: Forecasts, last: int = 60) -> Figure:
    """The last closes, the naive forecast of each, the tutorial's where there is one, and the 90 % interval."""
    figure = Figure(figsize=(8.6, 3.4), layout="constrained")
    axes = figure.subplots()
    days, closes, before = one.days[-last:], one.closes[-last:], one.last_closes[-last:]
    if one.quantiles is not None:
        low, high = (before * np.exp(one.quantiles[-last:, number]) for number in COVERAGES["90"])
        axes.fill_between(days, low, high, color=ACCENT, alpha=0.18, linewidth=0, label="90 % interval")
    axes.plot(days, closes, color=INK, linewidth=1.4, label="close")
    axes.plot(days, before, color=SECOND, linewidth=1, linestyle="--", label="naive: the close of the day before")
    if "tutorial" in one.models:
        axes.plot(days, one.models["tutorial"][-last:], color=ACCENT, linewidth=1, label=NAMES["tutorial"])
    axes.set(ylabel="price")
    axes.legend(frameon=False, fontsize=8)
    plain(axes)
    return figure


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
