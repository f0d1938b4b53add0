"""Video: plates are tracked from frame to frame, and every frame votes for a text."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from projects.numberplate.geometry import iou
from projects.numberplate.metrics import edit_distance
from projects.numberplate.pipeline import Pipeline, Plate
from shared.names import shown

SUFFIXES = {".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}
PATIENCE = 15
"""Frames without a detection after which a track ends."""
CERTAIN = 0.9
"""Minimum confidence of a plate that is detected in one frame only."""


def is_video(path: Path) -> bool:
    """Whether the suffix of a file is that of a video."""
    return path.suffix.lower() in SUFFIXES


@dataclass
class Track:
    """One plate over time."""

    plate: Plate
    """In the last frame that shows it."""
    first: int
    last: int
    """Numbers of the first and last frame that show it."""
    votes: dict[str, list[float]] = field(default_factory=dict)
    """The confidences of the frames that read this text."""

    @property
    def text(self) -> str:
        """The text with the most votes."""
        return max(self.votes, key=lambda text: sum(self.votes[text]), default="")

    @property
    def confidence(self) -> float:
        """The mean confidence of the frames that read this text, times their share of all votes."""
        if not self.votes:
            return 0.0
        own = self.votes[self.text]
        return sum(own) / len(own) * sum(own) / max(1e-9, sum(map(sum, self.votes.values())))

    @property
    def voted(self) -> Plate:
        """The plate at its last position, with the text of the majority vote and its confidence."""
        text, confidence = self.text, self.confidence
        each = self.plate.confidences if text == self.plate.text else (confidence,) * len(text)
        return replace(self.plate, text=text, confidence=confidence, confidences=each)


class Tracker:
    """Tracks plates by the IoU of their boxes from one frame to the next, else by their text."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.frame = -1

    def __call__(self, plates: list[Plate]) -> list[Plate]:
        """The plates of the next frame, each with the majority vote of its track so far."""
        self.frame += 1
        free = [track for track in self.tracks if self.frame - track.last <= PATIENCE]
        answers = []
        for plate in plates:
            overlaps = [_overlap(plate, track) for track in free]
            if overlaps and max(overlaps) > 0.2:
                track = free[int(np.argmax(overlaps))]
            else:  # a plate that moved far or was occluded is recognised by its text
                known = (track for track in self.tracks if track.text == plate.text != "" and track.last < self.frame)
                track = next(known, None)
            if track is None:
                track = Track(plate, self.frame, self.frame)
                self.tracks.append(track)
            free = [other for other in free if other is not track]
            track.plate, track.last = plate, self.frame
            if plate.text:
                track.votes.setdefault(plate.text, []).append(plate.confidence)
            answers.append(track.voted)
        return answers

    @property
    def found(self) -> list[Track]:
        """The tracks that count: with detections in two frames or more, or in one with high confidence."""
        return [t for t in self.tracks if t.text and (t.last > t.first or t.confidence >= CERTAIN)]


def _overlap(plate: Plate, track: Track) -> float:
    """IoU of a plate with the last position of a track; 0 if both are read with confidence, their texts differ and
    neither is part of the other: another car has stopped in the same position."""
    part = plate.text in track.text or track.text in plate.text
    differ = edit_distance(plate.text, track.text) > len(track.text) / 2
    if differ and not part and min(plate.confidence, track.confidence) >= 0.5:
        return 0.0
    return float(iou(np.array(plate.box), np.array(track.plate.box))[0, 0])


class Video:
    """The frames of a file or a webcam. Raises FileNotFoundError or ValueError with one sentence."""

    def __init__(self, source: Path | int) -> None:
        if isinstance(source, Path) and not source.is_file():
            raise FileNotFoundError(f"there is no file {source}")
        if isinstance(source, Path) and shown(source).encode() != os.fsencode(source):  # OpenCV would crash
            raise ValueError(f"{shown(source)}: OpenCV cannot open a file of this name; rename it")
        self.source = source
        # an absolute path is a file; `rtsp:/a.avi` would be looked up on the network
        self.capture = cv2.VideoCapture(source if isinstance(source, int) else str(source.resolve()))
        if not self.capture.isOpened():
            what = "there is no webcam" if isinstance(source, int) else f"{source} is not a video in a supported format"
            raise ValueError(what)
        self.rate = self.capture.get(cv2.CAP_PROP_FPS) or 25.0
        count = self.capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.count = int(count) if count > 0 else None

    def __iter__(self) -> Iterator[np.ndarray]:
        """RGB frames until the video ends, which may be earlier than its header says."""
        try:
            while True:
                ok, frame = self.capture.read()
                if not ok:
                    return
                yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        finally:
            self.capture.release()


def watch(video: Video, pipeline: Pipeline, tracker: Tracker) -> Iterator[tuple[np.ndarray, list[Plate], float]]:
    """Every frame, its plates with the votes so far, and the frames per second since the start."""
    start = time.perf_counter()
    for number, frame in enumerate(video, 1):
        plates = tracker(pipeline(frame))
        yield frame, plates, number / (time.perf_counter() - start)
