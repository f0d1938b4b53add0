"""The promise: what takes too long is given up, and does not pile up."""

import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from PIL import Image

from shared.data.download import fetch_photo
from shared.data.images import read_image, readable_photos
from shared.deadline import LATE, MOST_LATE, BusyError, within


def test_work_that_is_late_is_given_up_and_other_work_passes_through() -> None:
    assert within(5, lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0)
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"not done within 0.05 seconds"):
        within(0.05, lambda: time.sleep(2))
    assert time.monotonic() - start < 1


@pytest.fixture
def busy() -> Generator[threading.Event]:
    """As much is late as may be, until the event is set."""
    end = threading.Event()
    while True:
        try:
            within(0.01, end.wait)
        except BusyError:
            break
        except TimeoutError:
            assert threading.active_count() < 50
    yield end
    end.set()


def let_end(busy: threading.Event) -> None:
    """Let what is late end."""
    busy.set()
    for thread in threading.enumerate():
        if thread.name == LATE:
            thread.join(timeout=10)


def test_nothing_is_started_while_too_much_is_late(busy: threading.Event) -> None:
    started = threading.Event()
    with pytest.raises(BusyError, match=f"{MOST_LATE} earlier ones that took too long are still running"):
        within(5, started.set)
    assert not started.is_set()
    let_end(busy)
    assert within(5, lambda: 3) == 3


def test_a_photo_is_not_called_damaged_where_none_can_be_read(busy: threading.Event, tmp_path: Path) -> None:
    photo = tmp_path / "good.png"
    Image.new("RGB", (8, 8)).save(photo)
    with pytest.raises(BusyError, match=r"good.png is not read: "):
        read_image(photo)
    with pytest.raises(BusyError, match=r"good.png is not read: "):
        readable_photos([photo, photo], "leave-out", tmp_path / "cache")
    with pytest.raises(ValueError, match=r"cannot be fetched \(.* still running"):
        fetch_photo("http://127.0.0.1:9/a.jpg", allow_private=True)
    let_end(busy)
    assert readable_photos([photo, photo], "leave-out", tmp_path / "cache").all()
