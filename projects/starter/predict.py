"""Classify images: python -m projects.starter.predict image.png [--run RUN] [--json answers.json]"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from projects.starter.predictor import Predictor
from shared.command import readable
from shared.config import PredictOptions
from shared.data.images import list_photos, read_image
from shared.runs import Run


def predict(options: PredictOptions, run: Run) -> dict[str, dict[str, float]]:
    """One line per image: the most likely class, and its probability."""
    predictor, answers = Predictor.load(run.model_file), {}
    for _, path, image in readable("starter", list_photos(options.input), read_image):
        answers[str(path)] = predictor(image)
        print(f"{path}: {max(answers[str(path)].items(), key=lambda pair: pair[1])}")
    return answers
