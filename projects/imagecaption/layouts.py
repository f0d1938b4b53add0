"""Files of captions in the layouts that people have them in -> the captions of every photo name.

Tables, token files (Flickr8k, Flickr30k), JSON of COCO and Karpathy, and text files beside the photos.
"""

import ast
import io
import json
import re
import tokenize as python
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from projects.imagecaption.config import DataConfig
from shared.console import note
from shared.data import splits
from shared.data.images import NOT_READ, SUFFIXES
from shared.data.tables import decode, find_column, is_table, plain_name, read_table
from shared.names import shown

PARTS = {"train": splits.TRAIN, "training": splits.TRAIN, "restval": splits.TRAIN, "dev": splits.VALIDATION,
         "val": splits.VALIDATION, "valid": splits.VALIDATION, "validation": splits.VALIDATION,
         "test": splits.TEST, "testing": splits.TEST}  # fmt: skip
IMAGE_COLUMNS = ("image", "file", "filename", "file_name", "image_name", "path", "photo", "image_path", "img_path",
                 "file_path", "filepath", "image_file", "image_filename", "photo_name", "picture", "img", "image_id",
                 "img_id", "photo_id", "id", "key", "bild", "datei", "imagen", "immagine", "fichier")  # fmt: skip
CAPTION_COLUMNS = ("caption", "captions", "comment", "comments", "text", "sentence", "sentences", "description",
                   "descriptions", "raw", "reference_strs", "reference", "references", "caption_str", "caption_text",
                   "beschreibung", "bildunterschrift", "legende", "descripcion", "descrizione",
                   "didascalia")  # fmt: skip
PART_COLUMNS = ("split", "part", "subset", "partition", "set", "set_name")
TEXT_SUFFIXES = {".txt", ".caption", ".cap"}
"""Files beside a photo, with one caption a line."""
NO_CAPTIONS = "has no captions (it may be the file of object labels); COCO's are in captions_train2017.json"
TOKEN_LINE = re.compile(r"([^\t]+?)(?:#\w+)*#\d+\t(.*)")
PLAIN_LINE = re.compile(r"\s*([^\s,;:|]+\.\w{3,4})(?::\s*| +)(.+)")
BETWEEN = re.compile(r"\s*(?:\|\|+|<sep>|\[SEP\])\s*")
"""What stands between several captions in a cell."""
PART_FILE = re.compile(
    r"(?:^|[_.-])(train|training|dev|val|valid|validation|test)(?:_?(imag\w*|imgs|list|ids|captions)|20\d\d)?$",
    re.IGNORECASE,
)


class NotCaptionsError(ValueError):
    """A file is readable, but of another kind."""


@dataclass(frozen=True)
class CaptionFile:
    """What a file says of photos, by the names that it gives them."""

    path: Path
    kind: str
    """tokens, table, JSON, COCO, Karpathy or text (files beside the photos)."""
    captions: dict[str, list[str]]
    parts: dict[str, str] = field(default_factory=dict)
    """The set of the photos, where the file has lists."""
    columns: dict[str, str] = field(default_factory=dict)
    """What is read -> the column that it is read from."""

    @property
    def name(self) -> str:
        return "texts beside the photos" if self.kind == "text" else shown(self.path.name)

    @property
    def folder(self) -> Path:
        """The folder that the names of the photos are relative to."""
        return self.path if self.path.is_dir() else self.path.parent


class Rows:
    """Captions and sets of photos, collected row by row."""

    def __init__(self, path: Path, part_column: str | None = None) -> None:
        self.path, self.part_column = path, part_column
        self.captions: dict[str, list[str]] = defaultdict(list)
        self.parts: dict[str, str] = {}

    def add(self, name: str, captions: Iterable[str], part: str = "") -> None:
        """Raises ValueError for a set that is not known, and for a photo in two sets."""
        name = re.sub(r"#\d+$", "", name.strip())
        self.captions[name] += captions
        if not (key := part.strip().lower()):
            return
        if key not in PARTS:
            place = f"the column {shown(self.part_column)}" if self.part_column else shown(name)
            raise ValueError(f"{self.path}: {place} has {shown(part)}; allowed are {', '.join(PARTS)}")
        if self.parts.setdefault(name, PARTS[key]) != PARTS[key]:
            two = " and ".join(sorted({self.parts[name], PARTS[key]}))
            raise ValueError(f"{self.path}: {shown(name)} is listed in two sets, {two}; keep one of them")

    def file(self, kind: str, columns: dict[str, str] | None = None) -> CaptionFile:
        return CaptionFile(self.path, kind, dict(self.captions), self.parts, columns or {})


def read_captions(path: Path, config: DataConfig) -> CaptionFile:
    """The captions of one file. Raises NotCaptionsError, ValueError or FileNotFoundError with one sentence."""
    if path.suffix.lower() == ".json":
        return _read_json(path, config)
    if path.suffix.lower() in {".zip", ".tar", ".tgz", ".gz", ".7z", ".rar"} and not is_table(path):
        raise NotCaptionsError(f"{path} is an archive; unpack it first")
    if path.suffix.lower() in {".txt", ".token", ".tsv", ""}:
        lines = text_lines(path, config)
        if lines and TOKEN_LINE.match(lines[0]):
            return _read_tokens(path, lines)
        plain = [match for match in map(PLAIN_LINE.fullmatch, lines) if match and is_photo_name(match[1])]
        if plain and len(plain) == len(lines):
            return _read_plain(path, plain)
        if path.suffix.lower() in {".token", ""}:
            raise NotCaptionsError(f"{path} has no lines such as `name.jpg#0<tab>caption`")
    return _read_table(path, config)


def text_lines(path: Path, config: DataConfig) -> list[str]:
    """The lines of a text file that are not blank."""
    return [line for line in decode(path.read_bytes(), path, config.encoding).splitlines() if line.strip()]


def _read_tokens(path: Path, lines: Sequence[str]) -> CaptionFile:
    """`name.jpg#0<tab>caption`"""
    rows = Rows(path)
    for number, line in enumerate(lines, 1):
        name, tab, caption = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}, is not `name.jpg#0<tab>caption`: {shown(line[:60])!r}")
        match = TOKEN_LINE.match(line)
        rows.add(match[1] if match else name, [caption])
    return rows.file("tokens")


def _read_plain(path: Path, lines: Sequence[re.Match[str]]) -> CaptionFile:
    """`name.jpg caption` or `name.jpg: caption`"""
    rows = Rows(path)
    for match in lines:
        rows.add(match[1], [match[2]])
    return rows.file("table")


# --- tables


def _read_table(path: Path, config: DataConfig) -> CaptionFile:
    """One row a caption, one row a photo with several columns of captions, or with a list in a cell."""

    def last_is_text(first: list[str]) -> bool:
        header = _without_header(first) or first
        return [header[-1]] == caption_columns(header, config)

    frame = read_table(path, config, _without_header, last_is_text)
    if config.header == "none":
        frame.columns = _without_header([str(cell) for cell in frame.iloc[0]]) or frame.columns
    return _from_frame(frame, path, config)


def is_photo_name(text: str) -> bool:
    """`photo.jpg`, `img/photo.jpg#0`"""
    return PurePosixPath(re.sub(r"#\d+$", "", text.strip())).suffix.lower() in SUFFIXES | NOT_READ


def _without_header(first: Sequence[str]) -> list[str] | None:
    """The columns of a table whose first row is data: it begins with the name of a photo.

    Further cells are captions if they all begin alike, in upper or lower case; else they are a text with commas.
    """
    if len(first) < 2 or not is_photo_name(first[0]) or is_photo_name(first[1]):
        return None
    if len(first) > 2 and first[1].strip().isdigit():
        return ["image", "number", "caption"]
    cased = {text.lstrip()[:1].isupper() for text in first[1:]}
    if len(first) == 2 or len(cased) > 1:
        return ["image", "caption"]
    return ["image", *(f"caption {number}" for number in range(1, len(first)))]


def caption_columns(names: Sequence[str], config: DataConfig) -> list[str]:
    """The columns of captions: the one that is named, else the first with a usual name and those that are numbered like
    it (`caption`, `caption_2`, `comment1`)."""
    if config.caption_column:
        return [name for name in names if plain_name(name) == plain_name(config.caption_column)]
    for usual in CAPTION_COLUMNS:
        stem = plain_name(usual)
        if found := [name for name in names if re.fullmatch(rf"{stem}\d*", plain_name(name))]:
            return found
    return []


def _from_frame(frame: pd.DataFrame, path: Path, config: DataConfig) -> CaptionFile:
    names = [str(name) for name in frame.columns]
    names = [f"{name} {names[:n].count(name) + 1}" if name in names[:n] else name for n, name in enumerate(names)]
    frame.columns = names
    texts = caption_columns(names, config)
    image = find_column(frame, "data.image_column", config.image_column, IMAGE_COLUMNS, path, needed=False)
    if image is None and not config.image_column and (image := _column_of_photos(frame)):
        note(f"{path}: the names of the photos are in the column {shown(image)}")
    for what, column, usual in (("image", image, IMAGE_COLUMNS), ("caption", texts, CAPTION_COLUMNS)):
        if not column:
            named = f"{' or '.join(usual[:4])}, ... (--data.{what}_column names it)"
            raise NotCaptionsError(f"{path} has no column {named}; its columns are {', '.join(map(shown, names))}")
    part = find_column(frame, None, None, PART_COLUMNS, path, needed=False)
    frame = frame.fillna("")
    photos = frame[image].astype(str).str.strip()
    if photos.str.match(r"\{.bytes.:").any():
        raise ValueError(
            f"{path} holds the photos themselves; write them to files, and their names and captions to a CSV"
        )
    empty, given = photos == "", photos[photos != ""]
    if 3 * empty.sum() >= len(photos) and given.is_unique:  # the first row of each photo has its name
        note(f"{path}: {empty.sum()} rows without the name of a photo belong to the photo above")
        photos = photos.mask(empty).ffill().fillna("")
    rows, divided = Rows(path, part), 0
    for name, row in zip(photos, frame.to_dict("records")):
        cells = [text for column in texts for text in captions_in(row[column])]
        captions = [caption for text in cells for caption in BETWEEN.split(text)]
        divided += len(captions) > len(cells)
        rows.add(name, captions, str(row[part]) if part else "")
    if divided:
        note(f"{path}: {divided} rows have several captions in a cell, with || or <sep> between them")
    unused = [name for name in names if name and name not in (image, part, *texts)]
    columns = {"photo": str(image), "caption": ", ".join(texts)}
    columns |= {"set": part} if part else {}
    return rows.file("table", columns | ({"not read": ", ".join(unused)} if unused else {}))


def _column_of_photos(frame: pd.DataFrame) -> str | None:
    """The only column whose cells are names of photos."""
    found = [str(name) for name in frame.columns if frame[name].dropna().head(100).astype(str).map(is_photo_name).all()]
    return found[0] if len(found) == 1 else None


def captions_in(value: Any) -> list[str]:
    """Captions in a cell or in JSON: a text, a list (in a cell also as text, of Python or JSON), or objects.

    >>> captions_in("['A dog .', \\"A dog's ball .\\"]"), captions_in([{"raw": "A dog"}, "A cat"])
    (['A dog .', "A dog's ball ."], ['A dog', 'A cat'])
    """
    if isinstance(value, dict):
        found = next((value[key] for key in ("raw", *CAPTION_COLUMNS) if value.get(key)), None)
        return captions_in(found) if found is not None else [" ".join(map(str, value.get("tokens", [])))]
    if isinstance(value, list | tuple):
        if value and all(isinstance(one, list) and all(isinstance(word, str) for word in one) for one in value):
            return [" ".join(one) for one in value]
        return [caption for one in value for caption in captions_in(one)]
    text = "" if value is None else str(value)
    listed = _listed(text.strip()) if text.strip()[:1] in ("[", "(", "{") else None
    return [text] if listed is None else captions_in(listed)


def _listed(text: str) -> list[Any] | None:
    """A list that is written as text: JSON, or strings in the brackets of Python or NumPy; else None."""
    try:
        value = json.loads(text)
        return value if isinstance(value, list) else [value]
    except (ValueError, RecursionError):
        pass
    try:
        tokens = [t for t in python.generate_tokens(io.StringIO(text).readline) if t.string.strip()]
        strings = [ast.literal_eval(t.string) for t in tokens if t.type == python.STRING]
    except (python.TokenError, SyntaxError, ValueError):
        return None
    others = {t.string for t in tokens if t.type != python.STRING}
    return strings if strings and others <= {*"[](){},", "None", "nan", "array"} else None


# --- JSON


def _read_json(path: Path, config: DataConfig) -> CaptionFile:
    content = path.read_bytes()
    if b'"segmentation"' in content and b'"caption' not in content:  # such files may be large
        raise NotCaptionsError(f"{path} {NO_CAPTIONS}")
    try:
        value = json.loads(decode(content, path, config.encoding))
    except (ValueError, RecursionError) as error:
        try:
            return _read_table(path, config)  # JSON lines
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
        return _from_frame(pd.DataFrame(rows, dtype=object), path, config)
    return _read_table(path, config)


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


# --- which files are worth reading


def looks_like_captions(path: Path, config: DataConfig) -> bool:
    """Whether the first lines of a text file may be captions, so that other files of a folder are not read as such."""
    if path.suffix.lower() not in {".txt", ".csv", ".tsv", ".token", ""}:
        return True
    head = path.open("rb").read(20_000)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for line in head.decode(encoding, errors="replace").splitlines()[:30]:
        cells = [cell.strip(' "') for cell in re.split(r"[,;\t|]", line)]
        names = set(map(plain_name, cells))
        usual = (config.image_column, *IMAGE_COLUMNS), (config.caption_column, *CAPTION_COLUMNS)
        with_header = bool(names & {plain_name(n) for n in usual[0] if n}) and bool(caption_columns(cells, config))
        plain = PLAIN_LINE.fullmatch(line)
        if with_header or TOKEN_LINE.match(line) or (plain and is_photo_name(plain[1])):
            return True
        if len(cells) > 1 and is_photo_name(cells[0]) and not is_photo_name(cells[1]):
            return True
    return False
