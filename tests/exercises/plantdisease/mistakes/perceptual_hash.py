"""Wrong bodies of `perceptual_hashes`."""


def above_the_mean(images):
    """Bits say what is brighter than 128; a darker photo of the same leaf then has other bits."""
    import cv2

    thumbnails = [cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA).mean(axis=2) for image in images]
    return np.stack(thumbnails).reshape(len(images), 64) > 128


def downwards(images):
    """Bits are the steps from top to bottom; those to the right are asked for."""
    import cv2

    thumbnails = [cv2.resize(image, (8, 9), interpolation=cv2.INTER_AREA).mean(axis=2) for image in images]
    return np.diff(np.stack(thumbnails), axis=1).reshape(len(images), 64) > 0


def single_pixels(images):
    """The thumbnail takes single pixels; average over areas, else one bright pixel decides."""
    rows, columns = (np.arange(n) * size // n for n, size in zip((8, 9), images.shape[1:3]))
    return np.diff(images[:, rows][:, :, columns].mean(axis=3), axis=2).reshape(len(images), 64) > 0


def unsigned(images):
    """The differences are those of uint8; a step down by 5 becomes one up by 251."""
    import cv2

    thumbnails = [cv2.resize(image, (9, 8), interpolation=cv2.INTER_AREA).mean(axis=2) for image in images]
    return np.diff(np.stack(thumbnails).astype(np.uint8), axis=2).reshape(len(images), 64) > 0
