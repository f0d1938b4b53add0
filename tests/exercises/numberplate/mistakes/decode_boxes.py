"""Wrong bodies of `decode`."""


def offsets_in_pixels(outputs, points):
    """The way to the centre is taken in pixels; it is in strides, so that coarse grids can reach as far as they must."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3]
    half = 0.5 * points[:, 2:] * outputs[..., 3:5].clamp(-4, 5).exp()
    boxes = torch.cat([centre - half, centre + half], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (4, 2)) * half.unsqueeze(-2) + centre.unsqueeze(-2)
    return boxes, corners


def whole_sides(outputs, points):
    """The whole side is put on both sides of the centre; boxes are twice as large as they should be."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3] * points[:, 2:]
    side = points[:, 2:] * outputs[..., 3:5].clamp(-4, 5).exp()
    boxes = torch.cat([centre - side, centre + side], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (4, 2)) * side.unsqueeze(-2) + centre.unsqueeze(-2)
    return boxes, corners


def corners_in_strides(outputs, points):
    """Corners are taken in strides; they are in units of half the box, for plates of all sizes alike."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3] * points[:, 2:]
    half = 0.5 * points[:, 2:] * outputs[..., 3:5].clamp(-4, 5).exp()
    boxes = torch.cat([centre - half, centre + half], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (4, 2)) * points[:, None, 2:] + centre.unsqueeze(-2)
    return boxes, corners


def without_limits(outputs, points):
    """The log size has no limits; early in training its exponential is infinite, and so is the loss."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3] * points[:, 2:]
    half = 0.5 * points[:, 2:] * outputs[..., 3:5].exp()
    boxes = torch.cat([centre - half, centre + half], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (4, 2)) * half.unsqueeze(-2) + centre.unsqueeze(-2)
    return boxes, corners


def x_then_y(outputs, points):
    """The eight numbers are taken for four x and then four y; they are x and y of one corner after the other."""
    outputs = outputs.float()
    centre = points[:, :2] + outputs[..., 1:3] * points[:, 2:]
    half = 0.5 * points[:, 2:] * outputs[..., 3:5].clamp(-4, 5).exp()
    boxes = torch.cat([centre - half, centre + half], dim=-1)
    corners = outputs[..., 5:].unflatten(-1, (2, 4)).transpose(-1, -2) * half.unsqueeze(-2) + centre.unsqueeze(-2)
    return boxes, corners
