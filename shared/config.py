"""Settings: a YAML file, then the command line on top, into one frozen pydantic model.

Every mistake (misspelt key, wrong type, value out of range, missing file) becomes a ValueError of one sentence
that names the full key, in the YAML file and on the command line alike.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from tyro import conf


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused, the docstring under a field is its help."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())


class RunOptions(Section):
    """What every script asks that works on a finished run."""

    run: str = "latest"
    """A run's folder or name."""
    json_file: Annotated[Path | None, Field(alias="json"), conf.arg(name="json")] = None
    """Also write the answer to this JSON file."""


S = TypeVar("S", bound=Section)


def load(model: type[S], *layers: Mapping[str, Any]) -> S:
    """Validate nested mappings, later ones on top of earlier ones. Raises ValueError with one sentence."""
    try:
        return model.model_validate(merge(*layers))
    except ValidationError as error:
        raise ValueError(in_one_sentence(error.errors()[0], model)) from None


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings laid over each other: the last one that names a key decides."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            merged[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as nested dicts. Raises ValueError or FileNotFoundError with one sentence."""
    if not path.is_file():
        near = sorted(str(p) for p in path.parent.glob("*.yaml"))
        raise FileNotFoundError(f"there is no config file {path}" + (f"; there is {', '.join(near)}" if near else ""))
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values or {}, dict):
        raise ValueError(f"{path} must hold settings like `training: {{epochs: 3}}`")
    return values or {}


def parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """`--training.epochs 3 --data.root=DIR photo.jpg` as nested dicts; words without a key go under `input`.

    Values stay text: the model they are validated against knows their types. A key without a value means `true`.
    """
    nested: dict[str, Any] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            nested.setdefault("input", []).append(word)
            continue
        key, equals, text = word[2:].partition("=")
        if not equals:
            text = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        *parents, leaf = key.replace("-", "_").split(".")
        section = nested
        for parent in parents:
            section = section.setdefault(parent, {})
            if not isinstance(section, dict):
                raise ValueError(f"--{key} and --{parent} cannot both be given")
        section[leaf] = yaml.safe_load(text) if text.startswith(("[", "{")) or text in ("null", "none") else text
    return nested


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All settings of a model as full paths: `training.epochs`."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + (field.alias or name)


def in_one_sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    """A pydantic error for a person: the full key, what is wrong with it, the nearest key there is."""
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(path, list(keys(model)), n=1, cutoff=0.5)
        same_leaf = [key for key in keys(model) if key.split(".")[-1] == path.split(".")[-1]]
        guess = (near or same_leaf)[:1]
        return (
            f"unknown setting {path}"
            + (f"; did you mean {guess[0]}?" if guess else ";")
            + "  (--help lists all settings)"
        )
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "missing":
        return f"{path} must be given  (--help lists all settings)"
    if error["type"] == "value_error":
        return f"{path}: {message}" if path else message
    return f"{path} must be {message}, not {error['input']!r}"


def to_yaml(config: BaseModel) -> str:
    """The resolved settings as YAML that can be fed back with --config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def print_help(model: type[Section], program: str, description: str) -> None:
    """List every setting with its type, default and docstring."""
    import tyro

    tyro.cli(model, prog=program, description=description, args=["--help"], config=(tyro.conf.FlagConversionOff,))
