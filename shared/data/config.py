"""The settings of data handling that several projects share."""

from pydantic import Field, PositiveFloat

from shared.config import Section


class AugmentConfig(Section):
    """Random changes of a training image that leave its label true."""

    scale: tuple[PositiveFloat, PositiveFloat] = (0.6, 1.1)
    """Side of the part of the photo that is seen, as a factor: below 1 zooms in."""
    rotation: float = Field(180, ge=0, le=180)
    """Largest rotation in degrees, either way."""
    horizontal_flip: bool = True
    """Mirror half of the images."""
    colour_jitter: float = Field(0.3, ge=0, le=1)
    """Strength of brightness, contrast, saturation and white-balance changes."""
    random_erasing: float = Field(0.0, ge=0, le=1)
    """Part of the images in which a random rectangle is painted grey (Zhong et al. 2020)."""
    random_background: float = Field(0.0, ge=0, le=1)
    """Part of the images whose dull background is replaced by another colour and texture."""
    cutmix: float = Field(0.0, ge=0, le=1)
    """Part of the batches in which images are cut into each other, labels too (CutMix, Yun et al. 2019)."""
