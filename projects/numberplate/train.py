"""Train the detector and the reader of number plates.

python -m projects.numberplate.train --config configs/numberplate/sample.yaml    # both, offline, about 6 minutes
python -m projects.numberplate.train --config configs/numberplate/detector.yaml --data.root photos.csv
python -m projects.numberplate.train --config configs/numberplate/reader.yaml --data.root crops.csv
torchrun --nproc-per-node 2 -m projects.numberplate.train ...
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from dataclasses import replace

from torch import Tensor, nn

from projects.numberplate.config import Config
from projects.numberplate.data import (
    FixedPlates,
    PlateData,
    RandomPlates,
    RandomViews,
    require_plates,
    training_plates,
    training_views,
)
from projects.numberplate.detect import to_input
from projects.numberplate.losses import detector_loss, reader_loss
from projects.numberplate.metrics import best_threshold, reading_metrics
from projects.numberplate.model import grid_points
from projects.numberplate.predictor import LOWEST_SCORE, PARTS, Predictor, detect_all, initial_weights, read_all
from projects.numberplate.sources import Photo
from shared.compute import distributed
from shared.data import splits
from shared.data.loader import Batches
from shared.runs import Run
from shared.training.loop import fit


def train(config: Config, run: Run) -> Predictor:
    """Train the detector, then the reader, and return the predictor."""
    data = PlateData(config.data)
    distributed.print_once(data.summary().details())
    require_plates(data, config.part)
    predictor = Predictor.initial(config)
    # Both data sets are built before the first training: errors in them are reported now, not hours later.
    views = training_views(data, config) if config.part in ("both", "detector") else None
    plates = training_plates(data, config) if config.part in ("both", "reader") else None
    fixed = FixedPlates(data.crops_of(splits.VALIDATION)) if plates is not None else None
    run.record(
        *(data.fingerprints(split, config.part) for split in (splits.TRAIN, splits.VALIDATION)),
        earlier=[path.parent for part in PARTS if (path := initial_weights(config, part))],
    )
    if views is not None:
        threshold = train_detector(predictor.detector, views, data.photos_of(splits.VALIDATION), config, run)
        predictor = replace(predictor, threshold=threshold)
    if plates is not None and fixed is not None:
        train_reader(predictor.reader, plates, fixed, config, run)
    return predictor


def train_detector(network: nn.Module, views: RandomViews, photos: list[Photo], config: Config, run: Run) -> float:
    """Train on random views of photos; return the score threshold with the best F1 on the validation photos."""
    settings, boxes = config.detector, [photo.boxes for photo in photos]
    points = grid_points(settings.image_size, settings.image_size)  # (N, 3)

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        images, boxes, corners = batch  # (B, S, S, 3) uint8, (B, M, 4), (B, M, 4, 2)
        outputs = network(to_input(images))  # (B, N, 13)
        return detector_loss(outputs, points.to(outputs.device), boxes, corners)

    def validate(network: nn.Module) -> dict[str, float]:
        return best_threshold(detect_all(network, photos, config.model.image_size), boxes, LOWEST_SCORE)[1]

    batches = Batches(views, settings.batch_size, settings.seed, settings.num_workers)
    fit(network, loss, batches, validate, settings, run.stage("detector"))
    return best_threshold(detect_all(network, photos, config.model.image_size), boxes, LOWEST_SCORE)[0]


def train_reader(network: nn.Module, plates: RandomPlates, fixed: FixedPlates, config: Config, run: Run) -> None:
    """Train on rectified plates and their texts."""
    settings = config.reader

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        images, texts, lengths = batch  # (B, 48, 160) uint8, (B, L), (B,)
        return reader_loss(network(images), texts, lengths)

    def validate(network: nn.Module) -> dict[str, float]:
        return reading_metrics([reading.text for reading in read_all(network, fixed)], fixed.texts)

    batches = Batches(plates, settings.batch_size, settings.seed, settings.num_workers)
    fit(network, loss, batches, validate, settings, run.stage("reader"))
