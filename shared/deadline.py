"""Work that must not take for ever: decoding a file, waiting for a server."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work()` returns or raises. Raises TimeoutError when it takes longer.

    Python cannot stop a thread inside a C library, on any system; the one that is late is left to itself, and it does
    not keep the process from ending.
    """
    answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((True, work()))
        except BaseException as error:  # raised again where it is waited for
            answers.put((False, error))

    threading.Thread(target=answer, daemon=True).start()
    try:
        done, value = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"not done within {seconds:g} seconds") from None
    if not done:
        raise value
    return value
