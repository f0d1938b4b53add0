"""Images per second of the augmentation on one core: one batched resampling, compared with torchvision v2 on PIL."""

import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from shared.data.augmentation import augment
from shared.data.config import AugmentConfig
from shared.data.images import normalise

BATCH, SIZE, ROUNDS = 64, 160, 8


def images_per_second(work: Callable[[], object]) -> float:
    work()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        work()
    return ROUNDS * BATCH / (time.perf_counter() - start)


def rates(crop: int) -> dict[str, float]:
    """Images per second of each implementation, for crops of `crop` pixels."""
    array = np.random.default_rng(0).integers(0, 255, (BATCH, SIZE, SIZE, 3), dtype=np.uint8)
    photos, seeds = torch.from_numpy(array), torch.arange(BATCH)
    plain = AugmentConfig(scale=(0.75, 1.05), colour_jitter=0.15)
    everything = AugmentConfig(scale=(0.75, 1.05), colour_jitter=0.15, random_erasing=0.5, random_background=0.5)
    pictures = [Image.fromarray(image) for image in array]
    reference = v2.Compose(
        [
            v2.RandomRotation((-180, 180)),
            v2.RandomResizedCrop(crop, (0.5, 1.0)),
            v2.RandomHorizontalFlip(),
            v2.ColorJitter(0.15, 0.15, 0.15, 0.05),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )

    def ours(config: AugmentConfig) -> torch.Tensor:
        return normalise(augment(photos, seeds, config, crop), crop)

    return {
        "torchvision v2 on PIL": images_per_second(lambda: torch.stack([reference(p) for p in pictures])),
        "ours": images_per_second(lambda: ours(plain)),
        "ours, with erasing and new backgrounds": images_per_second(lambda: ours(everything)),
    }


def main() -> None:
    torch.set_num_threads(1)
    for crop in (128, 288):
        print(f"{SIZE} px photos -> {crop} px, batches of {BATCH}, one core")
        results = rates(crop)
        base = next(iter(results.values()))
        for name, rate in results.items():
            print(f"  {name:<40}{rate:8.0f} images/s   {rate / base:5.1f} x")


if __name__ == "__main__":
    main()
