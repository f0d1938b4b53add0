"""Sources of photos with captions (the sample, public data sets, your own folder) -> one list of photos.

Mismatches (a photo without captions, a caption without its photo, an empty caption) are left out, counted and named.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from projects.imagecaption.config import DataConfig
from projects.imagecaption.sample import draw_sample
from projects.imagecaption.vocabulary import tokenize
from shared.data import splits
from shared.data.images import find_images, readable_photos
from shared.data.tables import find_column, read_table
from shared.files import read_json
from shared.names import shown

FLICKR8K = (
    "the official layout: Flicker8k_Dataset/ with the photos, Flickr8k.token.txt, Flickr_8k.trainImages.txt and so on "
    "(Flickr8k_Dataset.zip and Flickr8k_text.zip, for research, from "
    "https://github.com/jbrownlee/Datasets/releases/tag/Flickr8k)"
)
PARTS = {"train": splits.TRAIN, "dev": splits.VALIDATION, "val": splits.VALIDATION, "validation": splits.VALIDATION,
         "valid": splits.VALIDATION, "restval": splits.TRAIN, "test": splits.TEST}  # fmt: skip
IMAGE_COLUMNS = ("image", "file", "filename", "file_name", "image_name", "path", "photo")
CAPTION_COLUMNS = ("caption", "captions", "comment", "text", "sentence", "description", "raw")


@dataclass
class Photo:
    """A photo and its captions."""

    path: Path
    captions: list[str]
    part: str | None = None
    """`train`, `validation` or `test`, where the source has lists."""


@dataclass
class Collection:
    """The photos of a source, in the order of their paths."""

    photos: list[Photo]
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Reason -> names of what was left out."""

    def problems(self) -> str:
        """`2 photos without captions (a.jpg, b.jpg), 1 empty caption (c.jpg)`"""
        return ", ".join(
            f"{len(names)} {reason} ({', '.join(map(shown, names[:3]))}{', ...' if len(names) > 3 else ''})"
            for reason, names in self.left_out.items()
            if names
        )


def load_photos(config: DataConfig) -> Collection:
    """All photos with captions of a source, without those that cannot be read where `damaged` is leave-out.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    collection = _read(config)
    photos = collection.photos
    readable = readable_photos([photo.path for photo in photos], config.damaged, config.cache)
    if names := [photo.path.name for photo, kept in zip(photos, readable) if not kept]:
        collection.left_out["photos that cannot be read"] = names
    collection.photos = [photo for photo, kept in zip(photos, readable) if kept]
    return collection


def _read(config: DataConfig) -> Collection:
    if config.source == "sample":
        return read_folder(draw_sample(config.root or Path("data"), config.sample_size, config.seed))
    assert config.root is not None  # DataConfig requires it
    if not config.root.exists():
        wanted = f"; there must be {FLICKR8K}" if config.source == "flickr8k" else ""
        raise FileNotFoundError(f"data.root: there is no folder {config.root}{wanted}")
    read = {"flickr8k": read_flickr8k, "coco": read_coco, "folder": read_folder}[config.source]
    return read(config.root)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a folder for `--data.root`, and one photo for `predict`."""
    root = draw_sample(folder, config.sample_size, config.seed)
    return root, find_images(root)[0]


def read_flickr8k(root: Path) -> Collection:
    """`name.jpg#0<tab>caption` lines, a folder of photos, and lists of names for train, dev and test."""
    token_file = next(iter(sorted(root.rglob("*.token.txt"))), None)
    if token_file is None:
        raise FileNotFoundError(f"{root} has no file Flickr8k.token.txt; there must be {FLICKR8K}")
    captions: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(_lines(token_file), 1):
        name, tab, caption = line.partition("\t")
        if not tab:
            raise ValueError(f"{token_file}, line {number}, is not `name.jpg#0<tab>caption`: {line[:60]!r}")
        captions[name.rpartition("#")[0] or name].append(caption)
    parts: dict[str, str] = {}
    for path in sorted(root.rglob("*mages.txt")):
        if match := re.search(r"(train|dev|val|test)Images\.txt$", path.name):
            parts |= dict.fromkeys((name.strip() for name in _lines(path)), PARTS[match[1]])
    return _join(captions, _by_name(root), parts)


def read_coco(root: Path) -> Collection:
    """COCO's caption JSON (images, annotations), one file or one per set, or Karpathy's (images with sentences).

    root: a folder with the JSON files and the photos anywhere below it, or one JSON file; then the photos lie below its
    folder, or next to its folder `annotations`.
    """
    files = [root] if root.is_file() else sorted(root.rglob("*.json"))
    captions: dict[str, list[str]] = defaultdict(list)
    parts: dict[str, str] = {}
    for path in files:
        try:
            content = read_json(path)
        except ValueError as error:
            raise ValueError(f"{path} is not readable as JSON: {error}") from None
        if not isinstance(content, dict) or "images" not in content:
            continue
        try:
            images = list(_coco_images(content, path))
        except (KeyError, TypeError, AttributeError):
            raise ValueError(f"{path} is neither in COCO's format nor in Karpathy's") from None
        for name, several, part in images:
            captions[name] += several
            if part:
                parts[name] = part
    if not captions:
        raise ValueError(f"{root} has no captions in COCO's format: a .json file with `images` and `annotations`")
    folder = root if root.is_dir() else root.parent.parent if root.parent.name == "annotations" else root.parent
    return _join(captions, _by_name(folder), parts)


def _coco_images(content: dict[str, Any], path: Path) -> Iterable[tuple[str, list[str], str | None]]:
    """File name, captions and set of every image of a JSON file."""
    match = re.search(r"(train|val|test)", path.name)
    of_image: dict[Any, list[str]] = defaultdict(list)
    for annotation in content.get("annotations", []):
        if not isinstance(annotation, dict) or not {"caption", "image_id"} <= set(annotation):
            raise ValueError(
                f"{path} has no captions (it may be the file of object labels); remove it or name the right one"
            )
        of_image[annotation["image_id"]].append(str(annotation["caption"]))
    for image in content["images"]:
        name = isinstance(image, dict) and (image.get("file_name") or image.get("filename"))
        if not name:
            raise ValueError(f"{path} has an image without `file_name`")
        name = str(PurePosixPath(image.get("filepath", "")) / name)
        sentences = [s["raw"] if "raw" in s else " ".join(s["tokens"]) for s in image.get("sentences", [])]
        several = [str(sentence) for sentence in sentences] or of_image.pop(image.get("id"), [])
        yield name, several, PARTS.get(image.get("split") or (match[1] if match else ""))
    for number, several in of_image.items():
        yield f"image {number}", several, None


def read_folder(root: Path) -> Collection:
    """captions.csv (or .tsv, .txt) with the columns image and caption, one row per caption, and optionally split."""
    files = [root] if root.is_file() else [p for n in ("csv", "tsv", "txt") if (p := root / f"captions.{n}").is_file()]
    if not files:
        raise FileNotFoundError(f"{root} has no file captions.csv with the columns image and caption")
    path = files[0]
    frame = read_table(path)
    image = find_column(frame, None, None, IMAGE_COLUMNS, path)
    caption = find_column(frame, None, None, CAPTION_COLUMNS, path)
    split = find_column(frame, None, None, ("split", "part"), path, needed=False)
    captions: dict[str, list[str]] = defaultdict(list)
    parts: dict[str, str] = {}
    for row in frame.fillna("").astype(str).to_dict("records"):
        captions[row[image]].append(row[caption])
        if split and (named := row[split].strip().lower()):
            if named not in PARTS:
                raise ValueError(f"{path}: the column {split} has {named}; allowed are {', '.join(PARTS)}")
            parts[row[image]] = PARTS[named]
    return _join(captions, _by_name(path.parent), parts)


def _by_name(folder: Path) -> dict[str, Path]:
    """Every photo below a folder by its relative path, and by its file name where that is unique."""
    photos = find_images(folder)
    count = Counter(path.name for path in photos)
    bare = {path.name: path for path in photos if count[path.name] == 1}
    return bare | {path.relative_to(folder).as_posix(): path for path in photos}


def _join(captions: dict[str, list[str]], found: dict[str, Path], parts: dict[str, str]) -> Collection:
    """Photos with their captions. captions, parts: by name. found: the path of every name.

    Raises ValueError if a photo is in two sets under two names.
    """
    left_out: dict[str, list[str]] = defaultdict(list)
    photos: dict[Path, Photo] = {}
    exact = {found[name] for name in captions if name in found}
    for name, several in sorted(captions.items()):
        path = found.get(name) or found.get(PurePosixPath(name).name)
        if path is None or (name not in found and path in exact):
            left_out["captioned photos that are missing"].append(name)
            continue
        kept = [caption.strip() for caption in several if tokenize(caption)]
        left_out["empty captions"] += [name] * (len(several) - len(kept))
        if not kept:
            continue
        other = photos.setdefault(path, Photo(path, kept, parts.get(name)))
        if other.part != parts.get(name):
            raise ValueError(f"{path.name} is listed in two sets, {other.part} and {parts.get(name)}; keep one of them")
        other.captions += [caption for caption in kept if caption not in other.captions]
    for path in sorted(set(found.values()) - set(photos)):
        left_out["photos without captions"].append(path.name)
    left_out["listed photos without captions"] = sorted(set(parts) - set(captions))
    if not photos:
        raise ValueError(f"no photo has a caption: {Collection([], left_out).problems() or 'there are none'}")
    return Collection(list(photos.values()), {reason: names for reason, names in left_out.items() if names})


def _lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file that are not blank."""
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None
