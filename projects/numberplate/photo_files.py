"""The photos that labels name: where they are, how large they are, and in which given part."""

import difflib
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from projects.numberplate.config import DataConfig
from projects.numberplate.labels import Label, Understood
from shared.console import note
from shared.data import splits
from shared.data.images import SUFFIXES, find_images, readable_photos, stored_size
from shared.names import shown

LABEL_FOLDERS = {"annotations", "annotation", "annots", "labels", "label", "xml", "xmls", "gt", "txt", "csv", "json"}


class Photos:
    """The photos of a place, by the names that labels give them."""

    def __init__(self, place: Path) -> None:
        self.place = self.folder = place if place.is_dir() else place.parent
        above = self.folder.resolve()
        names = LABEL_FOLDERS | set(splits.PART_OF)
        while above.name.lower() in names and above.parent != above and not find_images(above):
            above = above.parent
            self.folder = above
        self.moved: list[str] = []

    @cached_property
    def all(self) -> list[Path]:
        return find_images(self.folder)

    @cached_property
    def by_name(self) -> dict[str, list[Path]]:
        """Whole names and names without a suffix, in small letters -> files."""
        index: dict[str, list[Path]] = {}
        for path in self.all:
            for name in {path.name.casefold(), stem(path.name)}:
                index.setdefault(name, []).append(path)
        return index

    def find(self, label: Label) -> Path | None:
        """The file of a photo: at the path that is written, else by its name. Raises ValueError where two match."""
        written = unquote(label.photo) if "://" in label.photo else label.photo
        written = written.strip().strip("\"'").replace("\\", "/").removeprefix("file://")
        if not written:
            return None
        for base in (label.file.parent, self.place):
            if Path(written).suffix and "\0" not in written and (path := base / written).is_file():
                return path
        last = written.rpartition("/")[2].casefold()
        for name in (last, stem(last), re.sub("^[0-9a-f]{8}-", "", last), label.also.casefold()):
            if name and (paths := self.by_name.get(name)):
                path = self._closest(paths, written, label)
                if label.row is not None or label.also:
                    self.moved.append(f"{written} -> {path.relative_to(self.folder)}")
                return path
        return None

    def _closest(self, paths: list[Path], written: str, label: Label) -> Path:
        """The one whose folders are most like those of the written path, then those of the label's file."""

        def likeness(path: Path) -> tuple[int, int]:
            own, other = path.parts[-2::-1], written.casefold().split("/")[-2::-1]
            same = next((n for n, (a, b) in enumerate(zip(own, other)) if a.casefold() != b), min(len(own), len(other)))
            return same, len(set(path.parent.parts) & set(label.file.resolve().parent.parts))

        ranked = sorted(paths, key=likeness)
        if len(ranked) > 1 and likeness(ranked[-1]) == likeness(ranked[-2]):
            raise ValueError(
                f"{shown(label.file)}: {shown(label.photo)} may be {shown(ranked[-1])} or {shown(ranked[-2])}; "
                "write its path, or remove one"
            )
        return ranked[-1]

    def leave_out_unused(self, used: set[Path], understood: Understood) -> None:
        known = {path.resolve() for path in used}
        if names := [path.name for path in self.all if path.resolve() not in known]:
            understood.leave_out("photos without a label", names)


def bare_name(name: str) -> str:
    r"""The last part of a path in small letters without the suffix of an image.

    >>> bare_name("images\\a\\1.JPG"), bare_name("v1.2")
    ('1', 'v1.2')
    """
    return stem(name.strip().replace("\\", "/").rpartition("/")[2])


def stem(name: str) -> str:
    """The name in small letters without the suffix of an image."""
    stem, _, suffix = name.casefold().rpartition(".")
    return stem if stem and f".{suffix}" in SUFFIXES else name.casefold()


def require_photos(
    labels: Sequence[Label], found: Sequence[Path | None], photos: Photos, config: DataConfig, understood: Understood
) -> None:
    """Say which photos were found elsewhere; refuse or leave out those that do not exist."""
    if photos.moved:
        moved = list(dict.fromkeys(photos.moved))
        note(f"{shown(photos.folder)}: {len(moved)} photos are found by their names, such as {shown(moved[0])}")
    missing = list(dict.fromkeys(label.photo for label, path in zip(labels, found) if path is None))
    if not missing:
        return
    source = next(label.file for label, path in zip(labels, found) if path is None)
    if config.damaged == "leave-out" and any(found):
        understood.leave_out("photos that do not exist", missing)
        return
    last = missing[0].replace("\\", "/").rpartition("/")[2]
    close = difflib.get_close_matches(last, [path.name for path in photos.all[:2000]], 1)
    if not photos.all:
        hint = "there are no photos at all; put the labels beside them, or name the folder of both with --data.root"
    elif close:
        hint = f"the most similar name is {shown(close[0])}"
    else:
        hint = f"there are {len(photos.all)} others, such as {shown(photos.all[0].name)}"
    advice = "" if not any(found) else "; --data.damaged leave-out leaves them out"
    raise FileNotFoundError(
        f"{shown(source)} names {len(missing)} photo{'s' if len(missing) > 1 else ''} that cannot be found in "
        f"{shown(photos.folder)}, such as {shown(missing[0]) or '(no name)'}: {hint}{advice}"
    )


Size = tuple[int, int, int]
"""Width and height of a photo as it is stored, and its EXIF orientation."""


def sizes_of(photos: Sequence[Path], config: DataConfig, understood: Understood) -> dict[Path, Size]:
    """The sizes of photos; those that cannot be read are refused, or left out."""
    paths = list(dict.fromkeys(photos))
    kept = [True] * len(paths) if config.source == "sample" else readable_photos(paths, config.damaged, config.cache)
    if damaged := [path.name for path, readable in zip(paths, kept) if not readable]:
        understood.leave_out("photos that cannot be read", damaged)
    return {path: stored_size(path) for path, readable in zip(paths, kept) if readable}


def given_parts(pairs: list[tuple[Label, Path]], folder: Path, understood: Understood) -> list[str]:
    """The given part of each label: of a column, of lists of names, or of folders called train, valid and test."""
    ways: dict[str, Callable[[Label, Path], str]] = {
        "column": lambda label, _: label.part,
        "lists": lambda _, path: understood.parts.get(stem(path.name), ""),
        "folders": lambda label, path: _part_of(path, folder) or _part_of(label.file, folder),
    }
    for way, part_of in ways.items():
        if any(parts := [part_of(label, path) for label, path in pairs]):
            understood.facts["given parts"] = way
            return parts
    return [""] * len(pairs)


def _part_of(path: Path, folder: Path) -> str:
    try:
        folders = path.resolve().relative_to(folder.resolve()).parts[:-1]
    except ValueError:
        return ""
    return next((name.lower() for name in folders if name.lower() in splits.PART_OF), "")
