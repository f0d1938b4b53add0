"""Train a network to say what a photo shows.

python -m projects.imagecaption.train --config configs/imagecaption/sample.yaml    # offline, about 5 minutes
python -m projects.imagecaption.train --config configs/imagecaption/flickr8k.yaml --data.root DIR
torchrun --nproc-per-node 2 -m projects.imagecaption.train ...
"""

if __name__ == "__main__":  # the command line first: --help and mistakes answer before torch is loaded
    from projects.imagecaption.config import Config
    from shared.command import train as run_training

    run_training("projects.imagecaption.train", Config)

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.imagecaption.config import Config
from projects.imagecaption.data import CaptionData, Captioned, grid_features, references, to_dataset
from projects.imagecaption.decode import as_tensor, sample, write_all
from projects.imagecaption.metrics import Cider, caption_metrics
from projects.imagecaption.model import Captioner, build_model
from projects.imagecaption.predictor import Predictor
from projects.imagecaption.sources import Photo
from projects.imagecaption.vocabulary import PAD, Vocabulary
from shared.command import divided_anew
from shared.compute import distributed
from shared.compute.device import pick_device
from shared.data.loader import Batches
from shared.runs import Run
from shared.training.loop import fit

Batch = tuple[Tensor, Tensor, Tensor]


def train(config: Config, run: Run) -> None:
    """Data, words, network, cross entropy, then CIDEr itself, and the finished model into the run."""
    data, settings, longest = CaptionData(config.data), config.training, config.model.max_words
    distributed.print_once(data.summary())
    vocabulary, model = begin(config, data)
    training = to_captioned(data.train, vocabulary, model, config, settings.horizontal_flip)
    validation = to_captioned(data.validation, vocabulary, model, config)
    truth = references(data.validation)
    scorer, greedy = Cider(truth), config.decode.model_copy(update={"beam_size": 1, "top_p": 0.0})

    def validate(network: Any) -> dict[str, float]:
        """Free-running: the network reads its own words, as it will later."""
        written = write_all(network, validation, greedy, longest, settings.precision)
        return caption_metrics([vocabulary.decode(w.words) for w in written], truth, scorer)

    # Stage 1: say the next word of what people said.
    def loss(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        seen, captions, _ = batch  # (B, L, C) or (B, S, S, 3), (B, K, T + 1), (B,)
        logits, attention = network(seen, captions)  # (W, V), (B, K, T, L)
        targets = captions[:, :, 1:]
        words = F.cross_entropy(logits, targets[targets != PAD], label_smoothing=settings.label_smoothing)
        looked = attention.sum(dim=2)[captions[:, :, 0] != PAD]  # (N, L): in a whole caption
        everywhere = (1 - looked).square().mean()  # doubly stochastic: sum_t alpha_ti = 1
        return {"loss": words + settings.attention_regularisation * everywhere, "words": words}

    groups = [(model.decoder, 1.0), (model.encoder, settings.encoder_lr_factor)]
    if settings.epochs:
        batches = Batches(training, settings.batch_size, settings.seed, settings.num_workers, training.lengths)
        fit(model, loss, batches, validate, settings, run, groups)

    # Stage 2: of several captions of its own, say those more often that people would score higher.
    critic = config.scst
    if critic.epochs:
        reward = Cider([[[*words, "<end>"] for words in several] for several in references(data.train)])

        def self_critical(network: nn.Module, batch: Batch) -> dict[str, Tensor]:
            seen, _, rows = batch
            model.eval()  # no dropout: what is scored must be what it would say
            drawn = sample(model, seen, critic.num_samples, longest, critic.top_p)  # B x K
            captions = as_tensor(drawn).to(seen.device)  # (B, K, T + 1)
            said = [vocabulary.decode(w.words, end=True) for several in drawn for w in several]
            scores = reward(said, rows.repeat_interleave(critic.num_samples).tolist())
            r = torch.from_numpy(scores).float().view(len(drawn), -1)  # (B, K)
            others = (r.sum(dim=1, keepdim=True) - r) / (critic.num_samples - 1)  # the mean of the other samples
            advantage = (r - others).to(seen.device).unsqueeze(2)  # (B, K, 1)
            logits, _ = network(seen, captions)  # (W, V)
            targets = captions[:, :, 1:]
            spoken = targets != PAD  # (B, K, T)
            surprise = F.cross_entropy(logits, targets[spoken], reduction="none")  # - log p of every word
            return {"loss": (advantage.expand_as(spoken)[spoken] * surprise).mean(), "reward": r.mean()}

        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        batches = Batches(training, critic.batch_size, critic.seed, critic.num_workers)
        fit(model, self_critical, batches, validate, critic, run.stage("scst"), groups)
        model.load_state_dict(interpolate_weights(before, model.state_dict(), critic.interpolation))

    finished = Predictor.finish(model, vocabulary, data, config)
    if distributed.is_first():
        finished.save(run.model_file)


def interpolate_weights(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Weights that have gone this share of the way from the first to the second."""
    return {k: torch.lerp(first[k].cpu(), v, share) if v.is_floating_point() else v for k, v in second.items()}


def begin(config: Config, data: CaptionData) -> tuple[Vocabulary, Captioner]:
    """The words of the training captions and a new network, or those of the run to go on from."""
    if config.training.init_from is None:
        words = [words for several in references(data.train) for words in several]
        vocabulary = Vocabulary.build(words, config.model.min_count)
        return vocabulary, build_model(config.model, config.model.image_size, len(vocabulary))
    earlier = Predictor.load(config.training.init_from)
    if divided_anew(earlier.config.data.model_dump(), config.data.model_dump()):
        known = {photo.path for photo in CaptionData(earlier.config.data).train}
        if seen := sum(photo.path in known for photo in (*data.validation, *data.test)):
            raise ValueError(
                f"training.init_from {config.training.init_from} was trained on {seen} of the photos to validate or test on: "
                "it divided them in another way"
            )
    model = build_model(config.model, config.model.image_size, len(earlier.vocabulary), pretrained=False)
    try:
        model.load_state_dict(earlier.network.state_dict())
    except RuntimeError:
        raise ValueError(
            f"training.init_from {config.training.init_from} is a network of other settings than `model`"
        ) from None
    return earlier.vocabulary, model


def to_captioned(
    photos: list[Photo], vocabulary: Vocabulary, model: Captioner, config: Config, mirror: bool = False
) -> Captioned:
    """A dataset of photos; a frozen encoder attention_maps at every one only once, before training."""
    data, views = config.data, []
    if not config.model.fine_tune:
        device, precision = pick_device(config.training.device), config.training.precision
        views = grid_features(model.encoder, photos, config.model.image_size, data.cache, device, precision, mirror)
    return to_dataset(photos, vocabulary, views, config.model.image_size, config.model.max_words, mirror)
