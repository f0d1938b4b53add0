"""Which disease does this leaf have?

python -m projects.plantdisease.predict photo.jpg
python -m projects.plantdisease.predict FOLDER --run RUN --top 5 --json answers.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from dataclasses import asdict
from typing import Any

import cv2

from projects.plantdisease.config import PredictOptions
from projects.plantdisease.predictor import Predictor
from shared.command import picture_files, readable
from shared.data.images import list_photos, read_image
from shared.files import write_bytes
from shared.names import shown
from shared.runs import Run


def predict(options: PredictOptions, run: Run) -> list[dict[str, Any]]:
    """One line per photo, and a picture of the parts that support the answer."""
    paths = list_photos(options.input)
    predictor = Predictor.load(run.model_file)
    pictures = picture_files(options.overlay or run.predictions, paths)
    answers, size = [], predictor.config.model.decode_size
    for number, path, image in readable("plantdisease", paths, lambda path: read_image(path, at_least=size)):
        prediction = predictor(image, options.top)
        heat_map = predictor.explain(image, prediction.classes[0][0], options.explain)
        write_bytes(pictures[number], cv2.imencode(".png", heat_map[:, :, ::-1])[1].tobytes())
        print(f"{shown(path)}: {prediction}\n  {pictures[number]}")
        answers.append(
            {
                "file": shown(path),
                **asdict(prediction),
                "in_distribution": prediction.in_distribution,
                "overlay": str(pictures[number]),
            }
        )
    return answers
