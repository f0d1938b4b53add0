"""AlexNet for leaves: a backbone that extracts features and a head that classifies them.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012, in the
single-tower form of torchvision (Krizhevsky 2014). Transfer learning as in Mohanty, Hughes, Salathe 2016.
"""

import math
from pathlib import Path
from urllib.error import URLError

import torch
import torchvision
from torch import Tensor, nn

from projects.plantdisease.config import ModelConfig
from shared.training.checkpoint import load_weights


class LeafNet(nn.Module):
    """A torchvision classifier in two parts. images (B, 3, H, W), normalised -> logits (B, classes)."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        features = self.backbone(images)  # (B, 9216) for AlexNet: 256 maps of 6 x 6
        return self.head(features)  # (B, classes)


class TestTimeAugmentation(nn.Module):
    """The mean prediction over several views of a photo. images (B, 3, S, S) -> logits (B, classes): the network's own
    for one view, else the log of the mean probabilities over quarter turns (4 views) and their mirror images (8)."""

    def __init__(self, network: LeafNet, count: int) -> None:
        super().__init__()
        self.network = network
        self.count = count

    def forward(self, images: Tensor) -> Tensor:
        if self.count == 1:
            return self.network(images)
        turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
        views = (turned + [view.flip(3) for view in turned])[: self.count]
        return torch.stack([self.network(view).log_softmax(1) for view in views]).logsumexp(0) - math.log(self.count)


def build_model(config: ModelConfig, classes: int) -> LeafNet:
    """The network that the settings name, with its weights. Raises ValueError with one sentence."""
    if config.backbone not in torchvision.models.list_models(torchvision.models):
        raise ValueError(f"model.backbone {config.backbone} is not a classification network of torchvision")
    if config.backbone.startswith(("googlenet", "inception", "squeezenet")):
        raise ValueError(f"model.backbone {config.backbone} does not end in one head of linear layers; take another")
    if config.backbone.startswith(("vit", "swin", "maxvit")):
        raise ValueError(f"model.backbone {config.backbone} is a transformer; take a network of convolutions")
    network = torchvision.models.get_model(config.backbone, weights=None, num_classes=classes)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = config.dropout
    if config.weights == "none":
        initialise(network)
    else:
        load_into(network, pretrained(config), config.weights)
    # the last part of every torchvision classifier is its head: classifier, fc, heads ...
    name, head = list(network.named_children())[-1]
    setattr(network, name, nn.Identity())
    return LeafNet(network, head)


def initialise(network: nn.Module) -> None:
    """Random weights whose activations neither grow nor fade from layer to layer (He et al. 2015)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def pretrained(config: ModelConfig) -> dict[str, Tensor]:
    """The state dict that `model.weights` names: torchvision's download or a file."""
    if config.weights != "imagenet":
        return load_weights(Path(config.weights))
    try:
        weights = torchvision.models.get_weight(
            f"{torchvision.models.get_model_weights(config.backbone).__name__}.DEFAULT"
        )
        return dict(weights.get_state_dict(check_hash=True))
    except (URLError, OSError, RuntimeError) as error:
        raise ValueError(
            f"the ImageNet weights of {config.backbone} cannot be downloaded ({error}); "
            "use --model.weights FILE if you have them, or none"
        ) from None


def load_into(network: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Load a whole state dict or only its backbone. Head layers of another size (other classes) are passed over."""
    own = network.state_dict()
    head = list(network.named_children())[-1][0]
    unknown = sorted(set(state) - set(own))
    unfit = [key for key in set(state) & set(own) if state[key].shape != own[key].shape and not key.startswith(head)]
    missing = [key for key in own if key not in state and not key.startswith(head)]
    for problem, keys in (("unknown", unknown), ("other shapes of", unfit), ("no", missing)):
        if keys:
            raise ValueError(f"the weights {name} do not fit the network: they have {problem} {', '.join(keys[:3])}")
    network.load_state_dict({k: v for k, v in state.items() if v.shape == own[k].shape}, strict=False)


def last_convolution(network: nn.Module) -> nn.Module | None:
    """The last convolution, whose feature maps serve Grad-CAM and out-of-distribution detection; None without one."""
    return next((module for module in reversed(list(network.modules())) if isinstance(module, nn.Conv2d)), None)


def network_name(network: nn.Module, backbone: str) -> str:
    """The network's name for reports: that of the backbone's class, or torchvision's more exact one (`resnet18`)."""
    name = type(getattr(network, "backbone", network)).__name__
    exact = backbone.replace("_", "").startswith(name.lower()) and name != "AlexNet"
    return backbone if exact else name
