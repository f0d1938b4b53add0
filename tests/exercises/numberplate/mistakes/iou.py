"""Wrong bodies of `iou`."""


def over_the_sum(a, b):
    """The denominator is the sum of both areas; the intersection is counted twice in it and must be subtracted once."""
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    intersection = sides.prod(axis=2)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    return intersection / np.maximum(areas, 1e-9)


def negative_sides(a, b):
    """Sides of the intersection may be negative; two negative ones multiply to an area that is not there."""
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    intersection = sides.prod(axis=2)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=2) + (b[..., 2:] - b[..., :2]).prod(axis=2)
    return np.clip(intersection / np.maximum(areas - intersection, 1e-9), 0, 1)


def over_the_smaller(a, b):
    """The intersection is divided by the smaller box; a small box in a large one then counts as a match."""
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    areas = np.minimum((a[..., 2:] - a[..., :2]).prod(axis=2), (b[..., 2:] - b[..., :2]).prod(axis=2))
    return sides.prod(axis=2) / np.maximum(areas, 1e-9)
