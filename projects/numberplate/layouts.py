"""Files of annotation tools and public data sets -> labels, as they are written; `labels.py` checks them."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from projects.numberplate.columns import four_numbers, read_columns, texts_of, via_region
from projects.numberplate.config import DataConfig
from projects.numberplate.labels import PART_NAMES, PLATE_TEXT, Label, Understood, polygon
from projects.numberplate.photo_files import bare_name
from shared.console import note
from shared.data.images import SUFFIXES
from shared.data.summary import named
from shared.data.tables import decode, is_table
from shared.names import shown
from shared.plain_yaml import parse_yaml

NAMES = {"table": "tables", "voc": "Pascal VOC XML", "cvat": "CVAT XML", "coco": "COCO JSON", "via": "VIA JSON",
         "labelme": "LabelMe JSON", "labelstudio": "Label Studio JSON", "createml": "CreateML JSON",
         "yolo": "YOLO txt", "keras": "keras-yolo3 txt", "oid": "OIDv4 txt", "icdar": "ICDAR txt",
         "openalpr": "OpenALPR txt", "ufpr": "UFPR-ALPR txt", "ccpd": "CCPD file names"}  # fmt: skip
ARCHIVES = {".zip", ".tar", ".tgz", ".rar", ".7z"}
CLASS_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "labels.txt", "_classes.txt")
NOT_LABELS = {*CLASS_FILES, "requirements.txt", "license.txt", "readme.txt", "_classes.csv"}
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
YOLO = re.compile(rf"\d+(?:\s+{NUMBER}){{4,}}\s*")
OID = re.compile(rf"(?P<kind>[^\W\d_].*?)\s+(?P<box>{NUMBER}(?:\s+{NUMBER}){{3}})\s*")
ICDAR = re.compile(rf"(?P<corners>\s*{NUMBER}(?:\s*,\s*{NUMBER}){{7}})\s*(?:,(?P<text>.*))?")
KERAS = re.compile(r"(?P<photo>\S.*?\.\w{3,4})(?P<boxes>(?:\s+\d+,\d+,\d+,\d+(?:,\d+)?)+)\s*")
ROW = re.compile(rf"(?P<photo>\S+\.\w{{3,4}})\s+(?P<box>{NUMBER}(?:\s+{NUMBER}){{3}})(?P<rest>\s+\S.*)?")
CCPD = re.compile(r"\d+-\d+_\d+-(\d+)&(\d+)_(\d+)&(\d+)-((?:\d+&\d+_?){4})-([\d_]+)-\d+-\d+")
CCPD_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学"
CCPD_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"


@dataclass
class Found:
    """The labels of a place by layout, and the files that are none."""

    labels: dict[str, list[Label]] = field(default_factory=dict)
    files: dict[str, list[Path]] = field(default_factory=dict)
    empty: list[Path] = field(default_factory=list)
    """Text files without a line: in some layouts a photo without a plate."""
    other: list[str] = field(default_factory=list)
    errors: list[ValueError] = field(default_factory=list)
    """Why tables could not be read as such."""

    def add(self, layout: str, file: Path, labels: list[Label]) -> None:
        self.labels.setdefault(layout, []).extend(labels)
        self.files.setdefault(layout, []).append(file)


def read_labels(place: Path, config: DataConfig, understood: Understood) -> list[Label]:
    """The labels of a file or of all files of a folder. Raises ValueError or FileNotFoundError with one sentence."""
    if not place.exists():
        raise FileNotFoundError(f"data.root: there is no file or folder {shown(place)}")
    if place.suffix.lower() in (".yaml", ".yml"):  # data.yaml of YOLO
        place = place.parent
    found = Found()
    for path in _files(place):
        _read_file(path, place, config, understood, found)
    if not found.labels:
        found.labels = {"ccpd": labels} if (labels := _ccpd(place)) else {}
    layout = _the_layout(place, config, found)
    labels = found.labels[layout]
    if layout in ("yolo", "oid", "ufpr", "openalpr"):
        labels += [Label(path.stem, path) for path in found.empty]
    if found.other:
        note(f"{shown(place)}: not read: {len(found.other)} other files ({named(found.other)})")
    understood.facts["layout"] = NAMES[layout]
    return labels


def _files(place: Path) -> list[Path]:
    if place.is_file():
        if place.suffix.lower() in SUFFIXES:
            raise ValueError(f"{shown(place)} is a photo; --data.root names its table, its labels or its folder")
        if place.suffix.lower() in ARCHIVES:
            raise ValueError(f"{shown(place)} is an archive; unpack it and name its folder with --data.root")
        return [place]
    paths = (path for path in sorted(place.rglob("*")) if path.is_file())
    return [
        path for path in paths if not any(part.startswith((".", "__MAC")) for part in path.relative_to(place).parts)
    ]


def _the_layout(place: Path, config: DataConfig, found: Found) -> str:
    """The one kind of labels, or the one that is named. Raises ValueError where there are several or none."""
    kinds = "; ".join(
        f"{layout}: {NAMES[layout]}, such as {shown(files[0].relative_to(place) if place.is_dir() else files[0])}"
        for layout, files in found.files.items()
    )
    if config.layout != "auto":
        if config.layout not in found.labels:
            raise ValueError(f"{shown(place)} has no {NAMES[config.layout]}{f', but {kinds}' if kinds else ''}")
        return config.layout
    if len(found.labels) > 1:
        raise ValueError(f"{shown(place)} has several kinds of labels ({kinds}); name one with --data.layout")
    if not found.labels:
        if found.errors:
            raise found.errors[0]
        photos = sum(path.suffix.lower() in SUFFIXES for path in _files(place))
        archives = [path.name for path in _files(place) if path.suffix.lower() in ARCHIVES]
        hint = (
            f"; unpack {named(archives)} first" if archives else "write a table with the columns file,x0,y0,x1,y1,text"
        )
        raise ValueError(
            f"{shown(place)} has {photos} photos, but no labels in a layout that is read "
            f"({', '.join(NAMES.values())}); {hint}"
        )
    return next(iter(found.labels))


def _read_file(path: Path, place: Path, config: DataConfig, understood: Understood, found: Found) -> None:
    """Read one file into `found`."""
    suffix, name = path.suffix.lower(), path.name.lower()
    if suffix in SUFFIXES or suffix in (".yaml", ".yml", ".box") or name in CLASS_FILES:
        return
    read: tuple[str, list[Label]] | None = None
    if name in NOT_LABELS or name.startswith("readme"):
        pass
    elif path.stat().st_size == 0 and suffix == ".txt":
        read = "empty", []
    elif suffix == ".xml":
        read = _read_xml(path)
    elif suffix == ".json":
        read = _read_json(path, config) or _read_table(path, config, understood, found)
    elif suffix == ".txt":
        read = _read_text(path, place, config, understood)
        if read is None and path == place:
            read = _read_table(path, config, understood, found)
    elif is_table(path) or path == place:
        read = _read_table(path, config, understood, found)
    if read is None:
        found.other.append(path.name)
    elif read[0] == "empty":
        found.empty.append(path)
    elif read[0] != "list":
        found.add(read[0], path, read[1])


def _read_table(path: Path, config: DataConfig, understood: Understood, found: Found) -> tuple[str, list[Label]] | None:
    """A table; None, with the reason kept, where it is none of photos or crops."""
    try:
        return "table", read_columns(path, config, understood)
    except ValueError as error:
        found.errors.append(error)
        return None


# --- XML


def _read_xml(path: Path) -> tuple[str, list[Label]] | None:
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
    size = _pair(root.findtext("size/width"), root.findtext("size/height"))
    empty = Label(photo, path, size=size, also=path.stem)
    yield empty
    for thing in root.iter("object"):
        told = {child.tag: child.text or "" for child in thing if not len(child)}
        told |= {one.findtext("name") or "": one.findtext("value") or "" for one in thing.iter("attribute")}
        kind = told.pop("name", "").strip()
        box = thing.find("bndbox")
        numbers = [box.findtext(name) for name in ("xmin", "ymin", "xmax", "ymax")] if box is not None else []
        yield replace(empty, box=_numbers(numbers, path, f"the box of {kind}"), kind=kind, text=texts_of(told))


def _cvat(image: ET.Element, path: Path) -> Iterator[Label]:
    size = _pair(image.get("width"), image.get("height"))
    empty = Label(image.get("name", ""), path, size=size, part=image.get("subset", "").lower())
    empty = replace(empty, part=empty.part if empty.part in PART_NAMES else "")
    yield empty
    for shape in image:
        told = {one.get("name", ""): one.text or "" for one in shape.iter("attribute")}
        one = replace(empty, kind=shape.get("label", ""), text=texts_of(told))
        if shape.tag == "box":
            numbers = [shape.get(name) for name in ("xtl", "ytl", "xbr", "ybr")]
            yield replace(one, box=_numbers(numbers, path, f"a box of {one.photo}"))
        elif points := re.findall(NUMBER, shape.get("points", "")):
            yield polygon(one, [float(value) for value in points])


# --- JSON


def _read_json(path: Path, config: DataConfig) -> tuple[str, list[Label]] | None:
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
        raise ValueError(f"{shown(path)} is not complete {NAMES[layout]}: {_reason(error)}") from None
    return None


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _coco(value: Any, path: Path) -> Iterator[Label] | None:
    if not isinstance(value, dict) or not isinstance(value.get("images"), list) or "annotations" not in value:
        return None
    kinds = {one["id"]: str(one["name"]) for one in value.get("categories", [])}
    photos = {
        one["id"]: Label(str(one.get("file_name") or one["id"]), path, size=_pair(one.get("width"), one.get("height")))
        for one in value["images"]
    }

    def labels() -> Iterator[Label]:
        yield from photos.values()
        for one in value["annotations"]:
            kind = kinds.get(one.get("category_id"), str(one.get("category_id", "")))
            told = {**one, **(one.get("attributes") or {})}
            label = replace(photos[one["image_id"]], kind=kind, text=texts_of(told), notation="xywh")
            label = replace(label, box=tuple(float(number) for number in one["bbox"]))
            polygon = one.get("segmentation")
            if isinstance(polygon, list) and len(polygon) == 1 and len(polygon[0]) == 8:
                label = replace(label, corners=tuple(map(float, polygon[0])))
            yield label

    return labels()


def _labelme(value: Any, path: Path) -> Iterator[Label] | None:
    if not isinstance(value, dict) or "shapes" not in value or "imagePath" not in value:
        return None
    size = _pair(value.get("imageWidth"), value.get("imageHeight"))
    empty = Label(str(value["imagePath"]), path, size=size, also=path.stem)

    def labels() -> Iterator[Label]:
        yield empty
        for shape in value["shapes"]:
            told = {"text": shape.get("description") or "", **(shape.get("flags") or {})}
            one = replace(empty, kind=str(shape["label"]), text=texts_of(told))
            yield polygon(one, [float(number) for point in shape["points"] for number in point])

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
    """Label Studio's JSON and JSON-MIN."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return None
    tasks = []
    for one in value:
        data = one.get("data", one)
        photo = next((data[key] for key in ("image", "img", "ocr", "photo") if isinstance(data.get(key), str)), None)
        results = [result for done in one.get("annotations", []) for result in done.get("result", [])]
        if "data" not in one:  # JSON-MIN
            lists = [v for v in one.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
            results = [{"value": box, **box} for boxes in lists for box in boxes if "rectanglelabels" in box]
        tasks.append((photo, results))
    if any(photo is None for photo, _ in tasks) or not any(results for _, results in tasks):
        return None

    def labels() -> Iterator[Label]:
        for photo, results in tasks:
            yield (empty := Label(str(photo), path, notation="xywh", unit="percent"))
            texts = {r.get("id"): " ".join(r["value"]["text"]) for r in results if "text" in r.get("value", {})}
            for result in results:
                box = result.get("value", {})
                if "rectanglelabels" in box:
                    numbers = tuple(float(box[name]) for name in ("x", "y", "width", "height"))
                    yield replace(
                        empty, box=numbers, kind=box["rectanglelabels"][0], text=texts.get(result.get("id"), "")
                    )

    return labels()


JSON_LAYOUTS: dict[str, Callable[[Any, Path], Iterator[Label] | None]] = {
    "coco": _coco, "labelme": _labelme, "via": _via, "createml": _createml, "labelstudio": _label_studio,
}  # fmt: skip


# --- text files


def _read_text(path: Path, place: Path, config: DataConfig, understood: Understood) -> tuple[str, list[Label]] | None:
    """The labels of one photo, or of many; None for other text, which may be a table."""
    lines = [line for line in decode(path.read_bytes(), path, config.encoding).splitlines() if line.strip()]
    if not lines:
        return "empty", []
    if all(YOLO.fullmatch(line.strip()) for line in lines):
        kinds = _class_names(path, place)
        return "yolo", [_yolo(line.split(), path, kinds) for line in lines]
    if all(len(line.split("\t")) in (5, 6) and four_numbers(line.split("\t")[1:5]) for line in lines):
        return "openalpr", [_openalpr(line.split("\t"), path) for line in lines]
    if any(line.startswith(("plate:", "position_plate:")) for line in lines):
        return "ufpr", _ufpr(lines, path)
    if all(match := [KERAS.fullmatch(line) for line in lines]):
        kinds = _class_names(path, place)
        return "keras", [label for one in match if one for label in _keras(one, path, kinds)]
    if all(match := [ICDAR.fullmatch(line) for line in lines]):
        return "icdar", [_icdar(one, path) for one in match if one]
    if all(match := [OID.fullmatch(line) for line in lines]):
        return "oid", [_oid(one, path) for one in match if one]
    if all(match := [ROW.fullmatch(line.strip()) for line in lines]):
        return "table", [_row(one, path) for one in match if one]
    parts = _part_list(lines, path)
    understood.parts.update(parts)
    return ("list", []) if parts else None


def _part_list(lines: list[str], path: Path) -> dict[str, str]:
    """The part of photos by name: `train.txt` with a name in each line, or lines like `images/1.jpg;training`."""
    pairs = [line.rpartition(";")[::2] for line in lines]
    if all(name and part.strip().lower() in PART_NAMES for name, part in pairs):
        return {bare_name(name): part.strip().lower() for name, part in pairs}
    if path.stem.lower() in PART_NAMES and not any("," in line or "\t" in line for line in lines):
        return {bare_name(line.split(" ")[0]): path.stem.lower() for line in lines}
    return {}


def _class_names(path: Path, place: Path) -> dict[int, str]:
    """The classes of a YOLO data set: of data.yaml or a list of names in the folder of the label or above it."""
    top = place if place.is_dir() else place.parent
    for folder in [path.parent, *path.parent.parents]:
        for file in sorted(folder.glob("*.y*ml")):
            about = parse_yaml(file.read_bytes(), shown(file), number_keys=True)
            names = about.get("names") if isinstance(about, dict) else None
            if isinstance(names, list):
                return {number: str(name) for number, name in enumerate(names)}
            if isinstance(names, dict):
                return {int(number): str(name) for number, name in names.items()}
        for file in (folder / name for name in CLASS_FILES):
            if file.is_file():
                return dict(enumerate(decode(file.read_bytes(), file).split("\n")))
        if folder == top or (place.is_file() and folder == top.parent.parent):
            break
    return {}


def _yolo(words: list[str], path: Path, kinds: dict[int, str]) -> Label:
    """`class x y w h`, of an oriented box or polygon `class x y x y x y x y ...`, as fractions of the photo."""
    kind, numbers = kinds.get(int(words[0]), words[0]).strip(), [float(word) for word in words[1:]]
    one = Label(path.stem, path, kind=kind, unit="fractions")
    if len(numbers) in (4, 5):  # with a score
        return replace(one, box=tuple(numbers[:4]), notation="cxcywh")
    if len(numbers) % 2:
        raise ValueError(f"{shown(path)}: {len(numbers)} numbers are neither a box nor a polygon")
    return polygon(one, numbers)


def _openalpr(cells: list[str], path: Path) -> Label:
    box = tuple(map(float, cells[1:5]))
    return Label(cells[0].strip(), path, box=box, notation="xywh", text="".join(cells[5:]), also=path.stem)


def _ufpr(lines: list[str], path: Path) -> list[Label]:
    """`plate: AYO-9034` with `corners: x,y x,y x,y x,y` or `position_plate: x y w h`."""
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    one = Label(path.stem, path, text=told.get("plate", ""))
    if "corners" in told:
        return [polygon(one, [float(number) for number in re.findall(NUMBER, told["corners"])])]
    box = _numbers(told.get("position_plate", "").split(), path, "position_plate")
    return [replace(one, box=box, notation="xywh")]


def _keras(match: re.Match[str], path: Path, kinds: dict[int, str]) -> Iterator[Label]:
    for box in match["boxes"].split():
        numbers = [int(number) for number in box.split(",")]
        kind = kinds.get(numbers[4], str(numbers[4])) if len(numbers) > 4 else ""
        yield Label(match["photo"], path, box=tuple(map(float, numbers[:4])), kind=kind.strip())


def _row(match: re.Match[str], path: Path) -> Label:
    box, rest = tuple(map(float, match["box"].split())), (match["rest"] or "").strip()
    one = Label(match["photo"], path, box=box, notation="four", row=1)
    return replace(one, text=rest) if PLATE_TEXT.fullmatch(rest.upper()) else replace(one, kind=rest)


def _icdar(match: re.Match[str], path: Path) -> Label:
    one = Label(re.sub(r"^(gt|poly_gt)_", "", path.stem), path, text=(match["text"] or "").strip())
    return polygon(one, [float(number) for number in match["corners"].split(",")])


def _oid(match: re.Match[str], path: Path) -> Label:
    """`Vehicle registration plate x0 y0 x1 y1` in pixels, or YOLO with the name of the class."""
    box = tuple(float(number) for number in match["box"].split())
    one = Label(path.stem, path, box=box, kind=match["kind"])
    return replace(one, notation="cxcywh", unit="fractions") if max(box) <= 1 else one


def _ccpd(place: Path) -> list[Label]:
    """The labels in the names of CCPD's photos; the plate's first character is Chinese."""
    labels = []
    for path in _files(place):
        if path.suffix.lower() in SUFFIXES and (match := CCPD.fullmatch(path.stem)):
            points = [float(number) for number in re.findall(r"\d+", match[5])]
            first, *others = (int(number) for number in match[6].split("_"))
            text = CCPD_PROVINCES[first] + "".join(CCPD_CHARACTERS[number] for number in others)
            one = polygon(Label(path.name, path), points)
            labels.append(replace(one, box=tuple(float(match[n]) for n in range(1, 5)), text=text))
    return labels


# --- numbers


def _numbers(texts: Sequence[str | None], path: Path, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(text or "") for text in texts)
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise ValueError(f"{shown(path)}: {what} is not four numbers ({', '.join(str(text) for text in texts)})")
    return numbers


def _pair(width: Any, height: Any) -> tuple[float, float] | None:
    """The size that is written beside a box; tools write 0 where they do not know it."""
    try:
        size = float(width), float(height)
    except (TypeError, ValueError):
        return None
    return size if min(size) > 0 else None
