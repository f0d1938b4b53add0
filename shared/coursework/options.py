"""The driver of the commands of the coursework: settings in, mistakes as one sentence and exit code 2."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from shared.config import Section, load, parse_arguments, print_help
from shared.console import console

S = TypeVar("S", bound=Section)


def command(kind: type[S], run: Callable[[S], None], description: str | None) -> NoReturn:
    """Run a command with the settings of its command line; bad input is one sentence on stderr and exit code 2."""
    code = 0
    try:
        with console():
            if {"--help", "-h"} & set(sys.argv[1:]):
                spec = sys.modules["__main__"].__spec__
                print_help(kind, f"python -m {spec.name if spec else kind.__name__}", str(description).strip())
            run(load(kind, parse_arguments(sys.argv[1:])))
    except (ValueError, OSError) as error:
        if os.environ.get("TRACEBACK"):
            raise
        print(" ".join(str(error).split("\n")), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)
