"""Wrong bodies of `rectify`."""


def single_pixels(image, corners, size):
    """A large plate is not averaged; the transform picks single pixels, and thin strokes vanish (aliasing)."""
    height, width = size
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), outline(width, height))
    return cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def affine(image, corners, size):
    """Three corners and an affine transform are used; it keeps parallel lines parallel, which perspective does not."""
    height, width = size
    corners = np.asarray(corners, np.float32)
    plate_height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    factor = max(1, min(6, round(plate_height / height)))
    matrix = cv2.getAffineTransform(corners[:3], outline(width, height)[:3] * factor)
    flat = cv2.warpAffine(
        image, matrix, (width * factor, height * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA) if factor > 1 else flat


def bounding_box(image, corners, size):
    """The upright box around the corners is cut out and resized; a tilted plate stays tilted."""
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, None)
    x1, y1 = np.ceil(corners.max(axis=0)).astype(int)
    return cv2.resize(image[y0:y1, x0:x1], size[::-1], interpolation=cv2.INTER_AREA)


def black_margin(image, corners, size):
    """What lies beyond the photo is black; the reader takes the edge for a stroke."""
    height, width = size
    corners = np.asarray(corners, np.float32)
    plate_height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    factor = max(1, min(6, round(plate_height / height)))
    matrix = cv2.getPerspectiveTransform(corners, outline(width, height) * factor)
    flat = cv2.warpPerspective(image, matrix, (width * factor, height * factor), flags=cv2.INTER_LINEAR)
    return cv2.resize(flat, (width, height), interpolation=cv2.INTER_AREA) if factor > 1 else flat


def nearest_pixel(image, corners, size):
    """The large rectangle is shrunk by taking every n-th pixel; that skips as much as a small one would."""
    height, width = size
    corners = np.asarray(corners, np.float32)
    plate_height = max(np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1]))
    factor = max(1, min(6, round(plate_height / height)))
    matrix = cv2.getPerspectiveTransform(corners, outline(width, height) * factor)
    flat = cv2.warpPerspective(
        image, matrix, (width * factor, height * factor), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return flat[::factor, ::factor]
