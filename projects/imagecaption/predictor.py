"""The predictor: one file with everything needed to caption a raw photo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from projects.imagecaption.attention_maps import overlay
from projects.imagecaption.baselines import consensus_captions, constant_caption, nearest
from projects.imagecaption.config import Config, DecodeConfig
from projects.imagecaption.data import CaptionData, PhotoFiles, grid_features, references, resize_to_square
from projects.imagecaption.decode import decode
from projects.imagecaption.model import Captioner, build_model
from projects.imagecaption.sources import Photo
from projects.imagecaption.vocabulary import Vocabulary
from shared.compute.device import autocast, device_of, pick_device
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select

BATCH = 64
IN_DISTRIBUTION = 0.99  # fraction of the validation photos that are in distribution


@dataclass
class Prediction:
    """The caption of one photo."""

    words: list[str]
    """Its tokens."""
    caption: str
    """The words as a sentence."""
    log_probability: float
    """Sum over the words and, if it was reached, the end token."""
    attention: np.ndarray
    """Attention before each word (and the end token), (T, rows, columns)."""
    ood_score: float
    """Distance to the most similar training photo; above 1 the photo is out of distribution."""
    nearest: list[str]
    """The caption of that training photo."""

    @property
    def in_distribution(self) -> bool:
        return self.ood_score <= 1

    def __str__(self) -> str:
        answer = f"{self.caption}  (log-probability {self.log_probability:.1f})"
        if self.in_distribution:
            return answer
        return f"{answer}\n  out of distribution: unlike the training photos (score {self.ood_score:.1f})"


@dataclass
class Predictor:
    """Network, vocabulary, out-of-distribution detector, and the baselines to compare with.

    predictor = Predictor.load(Path("runs/imagecaption/.../model.safetensors"))
    print(predictor(read_image(Path("photo.jpg"))))
    """

    network: Captioner
    vocabulary: Vocabulary
    config: Config
    train_features: Tensor
    """Mean features of the training photos, float16 (N, C)."""
    train_captions: list[list[str]]
    """For each training photo the caption with the highest CIDEr against its other captions."""
    ood_threshold: float
    """1 - cosine similarity to the nearest training photo: the 99th percentile of the validation photos."""
    constant: list[str]
    """The one caption with the highest mean CIDEr over the training photos."""

    @classmethod
    def fit(cls, network: Captioner, vocabulary: Vocabulary, data: CaptionData, config: Config) -> "Predictor":
        """Fit the baselines on the training set, and the out-of-distribution threshold on the validation set."""
        network.to(pick_device(config.training.device))
        truth = references(data.train)
        train_features = mean_features(network, data.train, config)
        _, similarity = nearest(train_features, mean_features(network, data.validation, config))
        return cls(
            network=network.cpu().eval(),
            vocabulary=vocabulary,
            config=config,
            train_features=train_features,
            train_captions=consensus_captions(truth),
            ood_threshold=max(float(torch.quantile(1 - similarity, IN_DISTRIBUTION)), 1e-6),
            constant=constant_caption(truth),
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        about = {
            "project": "imagecaption",
            "config": self.config.model_dump(mode="json"),
            "words": self.vocabulary.words,
            "spellings": self.vocabulary.spellings,
            "train_captions": [" ".join(words) for words in self.train_captions],
            "ood_threshold": self.ood_threshold,
            "constant": self.constant,
        }
        save_model(path, {**tensors, "train_features": self.train_features}, about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "imagecaption")
        config = saved_settings(Config, about["config"], path)
        network = build_model(config.model, len(about["words"]), pretrained=False)
        load_network(network, select(tensors, "network."), path)
        return cls(
            network=network,
            vocabulary=Vocabulary(about["words"], about.get("spellings", {})),
            config=config,
            train_features=tensors["train_features"],
            train_captions=[caption.split() for caption in about["train_captions"]],
            ood_threshold=about["ood_threshold"],
            constant=about["constant"],
        )

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """RGB uint8 (H, W, 3) of any size -> a photo as in the training set, uint8 (S, S, 3)."""
        return resize_to_square(image, self.config.model.image_size)

    def __call__(self, image: np.ndarray, settings: DecodeConfig | None = None) -> Prediction:
        """RGB uint8 (H, W, 3) -> its caption. settings: of the decoding; default: those of the run."""
        features = encode(self.network, self.prepare(image)[None], self.config)
        return self._decode(features, settings or self.config.decode)[0]

    def explain(self, image: np.ndarray, prediction: Prediction | None = None) -> list[tuple[np.ndarray, str]]:
        """For every word of the caption: the photo with a heat map of the attention, uint8 (S, S, 3), and the word."""
        photo, answer = self.prepare(image), prediction or self(image)
        words = map(self.vocabulary.spell, answer.words)
        return [(overlay(photo, attention), word) for attention, word in zip(answer.attention, words)]

    def caption(
        self, photos: Sequence[Photo], settings: DecodeConfig | None = None, cache: Path | None = None
    ) -> list[Prediction]:
        """`__call__` for many photos on disk, on the training device. cache: folder of the frozen features
        (default: as in training)."""
        self.network.to(device_of(self.config.training.device))
        batches = encode_files(self.network, photos, self.config, cache)
        predictions = [answer for batch in batches for answer in self._decode(batch, settings or self.config.decode)]
        self.network.cpu()
        return predictions

    def _decode(self, features: Tensor, settings: DecodeConfig) -> list[Prediction]:
        """features float16 (B, L, C) -> a caption for each photo."""
        encoder, device = self.network.encoder, next(self.network.parameters()).device
        with torch.inference_mode():
            hypotheses = decode(self.network, features.to(device), settings, self.config.model.max_words)
        rows, similarity = nearest(self.train_features, features.float().mean(dim=1))
        captions = [self.vocabulary.decode(h.tokens) for h in hypotheses]
        return [
            Prediction(
                words=words,
                caption=self.vocabulary.sentence(words),
                log_probability=h.log_probability,
                attention=h.attention.reshape(-1, encoder.rows, encoder.columns),
                ood_score=(1 - s) / self.ood_threshold,
                nearest=self.train_captions[row],
            )
            for words, h, row, s in zip(captions, hypotheses, rows.tolist(), similarity.tolist())
        ]


def encode(network: Captioner, photos: np.ndarray, config: Config) -> Tensor:
    """Prepared photos, uint8 (B, S, S, 3) -> features float16 (B, L, C)."""
    device = next(network.parameters()).device
    with torch.inference_mode(), autocast(device, config.training.precision):
        return network.encoder(torch.from_numpy(photos).to(device)).half().cpu()


def encode_files(
    network: Captioner, photos: Sequence[Photo], config: Config, cache: Path | None = None
) -> Iterator[Tensor]:
    """Features of many photos on disk in batches, float16 (B, L, C); those of a frozen encoder are cached."""
    network.eval()
    starts, size = range(0, len(photos), BATCH), config.model.image_size
    if config.model.fine_tune:
        files = PhotoFiles([photo.path for photo in photos], size)
        yield from (encode(network, files[range(s, min(s + BATCH, len(photos)))], config) for s in starts)
        return
    device, precision = device_of(config.training.device), config.training.precision
    (features,) = grid_features(network.encoder, photos, size, cache or config.data.cache, device, precision)
    yield from (torch.from_numpy(np.array(features[s : s + BATCH])) for s in starts)


def mean_features(network: Captioner, photos: Sequence[Photo], config: Config) -> Tensor:
    """The mean over the grid points of every photo, float16 (N, C)."""
    return torch.cat([batch.float().mean(dim=1).half() for batch in encode_files(network, photos, config)])
