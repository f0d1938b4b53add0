"""Is caption training limited by reading features? Tokens per second from the memory-mapped cache and from memory.

The files have just been written, so they are still in the page cache of the operating system, as in every epoch but the
first if there is enough memory.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.imagecaption.config import ModelConfig
from projects.imagecaption.data import CaptionedPhotos, PhotoFiles
from projects.imagecaption.model import Captioner, LstmDecoder
from projects.imagecaption.vocabulary import PAD
from shared.compute.device import autocast, seed_everything
from shared.data.cache import cached_array
from shared.data.loader import Batches, Item

PHOTOS, GRID_POINTS, CHANNELS, WORDS, BATCH, ROUNDS = 1280, 49, 1280, 3000, 64, 5


class FrozenEncoder(nn.Module):
    """A stub for an encoder whose features are cached."""

    channels, rows, columns, grid_points = CHANNELS, 7, 7, GRID_POINTS


class InMemory:
    """The same batches from tensors in memory."""

    def __init__(self, features: np.ndarray, captions: Tensor) -> None:
        self.features, self.captions = torch.from_numpy(np.array(features)), captions

    def __len__(self) -> int:
        return len(self.features)

    def __getitems__(self, items: list[Item]) -> tuple[Tensor, Tensor, Tensor]:
        rows = torch.tensor([item.index for item in items])
        return self.features[rows], self.captions[rows], rows


def tokens_per_second(model: Captioner, dataset: Any, epoch: int) -> float:
    """One pass over the data: forward, backward, step."""
    optimizer = torch.optim.AdamW(model.decoder.parameters(), 1e-4, fused=True)
    tokens, start = 0, time.perf_counter()
    for inputs, captions, _ in Batches(dataset, BATCH, seed=0).epoch(epoch):
        targets = captions[:, :, 1:]
        with autocast(torch.device("cpu")):
            logits, _ = model(inputs, captions)
            loss = F.cross_entropy(logits, targets[targets != PAD])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        tokens += int((targets != PAD).sum())
    return tokens / (time.perf_counter() - start)


def main() -> None:
    seed_everything(0)
    generator = np.random.default_rng(0)
    lengths = generator.integers(8, 16, (PHOTOS, 5))
    captions = generator.integers(4, WORDS, (PHOTOS, 5, 16))
    captions[np.arange(16) >= lengths[:, :, None]] = PAD
    tokens = [[row[row != PAD].tolist() for row in several] for several in captions]
    model = Captioner(FrozenEncoder(), LstmDecoder(FrozenEncoder(), WORDS, ModelConfig()), fine_tune=False)  # ty: ignore
    with tempfile.TemporaryDirectory() as folder:

        def fill(array: np.ndarray) -> None:
            for row in range(PHOTOS):
                array[row] = generator.random((GRID_POINTS, CHANNELS), np.float32) * 3

        features = cached_array(
            Path(folder), "features", "benchmark", (PHOTOS, GRID_POINTS, CHANNELS), np.float16, fill
        )
        mapped = CaptionedPhotos(PhotoFiles([], 224), tokens, [features])
        memory = InMemory(features, torch.from_numpy(captions))
        tokens_per_second(model, mapped, 0)
        pairs = [(tokens_per_second(model, memory, n), tokens_per_second(model, mapped, n)) for n in range(ROUNDS)]
    plain, ours = max(p for p, _ in pairs), max(o for _, o in pairs)
    print(f"LSTM with attention, batches of {BATCH} photos x 5, {torch.get_num_threads()} threads, best of {ROUNDS}")
    print(f"  tensors in memory      {plain:8.0f} tokens/s    1.00 x")
    print(f"  memory-mapped cache    {ours:8.0f} tokens/s   {ours / plain:5.2f} x")


if __name__ == "__main__":
    main()
