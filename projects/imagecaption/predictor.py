"""A finished model: one file with everything needed to caption a raw photo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from projects.imagecaption.baselines import consensus, constant_caption, nearest
from projects.imagecaption.config import Config, DecodeConfig
from projects.imagecaption.data import CaptionData, Pictures, grid_features, references
from projects.imagecaption.decode import write
from projects.imagecaption.model import Captioner, build_model
from projects.imagecaption.sources import Photo
from projects.imagecaption.vocabulary import Vocabulary, sentence
from shared.compute.device import autocast, device_of, pick_device
from shared.training.checkpoint import load_model, save_model, saved_settings, select

BATCH = 64
ACCEPTED = 0.99  # part of the validation photos that are taken for familiar


@dataclass
class Caption:
    """What the network says about one photo."""

    words: list[str]
    log_probability: float
    attention: np.ndarray
    """Where it looked before each word, (T, rows, columns)."""
    ood_score: float
    """Distance to the most similar training photo; above 1 the photo is unlike them."""

    def __str__(self) -> str:
        return sentence(self.words)


@dataclass
class Predictor:
    """Network, words, what the training photos looked like, and the baselines to compare with."""

    network: Captioner
    vocabulary: Vocabulary
    config: Config
    known: Tensor
    """Mean features of the training photos, float16 (N, C)."""
    known_captions: list[list[str]]
    """Of each of them the caption that agrees most with its others."""
    threshold: float
    """1 - cosine to the nearest training photo that 99 % of the validation photos stay below."""
    constant: list[str]
    """The one caption that fits most training photos."""

    @classmethod
    def finish(cls, network: Captioner, vocabulary: Vocabulary, data: CaptionData, config: Config) -> "Predictor":
        """Remember the training photos and measure on the validation photos how unlike them a usual photo is."""
        network.to(pick_device(config.training.device))
        truth = references(data.train)
        known = mean_features(network, data.train, config)
        _, cosine = nearest(known, mean_features(network, data.validation, config))
        return cls(
            network=network.cpu().eval(),
            vocabulary=vocabulary,
            config=config,
            known=known,
            known_captions=consensus(truth),
            threshold=max(float(torch.quantile(1 - cosine, ACCEPTED)), 1e-6),
            constant=constant_caption(truth),
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        about = {
            "project": "imagecaption",
            "config": self.config.model_dump(mode="json"),
            "words": self.vocabulary.words,
            "known_captions": [" ".join(words) for words in self.known_captions],
            "threshold": self.threshold,
            "constant": self.constant,
        }
        save_model(path, {**tensors, "known": self.known}, about)

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "imagecaption")
        config = saved_settings(Config, about["config"], path)
        network = build_model(config.model, config.model.image_size, len(about["words"]), pretrained=False)
        network.load_state_dict(select(tensors, "network."))
        return cls(
            network=network.eval(),
            vocabulary=Vocabulary(about["words"]),
            config=config,
            known=tensors["known"],
            known_captions=[caption.split() for caption in about["known_captions"]],
            threshold=about["threshold"],
            constant=about["constant"],
        )

    def with_cache(self, cache: Path) -> "Predictor":
        """The same model, with another place for the features of frozen encoders."""
        data = self.config.data.model_copy(update={"cache": cache})
        return replace(self, config=self.config.model_copy(update={"data": data}))

    def __call__(self, photos: np.ndarray, decode: DecodeConfig | None = None) -> list[Caption]:
        """uint8 (B, S, S, 3), as `Pictures` reads them -> a caption for each."""
        device = next(self.network.parameters()).device
        return self._caption(encode(self.network, photos, self.config), decode, device)

    def caption(self, photos: Sequence[Photo], decode: DecodeConfig | None = None) -> list[Caption]:
        """`__call__` for many photos on disk, on the device that trains."""
        device = device_of(self.config.training.device)
        self.network.to(device)
        captions = [c for grid in grids(self.network, photos, self.config) for c in self._caption(grid, decode, device)]
        self.network.cpu()
        return captions

    def nearest(self, photos: Sequence[Photo]) -> list[list[str]]:
        """For every photo a caption of the training photo that attention_maps most alike."""
        indices, _ = nearest(self.known, mean_features(self.network, photos, self.config))
        return [self.known_captions[index] for index in indices.tolist()]

    def _caption(self, grid: Tensor, decode: DecodeConfig | None, device: torch.device) -> list[Caption]:
        """grid float16 (B, L, C) -> a caption for each photo."""
        encoder = self.network.encoder
        with torch.inference_mode():
            written = write(self.network, grid.to(device), decode or self.config.decode, self.config.model.max_words)
        _, cosine = nearest(self.known, grid.float().mean(dim=1))
        return [
            Caption(
                self.vocabulary.decode(w.words), w.log_probability,
                w.attention.reshape(-1, encoder.rows, encoder.columns), (1 - c) / self.threshold,
            )
            for w, c in zip(written, cosine.tolist())
        ]  # fmt: skip


def encode(network: Captioner, photos: np.ndarray, config: Config) -> Tensor:
    """uint8 (B, S, S, 3) -> what the decoder sees of them, float16 (B, L, C)."""
    device = next(network.parameters()).device
    with torch.inference_mode(), autocast(device, config.training.precision):
        return network.encoder(torch.from_numpy(photos).to(device)).half().cpu()


def grids(network: Captioner, photos: Sequence[Photo], config: Config) -> Iterator[Tensor]:
    """What the decoder sees of many photos, in batches, float16 (B, L, C); a frozen encoder's are kept in the cache."""
    network.eval()
    starts = range(0, len(photos), BATCH)
    if config.model.fine_tune:
        pictures = Pictures([photo.path for photo in photos], config.model.image_size)
        yield from (encode(network, pictures[range(s, min(s + BATCH, len(photos)))], config) for s in starts)
        return
    device, precision, data = device_of(config.training.device), config.training.precision, config.data
    (features,) = grid_features(network.encoder, photos, config.model.image_size, data.cache, device, precision)
    yield from (torch.from_numpy(np.array(features[s : s + BATCH])) for s in starts)


def mean_features(network: Captioner, photos: Sequence[Photo], config: Config) -> Tensor:
    """The mean over the grid of every photo, float16 (N, C)."""
    return torch.cat([grid.float().mean(dim=1).half() for grid in grids(network, photos, config)])
