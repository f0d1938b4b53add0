"""Reads photos and videos in a worker thread, so that the window stays responsive.

Nothing here depends on Tk. Jobs go in, events come out of a queue that the window polls ten times a second.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Full, Queue

import cv2
import numpy as np

from projects.numberplate.pipeline import Pipeline, Plate
from projects.numberplate.video import Tracker, Video, watch
from shared.data.images import read_image

Settings = tuple[str, str | None]
"""Engine and country."""


@dataclass
class DisplayItem:
    """One photo, or the latest frame of a video, and its plates."""

    name: str
    image: np.ndarray | None = None
    """RGB uint8 (H, W, 3); None: not decoded yet, or not readable."""
    plates: list[Plate] = field(default_factory=list)
    tracked_plates: list[Plate] | None = None
    """Of a video: the tracked plates of all frames so far."""
    problem: str = ""
    done: bool = False


@dataclass(frozen=True)
class Event:
    """Item `number` has changed; `done` of `total` are read."""

    number: int
    item: DisplayItem
    done: int = 0
    total: int | None = None
    """None: not known (a webcam)."""
    rate: float | None = None
    """Frames per second."""
    finished: bool = False


class Worker:
    """Reads one list of photos or one video at a time, in its own thread."""

    def __init__(self, make_pipeline: Callable[[str, str | None], Pipeline]) -> None:
        self.make_pipeline = make_pipeline
        self.events: Queue[Event] = Queue(
            maxsize=8
        )  # a slow window slows the reading down instead of filling the memory
        self.stop = threading.Event()
        self.thread: threading.Thread | None = None
        self.pipelines: dict[Settings, Pipeline] = {}

    @property
    def busy(self) -> bool:
        return self.thread is not None and self.thread.is_alive()

    def read_photos(self, paths: list[Path], settings: Settings) -> None:
        """Read these photos, in this order."""
        self._start(lambda: self._photos(paths, settings))

    def read_video(self, source: Path | int, settings: Settings) -> None:
        """Read a video file, or a webcam by its number, until it ends or is cancelled."""
        self._start(lambda: self._video(source, settings))

    def cancel(self) -> list[Event]:
        """Stop after the photo or frame that is being read, wait for it, and return the remaining events."""
        self.stop.set()
        events = self.drain()
        while self.busy:
            assert self.thread is not None
            self.thread.join(0.02)
            events += self.drain()
        return events + self.drain()

    def drain(self) -> list[Event]:
        """All events in the queue."""
        events = []
        while True:
            try:
                events.append(self.events.get_nowait())
            except Empty:
                return events

    def _start(self, work: Callable[[], None]) -> None:
        self.cancel()
        self.stop.clear()
        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def _pipeline(self, settings: Settings) -> Pipeline:
        if settings not in self.pipelines:
            self.pipelines[settings] = self.make_pipeline(*settings)
        return self.pipelines[settings]

    def _photos(self, paths: list[Path], settings: Settings) -> None:
        for number, path in enumerate(paths):
            if self.stop.is_set():
                return
            item = DisplayItem(path.name, done=True)
            try:
                item.image = read_image(path)
                self._put(Event(number, DisplayItem(path.name, item.image), number, len(paths)))
                item.plates = self._pipeline(settings)(item.image)
            except (ValueError, OSError, cv2.error) as error:
                item.problem = str(error)
            self._put(Event(number, item, number + 1, len(paths), finished=number + 1 == len(paths)))

    def _video(self, source: Path | int, settings: Settings) -> None:
        item, number, total = DisplayItem(source.name if isinstance(source, Path) else "webcam"), 0, None
        tracker = Tracker()
        try:
            video = Video(source)
            total = video.count
            for image, plates, rate in watch(video, self._pipeline(settings), tracker):
                if self.stop.is_set():
                    return
                tracked_plates = [track.voted for track in tracker.found]
                item, number = DisplayItem(item.name, image, plates, tracked_plates, done=True), number + 1
                self._put(Event(0, item, number, total, rate))
            if not number:
                raise ValueError(f"{item.name} has no readable frame")
        except (ValueError, OSError, cv2.error) as error:
            item.problem = str(error)
        self._put(Event(0, item, number, number or total, finished=True))

    def _put(self, event: Event) -> None:
        """Wait for room in the queue, unless the work is cancelled."""
        while True:
            try:
                self.events.put(event, timeout=0.1)
                return
            except Full:
                if self.stop.is_set():
                    return
