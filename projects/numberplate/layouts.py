"""The files of a place and their layout; `annotation_tools.py`, `label_texts.py` and `columns.py` read them."""

from dataclasses import dataclass, field
from pathlib import Path

from projects.numberplate.annotation_tools import read_json, read_xml
from projects.numberplate.columns import read_columns
from projects.numberplate.config import DataConfig
from projects.numberplate.label_texts import CLASS_FILES, read_ccpd, read_text
from projects.numberplate.labels import LAYOUTS, Label, Understood
from shared.console import note
from shared.data.images import SUFFIXES
from shared.data.summary import named
from shared.data.tables import is_table
from shared.names import shown

ARCHIVES = {".zip", ".tar", ".tgz", ".rar", ".7z"}
NOT_LABELS = {*CLASS_FILES, "requirements.txt", "license.txt", "readme.txt", "_classes.csv"}


@dataclass
class Found:
    """The labels of a place by layout, and the files that are none."""

    labels: dict[str, list[Label]] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)
    empty: list[Path] = field(default_factory=list)
    """Text files without a line: in some layouts a photo without a plate."""
    other: list[str] = field(default_factory=list)
    errors: list[ValueError] = field(default_factory=list)
    """Why tables could not be read as such."""

    def add(self, layout: str, file: Path, labels: list[Label]) -> None:
        self.labels.setdefault(layout, []).extend(labels)
        self.files.setdefault(layout, []).append(file)


def read_labels(place: Path, config: DataConfig, understood: Understood) -> list[Label]:
    """The labels of a file or of all files of a folder. Raises ValueError or FileNotFoundError with one sentence."""
    if not place.exists():
        raise FileNotFoundError(f"data.root: there is no file or folder {shown(place)}")
    if place.suffix.lower() in (".yaml", ".yml"):  # data.yaml of YOLO
        place = place.parent
    found = Found()
    for path in _files(place):
        _read_file(path, place, config, understood, found)
    if not found.labels or config.layout == "ccpd":
        found.labels = {"ccpd": labels} if (labels := read_ccpd(_files(place))) else {}
    layout = _the_layout(place, config, found)
    labels = found.labels[layout]
    if layout in ("yolo", "oid", "ufpr", "openalpr"):
        labels += [Label(path.stem, path) for path in found.empty]
    if found.other:
        note(f"{shown(place)}: not read: {len(found.other)} other files ({named(found.other)})")
    understood.facts["layout"] = LAYOUTS[layout]
    return labels


def _files(place: Path) -> list[Path]:
    if place.is_file():
        if place.suffix.lower() in SUFFIXES:
            raise ValueError(f"{shown(place)} is a photo; --data.root names its table, its labels or its folder")
        if place.suffix.lower() in ARCHIVES:
            raise ValueError(f"{shown(place)} is an archive; unpack it and name its folder with --data.root")
        return [place]
    paths = (path for path in sorted(place.rglob("*")) if path.is_file())
    return [
        path for path in paths if not any(part.startswith((".", "__MAC")) for part in path.relative_to(place).parts)
    ]


def _the_layout(place: Path, config: DataConfig, found: Found) -> str:
    """The one kind of labels, or the one that is named. Raises ValueError where there are several or none."""
    kinds = "; ".join(
        f"{layout}: {LAYOUTS[layout]}, such as {shown(files[0].relative_to(place) if place.is_dir() else files[0])}"
        for layout, files in found.files.items()
    )
    if config.layout != "auto":
        if config.layout not in found.labels:
            raise ValueError(f"{shown(place)} has no {LAYOUTS[config.layout]}{f', but {kinds}' if kinds else ''}")
        return config.layout
    if len(found.labels) > 1:
        raise ValueError(f"{shown(place)} has several kinds of labels ({kinds}); name one with --data.layout")
    if not found.labels:
        if found.errors:
            raise found.errors[0]
        photos = sum(path.suffix.lower() in SUFFIXES for path in _files(place))
        archives = [path.name for path in _files(place) if path.suffix.lower() in ARCHIVES]
        hint = f"unpack {named(archives)} first" if archives else "write a table with the columns file,x0,y0,x1,y1,text"
        raise ValueError(
            f"{shown(place)} has {photos} photos, but no labels in a layout that is read "
            f"({', '.join(LAYOUTS.values())}); {hint}"
        )
    return next(iter(found.labels))


def _read_file(path: Path, place: Path, config: DataConfig, understood: Understood, found: Found) -> None:
    """Read one file into `found`."""
    suffix, name = path.suffix.lower(), path.name.lower()
    if suffix in SUFFIXES or suffix in (".yaml", ".yml", ".box") or name in CLASS_FILES:
        return
    read: tuple[str, list[Label]] | None = None
    if name in NOT_LABELS or name.startswith("readme"):
        pass
    elif path.stat().st_size == 0 and suffix == ".txt":
        read = "empty", []
    elif suffix == ".xml":
        read = read_xml(path)
    elif suffix == ".json":
        read = read_json(path, config) or _read_table(path, config, understood, found)
    elif suffix == ".txt":
        read = read_text(path, place, config, understood)
        if read is None and path == place:
            read = _read_table(path, config, understood, found)
    elif is_table(path) or path == place:
        read = _read_table(path, config, understood, found)
    if read is None:
        found.other.append(path.name)
    elif read[0] == "empty":
        found.empty.append(path)
    elif read[0] != "list":
        found.add(read[0], path, read[1])


def _read_table(path: Path, config: DataConfig, understood: Understood, found: Found) -> tuple[str, list[Label]] | None:
    """A table; None, with the reason kept, where it is none of photos or crops."""
    try:
        return "table", read_columns(path, config, understood)
    except ValueError as error:
        found.errors.append(error)
        return None
