"""Image encoder: photos -> a feature map, from any convolutional backbone by name."""

from collections import OrderedDict
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
import torchvision
from torch import Tensor, nn

from projects.imagecaption.config import ModelConfig
from projects.imagecaption.efficientnet import EfficientNetLite0, imagenet_state
from shared.data.images import IMAGENET_MEAN, IMAGENET_STD, to_float
from shared.training.checkpoint import load_weights

HALF = (0.5, 0.5, 0.5)


class Encoder(nn.Module):
    """Photos uint8 (B, S, S, 3) -> features (B, L, C): a feature map of L = h * w grid points with C channels."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, network: nn.Module, size: int, mean: tuple[float, ...] = HALF, std: tuple[float, ...] = HALF
    ) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))
        with torch.inference_mode():
            try:
                probe = network.eval()(torch.zeros(1, 3, size, size))
                _, self.channels, self.rows, self.columns = probe.shape
                if self.rows != self.columns:
                    raise ValueError("channels last")
            except (AssertionError, RuntimeError, ValueError):
                raise ValueError("it does not end in a feature map; use a convolutional network") from None

    @property
    def grid_points(self) -> int:
        """L, the number of grid points of the feature map."""
        return self.rows * self.columns

    def forward(self, photos: Tensor) -> Tensor:
        images = (to_float(photos) - self.mean) / self.std  # (B, 3, S, S)
        features = self.network(images.contiguous(memory_format=torch.channels_last))  # (B, C, h, w)
        return features.flatten(2).transpose(1, 2)  # (B, L, C)


def build_encoder(config: ModelConfig, pretrained: bool = True) -> Encoder:
    """The encoder that the settings name. Without `pretrained` its weights are random, to be loaded from a saved run.

    Raises ValueError with one sentence.
    """
    name, size, weights = config.encoder, config.image_size, config.weights if pretrained else "none"
    try:
        if name in ("small", "efficientnet_lite0"):
            network = small_network() if name == "small" else EfficientNetLite0()
            if weights == "imagenet" and name == "small":
                raise ValueError("it has no ImageNet weights; use --model.weights none --model.fine_tune true")
            if weights == "imagenet":
                network.load_state_dict(imagenet_state())
            encoder = Encoder(network, size)
        elif name in torchvision.models.list_models(torchvision.models):
            encoder = Encoder(from_torchvision(name, weights == "imagenet"), size, IMAGENET_MEAN, IMAGENET_STD)
        else:
            network, mean, std = from_timm(name, weights == "imagenet")
            encoder = Encoder(network, size, mean, std)
    except ValueError as error:
        raise ValueError(f"model.encoder {name}: {error}") from None
    if weights not in ("imagenet", "none"):
        load_into(encoder.network, load_weights(Path(weights)), weights)
    return encoder


def small_network() -> nn.Sequential:
    """Six convolutions, for the sample: (B, 3, S, S) -> (B, 128, S / 8, S / 8)."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((3, 32, 2), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 128, 1)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def from_torchvision(name: str, imagenet: bool) -> nn.Module:
    """A torchvision classifier without its head: its last feature map."""
    try:
        network = torchvision.models.get_model(name, weights="DEFAULT" if imagenet else None)
    except (URLError, OSError) as error:
        raise ValueError(
            f"its ImageNet weights cannot be downloaded ({error}); use --model.weights FILE if you have them"
        ) from None
    if isinstance(features := getattr(network, "features", None), nn.Module):
        return features
    ends = (nn.AdaptiveAvgPool2d, nn.Linear)
    return nn.Sequential(OrderedDict(takewhile(lambda part: not isinstance(part[1], ends), network.named_children())))


def from_timm(name: str, imagenet: bool) -> tuple[nn.Module, tuple[float, ...], tuple[float, ...]]:
    """A timm backbone without its head, and the mean and standard deviation that its images are normalised with."""
    try:
        import timm
    except ImportError:
        raise ValueError("torchvision has no such network; for those of timm: pip install timm") from None
    if not timm.is_model(name):
        raise ValueError("neither torchvision nor timm has such a network")
    try:
        network = timm.create_model(name, pretrained=imagenet, num_classes=0, global_pool="")
    except Exception as error:  # any error of the hub client
        raise ValueError(
            f"its weights cannot be downloaded ({type(error).__name__}); use --model.weights FILE"
        ) from None
    about: dict[str, Any] = vars(network)["default_cfg"]
    return network, about["mean"], about["std"]


def load_into(network: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Load a state dict of the backbone or of a whole classifier, whose head is ignored. Raises ValueError."""
    own = network.state_dict()
    for prefix in ("", "features."):  # a whole torchvision classifier
        fits = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        missing = [key for key, value in own.items() if key not in fits or fits[key].shape != value.shape]
        if not missing:
            network.load_state_dict({key: fits[key] for key in own})
            return
    raise ValueError(f"the weights {name} do not fit the encoder: they have no {', '.join(missing[:3])}")
