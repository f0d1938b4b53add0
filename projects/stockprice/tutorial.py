"""The popular settings, kept as an exhibit: 60 days of prices, a scaler fitted on the whole series, the next level.

It is wrong in three ways that make its plot look good. The scaler has seen the future. The level of a price is nearly
that of the day before, so any curve that follows a day late lies on top of the truth and has a fine R2. And nobody
prints what 'tomorrow is naive (random walk)' would have got.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from projects.stockprice.data import Series
from projects.stockprice.model import LevelForecaster
from shared.data.loader import Item

WINDOW = 60


class Tutorial(nn.Module):
    """Network and scaler. closes (T,) -> forecast closes from every day (T,), NaN for the first 59."""

    low: Tensor
    high: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.network = LevelForecaster()
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.ones(()))

    def fit_scaler(self, series: Series) -> None:
        """Fit the scaler, as the tutorials do, on all prices, those to be forecast among them."""
        self.low, self.high = (torch.tensor(float(value)) for value in (series.close.min(), series.close.max()))

    def scaled(self, closes: np.ndarray) -> np.ndarray:
        """Prices as the network sees them, float32 (T,)."""
        return ((closes - self.low.item()) / (self.high - self.low).item()).astype(np.float32)

    def forecast(self, series: Series) -> np.ndarray:
        """The next close from every day (T,)."""
        prices = torch.from_numpy(self.scaled(series.close))
        windows = prices.unfold(0, WINDOW, 1)  # (T - 59, 60)
        with torch.inference_mode():
            levels = torch.cat([self.network(part)[:, 0] for part in windows.split(512)]).double().numpy()
        closes = levels * (self.high - self.low).item() + self.low.item()
        return np.concatenate([np.full(WINDOW - 1, np.nan), closes])


@dataclass(frozen=True)
class Levels:
    """A dataset of scaled prices. A batch: prices (B, 60), targets (B,)."""

    prices: np.ndarray
    origins: np.ndarray

    def __len__(self) -> int:
        return len(self.origins)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        origins = self.origins[[item.index for item in items]]
        windows = np.lib.stride_tricks.sliding_window_view(self.prices, WINDOW)[origins - WINDOW + 1]
        return torch.from_numpy(windows.copy()), torch.from_numpy(self.prices[origins + 1])
