"""Attribution: which parts of a photo support a prediction."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import LayerAttribution, LayerGradCam, Occlusion
from torch import Tensor, nn

from projects.plantdisease.model import LeafNet, last_convolution

PATCHES = 9
"""Steps of the patch across the photo."""


def occlusion(network: LeafNet, image: Tensor, target: int) -> np.ndarray:
    """How much the log-probability of a class falls when a patch of the photo is smoothed away (Zeiler & Fergus 2014).

    image (1, 3, S, S), normalised -> float (S, S). About a hundred forward passes.
    """
    step = image.shape[-1] // PATCHES
    smooth = F.avg_pool2d(image, 2 * step + 1, 1, step, count_include_pad=False)
    says = nn.Sequential(network, nn.LogSoftmax(dim=1))
    with torch.inference_mode():
        falls = Occlusion(says).attribute(
            image, (3, 2 * step, 2 * step), (3, step, step), baselines=smooth, target=target, perturbations_per_eval=16
        )
    return cv2.GaussianBlur(falls[0].mean(dim=0).numpy(), (0, 0), step / 2)


def grad_cam(network: LeafNet, image: Tensor, target: int) -> np.ndarray:
    """Grad-CAM (Selvaraju et al. 2017) at the last convolution: image (1, 3, S, S), normalised -> float (S, S).

    One forward and one backward pass. The weight of a feature map is its mean gradient over all positions; AlexNet's
    head weighs every position on its own, so the map can be hot where nothing was decided.
    """
    convolution = last_convolution(network)
    if convolution is None:
        raise ValueError("grad-cam needs a network with convolutions; use --explain occlusion")
    layer = LayerGradCam(network, convolution)
    maps = layer.attribute(image, target, relu_attributions=True).detach()
    return LayerAttribution.interpolate(maps, image.shape[2:], "bilinear")[0, 0].numpy()


def overlay(photo: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """A photo, uint8 (H, W, 3), under the positive part of a map (h, w) of any size and scale, as a heat map."""
    heat = cv2.resize(np.maximum(heat, 0), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    heat = heat / max(float(np.max(heat)), 1e-8)
    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[:, :, ::-1]
    weight = 0.65 * heat[:, :, None]
    return (photo * (1 - weight) + colours * weight).astype(np.uint8)
