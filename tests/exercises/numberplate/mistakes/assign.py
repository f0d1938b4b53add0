"""Wrong bodies of `assign`."""


def euclidean(points, boxes):
    """The distance is the Euclidean one; less than one stride in x and in y is a square, not a circle."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (points[None, :, None, :2] - centre[:, None]).norm(dim=3) / points[None, :, 2:]
    width = (boxes[..., 2] - boxes[..., 0])[:, None]
    limits = torch.tensor([WIDTHS[int(stride)] for stride in points[:, 2].tolist()])
    near = (distance < 1) & (width >= limits[None, :, :1]) & (width < limits[None, :, 1:])
    nearest = torch.where(near, distance, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)


def without_widths(points, boxes):
    """Every stride predicts plates of every width; a coarse grid then has to predict plates smaller than its steps."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = ((points[None, :, None, :2] - centre[:, None]).abs() / points[None, :, None, 2:]).amax(dim=3)
    nearest = torch.where(distance < 1, distance, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)


def inside_the_box(points, boxes):
    """Every point inside of a box predicts it, as in the first FCOS; only points within a stride of the centre should."""
    x, y = points[None, :, None, 0], points[None, :, None, 1]
    x0, y0, x1, y1 = (boxes[:, None, :, side] for side in range(4))
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    limits = torch.tensor([WIDTHS[int(stride)] for stride in points[:, 2].tolist()])
    near = inside & (x1 - x0 >= limits[None, :, :1]) & (x1 - x0 < limits[None, :, 1:])
    distance = torch.maximum((x - (x0 + x1) / 2).abs(), (y - (y0 + y1) / 2).abs())
    nearest = torch.where(near, distance, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)


def the_first_in_reach(points, boxes):
    """A point predicts the first plate in reach; where two are, it must be the nearest."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = ((points[None, :, None, :2] - centre[:, None]).abs() / points[None, :, None, 2:]).amax(dim=3)
    width = (boxes[..., 2] - boxes[..., 0])[:, None]
    limits = torch.tensor([WIDTHS[int(stride)] for stride in points[:, 2].tolist()])
    near = (distance < 1) & (width >= limits[None, :, :1]) & (width < limits[None, :, 1:])
    return torch.where(near.any(dim=2), near.int().argmax(dim=2), -1)


def padding_is_a_plate(points, boxes):
    """NaN is replaced by 0 before the comparison; padding becomes a plate in the corner, and points predict it."""
    boxes = boxes.nan_to_num()
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = ((points[None, :, None, :2] - centre[:, None]).abs() / points[None, :, None, 2:]).amax(dim=3)
    width = (boxes[..., 2] - boxes[..., 0])[:, None]
    limits = torch.tensor([WIDTHS[int(stride)] for stride in points[:, 2].tolist()])
    near = (distance < 1) & (width >= limits[None, :, :1]) & (width < limits[None, :, 1:])
    nearest = torch.where(near, distance, torch.inf).min(dim=2)
    return torch.where(nearest.values.isfinite(), nearest.indices, -1)
