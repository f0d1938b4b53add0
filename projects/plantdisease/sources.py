"""Where photos come from: the sample, PlantVillage, or your own folders -> one list of photos and the classes."""

import re
from dataclasses import dataclass
from pathlib import Path

from projects.plantdisease.config import DataConfig
from projects.plantdisease.sample import draw_sample
from shared.data.download import Source, fetch
from shared.data.images import find_images

PLANTVILLAGE = Source(
    name="plantvillage",
    archive="Plant_leaf_diseases_dataset_without_augmentation.zip",
    urls=(
        "https://data.mendeley.com/public-files/datasets/tywbtsjrjv/files/d5652a28-c1d8-4b76-97f3-72fb80f94efc/file_downloaded",
    ),
    sha256="ac3432453984d02a86197987e775a5429d0d59e7cc7c35bcf5a8f50349b90ff0",
    size=868_032_562,
    licence="CC0 1.0",
    homepage="https://data.mendeley.com/datasets/tywbtsjrjv/1",
)
NOT_LEAVES = "Background_without_leaves"  # a 39th class that the re-publication added


# uuid___RS_HL 5641.JPG: source, camera number.  uuid___GH_HL Leaf 259.1.JPG: source, leaf, photo.
NAME = re.compile(r"^.*___(?P<source>.*?)[ _]?(?P<number>\d+)(?:\.(?P<photo>\d+))?(?:\s*[Dd]ay.*)?\s*$")
COPY = re.compile(r"(?:_(?:90|180|270)deg|_flip(?:LR|TB)|_new\w+| copy| ?\(\d+\))+$")  # an original's augmented copies


@dataclass(frozen=True)
class Photo:
    """One file, its class, and what its name tells: source (`RS_HL`) and camera or leaf number, or None."""

    path: Path
    label: int
    source: str | None = None
    number: int | None = None

    @classmethod
    def from_path(cls, path: Path, label: int) -> "Photo":
        match = NAME.match(COPY.sub("", path.stem))
        if match is None:
            return cls(path, label)
        source = re.sub(r"leaf$", "Leaf", match["source"].strip())
        return cls(path, label, source, int(match["number"]))

    @property
    def names_leaf(self) -> bool:
        """Whether the number is that of a leaf, not of the camera."""
        return self.source is not None and self.source.endswith("Leaf")


def source_folder(config: DataConfig) -> Path:
    """The folder of the source, with one folder per class in it; drawn or downloaded if need be."""
    if config.source == "sample":
        return draw_sample(config.root or Path("data"), config.sample_size, config.seed)
    if config.source == "plantvillage":
        folder = fetch(PLANTVILLAGE, config.root or Path("data"))
        inner = [p for p in folder.iterdir() if p.is_dir()]
        return inner[0] if len(inner) == 1 else folder
    assert config.root is not None  # DataConfig requires it
    if not config.root.is_dir():
        raise FileNotFoundError(f"data.root: there is no folder {config.root}")
    return config.root


def list_photos(folder: Path, classes: list[str] | None = None) -> tuple[list[Photo], list[str]]:
    """All photos of a folder with one folder per class, and the class names in order.

    With `classes` given, the folders must be among them; those that are not are named and refused.
    """
    found = sorted(
        p.name for p in folder.iterdir() if p.is_dir() and p.name != NOT_LEAVES and not p.name.startswith(".")
    )
    if not found:
        raise ValueError(f"{folder} has no folders in it; there must be one folder of photos for each class")
    if set(found) <= {"train", "val", "valid", "validation", "test"}:
        raise ValueError(
            f"{folder} contains split folders ({', '.join(found)}), not class folders; name one with --data.root"
        )
    if classes is None and len(found) < 2:
        raise ValueError(f"{folder} has only one class, {found[0]}; there is nothing to tell apart")
    unknown = [name for name in found if classes is not None and name not in classes]
    if unknown:
        raise ValueError(f"{folder} has classes that the run does not know: {', '.join(unknown)}")
    names = classes or found
    photos: list[Photo] = []
    for name in found:
        files = find_images(folder / name)
        if not files and classes is None:
            raise ValueError(f"class folder {folder / name} has no photos in it")
        photos += [Photo.from_path(path, names.index(name)) for path in files]
    if not photos:
        raise ValueError(f"{folder} has no photos in its class folders")
    return photos, names


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample as somebody's own data: what `--data.source folder --data.root` takes, and one photo for `predict`."""
    root = draw_sample(folder, config.sample_size, config.seed)
    return root, find_images(root)[0]
