"""Photos with captions in the layouts that people have them in, written by code: four photos, two captions each."""

import gzip
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

NAMES = ("a1.jpg", "b2.jpg", "c3.jpg", "d4.jpg")
TEXTS = [
    ["A dog runs , fast .", "The dog 's ball is red"],
    ["Two men , one in red , sit", "a boat at sea ."],
    ["A man climbs .", "Someone on a rock , high up"],
    ["A girl swings", "a swing , and a girl on it ."],
]
PARTS = ["train", "train", "validation", "test"]
Layout = Callable[[Path], None]


def draw(root: Path, names: Sequence[str] = NAMES, first: int = 0) -> None:
    """Small photos, numbered from `first` by their grey: see `number_of`."""
    for number, name in enumerate(names, first):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((8, 12, 3), 20 + 30 * number, np.uint8)
        path.write_bytes(cv2.imencode(".png" if path.suffix == ".png" else ".jpg", image)[1].tobytes())


def number_of(photo: Path) -> int:
    """The number of a drawn photo."""
    return round((float(cv2.imread(str(photo)).mean()) - 20) / 30)


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def write_json(path: Path, value: Any) -> None:
    write(path, json.dumps(value, ensure_ascii=False))


def rows(line: str, names: Sequence[str] = NAMES, texts: Sequence[Sequence[str]] = TEXTS) -> str:
    """`line` for every caption, with {name}, {number}, {text} and {part}."""
    return "".join(
        line.format(name=name, number=number, text=text, part=part) + "\n"
        for name, several, part in zip(names, texts, PARTS)
        for number, text in enumerate(several)
    )


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def table(root: Path, text: str, name: str = "captions.csv", photos: Sequence[str] = NAMES) -> None:
    draw(root, photos)
    write(root / name, text)


# --- public sets


def flickr8k(root: Path) -> None:
    """Both archives, unpacked: with lemmatised captions and the judgements of experts."""
    draw(root / "Flicker8k_Dataset")
    folder = root / "Flickr8k_text"
    write(folder / "Flickr8k.token.txt", rows("{name}#{number}\t{text}"))
    write(folder / "Flickr8k.lemma.token.txt", rows("{name}#{number}\tlemma").replace("lemma", "A dog run"))
    write(folder / "ExpertAnnotations.txt", "a1.jpg\tb2.jpg#2\t1\t1\t1\n")
    write(folder / "CrowdFlowerAnnotations.txt", "a1.jpg\tb2.jpg#2\t1\t3\t0\n")
    write(
        folder / "readme.txt",
        "If you use this corpus, please cite: M. Hodosh, P. Young, J. Hockenmaier\n\nimage captions\n",
    )
    lists = {"train": NAMES[:2], "dev": NAMES[2:3], "test": NAMES[3:]}
    for part, names in lists.items():
        write(folder / f"Flickr_8k.{part}Images.txt", "\n".join(names) + "\n")


def flickr30k_results(root: Path) -> None:
    draw(root / "flickr30k_images")
    write(root / "results.csv", "image_name| comment_number| comment\n" + rows("{name}| {number}| {text}"))


def flickr30k_token(root: Path) -> None:
    draw(root / "flickr30k-images")
    write(root / "results_20130124.token", rows("{name}#{number}\t{text}"))


def flickr30k_annotations(root: Path) -> None:
    draw(root / "images")
    lines = [
        f'{quoted(json.dumps(several))},"[0, 1]",{part},{name},{number}'
        for number, (name, several, part) in enumerate(zip(NAMES, TEXTS, ("train", "train", "val", "test")))
    ]
    write(root / "flickr_annotations_30k.csv", "raw,sentids,split,filename,img_id\n" + "\n".join(lines))


def kaggle(root: Path) -> None:
    """Commas without quotes."""
    draw(root / "Images")
    write(root / "captions.txt", "image,caption\n" + rows("{name},{text}"))


def kaggle_30k(root: Path) -> None:
    table(root, "image_name,comment_number,comment\n" + rows("{name},{number},{text}"), "captions.txt")


def coco(root: Path) -> None:
    """COCO 2017 as unzipped, with object labels, key points and the test photos without captions."""
    numbers = range(10, 14)
    draw(root, [f"{'train' if n < 13 else 'val'}2017/{n:012}.jpg" for n in numbers])
    for part, chosen in (("train", numbers[:3]), ("val", numbers[3:])):
        images = [{"id": n, "file_name": f"{n:012}.jpg"} for n in chosen]
        captions = [{"image_id": n, "caption": text} for n in chosen for text in TEXTS[n - 10]]
        boxes = [{"image_id": n, "bbox": [1, 2, 3, 4], "segmentation": [], "category_id": 1} for n in chosen]
        folder = root / "annotations"
        write_json(folder / f"captions_{part}2017.json", {"images": images, "annotations": captions})
        write_json(folder / f"instances_{part}2017.json", {"images": images, "annotations": boxes, "categories": []})
        write_json(folder / f"person_keypoints_{part}2017.json", {"images": images, "annotations": boxes})
    write_json(root / "annotations" / "image_info_test2017.json", {"images": [{"id": 9, "file_name": "9.jpg"}]})


def karpathy(names: Sequence[str] = NAMES, **more: str) -> dict[str, Any]:
    parts = ("train", "restval", "val", "test")
    images = [
        {"filename": n, "split": p, "sentences": [{"raw": t, "tokens": t.split()} for t in several], **more}
        for n, several, p in zip(names, TEXTS, parts)
    ]
    return {"images": images, "dataset": "any"}


def karpathy_three(root: Path) -> None:
    """The sets of caption_datasets.zip; only the photos of one are there."""
    draw(root / "Images")
    write_json(root / "dataset_flickr8k.json", karpathy())
    write_json(root / "dataset_flickr30k.json", karpathy([f"9{name}" for name in NAMES]))
    coco_names = [f"COCO_val2014_{number:012}.jpg" for number in range(4)]
    write_json(root / "dataset_coco.json", karpathy(coco_names, filepath="val2014"))


def karpathy_on_coco_2017(root: Path) -> None:
    """Names of 2014, photos of 2017."""
    draw(root / "train2017", [f"{number:012}.jpg" for number in range(4)])
    names = [f"COCO_val2014_{number:012}.jpg" for number in range(4)]
    write_json(root / "dataset_coco.json", karpathy(names, filepath="val2014"))


def textcaps(root: Path) -> None:
    draw(root / "train_images")
    data = [
        {"image_id": name[:-4], "caption_str": several[0], "reference_strs": several, "set_name": part}
        for name, several, part in zip(NAMES, TEXTS, ("train", "train", "val", "test"))
    ]
    write_json(root / "TextCaps_0.1.json", {"dataset_type": "all", "dataset_version": "0.1", "data": data})


# --- tables


def semicolons(root: Path) -> None:
    table(root, "image;caption\n" + rows("{name};{text}"))


def no_header(root: Path) -> None:
    table(root, rows("{name},{text}"), "captions.txt")


def no_header_tabs(root: Path) -> None:
    table(root, rows("{name}\t{text}"), "captions.tsv")


def blanks(root: Path) -> None:
    table(root, rows("{name} {text}"), "captions.txt")


def unusual_column(root: Path) -> None:
    """The column of the photos is recognised by its cells."""
    table(root, "which one,caption\n" + rows("{name},{text}"))


def no_header_numbers(root: Path) -> None:
    table(root, rows("{name}#{number},{number},{text}"))


def several_columns(root: Path) -> None:
    lines = [",".join([name, *map(quoted, several), "x"]) for name, several in zip(NAMES, TEXTS)]
    table(root, "image,caption1,caption2,source\n" + "\n".join(lines))


def several_columns_of_one_name(root: Path) -> None:
    lines = ["\t".join([name, *several]) for name, several in zip(NAMES, TEXTS)]
    table(root, "File Name\tComment\tComment\n" + "\n".join(lines), "my table.tsv")


def numbered_columns(root: Path) -> None:
    lines = [",".join([name, *map(quoted, several)]) for name, several in zip(NAMES, TEXTS)]
    table(root, "image,caption,caption_2\n" + "\n".join(lines))


def lists_in_cells(root: Path) -> None:
    """As pandas writes lists, as JSON, and as NumPy writes arrays."""
    array = "[" + "\n ".join(map(repr, TEXTS[2])) + "]"
    cells = [str(TEXTS[0]), json.dumps(TEXTS[1]), array, str(tuple(TEXTS[3]))]
    table(root, "image,caption\n" + "\n".join(f"{name},{quoted(cell)}" for name, cell in zip(NAMES, cells)))


def marks_in_cells(root: Path) -> None:
    table(root, "image,caption\n" + "\n".join(f"{name},{quoted(' ||| '.join(t))}" for name, t in zip(NAMES, TEXTS)))


def merged_cells(root: Path) -> None:
    """Only the first row of each photo has its name."""
    lines = [
        f"{'' if number else name};{text}" for name, several in zip(NAMES, TEXTS) for number, text in enumerate(several)
    ]
    table(root, "Photo;Caption\n" + "\n".join(lines))


def captions_first(root: Path) -> None:
    table(root, "sentence,img\n" + "".join(f"{quoted(t)},{n}\n" for n, s in zip(NAMES, TEXTS) for t in s), "data.csv")


def compressed(root: Path) -> None:
    draw(root)
    text = "image,caption\n" + "".join(f"{n},{quoted(t)}\n" for n, several in zip(NAMES, TEXTS) for t in several)
    (root / "captions.csv.gz").write_bytes(gzip.compress(text.encode()))


def utf_16(root: Path) -> None:
    draw(root)
    write(root / "captions.tsv", "\ufeffimage\tcaption\r\n" + rows("{name}\t{text}").replace("\n", "\r\n"), "utf-16-le")


def train_and_test_tables(root: Path) -> None:
    draw(root / "images")
    for part, chosen in (("train", slice(0, 2)), ("val", slice(2, 3)), ("test", slice(3, 4))):
        write(root / f"{part}.csv", "image,caption\n" + rows("{name},{text}", NAMES[chosen], TEXTS[chosen]))


def metadata_csv(root: Path) -> None:
    table(root, "file_name,text\n" + rows("{name},{text}"), "metadata.csv")


def metadata_jsonl(root: Path) -> None:
    """The same names in every folder."""
    for part, chosen in (("train", slice(0, 2)), ("validation", slice(2, 3)), ("test", slice(3, 4))):
        count = len(NAMES[chosen])
        draw(root / part, [f"{number}.jpg" for number in range(count)], chosen.start)
        lines = [
            json.dumps({"file_name": f"{number}.jpg", "text": text})
            for number, several in enumerate(TEXTS[chosen])
            for text in several
        ]
        write(root / part / "metadata.jsonl", "\n".join(lines))


# --- JSON


def by_name(root: Path) -> None:
    draw(root)
    write_json(root / "captions.json", dict(zip(NAMES, TEXTS)))


def objects_by_name(root: Path) -> None:
    draw(root)
    parts = ("train", "train", "val", "test")
    value = {name: {"captions": several, "split": part} for name, several, part in zip(NAMES, TEXTS, parts)}
    write_json(root / "data.json", value)


def list_of_objects(root: Path) -> None:
    draw(root / "img")
    value = [{"image": f"img/{name}", "caption": several, "id": 3} for name, several in zip(NAMES, TEXTS)]
    write_json(root / "annotations.json", value)


def lists_by_set(root: Path) -> None:
    draw(root)
    parts = {"train": slice(0, 2), "val": slice(2, 3), "test": slice(3, 4)}
    value = {
        part: [{"filename": n, "caption": t} for n, several in zip(NAMES[s], TEXTS[s]) for t in several]
        for part, s in parts.items()
    }
    write_json(root / "all.json", value)


def json_lines_of_numbers(root: Path) -> None:
    """COCO's numbers instead of names."""
    draw(root, [f"{number:012}.jpg" for number in range(1, 5)])
    lines = [json.dumps({"image_id": n, "caption": t}) for n, several in enumerate(TEXTS, 1) for t in several]
    write(root / "captions.jsonl", "\n".join(lines))


def columns_as_objects(root: Path) -> None:
    """As pandas writes a frame."""
    draw(root)
    numbers = range(4)
    value = {"image": {n: NAMES[n] for n in numbers}, "caption": {n: TEXTS[n] for n in numbers}}
    write_json(root / "captions.json", value)


# --- texts beside the photos


def text_beside(root: Path) -> None:
    draw(root)
    for name, several in zip(NAMES, TEXTS):
        write(root / f"{name[:-4]}.txt", "\n".join(several) + "\n")
    write(root / "readme.txt", "made by hand\n")


def text_folder(root: Path) -> None:
    draw(root / "images")
    for name, several in zip(NAMES, TEXTS):
        write(root / "texts" / f"{name[:-4]}.txt", "\n".join(several))
        write(root / "images" / f"{name[:-4]}.json", '{"width": 12}')


# --- names that differ


def other_suffix(root: Path) -> None:
    table(root, "image,caption\n" + rows("{name},{text}"), photos=[name.replace(".jpg", ".jpeg") for name in NAMES])


def no_suffix(root: Path) -> None:
    table(root, "image,caption\n" + rows("{name},{text}", [name[:-4] for name in NAMES]))


def other_case(root: Path) -> None:
    table(root, "image,caption\n" + rows("{name},{text}"), photos=[name.upper() for name in NAMES])


def backslashes(root: Path) -> None:
    table(root, "image,caption\n" + rows("img\\{name},{text}"), photos=[f"img/{name}" for name in NAMES])


def other_machine(root: Path) -> None:
    photos = ["x/same.jpg", "y/same.jpg", *NAMES[2:]]
    names = [f"C:\\data\\{name}" for name in ("x\\same.jpg", "y\\same.jpg", *NAMES[2:])]
    table(root, "image,caption\n" + rows("{name},{text}", names), photos=photos)


def addresses(root: Path) -> None:
    table(root, "image,caption\n" + rows("https://example.org/my%20photos/{name}?size=l,{text}"))


def decomposed(root: Path) -> None:
    names = [f"é{name}" for name in NAMES]
    photos = [unicodedata.normalize("NFD", name) for name in names]
    table(root, "image,caption\n" + rows("{name},{text}", names), photos=photos)


def lost_zeros(root: Path) -> None:
    """Excel has made numbers of the names."""
    table(root, "image,caption\n" + rows("{name},{text}", ["1", "2", "3", "4"]), photos=[f"000{n}.png" for n in "1234"])
