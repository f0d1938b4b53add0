"""What does this photo show?

python -m projects.imagecaption.predict photo.jpg
python -m projects.imagecaption.predict FOLDER --run RUN --beam_size 3 --json captions.json
python -m projects.imagecaption.predict addresses.txt
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from projects.imagecaption.attention_maps import attention_figure
from projects.imagecaption.config import PredictOptions
from projects.imagecaption.predictor import Predictor
from shared.command import picture_files, readable
from shared.data import images
from shared.data.download import fetch_photo
from shared.evaluation.report import png
from shared.files import write_bytes
from shared.names import shown
from shared.runs import Run


def predict(options: PredictOptions, run: Run) -> list[dict[str, Any]]:
    """One caption per photo, and a picture of the attention before each word."""
    items = [item for *_, found in readable("imagecaption", options.input, list_photos) for item in found]
    predictor = Predictor.load(run.model_file)
    size, settings = predictor.config.model.image_size, predictor.config.decode
    if options.beam_size:
        settings = settings.model_copy(update={"beam_size": options.beam_size})
    pictures = picture_files(options.overlay or run.predictions, [as_path(item) for item in items])

    def read(item: str) -> np.ndarray:
        if is_address(item):
            return fetch_photo(item, size, options.allow_private)
        return images.read_image(Path(item), size)

    answers = []
    for number, item, image in readable("imagecaption", items, read):
        prediction = predictor(image, settings)
        overlays = predictor.explain(image, prediction)
        figure = attention_figure(predictor.prepare(image), prediction.caption, overlays)
        write_bytes(pictures[number], png(figure))
        print(f"{shown(item)}: {prediction}\n  {pictures[number]}")
        answers.append(
            {
                "file": shown(item),
                "caption": prediction.caption,
                "log_probability": prediction.log_probability,
                "ood_score": prediction.ood_score,
                "in_distribution": prediction.in_distribution,
                "overlay": str(pictures[number]),
            }
        )
    return answers


def list_photos(item: str) -> list[str]:
    """The photos that an argument stands for: itself, those of a folder, or those that a .txt file lists."""
    if is_address(item):
        return [item]
    path = Path(item)
    found = images.list_photos([path])
    if found != [path] or path.suffix.lower() != ".txt":
        return [str(photo) for photo in found]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {shown(path)}")
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content:
        raise ValueError(f"{shown(path)} is not text in UTF-8")
    text = content.decode(errors="surrogateescape")  # names of files are bytes on Linux
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    if not lines:
        raise ValueError(f"{shown(path)} lists no photo")
    return [found for line in lines for found in ([line] if line.lower().endswith(".txt") else list_photos(line))]


def is_address(item: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", item) is not None


def as_path(item: str) -> Path:
    """What the picture of a photo is named after."""
    if not is_address(item):
        return Path(item)
    try:
        return Path("/", PurePosixPath(urlsplit(item).path).name)
    except ValueError:  # no address at all
        return Path("/")
