"""The LSTM of the popular tutorials, kept as an example: 60 scaled prices in, the next price out.

Its plot looks good for three wrong reasons: the scaler is fitted on the whole series (data leakage, look-ahead bias); a
price is close to the price of the day before, so any curve that lags by a day has a high R2 (persistence); and there is
no comparison with the naive forecast.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from projects.stockprice.model import PriceForecaster
from projects.stockprice.series import Series
from shared.data.loader import Item

WINDOW = 60


class Tutorial(nn.Module):
    """Network and min-max scaler."""

    low: Tensor
    high: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.network = PriceForecaster()
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.ones(()))

    def fit_scaler(self, series: Series) -> None:
        """Fit the scaler on all prices, test set included: the data leakage of the tutorials."""
        self.low, self.high = (torch.tensor(float(value)) for value in (series.close.min(), series.close.max()))

    def scaled(self, closes: np.ndarray) -> np.ndarray:
        """Closes (T,) scaled for the network, float32 (T,)."""
        return ((closes - self.low.item()) / (self.high - self.low).item()).astype(np.float32)

    def forecast(self, series: Series) -> np.ndarray:
        """Forecasts of the next close from every day, (T,); NaN for the first 59."""
        prices = torch.from_numpy(self.scaled(series.close))
        windows = prices.unfold(0, WINDOW, 1)  # (T - 59, 60)
        with torch.inference_mode():
            scaled = torch.cat([self.network(part)[:, 0] for part in windows.split(512)]).double().numpy()
        closes = scaled * (self.high - self.low).item() + self.low.item()
        return np.concatenate([np.full(WINDOW - 1, np.nan), closes])


@dataclass(frozen=True)
class PriceWindows:
    """A dataset of scaled prices. A batch: prices (B, 60), targets (B,)."""

    prices: np.ndarray
    origins: np.ndarray

    def __len__(self) -> int:
        return len(self.origins)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        origins = self.origins[[item.index for item in items]]
        windows = np.lib.stride_tricks.sliding_window_view(self.prices, WINDOW)[origins - WINDOW + 1]
        return torch.from_numpy(windows.copy()), torch.from_numpy(self.prices[origins + 1])
