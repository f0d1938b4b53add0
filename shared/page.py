"""The web page of a predictor: for this machine only, photos read as on the command line, mistakes as sentences.

An uploaded photo is read from its file by `read_image`; gradio's own image component would decode it in another way.
"""

import html
import os
import re
import socket
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from shared.names import shown

HOSTS = ["127.0.0.1", "localhost"]
MAX_UPLOAD = "20mb"  # per file
KEPT = 600  # seconds for which an uploaded file is kept; all go when the page is closed
PREVIEW = 1024  # longest side in pixels


def photo_page(
    answer: Callable[[np.ndarray], Sequence[Any]], outputs: Sequence[Any], label: str, at_least: int | None = None
) -> dict[str, Any]:
    """`fn`, `inputs` and `outputs` of a page that takes a photo: it shows the photo as it was read, then what
    `answer(photo)` gives, one value for each of `outputs`. at_least: as in `read_image`."""
    import gradio

    from shared.data.images import read_image

    def answer_file(file: str | None) -> list[Any]:
        if file is None:
            return [None] * (1 + len(outputs))
        photo = read_image(Path(file), at_least)
        return [preview(photo), *answer(photo)]

    return {
        "fn": answer_file,
        "inputs": gradio.File(label=label, type="filepath"),
        "outputs": [gradio.Image(label="The photo as it is read"), *outputs],
    }


def preview(photo: np.ndarray) -> np.ndarray:
    """A photo, uint8 (H, W, 3), small enough for a page."""
    import cv2

    scale = PREVIEW / max(photo.shape[:2])
    return photo if scale >= 1 else cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def with_sentences(answer: Callable[..., Any], uploads: str) -> Callable[..., Any]:
    """The same function, whose ValueError and OSError are shown on the page as the sentence they hold. uploads: the
    folder of uploaded files, which means nothing to a reader."""
    import gradio

    @wraps(answer)
    def answer_or_say(*inputs: Any) -> Any:
        try:
            return answer(*inputs)
        except (ValueError, OSError) as error:
            sentence = re.sub(rf"{re.escape(uploads)}[\\/]\w+[\\/]", "", shown(error))
            raise gradio.Error(html.escape(sentence, quote=False), duration=None, print_exception=False) from None

    return answer_or_say


@contextmanager
def running(make_page: Callable[[], dict[str, Any]], port: int) -> Generator[Any]:
    """Yield `gradio.Interface(**make_page())`, running on http://127.0.0.1:<port>.

    Requests under another name of this machine are refused: a foreign web page could otherwise read answers through a
    name of its own that it points here (DNS rebinding). Uploaded files are deleted. Raises ValueError with one sentence
    if the port is taken or gradio is missing.
    """
    try:
        socket.create_server((HOSTS[0], port)).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ValueError(f"port {port} cannot be used ({reason}); choose another with --port") from None
    for unwanted in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_RUN_HISTORY"):
        os.environ.setdefault(unwanted, "False")
    try:
        import gradio
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
    except ImportError:
        raise ValueError("the web page needs an extra package: pip install -e '.[app]'") from None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as uploads:
        os.environ["GRADIO_TEMP_DIR"] = uploads
        parts = make_page()
        parts["fn"] = with_sentences(parts["fn"], uploads)
        page = gradio.Interface(**parts, flagging_mode="never", delete_cache=(KEPT // 10, KEPT))
        page.launch(
            server_name=HOSTS[0],
            server_port=port,
            share=False,
            quiet=True,
            show_error=True,
            prevent_thread_lock=True,
            max_file_size=MAX_UPLOAD,
            app_kwargs={"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)]},
        )
        try:
            yield page
        finally:
            page.close(verbose=False)
