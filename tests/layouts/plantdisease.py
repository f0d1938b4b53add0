"""Leaf photos in folders and beside tables as people have them: real layouts, made-up content, a few photos each."""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np


@dataclass
class Expected:
    """What must be understood of a layout."""

    classes: dict[str, int]
    """Class -> number of photos that have it, before copies are left out."""
    sets: dict[str, int] = field(default_factory=dict)
    """Number of photos that folders or table put into each set."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Reason -> number."""
    root: str = "."
    """What `data.root` must name, below the folder."""
    source: str = "folder"


def photo(path: Path, side: int = 128) -> None:
    """Another picture for every path, one that is found again when it is changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(zlib.crc32(path.as_posix().encode()))
    coarse = generator.integers(0, 255, (16, 16, 3), np.uint8)
    encoded = cv2.imencode(path.suffix or ".jpg", cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))[1]
    path.write_bytes(encoded.tobytes())


def photos(folder: Path, *names: str) -> None:
    """A picture at each of these paths."""
    for name in names:
        photo(folder / name)


def numbered(folder: str, count: int = 4, name: str = "{}.jpg") -> list[str]:
    """`folder/0.jpg`, `folder/1.jpg`, ..."""
    return [f"{folder}/{name.format(n)}" for n in range(count)]


def text(path: Path, content: str) -> None:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def class_folders(root: Path) -> Expected:
    photos(root, *numbered("Oak___healthy"), *numbered("Oak___Rust"))
    return Expected({"Oak___Rust": 4, "Oak___healthy": 4})


def kaggle_new_plant_diseases(root: Path) -> Expected:
    inner = "New Plant Diseases Dataset(Augmented)/New Plant Diseases Dataset(Augmented)"
    for part in ("train", "valid"):
        photos(root, *numbered(f"{inner}/{part}/Apple___Apple_scab"), *numbered(f"{inner}/{part}/Apple___healthy"))
    photos(root, *numbered("test/test", 3, "AppleScab{}.JPG"))
    return Expected(
        {"Apple___Apple_scab": 8, "Apple___healthy": 8}, {"train": 8, "validation": 8}, {"photos in no class folder": 3}
    )


def rice_in_three_sets(root: Path) -> Expected:
    for part in ("Train", "Validation", "Test"):
        photos(root, *numbered(f"RiceLeafs/{part}/BrownSpot"), *numbered(f"RiceLeafs/{part}/Healthy"))
    return Expected({"BrownSpot": 12, "Healthy": 12}, {"train": 8, "validation": 8, "test": 8})


def crop_above_disease(root: Path) -> Expected:
    for path in ("Apple/Scab", "Apple/Healthy", "Corn/Rust", "Corn/Healthy"):
        photos(root, *numbered(f"data/{path}"))
    return Expected({f"{crop}___{disease}": 4 for crop, disease in
                     (("Apple", "Healthy"), ("Apple", "Scab"), ("Corn", "Healthy"), ("Corn", "Rust"))})  # fmt: skip


def crop_above_disease_in_sets(root: Path) -> Expected:
    for part in ("training", "testing"):
        for path in ("Apple/Scab", "Corn/Rust"):
            photos(root, *numbered(f"{part}/{path}"))
    return Expected({"Apple___Scab": 8, "Corn___Rust": 8}, {"train": 8, "test": 8})


def sets_below_classes(root: Path) -> Expected:
    for part in ("train", "val", "test"):
        photos(root, *numbered(f"leaves/healthy/{part}"), *numbered(f"leaves/mildew/{part}"))
    return Expected({"healthy": 12, "mildew": 12}, {"train": 8, "validation": 8, "test": 8})


def sets_with_prefix(root: Path) -> Expected:
    for part in ("train", "test"):
        photos(root, *numbered(f"grape_{part}/Esca"), *numbered(f"grape_{part}/healthy"))
    return Expected({"Esca": 8, "healthy": 8}, {"train": 8, "test": 8})


def wrapper_inside_itself(root: Path) -> Expected:
    for outer in ("PlantVillage", "PlantVillage/PlantVillage"):
        photos(root, *numbered(f"{outer}/Tomato_healthy"), *numbered(f"{outer}/Pepper__bell___Bacterial_spot"))
    return Expected({"Tomato_healthy": 8, "Pepper__bell___Bacterial_spot": 8})


def three_versions(root: Path) -> Expected:
    for version in ("color", "grayscale", "segmented"):
        photos(root, *numbered(f"plantvillage dataset/{version}/Apple___healthy"))
        photos(root, *numbered(f"plantvillage dataset/{version}/Corn_(maize)___healthy"))
    return Expected(
        {"Apple___healthy": 4, "Corn_(maize)___healthy": 4},
        left_out={"changed copies of photos (grey, segmented, masks)": 16},
    )


def photos_of_one_plant(root: Path) -> Expected:
    for plant in ("plant 1", "plant 2"):
        photos(root, *numbered(f"healthy/{plant}"), *numbered(f"rust/{plant}"))
    return Expected({"healthy": 8, "rust": 8})


def litter_of_computers(root: Path) -> Expected:
    class_folders(root)
    photos(root, "__MACOSX/Oak___Rust/._0.jpg", "__MACOSX/Oak___Rust/1.jpg", ".ipynb_checkpoints/2.jpg")
    photos(root, "Oak___Rust/.ipynb_checkpoints/0-checkpoint.jpg", "cover.png")
    text(root / "Thumbs.db", "x")
    (root / "Oak___Blight").mkdir()
    reasons = {"photos in no class folder": 1, "folders without photos": 1}
    return Expected({"Oak___Rust": 4, "Oak___healthy": 4}, left_out=reasons)


def one_class_in_two_spellings(root: Path) -> Expected:
    photos(root, *numbered("train/Late_blight"), *numbered("train/healthy"))
    photos(root, *numbered("test/late blight"), *numbered("test/Healthy"))
    return Expected({"Late_blight": 8, "healthy": 8}, {"train": 8, "test": 8})


def numbers_as_classes(root: Path) -> Expected:
    photos(root, *numbered("0"), *numbered("1"), *numbered("2"))
    return Expected({"0": 4, "1": 4, "2": 4})


def class_only_in_training(root: Path) -> Expected:
    photos(root, *numbered("TRAIN/Tomato leaf"), *numbered("TRAIN/Corn rust leaf"), *numbered("TRAIN/Rare leaf"))
    photos(root, *numbered("TEST/Tomato leaf"), *numbered("TEST/Corn rust leaf"))
    classes = {"Tomato leaf": 8, "Corn rust leaf": 8, "Rare leaf": 4}
    return Expected(classes, {"train": 12, "test": 8})


def labels_csv(root: Path) -> Expected:
    photos(root, *numbered("pictures", 8))
    rows = [f"{n}.jpg,{'rust' if n % 2 else 'healthy'}\n" for n in range(7)]
    text(root / "labels.csv", "image,label\n" + "".join(rows) + "99.jpg,rust\n")
    reasons = {"photos without a row in the table": 1, "rows whose photo is not there": 1}
    return Expected({"healthy": 4, "rust": 3}, left_out=reasons)


def table_alone(root: Path) -> Expected:
    expected = labels_csv(root)
    expected.root, expected.source = "labels.csv", "csv"
    return expected


def german_table(root: Path) -> Expected:
    photos(root, *numbered("Bilder", 8, "Blatt {}.jpg"))
    rows = [f"Bilder\\Blatt {n}.jpg;{'Mehltau' if n % 2 else 'gesund'};2024\n" for n in range(8)]
    text(root / "Übersicht.csv", "Datei;Krankheit;Jahr\n" + "".join(rows))
    return Expected({"Mehltau": 4, "gesund": 4})


def plant_pathology_2020(root: Path) -> Expected:
    photos(root, *numbered("images", 8, "Train_{}.jpg"), *numbered("images", 2, "Test_{}.jpg"))
    rows = [f"Train_{n}," + ",".join("1" if n % 4 == k else "0" for k in range(4)) + "\n" for n in range(8)]
    text(root / "train.csv", "image_id,healthy,multiple_diseases,rust,scab\n" + "".join(rows))
    text(root / "test.csv", "image_id\nTest_0\nTest_1\n")
    text(root / "sample_submission.csv", "image_id,healthy,multiple_diseases,rust,scab\nTest_0,0.2,0.3,0.2,0.3\n")
    reasons = {"photos without a row in the table": 2, "tables that do not say the classes": 1}
    return Expected(dict.fromkeys(("healthy", "multiple_diseases", "rust", "scab"), 2), {"train": 8}, reasons)


def cassava(root: Path) -> Expected:
    photos(root, *numbered("train_images", 8, "100{}.jpg"), *numbered("test_images", 1, "22{}.jpg"))
    text(root / "train.csv", "image_id,label\n" + "".join(f"100{n}.jpg,{n % 2 * 4}\n" for n in range(8)))
    names = {"0": "Bacterial Blight (CBB)", "1": "Brown Streak (CBSD)", "4": "Healthy"}
    text(root / "label_num_to_disease_map.json", json.dumps(names))
    reasons = {"photos without a row in the table": 1}
    return Expected({"Bacterial Blight (CBB)": 4, "Healthy": 4}, {"train": 8}, reasons)


def one_hot_table_in_every_set(root: Path) -> Expected:
    for part in ("train", "valid", "test"):
        photos(root, *numbered(part, 4))
        rows = "".join(f"{n}.jpg, {n % 2}, {1 - n % 2}\n" for n in range(4))
        text(root / part / "_classes.csv", "filename, healthy, scab\n" + rows)
    return Expected({"healthy": 6, "scab": 6}, {"train": 4, "validation": 4, "test": 4})


def table_with_sets_and_crops(root: Path) -> Expected:
    photos(root, *numbered("all", 8))
    crops, diseases, parts = (
        ["Apple"] * 4 + ["Corn"] * 4,
        ["healthy", "rust"] * 4,
        ["train", "train", "test", "test"] * 2,
    )
    rows = [
        {"file_name": f"all/{n}.jpg", "crop": crops[n], "disease": diseases[n], "split": parts[n]} for n in range(8)
    ]
    text(root / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    classes = {f"{crop}___{disease}": 2 for crop in ("Apple", "Corn") for disease in ("healthy", "rust")}
    return Expected(classes, {"train": 4, "test": 4})


def numbers_named_by_lines(root: Path) -> Expected:
    photos(root, *numbered("img", 6))
    text(root / "annotations.tsv", "path\ttarget\n" + "".join(f"/home/me/img/{n}.jpg\t{n % 3}\n" for n in range(6)))
    text(root / "classes.txt", "healthy\nrust\nscab\n")
    return Expected({"healthy": 2, "rust": 2, "scab": 2})


def rows_of_a_missing_folder(root: Path) -> Expected:
    """Photos of both folders have the same names; those of A were not downloaded."""
    photos(root, *numbered("B", 8))
    rows = [f"A/{n}.jpg,rust\n" for n in range(4)] + [f"B/{n}.jpg,{'healthy' if n % 2 else 'scab'}\n" for n in range(8)]
    text(root / "labels.csv", "image,label\n" + "".join(rows))
    return Expected({"healthy": 4, "scab": 4}, left_out={"rows whose photo is not there": 4})


def eight_beside_a_table(root: Path, header: str, row: Callable[[int], str]) -> None:
    photos(root, *numbered("img", 8))
    text(root / "labels.csv", header + "".join(f"{n}.jpg,{row(n)}\n" for n in range(8)))


def numbers_beside_a_status(root: Path) -> Expected:
    """The annotator's state is no class."""
    eight_beside_a_table(root, "image,label,status\n", lambda n: f"{n % 2},{'done' if n < 5 else 'checked'}")
    return Expected({"0": 4, "1": 4})


def one_hot_with_folds(root: Path) -> Expected:
    eight_beside_a_table(root, "image,healthy,rust,fold\n", lambda n: f"{n % 2},{1 - n % 2},{n // 4}")
    return Expected({"healthy": 4, "rust": 4})


def one_photo_in_two_spellings(root: Path) -> Expected:
    eight_beside_a_table(root, "image,label\n1.jpg,Rust\n", lambda n: "rust" if n % 2 else "healthy")
    return Expected({"healthy": 4, "rust": 4})


def boxes_of_detection(root: Path) -> Expected:
    photos(root, *numbered("leaves", 6))
    rows = [f"{n}.jpg,416,416,{'Apple rust leaf' if n % 2 else 'Apple leaf'},1,2,3,4\n" for n in range(6)]
    text(root / "train_labels.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n" + "".join(rows * 2)
         + "5.jpg,416,416,Apple leaf,1,2,3,4\n")  # fmt: skip
    reasons = {"photos that the table gives several classes": 1}
    return Expected({"Apple leaf": 3, "Apple rust leaf": 2}, {"train": 5}, reasons)


def coco_boxes_and_yolo_files(root: Path) -> Expected:
    photos(root, *numbered("images", 6))
    content = {
        "images": [{"id": n, "file_name": f"{n}.jpg"} for n in range(6)],
        "annotations": [{"id": n, "image_id": n % 6, "category_id": n % 2} for n in range(12)],
        "categories": [{"id": 0, "name": "rust"}, {"id": 1, "name": "scab"}],
    }
    text(root / "_annotations.coco.json", json.dumps(content))
    for n in range(6):
        text(root / "labels" / f"{n}.txt", "0 0.5 0.5 0.1 0.1")
    return Expected({"rust": 3, "scab": 3})


def list_without_header(root: Path) -> Expected:
    photos(root, *numbered("img", 8))
    text(root / "labels.txt", "".join(f"img/{n}.jpg,{'rust' if n % 2 else 'healthy'}\n" for n in range(8)))
    return Expected({"healthy": 4, "rust": 4})


def unlabelled_test_photos_in_the_wrapper(root: Path) -> Expected:
    photos(root, *numbered("paddy/train_images/blast"), *numbered("paddy/train_images/normal"))
    photos(root, *numbered("paddy/test_images", 3))
    return Expected({"blast": 4, "normal": 4}, {"train": 8}, {"photos in no class folder": 3})


def class_with_folders_below(root: Path) -> Expected:
    photos(root, *numbered("Oak", 6), *numbered("Oak/in rain", 2), *numbered("Elm", 4))
    return Expected({"Oak": 8, "Elm": 4})


def spanish_sets(root: Path) -> Expected:
    for part in ("Entrenamiento", "Validación", "Prueba"):
        photos(root, *numbered(f"{part}/roya"), *numbered(f"{part}/sana"))
    return Expected({"roya": 12, "sana": 12}, {"train": 8, "validation": 8, "test": 8})


def folders_and_a_coarse_table(root: Path) -> Expected:
    for name in ("rust", "scab", "healthy"):
        photos(root, *numbered(f"train_images/{name}", 4, name + "{}.jpg"))
    rows = [f"{name}{n}.jpg,{int(name == 'healthy')}\n" for name in ("rust", "scab", "healthy") for n in range(4)]
    text(root / "train.csv", "image_id,label\n" + "".join(rows))
    return Expected({"rust": 4, "scab": 4, "healthy": 4}, {"train": 12})


def folders_of_days_and_a_table(root: Path) -> Expected:
    photos(root, *numbered("Monday", 4, "a{}.jpg"), *numbered("Tuesday", 4, "b{}.jpg"))
    rows = [f"{day}{n}.jpg,{('rust', 'scab', 'healthy', 'rust')[n]}\n" for day in "ab" for n in range(4)]
    text(root / "labels.csv", "photo,diagnosis\n" + "".join(rows))
    return Expected({"rust": 4, "scab": 2, "healthy": 2})


LAYOUTS: list[Callable[[Path], Expected]] = [
    class_folders, kaggle_new_plant_diseases, rice_in_three_sets, crop_above_disease, crop_above_disease_in_sets,
    sets_below_classes, sets_with_prefix, wrapper_inside_itself, three_versions, photos_of_one_plant,
    litter_of_computers, one_class_in_two_spellings, numbers_as_classes, class_only_in_training, labels_csv,
    table_alone, german_table, plant_pathology_2020, cassava, one_hot_table_in_every_set, table_with_sets_and_crops,
    coco_boxes_and_yolo_files, list_without_header, unlabelled_test_photos_in_the_wrapper, class_with_folders_below,
    rows_of_a_missing_folder, numbers_beside_a_status, one_hot_with_folds, one_photo_in_two_spellings,
    spanish_sets, numbers_named_by_lines, boxes_of_detection, folders_and_a_coarse_table, folders_of_days_and_a_table,
]  # fmt: skip
