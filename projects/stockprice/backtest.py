"""Backtest: the returns of trading on the forecasts, after costs.

The position is chosen after the close of day t, opened at the open of day t + 1 and held until the open of day t + 2.
"""

from dataclasses import dataclass

import numpy as np

from projects.stockprice.series import Series
from projects.stockprice.significance import block_interval

TRADING_DAYS = 252  # a year


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

    @property
    def sharpe(self) -> float:
        """Annual Sharpe ratio: mean over standard deviation of the returns (the risk-free rate is ignored)."""
        return _sharpe(self.returns)

    @property
    def holding_sharpe(self) -> float:
        """Annual Sharpe ratio of buy and hold."""
        return _sharpe(self.holding)

    def sharpe_interval(self, resamples: int) -> list[float]:
        """95 % confidence interval of the Sharpe ratio (block bootstrap)."""
        return block_interval(self.returns, _sharpe, resamples)


def backtest(series: Series, origins: np.ndarray, forecast: np.ndarray, cost: float) -> Backtest:
    """Long after a positive forecast (N,), else out of the market. cost: basis points of the traded amount.

    The last origins, whose position cannot be closed, are left out.
    """
    closable = origins + 2 < len(series.days)
    origins, positions = origins[closable], (forecast[closable] > 0).astype(float)
    held = np.log(series.open[origins + 2] / series.open[origins + 1])
    traded = np.abs(np.diff(positions, prepend=0.0))
    return Backtest(positions * held - traded * cost / 1e4, held, int(traded.sum()), cost)


def _sharpe(returns: np.ndarray) -> float:
    deviation = float(returns.std())
    return float(returns.mean()) / deviation * TRADING_DAYS**0.5 if deviation else 0.0
