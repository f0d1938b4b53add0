"""The console of a program: output that any name can be printed on, mistakes as one sentence and exit code 2."""

import io
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared.names import cut, shown

MISTAKE, INTERRUPTED = 2, 130
CLOSED_PIPE = 128 + 13  # what a shell reports of a program that SIGPIPE has ended


@contextmanager
def console(program: str) -> Generator[None]:
    """Work and print inside of this block. A ValueError or OSError, one of standard output included (a full disk), ends
    the program with its sentence on stderr.

    Letters that the terminal or file cannot hold are written as escapes; where the reader of a pipe has gone (`| head`)
    the program ends without a word. With TRACEBACK in the environment errors pass through.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            _flush()
    except BrokenPipeError:
        raise SystemExit(CLOSED_PIPE) from None
    except (ValueError, OSError) as error:
        if os.environ.get("TRACEBACK"):  # for developers
            raise
        with suppress(OSError):  # stderr may be full, too
            print(f"{program}: {sentence(error)}", file=sys.stderr)
        raise SystemExit(MISTAKE) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _flush() -> None:
    """Write what has been printed. Raises OSError with one sentence; Python does not try again when it ends."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise OSError(f"standard output cannot be written ({error.strerror})") from None


def sentence(error: Exception) -> str:
    """What an error says, on one line that can be printed; the middle of a long one is left out."""
    if isinstance(error, OSError) and error.strerror:
        return shown(f"{error.strerror}: {error.filename}" if error.filename else error.strerror)
    return cut(shown(" ".join(str(error).split("\n"))), 2000)


def note(message: str) -> None:
    """Say on stderr what was recognised, assumed or left out, in the first of several processes and once only."""
    if os.environ.get("RANK", "0") == "0" and message not in _said:
        _said.add(message)
        print(message, file=sys.stderr, flush=True)


_said: set[str] = set()
