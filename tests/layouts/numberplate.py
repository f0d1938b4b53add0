"""The layouts of public plate data, each with the same two photos and plates. A writer returns `--data.root`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

PLATES = {"AYO9034.jpg": ((50, 50, 110, 70), "AYO9034"), "b2.jpg": ((20, 30, 80, 50), "MH12AB1234")}
"""Photo -> box and text."""
WIDTH, HEIGHT = 200, 100


def photo(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT), orientation: int | None = None) -> Path:
    """Write a photo of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).integers(0, 255, (size[1], size[0], 3), np.uint8)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.fromarray(noise).save(path, exif=exif)
    return path


def photos(folder: Path) -> None:
    for name in PLATES:
        photo(folder / name)


def table(header: str, row: Callable[[str, tuple[int, ...], str], str], name: str = "plates.csv") -> Callable:
    def write(root: Path) -> Path:
        photos(root)
        lines = [row(photo, box, text) for photo, (box, text) in PLATES.items()]
        (root / name).write_text("\n".join([header, *lines] if header else lines) + "\n", encoding="utf-8")
        return root / name

    return write


def fractions(box: tuple[int, ...]) -> list[float]:
    """Centre, width and height as fractions of the photo."""
    x0, y0, x1, y1 = box
    return [(x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT]


def sides(box: Sequence[float]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def points(box: tuple[int, ...]) -> list[int]:
    x0, y0, x1, y1 = box
    return [x1, y1, x0, y1, x0, y0, x1, y0]  # from the bottom right, as in CCPD


def joined(numbers: list, between: str = ",") -> str:
    return between.join(map(str, numbers))


def voc(root: Path) -> Path:
    """Kaggle's Car License Plate Detection."""
    photos(root / "images")
    (root / "annotations").mkdir()
    for name, (box, _) in PLATES.items():
        tags = "".join(f"<{tag}>{n}</{tag}>" for tag, n in zip(("xmin", "ymin", "xmax", "ymax"), box))
        (root / "annotations" / f"{Path(name).stem}.xml").write_text(
            f"<annotation><filename>{name}</filename><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
            f"<object><name>licence</name><bndbox>{tags}</bndbox></object></annotation>"
        )
    return root


def voc_with_texts(root: Path) -> Path:
    """Indian sets whose class is the text."""
    voc(root)
    for name, (_, text) in PLATES.items():
        path = root / "annotations" / f"{Path(name).stem}.xml"
        path.write_text(path.read_text().replace("<name>licence<", f"<name>{text}<"))
    return root


def voc_annotations(root: Path) -> Path:
    return voc(root) / "annotations"


def cvat(root: Path) -> Path:
    photos(root / "images")
    images = "".join(
        f'<image id="0" name="{name}" width="{WIDTH}" height="{HEIGHT}"><box label="plate" '
        f'xtl="{box[0]}" ytl="{box[1]}" xbr="{box[2]}" ybr="{box[3]}"><attribute name="text">{text}</attribute>'
        "</box></image>"
        for name, (box, text) in PLATES.items()
    )
    (root / "annotations.xml").write_text(f'<?xml version="1.0"?><annotations>{images}</annotations>')
    return root


def yolo(root: Path) -> Path:
    """Ultralytics: images/{train,val}, labels/{train,val}, data.yaml; the plate is one of two classes."""
    for (name, (box, _)), part in zip(PLATES.items(), ("train", "val")):
        photo(root / "images" / part / name)
        (root / "labels" / part).mkdir(parents=True)
        lines = f"1 {joined(fractions(box), ' ')}\n0 0.5 0.5 0.9 0.9\n"
        (root / "labels" / part / f"{Path(name).stem}.txt").write_text(lines)
    (root / "data.yaml").write_text("names:\n  0: vehicle\n  1: license-plate\n")
    return root


def yolo_yaml(root: Path) -> Path:
    return yolo(root) / "data.yaml"


def roboflow_yolo(root: Path) -> Path:
    for (name, (box, _)), part in zip(PLATES.items(), ("train", "valid")):
        photo(root / part / "images" / name)
        (root / part / "labels").mkdir(parents=True)
        (root / part / "labels" / f"{Path(name).stem}.txt").write_text(f"0 {joined(fractions(box), ' ')}\n")
    (root / "data.yaml").write_text(
        "train: ../train/images\nnc: 1\nnames: ['License_Plate']\nroboflow:\n  version: 1\n"
    )
    (root / "README.roboflow.txt").write_text("exported\n")
    return root


def yolo_obb(root: Path) -> Path:
    """Oriented boxes beside the photos, classes.txt."""
    photos(root)
    for name, (box, _) in PLATES.items():
        numbers = [n / (HEIGHT if i % 2 else WIDTH) for i, n in enumerate(points(box))]
        (root / f"{Path(name).stem}.txt").write_text(f"0 {joined(numbers, ' ')}\n")
    (root / "classes.txt").write_text("plate\n")
    return root


def coco(root: Path) -> Path:
    """Roboflow: a JSON file a part, beside its photos."""
    for (name, (box, _)), part in zip(PLATES.items(), ("train", "valid")):
        photo(root / part / name)
        value = {
            "categories": [{"id": 0, "name": "vehicles"}, {"id": 1, "name": "number plate"}],
            "images": [{"id": 7, "file_name": name, "width": WIDTH, "height": HEIGHT}],
            "annotations": [
                {"id": 1, "image_id": 7, "category_id": 1, "bbox": sides(box)},
                {"id": 2, "image_id": 7, "category_id": 0, "bbox": [0, 0, 150, 90]},
            ],
        }
        (root / part / "_annotations.coco.json").write_text(json.dumps(value))
    return root


def roboflow_tensorflow(root: Path) -> Path:
    for (name, (box, _)), part in zip(PLATES.items(), ("train", "valid")):
        photo(root / part / name)
        header = "filename,width,height,class,xmin,ymin,xmax,ymax"
        row = f"{name},{WIDTH},{HEIGHT},plate,{joined(list(box))}"
        (root / part / "_annotations.csv").write_text(f"{header}\n{row}\n")
    return root


def via_rectangle(box: tuple[int, ...]) -> dict:
    return dict(zip(("name", "x", "y", "width", "height"), ("rect", *sides(box))))


def via_polygon(box: tuple[int, ...]) -> dict:
    return {"name": "polygon", "all_points_x": points(box)[::2], "all_points_y": points(box)[1::2]}


def via_csv(shape: Callable[[tuple[int, ...]], dict]) -> Callable[[Path], Path]:
    def row(name: str, box: tuple[int, ...], text: str) -> str:
        quoted = [json.dumps(value).replace('"', '""') for value in (shape(box), {"plate": text})]
        return f'{name},1234,"{{}}",1,0,"{quoted[0]}","{quoted[1]}"'

    header = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    return table(header, row)


def via_json(root: Path) -> Path:
    photos(root)
    value = {
        f"{name}1234": {"filename": name, "size": 1234, "regions": [
            {"shape_attributes": via_polygon(box), "region_attributes": {"class": "plate", "text": text}}]}
        for name, (box, text) in PLATES.items()
    }  # fmt: skip
    (root / "via_region_data.json").write_text(json.dumps({"_via_img_metadata": value}))
    return root


def labelme(root: Path) -> Path:
    photos(root)
    for name, (box, text) in PLATES.items():
        shape = {"label": "plate", "points": [[box[0], box[1]], [box[2], box[3]]], "description": text}
        value = {"imagePath": f"..\\photos\\{name}", "imageWidth": WIDTH, "imageHeight": HEIGHT, "shapes": [shape]}
        (root / f"{Path(name).stem}.json").write_text(json.dumps(value))
    return root


def percent(numbers: Sequence[float]) -> list[float]:
    """x, y, x, y, ... in pixels -> in percent of the photo."""
    return [number * 100 / (HEIGHT if n % 2 else WIDTH) for n, number in enumerate(numbers)]


def label_studio(root: Path) -> Path:
    return label_studio_tasks(
        root, lambda box, text: [{"result": [rectangle(box, rectanglelabels=["Plate"]), rectangle(box, text=[text])]}]
    )


def label_studio_ocr(root: Path) -> Path:
    """The template for OCR: a rectangle, its label and its text are three results with one id."""
    return label_studio_tasks(root, lambda box, text: [
        {"result": [rectangle(box), rectangle(box, labels=["Plate"]), rectangle(box, text=[text])]}])  # fmt: skip


def label_studio_polygons(root: Path) -> Path:
    def results(box: tuple[int, ...], _: str) -> list[dict]:
        numbers = percent(points(box))
        value = {"points": list(zip(numbers[::2], numbers[1::2])), "polygonlabels": ["Plate"]}
        return [{"result": [{"id": "r", "type": "polygonlabels", "value": value}]}]

    return label_studio_tasks(root, results)


def label_studio_min(root: Path) -> Path:
    """JSON-MIN of the template for OCR: a list of boxes, and again with their labels."""
    photos(root)
    tasks = []
    for number, (name, (box, text)) in enumerate(PLATES.items()):
        value = {**rectangle(box)["value"], "original_width": WIDTH, "original_height": HEIGHT}
        lists = {"bbox": [value], "label": [{**value, "labels": ["Plate"]}], "transcription": text}
        tasks.append({"ocr": f"/data/upload/1/0a1b2c3d-{name}", "id": number, **lists})
    (root / "export.json").write_text(json.dumps(tasks))
    return root


def rectangle(box: Sequence[float], rotation: float = 0, **answer: list[str]) -> dict:
    """A result of Label Studio: a rectangle, with a label or a text."""
    value = dict(zip(("x", "y", "width", "height"), percent(sides(box))))
    kind = "textarea" if "text" in answer else next(iter(answer), "rectangle")
    sizes = {"original_width": WIDTH, "original_height": HEIGHT}
    return {"id": "r", "type": kind, **sizes, "value": {**value, "rotation": rotation, **answer}}


def label_studio_tasks(root: Path, annotations: Callable[[tuple[int, ...], str], list[dict]]) -> Path:
    photos(root)
    tasks = [
        {"data": {"image": f"/data/upload/1/0a1b2c3d-{name}"}, "annotations": annotations(box, text)}
        for name, (box, text) in PLATES.items()
    ]
    (root / "export.json").write_text(json.dumps(tasks))
    return root


def createml(root: Path) -> Path:
    photos(root)
    value = [
        {"image": name, "annotations": [{"label": "plate", "coordinates": {
            "x": (box[0] + box[2]) / 2, "y": (box[1] + box[3]) / 2, "width": sides(box)[2], "height": sides(box)[3]}}]}
        for name, (box, _) in PLATES.items()
    ]  # fmt: skip
    (root / "_annotations.createml.json").write_text(json.dumps(value))
    return root


def per_photo(line: Callable[[str, tuple[int, ...], str], str], prefix: str = "") -> Callable[[Path], Path]:
    """One text file a photo."""

    def write(root: Path) -> Path:
        photos(root)
        for name, (box, text) in PLATES.items():
            (root / f"{prefix}{Path(name).stem}.txt").write_text(line(name, box, text) + "\n", encoding="utf-8")
        return root

    return write


def keras(root: Path) -> Path:
    photos(root)
    lines = [f"{name} {joined(list(box))},0" for name, (box, _) in PLATES.items()]
    (root / "_annotations.txt").write_text("\n".join(lines))
    (root / "_classes.txt").write_text("plate\n")
    return root


def ccpd(root: Path) -> Path:
    for box, _ in PLATES.values():
        x0, y0, x1, y1 = box
        quad = "_".join(f"{x}&{y}" for x, y in zip(points(box)[::2], points(box)[1::2]))
        photo(root / f"025-95_113-{x0}&{y0}_{x1}&{y1}-{quad}-0_0_22_27_27_33_16-37-15.jpg")
    return root


ufpr = per_photo(lambda _, box, text: f"camera: GoPro\nposition_vehicle: 1 2 150 90\n\ttype: car\nplate: {text[:3]}-"
                 f"{text[3:]}\nposition_plate: {joined(sides(box), ' ')}\n\tchar 1: 1 2 3 4")  # fmt: skip
rodosol = per_photo(lambda _, box, text: f"type: car\nplate: {text}\nlayout: Brazilian\ncorners: " + " ".join(
    f"{x},{y}" for x, y in zip(points(box)[::2], points(box)[1::2])))  # fmt: skip
openalpr = per_photo(lambda name, box, text: "\t".join([name, *map(str, sides(box)), text]))
oid = per_photo(lambda _, box, text: f"Vehicle registration plate {joined([float(n) for n in box], ' ')}")
icdar = per_photo(lambda _, box, text: f"{joined(points(box))},{text}", "gt_")

LAYOUTS: dict[str, tuple[Callable[[Path], Path], bool]] = {
    "own": (table("file,x0,y0,x1,y1,text", lambda n, b, t: f"{n},{joined(list(b))},{t}"), True),
    "xywh": (table("image,x,y,w,h,plate", lambda n, b, t: f"{n},{joined(sides(b))},{t}"), True),
    "semicolons": (table("file;x0;y0;x1;y1;text", lambda n, b, t: f"{n};{joined(list(b), ';')};{t}"), True),
    "decimal comma": (table("file;x0;y0;x1;y1;text", lambda n, b, t: f"{n};{joined(list(b), ',0;')},0;{t}"), True),
    "tensorflow": (roboflow_tensorflow, False),
    "left top width height": (
        table("Image Name,Left,Top,Width,Height,Plate Number", lambda n, b, t: f"{n},{joined(sides(b))},{t}"), True),
    "retinanet": (table("", lambda n, b, t: f"{n},{joined(list(b))},plate"), False),
    "one cell": (table("img,license_plate_bbox,license_number", lambda n, b, t: f"{n},{list(b)},{t}".replace(
        ", ", " ")), True),
    "fractions": (table("file,x_center,y_center,width,height,text", lambda n, b, t: f"{n},{joined(fractions(b))},{t}"),
                  True),
    "windows": (table("path,xmin,ymin,xmax,ymax,label", lambda n, b, t: f"C:\\data\\cars\\{n},{joined(list(b))},{t}"),
                True),
    "without suffix": (table("id,xmin,ymin,xmax,ymax,text", lambda n, b, t: f"{Path(n).stem},{joined(list(b))},{t}"),
                       True),
    "json lines": (table("", lambda n, b, t: json.dumps({"file_name": n, "xmin": b[0], "ymin": b[1], "xmax": b[2],
                                                         "ymax": b[3], "text": t}), "metadata.jsonl"), True),
    "voc": (voc, False), "voc, texts as classes": (voc_with_texts, True),
    "voc, its annotations": (voc_annotations, False),
    "cvat": (cvat, True), "yolo": (yolo, False), "yolo, data.yaml": (yolo_yaml, False),
    "roboflow yolo": (roboflow_yolo, False), "yolo obb": (yolo_obb, False), "coco": (coco, False),
    "four points": (
        table("file,x1,y1,x2,y2,x3,y3,x4,y4,text", lambda n, b, t: f"{n},{joined(points(b))},{t}"), True),
    "four points in one cell": (table("file,bbox,text", lambda n, b, t: f'{n},"{points(b)}",{t}'), True),
    "via csv": (via_csv(via_rectangle), True), "via csv, polygons": (via_csv(via_polygon), True),
    "via json": (via_json, True), "labelme": (labelme, True), "label studio": (label_studio, True),
    "label studio, ocr": (label_studio_ocr, True), "label studio, polygons": (label_studio_polygons, False),
    "label studio, json-min": (label_studio_min, False),
    "createml": (createml, False), "keras": (keras, False), "ccpd": (ccpd, False), "ufpr": (ufpr, True),
    "rodosol": (rodosol, True), "openalpr": (openalpr, True), "oid": (oid, False), "icdar": (icdar, True),
}  # fmt: skip
"""Layout -> its writer, and whether it holds the texts."""
WITH_CORNERS = {"yolo obb", "via csv, polygons", "via json", "ccpd", "rodosol", "icdar", "four points",
                "four points in one cell", "label studio, polygons"}  # fmt: skip
