"""Inference: the outputs of a network for a whole dataset."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from shared.compute import distributed
from shared.compute.device import autocast, to_device
from shared.data.loader import in_order


def predict(
    model: nn.Module,
    dataset: Any,
    inputs: Callable[[Any], Tensor] = itemgetter(0),
    batch_size: int = 128,
    precision: str = "auto",
    lengths: Sequence[int] | None = None,
) -> Tensor:
    """Outputs for every item of a dataset in its order, float32 (N, ...) on the CPU.

    inputs(batch) -> what the model is given; by default the first part of every item. With several processes each
    works on its share and all get the whole. With the `lengths` of the items given, those of about equal length are
    computed together, which saves padding.
    """
    order = np.arange(len(dataset)) if lengths is None else np.argsort(lengths, kind="stable")
    device = next(model.parameters()).device
    outputs = []
    batches, first = in_order(dataset, batch_size, order.tolist()), distributed.is_first()
    model.eval()
    with torch.inference_mode(), autocast(device, precision):
        for batch in tqdm(batches, "predicting", unit="batch", leave=False, delay=2, disable=not first):
            outputs.append(model(inputs(to_device(batch, device))).float().cpu())
    mine = torch.cat(outputs) if outputs else torch.empty(0)
    return distributed.interleave(distributed.collect(mine))[np.argsort(order)]
