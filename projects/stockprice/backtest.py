"""Backtest: the returns of trading on the forecasts, after costs.

The position is chosen after the close of day t, opened at the open of day t + 1 and held until the open of day t + 2.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from projects.stockprice.cleaning import after_gap
from projects.stockprice.series import Series
from projects.stockprice.significance import block_interval


@dataclass
class Backtest:
    """Daily log returns of a strategy, and of buy and hold."""

    returns: np.ndarray
    """After costs, (N,)."""
    holding: np.ndarray
    """Buy and hold, (N,)."""
    trades: int
    cost: float
    """Basis points of the traded amount."""
    days_per_year: int
    """Returns in a year, by which Sharpe ratios are annualised."""

    @property
    def sharpe(self) -> float:
        """Annual Sharpe ratio: mean over standard deviation of the returns (the risk-free rate is ignored)."""
        return _sharpe(self.returns, self.days_per_year)

    @property
    def holding_sharpe(self) -> float:
        """Annual Sharpe ratio of buy and hold."""
        return _sharpe(self.holding, self.days_per_year)

    def sharpe_interval(self, resamples: int) -> list[float]:
        """95 % confidence interval of the Sharpe ratio (block bootstrap)."""
        return block_interval(self.returns, partial(_sharpe, days_per_year=self.days_per_year), resamples)


def backtest(series: Series, origins: np.ndarray, forecast: np.ndarray, cost: float) -> Backtest:
    """Long after a positive forecast (N,), else out of the market. cost: basis points of the traded amount.

    The last origins, whose position cannot be closed, are left out. Returns over a gap count as 0, as in `Series`.
    """
    closable = origins + 2 < len(series.days)
    origins, positions = origins[closable], (forecast[closable] > 0).astype(float)
    held = np.log(series.open[origins + 2] / series.open[origins + 1])
    held[after_gap(series.days)[origins + 2]] = 0  # not the return of one day
    traded = np.abs(np.diff(positions, prepend=0.0))
    return Backtest(positions * held - traded * cost / 1e4, held, int(traded.sum()), cost, series.days_per_year)


def _sharpe(returns: np.ndarray, days_per_year: int) -> float:
    deviation = float(returns.std())
    return float(returns.mean()) / deviation * days_per_year**0.5 if deviation else 0.0
