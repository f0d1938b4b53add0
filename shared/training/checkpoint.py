"""Weights and training state on disk: plain tensors and plain data, never code."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from shared.config import Section, load
from shared.files import atomic

S = TypeVar("S", bound=Section)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save training state, atomically. Tensors, numbers, text, lists and dicts only."""
    with atomic(path) as temporary:
        torch.save(state, temporary)


def load_state(path: Path) -> dict[str, Any]:
    """Load what `save_state` saved; nothing in the file is executed."""
    return torch.load(path, map_location="cpu", weights_only=True)


def save_model(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Save a predictor as one safetensors file; `about` (settings, classes, ...) is JSON in its header."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic(path) as temporary:
        save_file(plain, temporary, metadata={"about": json.dumps(about, ensure_ascii=False)})


def load_model(path: Path, project: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the description of a predictor of a project.

    Raises ValueError if it is not one, FileNotFoundError if there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "null"))
            if about is None:
                raise ValueError(f"{path} holds weights, but not those of a finished run")
            if about["project"] != project:
                raise ValueError(f"{path} is a model of {about['project']}, not of {project}")
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable model file: {error}") from None


def load_network(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> nn.Module:
    """The network with these weights, in evaluation mode. Raises ValueError with one sentence where they do not fit."""
    try:
        network.load_state_dict(tensors)
        return network.eval()
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"the weights in {path} do not fit the network that the settings describe: {reason}") from None


def saved_settings(section: type[S], values: Mapping[str, Any], path: Path) -> S:
    """The settings in a predictor's description. Raises ValueError with one sentence if they do not fit."""
    try:
        return load(section, values)
    except ValueError as error:
        raise ValueError(f"{path} was saved by another version of this project: {error}") from None


def load_weights(path: Path) -> dict[str, Tensor]:
    """A state dict from somebody's `.safetensors` or `.pt` file. Raises ValueError or FileNotFoundError."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no weights file {path}")
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is not readable as weights: {' '.join(str(error).split())[:200]}") from None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} does not hold a state dict of tensors")
    return state


def select(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
