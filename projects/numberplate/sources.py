"""Photos and crops of any layout -> lists of records, split so that no plate text is in two sets."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from projects.numberplate.boxes import Boxes
from projects.numberplate.config import DataConfig
from projects.numberplate.formats import MAX_LENGTH
from projects.numberplate.labels import Label, Understood, plain_texts, plates_only
from projects.numberplate.layouts import read_labels
from projects.numberplate.photo_files import Photos, given_parts, require_photos, sizes_of
from projects.numberplate.synthetic.streets import draw_sample
from shared.console import note
from shared.data import splits
from shared.data.cache import fingerprint
from shared.data.images import find_images
from shared.names import shown

FOLDS = 5
COPIES = re.compile(r"\.rf\.[0-9a-f]{16,}")
"""What Roboflow adds to the names of augmented copies of a photo."""


@dataclass(frozen=True)
class Row:
    """A checked label."""

    path: Path
    box: np.ndarray | None
    """(4,) x0, y0, x1, y1 in pixels of the upright photo; None: a photo without a plate, or a crop."""
    corners: np.ndarray | None
    """(4, 2) clockwise from the top left."""
    text: str
    part: str
    set_name: str
    is_crop: bool


@dataclass(frozen=True)
class Photo:
    """A photo and the plates on it."""

    path: Path
    set_name: str
    """The set it belongs to, such as its country."""
    split: str
    """train, validation, test or unused."""
    boxes: np.ndarray
    """(n, 4) float32: x0, y0, x1, y1 in pixels."""
    corners: np.ndarray
    """(n, 4, 2) float32, clockwise from the top left; NaN where they are not known."""
    texts: tuple[str, ...]
    """Empty where it is not known."""


@dataclass(frozen=True)
class Crop:
    """An image of one plate, or the part of a photo that shows one."""

    path: Path
    set_name: str
    split: str
    text: str
    box: np.ndarray | None = None
    """Where on the photo, (4,); None: all of the image."""


class Collection(NamedTuple):
    """The photos and crops of a source, split, and how they were understood."""

    photos: list[Photo]
    crops: list[Crop]
    understood: Understood


def load_plates(config: DataConfig) -> Collection:
    """The photos and crops of a source. Plates of a photo whose text is known are crops as well.

    No plate text is in two sets. Raises ValueError or FileNotFoundError with one sentence.
    """
    if config.source == "sample":
        places = [draw_sample(config.root or Path("data"), config.sample_size, config.seed)]
    else:
        places = [place for place in (config.root, config.crops) if place]
    understood = Understood()
    photos: list[Photo] = []
    crops: list[Crop] = []
    for place in places:
        rows = _checked(read_labels(place, config, understood), place, config, understood)
        photos += _photos([row for row in rows if not row.is_crop], config, understood)
        crops += _crops([row for row in rows if row.is_crop], place, config, understood)
    if both := {photo.path for photo in photos} & {crop.path for crop in crops}:
        raise ValueError(
            f"{shown(min(both))} is a photo with boxes in one table and a crop in another; "
            "write its texts beside the boxes"
        )
    crops += [
        Crop(photo.path, photo.set_name, photo.split, text, box)
        for photo in photos
        for text, box in zip(photo.texts, photo.boxes)
        if text and len(text) <= MAX_LENGTH
    ]
    if long := [text for photo in photos for text in photo.texts if len(text) > MAX_LENGTH]:
        understood.leave_out(f"texts longer than {MAX_LENGTH} characters", long)
    sets = {one.set_name for one in (*photos, *crops)}
    for name, named in (("exclude_sets", config.exclude_sets), ("test_sets", config.test_sets)):
        if unknown := sorted(set(named) - sets):
            raise ValueError(f"data.{name}: there is no set {', '.join(unknown)}, only {', '.join(sorted(sets))}")
    return Collection(*_without_leakage(photos, crops), understood)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a table for `--data.root`, and one photo for `predict`."""
    table = draw_sample(folder, config.sample_size, config.seed)
    return table, find_images(table.parent)[0]


def _checked(labels: Sequence[Label], place: Path, config: DataConfig, understood: Understood) -> list[Row]:
    """The rows of labels. Raises ValueError or FileNotFoundError with one sentence."""
    labels = plates_only(labels, place, config, understood)
    photos = Photos(place)
    found = [photos.find(label) for label in labels]
    require_photos(labels, found, photos, config, understood)
    pairs = [(label, path) for label, path in zip(labels, found) if path]
    sizes = sizes_of([path for _, path in pairs], config, understood)
    pairs = [(label, path) for label, path in pairs if path in sizes]
    boxes = Boxes(pairs, sizes, config, understood).in_pixels()
    if place.is_dir():
        photos.leave_out_unused({path for _, path in pairs}, understood)
    texts = plain_texts([label for label, _ in pairs], place, understood)
    parts = given_parts(pairs, photos.folder, understood)
    rows: dict[tuple, Row] = {}
    for (label, path), box, text, part in zip(pairs, boxes, texts, parts):
        corners = None if box is None else box[1]
        set_name = label.set_name or path.parent.name
        own = Row(path, None if box is None else box[0], corners, text, part, set_name, label.is_crop)
        key = (path, tuple(box[0]) if box else text)
        if key in rows and text and rows[key].text not in ("", text):
            raise ValueError(
                f"{shown(label.file)}: a plate of {shown(label.photo)} has two texts: {rows[key].text}, {text}"
            )
        if key not in rows or text:
            rows[key] = own  # without duplicates
    return list(rows.values())


def _grouped(rows: list[Row]) -> dict[Path, list[Row]]:
    groups: dict[Path, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.path, []).append(row)
    return groups


def _photos(rows: list[Row], config: DataConfig, understood: Understood) -> list[Photo]:
    groups = _grouped(rows)
    keys = ["".join(sorted(row.text for row in group)) or COPIES.sub("", str(path)) for path, group in groups.items()]
    photos = []
    for (path, group), split in zip(groups.items(), _assign(list(groups.values()), keys, config, understood)):
        boxed = [row for row in group if row.box is not None]
        boxes = np.array([row.box for row in boxed], np.float32).reshape(-1, 4)
        unknown = np.full((4, 2), np.nan, np.float32)
        corners = np.array([unknown if row.corners is None else row.corners for row in boxed], np.float32)
        texts = tuple(row.text for row in boxed)
        photos.append(Photo(path, group[0].set_name, str(split), boxes, corners.reshape(-1, 4, 2), texts))
    return photos


def _crops(rows: list[Row], place: Path, config: DataConfig, understood: Understood) -> list[Crop]:
    readable = [row for row in rows if 0 < len(row.text) <= MAX_LENGTH]
    if rows and not readable:
        raise ValueError(f"{shown(place)} has no row with a text of at most {MAX_LENGTH} letters and digits")
    if names := [row.path.name for row in rows if not 0 < len(row.text) <= MAX_LENGTH]:
        understood.leave_out(f"crops without a text of at most {MAX_LENGTH} characters A-Z and 0-9", names)
        note(f"{shown(place)}: {len(names)} crops are left out: no text of at most {MAX_LENGTH} characters A-Z and 0-9")
    groups = _grouped(readable)
    if several := [path for path, group in groups.items() if len({row.text for row in group}) > 1]:
        raise ValueError(f"{shown(place)} has two texts for {shown(several[0])}; a crop shows one plate")
    firsts = [group[0] for group in groups.values()]
    assigned = _assign(list(groups.values()), [row.text for row in firsts], config, understood)
    return [Crop(row.path, row.set_name, str(split), row.text) for row, split in zip(firsts, assigned)]


def _assign(groups: list[list[Row]], keys: list[str], config: DataConfig, understood: Understood) -> np.ndarray:
    """train, validation, test or unused for every photo or crop; all with the same key in one set."""
    sets = [group[0].set_name for group in groups]
    if config.split == "all":
        assigned = np.full(len(groups), splits.TEST, dtype=object)
    else:
        assigned = _split(groups, keys, sets, config, understood)
    excluded = np.array([name in config.exclude_sets for name in sets], bool)
    assigned = np.where(excluded & (assigned != splits.TEST), splits.UNUSED, assigned)
    if config.test_sets:
        not_tested = np.array([name not in config.test_sets for name in sets], bool)
        assigned = np.where(not_tested & (assigned == splits.TEST), splits.UNUSED, assigned)
    return assigned


def _split(
    groups: list[list[Row]], keys: list[str], sets: list[str], config: DataConfig, understood: Understood
) -> np.ndarray:
    """By the given parts, else by the fold, else at random."""
    given = _given(groups, understood)
    if given is not None and config.fold is not None:
        raise ValueError("data.fold is for data without given parts (a column split, or folders train and test)")
    drawn = splits.grouped(keys, sets, (config.validation, 0.0 if given is not None else config.test), config.seed)
    if given is not None:
        if splits.TEST not in given:
            note("the given parts have no test set: the validation set is used as such, another is drawn from training")
            given = np.where(given == splits.VALIDATION, splits.TEST, given)
        return given if splits.VALIDATION in given else np.where(given == splits.TRAIN, drawn, given)
    if config.fold is not None:
        inside = np.array([int(fingerprint(key)[:8], 16) % FOLDS == config.fold for key in keys])
        return np.where(inside, splits.TEST, np.where(drawn == splits.TEST, splits.TRAIN, drawn))
    return drawn


def _given(groups: list[list[Row]], understood: Understood) -> np.ndarray | None:
    """The given parts; None where there are none, or one only. Raises ValueError for those that are not known."""
    parts = [{row.part for row in group} for group in groups]
    if several := [group[0].path for group, names in zip(groups, parts) if len(names) > 1]:
        raise ValueError(f"the column split names two sets for {shown(several[0])}")
    named = [next(iter(names)) for names in parts]
    if unknown := sorted(set(named) - set(splits.PART_OF) - {""}):
        raise ValueError(f"the column split has {shown(unknown[0])}; allowed are train, validation, dev and test")
    if not any(named):
        return None
    way = understood.facts.get("given parts")
    if "" in named and way == "column":
        path = groups[named.index("")][0].path
        raise ValueError(f"the column split is empty for {shown(path)}; fill it in every row, or in none")
    given = np.array([splits.PART_OF.get(name, splits.UNUSED) for name in named], dtype=object)
    if splits.TEST not in given:  # dev is the only other part, or beside val
        given[np.array(named) == "dev"] = splits.TEST
    if splits.TRAIN not in given or len(set(given) - {splits.UNUSED}) < 2:
        note(f"the given parts ({way}) are {', '.join(sorted(set(named) - {''}))} only; the split is drawn anew")
        understood.facts.pop("given parts", None)
        return None
    if "" in named:
        names = [group[0].path.name for group, name in zip(groups, named) if not name]
        understood.leave_out("photos outside of the given parts", names)
    return given


def _without_leakage(photos: list[Photo], crops: list[Crop]) -> tuple[list[Photo], list[Crop]]:
    """Training items whose text is also in the validation or test set of any table are left out, and validation items
    whose text is in the test set."""
    tested = {crop.text for crop in crops if crop.split == splits.TEST}
    validated = {crop.text for crop in crops if crop.split == splits.VALIDATION} - tested

    def split(old: str, texts: set[str]) -> str:
        if old in (splits.TEST, splits.UNUSED):
            return old
        return splits.UNUSED if texts & tested or (old == splits.TRAIN and texts & validated) else old

    return (
        [replace(photo, split=split(photo.split, set(photo.texts) - {""})) for photo in photos],
        [replace(crop, split=split(crop.split, {crop.text})) for crop in crops],
    )


def counted(assigned: list[str]) -> str:
    """`120 train, 20 validation, 30 test`"""
    counts = Counter(assigned)
    return ", ".join(f"{counts[split]} {split}" for split in (*splits.NAMES, splits.UNUSED) if counts[split])
