"""Names of photos in files of captions -> the photos on disk, also where names differ in suffix, case or folder."""

import os
import re
import unicodedata
from collections import defaultdict
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from shared.data.images import NOT_READ, SUFFIXES, find_images


class PhotoNames:
    """The photos below a folder, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.photos = folder, find_images(folder)
        self.by_path = {os.path.normpath(path): path for path in self.photos}
        self.by_name: dict[str, list[Path]] = defaultdict(list)
        self.by_key: dict[str, list[Path]] = defaultdict(list)
        for path in self.photos:
            self.by_name[path.name].append(path)
            self.by_key[_key(path.name)].append(path)

    def exact(self, name: str, base: Path) -> Path | None:
        """The photo of a path relative to `base` or the folder, or of a file name that is unique."""
        for folder in (base, self.folder):
            if found := self.by_path.get(os.path.normpath(folder / name)):
                return found
        if "/" not in name:
            return self.by_name[name][0] if len(self.by_name.get(name, ())) == 1 else None
        with suppress(OSError, ValueError):  # a name that no system allows
            if (base / name).is_file() and PurePosixPath(name).suffix.lower() in SUFFIXES:
                return base / name
        return None

    def similar(self, name: str) -> tuple[Path | None, str]:
        """The one photo that a name fits but for its folder, case or suffix, and in what they differ.

        Without a photo: whether none fits, or several.
        """
        clean = PurePosixPath(unquote(name.split("?")[0]).replace("\\", "/"))
        fitting = self.by_key.get(_key(clean.name), [])
        fitting = (
            [path for path in fitting if path.name == clean.name]
            or [path for path in fitting if path.name.casefold() == clean.name.casefold()]
            or fitting
        )
        if len(fitting) > 1:
            common = [_common_folders(path, clean) for path in fitting]
            fitting = [path for path, count in zip(fitting, common) if count == max(common)]
        if len(fitting) != 1:
            return None, "several" if fitting else "none"
        found = fitting[0].name
        if found == clean.name:
            return fitting[0], "with backslashes" if "\\" in name else "in another folder"
        if found.casefold() == clean.name.casefold():
            return fitting[0], "in another case"
        if _stem(found).casefold() == _stem(clean.name).casefold():
            return fitting[0], "without a suffix" if _stem(clean.name) == clean.name else "with another suffix"
        return fitting[0], "differently"

    def of_text(self, path: Path) -> Path | None:
        """The photo that a text file belongs to: `photo.jpg` beside `photo.txt`, or the only one of that name."""
        fitting = [photo for photo in self.by_key.get(_key(path.stem), []) if photo.stem == path.stem]
        beside = [photo for photo in fitting if photo.parent == path.parent]
        return (beside or fitting)[0] if len(beside or fitting) == 1 else None


def _stem(name: str) -> str:
    """A file name without the suffix of a photo."""
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in SUFFIXES | NOT_READ else name


def _key(name: str) -> str:
    """A file name without its suffix, case, leading zeros, and what COCO's names of 2014 have before the number.

    >>> _key("COCO_val2014_000000000042.jpg"), _key("42"), _key("A_1.JPG")
    ('42', '42', 'a_1')
    """
    stem = re.sub(r"^COCO_(train|val|test)20\d\d_(?=\d{12}$)", "", _stem(name.strip()))
    stem = unicodedata.normalize("NFC", stem).casefold()
    return stem.lstrip("0") or "0" if stem.isdecimal() else stem


def _common_folders(path: Path, name: PurePosixPath) -> int:
    """How many folders from the end on two paths have in common."""
    pairs = zip(reversed(path.parent.parts), reversed(name.parent.parts))
    return next((n for n, (ours, theirs) in enumerate(pairs) if ours.casefold() != theirs.casefold()), len(name.parts))
