"""An LSTM (Hochreiter & Schmidhuber 1997) plus a linear model.

The linear part is a heterogeneous autoregression (HAR, Corsi 2009) on the means of all features over a day, a week and
a month; the LSTM learns its residual.
"""

import torch
from torch import Tensor, nn

from projects.stockprice.config import ModelConfig
from projects.stockprice.data import FEATURES

SPANS = (1, 5, 22)  # a day, a week, a month


class Forecaster(nn.Module):
    """windows (B, W, F) -> forecasts (B,), relative to the level of volatility."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.lstm = nn.LSTM(len(FEATURES), config.hidden_size, config.num_layers, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, 1)
        self.linear = nn.Linear(len(SPANS) * len(FEATURES), 1)
        for layer in (self.head, self.linear) if config.head_init == "zero" else ():
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, windows: Tensor) -> Tensor:
        states, _ = self.lstm(windows)  # (B, W, H)
        means = torch.cat([windows[:, -span:].mean(dim=1) for span in SPANS], dim=1)  # (B, 3 * F)
        return (self.head(self.dropout(states[:, -1])) + self.linear(means)).squeeze(1)


class Ensemble(nn.Module):
    """E forecasters that differ only in their initial weights. windows (B, W, F) -> (B, E)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.members = nn.ModuleList(Forecaster(config) for _ in range(config.ensemble_size))

    def forward(self, windows: Tensor) -> Tensor:
        return torch.stack([member(windows) for member in self.members], dim=1)


class PriceForecaster(nn.Module):
    """The network of the tutorials: two LSTM layers. Scaled prices (B, W) -> the next scaled price (B, 1)."""

    def __init__(self, hidden_size: int = 50) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, 2, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, prices: Tensor) -> Tensor:
        return self.head(self.lstm(prices.unsqueeze(2))[0][:, -1])
