"""The one gate for photos: files from anywhere -> upright RGB arrays -> what the networks see."""

import os
import stat
import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from shared.console import note
from shared.data.cache import cached_array, fingerprint, fingerprint_files
from shared.data.config import Damaged, PhotoConfig
from shared.data.summary import named
from shared.deadline import BusyError, within
from shared.files import size_in_words
from shared.names import one_line, shown

T = TypeVar("T")
Records = list[tuple[Path, int]]
"""Image files with their class numbers."""
SUFFIXES = {
    ".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif",
}  # fmt: skip
NOT_READ = {
    ".arw", ".cr2", ".cr3", ".dng", ".eps", ".jp2", ".jxl", ".nef", ".orf", ".pgm", ".ppm", ".psd", ".raf", ".rw2",
    ".svg",
}  # fmt: skip
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF", "AVIF", "HEIF")  # no other decoder sees a file
AVIF_BRANDS = {b"avif", b"avis"}
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MAX_PIXELS, MAX_BYTES, MAX_SECONDS = 100_000_000, 200_000_000, 60
CHECKED_SIZE = 64  # pixels to which a JPEG may be decoded to see whether it can be
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def find_images(folder: Path, also: Collection[str] = ()) -> list[Path]:
    """All image files below a folder, sorted, and those with the suffixes `also`. Links to folders are followed. Hidden
    files and folders and those of macOS are passed over; files of kinds that are not read are, too, and counted on
    stderr.

    Raises OSError if the folder, or one below it, cannot be read.
    """

    def refuse(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    def leads_up(place: str, name: str) -> bool:
        path = Path(place, name)
        return path.is_symlink() and Path(os.path.realpath(place)).is_relative_to(os.path.realpath(path))

    found, passed_over = [], Counter[str]()
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX")) and not leads_up(place, name)]
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            suffix = path.suffix.lower()
            if suffix in SUFFIXES or suffix in also:
                found.append(path)
            elif suffix in NOT_READ:
                passed_over[suffix] += 1
    if passed_over:
        kinds = ", ".join(sorted(passed_over))
        print(f"{shown(folder)}: {passed_over.total()} files of kinds that are not read ({kinds})", file=sys.stderr)
    return sorted(found)


def list_photos(inputs: Iterable[Path], also: Collection[str] = ()) -> list[Path]:
    """The files that the arguments of `predict` stand for: themselves, or all images of a folder. A folder without any
    stands for itself: `read_image` refuses it with a sentence."""
    files: list[Path] = []
    for path in inputs:
        try:
            found = find_images(path, also) if path.is_dir() else []
        except (OSError, ValueError):  # `read_image` says why
            found = []
        files += found or [path]
    return files


def read_image(path: Path, at_least: int | None = None, seconds: float = MAX_SECONDS) -> np.ndarray:
    """An image file as upright RGB, uint8 (H, W, 3): EXIF rotation applied, transparency on white, first frame of an
    animation, 16 bit and floats scaled (`_grey_levels`). With `at_least`, a JPEG may be decoded smaller, but no side
    below that many pixels.

    Training, command line, page and window read photos here and nowhere else, so they see the same. Nothing is decoded
    that is no regular file, is too large, or has a format beyond `FORMATS`; decoding may take `seconds`.
    Raises FileNotFoundError or ValueError with one sentence, and BusyError where too many decoders are late already.
    """
    path = Path(path)  # a dataset of torchvision lists its files as text
    name, formats = shown(path), _installed_formats()
    _require_file(path, name)
    try:
        return within(seconds, lambda: _decode(path, at_least, formats))
    except _NotReadError as error:
        raise ValueError(f"{name} {error}") from None
    except BusyError as error:
        raise BusyError(f"{name} is not read: {error}") from None
    except TimeoutError:
        raise ValueError(f"{name} takes more than {seconds:g} seconds to decode") from None
    except Image.UnidentifiedImageError:
        raise ValueError(f"{name} is not an image in a format I can read ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise ValueError(f"{name} is too large: at most {MAX_PIXELS // 10**6} megapixels are read") from None
    except Exception as error:  # what a damaged file raises in the library is of many kinds
        if isinstance(error, OSError) and error.strerror:
            raise ValueError(f"{name} cannot be read ({error.strerror})") from None
        raise ValueError(f"{name} is damaged or cannot be decoded ({one_line(error)})") from None


def stored_size(path: Path) -> tuple[int, int, int]:
    """Width, height and EXIF orientation (1 to 8) of an image file as it is stored. Raises what `read_image` raises."""
    _require_file(path, shown(path))
    try:
        with Image.open(path, formats=list(_installed_formats())) as image:
            return image.width, image.height, image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # `read_image` says why, or reads it in another way
        height, width = read_image(path).shape[:2]
        return width, height, 1


class _NotReadError(ValueError):
    """The end of a sentence that begins with the name of the file."""


def _require_file(path: Path, name: str) -> None:
    """Raise FileNotFoundError or ValueError unless a path is a regular file of a size that is read."""
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        lost = path.is_symlink()
        raise FileNotFoundError(f"{name} is a link to no file" if lost else f"there is no file {name}") from None
    except (OSError, ValueError) as error:  # links in a circle, a name that is too long, a folder without permission
        raise ValueError(f"{name} cannot be read ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISDIR(about.st_mode):
        raise ValueError(f"{name} is a folder, not a photo" if find_images(path) else f"there is no photo in {name}")
    if not stat.S_ISREG(about.st_mode):
        raise ValueError(f"{name} is a device or a pipe, not a photo")
    if about.st_size == 0:
        raise ValueError(f"{name} is empty (0 bytes)")
    if about.st_size > MAX_BYTES:
        raise ValueError(f"{name} is too large: at most {size_in_words(MAX_BYTES)} are read")


@cache
def _installed_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that can be decoded: AVIF comes with Pillow 11.3, HEIF with the extra `heic`."""
    warnings.filterwarnings("ignore", module=r"PIL\.")  # about odd metadata
    Image.init()
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _decode(path: Path, at_least: int | None, formats: Collection[str]) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(64)
        if start[4:8] == b"ftyp":  # the container of AVIF and HEIC; a decoder may raise on a photo of the other kind
            brands = {start[i : i + 4] for i in range(8, len(start), 4)}
            wanted = "AVIF" if brands & AVIF_BRANDS else "HEIF" if brands & HEIF_BRANDS else None
            if wanted and wanted not in formats:
                needed = "'pillow>=11.3'" if wanted == "AVIF" else "-e '.[heic]'"
                raise _NotReadError(f"is a photo in the format {wanted}; to read it: pip install {needed}")
            formats = {wanted} if wanted else formats
        image = Image.open(file, formats=list(formats))
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        if at_least:
            image.draft("RGB", (at_least, at_least))
        sixteen_bit = image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG")
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith(("I", "F")):  # PIL would clip instead of scale
            upright = _grey_levels(upright, sixteen_bit)
        if upright.has_transparency_data:
            rgba = upright.convert("RGBA")
            upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return np.array(upright.convert("RGB"))


def _grey_levels(image: Image.Image, sixteen_bit: bool) -> Image.Image:
    """An image of floats or of integers beyond 8 bit as 8 bit grey.

    White is 65535 in 16 bit images; in others the first of 1 (floats only), 255 and 65535 that fits the values. Values
    that are not finite are black. Raises `_NotReadError` if there are no others, or for values that are no grey levels.
    """
    values = np.asarray(image, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.any():
        raise _NotReadError("has no pixel with a finite value")
    known = values[finite]
    low, high = float(np.min(known)), float(np.max(known))
    whites = {65535: 65535.0} if sixteen_bit else {255: 255.0, 65535: 65535.0}  # with the largest value that fits
    slack = 0.1 if image.mode == "F" else 0  # resampled floats overshoot
    if image.mode == "F":
        whites = {1: 2.0, 255: 280.0, 65535: 72_000.0}
    white = next((white for white, most in whites.items() if -slack * white <= low and high <= most), None)
    if white is None:
        raise _NotReadError(f"has values from {low:g} to {high:g}; grey levels are 0..1 (floats), 0..255 or 0..65535")
    grey = np.where(finite, values, 0) * (255 / white)
    if (transparent := image.info.get("transparency")) is not None:  # the one such value of a 16 bit PNG
        grey[values == transparent] = 255
    return Image.fromarray(grey.round().clip(0, 255).astype(np.uint8))


def keep_readable(records: Sequence[tuple[Path, T]], config: PhotoConfig) -> list[tuple[Path, T]]:
    """The records (path, ...) whose photos can be read, see `readable_photos`; the others are counted and named on
    stderr. Those of a sample, which were drawn here, are not checked."""
    if config.source == "sample":
        return list(records)
    readable = readable_photos([path for path, _ in records], config.damaged, config.cache)
    if names := [path.name for (path, _), kept in zip(records, readable) if not kept]:
        note(f"left out: {len(names)} photos that cannot be read ({named(names)})")
    return [record for record, kept in zip(records, readable) if kept]


def readable_photos(paths: Sequence[Path], damaged: Damaged, folder: Path) -> np.ndarray:
    """Which photos can be read, bool (N,): each is decoded once, and the answer is kept in the cache `folder`.

    damaged: with `refuse`, all photos that cannot be read are refused at once; with `leave-out` they are False.
    Raises ValueError with one sentence, also where no photo is left.
    """

    def state(path: Path) -> tuple[str, int, int]:
        try:
            about = path.stat()
        except (OSError, ValueError):
            return str(path), 0, 0
        return str(path), about.st_size, about.st_mtime_ns

    def problem(path: Path) -> str | None:
        try:
            read_image(path, CHECKED_SIZE)
        except BusyError:  # says nothing about this photo
            raise
        except (ValueError, OSError) as error:
            return str(error)
        return None

    def require(readable: np.ndarray) -> None:
        bad = [paths[row] for row in np.flatnonzero(~readable).tolist()]
        if not bad or (damaged == "leave-out" and len(bad) < len(paths)):
            return
        some = "; ".join(filter(None, map(problem, bad[:3]))) + ("; ..." if len(bad) > 3 else "")
        advice = "; mend or delete them, or leave them out with --data.damaged leave-out" if damaged == "refuse" else ""
        raise ValueError(f"{len(bad)} of {len(paths)} photos cannot be read: {some}{advice}")

    def fill(readable: np.ndarray) -> None:
        with ThreadPoolExecutor() as pool:  # PIL releases the interpreter lock
            problems = pool.map(problem, paths)
            bar = tqdm(problems, total=len(paths), desc="checking", unit="photo", leave=False)
            readable[:] = [problem is None for problem in bar]
        require(readable)  # so that only photos that were left out before are known as damaged

    key = fingerprint([state(path) for path in paths], _installed_formats(), "readable-1")
    readable = np.array(cached_array(folder, "readable", key, (len(paths),), np.bool_, fill))
    require(readable)
    return readable


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Scale the shorter side to `size` and cut the centre: uint8 (H, W, 3) -> (size, size, 3)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    smoothing = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=smoothing)


def load_images(paths: Sequence[Path], size: int, cache: Path) -> tuple[np.ndarray, str]:
    """All images as squares, uint8 (N, size, size, 3), and the fingerprint of their content.

    Decoded once, then memory-mapped from the cache.
    """

    def fill(array: np.ndarray) -> None:
        def load(index: int) -> None:
            array[index] = to_square(read_image(paths[index], at_least=size), size)

        with ThreadPoolExecutor() as pool:  # PIL and OpenCV release the interpreter lock
            for _ in tqdm(
                pool.map(load, range(len(paths))), total=len(paths), desc="decoding", unit="image", leave=False
            ):
                pass

    key = fingerprint(fingerprint_files(paths), size, "square-1")
    return cached_array(cache, "images", key, (len(paths), size, size, 3), np.uint8, fill), key


def normalise(images: Tensor, size: int) -> Tensor:
    """What every network sees, in training and in prediction: uint8 (B, H, W, 3) or float (B, 3, H, W) in 0..1 ->
    float (B, 3, size, size), ImageNet mean 0 and deviation 1, channels last in memory."""
    x = to_float(images)
    if x.shape[-1] != size:
        x = F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False, antialias=x.shape[-1] > size)
    mean = torch.tensor(IMAGENET_MEAN, device=x.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=x.device).view(3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def to_float(images: Tensor) -> Tensor:
    """uint8 (B, H, W, 3) -> float (B, 3, H, W) in 0..1; float passes through."""
    return images.permute(0, 3, 1, 2).float() / 255 if images.dtype == torch.uint8 else images
