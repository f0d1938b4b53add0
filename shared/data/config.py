"""The settings of data handling that several projects share."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat

from shared.config import Section

Damaged = Literal["refuse", "leave-out"]


class PhotoConfig(Section):
    """Photos on the disk, as each `DataConfig` of photos has them."""

    source: str = "sample"
    """sample: drawn by code."""
    damaged: Damaged = "refuse"
    """Photos that cannot be read: refuse names them and stops, leave-out counts them and goes on without them."""
    cache: Path = Path("data/cache")
    """Where decoded photos and frozen features are kept, and which photos can be read."""


class TableFormat(Section):
    """How a table is written, where the file does not tell."""

    encoding: str | None = None
    """Encoding of the table, such as cp1252; by default it is detected."""
    header: Literal["auto", "none"] = "auto"
    """none: the first row is data, and the columns are called 1, 2, 3 ..."""
    decimal: Literal["auto", "point", "comma"] = "auto"
    """The decimal mark of its numbers, where 1,234 could be both."""
    dates: Literal["auto", "day-first", "month-first"] = "auto"
    """The order of its dates, where 01/02/2024 could be both."""


class AugmentConfig(Section):
    """Random changes of a training image that leave its label true."""

    renamed = {
        "rotate": "rotation",
        "flip": "horizontal_flip",
        "colour": "colour_jitter",
        "erase": "random_erasing",
        "background": "random_background",
        "mix": "cutmix",
    }

    scale: tuple[PositiveFloat, PositiveFloat] = (0.6, 1.1)
    """Range of the random crop's side relative to the photo's; below 1 zooms in."""
    rotation: float = Field(180, ge=0, le=180)
    """Maximum rotation in degrees, in either direction."""
    horizontal_flip: bool = True
    """Mirror half of the images."""
    colour_jitter: float = Field(0.3, ge=0, le=1)
    """Strength of brightness, contrast, saturation and white-balance changes."""
    random_erasing: float = Field(0.0, ge=0, le=1)
    """Fraction of the images in which a random rectangle is painted grey (Zhong et al. 2020)."""
    random_background: float = Field(0.0, ge=0, le=1)
    """Fraction of the images whose plain background is replaced by another colour and texture."""
    cutmix: float = Field(0.0, ge=0, le=1)
    """Fraction of the batches in which patches and labels of images are mixed (CutMix, Yun et al. 2019)."""
