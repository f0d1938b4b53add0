"""Which photos show the same leaf, and which were taken in one session: what must not be torn apart by a split."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# uuid___RS_HL 5641.JPG: source, camera number.  uuid___GH_HL Leaf 259.1.JPG: source, leaf, photo.
NAME = re.compile(r"^.*___(?P<source>.*?)[ _]?(?P<number>\d+)(?:\.(?P<photo>\d+))?(?:\s*[Dd]ay.*)?\s*$")
COPY = re.compile(r"(?:_(?:90|180|270)deg|_flip(?:LR|TB)|_new\w+| copy| ?\(\d+\))+$")  # an original's augmented copies
LONGEST_RUN = 24  # photos of one leaf in a row, at most


@dataclass(frozen=True)
class Photo:
    """One file, its class, and what its name tells: source (`RS_HL`) and camera or leaf number, or None."""

    path: Path
    label: int
    source: str | None = None
    number: int | None = None

    @classmethod
    def from_path(cls, path: Path, label: int) -> "Photo":
        match = NAME.match(COPY.sub("", path.stem))
        if match is None:
            return cls(path, label)
        source = re.sub(r"leaf$", "Leaf", match["source"].strip())
        return cls(path, label, source, int(match["number"]))

    @property
    def names_leaf(self) -> bool:
        """Whether the number is that of a leaf, not of the camera."""
        return self.source is not None and self.source.endswith("Leaf")


def leaf_groups(photos: list[Photo], images: np.ndarray) -> list[tuple]:
    """A key for every photo, equal for photos of one leaf as far as can be told.

    `Leaf 259` in the name decides; else an unbroken run of camera numbers, at most 24 long; else, without such names,
    photos of a class that look alike.
    """
    groups: list[tuple] = [()] * len(photos)
    runs: dict[tuple, list[int]] = {}
    nameless: dict[int, list[int]] = {}
    for index, photo in enumerate(photos):
        if photo.source is None:
            nameless.setdefault(photo.label, []).append(index)
        elif photo.names_leaf:
            groups[index] = (photo.label, photo.source, photo.number)
        else:
            runs.setdefault((photo.label, photo.source), []).append(index)

    for key, members in runs.items():
        first = previous = -(10**9)
        for index in sorted(members, key=lambda i: photos[i].number or 0):
            number = photos[index].number or 0
            if number - previous > 1 or number - first >= LONGEST_RUN:
                first = number
            groups[index] = (*key, "from", first)
            previous = number

    for label, members in nameless.items():
        alike = group_alike(perceptual_hashes(images[members]))
        for index, group in zip(members, alike):
            groups[index] = (label, "alike", int(group))
    return groups


def perceptual_hashes(images: np.ndarray) -> np.ndarray:
    """Difference hash: 64 signs of brightness steps on an 8 x 9 thumbnail. uint8 (N, H, W, 3) -> bool (N, 64)."""
    import cv2

    thumbnails = [cv2.resize(image, (9, 8), interpolation=cv2.INTER_AREA).mean(axis=2) for image in images]
    return np.diff(np.stack(thumbnails), axis=2).reshape(len(images), 64) > 0


def group_alike(hashes: np.ndarray, distance: int = 6) -> np.ndarray:
    """Number the groups of hashes linked by steps of at most `distance` bits. bool (N, 64) -> int (N,)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    bits = hashes.astype(np.float32)
    differing = bits @ (1 - bits).T
    near = (differing + differing.T) <= distance
    return connected_components(csr_array(near), directed=False)[1]
