"""Work that must not take for ever: decoding a file, waiting for a server."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
LATE, MOST_LATE = "late", 4


class BusyError(OSError):
    """Nothing more is started while so much runs that is late."""


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work()` returns or raises. Raises TimeoutError when it takes longer.

    Python cannot stop a thread inside a C library, on any system: one that is late goes on, with its memory and its
    share of the CPU, until it ends by itself or the process does, which does not wait for it. While `MOST_LATE` of them
    run, BusyError is raised instead of starting another, so that there are never more than these and one for every
    thread that is waiting here.
    """
    late = sum(thread.name == LATE for thread in threading.enumerate())
    if late >= MOST_LATE:
        raise BusyError(f"{late} earlier ones that took too long are still running; start again without them")
    answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((True, work()))
        except BaseException as error:  # raised again where it is waited for
            answers.put((False, error))

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        done, value = answers.get(timeout=seconds)
    except Empty:
        thread.name = LATE
        raise TimeoutError(f"not done within {seconds:g} seconds") from None
    if not done:
        raise value
    return value
