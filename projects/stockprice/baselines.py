"""The baselines, refitted on the same dates and the same days as the networks.

GARCH: Bollerslev 1986. GJR: Glosten, Jagannathan & Runkle 1993. CARR: Chou 2005. Realised GARCH: Hansen, Huang & Shek
2012. HAR: Corsi 2009. HARQ: Bollerslev, Patton & Quaedvlieg 2016. EWMA: RiskMetrics 1996.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.signal import lfilter
from sklearn.linear_model import GammaRegressor

from projects.stockprice.data import MIN_FIT_DAYS, Refit, refit_numbers
from projects.stockprice.series import PRICE_FEATURES, Series

SPANS = (1, 5, 22)  # a day, a week, a month

Baseline = Callable[[Series, int], np.ndarray]
"""Series and number of training days -> forecasts from every day (T,); only those after the training days are used."""

Fitted = Callable[[np.ndarray], np.ndarray]
"""Means of the features of days (N, 3 F) -> log forecasts of their variance relative to the level, (N,)."""
Pooled = Callable[[np.ndarray, np.ndarray], Fitted]
"""Fitted on the training days of all tickers together: means of the features (M, 3 F) and log variances (M,)."""


def from_every_day(series: Series, refits: Sequence[Refit], baseline: Baseline) -> np.ndarray:
    """Forecasts from every day, (T,), each by the last refit; NaN where it had too few training days.

    Days before the first refit use the first fit (only for calibration).
    """
    forecasts = np.full(len(series.days), np.nan)
    which = _refit_of_days(series, refits)
    for number, refit in enumerate(refits):
        end, rows = int(np.searchsorted(series.days, refit.known)), which == number
        if end >= MIN_FIT_DAYS and rows.any():
            forecasts[rows] = baseline(series, end)[rows]
    return forecasts


def _refit_of_days(series: Series, refits: Sequence[Refit]) -> np.ndarray:
    """Number of the refit that forecasts from every day, (T,)."""
    return refit_numbers(series, np.arange(len(series.days)), [refit.since for refit in refits])


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
    forecast = _one_day_ahead(model, end)
    known = np.arange(MIN_FIT_DAYS // 2, end - 1)
    return forecast * series.variance[known + 1].mean() / np.nanmean(forecast[known])


def carr(series: Series, end: int) -> np.ndarray:
    """Conditional autoregressive range with leverage: a GJR-GARCH of the range variance itself, with the sign of the
    return."""
    from arch import arch_model

    signed = 100 * np.where(series.returns < 0, -1, 1) * np.sqrt(series.variance)
    model = arch_model(signed[1:], mean="Zero", vol="GARCH", p=1, o=1, q=1)
    return _one_day_ahead(model, end) / 100**2


def realised_garch(series: Series, end: int) -> np.ndarray:
    """Realised GARCH in logs, with the range variance as the realised measure: h, the variance of returns, follows
    log h' = omega + beta log h + gamma log v, and log v = xi + phi log h + tau_1 z + tau_2 (z^2 - 1) + u."""
    centre = np.log(series.variance[1:end]).mean()
    log_range = np.log(series.variance[1:]) - centre
    returns = (series.returns[1:] - series.returns[1:end].mean()) / np.exp(centre / 2)
    known = slice(0, end - 1)
    start = np.log(returns[known].var())

    def next_log_variance(parameters: np.ndarray) -> np.ndarray:
        omega, beta, gamma = parameters
        return lfilter([1], [1, -beta], omega + gamma * log_range, zi=[beta * start])[0]

    def residuals(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        log_h = np.append(start, next_log_variance(parameters))[known]
        z = returns[known] * np.exp(-log_h / 2)
        design = np.column_stack([np.ones(end - 1), log_h, z, z**2 - 1])
        weights, *_ = np.linalg.lstsq(design, log_range[known], rcond=None)  # the best for these parameters
        return log_h, z, log_range[known] - design @ weights, weights

    def loss(parameters: np.ndarray) -> float:
        if not 0 <= parameters[1] < 1:
            return np.inf
        log_h, z, errors, _ = residuals(parameters)
        return log_h.mean() + (z**2).mean() + np.log((errors**2).mean())

    parameters = minimize(loss, [0.0, 0.6, 0.35], method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5}).x
    log_h, *_, (xi, phi, _, _) = residuals(parameters)
    bias = np.exp(log_range[known] - xi - phi * log_h).mean()  # Duan 1983
    return np.append(np.nan, bias * np.exp(centre + xi + phi * next_log_variance(parameters)))


def _one_day_ahead(model: Any, end: int) -> np.ndarray:
    """Variances that a model of `arch` of days 1 .. T - 1 forecasts from every day, (T,), fitted before `end`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model.fit(last_obs=end - 1, disp="off")
        ahead = model.fix(fitted.params).forecast(horizon=1, start=0, reindex=True).variance.to_numpy()[:, 0]
    return np.concatenate([[np.nan], ahead])


def gjr(series: Series, end: int) -> np.ndarray:
    """GJR-GARCH: negative returns raise the variance more (leverage effect)."""
    return garch(series, end, asymmetric=1)


def har(series: Series, end: int) -> np.ndarray:
    """Heterogeneous autoregression: linear in the mean variance of a day, a week and a month."""
    features = _means(series.variance)
    forecast = _least_squares(features, _shift(series.variance, -1), 22, end)
    return np.maximum(forecast, series.variance[22:end].min())


def harq(series: Series, end: int) -> np.ndarray:
    """HAR that trusts the last day less where it was measured with more noise, after a day of high variance."""
    features = np.column_stack([_means(series.variance), series.variance**1.5])
    forecast = _least_squares(features, _shift(series.variance, -1), 22, end)
    known = series.variance[22:end]
    return np.clip(forecast, known.min(), known.max())


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
    "carr": carr,
    "realised_garch": realised_garch,
    "har": har,
    "harq": harq,
    "log_har": log_har,
}


def pooled_log_har(means: np.ndarray, target: np.ndarray) -> Fitted:
    """Log-HAR with leverage, relative to the level of each ticker, by least squares on all tickers together."""

    def design(means: np.ndarray) -> np.ndarray:
        width = means.shape[1] // len(SPANS)
        columns = [width * span + place for span in range(len(SPANS)) for place in LEVERAGE]
        return np.column_stack([np.ones(len(means)), means[:, columns]])

    weights, *_ = np.linalg.lstsq(design(means), target, rcond=None)
    bias = np.log(np.exp(target - design(means) @ weights).mean())  # Duan 1983
    return lambda means: design(means) @ weights + bias


def har_x(means: np.ndarray, target: np.ndarray) -> Fitted:
    """Log-HAR with all features of the network over a day, a week and a month, trained on QLIKE (the loss of a gamma
    regression)."""
    model = GammaRegressor(alpha=1e-4, solver="newton-cholesky").fit(means, np.exp(target.clip(-8, 8)))
    return lambda means: np.log(model.predict(means))


MIN_POOLED_DAYS = 120  # with all features, over all tickers
LEVERAGE = [PRICE_FEATURES.index(name) for name in ("log range variance", "negative return")]
POOLED: dict[str, Pooled] = {"pooled_log_har": pooled_log_har, "har_x": har_x}


def pooled_forecasts(
    panel: Sequence[Series], refits: Sequence[Refit], fit: Pooled, ahead: int = 1
) -> dict[str, np.ndarray]:
    """Forecasts of the mean variance of the next days for every ticker from every day, (T,), each by the last refit;
    NaN where it had too few days."""
    forecasts = {one.name: np.full(len(one.days), np.nan) for one in panel}
    means = [_means(one.features.astype(float)) for one in panel]
    complete = [np.flatnonzero(~np.isnan(values).any(axis=1)) for values in means]
    targets = [np.log(one.next_variance(ahead)) - one.level for one in panel]
    which = [_refit_of_days(one, refits) for one in panel]
    for number, refit in enumerate(refits):
        ends = [int(np.searchsorted(one.days, refit.known)) for one in panel]
        if sum(np.count_nonzero(days < end - 1) for days, end in zip(complete, ends)) < MIN_POOLED_DAYS:
            continue
        known = [
            days[(days < end - ahead) & ~np.isnan(target[days])] for days, target, end in zip(complete, targets, ends)
        ]
        fitted = fit(*(np.concatenate([part[rows] for part, rows in zip(parts, known)]) for parts in (means, targets)))
        for one, values, days, numbers in zip(panel, means, complete, which):
            rows = days[numbers[days] == number]
            if len(rows):
                forecasts[one.name][rows] = np.exp(fitted(values[rows]) + one.level[rows])
    return forecasts


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
    """Means over a day, a week and a month: (T,) -> (T, 3), or (T, F) -> (T, 3 F)."""
    table = pd.DataFrame(values)
    return np.concatenate([table.rolling(span).mean().to_numpy() for span in SPANS], axis=1)


def _least_squares(features: np.ndarray, target: np.ndarray, first: int, end: int) -> np.ndarray:
    """Least squares on days first .. end - 2, whose targets are before `end`; forecasts from every day, (T,)."""
    design = np.column_stack([np.ones(len(features)), features])
    rows = slice(first, end - 1)
    weights, *_ = np.linalg.lstsq(design[rows], target[rows], rcond=None)
    return design @ weights
