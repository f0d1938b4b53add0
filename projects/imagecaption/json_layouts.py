"""Captions in JSON: of COCO and Karpathy, by the name of the photo, or rows of a table."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from projects.imagecaption.config import DataConfig
from projects.imagecaption.layouts import (
    CAPTION_COLUMNS,
    PARTS,
    CaptionFile,
    NotCaptionsError,
    Rows,
    caption_columns,
    captions_in,
    from_frame,
    read_caption_table,
)
from shared.data.encodings import decode
from shared.data.tables import plain_name

NO_CAPTIONS = "has no captions (it may be the file of object labels); COCO's are in captions_train2017.json"


def read_json(path: Path, config: DataConfig) -> CaptionFile:
    content = path.read_bytes()
    if b'"segmentation"' in content and b'"caption' not in content:  # such files may be large
        raise NotCaptionsError(f"{path} {NO_CAPTIONS}")
    try:
        value = json.loads(decode(content, path, config.encoding))
    except (ValueError, RecursionError) as error:
        try:
            return read_caption_table(path, config)  # JSON lines
        except NotCaptionsError:
            raise
        except ValueError:
            raise ValueError(f"{path} is not readable as JSON: {error}") from None
    if _is_coco(value):
        return _read_coco(value, path)
    rows, columns = Rows(path), {}
    for part, group in _by_part(value).items():
        file = _from_json(group, path, config)
        columns |= file.columns
        for name, several in file.captions.items():
            rows.add(name, several, file.parts.get(name, part))
    return rows.file("JSON", columns)


def _is_coco(value: Any) -> bool:
    images = value.get("images") if isinstance(value, dict) else None
    return isinstance(images, list) and any(
        isinstance(one, dict) and {"file_name", "filename"} & {*one} for one in images
    )


def _by_part(value: Any) -> dict[str, Any]:
    """`{"train": [...], "val": [...]}` as it is; any other value without the name of a set."""
    divided = isinstance(value, dict) and value and {str(key).lower() for key in value} <= set(PARTS)
    return value if divided else {"": value}


def _from_json(value: Any, path: Path, config: DataConfig) -> CaptionFile:
    """A list of objects, objects or captions by the name of the photo, or a table in another form."""
    if _is_by_name(value):
        return CaptionFile(path, "JSON", {name: captions_in(several) for name, several in value.items()})
    if isinstance(value, dict) and caption_columns([*value], config) and _all_are(value.values(), dict):
        value = [{name: cells.get(row) for name, cells in value.items()} for row in next(iter(value.values()))]
    if isinstance(value, list) and value and _all_are(value, dict):
        rows = [{name: "" if cell is None else cell for name, cell in row.items()} for row in value]
        return from_frame(pd.DataFrame(rows, dtype=object), path, config)
    return read_caption_table(path, config)


def _is_by_name(value: Any) -> bool:
    """`{"photo.jpg": ["A dog .", ...]}`, or with a single caption, or with objects that hold one."""
    if not isinstance(value, dict) or not value:
        return False
    if {plain_name(name) for name in value} & set(map(plain_name, (*CAPTION_COLUMNS, "annotations", "data"))):
        return False
    lists = [several for several in value.values() if not isinstance(several, str)]
    return _all_are(lists, list) and all(_all_are(several, str | list | dict) for several in lists)


def _all_are(values: Iterable[Any], kind: Any) -> bool:
    return all(isinstance(value, kind) for value in values)


def _read_coco(content: dict[str, Any], path: Path) -> CaptionFile:
    """COCO's caption JSON (images, annotations) or Karpathy's (images with sentences)."""
    rows = Rows(path)
    try:
        for name, several, part in _coco_images(content, path):
            rows.add(name, several, part)
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{path} is neither in COCO's format nor in Karpathy's") from None
    if not any(rows.captions.values()):
        raise NotCaptionsError(f"{path} lists photos without captions")
    return rows.file("COCO" if content.get("annotations") else "Karpathy")


def _coco_images(content: dict[str, Any], path: Path) -> Iterable[tuple[str, list[str], str]]:
    """File name, captions and set of every image of a JSON file."""
    match = re.search(r"(train|val|test)", path.name)
    annotations = content.get("annotations", [])
    if annotations and not any(isinstance(one, dict) and "caption" in one for one in annotations):
        raise NotCaptionsError(f"{path} {NO_CAPTIONS}")
    of_image: dict[Any, list[str]] = defaultdict(list)
    for annotation in annotations:
        if not isinstance(annotation, dict) or not {"caption", "image_id"} <= set(annotation):
            raise ValueError(f"{path} has an annotation without `caption` or `image_id`")
        of_image[annotation["image_id"]].append(str(annotation["caption"]))
    for image in content["images"]:
        name = isinstance(image, dict) and (image.get("file_name") or image.get("filename"))
        if not name:
            raise ValueError(f"{path} has an image without `file_name`")
        name = str(PurePosixPath(image.get("filepath", "")) / name)
        sentences = [s["raw"] if "raw" in s else " ".join(s["tokens"]) for s in image.get("sentences", [])]
        several = [str(sentence) for sentence in sentences] or of_image.pop(image.get("id"), [])
        part = image.get("split") or (match[1] if match else "")
        yield name, several, part if str(part).lower() in PARTS else ""
    for number, several in of_image.items():
        yield f"image {number}", several, ""
