"""Train AlexNet on leaf photos.

python -m projects.plantdisease.train --config configs/plantdisease/sample.yaml    # offline, about 4 minutes
python -m projects.plantdisease.train --config configs/plantdisease/finetune.yaml --data.root DIR
torchrun --nproc-per-node 2 -m projects.plantdisease.train ...
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import torch.nn.functional as F
from torch import Tensor, nn

from projects.plantdisease.config import Config
from projects.plantdisease.data import Features, LeafData, Photos, backbone_features
from projects.plantdisease.model import LeafNet, build_model
from projects.plantdisease.predictor import Predictor
from shared.compute.device import seed_everything
from shared.data.augmentation import augment, cut_mix
from shared.data.images import normalise
from shared.data.loader import Batches
from shared.evaluation.inference import predict
from shared.evaluation.metrics import classification_metrics
from shared.runs import Run
from shared.training.loop import fit


def train(config: Config, run: Run) -> Predictor:
    """Data and network; the head on frozen features, then all layers; the predictor."""
    data = LeafData(config.data, config.model.decode_size)
    run.describe(data.summary())
    run.record(data.fingerprints(data.train), data.fingerprints(data.validation))
    head_first = config.model.weights != "none" and config.head.epochs > 0
    seed_everything((config.head if head_first else config.training).seed)
    model = build_model(config.model, classes=len(data.classes))
    if not isinstance(model, LeafNet):
        raise ValueError(f"build_model must return a LeafNet(backbone, head), not a {type(model).__name__}")

    # Stage 1: the backbone is frozen, so its features are computed once and the head trains in seconds.
    if head_first:
        copies = backbone_features(model.backbone, data, config)

        def head_loss(head: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
            features, targets = batch  # (B, D), (B,)
            return F.cross_entropy(head(features), targets, label_smoothing=config.head.label_smoothing)

        def validate_head(head: nn.Module) -> dict[str, float]:
            features = Features(data.validation, copies[:1])
            logits = predict(head, features, precision=config.head.precision)
            return classification_metrics(logits, features.photos.targets)

        batches = Batches(
            Features(data.train, copies), config.head.batch_size, config.head.seed, config.head.num_workers
        )
        fit(model.head, head_loss, batches, validate_head, config.head, run.stage("head"))

    # Stage 2: fine-tuning of all layers on augmented photos, with a smaller learning rate for the backbone.
    if config.model.train == "all":
        settings = config.training

        def loss(network: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            photos, targets, seeds = batch  # (B, S, S, 3) uint8, (B,), (B,)
            images = augment(photos, seeds, config.augment, settings.image_size)  # (B, 3, size, size)
            images, partners, own = cut_mix(images, seeds, config.augment.cutmix)
            logits = network(normalise(images, settings.image_size))  # (B, classes)
            one = F.cross_entropy(logits, targets, label_smoothing=settings.label_smoothing)
            other = F.cross_entropy(logits, targets[partners], label_smoothing=settings.label_smoothing)
            return own * one + (1 - own) * other

        def validate(network: nn.Module) -> dict[str, float]:
            photos: Photos = data.validation
            logits = predict(
                network,
                photos,
                lambda batch: normalise(batch[0], config.model.image_size),
                precision=settings.precision,
            )
            return classification_metrics(logits, photos.targets)

        groups = [(model.head, 1.0), (model.backbone, settings.backbone_lr_factor)]
        batches = Batches(data.train, settings.batch_size, settings.seed, settings.num_workers)
        fit(model, loss, batches, validate, settings, run, groups)

    return Predictor.fit(model, data, config)
