"""Plates as files describe them: which class is the plate, and what its text is."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from projects.numberplate.config import DataConfig
from projects.numberplate.formats import CHARACTERS
from shared.console import note
from shared.data.summary import named
from shared.data.tables import plain_name
from shared.names import shown

LAYOUTS = {"table": "tables", "voc": "Pascal VOC XML", "cvat": "CVAT XML", "coco": "COCO JSON", "via": "VIA JSON",
           "labelme": "LabelMe JSON", "labelstudio": "Label Studio JSON", "createml": "CreateML JSON",
           "yolo": "YOLO txt", "keras": "keras-yolo3 txt", "oid": "OIDv4 txt", "icdar": "ICDAR txt",
           "openalpr": "OpenALPR txt", "ufpr": "UFPR-ALPR txt", "ccpd": "CCPD file names"}  # fmt: skip
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SEPARATORS = "-–—.·•:/'_"
"""What may stand between the characters of a plate, besides white space."""
LOOK_ALIKES = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")
"""Cyrillic and Greek capitals that look like Latin ones; Russian, Ukrainian and Greek plates use only these."""
NO_TEXT = {"NAN", "NA", "NONE", "NULL", "UNKNOWN", "UNREADABLE", "ILLEGIBLE", "NOTREADABLE", "NOPLATE", "?", "###", "#"}
PLATE_TEXT = re.compile(r"(?=(?:.*\d){2})(?=.*[A-ZА-Я])[A-ZА-Я\d][A-ZА-Я\d .-]{2,10}[A-ZА-Я\d]")
"""What the text of a plate looks like, as opposed to the name of a class."""
PLATE_WORDS = (
    "plate", "licence", "license", "placa", "matricula", "kennzeichen", "nummernschild", "targa", "plaque", "plaka",
    "immatriculation", "m01jfm", "tablica", "kenteken", "номер", "车牌",
)  # fmt: skip
PLATE_NAMES = {"lp", "anpr", "alpr", "number", "numbers", "np", "no plate", "registration"}
NOT_PLATES = {
    "char",
    "chars",
    "character",
    "characters",
    "letter",
    "letters",
    "digit",
    "digits",
    "without",
    "no",
    "not",
}
OTHER_CLASSES = {
    "car", "cars", "vehicle", "vehicles", "truck", "bus", "van", "motorcycle", "motorbike", "bike", "bicycle", "person",
    "face", "helmet", "driver", "traffic light", "wheel", "background",
}  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A plate, or a photo without one, as a file says it; nothing is checked."""

    photo: str
    """The name of the photo, as it is written."""
    file: Path
    """The file that says so."""
    box: tuple[float, ...] | None = None
    notation: str = "xyxy"
    """What the four numbers of the box are: xyxy, xywh, cxcywh (of the centre), or four, if that is not known."""
    unit: str = "auto"
    """pixels, fractions or percent of the photo, declared; auto: by the numbers."""
    corners: tuple[float, ...] | None = None
    """Eight numbers: four points in any order."""
    in_order: bool = False
    """The corners are clockwise from the top left of the plate, as in a column `corners`, however it is turned."""
    kind: str = ""
    """The class."""
    shape: str = ""
    """The name of a shape that is neither a box nor a polygon, such as a mask; it is not read."""
    text: str = ""
    part: str = ""
    set_name: str | None = None
    size: tuple[float, float] | None = None
    """Width and height of the photo, as they are written."""
    row: int | None = None
    also: str = ""
    """Another name of the photo, tried next."""
    is_crop: bool = False
    """The image shows one plate and nothing else."""


@dataclass
class Understood:
    """What was taken for what, for the summary."""

    columns: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    """File name without its suffix -> its part, of lists of names."""
    class_names: dict[Path, dict[int, str]] = field(default_factory=dict)
    """Folder -> the names of the classes by number that files in it give."""

    def leave_out(self, reason: str, names: Iterable[str]) -> None:
        self.left_out.setdefault(reason, []).extend(names)


def polygon(label: Label, numbers: Sequence[float]) -> Label:
    """A label with the box around points x, y, x, y, ...; four points are the corners of the plate."""
    xs, ys = numbers[::2], numbers[1::2]
    if len(xs) < 2 or len(xs) != len(ys):
        raise ValueError(f"{shown(label.file)}: {len(numbers)} numbers are not the points of a plate")
    corners = tuple(numbers) if len(numbers) == 8 else None
    return replace(label, box=(min(xs), min(ys), max(xs), max(ys)), corners=corners, in_order=False, notation="xyxy")


def unread(label: Label, shape: str) -> Label:
    """A label with a shape that is not read: the photo is refused, or left out, if it is that of a plate."""
    return replace(label, box=(float("nan"),) * 4, shape=shape or "another shape")


def four_of(texts: Sequence[str | None], path: Path, what: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(text or "") for text in texts)
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise ValueError(f"{shown(path)}: {what} is not four numbers ({', '.join(str(text) for text in texts)})")
    return numbers


def size_of(width: Any, height: Any) -> tuple[float, float] | None:
    """The size that is written beside a box; tools write 0 where they do not know it."""
    try:
        size = float(width), float(height)
    except (TypeError, ValueError):
        return None
    return size if min(size) > 0 else None


# --- which class is the plate


def plates_only(labels: Sequence[Label], place: Path, config: DataConfig, understood: Understood) -> list[Label]:
    """Labels of other classes without their box. Raises ValueError where it cannot be told which class is the plate."""
    counts = Counter(label.kind for label in labels if label.box is not None)
    if set(counts) <= {""}:
        if config.plate_class and counts:
            raise ValueError(f"{shown(place)} has no classes; leave out --data.plate_class")
        return list(labels)
    listed = ", ".join(f"{shown(kind) or '(none)'} ({count})" for kind, count in counts.most_common(12))
    texts = {kind for kind in counts if PLATE_TEXT.fullmatch(kind.upper()) and not is_plate(kind)}
    if config.plate_class:
        wanted = {plain_name(name) for name in config.plate_class}
        taken = {kind for kind in counts if plain_name(kind) in wanted}
        if unknown := [name for name in config.plate_class if plain_name(name) not in map(plain_name, counts)]:
            raise ValueError(
                f"data.plate_class: {shown(place)} has no class {named(unknown)}; its classes are {listed}"
            )
        texts &= taken
    else:
        taken = _recognised(counts, texts, place, listed) | texts
    kinds = sorted(taken - texts)
    understood.facts["class"] = f"{', '.join(map(shown, kinds)) or 'names that are texts'} = plate"
    if texts:
        note(f"{shown(place)}: {len(texts)} names of classes are taken as texts, such as {shown(min(texts))}")
    for kind, count in counts.items():
        if kind not in taken:
            understood.left_out[f"boxes of the class {shown(kind) or '(none)'}"] = [""] * count
    labels = [replace(one, text=one.kind) if one.kind in texts and not one.text else one for one in labels]
    return [one if one.kind in taken or one.box is None else replace(one, box=None, text="") for one in labels]


def _recognised(counts: Counter[str], texts: set[str], place: Path, listed: str) -> set[str]:
    """The class that is called a plate, or the only one."""
    plates = {kind for kind in counts if is_plate(kind)}
    if len({plain_name(kind) for kind in plates}) == 1 or (texts and not plates):
        return plates
    setting = "name the one of the plate with --data.plate_class"
    if plates:
        raise ValueError(f"{shown(place)} has several classes that may be the plate: {listed}; {setting}")
    if all(len(kind) == 1 and kind.isalpha() for kind in counts) and len(counts) > 1:
        raise ValueError(f"{shown(place)} has boxes of characters, not of plates: {listed}")
    if len(counts) == 1 and _words(next(iter(counts))) not in OTHER_CLASSES:
        note(f"{shown(place)}: its only class, {shown(next(iter(counts)))}, is taken as the plate")
        return set(counts)
    raise ValueError(f"{shown(place)}: which class is the plate? Its classes are {listed}; {setting}")


def is_plate(kind: str) -> bool:
    """Whether the name of a class says that it is a number plate.

    >>> is_plate("License_Plate"), is_plate("matrícula"), is_plate("LP"), is_plate("car"), is_plate("plate-char")
    (True, True, True, False, False)
    """
    words = _words(kind)
    if set(words.split()) & NOT_PLATES:
        return False
    return words in PLATE_NAMES or any(word in plain_name(kind) for word in map(plain_name, PLATE_WORDS))


def _words(kind: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind))).lower()


# --- texts


def plain_text(text: str) -> str:
    """The text of a plate in capitals, without separators; look-alikes of other alphabets as Latin letters.

    >>> plain_text("ayo-90 34"), plain_text("а123вс 77")
    ('AYO9034', 'A123BC77')
    """
    capitals = unicodedata.normalize("NFKC", text).upper()
    bare = "".join(c for c in capitals if not (c.isspace() or c in SEPARATORS))
    return "" if bare in NO_TEXT else bare.translate(LOOK_ALIKES)


def plain_texts(labels: Sequence[Label], place: Path, understood: Understood) -> list[str]:
    """The texts of labels; those with other characters than A-Z and 0-9 are emptied, counted and named."""
    texts = [plain_text(label.text) for label in labels]
    invalid = [not set(text) <= set(CHARACTERS) for text in texts]
    foreign = [
        (label.text, text)
        for label, text, bad in zip(labels, texts, invalid)
        if text and not bad and set(label.text.upper()) & _FOREIGN
    ]
    if foreign:
        note(
            f"{shown(place)}: {len(foreign)} texts are written with Cyrillic or Greek letters; "
            f"they are taken as the Latin letters that look the same, such as {' -> '.join(map(shown, foreign[0]))}"
        )
    if any(invalid):
        ignored = [text for text, bad in zip(texts, invalid) if bad]
        note(
            f"{shown(place)}: {len(ignored)} texts are ignored, because they contain characters other than A-Z and 0-9 "
            f"({named(ignored)})"
        )
        understood.leave_out("texts with characters other than A-Z and 0-9", ignored)
    if unread := [label.text for label, text in zip(labels, texts) if label.text and not text]:
        understood.leave_out("texts that say there is none", unread)
    return ["" if bad else text for text, bad in zip(texts, invalid)]


_FOREIGN = {chr(code) for code in LOOK_ALIKES}
