"""Standard output that any name can be printed on, and whose reader may leave."""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

CLOSED_PIPE = 128 + 13  # what a shell reports of a program that SIGPIPE has ended


@contextmanager
def console() -> Generator[None]:
    """Print inside of this block. Letters that the terminal or file cannot hold are written as escapes; where the
    reader of a pipe has gone (`| head`) the program ends without a word."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        with Path(os.devnull).open("w") as nowhere:  # for what is still to be written when Python ends
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise SystemExit(CLOSED_PIPE) from None


def note(message: str) -> None:
    """Say on stderr what was recognised, assumed or left out, in the first of several processes and once only."""
    if os.environ.get("RANK", "0") == "0" and message not in _said:
        _said.add(message)
        print(message, file=sys.stderr, flush=True)


_said: set[str] = set()
