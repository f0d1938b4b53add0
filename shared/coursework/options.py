"""The driver of the commands of the coursework: settings in, mistakes as one sentence and exit code 2."""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from shared.config import Section, load, parse_arguments, print_help
from shared.console import console

S = TypeVar("S", bound=Section)


def command(kind: type[S], run: Callable[[S], None], description: str | None) -> NoReturn:
    """Run a command with the settings of its command line; bad input is one sentence on stderr and exit code 2."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name if spec else kind.__name__
    with console(module.rpartition(".")[2]):
        if {"--help", "-h"} & set(sys.argv[1:]):
            print_help(kind, f"python -m {module}", str(description).strip())
        run(load(kind, parse_arguments(sys.argv[1:])))
    raise SystemExit(0)
