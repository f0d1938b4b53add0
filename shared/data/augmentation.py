"""Fast random transforms of whole batches of photos, on the CPU or the GPU."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from shared.data.config import AugmentConfig
from shared.data.images import to_float


def augment(images: Tensor, seeds: Tensor, config: AugmentConfig, size: int) -> Tensor:
    """Random view of every image, a function of its own seed alone: uint8 (B, H, W, 3) -> float (B, 3, size, size).

    One resampling for crop, scale, rotation and mirror, then contrast, saturation, light and white balance; works on
    the whole batch at once, on the CPU or the GPU.
    """
    x = to_float(images)  # (B, 3, H, W)
    # 32 numbers in 0..1 for every image, from its own seed
    draws = np.stack([np.random.default_rng(int(seed)).random(32) for seed in seeds.tolist()]).astype(np.float32)
    u = torch.from_numpy(draws).to(x.device).T  # (32, B)

    def interpolate(low: float, high: float, draw: Tensor) -> Tensor:
        return low + (high - low) * draw

    if config.random_background:
        x = torch.where((u[20] < config.random_background).view(-1, 1, 1, 1), replace_background(x, u[21:32]), x)

    angle = interpolate(-math.radians(config.rotation), math.radians(config.rotation), u[0])
    scale = torch.exp(interpolate(math.log(config.scale[0]), math.log(config.scale[1]), u[1]))
    aspect = torch.exp(interpolate(-0.12, 0.12, u[2])) if config.scale[0] != config.scale[1] else torch.ones_like(scale)
    mirror = torch.where(u[3] < 0.5, -1.0, 1.0) if config.horizontal_flip else torch.ones_like(scale)
    slack = (1 - scale).abs()
    shift = torch.stack([interpolate(-1, 1, u[4]) * slack, interpolate(-1, 1, u[5]) * slack], dim=1)  # (B, 2)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [cos * aspect * mirror, -sin / aspect, sin * aspect * mirror, cos / aspect]
    matrix = torch.cat([torch.stack(rows, dim=1).view(-1, 2, 2), shift.unsqueeze(2)], dim=2)  # (B, 2, 3)
    grid = F.affine_grid(matrix, [len(x), 3, size, size], align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)

    if config.colour_jitter:
        k = config.colour_jitter
        brightness = torch.exp(interpolate(-k, k, u[6])).view(-1, 1, 1, 1)
        contrast = torch.exp(interpolate(-k, k, u[7])).view(-1, 1, 1, 1)
        saturation = torch.exp(interpolate(-k, k, u[8])).view(-1, 1, 1, 1)
        balance = torch.exp(interpolate(-k / 3, k / 3, u[9:12].T)).view(-1, 3, 1, 1)
        grey = x.mean(dim=1, keepdim=True)
        x = torch.lerp(grey, x, saturation)
        x = torch.lerp(x.mean(dim=(1, 2, 3), keepdim=True), x, contrast)
        x = (x * brightness * balance).clamp(0, 1)

    if config.random_erasing:
        side = torch.sqrt(interpolate(0.02, 0.2, u[13]))
        at = torch.arange(size, device=x.device) / size
        inside_y = (at - u[14].unsqueeze(1)).abs() < side.unsqueeze(1) / 2  # (B, size)
        inside_x = (at - u[15].unsqueeze(1)).abs() < side.unsqueeze(1) / 2
        chosen = (u[12] < config.random_erasing).view(-1, 1, 1)
        x = x.masked_fill((inside_y.unsqueeze(2) & inside_x.unsqueeze(1) & chosen).unsqueeze(1), 0.5)
    return x


def foreground(x: Tensor) -> Tensor:
    """A soft mask of what differs in colour from the border: float (B, 3, H, W) in 0..1 -> (B, 1, H, W) in 0..1.

    Brightness hardly counts, so that a shadow on a dull table is background; the mask is smoothed, so it is rough at
    fine edges.
    """
    red, green, blue = x.unbind(dim=1)
    colour = torch.stack([red - green, blue - (red + green) / 2], dim=1)  # (B, 2, H, W)
    edges = [colour[..., :6, :], colour[..., -6:, :], colour[..., :6].mT, colour[..., -6:].mT]
    border = torch.cat([edge.flatten(2) for edge in edges], dim=2).median(dim=2).values  # (B, 2)
    apart = (colour - border[:, :, None, None]).abs().sum(dim=1, keepdim=True)
    smooth = F.avg_pool2d(apart, 7, 1, 3, count_include_pad=False)
    return ((smooth - 0.08) * 25 + 0.5).clamp(0, 1)


def replace_background(x: Tensor, u: Tensor) -> Tensor:
    """Another smooth, random background behind the foreground. u: at least (11, B) numbers in 0..1."""
    batch, _, height, width = x.shape
    corners = torch.stack([u[0:3], u[3:6], u[6:9], u[1:4].flip(0)], dim=2).permute(1, 0, 2).reshape(batch, 3, 2, 2)
    new = F.interpolate(corners, size=(height, width), mode="bilinear", align_corners=True)
    grey = new.mean(dim=1, keepdim=True)
    new = torch.lerp(grey, new, u[9].view(-1, 1, 1, 1))
    mask = foreground(x)
    return x * mask + new * (1 - mask)


def cut_mix(x: Tensor, seeds: Tensor, probability: float) -> tuple[Tensor, Tensor, float]:
    """Cut a rectangle of each image's neighbour in the batch into it (CutMix, Yun et al. 2019).

    Returns the images, the index of each one's partner (B,) and the part that is still the image's own. With several
    processes a neighbour is one of the same process, so the result is not that of one process.
    """
    generator = np.random.default_rng([int(seed) for seed in seeds[:2].tolist()])
    partners = torch.arange(len(x), device=x.device).roll(1)
    if generator.random() >= probability:
        return x, partners, 1.0
    size = x.shape[-1]
    side = round(size * math.sqrt(generator.random()))
    top, left = (int(v) for v in generator.integers(0, size - side + 1, 2))
    mixed = x.clone()
    mixed[:, :, top : top + side, left : left + side] = x[partners][:, :, top : top + side, left : left + side]
    return mixed, partners, 1 - (side / size) ** 2
