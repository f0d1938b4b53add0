"""Sources of photos with captions (the sample, public data sets, your own folder) -> one list of photos.

Mismatches (a photo without captions, a caption without its photo, an empty caption) are left out, counted and named.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from projects.imagecaption.caption_files import FLICKR8K, Lists, find_caption_files, folder_of_photos, photos_of
from projects.imagecaption.config import DataConfig
from projects.imagecaption.layouts import PART_FILE, PARTS, CaptionFile
from projects.imagecaption.photo_names import PhotoNames
from projects.imagecaption.sample import draw_sample
from projects.imagecaption.vocabulary import tokenize
from shared.console import note
from shared.data import splits
from shared.data.images import find_images, readable_photos
from shared.data.summary import named
from shared.names import shown


@dataclass
class Photo:
    """A photo and its captions."""

    path: Path
    captions: list[str]
    part: str | None = None
    """`train`, `validation` or `test`, where the source has lists."""


@dataclass
class Collection:
    """The photos of a source, in the order of their names."""

    photos: list[Photo]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Reason -> names of what was left out."""
    files: list[CaptionFile] = field(default_factory=list)
    """Where the captions are from."""

    def problems(self) -> str:
        """`2 photos without captions (a.jpg, b.jpg), 1 empty captions (c.jpg)`"""
        return ", ".join(f"{len(names)} {reason} ({named(names)})" for reason, names in self.left_out.items() if names)


def load_photos(config: DataConfig) -> Collection:
    """All photos with captions of a source, without those that cannot be read where `damaged` is leave-out.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    collection = _read(config)
    photos = collection.photos
    readable = readable_photos([photo.path for photo in photos], config.damaged, config.cache)
    if names := [photo.path.name for photo, kept in zip(photos, readable) if not kept]:
        collection.left_out["photos that cannot be read"] = names
    collection.photos = [photo for photo, kept in zip(photos, readable) if kept]
    return collection


def _read(config: DataConfig) -> Collection:
    root = config.root
    if config.source == "sample":
        root = draw_sample(root or Path("data"), config.sample_size, config.seed) / "captions.csv"
    assert root is not None  # DataConfig requires it
    if not root.exists():
        wanted = f"; there must be {FLICKR8K}" if config.source == "flickr8k" else ""
        raise FileNotFoundError(f"data.root: there is no folder {root}{wanted}")
    names = PhotoNames(root if root.is_dir() else folder_of_photos(root))
    return _join(*find_caption_files(root, names, config), names)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a folder for `--data.root`, and one photo for `predict`."""
    root = draw_sample(folder, config.sample_size, config.seed)
    return root, find_images(root)[0]


def _join(files: Sequence[CaptionFile], lists: Lists, names: PhotoNames) -> Collection:
    """Photos with their captions.

    Raises ValueError if a photo is in two sets.
    """
    left_out: dict[str, list[str]] = defaultdict(list)
    photos: dict[Path, Photo] = {}
    parts = _parts(files, lists, names)
    entries = sorted(((name, file) for file in files for name in file.captions), key=lambda entry: entry[0])
    for (name, file), path in zip(entries, _find(entries, names, left_out)):
        several = file.captions[name]
        if path is None:
            if not name:
                left_out["captions without the name of a photo"] += several
            continue
        kept = [caption.strip() for caption in several if tokenize(caption)]
        left_out["empty captions"] += [name] * (len(several) - len(kept))
        if not kept:
            continue
        part = file.parts.get(name) or parts.get(path)
        other = photos.setdefault(path, Photo(path, kept, part))
        if other.part != part:
            raise ValueError(f"{path.name} is listed in two sets, {other.part} and {part}; keep one of them")
        other.captions += [caption for caption in kept if caption not in other.captions]
    left_out["photos without captions"] = [path.name for path in names.photos if path not in photos]
    known = {name for _, listed in lists.values() for name in listed}
    captioned = {name for file in files for name in file.captions}
    left_out["listed photos without captions"] = sorted(
        name for name in known - captioned if names.similar(name)[0] not in photos
    )
    collection = Collection(list(photos.values()), {k: several for k, several in left_out.items() if several}, [*files])
    if not photos:
        there = named([path.name for path in names.photos])
        hint = f"the photos there are {there}" if there else f"there are no photos below {names.folder}"
        if entries and names.similar(entries[-1][0])[1] == "several":
            hint = "several photos have such a name, so their folders must be given with the names"
        raise ValueError(f"no photo has a caption: {collection.problems() or 'there are none'}; {hint}")
    if not any(photo.part for photo in collection.photos):
        _divide_by_folder(collection.photos, names.folder)
    return collection


def _find(
    entries: Sequence[tuple[str, CaptionFile]], names: PhotoNames, left_out: dict[str, list[str]]
) -> list[Path | None]:
    """The photo of every name; those that are found under another name are counted on stderr."""
    found: list[Path | None] = [names.exact(name, file.folder) for name, file in entries]
    exact, similar, ambiguous = set(found), defaultdict(list), []
    for row, (name, _) in enumerate(entries):
        if found[row] is None and name:
            path, why = names.similar(name)
            if path is None or path in exact:
                left_out["captioned photos that are missing"].append(name)
                ambiguous += [name] if why == "several" else []
            else:
                similar[path].append((row, name, why))
    examples: dict[str, list[str]] = defaultdict(list)
    for path, rows in similar.items():
        if len(rows) > 1:
            left_out["captioned photos whose names fit one photo"] += [name for _, name, _ in rows]
            continue
        ((row, name, why),) = rows
        found[row] = path
        examples[why].append(f"{shown(name)} is {shown(path.relative_to(names.folder))}")
    if ambiguous:
        note(f"{len(ambiguous)} names in the captions fit several photos and are left out: {named(ambiguous)}")
    for why, several in examples.items():
        note(f"{len(several)} photos are named {why} in the captions ({several[0]}); they are taken for the same")
    return found


def _parts(files: Sequence[CaptionFile], lists: Lists, names: PhotoNames) -> dict[Path, str]:
    """The set of each photo by the lists, or by the names of several files of captions (train.csv, test.csv)."""
    parts: dict[Path, str] = {}
    for file, (part, listed) in lists.items():
        for name in listed:
            path = names.exact(name, file.parent) or names.similar(name)[0]
            if path and parts.setdefault(path, part) != part:
                raise ValueError(f"{file}: {shown(name)} is listed in two sets, {parts[path]} and {part}")
    if parts:
        return parts
    matches = {id(file): PART_FILE.search(file.path.name.split(".")[0]) for file in files}
    by_file = {key: PARTS[match[1].lower()] for key, match in matches.items() if match}
    if len(set(by_file.values())) > 1 and len(by_file) == len(files):
        return {path: by_file[id(file)] for file in files for path in photos_of(file, names)}
    return {}


def _divide_by_folder(photos: Sequence[Photo], folder: Path) -> None:
    """Photos that all lie in folders named train, test and so on are in these sets."""
    parts = []
    for photo in photos:
        places = photo.path.parent.relative_to(folder).parts if photo.path.is_relative_to(folder) else ()
        parts.append(next((PARTS[place.lower()] for place in places if place.lower() in PARTS), None))
    if all(parts) and splits.TRAIN in parts and len(set(parts)) > 1:
        for photo, part in zip(photos, parts):
            photo.part = part
        note(f"the photos are divided by the folders {', '.join(sorted(set(filter(None, parts))))}")
