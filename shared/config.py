"""Settings: a YAML file, then the command line on top, into one frozen pydantic model.

Every mistake (misspelt key, wrong type, value out of range, missing file) becomes a ValueError of one sentence
that names the full key, in the YAML file and on the command line alike.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from tyro import conf

from shared.names import cut, shown
from shared.plain_yaml import NESTING, fits, parse_yaml, shortened


def _is_name(name: str | None) -> str | None:
    if name and set(name) & set("/\\"):
        raise ValueError(f"must be a name, not the path {shortened(name)}")
    if name and not name.isprintable():
        raise ValueError(f"must be a name that can be printed, not {shortened(name)}")
    return name


class Section(BaseModel):
    """A group of settings: frozen, unknown keys refused, the docstring under a field is its help."""

    renamed: ClassVar[Mapping[str, str]] = {}
    """Names that settings had in earlier versions -> their names now, as full paths where the section changed too."""
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _yes_answers_questions_only(cls, value: Any, info: ValidationInfo) -> Any:
        """pydantic would take `true`, which a key without a value means, for the number 1."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if isinstance(value, bool) and bool not in (kind, *get_args(kind)):
            raise ValueError("needs a value")
        return value

    @field_validator("*")
    @classmethod
    def _numbers_fit_into_64_bits(cls, value: Any) -> Any:
        """No library counts further, and each says so in its own way, some after the training."""
        if isinstance(value, int) and not fits(value):
            raise ValueError(f"{shortened(value)} is too large a number")
        return value


class RunOptions(Section):
    """What every script asks that works on a finished run."""

    run: str = "latest"
    """A run's folder or name."""
    json_file: Annotated[Path | None, Field(alias="json"), conf.arg(name="json")] = None
    """Also write the answer to this JSON file."""


class EvaluateOptions(RunOptions):
    """Score a finished run on its own test set, or on any other data of the kind."""

    name: str | None = None
    """Other data: what the evaluation is called (default: its source and file or folder)."""
    seen: Literal["leave-out", "keep"] = "leave-out"
    """Items that the run was trained or validated on: leave-out counts them and scores the rest, keep scores all."""

    _no_path = field_validator("name")(_is_name)


class PredictOptions(RunOptions):
    """Answer for files."""

    input: list[Path] = Field(min_length=1)
    """Files."""


class AppOptions(RunOptions):
    """Show a finished run on a web page of this machine."""

    port: int = Field(7860, ge=1024, le=65535)
    """The page is http://127.0.0.1:<port>."""


class TrainOptions(Section):
    """What every training asks beside its settings."""

    config: Path | None = None
    """A YAML file of settings; those on the command line lie on top."""
    name: str | None = None
    """What the run is called, after its time; default: the name of the config file."""
    resume: str | None = None
    """The folder or name of a run to go on with; no settings beside it."""
    check: bool = False
    """Print what is understood of the data and stop: files, columns, classes, what is left out, the split."""
    print_config: bool = False
    """Print the resulting settings as YAML and stop."""

    _no_path = field_validator("name")(_is_name)


S = TypeVar("S", bound=Section)


def load(model: type[S], *layers: Mapping[str, Any], also: type[Section] | None = None) -> S:
    """Validate nested mappings, later ones on top of earlier ones. Raises ValueError with one sentence.

    also: what else the command line knows, for the nearest key.
    """
    try:
        return model.model_validate(merge(explicit_defaults(model), *layers))
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "extra_forbidden" and (now := renamed_setting(model, [str(part) for part in first["loc"]])):
            raise ValueError(f"{'.'.join(map(str, first['loc']))} is now called {now}") from None
        known = [*keys(model), *(keys(also) if also else ())]
        raise ValueError(in_one_sentence(first, known)) from None


def explicit_defaults(model: type[BaseModel]) -> dict[str, Any]:
    """What the defaults of a model's sections set themselves: `training: TrainingConfig = TrainingConfig(epochs=3)`
    keeps its 3 epochs when a YAML file sets another key of the section."""
    sections = {name: f.default for name, f in model.model_fields.items() if isinstance(f.default, BaseModel)}
    return {name: section.model_dump(exclude_unset=True) for name, section in sections.items()}


def renamed_setting(model: type[BaseModel], path: Sequence[str]) -> str | None:
    """The full path that a setting of an earlier version has now, or None."""
    *parents, leaf = path
    section: Any = model
    for parent in parents:
        field = section.model_fields.get(parent)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, Section):
            return None
        section = field.annotation
    now = getattr(section, "renamed", {}).get(leaf)
    return now if now is None or "." in now else ".".join([*parents, now])


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
    if not path.name.isprintable():  # libraries that write a run's files know only names in UTF-8
        raise ValueError(f"{shown(path)} needs another name: the run is called after it")
    if path.stat().st_size > 10**6:
        raise ValueError(f"{path} has more than 1 MB; that is no file of settings")
    values = parse_yaml(path.read_bytes(), str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold settings like `training: {{epochs: 3}}`")
    return values


def parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """`--training.epochs 3 --data.root=DIR photo.jpg` as nested dicts; words without a key go under `input`.

    Values stay text: the model they are validated against knows their types. A key without a value means `true`.
    Of a key given twice the last value counts, as everywhere on command lines: `make train-... ARGS=...` and aliases
    put words behind others. Groups are laid over each other key by key, so that none of their other keys is lost.
    """
    nested: dict[str, Any] = {}
    inputs: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            inputs.append(word)
            continue
        key, equals, value = word[2:].partition("=")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else True
        path = key.replace("-", "_").split(".")
        if not all(path) or len(path) > NESTING or not key.isprintable():
            raise ValueError(f"unexpected argument: {shortened(word)}; settings look like --section.key value")
        if path == ["input"] and isinstance(value, str):
            inputs.append(value)
            continue
        if value == "null" or str(value)[:1] in ("[", "{"):
            value = parse_yaml(str(value), key)
        layer = {path[-1]: value}
        for part in reversed(path[:-1]):
            layer = {part: layer}
        _refuse_conflict(nested, layer, key)
        nested = merge(nested, layer)
    if inputs:
        _refuse_conflict(nested, {"input": inputs}, "input")
        nested["input"] = inputs
    return nested


def _refuse_conflict(given: Mapping[str, Any], more: Mapping[str, Any], key: str) -> None:
    """A group of settings and a plain value under the same name: one of them would be lost."""
    for name in given.keys() & more.keys():
        below, above = given[name], more[name]
        if isinstance(below, dict) != isinstance(above, dict):
            raise ValueError(f"--{key} and another value of {name} cannot both be given")
        if isinstance(below, dict):
            _refuse_conflict(below, above, key)


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """All settings of a model as full paths: `training.epochs`."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + (field.alias or name)


def in_one_sentence(error: ErrorDetails, known: Sequence[str]) -> str:
    """A pydantic error for a person: the full key, what is wrong with it, the nearest of the keys there are."""
    path = cut(shown(".".join(str(part) for part in error["loc"])))
    if error["type"] == "extra_forbidden":
        sections = dict.fromkeys(key.split(".")[0] for key in known if "." in key)
        near = difflib.get_close_matches(path, [*known, *sections], n=1, cutoff=0.5)
        same_leaf = [key for key in known if key.split(".")[-1] == path.split(".")[-1]]
        guess = (near or same_leaf)[:1]
        return f"unknown setting {path}{f'; did you mean {guess[0]}?' if guess else ''}  (--help lists all settings)"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be ", "must be ")
    if error["type"] == "missing":
        return f"{path} must be given  (--help lists all settings)"
    if error["type"] in ("model_type", "dict_type"):
        return f"{path} is a group of settings ({path}.{{...}}), not {shortened(error['input'])}"
    if error["type"] == "value_error":
        return f"{path}: {message}" if path and not message.startswith(f"{path}.") else message
    colon = "" if message.startswith("must be ") else ":"
    return f"{path}{colon} {message[:1].lower()}{message[1:]}, not {shortened(error['input'])}"


def to_yaml(config: BaseModel) -> str:
    """The resolved settings as YAML that can be fed back with --config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def print_help(model: type[Section], program: str, description: str) -> None:
    """List every setting with its type, default and docstring."""
    import tyro

    print(description, end="\n\n")
    tyro.cli(model, prog=program, description="", args=["--help"], config=(tyro.conf.FlagConversionOff,))
