"""Train AlexNet on leaf photos.

python -m projects.plantdisease.train --config configs/plantdisease/sample.yaml    # offline, about 4 minutes
python -m projects.plantdisease.train --config configs/plantdisease/finetune.yaml --data.root DIR
torchrun --nproc-per-node 2 -m projects.plantdisease.train ...
"""

if __name__ == "__main__":  # the command line first: --help and mistakes answer before torch is loaded
    from projects.plantdisease.config import Config
    from shared.command import train as run_training

    run_training("projects.plantdisease.train", Config)

import torch.nn.functional as F
from torch import Tensor, nn

from projects.plantdisease.config import Config
from projects.plantdisease.data import Features, LeafData, Photos, trunk_features
from projects.plantdisease.finished import FinishedModel
from projects.plantdisease.model import build_model
from shared.data.images import augment, cut_mix, normalise
from shared.data.loader import Batches
from shared.evaluation.classification import classification_metrics
from shared.evaluation.predict import predict
from shared.runs import Run
from shared.training import distributed
from shared.training.device import seed_everything
from shared.training.loop import fit


def train(config: Config, run: Run) -> None:
    """Data, network, the head on frozen features, then all layers, and the finished model into the run."""
    data = LeafData(config.data)
    distributed.say(data.summary())
    head_first = config.model.weights != "none" and config.head.epochs > 0
    seed_everything((config.head if head_first else config.training).seed)
    model = build_model(config.model, classes=len(data.classes))

    # Stage 1: the trunk stays as it is, so its features are computed once and the head trains in seconds.
    if head_first:
        copies = trunk_features(model.trunk, data, config)

        def head_loss(head: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            features, targets = batch  # (B, D), (B,)
            return F.cross_entropy(head(features), targets, label_smoothing=config.head.label_smoothing)

        def validate_head(head: nn.Module) -> dict[str, float]:
            features = Features(data.validation, copies[:1])
            logits = predict(head, features, lambda batch: batch[0], precision=config.head.precision)
            return classification_metrics(logits, features.photos.targets)

        batches = Batches(Features(data.train, copies), config.head.batch_size, config.head.seed, config.head.workers)
        fit(model.head, head_loss, batches, validate_head, config.head, run.stage("head"))

    # Stage 2: all layers, on augmented photos; the trunk learns more slowly, it knows something already.
    if config.model.train == "all":
        recipe = config.training

        def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            photos, targets, seeds = batch  # (B, S, S, 3) uint8, (B,), (B,)
            images = augment(photos, seeds, config.augment, recipe.size)  # (B, 3, size, size)
            images, partners, own = cut_mix(images, seeds, config.augment.mix)
            logits = network(normalise(images, recipe.size))  # (B, classes)
            one = F.cross_entropy(logits, targets, label_smoothing=recipe.label_smoothing)
            other = F.cross_entropy(logits, targets[partners], label_smoothing=recipe.label_smoothing)
            return own * one + (1 - own) * other

        def validate(network: nn.Module) -> dict[str, float]:
            photos: Photos = data.validation
            logits = predict(
                network, photos, lambda batch: normalise(batch[0], config.model.size), precision=recipe.precision
            )
            return classification_metrics(logits, photos.targets)

        groups = [(model.head, 1.0), (model.trunk, recipe.trunk_factor)]
        batches = Batches(data.train, recipe.batch_size, recipe.seed, recipe.workers)
        fit(model, loss, batches, validate, recipe, run, groups)

    finished = FinishedModel.finish(model, data, config)
    if distributed.is_first():
        finished.save(run.model_file)
