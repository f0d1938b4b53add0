"""numberplate: data as people have them, in every layout that the README names."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from projects.numberplate.config import Config, DataConfig
from projects.numberplate.data import PlateData, check
from projects.numberplate.geometry import corners_of
from projects.numberplate.sources import Collection, load_plates
from shared.data.splits import TEST, TRAIN, UNUSED, VALIDATION
from tests.layouts import numberplate as layouts
from tests.layouts.numberplate import LAYOUTS, PLATES, WITH_CORNERS, photo


def loaded(root: Path, **settings: object) -> Collection:
    return load_plates(DataConfig(source="csv", root=root, **{"split": "all", **settings}))


def written(folder: Path, text: str, name: str = "plates.csv") -> Path:
    """A table beside two photos of 200 x 100 pixels."""
    layouts.photos(folder)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_to_the_same_boxes_and_texts(layout: str, tmp_path: Path) -> None:
    write, has_texts = LAYOUTS[layout]
    photos = loaded(write(tmp_path)).photos
    assert len(photos) == len(PLATES)
    assert layout == "ccpd" or {one.path.name for one in photos} == set(PLATES)
    for one in photos:
        box, text = PLATES[one.path.name] if layout != "ccpd" else sorted(PLATES.values())[one is not photos[0]]
        np.testing.assert_allclose(one.boxes, [box], atol=1e-3)
        assert one.texts == ((text,) if has_texts else ("",))
        assert np.isfinite(one.corners).all() == (layout in WITH_CORNERS)
        if layout in WITH_CORNERS:
            np.testing.assert_allclose(one.corners, corners_of(np.array([box])), atol=1e-3)


@pytest.mark.parametrize("header", ["image_path,plate_text", "file,text", "filename,label", "img_id,number_plate", ""])
def test_tables_of_crops_are_read(header: str, tmp_path: Path) -> None:
    rows = "".join(f"{name},{text[:3]}-{text[3:]}\n" for name, (_, text) in PLATES.items())
    photos, crops, _ = loaded(written(tmp_path, f"{header}\n{rows}".lstrip()))
    assert not photos and [(crop.path.name, crop.text) for crop in crops] == [(n, t) for n, (_, t) in PLATES.items()]


# --- parts


@pytest.mark.parametrize("layout", ["yolo", "roboflow yolo", "coco", "tensorflow"])
def test_given_parts_are_taken(layout: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = loaded(LAYOUTS[layout][0](tmp_path), split="auto").photos
    assert {one.path.name: one.split for one in photos} == {"AYO9034.jpg": TRAIN, "b2.jpg": TEST}
    assert "no test set: the validation set is used as such" in capsys.readouterr().err or layout != "yolo"


def test_lists_of_names_are_parts(tmp_path: Path) -> None:
    for number in range(6):
        photo(tmp_path / f"ccpd/025-95_113-50&40_110&60-110&60_50&60_50&40_110&40-0_0_2_2_2_3_1-37-{number}.jpg")
    names = [f"ccpd/{path.name}" for path in sorted((tmp_path / "ccpd").iterdir())]
    for part, some in (("train", names[:3]), ("val", names[3:4]), ("test", names[4:5])):
        (tmp_path / "splits").mkdir(exist_ok=True)
        (tmp_path / "splits" / f"{part}.txt").write_text("\n".join(some))
    photos, _, understood = loaded(tmp_path, split="auto")
    assert [one.split for one in photos] == [TRAIN] * 3 + [VALIDATION, TEST, UNUSED]
    assert len(understood.left_out["photos outside of the given parts"]) == 1


@pytest.mark.parametrize(
    ("parts", "dev"),
    [("train train dev dev test", VALIDATION), ("train train train dev dev", TEST), ("train train val dev dev", TEST)],
)
def test_a_dev_set_is_the_test_set_only_without_another(parts: str, dev: str, tmp_path: Path) -> None:
    rows = [f"{photo(tmp_path / f'{n}.jpg').name},20,30,80,50,{part}\n" for n, part in enumerate(parts.split())]
    (tmp_path / "t.csv").write_text("file,x0,y0,x1,y1,split\n" + "".join(rows))
    photos = loaded(tmp_path / "t.csv", split="auto").photos
    assert {one.split for one, part in zip(photos, parts.split()) if part == "dev"} == {dev}
    assert {one.split for one in photos} >= {TRAIN, TEST}


# --- classes


def test_boxes_of_other_classes_are_counted_and_left_out(tmp_path: Path) -> None:
    understood = loaded(layouts.yolo(tmp_path)).understood
    assert understood.facts["class"] == "license-plate = plate"
    assert len(understood.left_out["boxes of the class vehicle"]) == 2


@pytest.mark.parametrize(
    ("classes", "reason"),
    [
        ("car,truck", r"which class is the plate.*car \(1\), truck \(1\); name the one .* --data.plate_class"),
        ("car,car", "which class is the plate"),
        ("white plate,yellow plate", "several classes that may be the plate"),
        ("A,B", "boxes of characters, not of plates"),
    ],
)
def test_which_class_is_the_plate_is_asked_for_with_its_setting(classes: str, reason: str, tmp_path: Path) -> None:
    rows = "".join(f"{name},{kind},1,2,50,20\n" for name, kind in zip(PLATES, classes.split(",")))
    table = written(tmp_path, f"filename,class,xmin,ymin,xmax,ymax\n{rows}")
    with pytest.raises(ValueError, match=reason):
        loaded(table)
    photos = loaded(table, plate_class=classes).photos
    assert [len(one.boxes) for one in photos] == [1, 1]


def test_yaml_tags_in_a_data_set_are_refused(tmp_path: Path) -> None:
    layouts.yolo(tmp_path)
    (tmp_path / "data.yaml").write_text("names: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(ValueError, match=r"data.yaml, line 1: .*values of the kind"):
        loaded(tmp_path)


# --- annotation tools


def test_of_several_annotators_one_is_read_and_the_others_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def annotations(box: tuple[int, ...], _: str) -> list[dict]:
        done = [{"result": [layouts.rectangle((*box[:3], box[3] + n), rectanglelabels=["Plate"])]} for n in range(4)]
        if box == PLATES["b2.jpg"][0]:
            return [done[0] | {"was_cancelled": True}, done[1], done[2]]
        return [done[0], done[1], done[3] | {"ground_truth": True}]

    photos = loaded(layouts.label_studio_tasks(tmp_path, annotations)).photos
    assert {one.path.name: one.boxes.tolist() for one in photos} == {
        "AYO9034.jpg": [[50, 50, 110, 73]],
        "b2.jpg": [[20, 30, 80, 51]],
    }
    assert "export.json: 4 annotations are not read" in capsys.readouterr().err


def test_a_photo_that_nobody_annotated_is_no_photo_without_a_plate(tmp_path: Path) -> None:
    def annotations(box: tuple[int, ...], _: str) -> list[dict]:
        result = [layouts.rectangle(box, rectanglelabels=["Plate"])]
        return [{"result": result, "was_cancelled": box == PLATES["b2.jpg"][0]}]

    photos, _, understood = loaded(layouts.label_studio_tasks(tmp_path, annotations))
    assert [one.path.name for one in photos] == ["AYO9034.jpg"]
    assert understood.left_out["photos without a label"] == ["b2.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "shape"),
    [
        (
            "a.xml",
            '<annotations><image name="b2.jpg"><mask label="plate" rle="3, 4" left="1" top="2" width="3" height="4"/>'
            '<tag label="day"/></image><image name="AYO9034.jpg"><box label="plate" xtl="20" ytl="30" xbr="80" '
            'ybr="50"/></image></annotations>',
            "mask",
        ),
        (
            "a.json",
            '[{"data": {"image": "b2.jpg"}, "annotations": [{"result": [{"id": "r", "type": "brushlabels", "value": '
            '{"format": "rle", "rle": [1, 2], "brushlabels": ["plate"]}}, {"id": "s", "type": "choices", "value": '
            '{"choices": ["day"]}}, {"type": "relation", "from_id": "r", "to_id": "s", "labels": ["plate"]}]}]}, '
            '{"data": {"image": "AYO9034.jpg"}, "annotations": [{"result": [{"id": "r", "type": "rectanglelabels", '
            '"value": {"x": 10, "y": 30, "width": 30, "height": 20, "rectanglelabels": ["plate"]}}]}]}]',
            "brush",
        ),
        (
            "a.json",
            '{"1": {"filename": "b2.jpg", "regions": [{"shape_attributes": {"name": "circle", "cx": 9, "cy": 9, "r": 5}'
            ', "region_attributes": {"class": "plate"}}]}, "2": {"filename": "AYO9034.jpg", "regions": [{'
            '"shape_attributes": {"name": "rect", "x": 20, "y": 30, "width": 60, "height": 20}, '
            '"region_attributes": {"class": "plate"}}]}}',
            "circle",
        ),
        (
            "b2.json",
            '{"imagePath": "b2.jpg", "shapes": [{"label": "plate", "shape_type": "circle", "points": [[9, 9], [9, 4]]},'
            '{"label": "plate", "shape_type": "rectangle", "points": [[20, 30], [80, 50]]}]}',
            "circle",
        ),
    ],
)
def test_a_plate_of_another_shape_is_refused_and_one_of_another_class_ignored(
    name: str, content: str, shape: str, tmp_path: Path
) -> None:
    written(tmp_path, content, name)
    with pytest.raises(ValueError, match=rf"{name}: b2.jpg: a plate is neither a box nor a polygon \({shape}\)"):
        loaded(tmp_path)
    if name.startswith("a"):
        photos, _, understood = loaded(tmp_path, damaged="leave-out")
        assert [one.path.name for one in photos] == ["AYO9034.jpg"]
        assert understood.left_out["photos with an impossible box"] == ["b2.jpg"]
    (tmp_path / name).write_text(content.replace("plate", "car", 1))
    assert {one.path.name: len(one.boxes) for one in loaded(tmp_path).photos}["b2.jpg"] == (name == "b2.json")


def tilted(layout: str, root: Path) -> Path:
    """A plate of 60 x 20 pixels on b2.jpg, rotated clockwise by 30 degrees: around its centre (50, 40), in Label Studio
    around its top left corner, which is then at (29.02, 16.34)."""
    if layout == "cvat":
        content = (
            '<annotations><image name="b2.jpg" width="200" height="100"><box label="plate" xtl="20" ytl="30" xbr="80" '
            'ybr="50" rotation="30.00"/></image></annotations>'
        )
        return written(root, content, "a.xml")
    if layout == "voc":
        box = "<xmin>20</xmin><ymin>30</ymin><xmax>80</xmax><ymax>50</ymax>"
        rotation = "<attributes><attribute><name>rotation</name><value>30.0</value></attribute></attributes>"
        content = f"<object><name>plate</name><bndbox>{box}</bndbox>{rotation}</object>"
        return written(root, f"<annotation><filename>b2.jpg</filename>{content}</annotation>", "b2.xml")
    if layout == "coco":
        one = {"image_id": 1, "category_id": 1, "bbox": [20, 30, 60, 20], "segmentation": []}
        value = {
            "images": [{"id": 1, "file_name": "b2.jpg", "width": 200, "height": 100}],
            "categories": [{"id": 1, "name": "plate"}],
            "annotations": [one | {"attributes": {"occluded": False, "rotation": 30.0}}],
        }
        return written(root, json.dumps(value), "a.json")
    x, y = 50 - 30 * math.cos(math.pi / 6) + 10 * math.sin(math.pi / 6), 40 - 30 * 0.5 - 10 * math.cos(math.pi / 6)
    result = layouts.rectangle((x, y, x + 60, y + 20), rotation=30, rectanglelabels=["Plate"])
    return layouts.label_studio_tasks(root, lambda box, _: [{"result": [result] if box[0] == 20 else []}])


@pytest.mark.parametrize("layout", ["cvat", "voc", "coco", "label studio"])
def test_rotated_boxes_have_the_corners_of_the_rotated_plate(layout: str, tmp_path: Path) -> None:
    photos = {one.path.name: one for one in loaded(tilted(layout, tmp_path)).photos}
    corners = [[29.02, 16.34], [80.98, 46.34], [70.98, 63.66], [19.02, 33.66]]
    np.testing.assert_allclose(photos["b2.jpg"].corners, [corners], atol=0.01)
    np.testing.assert_allclose(photos["b2.jpg"].boxes, [[19.02, 16.34, 80.98, 63.66]], atol=0.01)


# --- boxes


def test_a_size_that_is_not_that_of_the_photo_is_refused_until_it_is_said(tmp_path: Path) -> None:
    table = written(
        tmp_path, "filename,width,height,class,xmin,ymin,xmax,ymax\nAYO9034.jpg,400,200,plate,100,80,220,120\n"
    )
    with pytest.raises(ValueError, match=r"has 200 x 100 pixels, but 400 x 200 are .* --data.box_units declared"):
        loaded(table)
    assert loaded(table, box_units="declared").photos[0].boxes.tolist() == [[50, 40, 110, 60]]


@pytest.mark.parametrize("units", ["auto", "stored"])
def test_boxes_of_photos_that_exif_rotates(units: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo(tmp_path / "turned.jpg", (200, 100), orientation=6)  # upright: 100 x 200
    size = ",200,100" if units == "auto" else ",,"
    (tmp_path / "t.csv").write_text(f"file,x0,y0,x1,y1,width,height\nturned.jpg,50,40,110,60{size}\n")
    assert loaded(tmp_path / "t.csv", box_units=units).photos[0].boxes.tolist() == [[40, 50, 60, 110]]
    assert "turned.jpg; boxes are taken as those of the stored photo" in capsys.readouterr().err


def test_interchanged_corners_are_put_in_order_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = layouts.voc(tmp_path) / "annotations" / "b2.xml"
    path.write_text(path.read_text().replace("xmin", "x").replace("xmax", "xmin").replace("<x>", "<xmax>").replace(
        "</x>", "</xmax>"))  # fmt: skip
    assert [one.boxes[0].tolist() for one in loaded(tmp_path).photos if one.path.name == "b2.jpg"] == [[20, 30, 80, 50]]
    assert "corners of 1 boxes are interchanged" in capsys.readouterr().err


def test_corners_keep_their_order_only_in_a_column_of_their_own(tmp_path: Path) -> None:
    upside_down, mirrored = [110, 70, 50, 70, 50, 50, 110, 50], [50, 50, 50, 70, 110, 70, 110, 50]
    table = written(tmp_path, f"file,x0,y0,x1,y1,corners\nb2.jpg,50,50,110,70,{' '.join(map(str, upside_down))}\n")
    assert loaded(table).photos[0].corners.ravel().tolist() == upside_down
    table.write_text(f"file,x1,y1,x2,y2,x3,y3,x4,y4\nb2.jpg,{','.join(map(str, mirrored))}\n")
    assert loaded(table).photos[0].corners.ravel().tolist() == [50, 50, 110, 50, 110, 70, 50, 70]


@pytest.mark.parametrize(
    ("rows", "settings", "box"),
    [
        ('AYO9034.jpg,"[50, 40, 60, 20]"', {}, [50, 40, 110, 60]),  # 20 < 40: no second corner
        ('AYO9034.jpg,"[150, 40, 190, 60]"', {}, [150, 40, 190, 60]),  # 150 + 190 is outside of the photo
        ('AYO9034.jpg,"[20, 10, 60, 30]"', {"box_format": "xywh"}, [20, 10, 80, 40]),
        ('AYO9034.jpg,"{""x"": 20, ""y"": 10, ""width"": 60, ""height"": 30}"', {}, [20, 10, 80, 40]),
    ],
)
def test_boxes_in_one_column_are_told_by_what_fits(rows: str, settings: dict, box: list, tmp_path: Path) -> None:
    table = written(tmp_path, f"file,bbox\n{rows}\n")
    assert loaded(table, **settings).photos[0].boxes.tolist() == [box]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('file,bbox\nAYO9034.jpg,"[20, 10, 60, 30]"', "may be two corners, or one corner.*--data.box_format"),
        ("file,x0,y0,x1,y1\nAYO9034.jpg,150,40,60,20", r"are they x, y, width and height\? \(--data.box_format xywh\)"),
        ("file,x0,y0,x1,y1\nAYO9034.jpg,500,40,560,60", "outside of the photo of 200 x 100 pixels; was it resized"),
        ("file,x0,y0,x1\nAYO9034.jpg,1,2,3", "its columns are file, x0, y0, x1 .*--data.box_columns"),
        ("Foto Nr,Text\nAYO9034.jpg,AB1", "its columns are Foto Nr, Text .*--data.file names"),
    ],
)
def test_what_cannot_be_told_is_one_sentence_with_the_setting(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        loaded(written(tmp_path, text + "\n"))


def test_columns_of_any_name_open_with_settings(tmp_path: Path) -> None:
    table = written(tmp_path, "Foto Nr,a,b,c,d,Wort\nAYO9034.jpg,20,10,60,30,AB1\n")
    settings = {"file": "Foto Nr", "text": "Wort", "box_columns": "a,b,c,d", "box_format": "xywh"}
    (one,) = loaded(table, **settings).photos
    assert one.boxes.tolist() == [[20, 10, 80, 40]] and one.texts == ("AB1",)


def test_crops_with_unused_numbers_and_classes_are_not_taken_in_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = written(tmp_path, "file,p,q,r,s,text\nAYO9034.jpg,50,40,60,20,AB12\n")
    assert len(loaded(table).crops) == 1 and "are p, q, r, s a box?" in capsys.readouterr().err
    assert loaded(table, box_columns="p,q,r,s").photos[0].boxes.tolist() == [[50, 40, 110, 60]]
    table.write_text("file,label\nAYO9034.jpg,sedan\n")
    with pytest.raises(ValueError, match=r"sedan in the column label does not look .* --data.text label takes it"):
        loaded(table)


# --- photos


def test_photos_are_found_by_name_below_the_folder(tmp_path: Path) -> None:
    photo(tmp_path / "set" / "a" / "1.JPG")
    photo(tmp_path / "set" / "b" / "1.JPG")
    (tmp_path / "t.csv").write_text("file,text\nD:\\old\\b\\1.jpg,AB1\n/home/me/a/1.jpg,CD2\n")
    crops = loaded(tmp_path / "t.csv").crops
    assert [crop.path.parent.name for crop in crops] == ["b", "a"]
    (tmp_path / "t.csv").write_text("file,text\n1.jpg,AB1\n")
    with pytest.raises(ValueError, match=r"1.jpg may be .*1.JPG or .*1.JPG; write its path"):
        loaded(tmp_path / "t.csv")


def test_missing_photos_are_named_and_left_out_if_asked(tmp_path: Path) -> None:
    table = written(tmp_path, "file,text\nAYO9034.jpg,AB1\nAYO9043.jpg,CD2\n")
    with pytest.raises(FileNotFoundError, match=r"names 1 photo that .*AYO9043.jpg: .*similar name is AYO"):
        loaded(table)
    _, crops, understood = loaded(table, damaged="leave-out")
    assert len(crops) == 1 and understood.left_out == {"photos that do not exist": ["AYO9043.jpg"]}


# --- texts


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("АВС123", "ABC123"),
        ("ΑΒΕ-1234", "ABE1234"),
        ("ＡＢ１２", "AB12"),
        ("unknown", ""),
        ("Ж12", ""),
        ("b·co 1", "BCO1"),
    ],
)
def test_texts_of_other_alphabets(text: str, plain: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = written(tmp_path, f"file,x0,y0,x1,y1,text\nAYO9034.jpg,50,40,110,60,{text}\n")
    (one,) = loaded(table).photos
    assert one.texts == (plain,)
    said = capsys.readouterr().err
    assert ("letters that look the same" in said) == (text[0] in "АΑ")
    assert ("characters other than A-Z" in said) == (text == "Ж12")


# --- folders


def test_several_kinds_of_labels_are_opened_by_name(tmp_path: Path) -> None:
    layouts.voc(tmp_path)
    for name, (box, _) in PLATES.items():
        numbers = layouts.joined(layouts.fractions(box), " ")
        (tmp_path / "images" / f"{Path(name).stem}.txt").write_text(f"0 {numbers}\n")
    with pytest.raises(ValueError, match=r"several kinds of labels \(voc: .*; yolo: .*\); name one with --data.layout"):
        loaded(tmp_path)
    assert len(loaded(tmp_path, layout="voc").photos) == len(loaded(tmp_path, layout="yolo").photos) == 2


def test_a_folder_without_labels_is_one_sentence(tmp_path: Path) -> None:
    layouts.photos(tmp_path)
    with pytest.raises(ValueError, match="has 2 photos, but no labels in a layout that is read"):
        loaded(tmp_path)


def test_the_check_says_what_was_understood_before_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = layouts.yolo(tmp_path)
    photo(root / "images" / "train" / "more.jpg")
    with pytest.raises(ValueError, match="no validation photo with a plate"):
        check(Config(data=DataConfig(source="folder", root=root)))
    said = " ".join(capsys.readouterr().out.split())
    parts = ["YOLO txt", "license-plate = plate", "2 boxes of the class vehicle", "given parts folders"]
    for part in [*parts, "1 photos without a label (more.jpg)", "2; 0 photos without a plate"]:
        assert part in said
    columns = PlateData(DataConfig(source="csv", root=LAYOUTS["xywh"][0](tmp_path / "b"))).summary().columns
    assert columns == {"file": "image", "box": "x y w h", "text": "plate"}


def test_opening_a_folder_writes_nothing_into_it(tmp_path: Path) -> None:
    root = layouts.yolo(tmp_path)
    before = sorted(root.rglob("*"))
    loaded(root)
    assert sorted(root.rglob("*")) == before


def test_tables_of_one_folder_that_disagree_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "file,x0,y0,x1,y1,text\nb2.jpg,20,30,80,50,AB1\n", "a.csv")
    written(tmp_path, "file,x0,y0,x1,y1,text\nb2.jpg,20,30,80,50,AB2\n", "b.csv")
    with pytest.raises(ValueError, match=r"b.csv: a plate of b2.jpg has two texts: AB1, AB2"):
        loaded(tmp_path)
