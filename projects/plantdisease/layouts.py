"""Photos in folders as people have them: which folder is a class, which a set (train, test), which a mere wrapper."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from shared.data import splits
from shared.names import shown

FILLERS = set(
    "set sets data dataset image images img imgs photo photos picture pictures folder split the files".split()
)
COLLECTION = re.compile(
    r"\d+|\d{4}[-_. ]\d\d?([-_. ]\d\d?)?"
    r"|(part|batch|fold|session|day|camera|cam|field|plot|group|chunk|folder|leaf|plant|tree|set|series|site|farm|visit)"
    r"s?[ _-]*\d+|(all|raw|original|leaf|plant)?[ _-]*"
    r"(images?|imgs?|photos?|pictures?|jpe?gs?|pngs?|files?|raw|data|dataset|originals?|labell?ed)"
)
"""Folders that are no class: pictures of one plant, day or camera, or all of them."""
OTHER_VERSIONS = {
    "color": {"grayscale", "greyscale", "gray", "grey", "segmented"},
    "images": {"masks", "mask", "annotations", "labels", "segmentations"},
}
"""Folder -> folders beside it that hold the same photos changed."""


@dataclass
class Found:
    """The photos that have a class, and how that was understood."""

    photos: list[tuple[Path, str, str | None]] = field(default_factory=list)
    """Photo, class, and set if it is known."""
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Reason -> names of files, folders or rows."""
    columns: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> set[str]:
        """The names of the classes."""
        return {label for _, label, _ in self.photos}


Parts = tuple[str, ...]
K = TypeVar("K")


def alike(name: str) -> str:
    """A name without case, accents written apart, and punctuation: two spellings of a class are equal.

    >>> alike("Tomato___Late_blight"), alike("tomato late-blight")
    ('tomato late blight', 'tomato late blight')
    """
    letters = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in letters).split())


def part_of(name: str) -> tuple[str | None, str]:
    """The set that a folder or file is called after, and what else its name says.

    >>> part_of("Validation Set"), part_of("rice_train"), part_of("Rust")
    (('validation', ''), ('train', 'rice'), (None, 'rust'))
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).casefold())
    parts = {splits.PART_OF[word] for word in words if word in splits.PART_OF}
    rest = " ".join(word for word in words if word not in splits.PART_OF and word not in FILLERS)
    return (parts.pop() if len(parts) == 1 else None), rest


def folder_parts(folders: Iterable[Parts]) -> dict[Parts, str]:
    """Folders (as their names below the root) that are a set. `rice_train` is one only beside a `rice_test`."""
    siblings: dict[tuple[Parts, str], dict[Parts, str]] = defaultdict(dict)
    for folder in {path[: n + 1] for path in folders for n in range(len(path))}:
        part, rest = part_of(folder[-1])
        if part:
            siblings[folder[:-1], rest][folder] = part
    found = [group for (_, rest), group in siblings.items() if not rest or len(set(group.values())) > 1]
    return {folder: part for group in found for folder, part in group.items()}


def other_versions(folders: Sequence[Parts]) -> set[Parts]:
    """Folders of masks, or of grey or segmented photos, beside one with the photos themselves."""
    every = {path[: n + 1] for path in folders for n in range(len(path))}
    beside: dict[Parts, dict[str, Parts]] = defaultdict(dict)
    for folder in every:
        beside[folder[:-1]][folder[-1].casefold().replace("colour", "color")] = folder
    return {
        group[name]
        for group in beside.values()
        for first, others in OTHER_VERSIONS.items()
        if first in group
        for name in others & group.keys()
    }


def classes_by_folder(root: Path, photos: Sequence[Path]) -> Found:
    """The class and the set of photos by the folders they lie in."""
    inside: dict[Parts, list[Path]] = defaultdict(list)
    for photo in photos:
        inside[photo.parent.relative_to(root).parts].append(photo)
    changed = other_versions(list(inside))
    kept = [folder for folder in inside if not any(folder[: n + 1] in changed for n in range(len(folder)))]
    classes, parts = classes_of({folder: len(inside[folder]) for folder in kept})
    found = Found()
    for folder, paths in inside.items():
        if folder in classes:
            found.photos += [(path, classes[folder], parts.get(folder)) for path in paths]
            continue
        reason = "photos in no class folder" if folder in kept else "changed copies of photos (grey, segmented, masks)"
        found.left_out[reason] += [path.relative_to(root).as_posix() for path in paths]
    if empty := _empty_folders(root, inside):
        found.left_out["folders without photos"] += empty
    if found.photos and (found.photos[0][0].parent.name != found.photos[0][1] or parts):
        path, label, part = found.photos[0]
        example = f"{shown(path.relative_to(root).as_posix())} is {shown(label)}" + (f", {part}" if part else "")
        found.facts["for example"] = example
    return found


def _empty_folders(root: Path, inside: Iterable[Parts]) -> list[str]:
    """The topmost folders that hold no photo, neither directly nor deeper."""
    filled = {path[:n] for path in inside for n in range(len(path) + 1)}
    below = [child for folder in filled for child in sorted(root.joinpath(*folder).iterdir()) if child.is_dir()]
    named = [path.relative_to(root).parts for path in below if path.name[0] != "." and path.name != "__MACOSX"]
    return ["/".join(path) for path in named if path not in filled]


def classes_of(folders: Mapping[Parts, int]) -> tuple[dict[Parts, str], dict[Parts, str]]:
    """The class and the set of every folder with (so many) photos in it; folders of no class are not in the first.

    Wrappers around all classes are passed over, `Apple/scab` beside `Corn/rust` is the class `Apple___scab`, and one
    class spelled in two ways has the name it has in the training set.
    """
    sets = folder_parts(folders)
    classes: dict[Parts, str] = {}
    part: dict[Parts, str] = {}
    names: dict[Parts, Parts] = {}
    for folder in folders:
        above = [folder[: n + 1] for n in range(len(folder))]
        if named := [sets[path] for path in above if path in sets]:
            part[folder] = named[-1]
        names[folder] = _without_repeats([path[-1] for path in above if path not in sets])
    for is_class in (_is_no_collection, _is_any):
        paths = {folder: tuple(filter(is_class, path)) for folder, path in names.items()}
        paths = {folder: path for folder, path in paths.items() if path}
        classes = _named(_without_strays(paths, folders), part)
        if len(set(map(alike, classes.values()))) > 1:
            return classes, part
    return classes, part


def _without_strays(paths: Mapping[Parts, Parts], counts: Mapping[Parts, int]) -> dict[Parts, Parts]:
    """Paths of class folders. A folder above others is a class of its own, with all that is below it, where most of the
    photos lie in it directly and other classes beside it; else the photos in it are strays."""
    keys = {folder: tuple(map(alike, path)) for folder, path in paths.items()}
    photos = Counter[Parts]()
    for folder, key in keys.items():
        photos[key] += counts[folder]
    kept = dict(paths)
    for top in [key for key in sorted(photos, key=len) if any(other != key == other[: len(key)] for other in photos)]:
        below = [folder for folder, key in keys.items() if key[: len(top)] == top and folder in kept]
        own = sum(counts[folder] for folder in below if keys[folder] == top)
        if len(below) < len(kept) and 2 * own > sum(counts[folder] for folder in below):
            kept.update({folder: paths[folder][: len(top)] for folder in below})
        else:
            kept = {folder: path for folder, path in kept.items() if keys[folder] != top}
    return kept


def _is_no_collection(name: str) -> bool:
    return COLLECTION.fullmatch(name.casefold().strip()) is None


def _is_any(_: str) -> bool:
    return True


def _without_repeats(names: Sequence[str]) -> Parts:
    """`PlantVillage/PlantVillage/x` is `PlantVillage/x`."""
    kept = [name for n, name in enumerate(names) if n == 0 or alike(name) != alike(names[n - 1])]
    return tuple(kept)


def _named(paths: dict[Parts, Parts], part: dict[Parts, str]) -> dict[Parts, str]:
    """Class names of folders, without wrappers: around all of them, else around those of each set."""
    whole = _joined(paths)
    of_set = {name: {f: p for f, p in paths.items() if part.get(f) == name} for name in {*part.values(), None}}
    each = {folder: name for group in of_set.values() for folder, name in _joined(group).items()}

    def strangers(classes: dict[Parts, str]) -> int:
        known = {alike(name) for folder, name in classes.items() if part.get(folder) == splits.TRAIN}
        return len({alike(name) for folder, name in classes.items() if part.get(folder) != splits.TRAIN} - known)

    classes = each if strangers(each) < strangers(whole) else whole
    return one_spelling(classes, first=lambda folder: part.get(folder) == splits.TRAIN)


def _joined(paths: dict[Parts, Parts]) -> dict[Parts, str]:
    """Paths without what all begin with, joined: crop___disease."""
    if not paths:
        return {}
    shortest = min(map(len, paths.values()))
    same = [len({alike(path[n]) for path in paths.values()}) == 1 for n in range(shortest)]
    start = min([same.index(False) if False in same else shortest, shortest - 1])
    return {folder: _class_name(path[start:]) for folder, path in paths.items()}


def _class_name(path: Parts) -> str:
    """`Apple/scab` as `Apple___scab`; where the last name is complete in itself (`Apple/Apple_scab`), that one."""
    if len(path) > 1 and ("___" in path[-1] or alike(path[-1]).startswith(alike(path[-2]) + " ")):
        return path[-1]
    return "___".join(path)


def one_spelling(classes: dict[K, str], first: Callable[[K], bool]) -> dict[K, str]:
    """Names that differ in case and punctuation only as one: the commonest spelling, among the `first` if there."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, name in classes.items():
        counts[alike(name)][name] += 1 + len(classes) * first(key)
    best = {key: max(sorted(names), key=lambda name: names[name]) for key, names in counts.items()}
    return {key: best[alike(name)] for key, name in classes.items()}
