"""What trading on the forecasts would have earned, with costs: a check that by design has nothing to brag about.

A position is decided after the close of day t, taken at the open of day t + 1 and held to the open of day t + 2.
"""

from dataclasses import dataclass

import numpy as np

from projects.stockprice.data import Series
from projects.stockprice.metrics import block_interval

YEAR = 252  # trading days


@dataclass
class Backtest:
    """Daily log returns after costs, and what they come to."""

    returns: np.ndarray
    holding: np.ndarray
    """Daily log returns of buying on the first day and holding."""
    trades: int
    cost: float
    """Basis points of what is traded."""

    @property
    def sharpe(self) -> float:
        """Mean over deviation of daily returns, a year's worth (interest is left out)."""
        return _sharpe(self.returns)

    @property
    def holding_sharpe(self) -> float:
        """The same of buying and holding."""
        return _sharpe(self.holding)

    def sharpe_interval(self, resamples: int) -> list[float]:
        """95 % interval of the Sharpe ratio, by resampling blocks of days."""
        return block_interval(self.returns, _sharpe, resamples)


def backtest(series: Series, origins: np.ndarray, forecast: np.ndarray, cost: float) -> Backtest:
    """Long on days with a positive forecast return, out of the market on the others. cost: basis points of what is
    traded. The last origins, whose position could not be closed, are left out."""
    inside = origins + 2 < len(series.days)
    origins, positions = origins[inside], (forecast[inside] > 0).astype(float)
    held = np.log(series.open[origins + 2] / series.open[origins + 1])
    traded = np.abs(np.diff(positions, prepend=0.0))
    return Backtest(positions * held - traded * cost / 1e4, held, int(traded.sum()), cost)


def _sharpe(returns: np.ndarray) -> float:
    spread = float(returns.std())
    return float(returns.mean()) / spread * YEAR**0.5 if spread else 0.0
