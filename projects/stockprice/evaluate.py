"""Evaluate a run and compare it with its baselines.

python -m projects.stockprice.evaluate                      # the latest run, on its own test days
python -m projects.stockprice.evaluate --run RUN --data.source csv --data.root FILE --json out.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from projects.stockprice.backtest import Backtest, backtest
from projects.stockprice.baselines import from_every_day, pooled_forecasts
from projects.stockprice.calibration import QUANTILES
from projects.stockprice.config import EvaluateOptions, EvaluationConfig
from projects.stockprice.data import MIN_FIT_DAYS, PriceData, Refit, refits_at, test_days
from projects.stockprice.horizons import score_horizons
from projects.stockprice.metrics import PARTS, Forecasts, coverage_tests, daily_losses, losses_by, mean_loss, score
from projects.stockprice.predictor import Predictor
from projects.stockprice.series import Series
from projects.stockprice.significance import block_interval, confidence_set, diebold_mariano, newey_west_lags
from projects.stockprice.tasks import TASKS
from shared.compute import distributed
from shared.data.provenance import Fingerprints, Provenance, Seen
from shared.data.summary import named
from shared.evaluation.metrics import proportion_interval

HEADLINE, ITEMS = ("qlike", "min"), "days"


@dataclass
class Evaluation:
    """The result of an evaluation, and its data."""

    summary: str
    forecasts: list[Forecasts]
    """The scored days of every ticker."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""
    predictions: list[dict[str, Any]]
    """The rows of predictions.csv."""
    seen: Seen
    losses: dict[str, np.ndarray]
    """Model -> loss of each calendar day, (D,), by which models are compared."""
    note: str = ""
    """Which days were left out, or overlap with the training period."""
    trading: Backtest | None = None
    tests: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Baseline -> Diebold-Mariano statistic and p value of the LSTM against it."""

    @property
    def best(self) -> str:
        """The best of all baselines, which the LSTM is to beat."""
        return min(self.tests, key=lambda name: float(self.losses[name].mean()))


def evaluate(predictor: Predictor, options: EvaluateOptions, provenance: Provenance) -> Evaluation:
    """Score a predictor on the test days (`data.split all`: on all days) without its networks' training days."""
    task, training, latest = predictor.config.task, predictor.config.training, options.data.split == "all"
    if latest:  # other prices: the baselines are refitted on them every year, up to the end
        refit = "year" if training.refit == "never" else training.refit
        training = training.model_copy(update={"refit": refit, "train_end": None})
    own = predictor.config.data
    settings = {"variance": own.variance, "inputs": own.inputs, "test_start": options.data.test_start or own.test_start}
    prices = options.data.model_copy(update=settings)
    data = PriceData(prices, predictor.config.model, training, one_ticker=task == "price")
    own_refits = refits_at([refit.since for refit in predictor.refits], predictor.config.training)
    refits = data.refits if latest else own_refits
    shown = options.evaluation.ticker
    if shown and shown not in {one.name for one in data.series}:
        there = named([one.name for one in data.series], 10)
        raise ValueError(f"evaluation.ticker: there is no {shown}, but {there}")
    panel = [*data.series, *data.auxiliary]
    pooled = {name: pooled_forecasts(panel, refits, fit) for name, fit in TASKS[task].pooled.items()}
    tested = [one for one in data.series if len(data.test_origins(one))]
    progress = tqdm(tested, desc="baselines", unit="ticker", disable=len(tested) < 2 or not distributed.is_first())
    all_days, unusable = with_all_models([forecast_days(predictor, data, one, refits, pooled) for one in progress])
    seen = provenance.seen(Fingerprints.join(*(fingerprints(predictor, one, latest) for one in all_days)),
                           options.seen == "keep")  # fmt: skip
    forecasts, note = scored_days(all_days, seen, own_refits, latest)
    forecasts.sort(key=lambda one: bool(shown) and one.series.name != shown)
    names = list(forecasts[0].models)
    if set(names) <= {"lstm", "linear"}:
        raise ValueError(f"no baseline can be fitted: there are fewer than {MIN_FIT_DAYS} days before every refit")
    scores = {name: score(forecasts, name, task) for name in names}
    losses = {name: daily_losses(forecasts, name, task) for name in names}
    for name in names:  # the headline is the mean over the days, like the tests
        scores[name][TASKS[task].metric] = mean_loss(TASKS[task].metric)(losses[name])
    lags = newey_west_lags(len(losses["lstm"]))
    tests = {name: diebold_mariano(losses["lstm"], losses[name], lags) for name in names if name != "lstm"}
    metric, resamples = TASKS[task].metric, options.evaluation.bootstrap
    numbers: dict[str, Any] = {
        "data": {"split": options.data.split, "n": sum(len(one.days) for one in forecasts), "seen": seen.count},
        "metrics": scores["lstm"],
        "intervals": {metric: block_interval(losses["lstm"], mean_loss(metric), resamples)},
        "baselines": {name: values for name, values in scores.items() if name != "lstm"},
        "diebold_mariano": {name: {"statistic": statistic, "p": p} for name, (statistic, p) in tests.items()},
        "confidence_set": confidence_set(losses),
        "parts": {name: losses_by(forecasts, names, task, part) for name, part in PARTS.items()},
    }
    if task != "price":
        numbers["coverage"] = coverage_tests(forecasts)
        numbers["horizons"] = score_horizons(predictor, panel, forecasts, refits)
    trading = _trade(forecasts[0], numbers, options.evaluation) if task == "price" else None
    summary = test_days([(one.series.name, one.days) for one in forecasts])
    rows = [row for one in forecasts for row in prediction_rows(one, names, task)]
    note = " ".join(filter(None, (note, unusable)))
    return Evaluation(summary, forecasts, numbers, rows, seen, losses, note, trading, tests)


def forecast_days(
    predictor: Predictor,
    data: PriceData,
    series: Series,
    refits: Sequence[Refit],
    pooled: Mapping[str, Mapping[str, np.ndarray]],
) -> Forecasts:
    """The forecasts of networks and baselines for the test days of a ticker; NaN where one has too little history.

    pooled: baseline -> ticker -> forecasts from every day (T,).
    """
    origins, config, latest = data.test_origins(series), predictor.config, data.config.split == "all"
    task = TASKS[config.task]
    from_every = {name: from_every_day(series, refits, baseline) for name, baseline in task.baselines.items()}
    from_every |= {name: forecasts[series.name] for name, forecasts in pooled.items()}
    if config.task == "price":
        returns = {"lstm": predictor.returns(series, origins, latest)}
        returns |= {name: forecasts[origins] for name, forecasts in from_every.items()}
        models = {name: series.close[origins] * np.exp(values) for name, values in returns.items()}
        if predictor.tutorial is not None and not latest:
            models["tutorial"] = predictor.tutorial.forecast(series)[origins]
        return Forecasts(series, origins, models)
    raw = predictor.raw_variances(series, latest)
    own = {"lstm": raw[:, 0]}
    if config.training.ablation:
        own["linear"] = predictor.raw_variances(series, latest, part="linear")[:, 0]
    calibrated = {
        name: task.calibrated(forecasts, series, config.model.recalibration)[origins]
        for name, forecasts in (own | from_every).items()
    }
    is_interval = config.task == "interval"
    quantiles = calibrated["lstm"] if is_interval else predictor.quantiles_ahead(raw, series)[origins]
    return Forecasts(series, origins, calibrated, quantiles, raw)


def with_all_models(forecasts: Sequence[Forecasts]) -> tuple[list[Forecasts], str]:
    """The days for which every model has enough history, and a sentence on what was left out.

    A model that has no forecast for any ticker is left out; a ticker for which one of the others has none, too. Raises
    ValueError where no ticker is left.
    """
    known = [
        {name: np.isfinite(values.reshape(len(values), -1)).all(axis=1) for name, values in one.models.items()}
        for one in forecasts
    ]
    models = [name for name in forecasts[0].models if any(days[name].any() for days in known)]
    kept, young, days_left_out = [], [], 0
    for one, days in zip(forecasts, known):
        complete = np.all([days[name] for name in models], axis=0)
        if one.quantiles is not None:
            complete &= np.isfinite(one.quantiles).all(axis=1)
        if complete.any():
            kept.append(replace(one, models={name: one.models[name] for name in models}).select(complete))
            days_left_out += int((~complete).sum())
        else:
            young.append(one.series.name)
    if not kept:
        raise ValueError(f"{named(young, 5)}: too short, there is too little history before every test day")
    parts = [
        f"{days_left_out} days without enough history for every model are left out." if days_left_out else "",
        f"Left out, too short for some model: {named(young, 5)}." if young else "",
    ]
    return kept, " ".join(filter(None, parts))


def fingerprints(predictor: Predictor, one: Forecasts, latest: bool) -> Fingerprints:
    """Content hashes of the test days, each with the number of the refit whose networks forecast it."""
    return one.series.fingerprints(one.origins + 1, predictor.refit_numbers(one.series, one.origins, latest))


def scored_days(
    forecasts: Sequence[Forecasts], seen: Seen, refits: Sequence[Refit], latest: bool
) -> tuple[list[Forecasts], str]:
    """The days to score, and a note on those that lie in the training period of the networks that forecast them.

    Walk-forward validation begins with the first refit: before it even the baselines would be in-sample.
    """
    days = np.concatenate([one.days for one in forecasts])
    early = ~seen.mask & (days < (refits[-1].known if latest else refits[0].since))
    unsure = latest and not seen.known and not seen.keep
    scored = seen.scored & ~early if unsure or not latest else seen.scored
    if not scored.any():
        since, way = (refits[-1].known, "--seen keep") if latest else (refits[0].since, "--data.split all")
        raise ValueError(f"no test day lies after {since}, the {'last' if latest else 'first'} refit; {way} scores all")
    note = ""
    if early.any() and unsure:
        note = (
            f"{early.sum()} days before {refits[-1].known} are left out: the networks were trained on prices of that "
            "period, perhaps these (--seen keep scores them)."
        )
    elif early.any() and latest:
        note = (
            f"{early.sum()} of the days are before {refits[-1].known}: the networks were trained on other prices of "
            "that period, the baselines only on earlier days."
        )
    elif early.any():
        note = f"{early.sum()} days before {refits[0].since}, the first refit, are left out."
    parts = np.split(scored, np.cumsum([len(one.days) for one in forecasts])[:-1])
    return [one.select(part) for one, part in zip(forecasts, parts) if part.any()], note


def prediction_rows(one: Forecasts, names: Sequence[str], task: str) -> list[dict[str, Any]]:
    """The rows of predictions.csv: the realised value and the forecast (interval: the 90 % interval) of every model,
    and the LSTM's quantiles of the return."""
    realised = {"price": one.closes, "volatility": one.variance, "interval": one.returns}[task]
    columns = {"realised": realised}
    for name in names:
        values = one.models[name]
        columns |= {f"{name}_low": values[:, 1], f"{name}_high": values[:, 4]} if task == "interval" else {name: values}
    if one.quantiles is not None:
        columns |= {f"return_q{100 * q:g}": one.quantiles[:, number] for number, q in enumerate(QUANTILES)}
    return [
        {
            "item": f"{one.series.name} {day}",
            "ticker": one.series.name,
            "day": str(day),
            **{column: float(f"{values[i]:.6g}") for column, values in columns.items()},
        }
        for i, day in enumerate(one.days)
    ]


def _trade(one: Forecasts, numbers: dict[str, Any], config: EvaluationConfig) -> Backtest:
    """Backtest the price forecasts; direction and Sharpe ratio go into the numbers."""
    changes = one.models["lstm"] - one.last_closes
    trading = backtest(one.series, one.origins, changes, config.trading_cost_bp)
    correct = int((np.sign(changes) == np.sign(one.returns)).sum())
    numbers["intervals"]["direction"] = list(proportion_interval(correct, len(one.origins)))
    numbers["metrics"]["sharpe"] = trading.sharpe
    numbers["intervals"]["sharpe"] = trading.sharpe_interval(config.bootstrap)
    return trading
