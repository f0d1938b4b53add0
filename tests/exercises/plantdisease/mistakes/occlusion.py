"""Wrong bodies of `occlusion`."""


def black_patches(network, image, target):
    """Patches are set to 0 instead of being smoothed; that is a new dark object, and the network reacts to it."""
    step = image.shape[-1] // PATCHES
    says = nn.Sequential(network, nn.LogSoftmax(dim=1))
    with torch.inference_mode():
        falls = Occlusion(says).attribute(
            image, (3, 2 * step, 2 * step), (3, step, step), baselines=0, target=target, perturbations_per_eval=16
        )
    return cv2.GaussianBlur(falls[0].mean(dim=0).numpy(), (0, 0), step / 2)


def dark_edges(network, image, target):
    """The smoothed copy counts zeros beyond the edge of the photo; its margin is darker than the photo."""
    step = image.shape[-1] // PATCHES
    smooth = F.avg_pool2d(image, 2 * step + 1, 1, step)
    says = nn.Sequential(network, nn.LogSoftmax(dim=1))
    with torch.inference_mode():
        falls = Occlusion(says).attribute(
            image, (3, 2 * step, 2 * step), (3, step, step), baselines=smooth, target=target, perturbations_per_eval=16
        )
    return cv2.GaussianBlur(falls[0].mean(dim=0).numpy(), (0, 0), step / 2)


def logits(network, image, target):
    """It measures the fall of a logit; what raises or lowers the logits of all classes alike is no evidence."""
    step = image.shape[-1] // PATCHES
    smooth = F.avg_pool2d(image, 2 * step + 1, 1, step, count_include_pad=False)
    with torch.inference_mode():
        falls = Occlusion(network).attribute(
            image, (3, 2 * step, 2 * step), (3, step, step), baselines=smooth, target=target, perturbations_per_eval=16
        )
    return cv2.GaussianBlur(falls[0].mean(dim=0).numpy(), (0, 0), step / 2)


def probabilities(network, image, target):
    """It measures the fall of the probability, which is near 0 wherever the network is very sure or very unsure."""
    step = image.shape[-1] // PATCHES
    smooth = F.avg_pool2d(image, 2 * step + 1, 1, step, count_include_pad=False)
    says = nn.Sequential(network, nn.Softmax(dim=1))
    with torch.inference_mode():
        falls = Occlusion(says).attribute(
            image, (3, 2 * step, 2 * step), (3, step, step), baselines=smooth, target=target, perturbations_per_eval=16
        )
    return cv2.GaussianBlur(falls[0].mean(dim=0).numpy(), (0, 0), step / 2)


def summed(network, image, target):
    """The falls of all patches over a pixel are added up; patches overlap, so their mean is asked for."""
    step = image.shape[-1] // PATCHES
    smooth = F.avg_pool2d(image, 2 * step + 1, 1, step, count_include_pad=False)
    says = nn.Sequential(network, nn.LogSoftmax(dim=1))
    heat = torch.zeros(image.shape[2:])
    with torch.inference_mode():
        whole = says(image)[0, target]
        for top in range(0, image.shape[2] - step, step):
            for left in range(0, image.shape[3] - step, step):
                patch = (..., slice(top, top + 2 * step), slice(left, left + 2 * step))
                changed = image.clone()
                changed[patch] = smooth[patch]
                heat[patch] += whole - says(changed)[0, target]
    return cv2.GaussianBlur(heat.numpy(), (0, 0), step / 2)
