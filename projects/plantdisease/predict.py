"""What is wrong with this leaf?

python -m projects.plantdisease.predict photo.jpg
python -m projects.plantdisease.predict FOLDER --run RUN --top 5 --json answers.json
"""

if __name__ == "__main__":
    from projects.plantdisease.config import PredictOptions
    from shared.command import answer

    answer("projects.plantdisease.predict", PredictOptions)

from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from projects.plantdisease.config import PredictOptions
from projects.plantdisease.explain import grad_cam, occlusion, overlay
from projects.plantdisease.finished import FinishedModel
from shared.command import picture_files, readable
from shared.data.images import find_images, normalise, read_image, to_square
from shared.files import write_bytes, write_json
from shared.runs import Run


@dataclass
class Prediction:
    """The answer for one photo."""

    classes: list[tuple[str, float]]
    """Class names with calibrated probabilities, the likeliest first."""
    novelty: float
    """Distance from the known leaves; above 1 the photo looks like none of them."""

    @property
    def familiar(self) -> bool:
        return self.novelty <= 1

    def __str__(self) -> str:
        named = ", ".join(f"{name} {probability:.0%}" for name, probability in self.classes)
        if self.familiar:
            return named
        return (
            f"this does not look like one of the leaves I know (strangeness {self.novelty:.1f}); if it is one: {named}"
        )


class Predictor:
    """A finished model that answers for photos.

    >>> predictor = Predictor.from_checkpoint("runs/plantdisease/.../model.safetensors")
    >>> print(predictor(read_image(Path("photo.jpg"))))
    """

    def __init__(self, model: FinishedModel) -> None:
        self.model = model
        self.classes = model.classes

    @classmethod
    def from_checkpoint(cls, path: Path | str) -> "Predictor":
        """Load `model.safetensors` of a finished run. Raises ValueError or FileNotFoundError with one sentence."""
        return cls(FinishedModel.load(Path(path)))

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) of any size -> what the network was trained on, uint8 (S, S, 3)."""
        return to_square(image, self.model.config.data.size)

    def __call__(self, image: np.ndarray, top: int = 3) -> Prediction:
        """RGB uint8 (H, W, 3) -> the likeliest classes, and whether the photo looks like a known leaf at all."""
        logits, novelty = self.model(torch.from_numpy(self.prepare(image)[None]))
        probabilities, classes = logits.softmax(dim=1)[0].topk(min(top, len(self.classes)))
        named = [(self.classes[c], p) for c, p in zip(classes.tolist(), probabilities.tolist())]
        return Prediction(named, novelty.item())

    def explain(self, image: np.ndarray, name: str, how: str = "occlusion") -> np.ndarray:
        """What in a photo speaks for the class `name`: the photo under a heat map, RGB uint8 (S, S, 3).

        how: `occlusion` or `grad-cam`, see `explain.py`.
        """
        photo = self.prepare(image)
        seen = normalise(torch.from_numpy(photo[None]), self.model.config.model.size)
        show = occlusion if how == "occlusion" else grad_cam
        return overlay(photo, show(self.model.network, seen, self.classes.index(name)))


def main(options: PredictOptions, run: Run) -> None:
    """The command line: one line per photo, and a picture of where the network looked."""
    paths = [photo for path in options.input for photo in (find_images(path) if path.is_dir() else [path])]
    if not paths:
        raise ValueError(f"there is no photo in {', '.join(str(path) for path in options.input)}")
    predictor = Predictor.from_checkpoint(run.model_file)
    pictures = picture_files(options.overlay or run.folder / "predictions", paths)
    answers, size = [], predictor.model.config.data.size
    for number, path, image in readable("plantdisease", paths, lambda path: read_image(path, at_least=size)):
        prediction = predictor(image, options.top)
        seen = predictor.explain(image, prediction.classes[0][0], options.explain)
        write_bytes(pictures[number], cv2.imencode(".png", seen[:, :, ::-1])[1].tobytes())
        print(f"{path}: {prediction}\n  {pictures[number]}")
        answers.append(
            {"file": str(path), **asdict(prediction), "familiar": prediction.familiar, "overlay": str(pictures[number])}
        )
    if options.json_file:
        write_json(options.json_file, answers)
