"""Train a network to caption photos.

python -m projects.imagecaption.train --config configs/imagecaption/sample.yaml    # offline, about 5 minutes
python -m projects.imagecaption.train --config configs/imagecaption/flickr8k.yaml --data.root DIR
torchrun --nproc-per-node 2 -m projects.imagecaption.train ...
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.imagecaption.config import Config
from projects.imagecaption.data import (
    TRAINED,
    VALIDATED,
    CaptionData,
    CaptionedPhotos,
    fingerprints,
    grid_features,
    references,
    to_dataset,
)
from projects.imagecaption.decode import decode_dataset, sample, to_tensor
from projects.imagecaption.metrics import Cider, caption_metrics
from projects.imagecaption.model import Captioner, build_model
from projects.imagecaption.predictor import Predictor
from projects.imagecaption.sources import Photo
from projects.imagecaption.vocabulary import PAD, Vocabulary, spellings
from shared.compute import distributed
from shared.compute.device import pick_device
from shared.data.loader import Batches
from shared.data.provenance import Fingerprints, Provenance
from shared.runs import Run
from shared.training.loop import fit

Batch = tuple[Tensor, Tensor, Tensor]


def train(config: Config, run: Run) -> Predictor:
    """Train with cross entropy, then optionally on CIDEr (SCST), and return the predictor."""
    data, settings, max_words = CaptionData(config.data), config.training, config.model.max_words
    distributed.print_once(data.summary(config).details())
    record_photos(data, settings.init_from, run)
    vocabulary, model = build(config, data)
    training = to_captioned(data.train, vocabulary, model, config, settings.horizontal_flip)
    validation = to_captioned(data.validation, vocabulary, model, config)
    truth = references(data.validation)
    scorer, greedy = Cider(truth), config.decode.model_copy(update={"beam_size": 1, "top_p": 0.0})

    def validate(network: Any) -> dict[str, float]:
        """Without teacher forcing: each word follows the words that the network generated, as in prediction."""
        hypotheses = decode_dataset(network, validation, greedy, max_words, settings.precision)
        return caption_metrics([vocabulary.decode(h.tokens) for h in hypotheses], truth, scorer)

    # Stage 1: cross entropy of the next word, with teacher forcing.
    def loss(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        inputs, captions, _ = batch  # (B, L, C) or (B, S, S, 3), (B, K, T + 1), (B,)
        logits, attention = network(inputs, captions)  # (N, V), (B, K, T, L)
        targets = captions[:, :, 1:]
        cross_entropy = F.cross_entropy(logits, targets[targets != PAD], label_smoothing=settings.label_smoothing)
        attended = attention.sum(dim=2)[captions[:, :, 0] != PAD]  # sum_t alpha_ti of every caption, (captions, L)
        doubly_stochastic = (1 - attended).square().mean()  # sum_t alpha_ti = 1 for every grid point i
        total_loss = cross_entropy + settings.attention_regularisation * doubly_stochastic
        return {"loss": total_loss, "cross_entropy": cross_entropy}

    groups = [(model.decoder, 1.0), (model.encoder, settings.encoder_lr_factor)]
    if settings.epochs:
        batches = Batches(training, settings.batch_size, settings.seed, settings.num_workers, training.lengths)
        fit(model, loss, batches, validate, settings, run, groups)

    # Stage 2: self-critical sequence training. Sampled captions with a higher CIDEr than the other samples of the same
    # photo become more probable.
    scst = config.scst
    if scst.epochs:
        reward = Cider([[[*words, "<end>"] for words in several] for several in references(data.train)])

        def policy_gradient(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
            inputs, _, rows = batch
            model.eval()  # no dropout: samples and log-probabilities must come from the same network
            samples = sample(model, inputs, scst.num_samples, max_words, scst.top_p)  # B x K
            captions = to_tensor(samples).to(inputs.device)  # (B, K, T + 1)
            words = [vocabulary.decode(h.tokens, end=True) for several in samples for h in several]
            scores = reward(words, rows.repeat_interleave(scst.num_samples).tolist())
            r = torch.from_numpy(scores).float().view(len(samples), -1)  # (B, K)
            baseline = (r.sum(dim=1, keepdim=True) - r) / (scst.num_samples - 1)  # mean reward of the other samples
            advantage = (r - baseline).to(inputs.device).unsqueeze(2)  # (B, K, 1)
            logits, _ = network(inputs, captions)  # (N, V)
            targets = captions[:, :, 1:]
            mask = targets != PAD  # (B, K, T)
            negative_log_p = F.cross_entropy(logits, targets[mask], reduction="none")  # - log p of every word, (N,)
            return {"loss": (advantage.expand_as(mask)[mask] * negative_log_p).mean(), "reward": r.mean()}

        first_stage = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        batches = Batches(training, scst.batch_size, scst.seed, scst.num_workers)
        fit(model, policy_gradient, batches, validate, scst, run.stage("scst"), groups)
        model.load_state_dict(interpolate_weights(first_stage, model.state_dict(), scst.interpolation))

    return Predictor.fit(model, vocabulary, data, config)


def interpolate_weights(first: dict[str, Tensor], second: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
    """first + factor * (second - first)."""
    return {k: torch.lerp(first[k].cpu(), v, factor) if v.is_floating_point() else v for k, v in second.items()}


def build(config: Config, data: CaptionData) -> tuple[Vocabulary, Captioner]:
    """The vocabulary of the training captions and a new network, or those of the run in `training.init_from`."""
    path = config.training.init_from
    if path is None:
        words = [words for several in references(data.train) for words in several]
        spelt = spellings(caption for photo in data.train for caption in photo.captions)
        vocabulary = Vocabulary.build(words, config.model.min_count, spelt)
        return vocabulary, build_model(config.model, len(vocabulary))
    earlier = Predictor.load(path)
    model = build_model(config.model, len(earlier.vocabulary), pretrained=False)
    try:
        model.load_state_dict(earlier.network.state_dict())
    except RuntimeError:
        raise ValueError(f"training.init_from {path} has a network with settings other than those of `model`") from None
    return earlier.vocabulary, model


def record_photos(data: CaptionData, init_from: Path | None, run: Run) -> None:
    """Record the training and validation photos in the run.

    Raises ValueError if the initial weights were trained on photos of the present validation or test set.
    """
    training, validation = fingerprints(data.train, TRAINED), fingerprints(data.validation, VALIDATED)
    if init_from is None:
        run.record(training, validation)
        return
    items = Provenance.load(init_from.parent).items
    if items is None or items.fit is None or items.perceptual is None:
        raise ValueError(
            f"training.init_from {init_from} is in a folder without the record of the run's training photos "
            "(provenance.safetensors), so data leakage cannot be excluded"
        )
    trained = items.fit == TRAINED
    earlier = Provenance(Fingerprints(items.exact[trained], items.perceptual[trained]))
    held_out = Fingerprints.join(validation, fingerprints(data.test, VALIDATED))
    if count := earlier.seen(Fingerprints(held_out.exact, held_out.perceptual), keep=True).count:
        raise ValueError(
            f"training.init_from {init_from} was trained on {count} photos of the validation or test set: its split "
            "differs from this one"
        )
    run.record(training, validation, earlier=[init_from.parent])


def to_captioned(
    photos: list[Photo], vocabulary: Vocabulary, model: Captioner, config: Config, horizontal_flip: bool = False
) -> CaptionedPhotos:
    """A dataset of photos; the features of a frozen encoder are computed here."""
    settings, features = config.training, []
    if not config.model.fine_tune:
        features = grid_features(
            model.encoder, photos, config.model.image_size, config.data.cache, pick_device(settings.device),
            settings.precision, horizontal_flip,
        )  # fmt: skip
    return to_dataset(photos, vocabulary, features, config.model.image_size, config.model.max_words, horizontal_flip)
