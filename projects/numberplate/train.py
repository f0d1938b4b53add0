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

from functools import partial

from torch import Tensor, nn

from projects.numberplate.config import Config
from projects.numberplate.data import (
    FixedPlates,
    PlateData,
    Plates,
    RandomViews,
    training_plates,
    training_views,
    validation_plates,
)
from projects.numberplate.detect import to_input
from projects.numberplate.losses import detector_loss, reader_loss
from projects.numberplate.metrics import reading_metrics
from projects.numberplate.model import grid_points
from projects.numberplate.predictor import Predictor, best_threshold, detect_all, read_all
from shared.compute import distributed
from shared.data import splits
from shared.data.loader import Batches
from shared.runs import Run
from shared.training.loop import fit


def train(config: Config, run: Run) -> None:
    """Data, both networks, the detector's training, the reader's, and the finished model into the run."""
    data = PlateData(config.data)
    distributed.print_once(data.summary())
    model = Predictor.start(config)
    stages = []  # all prepared first: what is wrong with the data is said before hours of training
    if config.part in ("both", "detector"):
        stages.append(partial(train_detector, model, training_views(data, config), data, config, run))
    if config.part in ("both", "reader"):
        stages.append(partial(train_reader, model, training_plates(data, config), validation_plates(data), config, run))
    for stage in stages:
        stage()
    if distributed.is_first():
        model.save(run.model_file)


def train_detector(model: Predictor, views: RandomViews, data: PlateData, config: Config, run: Run) -> None:
    """From random views of photos to boxes and corners."""
    settings, photos = config.detector, data.photos_of(splits.VALIDATION)
    where = grid_points(settings.image_size, settings.image_size)  # (N, 3)

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, boxes, corners = batch  # (B, S, S, 3) uint8, (B, M, 4), (B, M, 4, 2)
        outputs = network(to_input(images))  # (B, N, 13)
        return detector_loss(outputs, where.to(outputs.device), boxes, corners)

    def validate(network: nn.Module) -> dict[str, float]:
        return best_threshold(detect_all(network, photos, config.model.image_size), photos)[1]

    batches = Batches(views, settings.batch_size, settings.seed, settings.num_workers)
    fit(model.detector, loss, batches, validate, settings, run.stage("detector"))
    model.calibrate(data)


def train_reader(model: Predictor, plates: Plates, still: FixedPlates, config: Config, run: Run) -> None:
    """From plates seen close by to their texts."""
    settings = config.reader

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        images, texts, lengths = batch  # (B, 48, 160) uint8, (B, L), (B,)
        return reader_loss(network(images), texts, lengths)

    def validate(network: nn.Module) -> dict[str, float]:
        return reading_metrics([reading.text for reading in read_all(network, still)], still.texts)

    batches = Batches(plates, settings.batch_size, settings.seed, settings.num_workers)
    fit(model.reader, loss, batches, validate, settings, run.stage("reader"))
