"""Every layout of photos with captions that the README names opens, and what does not is one sentence."""

from pathlib import Path

import pytest

from projects.imagecaption.config import Config, DataConfig, ModelConfig
from projects.imagecaption.data import check
from projects.imagecaption.sources import Collection, load_photos
from tests.layouts import imagecaption as layouts
from tests.layouts.imagecaption import NAMES, PARTS, TEXTS, draw, number_of, rows, table, write, write_json

NONE = [None] * 4


def read(root: Path, tmp_path: Path, **settings: object) -> Collection:
    return load_photos(DataConfig(**{"source": "folder", "root": root, "cache": tmp_path / "cache", **settings}))


@pytest.mark.parametrize(
    ("layout", "parts", "said"),
    [
        (layouts.flickr8k, PARTS, "not from Flickr8k_text/Flickr8k.lemma.token.txt"),
        (layouts.flickr30k_results, NONE, "vertical bars"),
        (layouts.flickr30k_token, NONE, ""),
        (layouts.flickr30k_annotations, PARTS, ""),
        (layouts.kaggle, NONE, "commas without quotes"),
        (layouts.kaggle_30k, NONE, "commas without quotes"),
        (layouts.coco, ["train", "train", "train", "validation"], "they hold no captions: annotations/image_info"),
        (layouts.karpathy_three, PARTS, "read from dataset_flickr8k.json (4 photos), not from"),
        (layouts.karpathy_on_coco_2017, PARTS, "4 photos are named differently"),
        (layouts.textcaps, PARTS, "4 photos are named without a suffix"),
        (layouts.semicolons, NONE, "semicolons"),
        (layouts.no_header, NONE, "no header"),
        (layouts.no_header_tabs, NONE, "no header"),
        (layouts.no_header_numbers, NONE, "no header"),
        (layouts.several_columns, NONE, ""),
        (layouts.several_columns_of_one_name, NONE, ""),
        (layouts.numbered_columns, NONE, ""),
        (layouts.lists_in_cells, NONE, ""),
        (layouts.marks_in_cells, NONE, "4 rows have several captions in a cell"),
        (layouts.merged_cells, NONE, "4 rows without the name of a photo belong to the photo above"),
        (layouts.blanks, NONE, ""),
        (layouts.unusual_column, NONE, "the names of the photos are in the column which one"),
        (layouts.captions_first, NONE, ""),
        (layouts.compressed, NONE, ""),
        (layouts.utf_16, NONE, ""),
        (layouts.train_and_test_tables, PARTS, ""),
        (layouts.metadata_csv, NONE, ""),
        (layouts.metadata_jsonl, PARTS, "divided by the folders test, train, validation"),
        (layouts.by_name, NONE, ""),
        (layouts.objects_by_name, PARTS, ""),
        (layouts.list_of_objects, NONE, ""),
        (layouts.lists_by_set, PARTS, ""),
        (layouts.json_lines_of_numbers, NONE, "4 photos are named differently"),
        (layouts.columns_as_objects, NONE, ""),
        (layouts.text_beside, NONE, ""),
        (layouts.text_folder, NONE, ""),
        (layouts.other_suffix, NONE, "4 photos are named with another suffix in the captions (a1.jpg is a1.jpeg)"),
        (layouts.no_suffix, NONE, "4 photos are named without a suffix"),
        (layouts.other_case, NONE, "4 photos are named in another case"),
        (layouts.backslashes, NONE, "4 photos are named with backslashes"),
        (layouts.other_machine, NONE, "4 photos are named with backslashes"),
        (layouts.addresses, NONE, "4 photos are named in another folder"),
        (layouts.decomposed, NONE, ""),
        (layouts.lost_zeros, NONE, ""),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_layout_is_read_right(
    layout: layouts.Layout, parts: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    layout(root)
    collection = read(root, tmp_path)
    photos = sorted(collection.photos, key=lambda photo: number_of(photo.path))
    assert [number_of(photo.path) for photo in photos] == [0, 1, 2, 3]
    assert [photo.captions for photo in photos] == [[text.strip() for text in several] for several in TEXTS]
    assert [photo.part for photo in photos] == parts
    assert not collection.left_out
    assert said in capsys.readouterr().err


def test_the_official_sources_read_their_own_layouts(tmp_path: Path) -> None:
    layouts.flickr8k(tmp_path / "flickr8k")
    layouts.coco(tmp_path / "coco")
    layouts.kaggle(tmp_path / "kaggle")
    for source in ("flickr8k", "coco"):
        collection = read(tmp_path / source, tmp_path, source=source)
        assert [photo.captions for photo in collection.photos] == TEXTS
    assert len(read(tmp_path / "kaggle", tmp_path, source="flickr8k").photos) == 4


def test_one_file_of_captions_can_be_named(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    path = tmp_path / "annotations" / "captions_val2017.json"
    assert [photo.path.name for photo in read(path, tmp_path).photos] == ["000000000013.jpg"]
    layouts.flickr8k(tmp_path / "f")
    lemmas = read(tmp_path / "f" / "Flickr8k_text" / "Flickr8k.lemma.token.txt", tmp_path)
    assert lemmas.photos[0].captions == ["A dog run"] * 2
    assert [photo.part for photo in lemmas.photos] == PARTS


def test_columns_can_be_named_and_a_header_denied(tmp_path: Path) -> None:
    table(tmp_path, "which,en,de\n" + rows("{name},words,Wörter"), "x.csv")
    (photo, *_) = read(tmp_path, tmp_path, image_column="which", caption_column="de").photos
    assert photo.captions == ["Wörter"] * 2
    table(tmp_path / "h", rows("{name};{text}"))
    assert [photo.captions for photo in read(tmp_path / "h", tmp_path, header="none").photos] == [
        [text.strip() for text in several] for several in TEXTS
    ]


def test_texts_beside_the_photos_give_way_to_a_named_file(tmp_path: Path) -> None:
    layouts.text_beside(tmp_path)
    write(tmp_path / "metadata.csv", "file_name,text\n" + rows("{name},other"))
    with pytest.raises(
        ValueError, match=r"beside the photos have captions of the same photos: .*root .*metadata\.csv$"
    ):
        read(tmp_path, tmp_path)
    assert read(tmp_path / "metadata.csv", tmp_path).photos[0].captions == ["other"] * 2


def test_photos_elsewhere_are_found_by_their_paths(tmp_path: Path) -> None:
    draw(tmp_path / "photos")
    names = [str(tmp_path / "photos" / NAMES[0]), f"../photos/{NAMES[1]}"]
    write(tmp_path / "texts" / "captions.csv", "image,caption\n" + rows("{name},{text}", names))
    assert len(read(tmp_path / "texts", tmp_path).photos) == 2


def test_names_that_fit_no_photo_or_several_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a1.jpg", "A1.JPG", "x/c3.jpg", "y/c3.jpg"]
    table(tmp_path, "image,caption\n" + rows("{name},{text}", names) + ",nothing\n", photos=["a1.jpg", "z/c3.png"])
    collection = read(tmp_path, tmp_path)
    assert [photo.captions for photo in collection.photos] == TEXTS[:1]
    assert collection.left_out == {
        "captioned photos that are missing": ["A1.JPG"],
        "captioned photos whose names fit one photo": ["x/c3.jpg", "y/c3.jpg"],
        "captions without the name of a photo": ["nothing"],
        "photos without captions": ["c3.png"],
    }


def labels(root: Path) -> None:
    draw(root)
    boxes = [{"image_id": 1, "segmentation": [], "bbox": [1, 2, 3, 4]}]
    write_json(root / "instances_val2017.json", {"images": [{"id": 1, "file_name": "a1.jpg"}], "annotations": boxes})


def two_languages(root: Path) -> None:
    draw(root)
    for language, text in (("de", "Ein Hund"), ("en", "A dog")):
        write(root / f"captions_{language}.csv", "image,caption\n" + rows("{name}," + text))


def archives(root: Path) -> None:
    write(root / "Flickr8k_text.zip", "PK")


def boxes(root: Path) -> None:
    draw(root)
    for name in NAMES:
        write(root / f"{name[:-4]}.txt", "0 0.5 0.5 0.1 0.2")


def without_photos(root: Path) -> None:
    write(root / "captions.csv", "image,caption\n" + rows("{name},{text}"))


def two_folders(root: Path) -> None:
    table(
        root, "image,caption\n" + rows("{name},{text}"), photos=[f"{place}/{name}" for place in "xy" for name in NAMES]
    )


def two_sets(root: Path) -> None:
    table(root, "image,caption,split\na1.jpg,A dog,train\na1.jpg,A cat,test\n")


def photos_in_the_table(root: Path) -> None:
    write_json(root / "data.json", [{"image": {"bytes": "abc", "path": "a1.jpg"}, "caption": "A dog"}])


@pytest.mark.parametrize(
    ("layout", "source", "sentence"),
    [
        (labels, "folder", "has no captions .it may be the file of object labels.; COCO's are in captions_train2017"),
        (
            two_languages,
            "folder",
            "captions_de.csv and captions_en.csv have captions of the same photos: name .* --data.root",
        ),
        (archives, "folder", r"no captions, but archives \(Flickr8k_text.zip\): unpack them there"),
        (boxes, "folder", "has no captions; there must be a table captions.csv"),
        (draw, "folder", "has no captions; there must be a table captions.csv"),
        (draw, "flickr8k", "there must be the official layout"),
        (without_photos, "folder", "4 captioned photos that are missing .*; there are no photos below"),
        (two_folders, "folder", "several photos have such a name, so their folders must be given"),
        (two_sets, "folder", "a1.jpg is listed in two sets, test and train"),
        (photos_in_the_table, "folder", "holds the photos themselves; write them to files"),
        (layouts.kaggle, "coco", "captions of another kind .captions.txt.: use --data.source folder"),
        (layouts.coco, "flickr8k", "captions of another kind .*: use --data.source coco"),
    ],
)
def test_what_does_not_open_is_one_sentence(layout: layouts.Layout, source: str, sentence: str, tmp_path: Path) -> None:
    root = tmp_path / "data"
    layout(root)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence) as error:
        read(root, tmp_path, source=source)
    assert "\n" not in str(error.value)


def test_the_check_counts_cut_captions_and_known_words(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(6)]
    parts = ["train"] * 4 + ["val", "test"]
    texts = ["a dog runs in the park"] * 4 + ["a dog sleeps here", "a cat"]
    lines = [f"{name},{text},{part}" for name, text, part in zip(names, texts, parts)]
    table(tmp_path, "image,caption,split\n" + "\n".join(lines), photos=names)
    data = {"source": "folder", "root": tmp_path, "cache": tmp_path / "cache"}
    details = check(Config(data=DataConfig(**data), model=ModelConfig(max_words=5))).details()
    assert "photo = image, caption = caption, set = split" in details
    assert "6, 1.0 a photo, from captions.csv" in details
    assert "6.0 a training caption; 4 of 4 have more than 5 and are cut (model.max_words)" in details
    assert "50% in validation, 50% in test: the 6 that occur at least 4 times in train" in details
    with pytest.raises(ValueError, match=r"lower model\.min_count"):
        check(Config(data=DataConfig(**data), model=ModelConfig(min_count=5)))


def test_captions_of_validation_alone_name_the_setting_that_opens_them(tmp_path: Path) -> None:
    layouts.coco(tmp_path)
    path = tmp_path / "annotations" / "captions_val2017.json"
    with pytest.raises(ValueError, match=r"leaves no train photo of 1; use --data\.split random"):
        check(Config(data=DataConfig(source="coco", root=path, cache=tmp_path / "cache")))
