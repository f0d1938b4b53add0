"""An LSTM (Hochreiter & Schmidhuber 1997) plus a linear model.

The linear part is a heterogeneous autoregression (HAR, Corsi 2009) on the means of all features over a day, a week and
a month; the LSTM learns its residual.
"""

import torch
from torch import Tensor, nn

from projects.stockprice.config import ModelConfig
from projects.stockprice.features import names


class Ensemble(nn.Module):
    """E forecasters that differ only in their initial weights, computed at once as batched matrix products.

    windows (B, D, F) -> forecasts (B, E, K) for K horizons, relative to the level of volatility.
    """

    def __init__(self, config: ModelConfig, inputs: int = 0, recurrent: bool = True) -> None:
        """inputs: number of features from `data.inputs`. recurrent: False leaves the linear part alone."""
        super().__init__()
        features, outputs = len(names(config.features)) + inputs, len(config.horizons)
        self.window, self.spans, self.size = config.window, config.spans, config.ensemble_size if recurrent else 1
        means = len(config.spans) * features
        layers, mixers, heads, linears = [], [], [], []
        for _ in range(self.size):  # PyTorch's own initialisation, member by member
            if recurrent:
                layers.append(nn.LSTM(features, config.hidden_size, config.num_layers))
                if config.head_size:
                    mixers.append(nn.Linear(config.hidden_size + means, config.head_size))
                heads.append(nn.Linear(config.head_size or config.hidden_size, outputs))
            linears.append(nn.Linear(means, outputs))
        self.layers = nn.ModuleList(
            BatchedLSTM(layers, depth) for depth in range(config.num_layers if recurrent else 0)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.mixer = BatchedLinear(mixers) if mixers else None
        self.head = BatchedLinear(heads) if heads else None
        self.linear = BatchedLinear(linears)
        for layer in (self.head, self.linear) if config.head_init == "zero" else ():
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, windows: Tensor) -> Tensor:
        means = torch.cat([windows[:, -span:].mean(dim=1) for span in self.spans], dim=1)  # (B, S * F)
        outputs = self.linear(means.unsqueeze(0))  # (E, B, K)
        if self.head is not None:
            states = windows[:, -self.window :].transpose(0, 1).unsqueeze(0)  # (1, W, B, F)
            for layer in self.layers:
                states = layer(states)  # (E, W, B, H)
            state = self.dropout(states[:, -1])  # (E, B, H)
            if self.mixer is not None:
                state = self.mixer(torch.cat([state, means.expand(self.size, -1, -1)], dim=2)).relu()
            outputs = outputs + self.head(state)
        return outputs.transpose(0, 1)


class BatchedLinear(nn.Module):
    """E linear layers: inputs (E or 1, B, I) -> (E, B, O)."""

    def __init__(self, layers: list[nn.Linear]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.stack([layer.weight.detach().T for layer in layers]))  # (E, I, O)
        self.bias = nn.Parameter(torch.stack([layer.bias.detach()[None] for layer in layers]))  # (E, 1, O)

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.matmul(inputs, self.weight) + self.bias


class BatchedLSTM(nn.Module):
    """One layer of E LSTMs: inputs (E or 1, W, B, I) -> hidden states (E, W, B, H)."""

    def __init__(self, lstms: list[nn.LSTM], depth: int) -> None:
        super().__init__()

        def stacked(name: str) -> Tensor:
            return torch.stack([getattr(lstm, f"{name}_l{depth}").detach() for lstm in lstms])

        self.weight_ih = nn.Parameter(stacked("weight_ih").transpose(1, 2).contiguous())  # (E, I, 4 * H)
        self.weight_hh = nn.Parameter(stacked("weight_hh").transpose(1, 2).contiguous())  # (E, H, 4 * H)
        self.bias = nn.Parameter((stacked("bias_ih") + stacked("bias_hh"))[:, None, None])  # (E, 1, 1, 4 * H)

    def forward(self, inputs: Tensor) -> Tensor:
        members, size = self.weight_hh.shape[:2]
        from_inputs = torch.matmul(inputs, self.weight_ih.unsqueeze(1)) + self.bias  # (E, W, B, 4 * H)
        hidden = cell = inputs.new_zeros(members, inputs.shape[2], size)
        states = []
        for gates in from_inputs.unbind(1):
            gates = torch.baddbmm(gates, hidden, self.weight_hh)
            admit, forget, candidate, output = gates.split(size, dim=2)  # PyTorch's order of the gates
            cell = forget.sigmoid() * cell + admit.sigmoid() * candidate.tanh()
            hidden = output.sigmoid() * cell.tanh()
            states.append(hidden)
        return torch.stack(states, dim=1)


class PriceForecaster(nn.Module):
    """The network of the tutorials: two LSTM layers. Scaled prices (B, W) -> the next scaled price (B, 1)."""

    def __init__(self, hidden_size: int = 50) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, 2, batch_first=True)
        self.head = nn.Linear(hidden_size, 1)

    def forward(self, prices: Tensor) -> Tensor:
        return self.head(self.lstm(prices.unsqueeze(2))[0][:, -1])
