"""Two small networks: one detects plates and their corners, one reads them.

Detector: anchor-free (FCOS, Tian et al. 2019) on a feature pyramid (Lin et al. 2017); every grid point of three feature
maps predicts whether it is near the centre of a plate, and that plate's box and corners. Reader: convolutions, a
recurrent layer and CTC (CRNN, Shi et al. 2015; Graves et al. 2006). It reads the upper and then the lower half of a
plate as one sequence, so one network handles plates of one and of two lines (Cao et al. 2020).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.numberplate.formats import CHARACTERS

STRIDES = (8, 16, 32)
OUTPUTS = 13
"""Of every grid point: score, centre (2), log size (2), corners (8)."""
READER_SIZE = (48, 160)
"""Height and width in pixels of the reader's input."""
SQUARE = torch.tensor([-1.0, -1, 1, -1, 1, 1, -1, 1])
"""Corners of an upright plate in units of half its box, clockwise from the top left."""


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | None = None,
    ) -> None:
        if padding is None:
            assert isinstance(kernel, int)
            padding = kernel // 2
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """x + two convolutions of x, the first of half the channels (Redmon & Farhadi 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(channels, channels // 2, 1), Conv(channels // 2, channels, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SpatialPyramidPooling(nn.Module):
    """Max pooling over neighbourhoods of three sizes (He et al. 2015): a receptive field as large as a plate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = Conv(channels, channels // 2, 1)
        self.fuse = Conv(channels * 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.reduce(x)]
        for _ in range(3):
            maps.append(F.max_pool2d(maps[-1], 5, 1, 2))
        return self.fuse(torch.cat(maps, dim=1))


class Detector(nn.Module):
    """images (B, 3, H, W) in 0..1, H and W multiples of 32 -> (B, N, 13), in the order of `grid_points(H, W)`."""

    def __init__(self, width_multiplier: float = 1.0) -> None:
        super().__init__()
        a, b, c, d, e, n = (
            8 * max(1, round(channels * width_multiplier / 8)) for channels in (16, 32, 64, 128, 160, 64)
        )
        self.to_8 = nn.Sequential(Conv(3, a, 3, 2), Conv(a, b, 3, 2), Residual(b), Conv(b, c, 3, 2), Residual(c))
        self.to_16 = nn.Sequential(Conv(c, d, 3, 2), Residual(d), Residual(d))
        self.to_32 = nn.Sequential(Conv(d, e, 3, 2), Residual(e), Residual(e), SpatialPyramidPooling(e))
        self.lateral = nn.ModuleList(nn.Conv2d(channels, n, 1) for channels in (c, d, e))
        self.smooth = nn.ModuleList(Conv(n, n, 3) for _ in STRIDES)
        self.head = Conv(n, n, 3)
        self.out = nn.Conv2d(n, OUTPUTS, 1)
        nn.init.zeros_(self.out.weight)
        prior = torch.cat([torch.tensor([-4.5, 0, 0, 1.2, 0]), SQUARE])  # at first: no plate, else wide and upright
        self.out.bias = nn.Parameter(prior)

    def forward(self, images: Tensor) -> Tensor:
        x = images * 4 - 2
        c3 = self.to_8(x)  # (B, c, H/8, W/8)
        c4 = self.to_16(c3)  # (B, d, H/16, W/16)
        maps = [c3, c4, self.to_32(c4)]  # the last one (B, e, H/32, W/32)
        maps = [lateral(m) for lateral, m in zip(self.lateral, maps)]  # n channels each
        for i in (1, 0):  # top-down: coarse maps are added to finer ones
            maps[i] = maps[i] + F.interpolate(maps[i + 1], scale_factor=2.0, mode="nearest")
        outputs = [self.out(self.head(smooth(m))) for smooth, m in zip(self.smooth, maps)]  # (B, 13, h, w)
        return torch.cat([o.flatten(2) for o in outputs], dim=2).transpose(1, 2)  # (B, N, 13)


def grid_points(height: int, width: int) -> Tensor:
    """Position and stride in pixels of every grid point of the detector, (N, 3): x, y, stride."""
    found = []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        found.append(
            torch.stack([(x + 0.5) * stride, (y + 0.5) * stride, torch.full_like(x, stride)], dim=2).view(-1, 3)
        )
    return torch.cat(found).float()


def decode(outputs: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (..., N, 4) and corners (..., N, 4, 2) in pixels. outputs (..., N, 13), points (N, 3)."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3] * points[:, 2:]  # (..., N, 2)
    half = 0.5 * points[:, 2:] * outputs[..., 3:5].clamp(-4, 5).exp()  # (..., N, 2)
    boxes = torch.cat([centre - half, centre + half], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (4, 2)) * half.unsqueeze(-2) + centre.unsqueeze(-2)
    return boxes, corners


class Reader(nn.Module):
    """plates (B, 48, 160) uint8, grey -> logits (T, B, 37): at each step blank (0) or a character (1 + its number)."""

    def __init__(self, hidden_size: int = 96) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            Conv(1, 24),
            Conv(24, 32, 3, 2),  # (B, 32, 24, 80)
            Conv(32, 64),
            nn.MaxPool2d(2),  # (B, 64, 12, 40)
            Conv(64, 96),
            Conv(96, 96),
            nn.MaxPool2d((2, 1)),  # (B, 96, 6, 40)
            Conv(96, 128),
            Conv(128, 128),
            Conv(128, 160, (3, 1), (3, 1), (0, 0)),  # (B, 160, 2, 40)
        )
        self.recurrent = nn.LSTM(160, hidden_size, num_layers=1, bidirectional=True)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(2 * hidden_size, 1 + len(CHARACTERS))

    def forward(self, plates: Tensor) -> Tensor:
        x = plates.float().unsqueeze(1)  # (B, 1, 48, 160)
        x = (x - x.mean(dim=(2, 3), keepdim=True)) / (x.std(dim=(2, 3), keepdim=True) + 4)  # contrast normalisation
        maps = self.backbone(x)  # (B, 160, 2, 40)
        steps = maps.flatten(2).permute(2, 0, 1)  # (80, B, 160): the upper half, then the lower
        states, _ = self.recurrent(self.drop(steps))  # (80, B, 2 * hidden_size)
        return self.out(self.drop(states))  # (80, B, 37)
