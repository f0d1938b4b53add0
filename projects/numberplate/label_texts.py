"""Labels in text files, and in the names of photos -> labels, as they are written."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from projects.numberplate.columns import four_numbers
from projects.numberplate.config import DataConfig
from projects.numberplate.labels import NUMBER, PLATE_TEXT, Label, Understood, four_of, polygon
from projects.numberplate.photo_files import bare_name
from shared.data import splits
from shared.data.encodings import decode, lines_of
from shared.data.images import SUFFIXES
from shared.names import shown
from shared.plain_yaml import parse_yaml

CLASS_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "_classes.txt")
YOLO = re.compile(rf"\d+(?:\s+{NUMBER}){{4,}}\s*")
OID = re.compile(rf"(?P<kind>[^\W\d_].*?)\s+(?P<box>{NUMBER}(?:\s+{NUMBER}){{3}})\s*")
ICDAR = re.compile(rf"(?P<corners>\s*{NUMBER}(?:\s*,\s*{NUMBER}){{7}})\s*(?:,(?P<text>.*))?")
KERAS = re.compile(r"(?P<photo>\S.*?\.\w{3,4})(?P<boxes>(?:\s+\d+,\d+,\d+,\d+(?:,\d+)?)+)\s*")
ROW = re.compile(rf"(?P<photo>\S+\.\w{{3,4}})\s+(?P<box>{NUMBER}(?:\s+{NUMBER}){{3}})(?P<rest>\s+\S.*)?")
CCPD = re.compile(r"\d+-\d+_\d+-(\d+)&(\d+)_(\d+)&(\d+)-((?:\d+&\d+_?){4})-([\d_]+)-\d+-\d+")
CCPD_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学"
CCPD_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789O"


def read_text(path: Path, place: Path, config: DataConfig, understood: Understood) -> tuple[str, list[Label]] | None:
    """The labels of one photo, or of many; None for other text, which may be a table."""
    lines = [line for line in lines_of(decode(path.read_bytes(), path, config.encoding)) if line.strip()]
    if not lines:
        return "empty", []
    if all(YOLO.fullmatch(line.strip()) for line in lines):
        kinds = _class_names(path, place, understood)
        return "yolo", [_yolo(line.split(), path, kinds) for line in lines]
    if all(len(line.split("\t")) in (5, 6) and four_numbers(line.split("\t")[1:5]) for line in lines):
        return "openalpr", [_openalpr(line.split("\t"), path) for line in lines]
    if any(line.startswith(("plate:", "position_plate:")) for line in lines):
        return "ufpr", _ufpr(lines, path)
    if all(match := [KERAS.fullmatch(line) for line in lines]):
        kinds = _class_names(path, place, understood)
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
    if all(name and part.strip().lower() in splits.PART_OF for name, part in pairs):
        return {bare_name(name): part.strip().lower() for name, part in pairs}
    if path.stem.lower() in splits.PART_OF and not any("," in line or "\t" in line for line in lines):
        return {bare_name(line.split(" ")[0]): path.stem.lower() for line in lines}
    return {}


def _class_names(path: Path, place: Path, understood: Understood) -> dict[int, str]:
    """The classes of a YOLO data set: of data.yaml or a list of names in the folder of the label or above it."""
    top = place if place.is_dir() else place.parent.parent.parent
    for folder in [path.parent, *path.parent.parents]:
        if folder not in understood.class_names:
            understood.class_names[folder] = _names_in(folder)
        if names := understood.class_names[folder]:
            return names
        if folder == top:
            break
    return {}


def _names_in(folder: Path) -> dict[int, str]:
    for file in sorted(folder.glob("*.y*ml")):
        if b"names" not in (content := file.read_bytes()):
            continue
        about = parse_yaml(content, shown(file), number_keys=True)
        names = about.get("names") if isinstance(about, dict) else None
        if isinstance(names, list):
            return {number: str(name) for number, name in enumerate(names)}
        if isinstance(names, dict):
            return {int(number): str(name) for number, name in names.items()}
    for file in (folder / name for name in CLASS_FILES):
        if file.is_file():
            return dict(enumerate(decode(file.read_bytes(), file).split("\n")))
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
    box = four_of(told.get("position_plate", "").split(), path, "position_plate")
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


def read_ccpd(paths: list[Path]) -> list[Label]:
    """The labels in the names of CCPD's photos; the plate's first character is Chinese."""
    labels = []
    for path in paths:
        if path.suffix.lower() in SUFFIXES and (match := CCPD.fullmatch(path.stem)):
            points = [float(number) for number in re.findall(r"\d+", match[5])]
            first, *others = (int(number) for number in match[6].split("_"))
            text = CCPD_PROVINCES[first] + "".join(CCPD_CHARACTERS[number] for number in others)
            one = polygon(Label(path.name, path), points)
            labels.append(replace(one, box=tuple(float(match[n]) for n in range(1, 5)), text=text))
    return labels
