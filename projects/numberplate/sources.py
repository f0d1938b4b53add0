"""Tables of photos and crops -> lists of records, split so that no plate text is in two sets."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from projects.numberplate.config import DataConfig
from projects.numberplate.formats import CHARACTERS, MAX_LENGTH
from projects.numberplate.synthetic.streets import draw_sample
from shared.data import splits
from shared.data.cache import fingerprint
from shared.data.images import find_images
from shared.data.tables import read_table

BOX = ["x0", "y0", "x1", "y1"]
ALIASES = {"xmin": "x0", "ymin": "y0", "xmax": "x1", "ymax": "y1"}
OTHER_BOXES = {"x", "y", "left", "top", "bbox", "box"}
"""Columns of tables with boxes in another format."""
SEPARATORS = "-–—.·•:/'_"
"""What may stand between the characters of a plate, besides white space."""
FOLDS = 5
SPLIT_NAMES = {
    "train": splits.TRAIN,
    "val": splits.VALIDATION,
    "validation": splits.VALIDATION,
    "dev": splits.TEST,
    "test": splits.TEST,
}
"""Allowed values of a column `split`. Without a validation set, one is taken from the training set."""


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


def load_tables(config: DataConfig) -> tuple[list[Photo], list[Crop]]:
    """The photos and crops of a source, split. Plates of a photo whose text is known are crops as well.

    No plate text is in two sets. Raises ValueError or FileNotFoundError with one sentence.
    """
    if config.source == "sample":
        paths = [draw_sample(config.root or Path("data"), config.sample_size, config.seed)]
    else:
        paths = [path for path in (config.root, config.crops) if path]
    photos: list[Photo] = []
    crops: list[Crop] = []
    for path in paths:
        frame = read_plates(path)
        if "x0" in frame:
            photos += _photos(frame, config)
        else:
            crops += _crops(frame, path, config)
    crops += [
        Crop(photo.path, photo.set_name, photo.split, text, box)
        for photo in photos
        for text, box in zip(photo.texts, photo.boxes)
        if text and len(text) <= MAX_LENGTH
    ]
    sets = {one.set_name for one in (*photos, *crops)}
    for name, named in (("exclude_sets", config.exclude_sets), ("test_sets", config.test_sets)):
        if unknown := sorted(set(named) - sets):
            raise ValueError(f"data.{name}: there is no set {', '.join(unknown)}, only {', '.join(sorted(sets))}")
    return _without_leakage(photos, crops)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a table for `--data.root`, and one photo for `predict`."""
    table = draw_sample(folder, config.sample_size, config.seed)
    return table, find_images(table.parent)[0]


def read_plates(path: Path) -> pd.DataFrame:
    """A table of photos or crops, its texts cleaned. Raises ValueError or FileNotFoundError with one sentence."""
    frame = read_table(path).dropna(how="all")  # a spreadsheet's empty rows
    frame.columns = [ALIASES.get(name, name) for name in (str(name).strip().lower() for name in frame.columns)]
    boxed = [name for name in BOX if name in frame]
    other = bool(OTHER_BOXES & set(frame.columns)) or not frame.columns.is_unique
    if other or "file" not in frame or (boxed and len(boxed) < 4) or (not boxed and "text" not in frame):
        raise ValueError(
            f"{path} must have the columns file,x0,y0,x1,y1,text (photos) or file,text (crops); "
            f"its columns are {', '.join(frame.columns)}"
        )
    text = frame["text"] if "text" in frame else pd.Series("", index=frame.index)
    frame["text"] = [
        "".join(c for c in str(t).upper() if not (c.isspace() or c in SEPARATORS)) for t in text.fillna("")
    ]
    empty = frame[boxed].isna()
    for name in boxed:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    if boxed:
        frame = _checked(frame, empty, path)
    if "split" in frame and (several := frame.groupby("file")["split"].nunique()).max() > 1:
        raise ValueError(f"{path}: the column split names two sets for {several.idxmax()}")
    frame["path"] = [path.parent / str(name) for name in frame["file"]]
    missing = [str(p) for p in frame["path"].unique() if not p.is_file()]
    if missing:
        raise FileNotFoundError(f"{path} names {len(missing)} files that do not exist, for example {missing[0]}")
    return frame


def _checked(frame: pd.DataFrame, empty: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Rows of boxes, without duplicates; texts with other characters are emptied. empty: which numbers of the boxes are
    missing. Raises ValueError with the row."""
    wrong = empty.any(axis=1) != empty.all(axis=1)
    wrong |= ~np.isfinite(frame[BOX]).all(axis=1) & ~empty.all(axis=1)
    wrong |= (frame["x1"] <= frame["x0"]) | (frame["y1"] <= frame["y0"])
    for rows, problem in (
        (wrong, "the box is not four numbers x0 < x1, y0 < y1"),
        (empty.all(axis=1) & (frame["text"] != ""), "there is a text but no box"),
        ((frame[BOX] <= 1).all(axis=1), "the box is smaller than a pixel; it must be in pixels of the photo"),
    ):
        if rows.any():
            row = frame[rows].iloc[0]
            raise ValueError(f"{path}: {row['file']}: {problem} ({', '.join(map(str, row[[*BOX, 'text']]))})")
    invalid = ~frame["text"].map(lambda text: set(text) <= set(CHARACTERS))
    if invalid.any():
        example = frame.loc[invalid, "text"].iloc[0]
        print(
            f"{path}: {int(invalid.sum())} texts are ignored, because they contain characters other than A-Z and 0-9 "
            f"({example})",
            flush=True,
        )
        frame.loc[invalid, "text"] = ""
    return frame.drop_duplicates(["file", *BOX, "text"])


def _photos(frame: pd.DataFrame, config: DataConfig) -> list[Photo]:
    rows = [(Path(str(path)), group) for path, group in frame.groupby("path", sort=False)]
    keys = ["".join(sorted(group["text"])) or str(path) for path, group in rows]
    photos = []
    for (path, group), split in zip(rows, _assign(rows, keys, config)):
        boxed = group[group["x0"].notna()]
        boxes = boxed[BOX].to_numpy(np.float32).reshape(-1, 4)
        corners = np.full((len(boxes), 4, 2), np.nan, np.float32)
        if "corners" in boxed:
            corners = np.array([_corners(c, path) for c in boxed["corners"]], np.float32).reshape(-1, 4, 2)
        photos.append(Photo(path, _set_of(group), str(split), boxes, corners, tuple(boxed["text"])))
    return photos


def _corners(text: str, path: Path) -> list[float]:
    """Eight numbers, or NaN where there are none."""
    if pd.isna(text):
        return [float("nan")] * 8
    try:
        (*numbers,) = map(float, text.split())
    except ValueError:
        numbers = []
    if len(numbers) != 8:
        raise ValueError(f"the corners of {path} are not eight numbers: {text}")
    return numbers


def _crops(frame: pd.DataFrame, table: Path, config: DataConfig) -> list[Crop]:
    readable = np.array([0 < len(text) <= MAX_LENGTH and set(text) <= set(CHARACTERS) for text in frame["text"]])
    if not readable.any():
        raise ValueError(f"{table} has no row with a text of at most {MAX_LENGTH} letters and digits")
    if not readable.all():
        excluded = int((~readable).sum())
        print(
            f"{table}: {excluded} crops are left out, because they have no text of at most {MAX_LENGTH} characters A-Z "
            "and 0-9",
            flush=True,
        )
    frame = frame.loc[readable]
    if (several := frame.groupby("path")["text"].nunique()).max() > 1:
        raise ValueError(f"{table} has two texts for {several.idxmax()}; a crop shows one plate")
    rows = [(Path(str(path)), group) for path, group in frame.groupby("path", sort=False)]
    assigned = _assign(rows, [group["text"].iloc[0] for _, group in rows], config)
    return [
        Crop(path, _set_of(group), str(split), group["text"].iloc[0]) for (path, group), split in zip(rows, assigned)
    ]


def _set_of(rows: pd.DataFrame) -> str:
    return str(rows["set"].iloc[0]) if "set" in rows else rows["path"].iloc[0].parent.name


def _assign(rows: list[tuple[Path, pd.DataFrame]], keys: list[str], config: DataConfig) -> np.ndarray:
    """train, validation, test or unused for every photo or crop; all with the same key in one set."""
    sets = [_set_of(group) for _, group in rows]
    if config.split == "all":
        assigned = np.full(len(rows), splits.TEST, dtype=object)
    else:
        assigned = _split(rows, keys, sets, config)
    excluded = np.array([name in config.exclude_sets for name in sets])
    assigned = np.where(excluded & (assigned != splits.TEST), splits.UNUSED, assigned)
    if config.test_sets:
        not_tested = np.array([name not in config.test_sets for name in sets])
        assigned = np.where(not_tested & (assigned == splits.TEST), splits.UNUSED, assigned)
    return assigned


def _split(rows: list[tuple[Path, pd.DataFrame]], keys: list[str], sets: list[str], config: DataConfig) -> np.ndarray:
    """By the column `split`, else by the fold, else at random."""
    named = [str(group["split"].fillna("").iloc[0]).lower() if "split" in group else "" for _, group in rows]
    unknown = sorted(set(named) - set(SPLIT_NAMES) - {""})
    if unknown:
        raise ValueError(f"the column split has {unknown[0]}; allowed are train, validation, dev and test")
    given = all(named)
    if any(named) and not given:
        raise ValueError(f"the column split is empty for {rows[named.index('')][0]}; fill it in every row, or in none")
    if given and config.fold is not None:
        raise ValueError("data.fold is for tables without a column split")
    drawn = splits.grouped(keys, sets, (config.validation, 0.0 if given else config.test), config.seed)
    if given:
        named_splits = np.array([SPLIT_NAMES[name] for name in named], dtype=object)
        return (
            named_splits
            if splits.VALIDATION in named_splits
            else np.where(named_splits == splits.TEST, splits.TEST, drawn)
        )
    if config.fold is not None:
        inside = np.array([int(fingerprint(key)[:8], 16) % FOLDS == config.fold for key in keys])
        return np.where(inside, splits.TEST, np.where(drawn == splits.TEST, splits.TRAIN, drawn))
    return drawn


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
