"""The promise: an example in a docstring gives what it says."""

import doctest
import re
from importlib import import_module

import pytest

from tests.conftest import ROOT


def modules_with_examples() -> list[str]:
    """Names of all modules of the library in which `>>>` begins a line."""
    files = [path for folder in ("shared", "projects") for path in sorted((ROOT / folder).rglob("*.py"))]
    files = [path for path in files if re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE)]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_are_correct(name: str) -> None:
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("shared", "projects")):
            raise
        pytest.skip(f"needs the package {error.name}")
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert results.attempted > 0, f"the examples of {name} are in no docstring of a module, function, class or method"
    assert results.failed == 0
