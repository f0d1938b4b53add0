"""Classes of photos from a table beside them: a column of labels, one column a class (one-hot), numbers with a list of
their names; file names with or without folder and suffix."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from projects.plantdisease.config import DataConfig
from projects.plantdisease.layouts import Found, alike, part_of
from shared.data.tables import find_column, is_table, plain_name, read_table
from shared.names import shown

IMAGE = "image image_id image_name image_path img file file_name filename path photo id bild datei imagen foto".split()
LABEL = "disease disease_name class_name label_name label class category diagnosis condition target species".split()
LABEL += "labels classes type status krankheit klasse enfermedad clase maladie classe doenca".split()
CROP = "crop crop_name plant plant_name species host kultur cultivo planta culture".split()
SPLIT = "split set subset partition fold phase".split()
PHOTO_NAME = re.compile(r"\.(jpe?g|png|bmp|tiff?|webp)\b", re.IGNORECASE)
NAMES = {"classes.txt", "class_names.txt", "labels.txt", "label_names.txt"}
MOST_FOUND = 0.5
"""Fraction of a column's values that must be names of photos."""


class PhotoIndex:
    """Finds photos by what a table calls them: any end of their path, with or without suffix."""

    def __init__(self, photos: Sequence[Path]) -> None:
        self.ends: dict[str, set[Path]] = defaultdict(set)
        for photo in photos:
            for n in range(1, min(len(photo.parts), 8)):
                end = "/".join(photo.parts[-n:]).casefold()
                self.ends[end].add(photo)
                self.ends[end.removesuffix(photo.suffix.casefold())].add(photo)

    def find(self, name: str, near: Path) -> Path | None:
        """The one photo of that name, or of several the one below the folder `near`; None where that is unclear."""
        parts = _parts(name)
        for n in range(len(parts)):
            found = self.ends.get("/".join(parts[n:]), set())
            if len(found) > 1:
                found = {photo for photo in found if photo.is_relative_to(near)}
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None


def _parts(name: str) -> list[str]:
    """The folders and the file that a table names, on any system."""
    return [part for part in name.strip().replace("\\", "/").casefold().split("/") if part not in ("", ".", "..")]


def tables_below(root: Path) -> list[Path]:
    """The tables of a folder and the two levels below it, without those of predictions."""
    found = [path for depth in ("*", "*/*", "*/*/*") for path in sorted(root.glob(depth)) if path.is_file()]
    hidden = ("__MACOSX", ".")
    inside = [p for p in found if not any(part.startswith(hidden) for part in p.relative_to(root).parts)]
    return [path for path in inside if is_table(path) and _may_hold_labels(path)]


def _may_hold_labels(path: Path) -> bool:
    other = any(word in path.name.lower() for word in ("submission", "readme", "licen", "requirements"))
    if path.suffix.lower() == ".txt":  # a list of classes, or the boxes of a photo, unless there are photos in it
        with path.open(encoding="utf-8", errors="replace") as file:
            return not other and PHOTO_NAME.search(file.read(1000)) is not None
    return not other and not (path.suffix.lower() == ".json" and _class_names(path))


def read_labels(tables: Sequence[Path], photos: Sequence[Path], config: DataConfig) -> Found:
    """The classes of photos by tables. A table that does not say them is left out, but refused where it is alone."""
    index, result = PhotoIndex(photos), Found()
    labels: dict[Path, set[str]] = {}
    parts: dict[Path, str | None] = {}
    refused: list[Exception] = []
    for path in tables:
        try:
            rows = _rows(path, index, config, result)
        except (ValueError, OSError) as error:
            refused.append(error)
            result.left_out["tables that do not say the classes"].append(path.name)
            continue
        for photo, label, part in rows:
            labels.setdefault(photo, set()).update([label] if label else [])
            parts[photo] = part
    if refused and not labels:
        raise refused[0]
    for photo, names in sorted(labels.items()):
        if len(set(map(alike, names))) == 1:
            result.photos.append((photo, min(names), parts[photo]))
        else:
            reason = "photos that the table gives several classes" if names else "photos without a class in the table"
            result.left_out[reason].append(photo.name)
    if result.photos:
        bare = [photo.name for photo in photos if photo not in labels]
        result.left_out["photos without a row in the table"] += bare
    return result


def _rows(
    path: Path, index: PhotoIndex, config: DataConfig, result: Found
) -> list[tuple[Path, str | None, str | None]]:
    """Photo, class and set of every row whose photo is there."""
    near = path.parent

    def headerless(first: list[str]) -> list[str] | None:
        is_photo = any(index.find(value, near) for value in first)
        return [str(number) for number in range(1, len(first) + 1)] if is_photo else None

    frame = _coco(path) if path.suffix.lower() == ".json" else None
    if frame is None:
        frame = read_table(path, config, headerless)
    frame.columns = [str(name).strip() for name in frame.columns]
    image = _image_column(frame, config.image_column, index, near, path)
    rest = frame.drop(columns=image)
    names, columns = _labels(rest, config, path)
    parts = [next((part for part in map(_part, (path.stem, near.name)) if part), None)] * len(frame)
    if split := find_column(rest, None, None, SPLIT, path, needed=False):
        given = [_part(str(value)) for value in rest[split]]
        if None not in given:  # else it is a number of folds, or the like
            parts, columns = given, {**columns, "set": split}
    result.columns |= {"photo": image, **columns}
    result.facts["table"] = ", ".join(filter(None, [result.facts.get("table"), shown(path.name)]))
    found = [None if pd.isna(name) else index.find(str(name), near) for name in frame[image]]
    found = _in_named_folders(frame[image].fillna("").astype(str).tolist(), found)
    missing = [str(name) for name, photo in zip(frame[image], found) if photo is None]
    result.left_out["rows whose photo is not there"] += missing
    return [(photo, name, part) for photo, name, part in zip(found, names, parts) if photo is not None]


def _in_named_folders(names: list[str], photos: list[Path | None]) -> list[Path | None]:
    """The photos without those in another folder than the table names, unless none is in the one that it names."""
    folders = [_parts(name)[-2:-1] for name in names]  # [] where the table names none
    fits = [photo is not None and folder == [photo.parent.name.casefold()] for folder, photo in zip(folders, photos)]
    if not any(fits):
        return photos
    return [photo if fit or not folder else None for photo, fit, folder in zip(photos, fits, folders)]


def _coco(path: Path) -> pd.DataFrame | None:
    """The photos of a detection set in COCO's format, each with the classes of its boxes; None for other files."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        names = {category["id"]: str(category["name"]) for category in content["categories"]}
        boxed = pd.DataFrame([(box["image_id"], names[box["category_id"]]) for box in content["annotations"]])
        files = pd.DataFrame([(image["id"], str(image["file_name"])) for image in content["images"]])
        joined = files.merge(boxed, left_on=0, right_on=0, how="left")
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return None
    return pd.DataFrame({"file_name": joined["1_x"], "class": joined["1_y"]}).drop_duplicates(ignore_index=True)


def _part(name: str) -> str | None:
    return part_of(name)[0]


def _image_column(frame: pd.DataFrame, named: str | None, index: PhotoIndex, near: Path, path: Path) -> str:
    """The column that is named, else the one with the most names of photos."""
    if named:
        return str(find_column(frame, "data.image_column", named, (), path))
    usual = [plain_name(name) for name in IMAGE]

    def found(column: str) -> tuple[float, bool]:
        values = frame[column].dropna().head(500)
        share = sum(index.find(str(v), near) is not None for v in values) / max(len(values), 1)
        return share, plain_name(column) in usual

    best = max(map(str, frame.columns), key=found)
    if found(best)[0] >= MOST_FOUND:
        return best
    named_so = find_column(frame, None, None, IMAGE, path, needed=False)
    example = f" ({shown(frame[named_so].iloc[0])} is not there)" if named_so else ""
    raise ValueError(
        f"{path}: no column holds the names of photos below {path.parent}{example}; its columns are "
        f"{', '.join(map(shown, frame.columns))} (--data.image_column names the right one, --data.root the folder)"
    )


def _labels(frame: pd.DataFrame, config: DataConfig, path: Path) -> tuple[list[str | None], dict[str, str]]:
    """The class of every row, None where there is none, and which columns say it."""
    classes = frame.drop(columns=[name for name in frame.columns if plain_name(str(name)) in SPLIT])
    one_hot = [name for name in map(str, classes.columns) if _is_indicator(classes[name])]
    label = find_column(frame, "data.label_column", config.label_column, LABEL, path, needed=bool(config.label_column))
    if len(one_hot) > 1 and label is None:
        marked = frame[one_hot].apply(lambda column: column.map(lambda v: str(v).lower() in ("1", "1.0", "true")))
        rows = [[name for name, yes in zip(one_hot, row) if yes] for row in marked.to_numpy()]
        names = [" + ".join(row) or None for row in rows]
        return names, {"class": f"one of {len(one_hot)} columns of 0 and 1"}
    if label is None:
        rest = [str(name) for name in frame.columns]
        if len(rest) != 1:
            raise ValueError(
                f"{path} has no column of classes that I know; its columns are {', '.join(map(shown, frame.columns))} "
                "(--data.label_column names the right one)"
            )
        label = rest[0]
    values = [None if pd.isna(value) else str(value).strip() for value in frame[label]]
    numbered = all(value is None or _is_number(value) for value in values)
    if numbered and not config.label_column:
        text = [c for c in map(str, frame.columns) if plain_name(c) in map(plain_name, LABEL) and c != label]
        text = [
            c for c in text if not all(map(_is_number, frame[c].dropna())) and _name_each_other(frame[label], frame[c])
        ]
        if text:
            return _labels(frame[[*text]], config, path)
    if numbered:
        values, source = _numbers_named([v and v.removesuffix(".0") for v in values], path)
        return values, {"class": f"{label}{source}"}
    crop = None if config.label_column else find_column(frame.drop(columns=label), None, None, CROP, path, needed=False)
    if crop:
        crops = frame[crop].fillna("")
        values = [value and _with_crop(str(name).strip(), value) for name, value in zip(crops, values)]
        return values, {"class": f"{crop} ___ {label}"}
    return values, {"class": label}


def _with_crop(crop: str, disease: str) -> str:
    complete = not crop or "___" in disease or alike(disease).startswith(alike(crop) + " ") or disease == crop
    return disease if complete else f"{crop}___{disease}"


def _is_indicator(column: pd.Series) -> bool:
    values = {str(value).lower() for value in column.dropna()}
    return bool(values) and values <= {"0", "1", "0.0", "1.0", "true", "false"}


def _name_each_other(one: pd.Series, other: pd.Series) -> bool:
    """Whether each value of a column goes with one value of the other, as numbers of classes and their names do."""
    pairs = pd.DataFrame({"one": one, "other": other}).dropna().drop_duplicates()
    return pairs["one"].is_unique and pairs["other"].is_unique


def _is_number(value: str) -> bool:
    return value.removesuffix(".0").isdigit()


def _numbers_named(values: list[str | None], path: Path) -> tuple[list[str | None], str]:
    """Class numbers with the names of a list beside the table: JSON of number -> name or name -> number, or lines."""
    numbers = {value for value in values if value is not None}
    for near in [*sorted(path.parent.glob("*.json")), *(path.parent / name for name in sorted(NAMES))]:
        names = _class_names(near)
        if numbers <= names.keys():
            return [None if value is None else names[value] for value in values], f", named by {near.name}"
    return values, ""


def _class_names(path: Path) -> Mapping[str, str]:
    """Number -> class name, of a JSON file or a file of lines; empty where it says none."""
    try:
        content = path.read_text(encoding="utf-8-sig")
        known = json.loads(content) if path.suffix.lower() == ".json" else content.split("\n")
    except (ValueError, OSError, RecursionError):
        return {}
    if isinstance(known, dict):
        pairs = {str(key): value for key, value in known.items()}
        if all(isinstance(value, str) and not value.isdigit() for value in pairs.values()):
            return pairs
        return (
            {str(value): key for key, value in pairs.items()} if all(map(str.isdigit, map(str, pairs.values()))) else {}
        )
    if isinstance(known, list) and all(isinstance(name, str) for name in known):
        return {str(number): name.strip() for number, name in enumerate(name for name in known if name.strip())}
    return {}
