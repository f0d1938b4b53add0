"""XML and JSON of annotation tools -> labels, as they are written."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from projects.numberplate.columns import texts_of, via_region
from projects.numberplate.config import DataConfig
from projects.numberplate.geometry import corners_of, rotated
from projects.numberplate.labels import LAYOUTS, NUMBER, Label, four_of, polygon, size_of, unread
from shared.console import note
from shared.data import splits
from shared.data.encodings import decode
from shared.names import shown


def read_xml(path: Path) -> tuple[str, list[Label]] | None:
    """Pascal VOC (one photo) or CVAT (many photos); None for other XML."""
    content = path.read_bytes()
    if b"<!ENTITY" in content:
        raise ValueError(f"{shown(path)} defines XML entities, which are not read")
    try:
        root = ET.fromstring(content)
    except ET.ParseError as error:
        raise ValueError(f"{shown(path)} is not readable as XML: {error}") from None
    if root.tag == "annotation":
        return "voc", list(_voc(root, path))
    if root.tag == "annotations" and root.find("image") is not None:
        return "cvat", [label for image in root.iter("image") for label in _cvat(image, path)]
    return None


def _voc(root: ET.Element, path: Path) -> Iterator[Label]:
    photo = (root.findtext("filename") or path.stem).strip() or path.stem
    size = size_of(root.findtext("size/width"), root.findtext("size/height"))
    empty = Label(photo, path, size=size, also=path.stem)
    yield empty
    for thing in root.iter("object"):
        told = {child.tag: child.text or "" for child in thing if not len(child)}
        told |= {one.findtext("name") or "": one.findtext("value") or "" for one in thing.iter("attribute")}
        kind = told.pop("name", "").strip()
        box = thing.find("bndbox")
        numbers = [box.findtext(name) for name in ("xmin", "ymin", "xmax", "ymax")] if box is not None else []
        one = replace(empty, box=four_of(numbers, path, f"the box of {kind}"), kind=kind, text=texts_of(told))
        yield _rotated(one, told.get("rotation"))  # an attribute that CVAT writes


def _cvat(image: ET.Element, path: Path) -> Iterator[Label]:
    size = size_of(image.get("width"), image.get("height"))
    empty = Label(image.get("name", ""), path, size=size, part=image.get("subset", "").lower())
    empty = replace(empty, part=empty.part if empty.part in splits.PART_OF else "")
    yield empty
    for shape in image:
        told = {one.get("name", ""): one.text or "" for one in shape.iter("attribute")}
        one = replace(empty, kind=shape.get("label", ""), text=texts_of(told))
        if shape.tag == "box":
            numbers = [shape.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
            one = replace(one, box=four_of(numbers, path, f"a box of {one.photo}"))
            yield _rotated(one, shape.get("rotation"))
        elif points := re.findall(NUMBER, shape.get("points", "")):
            yield polygon(one, [float(value) for value in points])
        elif shape.tag != "tag":  # of the whole photo
            yield unread(one, shape.tag)


def _rotated(label: Label, degrees: Any, centre: float = 0.5, size: Sequence[float] = (1, 1)) -> Label:
    """A label whose box (x0, y0, x1, y1 or x, y, width, height) is rotated clockwise; as it is without a number.

    centre: what the box is rotated around, from 0 (its top left corner) to 1 (its bottom right one).
    size: of the photo in pixels, if the box is in percent of it: rectangles are rotated in pixels.
    """
    if not re.fullmatch(NUMBER, str(degrees)) or not float(degrees):
        return label
    first, last = np.array(label.box).reshape(2, 2) * size
    last = first + last if label.notation == "xywh" else last
    corners = corners_of(np.concatenate([first, last]))
    corners = rotated(corners, float(degrees), first + centre * (last - first)) / size
    return polygon(label, corners.ravel().tolist())


def read_json(path: Path, config: DataConfig) -> tuple[str, list[Label]] | None:
    """The layouts of annotation tools; None for other JSON, which may be a table."""
    try:
        value = json.loads(decode(path.read_bytes(), path, config.encoding))
    except (ValueError, RecursionError):
        return None  # JSON lines, or a table's reader says what is wrong
    try:
        for layout, read in JSON_LAYOUTS.items():
            if (labels := read(value, path)) is not None:
                return layout, list(labels)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        raise ValueError(f"{shown(path)} is not complete {LAYOUTS[layout]}: {_reason(error)}") from None
    return None


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _coco(value: Any, path: Path) -> Iterator[Label] | None:
    if not isinstance(value, dict) or not isinstance(value.get("images"), list) or "annotations" not in value:
        return None
    kinds = {one["id"]: str(one["name"]) for one in value.get("categories", [])}
    photos = {
        one["id"]: Label(
            str(one.get("file_name") or one["id"]), path, size=size_of(one.get("width"), one.get("height"))
        )
        for one in value["images"]
    }

    def labels() -> Iterator[Label]:
        yield from photos.values()
        for one in value["annotations"]:
            kind = kinds.get(one.get("category_id"), str(one.get("category_id", "")))
            told = {**one, **(one.get("attributes") or {})}
            label = replace(photos[one["image_id"]], kind=kind, text=texts_of(told), notation="xywh")
            label = replace(label, box=tuple(float(number) for number in one["bbox"]))
            outline = one.get("segmentation")
            if isinstance(outline, list) and len(outline) == 1 and len(outline[0]) == 8:
                label = replace(label, corners=tuple(map(float, outline[0])))
            yield label if outline else _rotated(label, told.get("rotation"))  # an attribute that CVAT writes

    return labels()


def _labelme(value: Any, path: Path) -> Iterator[Label] | None:
    if not isinstance(value, dict) or "shapes" not in value or "imagePath" not in value:
        return None
    size = size_of(value.get("imageWidth"), value.get("imageHeight"))
    empty = Label(str(value["imagePath"]), path, size=size, also=path.stem)

    def labels() -> Iterator[Label]:
        yield empty
        for shape in value["shapes"]:
            told = {"text": shape.get("description") or "", **(shape.get("flags") or {})}
            one = replace(empty, kind=str(shape["label"]), text=texts_of(told))
            numbers = [float(number) for point in shape["points"] for number in point]
            yield unread(one, "circle") if shape.get("shape_type") == "circle" else polygon(one, numbers)

    return labels()


def _via(value: Any, path: Path) -> Iterator[Label] | None:
    files = value.get("_via_img_metadata", value) if isinstance(value, dict) else None
    if not files or not all(isinstance(one, dict) and {"filename", "regions"} <= set(one) for one in files.values()):
        return None

    def labels() -> Iterator[Label]:
        for one in files.values():
            yield (empty := Label(str(one["filename"]), path))
            regions = one["regions"].values() if isinstance(one["regions"], dict) else one["regions"]
            for region in regions:
                yield via_region(empty, region["shape_attributes"], region.get("region_attributes") or {})

    return labels()


def _createml(value: Any, path: Path) -> Iterator[Label] | None:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    boxes = [box for one in value for box in one.get("annotations", []) if isinstance(box, dict)]
    if not boxes or not all("coordinates" in box for box in boxes):
        return None

    def labels() -> Iterator[Label]:
        for one in value:
            photo = one.get("image") or one["imagefilename"]
            yield (empty := Label(str(photo), path, notation="cxcywh"))
            for box in one["annotations"]:
                numbers = tuple(float(box["coordinates"][name]) for name in ("x", "y", "width", "height"))
                yield replace(empty, kind=str(box.get("label", "")), box=numbers)

    return labels()


def _label_studio(value: Any, path: Path) -> Iterator[Label] | None:
    """Label Studio's JSON and JSON-MIN. One annotation of each task is read: the ground truth, else the first."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return None
    tasks: dict[Any, list[dict[str, Any]]] = {}
    for number, one in enumerate(value):
        data = one.get("data", one)
        photo = next((data[key] for key in ("image", "img", "ocr", "photo") if isinstance(data.get(key), str)), None)
        annotations = one.get("annotations", []) if "data" in one else [{"result": _min_results(one)}]
        tasks.setdefault((photo, one.get("id", f"row {number}")), []).extend(annotations)
    has_results = any(one.get("result") for annotations in tasks.values() for one in annotations)
    if not has_results or any(photo is None for photo, _ in tasks):
        return None

    def labels() -> Iterator[Label]:
        ignored = 0
        for (photo, _), annotations in tasks.items():
            done = [one for one in annotations if not one.get("was_cancelled")]
            ignored += len(annotations) - bool(done)
            if done:  # else nobody has said whether there is a plate
                chosen = next((one for one in done if one.get("ground_truth")), done[0])
                yield (empty := Label(str(photo), path, notation="xywh", unit="percent"))
                yield from filter(None, (_region(empty, one) for one in _regions(chosen.get("result", []))))
        if ignored:
            note(f"{shown(path)}: {ignored} annotations are not read: cancelled ones, and all but one of each photo")

    return labels()


def _min_results(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The results in a record of JSON-MIN, which has no ids: those of one region have the same place."""
    lists = [boxes for boxes in record.values() if isinstance(boxes, list) and boxes and isinstance(boxes[0], dict)]
    values = [box for boxes in lists for box in boxes if "rectanglelabels" in box or "original_width" in box]
    return [{"id": str([(k, v) for k, v in box.items() if not k.endswith("labels")]), "value": box} for box in values]


def _regions(results: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """What results say of each region: its shape, its label and its text have the same id."""
    regions: dict[Any, dict[str, Any]] = {}
    for number, one in enumerate(results):
        told = {name: one[name] for name in ("type", "original_width", "original_height") if name in one}
        regions.setdefault(one.get("id", number), {"type": ""} | told).update(one.get("value", {}))
    return regions.values()


def _region(empty: Label, region: dict[str, Any]) -> Label | None:
    """A shape in percent of the photo; None for results without one, such as an answer about the photo."""
    kind = next((names[0] for key, names in region.items() if key.endswith("labels") and names), "")
    text = region.get("text", "")
    one = replace(empty, kind=str(kind), text=text if isinstance(text, str) else " ".join(text))
    if "points" in region:
        return polygon(one, [float(number) for point in region["points"] for number in point])
    if {"x", "y", "width", "height"} <= region.keys():
        one = replace(one, box=tuple(float(region[name]) for name in ("x", "y", "width", "height")))
        size = [region[f"original_{side}"] for side in ("width", "height")] if region.get("rotation") else (1, 1)
        return _rotated(one, region.get("rotation"), centre=0, size=size)
    return unread(one, region["type"].removesuffix("labels")) if kind or region.keys() & {"x", "rle"} else None


JSON_LAYOUTS: dict[str, Callable[[Any, Path], Iterator[Label] | None]] = {
    "coco": _coco, "labelme": _labelme, "via": _via, "createml": _createml, "labelstudio": _label_studio,
}  # fmt: skip
