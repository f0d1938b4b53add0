"""Which files of a folder hold the captions, and which of them are read."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from projects.imagecaption.config import DataConfig
from projects.imagecaption.json_layouts import read_json
from projects.imagecaption.layouts import (
    CAPTION_COLUMNS,
    IMAGE_COLUMNS,
    PART_FILE,
    PARTS,
    PLAIN_LINE,
    TEXT_SUFFIXES,
    TOKEN_LINE,
    CaptionFile,
    NotCaptionsError,
    caption_columns,
    is_photo_name,
    read_caption_table,
    read_plain,
    read_tokens,
    text_lines,
)
from projects.imagecaption.photo_names import PhotoNames
from shared.console import note
from shared.data.encodings import lines_of
from shared.data.images import NOT_READ, SUFFIXES, find_images
from shared.data.summary import named
from shared.data.tables import is_table, plain_name
from shared.names import shown

FLICKR8K = (
    "the official layout: Flicker8k_Dataset/ with the photos, Flickr8k.token.txt, Flickr_8k.trainImages.txt and so on "
    "(Flickr8k_Dataset.zip and Flickr8k_text.zip, for research, from "
    "https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k)"
)
ANY = "a table captions.csv with the columns image and caption (README, `Files that open`, lists more)"
WANTED = {
    "flickr8k": FLICKR8K,
    "coco": "COCO's captions_train2017.json, or Karpathy's dataset_coco.json",
    "folder": ANY,
}
KINDS = {"flickr8k": ("tokens", "table", "Karpathy"), "coco": ("COCO", "Karpathy")}
"""The kinds of caption files that a source reads; folder reads all."""
DOCUMENTED = ("captions.csv", "captions.tsv", "captions.txt")
ARCHIVES = {".zip", ".tar", ".tgz", ".7z", ".rar"}
Lists = dict[Path, tuple[str, list[str]]]
"""Lists of photos: the file -> its set, and the names."""


def find_caption_files(root: Path, names: PhotoNames, config: DataConfig) -> tuple[list[CaptionFile], Lists]:
    """The files of captions below a folder that are read, or the one file that is named, and the lists of the sets.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    others = _other_files(names.folder)
    lists = _part_lists(others, config)
    if root.is_file():
        return _of_source([read_captions(root, config)], root, config), lists
    texts, used = _texts_beside_photos(root, others, names, config)
    files = _caption_files(root, [path for path in others if path not in lists and path not in used], config)
    files = [*files, *texts] or _first_table([path for path in others if path not in used], config)
    return _choose(_of_source(files, root, config), names, root), lists


def read_captions(path: Path, config: DataConfig) -> CaptionFile:
    """The captions of one file. Raises NotCaptionsError, ValueError or FileNotFoundError with one sentence."""
    if path.suffix.lower() == ".json":
        return read_json(path, config)
    if path.suffix.lower() in {".zip", ".tar", ".tgz", ".gz", ".7z", ".rar"} and not is_table(path):
        raise NotCaptionsError(f"{path} is an archive; unpack it first")
    if path.suffix.lower() in {".txt", ".token", ".tsv", ""}:
        lines = text_lines(path, config)
        if lines and TOKEN_LINE.match(lines[0]):
            return read_tokens(path, lines)
        plain = [match for match in map(PLAIN_LINE.fullmatch, lines) if match and is_photo_name(match[1])]
        if plain and len(plain) == len(lines):
            return read_plain(path, plain)
        if path.suffix.lower() in {".token", ""}:
            raise NotCaptionsError(f"{path} has no lines such as `name.jpg#0<tab>caption`")
    return read_caption_table(path, config)


def looks_like_captions(path: Path, config: DataConfig) -> bool:
    """Whether the first lines of a text file may be captions, so that other files of a folder are not read as such."""
    if path.suffix.lower() not in {".txt", ".csv", ".tsv", ".token", ""}:
        return True
    head = path.open("rb").read(20_000)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for line in lines_of(head.decode(encoding, errors="replace"))[:30]:
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


def folder_of_photos(file: Path) -> Path:
    """The folder of a file of captions, or the one above where that is a folder of texts only."""
    beside = re.search("annotation|caption|text|token", file.parent.name, re.IGNORECASE)
    return file.parent.parent if beside and not find_images(file.parent) else file.parent


def _other_files(root: Path) -> list[Path]:
    """All files below a folder that are neither hidden nor photos, sorted."""
    found = []
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        found += [Path(place, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() not in SUFFIXES | NOT_READ)


def _part_lists(paths: Iterable[Path], config: DataConfig) -> Lists:
    """Lists such as Flickr_8k.trainImages.txt: file -> its set, and the names of the photos."""
    lists = {}
    for path in paths:
        match = PART_FILE.search(path.stem)
        if match and path.suffix.lower() in {".txt", ".lst"}:
            lines = [line.strip() for line in text_lines(path, config)]
            if lines and all(is_photo_name(line) or re.fullmatch(r"[\w.-]+", line) for line in lines):
                lists[path] = PARTS[match[1].lower()], lines
    return lists


def _texts_beside_photos(
    root: Path, paths: Iterable[Path], names: PhotoNames, config: DataConfig
) -> tuple[list[CaptionFile], set[Path]]:
    """`photo.txt` beside `photo.jpg`, one caption a line, and the files that have the name of a photo."""
    beside = [path for path in paths if path.suffix.lower() in TEXT_SUFFIXES | {".json", ".xml"}]
    of_photo = {path: photo for path in beside if path.name not in DOCUMENTED and (photo := names.of_text(path))}
    captions = {}
    for path, photo in of_photo.items():
        if path.suffix.lower() in TEXT_SUFFIXES:
            lines = text_lines(path, config)
            if any(character.isalpha() for line in lines for character in line):  # else the boxes of YOLO
                captions[os.path.relpath(photo, root).replace(os.sep, "/")] = lines
    return [CaptionFile(root, "text", captions)] if captions else [], set(of_photo)


def _caption_files(root: Path, paths: Sequence[Path], config: DataConfig) -> list[CaptionFile]:
    """The files below a folder that hold captions. Raises ValueError for damaged ones, and where there are none."""
    files, others = [], []
    for path in paths:
        documented = path.parent == root and path.name.lower() in DOCUMENTED
        if not documented and not ((is_table(path) or path.suffix == ".token") and looks_like_captions(path, config)):
            continue
        try:
            files.append(read_captions(path, config))
        except NotCaptionsError:
            if documented:
                raise
            others.append(path)
        except ValueError:
            json_of_coco = config.source == "coco" and path.suffix.lower() == ".json"
            if documented or json_of_coco or re.search("caption|dataset|metadata|annot", path.name):
                raise
            others.append(path)
    if others and files:
        note(f"not read, since they hold no captions: {named([os.path.relpath(path, root) for path in others])}")
    return files


def _first_table(paths: Sequence[Path], config: DataConfig) -> list[CaptionFile]:
    """The captions of the first table, whatever its columns are called; its sentence says what is missing."""
    tables = [path for path in paths if is_table(path) and not re.match("readme|licen", path.name, re.IGNORECASE)]
    return [read_captions(path, config) for path in sorted(tables, key=lambda path: path.suffix == ".txt")[:1]]


def _of_source(files: Sequence[CaptionFile], root: Path, config: DataConfig) -> list[CaptionFile]:
    """The files that the source reads. Raises ValueError that names the right source, or what is missing."""
    kinds = KINDS.get(config.source)
    kept = [file for file in files if kinds is None or file.kind in kinds]
    if config.source == "flickr8k":
        kept = [file for file in kept if file.kind == "tokens"] or kept
    if kept:
        if others := [_name(file, root) for file in files if file not in kept]:
            note(f"data.source {config.source} does not read {named(others)}")
        return kept
    wanted = WANTED[config.source]
    if files:
        right = "coco" if files[0].kind == "COCO" else "folder"
        raise ValueError(f"{root} holds captions of another kind ({_name(files[0], root)}): use --data.source {right}")
    archives = [path.name for path in sorted(root.iterdir()) if path.suffix.lower() in ARCHIVES]
    if archives:
        raise ValueError(f"{root} has no captions, but archives ({named(archives)}): unpack them there")
    raise FileNotFoundError(f"{root} has no captions; there must be {wanted}")


def _choose(files: Sequence[CaptionFile], names: PhotoNames, root: Path) -> list[CaptionFile]:
    """One file of captions for each photo: those of the documented name first, then by the number of photos found.

    Raises ValueError where two files have different captions of the same photos.
    """
    found = {id(file): photos_of(file, names) for file in files}

    def order(file: CaptionFile) -> tuple[bool, bool, bool, int, bool]:
        count, name = len(found[id(file)]), file.path.name.lower()
        documented = file.path.parent == root and name in DOCUMENTED
        return not count, not documented, "lemma" in name, -count, not file.parts

    chosen: list[CaptionFile] = []
    others: list[str] = []
    for file in sorted(files, key=order):
        photos = found[id(file)]
        earlier = [one for one in chosen if photos.keys() & found[id(one)].keys()]
        if not earlier and (photos or not chosen):
            chosen.append(file)
            continue
        if earlier and order(file) == order(earlier[0]) and file.captions != earlier[0].captions:
            two = f"{_name(earlier[0], root)} and {_name(file, root)}"
            path = next(one.path for one in (file, earlier[0]) if one.kind != "text")
            raise ValueError(f"{two} have captions of the same photos: name the right one, --data.root {path}")
        others.append(f"{_name(file, root)} ({len(photos)} of its {len(file.captions)} photos are here)")
    if others:
        used = ", ".join(f"{_name(file, root)} ({len(found[id(file)])} photos)" for file in chosen)
        note(f"captions are read from {used}, not from {', '.join(others)}; --data.root FILE names another file")
    return chosen


def photos_of(file: CaptionFile, names: PhotoNames) -> dict[Path, str]:
    """The photos of a file that are there: by their exact names, or where there are none by similar ones."""
    exact = {path: name for name in file.captions if (path := names.exact(name, file.folder))}
    return exact or {path: name for name in file.captions if (path := names.similar(name)[0])}


def _name(file: CaptionFile, root: Path) -> str:
    return file.name if file.path == root else shown(os.path.relpath(file.path, root))
