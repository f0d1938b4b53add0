"""What does this photo show?

python -m projects.imagecaption.predict photo.jpg
python -m projects.imagecaption.predict FOLDER --run RUN --beam_size 3 --json captions.json
python -m projects.imagecaption.predict addresses.txt
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import string
import tempfile
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import numpy as np

from projects.imagecaption.attention_maps import attention_figure
from projects.imagecaption.config import PredictOptions
from projects.imagecaption.predictor import Predictor
from shared.command import picture_files, readable
from shared.data.images import find_images, read_image
from shared.evaluation.report import png
from shared.files import write_bytes, write_json
from shared.runs import Run

MAX_BYTES, TIMEOUT = 50_000_000, 20  # of a download; seconds


def predict(options: PredictOptions, run: Run) -> None:
    """One caption per photo, and a picture of the attention before each word."""
    items = [item for given in options.input for item in list_photos(given)]
    predictor = Predictor.load(run.model_file)
    size, settings = predictor.config.model.image_size, predictor.config.decode
    if options.beam_size:
        settings = settings.model_copy(update={"beam_size": options.beam_size})
    names = [Path(urlsplit(item).path if is_address(item) else item) for item in items]
    pictures = picture_files(options.overlay or run.output / "predictions", names)
    answers = []
    for number, item, image in readable("imagecaption", items, lambda item: open_photo(item, size)):
        prediction = predictor(image, settings)
        overlays = predictor.explain(image, prediction)
        figure = attention_figure(predictor.prepare(image), prediction.caption, overlays)
        write_bytes(pictures[number], png(figure))
        print(f"{item}: {prediction}\n  {pictures[number]}")
        answers.append(
            {
                "file": item,
                "caption": prediction.caption,
                "log_probability": prediction.log_probability,
                "ood_score": prediction.ood_score,
                "in_distribution": prediction.in_distribution,
                "overlay": str(pictures[number]),
            }
        )
    if options.json_file:
        write_json(options.json_file, answers)


def list_photos(item: str) -> list[str]:
    """The photos that an argument stands for: itself, those of a folder, or those that a .txt file lists."""
    path = Path(item)
    if not is_address(item) and path.is_dir():
        if not (found := find_images(path)):
            raise ValueError(f"there is no photo in {path}")
        return [str(photo) for photo in found]
    if is_address(item) or path.suffix.lower() != ".txt":
        return [item]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None
    if not lines:
        raise ValueError(f"{path} lists no photo")
    return [photo for line in lines for photo in (list_photos(line) if Path(line).is_dir() else [line])]


def is_address(item: str) -> bool:
    return item.lower().startswith(("http://", "https://"))


def open_photo(item: str, at_least: int) -> np.ndarray:
    """A photo from a file or from its address, RGB uint8 (H, W, 3). Raises ValueError or OSError with one sentence."""
    if not is_address(item):
        return read_image(Path(item), at_least=at_least)
    try:
        address = quote(item, safe=string.punctuation)  # encodes spaces and letters beyond ASCII
        with urlopen(Request(address, headers={"User-Agent": "imagecaption"}), timeout=TIMEOUT) as response:
            content = response.read(MAX_BYTES + 1)
    except (URLError, HTTPException, TimeoutError, OSError, ValueError) as error:
        raise ValueError(f"{item} cannot be fetched ({getattr(error, 'reason', error)})") from None
    if len(content) > MAX_BYTES:
        raise ValueError(f"{item} is larger than {MAX_BYTES // 10**6} MB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo"
        file.write_bytes(content)
        try:
            return read_image(file, at_least=at_least)
        except ValueError as error:
            raise ValueError(str(error).replace(str(file), item)) from None
