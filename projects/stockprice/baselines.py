"""The baselines, refitted on the same dates and the same days as the networks.

GARCH: Bollerslev 1986. GJR: Glosten, Jagannathan & Runkle 1993. HAR: Corsi 2009. EWMA: RiskMetrics 1996.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from projects.stockprice.calibration import recalibrated, return_quantiles
from projects.stockprice.data import MIN_FIT_DAYS, Refit, Series

Baseline = Callable[[Series, int], np.ndarray]
"""Series and number of training days -> forecasts from every day (T,); only those after the training days are used."""


def walk_forward(series: Series, origins: np.ndarray, refits: Sequence[Refit], baseline: Baseline) -> np.ndarray:
    """Forecasts from the origins, (N,), each by the last refit; NaN where it had too few training days."""
    return _from_every_day(series, refits, baseline)[origins]


def walk_forward_variance(
    series: Series, origins: np.ndarray, refits: Sequence[Refit], baseline: Baseline
) -> np.ndarray:
    """Forecasts of the variance, (N,), recalibrated like those of the networks."""
    return recalibrated(_from_every_day(series, refits, baseline), series.next_variance)[origins]


def walk_forward_quantiles(
    series: Series, origins: np.ndarray, refits: Sequence[Refit], baseline: Baseline
) -> np.ndarray:
    """Quantiles of the return, (N, 6) in the order of QUANTILES, from a baseline for the variance."""
    variance = recalibrated(_from_every_day(series, refits, baseline), series.next_variance)
    return return_quantiles(variance, series.next_return)[origins]


def _from_every_day(series: Series, refits: Sequence[Refit], baseline: Baseline) -> np.ndarray:
    """Forecasts from every day, (T,). Days before the first refit use the first fit (only for calibration)."""
    forecasts = np.full(len(series.days), np.nan)
    for end, rows in by_refit(series, np.arange(len(series.days)), refits):
        forecasts[rows] = baseline(series, end)[rows]
    return forecasts


def by_refit(series: Series, origins: np.ndarray, refits: Sequence[Refit]) -> list[tuple[int, np.ndarray]]:
    """For each refit with enough days: their number, and the rows of the origins that are forecast with it."""
    since = np.array([refit.since for refit in refits])
    days = series.days[np.minimum(origins + 1, len(series.days) - 1)]
    which = np.maximum(np.searchsorted(since, days, side="right") - 1, 0)
    ends = [int(np.searchsorted(series.days, refit.known)) for refit in refits]
    return [
        (end, np.flatnonzero(which == n)) for n, end in enumerate(ends) if end >= MIN_FIT_DAYS and (which == n).any()
    ]


# --- task price: the next day's return


def naive(series: Series, _: int) -> np.ndarray:
    """The price does not change (random walk)."""
    return np.zeros(len(series.days))


def drift(series: Series, end: int) -> np.ndarray:
    """Mean return of the training days."""
    return np.full(len(series.days), series.returns[1:end].mean())


def autoregression(series: Series, end: int, order: int = 5) -> np.ndarray:
    """AR(5) on returns, by least squares."""
    lags = np.stack([_shift(series.returns, lag) for lag in range(order)], axis=1)  # (T, 5), known after day t
    return _least_squares(lags, _shift(series.returns, -1), order, end)


def arima(series: Series, end: int) -> np.ndarray:
    """ARMA(1, 1) with a mean on returns, which is ARIMA(1, 1, 1) on log prices, by maximum likelihood."""
    from statsmodels.tsa.arima.model import ARIMA

    scaled = 100 * series.returns[1:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ARIMA(scaled[: end - 1], order=(1, 0, 1)).fit()
        one_ahead = fitted.apply(scaled).get_prediction().predicted_mean  # for day t, from the days before
    return np.append(one_ahead, scaled[: end - 1].mean()) / 100  # scaled[t] is the return of day t + 1


PRICE: dict[str, Baseline] = {
    "naive": naive,
    "drift": drift,
    "ar5": autoregression,
    "arima": arima,
}


# --- tasks volatility and interval: the next day's range variance


def naive_variance(series: Series, _: int) -> np.ndarray:
    """The variance does not change (random walk)."""
    return series.variance


def rolling(series: Series, _: int) -> np.ndarray:
    """Mean variance of the last 22 days."""
    return series.month_variance


def ewma(series: Series, _: int, decay: float = 0.94) -> np.ndarray:
    """Exponentially weighted moving average of the variance."""
    return pd.Series(series.variance).ewm(alpha=1 - decay).mean().to_numpy()


def garch(series: Series, end: int, asymmetric: int = 0) -> np.ndarray:
    """GARCH(1, 1) with Student's t on returns, scaled to the range variance by the ratio of their means."""
    from arch import arch_model

    scaled = 100 * series.returns[1:]
    model = arch_model(scaled, mean="Constant", vol="GARCH", p=1, o=asymmetric, q=1, dist="t")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(last_obs=end - 1, disp="off")
        ahead = model.fix(fitted.params).forecast(horizon=1, start=0, reindex=True).variance.to_numpy()[:, 0]
    forecast = np.concatenate([[np.nan], ahead])
    known = np.arange(MIN_FIT_DAYS // 2, end - 1)
    return forecast * series.variance[known + 1].mean() / np.nanmean(forecast[known])


def gjr(series: Series, end: int) -> np.ndarray:
    """GJR-GARCH: negative returns raise the variance more (leverage effect)."""
    return garch(series, end, asymmetric=1)


def har(series: Series, end: int) -> np.ndarray:
    """Heterogeneous autoregression: linear in the mean variance of a day, a week and a month."""
    features = _means(series.variance)
    forecast = _least_squares(features, _shift(series.variance, -1), 22, end)
    return np.maximum(forecast, series.variance[22:end].min())


def log_har(series: Series, end: int) -> np.ndarray:
    """HAR on log variance with leverage: mean negative returns of a day, a week and a month, relative to volatility."""
    log_variance = np.log(series.variance)
    negative = np.minimum(series.returns, 0) / np.sqrt(rolling(series, end))
    features = np.concatenate([_means(log_variance), _means(np.nan_to_num(negative))], axis=1)
    target = _shift(log_variance, -1)
    forecast = _least_squares(features, target, 44, end)
    errors = (target - forecast)[44 : end - 1]
    return np.exp(forecast) * np.exp(errors).mean()  # retransformation bias: E[exp(x)] > exp(E[x]) (Duan 1983)


VOLATILITY: dict[str, Baseline] = {
    "naive": naive_variance,
    "rolling": rolling,
    "ewma": ewma,
    "garch": garch,
    "gjr": gjr,
    "har": har,
    "log_har": log_har,
}


def constant_variance(series: Series, end: int) -> np.ndarray:
    """Mean variance of the training days."""
    return np.full(len(series.days), series.variance[1:end].mean())


INTERVAL: dict[str, Baseline] = {
    "constant": constant_variance,
    "ewma": ewma,
    "garch": garch,
    "gjr": gjr,
    "har": har,
}


def _shift(values: np.ndarray, lag: int) -> np.ndarray:
    """The values `lag` days earlier (later if negative), NaN where there are none, (T,)."""
    return pd.Series(values).shift(lag).to_numpy()


def _means(values: np.ndarray) -> np.ndarray:
    """Means over a day, a week and a month, (T, 3)."""
    series = pd.Series(values)
    return np.stack([series.rolling(span).mean().to_numpy() for span in (1, 5, 22)], axis=1)


def _least_squares(features: np.ndarray, target: np.ndarray, first: int, end: int) -> np.ndarray:
    """Least squares on days first .. end - 2, whose targets are before `end`; forecasts from every day, (T,)."""
    design = np.column_stack([np.ones(len(features)), features])
    rows = slice(first, end - 1)
    weights, *_ = np.linalg.lstsq(design[rows], target[rows], rcond=None)
    return design @ weights
