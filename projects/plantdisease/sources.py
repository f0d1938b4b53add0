"""Where photos come from: the sample, PlantVillage, or your own folders -> one list of photos and the classes."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from projects.plantdisease.config import DataConfig
from projects.plantdisease.label_tables import read_labels, tables_below
from projects.plantdisease.layouts import Found, alike, classes_by_folder, one_spelling
from projects.plantdisease.sample import draw_sample
from shared.console import note
from shared.data.download import Source, fetch
from shared.data.images import find_images
from shared.data.summary import named
from shared.data.tables import is_table
from shared.names import shown

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
PLANTVILLAGE_ORIGINAL = Source(
    name="plantvillage-original",
    archive="PlantVillage-Dataset.zip",
    urls=(
        "https://codeload.github.com/spMohanty/PlantVillage-Dataset/zip/40789680ba2e6382608dba47b397688fcbd0d04a",
        "https://codeload.github.com/spMohanty/PlantVillage-Dataset/zip/refs/heads/master",
    ),
    sha256=None,  # GitHub packs the archive on demand: its bytes may differ from day to day
    size=3_000_000_000,
    licence="CC BY-SA 3.0",
    homepage="https://github.com/spMohanty/PlantVillage-Dataset",
)
ARCHIVES = {".zip": "zipfile"} | dict.fromkeys((".tar", ".gz", ".tgz", ".bz2", ".xz"), "tarfile")
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
    part: str | None = None
    """The set (train, validation, test) that its folder or table names, if any."""

    @classmethod
    def from_path(cls, path: Path, label: int, part: str | None = None) -> "Photo":
        match = NAME.match(COPY.sub("", path.stem))
        if match is None:
            return cls(path, label, part=part)
        source = re.sub(r"leaf$", "Leaf", match["source"].strip())
        return cls(path, label, source, int(match["number"]), part)

    @property
    def names_leaf(self) -> bool:
        """Whether the number is that of a leaf, not of the camera."""
        return self.source is not None and self.source.endswith("Leaf")


def source_folder(config: DataConfig) -> Path:
    """The folder (or table) of the source; drawn or downloaded if need be."""
    if config.source == "sample":
        return draw_sample(config.root or Path("data"), config.sample_size, config.seed)
    if config.source == "plantvillage":
        return fetch(PLANTVILLAGE, config.root or Path("data"))
    if config.source == "plantvillage-original":
        folder = fetch(PLANTVILLAGE_ORIGINAL, config.root or Path("data"))
        return next(folder.glob("*/raw/color"), folder)
    assert config.root is not None  # DataConfig requires it
    if not config.root.exists():
        raise FileNotFoundError(f"data.root: there is no folder {config.root}")
    return config.root


def list_photos(root: Path, config: DataConfig, classes: Sequence[str] | None = None) -> tuple[list[Photo], Found]:
    """All photos below a folder, or of a table, that have a class; what was left out and why is in the second.

    With `classes` given, those that are found must be among them; others are named and refused. Raises ValueError.
    """
    found = _find(root, config)
    names = {label: _renamed(label, config.names) for label in found.classes}
    for unknown in [name for name in config.names if alike(name) not in map(alike, found.classes)]:
        note(f"data.names: there is no class {shown(unknown)} in {root}")
    if classes is not None:
        names = _known(names, classes, root)
    for path, label, _ in found.photos:
        if names[label] is None:
            found.left_out[f"photos of class {label}"].append(path.name)
    found.photos = [(path, str(names[label]), part) for path, label, part in found.photos if names[label] is not None]
    numbers = {name: number for number, name in enumerate(classes or sorted(found.classes))}
    if classes is None and len(numbers) < 2:
        raise ValueError(
            f"{root} has only one class, {', '.join(numbers)}; there is nothing to tell apart: put the photos of each "
            "class into a folder of its name, or a labels.csv (columns image and label) beside them"
        )
    if not found.photos:
        raise ValueError(f"{root} has no photos of a class that is asked for")
    return [Photo.from_path(path, numbers[label], part) for path, label, part in found.photos], found


def _find(root: Path, config: DataConfig) -> Found:
    """Photos with classes by folders or by tables: by whichever tells more classes apart."""
    folder = root if root.is_dir() else root.parent
    if root.is_file() and not is_table(root):
        raise ValueError(_no_place(root))
    photos = find_images(folder)
    if not photos:
        raise ValueError(_no_photos(folder))
    tables = [root] if root.is_file() else tables_below(folder)
    if config.source == "csv" and not tables:
        raise ValueError(f"{folder} holds no table; name it with --data.root, or use --data.source folder")
    if tables and (root.is_file() or config.source == "csv"):
        found = read_labels(tables, photos, config)
    else:
        found = _folders_or_tables(folder, photos, tables, config)
    if not found.photos:
        raise ValueError(
            f"{folder} holds {len(photos)} photos, but neither class folders nor a table of labels; put the photos of "
            "each class into a folder of its name, or a labels.csv (columns image and label) beside them"
        )
    one = one_spelling({path: label for path, label, _ in found.photos}, first=lambda _: False)
    if spelled := sorted({f"{label} is {one[path]}" for path, label, _ in found.photos if label != one[path]}):
        note(f"{root}: classes spelled in two ways are one: {named(spelled)}")
    found.photos = [(path, one[path], part) for path, _, part in found.photos]
    return found


def _folders_or_tables(folder: Path, photos: list[Path], tables: list[Path], config: DataConfig) -> Found:
    by_folder = classes_by_folder(folder, photos)
    if not tables:
        return by_folder
    listed = named([table.relative_to(folder).as_posix() for table in tables])
    try:
        by_table = read_labels(tables, photos, config)
    except (ValueError, OSError):
        if len(by_folder.classes) < 2:
            raise
        return by_folder
    if len(by_table.classes) > len(by_folder.classes):
        if len(by_folder.classes) > 1:
            note(f"{folder}: the table decides ({listed}: {len(by_table.classes)} classes), not the folders")
        return by_table
    note(f"{folder}: the folders decide, not the table ({listed}); --data.source csv reads it")
    return by_folder


def _renamed(label: str, names: Mapping[str, str | None]) -> str | None:
    """The name that the setting gives a class, else its own."""
    given = {alike(name): new for name, new in ({NOT_LEAVES: None} | dict(names)).items()}
    return names[label] if label in names else given.get(alike(label), label)


def _known(names: Mapping[str, str | None], classes: Sequence[str], root: Path) -> dict[str, str | None]:
    """Class names as a run has them. Raises ValueError that tells how to name or leave out the others."""
    spelled = {alike(name): name for name in classes}
    known = {old: name if name in classes or name is None else spelled.get(alike(name)) for old, name in names.items()}
    if unknown := sorted(old for old, name in names.items() if name is not None and known[old] is None):
        proposal = {name: _similar(name, classes) for name in unknown}
        raise ValueError(
            f"{root} has classes that the run does not know: {', '.join(map(shown, unknown))}; say which they are, or "
            f"leave them out with null: --data.names '{json.dumps(proposal, ensure_ascii=False)}' "
            f"(it knows {named(list(classes), 50)})"
        )
    return known


def _similar(name: str, classes: Sequence[str]) -> str | None:
    """The class that shares the most words with a name, at least half of them; None if there is none."""

    def shared(other: str) -> float:
        mine, theirs = (set(alike(text).split()) - {"leaf", "leaves", "plant"} for text in (name, other))
        return len(mine & theirs) / max(len(mine | theirs), 1)

    best = max(classes, key=shared)
    return best if shared(best) >= 0.5 else None


def _no_place(path: Path) -> str:
    """Why a file is no data, and what to do."""
    if module := ARCHIVES.get(path.suffix.lower()):
        return f"{path} is an archive; unpack it with: python -m {module} -e '{path}' DIR, then use --data.root DIR"
    return f"{path} is neither a folder of photos nor a table of their labels"


def _no_photos(folder: Path) -> str:
    kinds = Counter(path.suffix.lower() for path in folder.rglob("*") if path.is_file())
    archive = next((path for path in sorted(folder.rglob("*")) if path.suffix.lower() in ARCHIVES), None)
    if archive is not None:
        return f"there are no photos in {folder}: {_no_place(archive)}"
    listed = ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in kinds.most_common(3))
    inside = (
        f"it holds files of other kinds ({listed}); save the photos in them as JPEG or PNG"
        if listed
        else "its folders are empty"
    )
    return f"there are no photos in {folder}: {inside}"


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample as somebody's own data: what `--data.source folder --data.root` takes, and one photo for `predict`."""
    root = draw_sample(folder, config.sample_size, config.seed)
    return root, find_images(root)[0]
