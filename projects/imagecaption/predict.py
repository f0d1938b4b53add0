"""What does this photo show?

python -m projects.imagecaption.predict photo.jpg
python -m projects.imagecaption.predict FOLDER --run RUN --beam 3 --json captions.json
python -m projects.imagecaption.predict addresses.txt
"""

if __name__ == "__main__":
    from projects.imagecaption.config import PredictOptions
    from shared.command import answer

    answer("projects.imagecaption.predict", PredictOptions)

import string
import tempfile
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import numpy as np

from projects.imagecaption.attention_figure import attention_figure
from projects.imagecaption.config import PredictOptions
from projects.imagecaption.data import Pictures
from projects.imagecaption.predictor import Caption, Predictor
from shared.command import picture_files, readable
from shared.data.images import find_images, read_image
from shared.evaluation.report import png
from shared.files import write_bytes, write_json
from shared.runs import Run

LARGEST, PATIENCE = 50_000_000, 20  # bytes and seconds of a download


@dataclass
class Prediction:
    """The answer for one photo."""

    caption: str
    log_probability: float
    ood_score: float
    """Distance to the most similar training photo; above 1 the photo is unlike all of them."""

    @property
    def familiar(self) -> bool:
        return self.ood_score <= 1

    def __str__(self) -> str:
        said = f"{self.caption}  (log-probability {self.log_probability:.1f})"
        if self.familiar:
            return said
        return (
            f"{said}\n  this photo is unlike those I learned from (strangeness {self.ood_score:.1f}): do not trust it"
        )


class Predictor:
    """A finished model that captions photos.

    >>> predictor = Predictor.from_checkpoint("runs/imagecaption/.../model.safetensors")
    >>> print(predictor(read_image(Path("photo.jpg"))))
    """

    def __init__(self, model: Predictor, beam: int | None = None) -> None:
        self.model = model
        self.decode = model.config.decode.model_copy(update={"beam_size": beam} if beam else {})
        self.pictures = Pictures([], model.config.model.image_size)

    @classmethod
    def from_checkpoint(cls, path: Path | str, beam: int | None = None) -> "Predictor":
        """Load `model.safetensors` of a finished run. Raises ValueError or FileNotFoundError with one sentence."""
        return cls(Predictor.load(Path(path)), beam)

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) of any size -> what the network was trained on, uint8 (S, S, 3)."""
        return self.pictures.prepare(image)

    def __call__(self, image: np.ndarray) -> Prediction:
        """RGB uint8 (H, W, 3) -> what it shows."""
        return self.explain(self.prepare(image))[0]

    def explain(self, photo: np.ndarray) -> tuple[Prediction, Caption]:
        """A prepared photo -> the answer, and the caption with the places that each word looked at."""
        (caption,) = self.model(photo[None], self.decode)
        return Prediction(str(caption), caption.log_probability, caption.ood_score), caption


def main(options: PredictOptions, run: Run) -> None:
    """The command line: one caption per photo, and a picture of where each word looked."""
    items = [item for given in options.input for item in gather(given)]
    predictor = Predictor.from_checkpoint(run.model_file, options.beam)
    named = [Path(urlsplit(item).path if is_address(item) else item) for item in items]
    pictures = picture_files(options.overlay or run.folder / "predictions", named)

    def read(item: str) -> np.ndarray:
        return predictor.prepare(open_photo(item, predictor.pictures.size))

    answers = []
    for number, item, photo in readable("imagecaption", items, read):
        prediction, caption = predictor.explain(photo)
        write_bytes(pictures[number], png(attention_figure(photo, caption)))
        print(f"{item}: {prediction}\n  {pictures[number]}")
        answers.append(
            {"file": item, **asdict(prediction), "familiar": prediction.familiar, "overlay": str(pictures[number])}
        )
    if options.json_file:
        write_json(options.json_file, answers)


def gather(item: str) -> list[str]:
    """The photos that a word of the command line means: itself, those of a folder, or those that a .txt file lists."""
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
    return [photo for line in lines for photo in (gather(line) if Path(line).is_dir() else [line])]


def is_address(item: str) -> bool:
    return item.lower().startswith(("http://", "https://"))


def open_photo(item: str, at_least: int) -> np.ndarray:
    """A photo from a file or from its address, RGB uint8 (H, W, 3). Raises ValueError or OSError with one sentence."""
    if not is_address(item):
        return read_image(Path(item), at_least=at_least)
    try:
        address = quote(item, safe=string.punctuation)  # blanks and letters beyond ASCII
        with urlopen(Request(address, headers={"User-Agent": "imagecaption"}), timeout=PATIENCE) as answer:
            content = answer.read(LARGEST + 1)
    except (URLError, HTTPException, TimeoutError, OSError, ValueError) as error:
        raise ValueError(f"{item} cannot be fetched ({getattr(error, 'reason', error)})") from None
    if len(content) > LARGEST:
        raise ValueError(f"{item} is larger than {LARGEST // 10**6} MB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo"
        file.write_bytes(content)
        try:
            return read_image(file, at_least=at_least)
        except ValueError as error:
            raise ValueError(str(error).replace(str(file), item)) from None
