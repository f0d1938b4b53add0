"""Where to compute, in which precision, from which seed."""

import random
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def pick_device(name: str = "auto") -> torch.device:
    """`auto` takes CUDA, then Apple's MPS, then the CPU. Raises ValueError if the named device is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    there = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if int(number or 0) >= there.get(kind, 1):
        raise ValueError(f"{name.upper()} is not available here; use device auto")
    return torch.device("cuda", torch.cuda.current_device()) if name == "cuda" else torch.device(name)


def device_of(name: str) -> torch.device:
    """Where a predictor answers: the device it was trained on, or what this machine has instead."""
    try:
        return pick_device(name)
    except ValueError:
        return pick_device("auto")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 natively. Emulated, it is up to fifteen times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        can = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
        return bool(can.get("avx512_bf16") or can.get("amx_bf16") or can.get("bf16"))
    return False


def uses_bfloat16(device: torch.device, precision: str) -> bool:
    """What a precision means: `fp32`, `bf16`, or `auto` (bf16 where the hardware has it, else fp32)."""
    return precision == "bf16" or (precision == "auto" and has_bfloat16(device))


@contextmanager
def threads(number: int) -> Generator[None]:
    """Compute with this number of CPU threads. Small networks are fastest with one: several mostly wait for each other,
    many times longer where other programs run."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def autocast(device: torch.device, precision: str = "auto") -> AbstractContextManager:
    """The context of a forward pass in this precision."""
    return torch.autocast(device.type, torch.bfloat16) if uses_bfloat16(device, precision) else nullcontext()


def to_device(batch: Any, device: torch.device) -> Any:
    """Every tensor of a nested batch on the device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, (tuple, list)):
        return tuple(to_device(value, device) for value in batch)
    return batch


def seed_everything(seed: int) -> None:
    """The one place where seeds are set: Python, NumPy, PyTorch on every device."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries still read the global state
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)  # numbers below 1e-38 would make the CPU crawl


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Random generators of Python, NumPy and PyTorch (CPU) start from `seed` inside the block and go on as before after
    it."""
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])


def to_channels_last(model: nn.Module) -> nn.Module:
    """The model with the weights of its 2-d convolutions channels last in memory, which is faster; others stay."""
    for parameter in model.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
    return model


def random_state() -> dict[str, Any]:
    """All random states as plain data that `torch.load(weights_only=True)` accepts."""
    kind, key, *rest = np.random.get_state()  # noqa: NPY002
    version, internal, gauss = random.getstate()
    return {
        "python": [version, list(internal), gauss],
        "numpy": [kind, torch.from_numpy(np.asarray(key).astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "mps": [torch.mps.get_rng_state()] if torch.backends.mps.is_available() else [],
    }


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Undo `random_state`."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, key, *rest = state["numpy"]
    np.random.set_state((kind, key.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"].cpu())
    for number in range(min(len(state["cuda"]), torch.cuda.device_count())):
        torch.cuda.set_rng_state(state["cuda"][number].cpu(), number)
    if state.get("mps") and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"][0].cpu())
