"""Weights and training state on disk: plain tensors and plain data, never code."""

import hashlib
import io
import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from shared.config import Section, load
from shared.files import DIGEST, atomic, is_sealed, seal, write_bytes
from shared.names import one_line

S = TypeVar("S", bound=Section)
T = TypeVar("T")


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Save training state with a checksum, atomically, beside the state before it. Tensors, numbers, text, lists and
    dicts only."""
    with atomic(path, previous=_previous(path)) as temporary, _writing(path):
        torch.save(state, temporary)
        seal(temporary)


def load_state(path: Path) -> dict[str, Any] | None:
    """Load what `save_state` saved, or, with a sentence, the state before it where the last one is damaged. None where
    there is no state. Nothing in the files is executed.

    Raises ValueError where no state is readable.
    """
    found = [one for one in (path, _previous(path)) if one.is_file()]
    for one in found:
        if is_sealed(one):
            if one is not path:
                print(f"{path} is damaged or missing: going on from the state before it", file=sys.stderr)
            content = io.BytesIO(one.read_bytes()[:-DIGEST])
            try:
                return torch.load(content, map_location="cpu", weights_only=True)
            except Exception as error:  # what other files raise in the library is of many kinds
                reason = " ".join(str(error).split())[:200]
                raise ValueError(f"{one} is not a training state of this project ({reason})") from None
    if found:
        raise ValueError(
            f"the training state {path} is damaged; start anew with the settings in config.yaml of its run"
        )
    return None


def _previous(path: Path) -> Path:
    return path.with_suffix(".previous.pt")


def save_model(path: Path, tensors: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Save a predictor as one safetensors file; `about` (settings, classes, ...) is JSON in its header."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # in ASCII, since a class may be named after a folder whose name is not UTF-8; one entry, since the library writes
    # several in an order that changes from process to process
    metadata = {"about": json.dumps({**about, "checksum": checksum(plain, json.dumps(about))})}
    write_bytes(path, save(plain, metadata))  # the library itself would write a file that only its owner may read


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """What the library raises when a disk is full, as an OSError with one sentence."""
    try:
        yield
    except RuntimeError as error:
        kept = f"{path} cannot be written, the file before it is kept"
        raise OSError(f"{kept}: is the disk full? ({one_line(error)})") from None


def checksum(tensors: Mapping[str, Tensor], about: str = "") -> str:
    """A hash of a text and of the names, types, shapes and values of tensors."""
    digest = hashlib.blake2b(about.encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b"")
    return digest.hexdigest()


def load_model(path: Path, project: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the description of a predictor of a project.

    Raises ValueError if it is not one, FileNotFoundError if there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            about = json.loads(metadata.get("about", "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a readable model file: {one_line(error)}") from None
    if not isinstance(about, dict) or not isinstance(about.get("project"), str):
        raise ValueError(f"{path} holds weights, but not those of a finished run")
    if about["project"] != project:
        raise ValueError(f"{path} is a model of {about['project']}, not of {project}")
    saved = about.pop("checksum", None)
    known = checksum(tensors, json.dumps(about)) if saved else checksum(tensors)  # earlier versions hashed no text
    if (saved or metadata.get("checksum", known)) != known:
        raise ValueError(f"{path} is damaged: its weights and settings are not those that were saved")
    if broken := [name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.isnan().any()]:
        raise ValueError(f"{path} has weights that are not numbers (NaN) in {broken[0]}")
    return tensors, about


def refuses_damage(load: Callable[[Any, Path], T]) -> Callable[[Any, Path], T]:
    """Decorate a predictor's `load`: what does not fit in a model file is a ValueError with one sentence."""

    @wraps(load)
    def loaded(cls: Any, path: Path) -> T:
        try:
            return load(cls, path)
        except (KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
            reason = one_line(f"{type(error).__name__}: {error}")
            raise ValueError(f"{path} does not fit this version of the project ({reason})") from None

    return loaded


def load_network(network: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> nn.Module:
    """The network with these weights, in evaluation mode. Raises ValueError with one sentence where they do not fit."""
    try:
        network.load_state_dict(tensors)
        return network.eval()
    except RuntimeError as error:
        reason = one_line(str(error).partition("\n")[2] or error)  # the first line says only that there are errors
        raise ValueError(
            f"the weights in {path} do not fit the network: build_model or its settings have changed since this run; "
            f"change them back, or train again ({reason})"
        ) from None


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
        raise ValueError(f"{path} is not readable as weights: {one_line(error)}") from None
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} does not hold a state dict of tensors")
    return state


def select(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
