"""YAML for settings: nested dicts and lists of text, numbers, booleans and None, and one sentence for all else."""

import re
from typing import Any

import yaml
from yaml.reader import ReaderError

from shared.names import cut, one_line

NESTING, VALUES = 20, 10_000  # more levels and values than settings have
KINDS = ("str", "int", "float", "bool", "null", "seq", "map")
TAG = "tag:yaml.org,2002:"
NUMBERS = (f"{TAG}int", f"{TAG}float")


def parse_yaml(text: str | bytes, source: str, number_keys: bool = False) -> Any:
    """What a YAML text holds. Bytes are UTF-8, or UTF-16 with a byte order mark.

    number_keys: keys may be whole numbers, as in the list of classes of a YOLO data set.
    Raises ValueError with one sentence that names the source, the line in a file (bytes) and what is wrong.
    """
    try:
        return yaml.load(text, _NumberKeys if number_keys else _PlainLoader)  # SafeLoaders
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark and isinstance(text, bytes) else ""
        reason = one_line(error.problem or error.context)
        if isinstance(error, _Unfit):
            raise ValueError(f"{source}{where}: {reason}") from None
    except ReaderError as error:
        where, reason = "", f"{error.reason} (byte or character {error.position})"
    raise ValueError(f"{source}{where} is not readable as YAML: {reason}")


class _Unfit(yaml.MarkedYAMLError):
    """YAML, but not of settings."""

    def __init__(self, place: Any, problem: str) -> None:
        super().__init__(problem=problem, problem_mark=place.start_mark)


class _PlainLoader(yaml.SafeLoader):
    """The safe loader, without what would be lost, or grow without end, there.

    Refused with a line number: a key given twice, a key that is not text, tags of other kinds, nesting and aliases
    beyond all settings. A date stays text, for the setting it belongs to knows its type.
    """

    yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(TAG) in (*KINDS, "merge")]
        for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    keys = (f"{TAG}str", f"{TAG}merge")

    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self.depth = self.count = 0
        self.sizes: dict[yaml.Node, int] = {}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """12:30 is text, as in YAML 1.2, and not the number 750 of base 60."""
        tag = super().resolve(kind, value, implicit)
        return f"{TAG}str" if tag in NUMBERS and ":" in value else tag

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Count what an alias stands for each time it is used: lists of nine aliases, nine deep, are 9^9 values."""
        event, before = self.peek_event(), self.count
        self.depth += 1
        if self.depth > NESTING:
            raise _Unfit(event, f"values are nested more than {NESTING} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        is_alias = isinstance(event, yaml.AliasEvent)
        if is_alias and node not in self.sizes:
            raise _Unfit(event, f"*{event.anchor} is used inside of what it stands for")
        self.count += self.sizes[node] if is_alias else 1
        if self.count > VALUES:
            raise _Unfit(event, f"there are more than {VALUES} values")
        if not is_alias:
            self.sizes[node] = self.count - before
            if node.tag.removeprefix(TAG) not in (*KINDS, "merge"):
                raise _Unfit(event, f"settings have no values of the kind {node.tag}")
        return node

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        """Refuse a key that is given twice, of which YAML would keep the last, and one that is not text."""
        node, lines = super().compose_mapping_node(anchor), {}
        for key, _ in node.value:
            if key.tag not in self.keys:
                name = f"put {key.value} in quotes" if isinstance(key, yaml.ScalarNode) else "not a list or group"
                raise _Unfit(key, f"a key must be text: {name}")
            if key.value in lines:
                raise _Unfit(key, f"{shortened(key.value)} is given twice, in line {lines[key.value]} already")
            lines[key.value] = key.start_mark.line + 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The library has no error of its own for `0b_` or `!!bool maybe`."""
        try:
            if node.tag in NUMBERS and ":" in node.value:
                raise ValueError
            if node.tag == f"{TAG}int" and re.fullmatch(r"[-+]?0[0-9_]+", node.value):  # 010 would be 8
                raise _Unfit(node, f"write {shortened(node.value)} without the leading 0, or in quotes as text")
            value = super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            raise _Unfit(node, f"{shortened(node.value)} is no {node.tag.removeprefix(TAG)}") from None
        if isinstance(value, int) and not fits(value):
            raise _Unfit(node, f"{shortened(node.value)} is too large a number")
        return value


class _NumberKeys(_PlainLoader):
    keys = (*_PlainLoader.keys, f"{TAG}int")


def fits(number: int) -> bool:
    """Whether a number has at most 64 bits. No library counts further, and some say so only after the training."""
    return -(2**63) <= number < 2**63


def shortened(value: Any) -> str:
    """A value as Python writes it, its middle left out where it is long."""
    return cut(repr(value))
