"""Tables of photos and crops -> labels. Columns are found by their usual names, in any notation of the box."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from projects.numberplate.config import DataConfig
from projects.numberplate.labels import PLATE_TEXT, Label, Understood, polygon, unread
from shared.console import note
from shared.data import splits
from shared.data.images import SUFFIXES
from shared.data.tables import find_column, plain_name, read_table
from shared.data.values import decimal_mark, read_numbers
from shared.names import shown

FILES = (
    "file", "filename", "file_name", "image_path", "image", "image_name", "img_path", "img", "img_name", "path",
    "filepath", "image_file", "images", "photo", "photo_name", "picture", "frame", "name", "image_id", "img_id", "id",
    "crop", "key", "archivo", "imagen", "arquivo", "imagem", "datei", "bild", "dateiname", "fichier", "файл",
)  # fmt: skip
TEXTS = (
    "text", "plate_text", "plate", "plate_number", "license_plate", "licence_plate", "license_plate_number",
    "licence_plate_number", "number_plate", "numberplate", "license_number", "plate_no", "plate_num", "plate_id",
    "lp_text", "lp_number", "lp", "registration", "registration_number", "reg_no", "car_number", "vehicle_number",
    "transcription", "utf8_string", "ocr", "ocr_text", "ground_truth", "gt", "placa",
    "matricula", "kennzeichen", "nummernschild", "targa", "plaque", "immatriculation", "plaka", "kenteken", "номер",
)  # fmt: skip
LABELS = ("label", "labels", "class", "class_name", "classname", "label_name", "category", "category_name", "object")
SPLITS = ("split", "subset", "partition", "usage", "data_split")
WIDTHS = ("width", "image_width", "img_width", "img_w", "image_w", "photo_width")
HEIGHTS = ("height", "image_height", "img_height", "img_h", "image_h", "photo_height")
NOTATIONS = (
    ("xyxy", "x0 y0 x1 y1"), ("xyxy", "xmin ymin xmax ymax"), ("xyxy", "x1 y1 x2 y2"),
    ("xyxy", "left top right bottom"), ("xyxy", "xtl ytl xbr ybr"), ("xyxy", "minx miny maxx maxy"),
    ("xyxy", "startx starty endx endy"), ("xyxy", "xstart ystart xend yend"),
    ("cxcywh", "xcenter ycenter width height"), ("cxcywh", "cx cy w h"), ("cxcywh", "xcenter ycenter w h"),
    ("cxcywh", "centerx centery width height"), ("cxcywh", "cx cy width height"), ("cxcywh", "xc yc w h"),
    ("xywh", "x y w h"), ("xywh", "x y width height"), ("xywh", "left top width height"),
    ("xywh", "left top w h"), ("xywh", "xmin ymin width height"), ("xywh", "xmin ymin w h"),
    ("xywh", "x0 y0 w h"), ("xywh", "x0 y0 width height"), ("xywh", "x1 y1 w h"),
    ("xywh", "x1 y1 width height"), ("xywh", "topleftx toplefty width height"),
    ("xywh", "links oben breite hohe"), ("xyxy", "links oben rechts unten"), ("xywh", "gauche haut largeur hauteur"),
    ("xyxy", "gauche haut droite bas"), ("xywh", "izquierda arriba ancho alto"), ("xywh", "x y ancho alto"),
    ("xywh", "x y largura altura"), ("xywh", "x y breite hohe"), ("xywh", "x y largeur hauteur"),
)  # fmt: skip
"""Boxes in four columns, by their plain names; the first that a table has is taken."""
POLYGONS = ("x1 y1 x2 y2 x3 y3 x4 y4", "x0 y0 x1 y1 x2 y2 x3 y3")
PREFIXES = ("", "bbox", "box", "boundingbox", "bndbox", "bb", "plate", "platebbox", "lp", "licenseplate",
            "licenceplate", "licenseplatebbox", "numberplate", "rect", "roi")  # fmt: skip
"""What may stand before these names: `plate_xmin`, `bbox_x`."""
CELLS = ("bbox", "box", "bounding_box", "boundingbox", "bndbox", "rect", "roi", "plate_bbox", "license_plate_bbox",
         "plate_box", "coordinates")  # fmt: skip
"""Boxes in one column: `[528, 412, 690, 464]`."""
BOX_WORDS = {word for _, names in NOTATIONS for word in names.split()} - {
    "width", "height", "w", "h", "x", "y", "haut", "bas", "alto", "ancho", "breite", "hohe", "largeur", "hauteur",
    "largura", "altura",
}  # fmt: skip
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def read_columns(path: Path, config: DataConfig, understood: Understood) -> list[Label]:
    """The rows of a table as labels. Raises ValueError or FileNotFoundError with one sentence."""
    frame = read_table(path, config, headerless).dropna(how="all")  # a spreadsheet's empty rows
    file = find_column(frame, "data.file", config.file, FILES, path)
    via = find_column(frame, None, None, ("region_shape_attributes",), path, needed=False)
    if via:
        return _via_rows(frame, str(file), via, path)
    if objects := find_column(frame, None, None, ("objects",), path, needed=False):
        return _object_rows(frame, str(file), objects, path)
    boxes, columns = _boxes(frame, config, path)
    text = find_column(frame, "data.text", config.text, [*TEXTS, *(() if columns else LABELS)], path, not columns)
    label = find_column(frame, None, None, LABELS, path, needed=False) if columns else None
    part = find_column(frame, None, None, SPLITS, path, needed=False)
    sets = find_column(frame, None, None, ("set",), path, needed=False)
    if sets and not part and set(frame[sets].dropna().str.lower()) <= set(splits.PART_OF):
        part, sets = sets, None
    size = [find_column(_without(frame, columns), None, None, names, path, False) for names in (WIDTHS, HEIGHTS)]
    corners = find_column(frame, None, None, ("corners",), path, needed=False)
    if label and not text and _are_texts(frame[label]):
        text, label = label, None
    taken = {"file": file, "box": " ".join(columns), "text": text, "class": label, "split": part, "set": sets,
             "photo's size": " ".join(filter(None, size)) if all(size) else None}  # fmt: skip
    understood.columns.update({name: column for name, column in taken.items() if column})
    used = {*columns, *filter(None, (file, text, label, part, sets, corners, *size))}
    if unused := [str(column) for column in frame.columns if column not in used]:
        understood.facts["not used"] = f"the columns {', '.join(map(shown, unused))}"
        if not columns and sum(bool(NUMBER.fullmatch(str(cell))) for cell in frame[unused].iloc[0]) >= 4:
            note(
                f"{shown(path)}: taken as crops, which show one plate each; are {', '.join(map(shown, unused))} a box? "
                "(--data.box_columns a,b,c,d names its four columns)"
            )
    if text in _label_columns(frame) and not columns and not config.text and not _are_texts(frame[text]):
        raise ValueError(
            f"{shown(path)}: {shown(str(frame[text].iloc[0]))} in the column {shown(str(text))} does not look "
            f"like the text of a plate, and there is no box; --data.text {shown(str(text))} takes it as the text"
        )

    def cells(column: str | None) -> Sequence[str]:
        return frame[column].fillna("").astype(str).str.strip() if column else [""] * len(frame)

    widths, heights = (read_numbers(frame[c], f"{path}: column {c}", config) if c else None for c in size)
    given = _given_corners(cells(corners), path) if corners else [None] * len(frame)
    labels = []
    for number, (name, told, kind, where, own, box) in enumerate(
        zip(cells(file), cells(text), cells(label), cells(part), cells(sets), boxes)
    ):
        declared = (widths.iloc[number], heights.iloc[number]) if widths is not None and heights is not None else None
        one = Label(
            name, path, text=told, kind=kind, part=where.lower(), set_name=own or None, unit=config.box_units,
            box=box[1] if len(box[1]) == 4 else None, notation=box[0], corners=given[number], in_order=bool(corners),
            size=declared if declared and min(declared) > 0 else None, row=number + 1, is_crop=not columns,
        )  # fmt: skip
        labels.append(polygon(one, box[1]) if len(box[1]) == 8 else one)
    return labels


def _label_columns(frame: pd.DataFrame) -> list[str]:
    plain = {plain_name(name) for name in LABELS}
    return [column for column in frame.columns if plain_name(str(column)) in plain]


def _are_texts(values: pd.Series) -> bool:
    """Whether most values look like texts of plates, not like classes."""
    return values.dropna().map(lambda value: bool(PLATE_TEXT.fullmatch(value.upper()))).mean() > 0.5


def headerless(first: list[str]) -> list[str] | None:
    """The columns of a table whose first row is data: `a.jpg,AB123`, `a.jpg,528,412,690,464,plate`."""
    if Path(first[0].replace("\\", "/")).suffix.lower() not in SUFFIXES:
        return None
    if len(first) == 2:
        return ["file", "text"]
    if len(first) in (5, 6) and (not any(first[1:5]) or four_numbers(first[1:5])):
        return ["file", "box 1", "box 2", "box 3", "box 4", "label"][: len(first)]
    return None


def four_numbers(cells: Sequence[str]) -> bool:
    """Whether cells are four numbers."""
    return len(cells) == 4 and all(NUMBER.fullmatch(cell.strip()) for cell in cells)


def texts_of(told: Mapping[str, Any]) -> str:
    """The value of the first key with a usual name of a plate's text."""
    plain = {plain_name(str(name)): value for name, value in told.items() if isinstance(value, str)}
    return next((plain[plain_name(name)] for name in TEXTS if plain.get(plain_name(name))), "").strip()


def attributes(told: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text among the attributes of a region: `{"class": "plate", "text": "AB123"}`, `{"plate": "AB123"}`."""
    flat = {k: next(iter(v), "") if isinstance(v, dict) else str(v) for k, v in told.items()}
    text = texts_of({name: value for name, value in flat.items() if PLATE_TEXT.fullmatch(value.upper())})
    plain = {plain_name(name): value for name, value in flat.items()}
    kinds = (plain[plain_name(name)] for name in (*LABELS, "name", "type") if plain.get(plain_name(name)))
    rest = next((value for value in flat.values() if value and value != text), "")
    return next(kinds, "" if text else rest), text


def _without(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return frame[[column for column in frame.columns if column not in columns]]


Boxes = list[tuple[str, tuple[float, ...]]]
"""The notation and the numbers of the box of each row; none, four or eight."""


def _boxes(frame: pd.DataFrame, config: DataConfig, path: Path) -> tuple[Boxes, list[str]]:
    """The boxes of a table and the columns they are in. Raises ValueError where these cannot be told."""
    notation, columns = _box_columns(frame, config, path)
    if len(columns) == 1:
        return [_cell(cell, notation, f"{path}, row {n}") for n, cell in enumerate(frame[columns[0]], 1)], columns
    if not columns:
        odd = [str(column) for column in frame.columns if _stripped(str(column)) in BOX_WORDS]
        if odd and not config.box_columns:
            raise ValueError(
                f"{path} has columns of a box ({', '.join(map(shown, odd))}), but not all four of one; its columns are "
                f"{', '.join(map(shown, frame.columns))} (--data.box_columns a,b,c,d names the right ones)"
            )
        return [("xyxy", ())] * len(frame), []
    mark = decimal_mark([frame[column] for column in columns], f"{path}: column {columns[0]}", config)
    numbers = [read_numbers(frame[c], f"{path}: column {c}", config, mark) for c in columns]
    rows = np.stack(numbers, axis=1)
    return [(notation, () if np.isnan(row).all() else tuple(map(float, row))) for row in rows], columns


def _box_columns(frame: pd.DataFrame, config: DataConfig, path: Path) -> tuple[str, list[str]]:
    """The notation of the box, `four` where the names do not tell it, and its columns."""
    asked = config.box_format
    if config.box_columns:
        named = [str(find_column(frame, "data.box_columns", name, (), path)) for name in config.box_columns]
        return ("four" if asked == "auto" else asked), named
    if "box 1" in frame:
        return ("four" if asked == "auto" else asked), [f"box {n}" for n in range(1, 5)]
    plain: dict[str, list[str]] = {}
    for column in frame.columns:
        plain.setdefault(plain_name(str(column)), []).append(str(column))
    several = [(prefix, ("xyxy", names)) for names in POLYGONS for prefix in PREFIXES]
    several += [(prefix, one) for prefix in PREFIXES for one in NOTATIONS]
    for prefix, (notation, names) in several:
        wanted = [prefix + name for name in names.split()]
        if all(name in plain for name in wanted):
            if twice := next((plain[name] for name in wanted if len(plain[name]) > 1), None):
                raise ValueError(f"{path} has several columns called {wanted[0]}: {', '.join(map(shown, twice))}")
            return (notation if asked == "auto" else asked), [plain[name][0] for name in wanted]
    cell = find_column(frame, None, None, CELLS, path, needed=False)
    return ("four" if asked == "auto" else asked), [cell] if cell else []


def _stripped(column: str) -> str:
    name = plain_name(column)
    return next((name[len(p) :] for p in PREFIXES if p and name.startswith(p) and name[len(p) :] in BOX_WORDS), name)


def _cell(cell: Any, notation: str, where: str) -> tuple[str, tuple[float, ...]]:
    """`[528, 412, 162, 52]`, `528 412 162 52`, `{"x": 528, "y": 412, "width": 162, "height": 52}`, or four points."""
    if pd.isna(cell):
        return notation, ()
    if str(cell).strip().startswith("{"):
        try:
            told = {plain_name(str(name)): float(value) for name, value in json.loads(str(cell)).items()}
        except (ValueError, TypeError):
            told = {}
        for kind, names in NOTATIONS:
            if all(name in told for name in names.split()):
                return kind, tuple(told[name] for name in names.split())
    numbers = tuple(map(float, NUMBER.findall(str(cell))))
    if len(numbers) not in (0, 4, 8):
        raise ValueError(f"{where}: the box is not four numbers: {shown(cell)[:80]}")
    return notation, numbers


def _given_corners(cells: Sequence[str], path: Path) -> list[tuple[float, ...] | None]:
    """Eight numbers in a cell, or None."""
    corners: list[tuple[float, ...] | None] = []
    for cell in cells:
        try:
            numbers = tuple(map(float, cell.split()))
        except ValueError:
            numbers = (0.0,)
        if len(numbers) not in (0, 8):
            raise ValueError(f"{path}: the corners in row {len(corners) + 1} are not eight numbers: {shown(cell)}")
        corners.append(numbers or None)
    return corners


def _via_rows(frame: pd.DataFrame, file: str, shapes: str, path: Path) -> list[Label]:
    """The CSV of the VGG Image Annotator: a region a row, as JSON; a photo without one has an empty object."""
    told = find_column(frame, None, None, ("region_attributes",), path, needed=False)
    labels = []
    for number, row in enumerate(frame.fillna("{}").to_dict("records"), 1):
        try:
            shape, attributes_ = json.loads(row[shapes]), json.loads(row[told]) if told else {}
            empty = Label(str(row[file]), path, row=number)
            labels.append(via_region(empty, shape, attributes_) if shape else empty)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: row {number} is not a region of VIA: {error}") from None
    return labels


def _object_rows(frame: pd.DataFrame, file: str, objects: str, path: Path) -> list[Label]:
    """Hugging Face's metadata.jsonl: `{"bbox": [[x, y, w, h]], "categories": [0]}` for each photo."""
    labels = []
    for number, (name, cell) in enumerate(zip(frame[file], frame[objects].fillna("{}")), 1):
        labels.append(empty := Label(str(name), path, row=number, notation="xywh"))
        try:
            told = json.loads(cell)
            boxes = [tuple(map(float, box)) for box in told.get("bbox", [])]
            kinds = next(
                (told[key] for key in ("categories", "category", "label", "labels") if key in told), [""] * len(boxes)
            )
            labels += [replace(empty, box=box, kind=str(kind)) for box, kind in zip(boxes, kinds, strict=True)]
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{shown(path)}: the objects in row {number} are not lists of boxes: {error}") from None
    return labels


def via_region(empty: Label, shape: dict[str, Any], told: dict[str, Any]) -> Label:
    """A rectangle or polygon of the VGG Image Annotator."""
    kind, text = attributes(told)
    one = replace(empty, kind=kind, text=text)
    if shape.get("name") in ("circle", "ellipse", "point"):
        return unread(one, shape["name"])
    if "all_points_x" in shape:
        points = zip(shape["all_points_x"], shape["all_points_y"])
        return polygon(one, [float(number) for point in points for number in point])
    box = tuple(float(shape[name]) for name in ("x", "y", "width", "height"))
    return replace(one, box=box, notation="xywh")
