"""What a frozen network makes of every image of a data set: computed once, memory-mapped ever after."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from shared.compute.device import autocast, uses_bfloat16
from shared.data.cache import cached_array, fingerprint, require_space

BATCH, BLOCK = 128, 4096  # images computed at once, and between two savings


def fingerprint_weights(network: nn.Module) -> str:
    """A short name for the weights of a network."""
    # + 0 turns the zeros that are negative, which an average of weights does not keep, into plain ones
    return fingerprint(*((tensor.cpu() + 0).numpy().tobytes() for tensor in network.state_dict().values()))


def frozen_features(
    network: nn.Module,
    inputs: Callable[[int, int], Tensor],
    count: int,
    cache: Path,
    key: str,
    device: torch.device,
    precision: str = "auto",
    title: str = "features",
) -> np.ndarray:
    """The read-only array float16 (count, ...) of `network(inputs(start, stop))`.

    inputs: a function of the two numbers alone. key: names inputs and weights (see `fingerprint_weights`).

    A large array is made in blocks that are saved one by one: after a kill the next call goes on with the block that
    was not finished. For the time being it takes its space twice. Raises ValueError if the disk is too small.
    """
    network.to(device).to(memory_format=torch.channels_last).eval()
    key = fingerprint(key, uses_bfloat16(device, precision))

    def forward(start: int, stop: int) -> np.ndarray:
        with torch.inference_mode(), autocast(device, precision):
            return network(inputs(start, stop).to(device)).half().cpu().numpy()

    shape = forward(0, 1).shape[1:]

    def compute(array: np.ndarray, first: int) -> None:
        with tqdm(total=len(array), desc=title, unit="image", leave=False) as bar:
            for start in range(0, len(array), BATCH):
                stop = min(start + BATCH, len(array))
                array[start:stop] = forward(first + start, first + stop)
                bar.update(stop - start)

    starts = range(0, count, BLOCK) if count > BLOCK else ()

    def name(first: int) -> str:
        return f"features-from-{first}"

    def fill(array: np.ndarray) -> None:
        if not starts:
            return compute(array, 0)
        missing = [first for first in starts if not (cache / f"{name(first)}-{key}.npy").exists()]
        require_space(
            cache, sum(array[first : first + BLOCK].nbytes for first in missing), cache / f"features-{key}.npy"
        )
        for first in starts:
            rows = array[first : first + BLOCK]
            rows[:] = cached_array(cache, name(first), key, rows.shape, np.float16, partial(compute, first=first))

    features = cached_array(cache, "features", key, (count, *shape), np.float16, fill)
    for first in starts:
        (cache / f"{name(first)}-{key}.npy").unlink(missing_ok=True)
    return features
