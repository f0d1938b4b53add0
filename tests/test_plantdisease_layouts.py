"""Folders and tables of leaf photos as people have them: each is read right, or refused with what opens it."""

import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from projects.plantdisease.config import DataConfig
from projects.plantdisease.data import LeafData
from projects.plantdisease.layouts import part_of
from projects.plantdisease.sources import list_photos
from tests.conftest import CommandLine
from tests.layouts.plantdisease import LAYOUTS, class_folders, numbered, photos, rice_in_three_sets, text

TRAIN = "projects.plantdisease.train"


def folder_config(root: Path, **settings: object) -> DataConfig:
    return DataConfig.model_validate({"source": "folder", "root": root, "cache": root.parent / "cache", **settings})


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_each_layout_is_read_right(layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = layout(Path("mine"))
    root = Path("mine") / expected.root
    listed, found = list_photos(root, folder_config(root, source=expected.source))
    classes = sorted(found.classes)
    assert Counter(classes[photo.label] for photo in listed) == expected.classes
    assert Counter(photo.part for photo in listed if photo.part) == expected.sets
    assert {reason: len(names) for reason, names in found.left_out.items() if names} == expected.left_out


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_check_opens_each_layout_without_a_config(layout, tmp_path: Path, command: CommandLine) -> None:
    expected = layout(tmp_path / "mine")
    place = tmp_path / "mine" / expected.root
    few = min(expected.classes.values()) < 3 and not {"test", "validation"} & expected.sets.keys()
    answer = command(TRAIN, "--data.source", expected.source, "--data.root", place, "--check")
    assert answer.returncode == (2 if few else 0), answer.stderr
    if few:
        assert "fewer than 3 photos of class" in answer.stderr
    else:
        assert all(f"{name} {count}" in answer.stdout for name, count in expected.classes.items())


# --- sets


def test_given_sets_are_the_split_and_missing_ones_come_from_training(tmp_path: Path) -> None:
    rice_in_three_sets(tmp_path / "rice")
    data = LeafData(folder_config(tmp_path / "rice"), 40)
    assert data.split_name == "given"
    assert Counter(data.parts) == {"train": 8, "validation": 8, "test": 8}
    assert all(photo.path.parts[-3].casefold() == part for photo, part in zip(data.photos, data.parts))

    for name in ("BrownSpot", "Healthy"):
        photos(tmp_path / "two", *numbered(f"train/{name}", 20), *numbered(f"val/{name}", 4))
    data = LeafData(folder_config(tmp_path / "two"), 40)
    assert Counter(data.parts) == {"train": 34, "validation": 8, "test": 6}
    assert {photo.path.parts[-3] for photo, part in zip(data.photos, data.parts) if part == "test"} == {"train"}

    pooled = LeafData(folder_config(tmp_path / "two", split="leaf"), 40)
    assert pooled.split_name == "look-alikes"
    assert {photo.path.parts[-3] for photo, part in zip(pooled.photos, pooled.parts) if part == "train"} == {
        "train",
        "val",
    }


def test_a_class_may_be_absent_from_a_given_test_set_but_not_from_training(tmp_path: Path) -> None:
    photos(tmp_path / "mine", *numbered("train/a"), *numbered("train/b"), *numbered("test/a"))
    assert LeafData(folder_config(tmp_path / "mine"), 40).classes == ["a", "b"]
    photos(tmp_path / "mine", *numbered("test/c"))
    with pytest.raises(ValueError, match=r"split given leaves no train photo of class c; .*--data.split random"):
        LeafData(folder_config(tmp_path / "mine"), 40)


def test_a_split_that_is_not_given_is_one_sentence(tmp_path: Path) -> None:
    class_folders(tmp_path / "mine")
    with pytest.raises(ValueError, match="is not divided into train and validation or test"):
        LeafData(folder_config(tmp_path / "mine", split="given"), 40)


def test_auto_falls_back_to_leaf_where_a_session_split_is_impossible(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):  # fewer than 20 photos of a source are for training only
        photos(tmp_path / "mine", *(f"{name}/u___RS_{name} {5 * n}.JPG" for n in range(12)))
    assert LeafData(folder_config(tmp_path / "mine"), 40).split_name == "leaf"
    assert "split session leaves no validation photo of class a: split leaf" in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"split session leaves no .*--data.split leaf"):
        LeafData(folder_config(tmp_path / "mine", split="session"), 40)


@pytest.mark.parametrize(("folder", "part", "rest"), [
    ("Train", "train", ""), ("Training Set", "train", ""), ("validation_images", "validation", ""),
    ("TestData", "test", ""), ("rice-test", "test", "rice"), ("train2017", "train", ""),
    ("Trained vines", None, "trained vines"), ("Contest", None, "contest"), ("train_test", None, ""),
])  # fmt: skip
def test_the_set_of_a_folder_is_read_from_its_name(folder: str, part: str | None, rest: str) -> None:
    assert part_of(folder) == (part, rest)


# --- copies


def changed(source: Path, target: Path, turns: int = 1, mirrored: bool = True) -> None:
    """A copy of a photo, turned by quarters, mirrored, and encoded anew."""
    image = np.rot90(np.asarray(cv2.imread(str(source))), turns)
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), image[:, ::-1].copy() if mirrored else image.copy(), [cv2.IMWRITE_JPEG_QUALITY, 70])


@pytest.mark.parametrize("split", ["leaf", "random"])
def test_copies_stay_in_one_set(tmp_path: Path, split: str) -> None:
    for name in ("a", "b"):
        paths = numbered(f"{name}", 20)
        photos(tmp_path / "mine", *paths)
        for n, path in enumerate(paths):
            changed(tmp_path / "mine" / path, tmp_path / "mine" / name / f"turned{n}.jpg", n % 4, n % 2 == 0)
    data = LeafData(folder_config(tmp_path / "mine", split=split), 40)
    parts = {photo.path.as_posix(): part for photo, part in zip(data.photos, data.parts)}
    assert set(parts.values()) == {"train", "validation", "test"}
    for path, part in parts.items():
        assert path.replace("turned", "") in parts and parts[path.replace("turned", "")] == part
    assert "40 (0 exact, 40 re-encoded, resized, turned or mirrored), 0 photos of them" in data.summary().details()


def test_copies_across_given_sets_are_left_out_of_training_and_listed(tmp_path: Path) -> None:
    root = tmp_path / "rice"
    rice_in_three_sets(root)
    inner = root / "RiceLeafs"
    changed(inner / "Test/Healthy/0.jpg", inner / "Train/Healthy/again.jpg")
    (inner / "Train/Healthy/same.jpg").write_bytes((inner / "Validation/Healthy/1.jpg").read_bytes())
    (inner / "Train/Healthy/twice.jpg").write_bytes((inner / "Train/Healthy/2.jpg").read_bytes())
    data = LeafData(folder_config(root), 40)
    assert Counter(data.parts) == {"train": 9, "validation": 8, "test": 8, "unused": 2}
    summary = data.summary()
    assert summary.left_out["copies of photos in another set"] == ["again.jpg", "same.jpg"]
    assert summary.facts["copies"].startswith("3 (2 exact, 1 re-encoded")
    (table,) = (tmp_path / "cache").glob("copies-*.csv")
    assert len(table.read_text().splitlines()) == 1 + 6


def test_a_photo_in_two_classes_is_left_out_of_every_set(tmp_path: Path) -> None:
    class_folders(tmp_path / "mine")
    changed(tmp_path / "mine/Oak___Rust/1.jpg", tmp_path / "mine/Oak___healthy/9.jpg", mirrored=False)
    data = LeafData(folder_config(tmp_path / "mine"), 40)
    out = {photo.path.name for photo, part in zip(data.photos, data.parts) if part == "unused"}
    assert out == {"1.jpg", "9.jpg"}
    assert data.summary().left_out["photos that are in two classes"] == ["1.jpg", "9.jpg"]


# --- names of classes


def test_classes_can_be_named_anew_and_left_out(tmp_path: Path) -> None:
    photos(tmp_path / "mine", *numbered("Tomato leaf late blight"), *numbered("Tomato leaf"), *numbered("Soil"))
    names = {"tomato leaf late-blight": "Tomato___Late_blight", "Tomato leaf": "Tomato___healthy", "Soil": None}
    config = folder_config(tmp_path / "mine", names=names)
    listed, found = list_photos(tmp_path / "mine", config)
    assert found.classes == {"Tomato___Late_blight", "Tomato___healthy"}
    assert len(found.left_out["photos of class Soil"]) == 4
    known = ["Apple___scab", "Tomato___Late_blight", "Tomato___healthy"]
    listed, _ = list_photos(tmp_path / "mine", config, known)
    assert Counter(known[photo.label] for photo in listed) == {"Tomato___Late_blight": 4, "Tomato___healthy": 4}


def test_what_a_refused_class_proposes_opens_the_data(tmp_path: Path) -> None:
    photos(tmp_path / "mine", *numbered("Tomato leaf late blight"), *numbered("tomato healthy"), *numbered("Soil"))
    known = ["Tomato___Late_blight", "Tomato___healthy"]
    with pytest.raises(ValueError, match="does not know: Soil, Tomato leaf late blight; ") as refused:
        list_photos(tmp_path / "mine", folder_config(tmp_path / "mine"), known)
    proposed = str(refused.value).split("--data.names '")[1].split("'")[0]
    assert proposed == '{"Soil": null, "Tomato leaf late blight": "Tomato___Late_blight"}'
    listed, _ = list_photos(tmp_path / "mine", folder_config(tmp_path / "mine", names=json.loads(proposed)), known)
    assert Counter(known[photo.label] for photo in listed) == {"Tomato___Late_blight": 4, "Tomato___healthy": 4}


# --- what is refused


def flat(root: Path) -> str:
    photos(root, *numbered("leaves"))
    return r"only one class, leaves; .* or a labels.csv"


def flat_without_folder(root: Path) -> str:
    photos(root, "1.jpg", "2.jpg")
    return "holds 2 photos, but neither class folders nor a table of labels; put"


def archive(root: Path) -> str:
    text(root / "leaves.zip", "x")
    return r"there are no photos in .*leaves.zip is an archive; unpack it with: python -m zipfile -e"


def only_parquet(root: Path) -> str:
    text(root / "data" / "train-0.parquet", "x")
    return r"there are no photos in .*1 \.parquet.*; save the photos in them"


def table_of_other_photos(root: Path) -> str:
    photos(root, *numbered("leaves"))
    text(root / "labels.csv", "image,label\nx.jpg,rust\ny.jpg,scab\n")
    return r"no column holds the names of photos .*x.jpg is not there.*--data.image_column"


def table_without_classes(root: Path) -> str:
    photos(root, *numbered("leaves"))
    text(root / "t.csv", "image,width,height\n" + "".join(f"{n}.jpg,3,4\n" for n in range(4)))
    return r"has no column of classes that I know; its columns are width, height \(--data.label_column"


def two_photos_of_a_class(root: Path) -> str:
    photos(root, *numbered("rust"), *numbered("rare", 2))
    return "fewer than 3 photos of class rare, .*--data.names '{\"rare\": null}'"


def one_folder_twice(root: Path) -> str:
    photos(root, *numbered("rust"), *numbered("healthy"))
    shutil.copytree(root / "rust", root / "rust - Copy")
    return 'all photos of class rust are in class rust - Copy as well; .*--data.names \'{"rust": "rust - Copy"}\''


REFUSED = [
    one_folder_twice,
    flat,
    flat_without_folder,
    archive,
    only_parquet,
    table_of_other_photos,
    table_without_classes,
    two_photos_of_a_class,
]


@pytest.mark.parametrize("layout", REFUSED, ids=lambda layout: layout.__name__)
def test_what_cannot_be_opened_is_one_sentence_that_says_what_to_do(layout, tmp_path: Path) -> None:
    reason = layout(tmp_path / "mine")
    with pytest.raises(ValueError, match=reason) as refused:
        LeafData(folder_config(tmp_path / "mine"), 40)
    assert "\n" not in str(refused.value)


def test_named_columns_open_a_table_of_other_names(tmp_path: Path) -> None:
    photos(tmp_path / "mine", *numbered("leaves", 8))
    text(tmp_path / "mine" / "t.csv", "a,b,c\n" + "".join(f"{n}.jpg,{n},{'xy'[n % 2]}\n" for n in range(8)))
    config = folder_config(tmp_path / "mine", label_column="c", image_column="a")
    assert list_photos(tmp_path / "mine", config)[1].classes == {"x", "y"}


def test_five_photos_of_a_class_are_trained_on_but_not_believed(tmp_path: Path, command: CommandLine) -> None:
    for name in ("healthy", "rust"):
        photos(tmp_path / "mine", *numbered(name, 5))
    smoke = Path(__file__).parent.parent / "configs/plantdisease/smoke.yaml"
    answer = command(TRAIN, "--config", smoke, "--data.source", "folder", "--data.root", "mine", "--training.epochs", 1)
    assert answer.returncode == 0, answer.stderr
    assert (
        "fewer than 10 validation photos of 2 of the classes (healthy 1, rust 1): too few to believe" in answer.stdout
    )
    assert "too few validation photos to believe what is said about them: healthy 1, rust 1" in answer.stdout

    told = command("projects.plantdisease.predict", "mine/rust/0.jpg", "--json", "answer.json")
    assert "(too few photos to believe: 1 in validation)" in told.stdout
    assert json.loads((tmp_path / "answer.json").read_text())[0]["too_few"] == {"healthy": 1, "rust": 1}

    photos(tmp_path / "other", *numbered("Healthy leaf", 3), *numbered("Soil", 2))
    other = ["--data.source", "folder", "--data.root", "other", "--json", "numbers.json"]
    evaluate = "projects.plantdisease.evaluate"
    assert '--data.names \'{"Healthy leaf": "healthy", "Soil": null}\'' in command(evaluate, *other).stderr
    names = '{"Healthy leaf": "healthy", "Soil": null}'
    answer = command(evaluate, *other, "--data.names", names)
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tmp_path / "numbers.json").read_text())["data"]["n"] == 3
