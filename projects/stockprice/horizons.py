"""How good are forecasts of several days ahead?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from projects.stockprice.baselines import ewma, pooled_forecasts, pooled_log_har
from projects.stockprice.calibration import recalibrated
from projects.stockprice.data import Refit
from projects.stockprice.metrics import Forecasts, day_means, qlike, within
from projects.stockprice.predictor import Predictor
from projects.stockprice.series import Series
from projects.stockprice.significance import diebold_mariano, newey_west_lags


def score_horizons(
    predictor: Predictor, panel: Sequence[Series], forecasts: Sequence[Forecasts], refits: Sequence[Refit]
) -> dict[str, Any]:
    """Days ahead -> QLIKE of the mean variance until then for the LSTM, log-HAR of all tickers and EWMA, the p value
    of the LSTM against the better of them (Diebold & Mariano), and the coverage of its 90 % intervals of the return."""
    power = predictor.config.model.recalibration
    scores = {}
    for number, days in enumerate(predictor.config.model.horizons):
        if days == 1:
            continue
        direct = pooled_forecasts(panel, refits, pooled_log_har, days)
        losses: dict[str, list[np.ndarray]] = {"lstm": [], "pooled_log_har": [], "ewma": []}
        inside, origins = [], []
        for one in forecasts:
            series, realised = one.series, one.series.next_variance(days)
            raw = one.raw
            assert raw is not None  # the task is not price
            quantiles = predictor.quantiles_ahead(raw, series, number)
            models = {
                "lstm": predictor.calibrated(raw, series, number),
                "pooled_log_har": recalibrated(direct[series.name], realised, power, days),
                "ewma": recalibrated(ewma(series, 0), realised, power, days),
            }
            needed = np.stack([realised, *models.values(), *quantiles.T])
            known = np.isfinite(needed[:, one.origins]).all(axis=0)
            rows = one.origins[known]
            for name, values in models.items():
                losses[name].append(qlike(realised[rows], values[rows]))
            returns = series.next_return(days)[rows]
            inside.append(within(returns, quantiles[rows]))
            origins.append(series.days[rows])
        if not sum(map(len, inside)):
            continue
        by_day = {name: day_means(np.concatenate(origins), np.concatenate(parts)) for name, parts in losses.items()}
        means = {name: float(np.concatenate(parts).mean()) for name, parts in losses.items()}
        best = min(("pooled_log_har", "ewma"), key=lambda name: means[name])
        lags = newey_west_lags(len(by_day["lstm"]))
        scores[str(days)] = {
            "qlike": means,
            "p": diebold_mariano(by_day["lstm"], by_day[best], lags, days)[1],
            "coverage_90": float(np.concatenate(inside).mean()),
        }
    return scores
