"""An LSTM (Hochreiter & Schmidhuber 1997) plus a linear model.

The linear part is a heterogeneous autoregression (HAR, Corsi 2009) on the means of all features over a day, a week and
a month; the LSTM learns its residual.
"""

import torch
from torch import Tensor, nn

from projects.stockprice.config import ModelConfig
from projects.stockprice.features import names


class Forecaster(nn.Module):
    """windows (B, D, F) -> forecasts (B, K) for K horizons, relative to the level of volatility."""

    def __init__(self, config: ModelConfig, inputs: int = 0, recurrent: bool = True) -> None:
        """inputs: number of features from `data.inputs`. recurrent: False leaves the linear part alone."""
        super().__init__()
        features, outputs = len(names(config.features)) + inputs, len(config.horizons)
        means = len(config.spans) * features
        self.window, self.spans, self.recurrent = config.window, config.spans, recurrent
        if recurrent:
            self.lstm = nn.LSTM(features, config.hidden_size, config.num_layers, batch_first=True)
            self.dropout = nn.Dropout(config.dropout)
            self.hidden = nn.Linear(config.hidden_size + means, config.head_size) if config.head_size else None
            self.head = nn.Linear(config.head_size or config.hidden_size, outputs)
        self.linear = nn.Linear(means, outputs)
        for layer in (self.linear, *([self.head] if recurrent else [])) if config.head_init != "random" else ():
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def means(self, windows: Tensor) -> Tensor:
        """Means of the features over each span, (B, S * F)."""
        return torch.cat([windows[:, -span:].mean(dim=1) for span in self.spans], dim=1)

    def forward(self, windows: Tensor) -> Tensor:
        means = self.means(windows)
        if not self.recurrent:
            return self.linear(means)
        states, _ = self.lstm(windows[:, -self.window :])  # (B, W, H)
        state = self.dropout(states[:, -1])
        if self.hidden is not None:
            state = self.hidden(torch.cat([state, means], dim=1)).relu()
        return self.head(state) + self.linear(means)

    def least_squares(self, windows: Tensor, targets: Tensor) -> dict[str, Tensor]:
        """Weights of the linear part by regression. targets (B, K), relative to the level; NaN where not known."""
        known = ~targets.isnan().any(dim=1)
        design = torch.cat([self.means(windows[known]), torch.ones(int(known.sum()), 1)], dim=1).double()
        ridge = 1e-3 * len(design) * torch.eye(design.shape[1], dtype=torch.double)  # flags add up to the constant
        weights = torch.linalg.solve(design.T @ design + ridge, design.T @ targets[known].double())
        return {"weight": weights[:-1].T.float(), "bias": weights[-1].float()}


class Ensemble(nn.Module):
    """E forecasters that differ only in their initial weights. windows (B, D, F) -> (B, E, K)."""

    def __init__(self, config: ModelConfig, inputs: int = 0, recurrent: bool = True) -> None:
        super().__init__()
        size = config.ensemble_size if recurrent else 1
        self.members = nn.ModuleList(Forecaster(config, inputs, recurrent) for _ in range(size))

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
