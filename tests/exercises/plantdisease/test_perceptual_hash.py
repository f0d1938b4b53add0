"""Exercise perceptual_hash: 64 bits that tell how a photo looks."""

import numpy as np

from projects.plantdisease.leaf_groups import perceptual_hashes

RAMP = np.broadcast_to(np.arange(0, 144, 2, dtype=np.uint8)[None, :, None], (64, 72, 3))  # brighter to the right


def test_every_photo_has_64_bits() -> None:
    hashes = perceptual_hashes(np.stack([RAMP, RAMP, RAMP]))
    assert hashes.shape == (3, 64), f"3 photos have bits (3, 64), not {hashes.shape}"
    assert hashes.dtype == bool, f"bits are bool, not {hashes.dtype}"


def test_bits_say_where_it_grows_brighter_to_the_right() -> None:
    bits = perceptual_hashes(np.stack([RAMP, RAMP[:, ::-1]])).sum(axis=1).tolist()
    assert bits == [64, 0], f"brighter to the right, then darker: 64 bits and none, not {bits}"
