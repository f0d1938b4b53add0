"""Train the detector and the reader of number plates.

python -m projects.numberplate.train --config configs/numberplate/sample.yaml    # both, offline, about 6 minutes
python -m projects.numberplate.train --config configs/numberplate/detector.yaml --data.root photos.csv
python -m projects.numberplate.train --config configs/numberplate/reader.yaml --data.root crops.csv
torchrun --nproc-per-node 2 -m projects.numberplate.train ...
"""

if __name__ == "__main__":  # the command line first: --help and mistakes answer before torch is loaded
    from projects.numberplate.config import Config
    from shared.command import train as run_training

    run_training("projects.numberplate.train", Config)

from torch import Tensor, nn

from projects.numberplate.config import Config
from projects.numberplate.data import PlateData, StillPlates, training_plates, training_views
from projects.numberplate.detect import to_input
from projects.numberplate.finished import FinishedModel, best_threshold, find_all, read_all
from projects.numberplate.losses import detector_loss, reader_loss
from projects.numberplate.metrics import reading_metrics
from projects.numberplate.model import places
from shared.data import splits
from shared.data.loader import Batches
from shared.runs import Run
from shared.training import distributed
from shared.training.loop import fit


def train(config: Config, run: Run) -> None:
    """Data, both networks, the detector's training, the reader's, and the finished model into the run."""
    data = PlateData(config.data)
    distributed.say(data.summary())
    model = FinishedModel.start(config)
    if config.part in ("both", "detector"):
        train_detector(model, data, config, run)
    if config.part in ("both", "reader"):
        train_reader(model, data, config, run)
    if distributed.is_first():
        model.save(run.model_file)


def train_detector(model: FinishedModel, data: PlateData, config: Config, run: Run) -> None:
    """From random views of photos to boxes and corners."""
    recipe = config.detector
    photos = data.photos_of(splits.VALIDATION)
    if not any(len(photo.boxes) for photo in photos):
        raise ValueError("the split leaves no validation photo with a plate; it needs more photos")
    where = places(recipe.size, recipe.size)  # (N, 3)

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, boxes, corners = batch  # (B, S, S, 3) uint8, (B, M, 4), (B, M, 4, 2)
        outputs = network(to_input(images))  # (B, N, 13)
        return detector_loss(outputs, where.to(outputs.device), boxes, corners)

    def validate(network: nn.Module) -> dict[str, float]:
        return best_threshold(find_all(network, photos, config.model.size), photos)[1]

    batches = Batches(training_views(data, config), recipe.batch_size, recipe.seed, recipe.workers)
    fit(model.detector, loss, batches, validate, recipe, run.stage("detector"))
    model.calibrate(data)


def train_reader(model: FinishedModel, data: PlateData, config: Config, run: Run) -> None:
    """From plates seen close by to their texts."""
    recipe = config.reader
    plates = StillPlates(data.crops_of(splits.VALIDATION))
    if not len(plates):
        raise ValueError("the split leaves no validation plate with a text; --part detector trains without texts")

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        images, texts, lengths = batch  # (B, 48, 160) uint8, (B, L), (B,)
        return reader_loss(network(images), texts, lengths)

    def validate(network: nn.Module) -> dict[str, float]:
        return reading_metrics([reading.text for reading in read_all(network, plates)], plates.texts)

    batches = Batches(training_plates(data, config), recipe.batch_size, recipe.seed, recipe.workers)
    fit(model.reader, loss, batches, validate, recipe, run.stage("reader"))
