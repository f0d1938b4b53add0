"""Optimiser and learning-rate schedule from the training settings."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import get_ema_multi_avg_fn

from shared.training.config import TrainingConfig

Groups = Iterable[tuple[nn.Module, float]]


def build_optimizer(model: nn.Module, config: TrainingConfig, groups: Groups = ()) -> Optimizer:
    """An optimiser of all parameters that are not frozen.

    groups: (module, factor of the learning rate) pairs; the factor of all other parameters is 1. Vectors (biases,
    normalisation) get no weight decay. Raises ValueError if nothing is left to train.
    """
    parts = [(list(module.parameters()), factor) for module, factor in groups]
    grouped = {p for parameters, _ in parts for p in parameters}
    parts.append(([p for p in model.parameters() if p not in grouped], 1.0))
    options: list[dict[str, Any]] = []
    for parameters, factor in parts:
        trained = [p for p in parameters if p.requires_grad]
        for decay, members in (
            (config.weight_decay, [p for p in trained if p.ndim > 1]),
            (0.0, [p for p in trained if p.ndim <= 1]),
        ):
            if members:
                options.append({"params": members, "lr": config.learning_rate * factor, "weight_decay": decay})
    if not options:
        raise ValueError("all parameters are frozen: there is nothing to train")
    if config.optimizer == "sgd":
        return torch.optim.SGD(options, lr=config.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(options, lr=config.learning_rate, fused=True)


def build_schedule(optimizer: Optimizer, config: TrainingConfig, steps: int) -> LambdaLR:
    """The factor of the learning rate as a function of the step, for `steps` steps in all."""
    warmup = max(1, round(steps * (0.3 if config.schedule == "one-cycle" else config.warmup)))

    def factor(step: int) -> float:
        if config.schedule != "constant" and step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        if config.schedule in ("cosine", "one-cycle"):
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if config.schedule == "step":
            return 1.0 if step < 0.6 * steps else 0.1 if step < 0.85 * steps else 0.01
        return 1.0

    return LambdaLR(optimizer, factor)


def moving_average(decay: float) -> Callable[..., None]:
    """How `AveragedModel` updates: shorter memory at first, so that the initial weights are soon forgotten.

    Integer buffers, such as the positions of a transformer, are copied: their rounded average would drift.
    """

    def update(averages: list[Tensor], weights: list[Tensor], count: Tensor | int) -> None:
        if averages[0].is_floating_point():  # all of one type
            get_ema_multi_avg_fn(min(decay, (1 + float(count)) / (10 + float(count))))(averages, weights, count)
        else:
            torch._foreach_copy_(averages, weights)

    return update


def is_better(value: float, best: float | None, config: TrainingConfig) -> bool:
    """Whether a new value of the monitored number beats the best one so far."""
    return best is None or math.isnan(best) or (value > best if config.direction == "max" else value < best)


def monitored(metrics: Mapping[str, float], config: TrainingConfig) -> float:
    """The number that decides. Raises ValueError naming those there are."""
    if not isinstance(metrics, Mapping):
        raise ValueError(f"evaluate(model) must return a dict of numbers, not {metrics!r}")
    if config.monitor not in metrics:
        raise ValueError(f"monitor is {config.monitor}, but the validation gives {', '.join(metrics)}")
    return float(metrics[config.monitor])
