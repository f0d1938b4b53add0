"""Overhead of `fit` over a bare PyTorch loop, on a network so small that the loop itself matters."""

import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from shared.compute.device import seed_everything
from shared.data.loader import Batches, Item
from shared.runs import Run
from shared.training.config import TrainingConfig
from shared.training.loop import fit

ITEMS, BATCH, EPOCHS = 16_000, 32, 3


class Sequences:
    """Random sequences (B, 20, 5) and targets (B,)."""

    def __init__(self) -> None:
        self.x, self.y = torch.randn(ITEMS, 20, 5), torch.randn(ITEMS)

    def __len__(self) -> int:
        return ITEMS

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor]:
        index = torch.tensor([item.index for item in items])
        return self.x[index], self.y[index]


class TinyLSTM(nn.Module):
    """A single-layer LSTM with 32 units: (B, 20, 5) -> (B,)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(5, 32, batch_first=True), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1]).squeeze(1)


def bare(data: Sequences) -> float:
    """Milliseconds per step of a minimal training loop."""
    model = TinyLSTM()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
    start = time.perf_counter()
    for _ in range(EPOCHS):
        order = torch.randperm(ITEMS)
        for first in range(0, ITEMS, BATCH):
            index = order[first : first + BATCH]
            loss = F.mse_loss(model(data.x[index]), data.y[index])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return 1000 * (time.perf_counter() - start) / (EPOCHS * ITEMS // BATCH)


def ours(data: Sequences) -> float:
    """Milliseconds per step of `fit` on the same network."""
    config = TrainingConfig(epochs=EPOCHS, batch_size=BATCH, device="cpu", precision="fp32")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        fit(
            TinyLSTM(),
            lambda model, batch: F.mse_loss(model(batch[0]), batch[1]),
            Batches(data, BATCH, seed=0),
            lambda model: {"loss": 0.0},
            config,
            Run(Path(folder)),
        )
        return 1000 * (time.perf_counter() - start) / (EPOCHS * ITEMS // BATCH)


def main() -> None:
    seed_everything(0)
    data = Sequences()
    bare(data)
    pairs = [(bare(data), ours(data)) for _ in range(3)]
    plain, full = min(p for p, _ in pairs), min(f for _, f in pairs)
    print(f"LSTM(5, 32), batches of {BATCH} x 20 steps, {torch.get_num_threads()} threads, best of 3")
    print(f"  bare loop   {plain:6.2f} ms/step    1.00 x")
    print(f"  fit         {full:6.2f} ms/step   {full / plain:5.2f} x")


if __name__ == "__main__":
    main()
