"""Tables and texts of captions in the layouts that people have them in -> the captions of every photo name."""

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
from shared.data.encodings import decode, lines_of
from shared.data.images import NOT_READ, SUFFIXES
from shared.data.tables import find_column, plain_name, read_table
from shared.names import shown

PARTS = {**splits.PART_OF, "restval": splits.TRAIN}
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
            raise ValueError(
                f"{self.path}: {place} has {shown(part)}; allowed are {', '.join(splits.NAMES)} and the like"
            )
        if self.parts.setdefault(name, PARTS[key]) != PARTS[key]:
            two = " and ".join(sorted({self.parts[name], PARTS[key]}))
            raise ValueError(f"{self.path}: {shown(name)} is listed in two sets, {two}; keep one of them")

    def file(self, kind: str, columns: dict[str, str] | None = None) -> CaptionFile:
        return CaptionFile(self.path, kind, dict(self.captions), self.parts, columns or {})


def text_lines(path: Path, config: DataConfig) -> list[str]:
    """The lines of a text file that are not blank."""
    return [line for line in lines_of(decode(path.read_bytes(), path, config.encoding)) if line.strip()]


def read_tokens(path: Path, lines: Sequence[str]) -> CaptionFile:
    """`name.jpg#0<tab>caption`"""
    rows = Rows(path)
    for number, line in enumerate(lines, 1):
        name, tab, caption = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}, line {number}, is not `name.jpg#0<tab>caption`: {shown(line[:60])!r}")
        match = TOKEN_LINE.match(line)
        rows.add(match[1] if match else name, [caption])
    return rows.file("tokens")


def read_plain(path: Path, lines: Sequence[re.Match[str]]) -> CaptionFile:
    """`name.jpg caption` or `name.jpg: caption`"""
    rows = Rows(path)
    for match in lines:
        rows.add(match[1], [match[2]])
    return rows.file("table")


# --- tables


def read_caption_table(path: Path, config: DataConfig) -> CaptionFile:
    """One row a caption, one row a photo with several columns of captions, or with a list in a cell."""

    def last_is_text(first: list[str]) -> bool:
        header = _without_header(first) or first
        return [header[-1]] == caption_columns(header, config)

    frame = read_table(path, config, _without_header, last_is_text)
    if config.header == "none":
        frame.columns = _without_header([str(cell) for cell in frame.iloc[0]]) or frame.columns
    return from_frame(frame, path, config)


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


def from_frame(frame: pd.DataFrame, path: Path, config: DataConfig) -> CaptionFile:
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
