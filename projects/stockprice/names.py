"""What models and metrics are called in a report."""

NAMES = {
    "lstm": "LSTM",
    "naive": "naive (random walk)", "drift": "mean return", "ar5": "AR(5)", "arima": "ARIMA(1, 1, 1)",
    "rolling": "22-day mean", "ewma": "EWMA", "garch": "GARCH(1, 1)", "gjr": "GJR-GARCH", "har": "HAR",
    "log_har": "log-HAR with leverage", "carr": "CARR (range GARCH)", "harq": "HARQ",
    "realised_garch": "realised GARCH", "pooled_log_har": "log-HAR with leverage, all tickers",
    "har_x": "HAR-X on all features (QLIKE)",
    "linear": "the network's linear part alone", "constant": "constant variance", "tutorial": "tutorial LSTM",
}  # fmt: skip
METRICS = {"qlike": "QLIKE", "rmse": "RMSE", "mae": "MAE", "mase": "MASE", "r2": "R2", "sharpe": "Sharpe ratio"}


def label(metric: str) -> str:
    """The display name of a metric: `coverage_90_low` -> `coverage 90 low`."""
    return METRICS.get(metric, metric.replace("_", " "))


def p_value(p: float) -> str:
    """`= 0.03`, `< 0.001`"""
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def number(value: float) -> str:
    """Three decimals, or four digits."""
    return f"{value:.3f}" if 0.01 < abs(value) < 1 or value == 0 else f"{value:#.4g}".rstrip(".")
