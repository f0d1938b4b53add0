"""Which photos show the same leaf: a split must keep them together, else the test set leaks into the training set."""

import numpy as np

from projects.plantdisease.sources import Photo

LONGEST_RUN = 24  # photos of one leaf in a row, at most


def leaf_groups(photos: list[Photo], images: np.ndarray, copies: np.ndarray) -> list[int]:
    """A number for every photo, equal for photos of one leaf as far as can be told.

    `Leaf 259` in the name decides; else an unbroken run of camera numbers, at most 24 long; else, without such names,
    photos of a class that look alike. Copies of one photo, numbered alike in `copies` (N,), are of one leaf as well.
    """
    _, leaves = np.unique([repr(key) for key in _leaf_keys(photos, images)], return_inverse=True)
    return joined(leaves, copies).tolist()


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number the groups of items that are linked by an equal number in `first` or in `second`. int (N,) each."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = int(first.max()) + 1
    ones = np.ones(len(first), bool)
    graph = coo_array((ones, (first, nodes + second)), shape=[nodes + int(second.max()) + 1] * 2)
    return connected_components(graph, directed=False)[1][first]


def _leaf_keys(photos: list[Photo], images: np.ndarray) -> list[tuple]:
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
