"""Where the images come from -> one list of (path, class number), and the class names."""

from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits

from projects.starter.config import DataConfig
from shared.data.class_folders import class_folders
from shared.data.images import Records, keep_readable
from shared.files import atomic_folder


def load_records(config: DataConfig, classes: list[str] | None = None) -> tuple[Records, list[str]]:
    """All images of a source, numbered as the `classes` of a finished run, if given. ValueError: images of others."""
    root = write_sample(config.root) if config.source == "sample" else config.root
    folders = class_folders(root, classes)
    records = [(path, number) for number, images in enumerate(folders.values()) for path in images]
    return keep_readable(records, config), list(folders)


def write_sample(folder: Path) -> Path:
    """The digits (1,797 images of 8 x 8 pixels) as image files, in one folder per class."""
    digits, target = load_digits(), folder / "starter-digits"
    if not target.is_dir():
        with atomic_folder(target) as temporary:
            for number, (image, label) in enumerate(zip(digits.images, digits.target)):
                (temporary / str(label)).mkdir(exist_ok=True)
                Image.fromarray((255 - image * 15).astype("uint8")).save(temporary / f"{label}/{number:04d}.png")
    return target


def own_data(folder: Path, _: DataConfig) -> tuple[Path, Path]:
    """The sample as somebody's own data: what `--data.root` takes, and one input for `predict`."""
    return write_sample(folder), folder / "starter-digits" / "3" / "0003.png"
