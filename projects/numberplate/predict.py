"""Which plates are on this photo?

python -m projects.numberplate.predict car.jpg
python -m projects.numberplate.predict FOLDER --country de --json plates.json
python -m projects.numberplate.predict drive.mp4
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from projects.numberplate.config import PredictOptions
from projects.numberplate.pipeline import Pipeline, Plate, mark
from projects.numberplate.predictor import Predictor
from projects.numberplate.video import SUFFIXES, Tracker, Video, is_video, watch
from shared.command import picture_files, readable
from shared.data.images import list_photos, read_image
from shared.files import write_bytes
from shared.names import shown
from shared.runs import Run


def predict(options: PredictOptions, run: Run) -> list[dict[str, Any]]:
    """One line per photo, and a picture with the plates marked."""
    pipeline = Predictor.load(run.model_file).pipeline(options.engine, options.country)
    paths = list_photos(options.input, SUFFIXES)
    pictures = picture_files(options.overlay or run.predictions, paths)

    def read(both: tuple[Path, Path]) -> dict[str, Any]:
        path, picture = both
        return (read_video if is_video(path) else read_photo)(path, pipeline, picture)

    return [answer for *_, answer in readable("numberplate", list(zip(paths, pictures)), read)]


def read_photo(path: Path, pipeline: Pipeline, picture: Path) -> dict[str, Any]:
    """Print and return the plates of one photo; write the picture."""
    photo = read_image(path)
    plates = pipeline(photo)
    write_picture(picture, photo, plates)
    print(f"{shown(path)}: {', '.join(map(str, plates)) or 'no plate'}\n  {picture}")
    return {"file": shown(path), "plates": [plate.as_dict() for plate in plates], "overlay": str(picture)}


def read_video(path: Path, pipeline: Pipeline, picture: Path) -> dict[str, Any]:
    """Print and return the plates of a video, each once; write its frame with the most plates as the picture."""
    video, tracker = Video(path), Tracker()
    best: tuple[np.ndarray, list[Plate]] | None = None
    frames_per_second = 0.0
    for frame, plates, rate in tqdm(watch(video, pipeline, tracker), total=video.count, unit="frame", leave=False):
        if best is None or len(plates) > len(best[1]):
            best = (frame, plates)
        frames_per_second = rate
    if best is None:
        raise ValueError(f"{shown(path)} has no readable frame")
    write_picture(picture, *best)
    found = tracker.found
    frames = tracker.frame + 1
    print(
        f"{shown(path)}: {frames} frames, {frames_per_second:.1f} frames/s{'' if found else ', no plate'}\n  {picture}"
    )
    if video.count and frames < 0.95 * video.count:
        print(f"numberplate: {shown(path)} ended after {frames} of about {video.count} frames", file=sys.stderr)
    for track in found:
        seconds = f"{track.first / video.rate:.1f} s to {track.last / video.rate:.1f} s"
        print(f"  {track.text} ({track.confidence:.0%}) from {seconds}")
    answers = [{**t.voted.as_dict(), "from": t.first / video.rate, "to": t.last / video.rate} for t in found]
    return {"file": shown(path), "frames": frames, "plates": answers, "overlay": str(picture)}


def write_picture(path: Path, photo: np.ndarray, plates: list[Plate]) -> None:
    """The photo with its plates marked, as PNG."""
    write_bytes(path, cv2.imencode(".png", mark(photo, plates)[:, :, ::-1])[1].tobytes())
