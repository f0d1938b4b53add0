"""Exercise perceptual_hash, the tests that give points: means of blocks, and photos that were changed."""

import cv2
import numpy as np
import pytest

from projects.plantdisease.leaf_groups import perceptual_hashes


def scene(seed: int) -> np.ndarray:
    """A smooth photo of spots, uint8 (128, 144, 3)."""
    spots = np.random.default_rng(seed).integers(30, 220, (7, 8, 3)).astype(np.uint8)
    return cv2.resize(spots, (144, 128), interpolation=cv2.INTER_CUBIC)


def test_bits_are_steps_between_the_means_of_blocks() -> None:
    photos = np.stack([scene(seed) for seed in range(5)])
    means = photos.reshape(5, 8, 16, 9, 16, 3).mean(axis=(2, 4, 5))
    steps = np.diff(means, axis=2).reshape(5, 64)
    clear = np.abs(steps) > 1.5  # the thumbnail is rounded to whole numbers
    wrong = int((np.asarray(perceptual_hashes(photos)) != (steps > 0))[clear].sum())
    assert wrong == 0, f"{wrong} of {int(clear.sum())} bits are not the signs of steps between blocks of 16 x 16 pixels"


@pytest.mark.parametrize("change", ["darker", "smaller", "JPEG"])
def test_a_changed_photo_keeps_nearly_all_bits(change: str) -> None:
    photo = scene(7)
    changed = {
        "darker": (photo * 0.6).astype(np.uint8),
        "smaller": cv2.resize(photo, (72, 64), interpolation=cv2.INTER_AREA),
        "JPEG": cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR),
    }[change]
    differing = int((perceptual_hashes(photo[None]) != perceptual_hashes(changed[None])).sum())
    assert differing <= 6, f"{change}: at most 6 of 64 bits differ, not {differing}"


def test_other_photos_have_other_bits() -> None:
    hashes = perceptual_hashes(np.stack([scene(seed) for seed in range(20)]))
    least = min(int((a != b).sum()) for n, a in enumerate(hashes) for b in hashes[n + 1 :])
    assert least > 12, f"different photos differ in more than 12 of 64 bits, not in {least}"


def test_single_bright_pixels_do_not_decide() -> None:
    photo = scene(3)
    noisy = photo.copy()
    noisy[::16, ::16] = 255
    differing = int((perceptual_hashes(photo[None]) != perceptual_hashes(noisy[None])).sum())
    assert differing <= 6, f"one bright pixel of 256 changes at most 6 bits, not {differing}"


def test_a_step_down_the_photo_is_no_bit() -> None:
    stripes = np.broadcast_to(np.arange(0, 128, dtype=np.uint8)[:, None, None], (128, 144, 3))
    bits = int(perceptual_hashes(stripes[None]).sum())
    assert bits == 0, f"brighter from top to bottom, nothing changes to the right: no bit, not {bits}"
