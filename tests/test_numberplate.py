"""The promises of numberplate: training, data, evaluation, on the real command line with tiny networks."""

import csv
import json
import math
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from projects.numberplate.config import Config, DataConfig
from projects.numberplate.data import PlateData, Plates, RandomViews, random_view
from projects.numberplate.detect import PAINT, Detection, select, to_input
from projects.numberplate.evaluate import evaluate, evaluate_run
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import corners_of
from projects.numberplate.losses import assign, detector_loss, reader_loss
from projects.numberplate.metrics import average_precision, detection_metrics, edit_distance, reading_metrics
from projects.numberplate.model import OUTPUTS, SQUARE, Detector, Reader, decode, grid_points
from projects.numberplate.predictor import Predictor
from projects.numberplate.read import best_path, likelihoods
from projects.numberplate.sources import load_tables
from projects.numberplate.synthetic import camera
from projects.numberplate.synthetic.fonts import SEAL, carried, from_sheet
from projects.numberplate.synthetic.plates import draw_plate
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.loader import Batches
from shared.data.splits import TEST, TRAIN, VALIDATION
from shared.runs import Run
from tests.conftest import CommandLine, kill_and_resume, one_and_two_processes, train_once

TRAINING, EVALUATE = "projects.numberplate.train", "projects.numberplate.evaluate"


def tiny(sample_root: Path, *more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return [
        "--data.source=sample",
        f"--data.root={sample_root}",
        "--data.sample_size=40",
        "--model.image_size=160",
        "--model.width_multiplier=0.25",
        "--model.hidden_size=8",
        *(f"--{part}.{setting}" for part in ("detector", "reader") for setting in
          ("samples_per_epoch=32", "batch_size=16", "epochs=2", "precision=fp32", "device=cpu")),
        "--detector.image_size=96",
        "--evaluation.baseline_size=0",
        *more,
    ]  # fmt: skip


@pytest.fixture(scope="session")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.numberplate.train` was run once; its output is in `output.txt`."""
    folder = tmp_path_factory.mktemp("finished")
    return train_once(TRAINING, tiny(sample_root), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "numberplate").iterdir()
    return folder


@pytest.fixture(scope="session")
def sample(sample_root: Path) -> PlateData:
    return PlateData(load(Config, parse_arguments(tiny(sample_root))).data)


# --- training


def test_training_ends_with_the_place_of_its_report(finished: Path, run_folder: Path) -> None:
    last = (finished / "output.txt").read_text().splitlines()[-1]
    assert last == f"report: {(run_folder / 'report.html').relative_to(finished)}"
    files = {path.name for path in run_folder.iterdir()}
    assert {
        "config.yaml",
        "metrics-detector.csv",
        "metrics-reader.csv",
        "model.safetensors",
        "evaluation.json",
    } <= files


def test_the_losses_of_the_command_line_are_these(run_folder: Path) -> None:
    golden = {"detector": [2.01151, 1.98067], "reader": [37.2599, 36.083]}
    for part, losses in golden.items():
        assert [row["train_loss"] for row in Run(run_folder, part).history()] == pytest.approx(losses, rel=0.02)


def test_one_batch_of_plates_can_be_memorised() -> None:
    seed_everything(0)
    reader = Reader(hidden=32).train()
    reader.drop.p = 0.0
    images, texts, lengths = next(Batches(Plates([], carried(), 2, 0.0, difficulty=0.2), 2, seed=0).epoch(0))
    optimizer = torch.optim.AdamW(reader.parameters(), 5e-3)
    first = None
    for _ in range(90):
        loss = reader_loss(reader(images), texts, lengths)
        first = first or loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05 * first


def test_one_view_can_be_memorised(sample: PlateData) -> None:
    seed_everything(0)
    detector = Detector(0.5).train()
    photos = [photo for photo in sample.photos if len(photo.boxes)][:1]
    images, boxes, corners = next(Batches(RandomViews(photos, carried(), 4, 160, 1.0), 4, seed=1).epoch(0))
    where = grid_points(160, 160)
    optimizer = torch.optim.AdamW(detector.parameters(), 4e-3)
    first = None
    for _ in range(60):
        loss = detector_loss(detector(to_input(images)), where, boxes, corners)["loss"]
        first = first or loss.item()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.25 * first


@pytest.mark.parametrize(("part", "table"), [("reader", "crops.csv"), ("detector", "photos.csv")])
def test_one_network_is_trained_on_a_table_of_its_own(
    part: str, table: str, tables: Path, command: CommandLine
) -> None:
    settings = [word for word in tiny(tables) if "data" not in word and "model" not in word]
    source = ["--data.source", "csv", "--data.root", table]
    answer = command(TRAINING, "--part", part, *source, "--model.size", 160, *settings)
    assert answer.returncode == 0, answer.stderr
    (run,) = (tables / "runs" / "numberplate").iterdir()
    assert (run / "report.html").is_file()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_run_resumes_to_the_same_weights(
    tmp_path: Path, sample_root: Path, run_folder: Path, command: CommandLine
) -> None:
    settings = tiny(sample_root, "--detector.checkpoint_minutes=0", "--reader.checkpoint_minutes=0")
    killed = kill_and_resume(TRAINING, settings, tmp_path, command, "reader")
    a, b = (Predictor.load(folder / "model.safetensors") for folder in (killed, run_folder))
    for part in ("detector", "reader"):
        mine, other = getattr(a, part).state_dict(), getattr(b, part).state_dict()
        assert all(torch.equal(p, q) for p, q in zip(mine.values(), other.values()))


def test_two_processes_train_together(tmp_path: Path, sample_root: Path) -> None:
    _, run = one_and_two_processes(TRAINING, tiny(sample_root), tmp_path, 29782)
    assert len(run.stage("detector").history()) == len(run.stage("reader").history()) == 2


def test_what_the_reader_lacks_is_said_before_the_detector_is_trained(tables: Path, command: CommandLine) -> None:
    pd.read_csv(tables / "photos.csv").drop(columns="text").to_csv(tables / "finding.csv", index=False)
    settings = [word for word in tiny(tables) if "data" not in word]
    answer = command(TRAINING, "--data.source", "csv", "--data.root", "finding.csv", *settings)
    assert answer.returncode == 2 and "no validation plate with a text" in answer.stderr
    assert not list(tables.glob("runs/numberplate/*"))


def test_mistakes_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "crops.csv").write_text("file,text\nno.jpg,AB12\n")
    (tmp_path / "odd.csv").write_text("name,words\n1,2\n")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60, 3), np.uint8))
    for name, row in (("digits", 'a,b,c,d,"X1"'), ("good", "1,2,30,20,AB1")):
        (tmp_path / f"{name}.csv").write_text(f"file,x0,y0,x1,y1,text\na.png,{row}\n", encoding="utf-8")
    for settings, reason in (
        (["--data.source", "csv"], "--data.root FILE"),
        (["--data.source", "csv", "--data.root", "crops.csv"], "no.jpg"),
        (["--data.source", "csv", "--data.root", "odd.csv"], "its columns are name, words"),
        (["--data.source", "csv", "--data.root", "digits.csv"], "the box is not four numbers"),
        (["--data.root", "good.csv"], "say what they are with --data.source"),
        (["--data.crops", "good.csv"], "data.crops is a table: say so with --data.source csv"),
        (
            ["--data.source", "csv", "--data.root", "good.csv", "--data.exclude_sets", "[zz]"],
            "there is no set zz, only",
        ),
        (["--data.glyphs", "sheets"], "data.glyphs is for source csv"),
        (["--evaluation.country", "zz"], "country zz is not known; those there are: ar, at"),
        (["--name", "a/b"], "name: must be a name, not the path a/b"),
        (["--part", "wheel"], "part must be 'both', 'detector' or 'reader'"),
        (["--detector.size", "100"], "detector.size must be a multiple of 32"),
        (["--model.reader", "no.safetensors", "--data.photos", "40"], "no.safetensors"),
    ):
        answer = command(TRAINING, *settings)
        assert answer.returncode == 2, answer.stdout
        assert reason in answer.stderr.replace("valid ", "") and "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/numberplate/*"))


# --- data


def test_a_text_of_digits_keeps_its_zeros(tables: Path) -> None:
    (tables / "digits.csv").write_text("file,text\n" + "".join(f"aa/{n}.png,00{n}7\n" for n in range(1, 20, 2)))
    crops = PlateData(DataConfig(source="csv", root=tables / "digits.csv", split="all")).crops
    assert sorted(crop.text for crop in crops)[:2] == ["00117", "00137"]


def test_no_plate_text_crosses_a_split(sample: PlateData) -> None:
    texts = {part: {crop.text for crop in sample.crops_of(part)} for part in (TRAIN, VALIDATION, TEST)}
    assert all(texts.values())
    assert not texts[TRAIN] & texts[VALIDATION] and not (texts[TRAIN] | texts[VALIDATION]) & texts[TEST]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Forty crops in two sets, and ten photos with a split of their own that share a text with them."""
    rng = np.random.default_rng(0)
    for folder in ("aa", "bb", "photos"):
        (tmp_path / folder).mkdir()
    with (tmp_path / "crops.csv").open("w") as file:
        file.write("file,text\n")
        for number in range(40):
            name = f"{'aa' if number % 2 else 'bb'}/{number}.png"
            cv2.imwrite(str(tmp_path / name), rng.integers(0, 255, (30, 90, 3), np.uint8))
            file.write(f"{name},ab-{number // 2:03d}\n")
    with (tmp_path / "photos.csv").open("w") as file:
        file.write("file,split,x0,y0,x1,y1,text\n")
        for number in range(10):
            cv2.imwrite(str(tmp_path / f"photos/{number}.png"), rng.integers(0, 255, (60, 90, 3), np.uint8))
            file.write(f"photos/{number}.png,{'dev' if number > 6 else 'train'},10,20,50,30,AB{number:03d}\n")
    return tmp_path


def test_a_text_that_is_tested_on_is_trained_on_from_no_table(tables: Path) -> None:
    config = DataConfig(source="csv", root=tables / "photos.csv", crops=tables / "crops.csv")
    photos, crops = load_tables(config)
    tested = {crop.text for crop in crops if crop.part == TEST}
    assert {"AB007", "AB008", "AB009"} <= tested
    assert not tested & {crop.text for crop in crops if crop.part == TRAIN}
    assert not tested & {text for photo in photos if photo.part == TRAIN for text in photo.texts}


def test_sets_are_left_out_and_folds_cover_every_text_once(tables: Path) -> None:
    config = DataConfig(source="csv", root=tables / "crops.csv", leave_out=("aa",))
    _, crops = load_tables(config)
    assert {crop.group for crop in crops if crop.part == TRAIN} == {"bb"}
    assert {crop.group for crop in crops if crop.part == TEST} == {"aa", "bb"}
    tested = []
    for fold in range(5):
        _, crops = load_tables(DataConfig(source="csv", root=tables / "crops.csv", fold=fold))
        tested += sorted({crop.text for crop in crops if crop.part == TEST})
    assert sorted(tested) == sorted({crop.text for crop in crops})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("photos/0.png,5,5,2,9,X,train", "photos/0.png: the box is not four numbers"),
        ("photos/0.png,5,,2,9,X,train", "photos/0.png: the box is not four numbers"),
        ("photos/0.png,,,,,X,train", "there is a text but no box"),
        ("photos/0.png,.1,.2,.5,.4,X,train", "it must be in pixels"),
        ("photos/0.png,1,1,9,9,X,train\nphotos/0.png,9,9,19,19,Y,dev", "in two parts of the split"),
        ("x.png,1,1,2,2,,train", "x.png"),
    ],
)
def test_bad_rows_are_refused_with_a_sentence(tables: Path, row: str, reason: str) -> None:
    (tables / "bad.csv").write_text(f"file,x0,y0,x1,y1,text,split\n{row}\n")
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        load_tables(DataConfig(source="csv", root=tables / "bad.csv"))


def test_tables_are_read_as_people_write_them(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["photos/0.png,5,5,45,15,ab-1 2", "photos/0.png,5,5,45,15,AB12", "photos/1.png,5,5,45,15,M?1", ",,,,,"]
    (tables / "voc.csv").write_text("\n".join(["File,xmin,ymin,xmax,ymax,Text", *rows]))
    photos, crops = load_tables(DataConfig(source="csv", root=tables / "voc.csv", split="all"))
    assert [photo.texts for photo in photos] == [("AB12",), ("",)] and len(crops) == 1
    assert "1 texts are not known: not of A-Z and 0-9 (M?1)" in capsys.readouterr().out
    for columns in ("file,x,y,w,h,text", "file,X0,x0,y0,x1,text"):
        (tables / "other.csv").write_text(f"{columns}\nphotos/0.png,5,5,40,10,AB12\n")
        with pytest.raises(ValueError, match="must have the columns file,x0,y0,x1,y1,text"):
            load_tables(DataConfig(source="csv", root=tables / "other.csv"))
    (tables / "other.csv").write_text("file;text\nphotos/0.png;AB12\n")
    with pytest.raises(ValueError, match="columns are divided by semicolons; save it with commas"):
        load_tables(DataConfig(source="csv", root=tables / "other.csv"))


def test_the_column_split_is_followed_and_must_be_whole(tables: Path) -> None:
    lines = (tables / "photos.csv").read_text().splitlines()
    lines[2] = lines[2].replace("train", "val")
    (tables / "three.csv").write_text("\n".join(lines) + "\n")
    photos, _ = load_tables(DataConfig(source="csv", root=tables / "three.csv"))
    assert [photo.part for photo in photos] == [TRAIN, VALIDATION, *[TRAIN] * 5, *[TEST] * 3]
    lines[3] = lines[3].replace("train", "")
    (tables / "holes.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=r"the column split is empty for .*2\.png"):
        load_tables(DataConfig(source="csv", root=tables / "holes.csv"))


def test_a_drawn_plate_is_a_function_of_its_seed() -> None:
    fonts = carried()
    a, b, other = (draw_plate(fonts[0], np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert a.text == b.text and np.array_equal(a.image, b.image)
    assert other.text != a.text


def test_band_and_seal_are_drawn_but_are_not_part_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "random_text", lambda rng: ("de", f"B{SEAL}MO 6725"))
    plates = [draw_plate(carried()[0], np.random.default_rng(seed), difficulty=0) for seed in range(20)]
    assert {plate.text for plate in plates} == {"BMO6725"} and {plate.lines for plate in plates} == {1, 2}
    blue = [plate.image[:, :20, 2].mean() - plate.image[:, :20, 0].mean() > 50 for plate in plates]
    assert 10 < sum(blue) < 20


def test_pasted_corners_are_where_the_plate_is() -> None:
    photo = np.zeros((200, 300, 3), np.uint8)
    corners = np.array([[60, 70], [200, 90], [200, 130], [60, 110]], np.float32)
    plate = np.full((40, 140, 3), 250, np.uint8)
    camera.paste(photo, plate, corners, np.random.default_rng(0))
    ys, xs = np.nonzero(photo.max(axis=2) > 20)
    found = np.array([xs.min(), ys.min(), xs.max(), ys.max()])
    assert np.abs(found - [60, 70, 200, 130]).max() <= 3
    assert photo[60:66, 150:200].max() == 0


def test_a_mirrored_view_keeps_corners_clockwise_from_the_top_left(sample: PlateData) -> None:
    views = RandomViews([p for p in sample.photos if len(p.boxes)], carried(), 64, 128, 0.5)
    for seed in range(60):
        image, boxes, corners = views.view(np.random.default_rng(seed))
        assert image.shape == (128, 128, 3)
        for box, quad in zip(boxes, corners):
            if np.isfinite(quad).all():
                edges = np.roll(quad, -1, axis=0) - quad
                following = np.roll(edges, -1, axis=0)
                turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
                assert (turns > 0).all()  # clockwise, as y points down
                assert quad[0, 0] < quad[1, 0] and quad[0, 1] < quad[3, 1]
                assert np.allclose([*quad.min(axis=0), *quad.max(axis=0)], box, atol=0.1)


@pytest.mark.parametrize("known", [True, False])
def test_a_view_shows_a_plate_exactly_where_its_label_says(known: bool) -> None:
    rng, tested = np.random.default_rng(0), 0
    for _ in range(120):
        photo = np.full((300, 400, 3), PAINT, np.uint8)
        x, y, width, height = rng.integers([50, 50, 30, 10], [250, 200, 100, 40])
        photo[y : y + height, x : x + width] = 255
        boxes = np.array([[x, y, x + width, y + height]], np.float32)
        corners = corners_of(boxes) if known else np.full((1, 4, 2), np.nan, np.float32)
        view, (box,), _ = random_view(photo, boxes, corners, 256, rng)
        if box.min() < 2 or box.max() > 254:
            continue
        ink = (view[..., 0].astype(float) - PAINT) / (255 - PAINT)
        columns, rows = ink.sum(axis=0), ink.sum(axis=1)
        middles = [weights @ (np.arange(256) + 0.5) / weights.sum() for weights in (columns, rows)]
        assert np.allclose((box[:2] + box[2:]) / 2, middles, atol=0.35)
        if not known:  # and no larger than it is
            assert np.allclose(box[2:] - box[:2], [rows.max(), columns.max()], atol=0.35)
        tested += 1
    assert tested > 60


def test_a_glyph_sheet_is_a_typeface(tmp_path: Path) -> None:
    page = np.full((100, 200), 255, np.uint8)
    cv2.putText(page, "A7", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 5)
    cv2.imwrite(str(tmp_path / "x.png"), page)
    (tmp_path / "x.box").write_text("A 18 25 60 80 0\n7 60 25 100 80 0\n")
    font = from_sheet(tmp_path / "x.png")
    assert set(font) == {"A", "7"} and font["A"][0].shape[0] == 64
    for line in ("A 18 25", "A 18 25 60 x 0", "7 0 0 9 9 0", "7 300 25 340 80 0"):
        (tmp_path / "x.box").write_text(f"A 18 25 60 80 0\n{line}\n")
        with pytest.raises(ValueError, match=r"^data.glyphs: line 2 of x.box: "):
            from_sheet(tmp_path / "x.png")


# --- networks


def test_every_place_has_its_outputs() -> None:
    outputs = Detector(0.25).eval()(torch.rand(2, 3, 96, 160))
    assert outputs.shape == (2, len(grid_points(96, 160)), OUTPUTS)


def test_what_is_right_is_decoded_to_the_truth_and_costs_little() -> None:
    where = grid_points(128, 128)
    boxes = torch.tensor([[[40.0, 50.0, 88.0, 66.0]]])
    corners = torch.tensor([[[[40.0, 50], [88, 52], [88, 66], [40, 64]]]])
    mine = assign(where, boxes)
    outputs = torch.full((1, len(where), OUTPUTS), 0.0)
    outputs[..., 0] = torch.where(mine >= 0, 12.0, -12.0)
    outputs[..., 1:3] = (torch.tensor([64.0, 58.0]) - where[:, :2]) / where[:, 2:]
    outputs[..., 3:5] = torch.log(torch.tensor([48.0, 16.0]) / where[:, 2:])
    outputs[..., 5:] = ((corners[0, 0] - torch.tensor([64.0, 58.0])) / torch.tensor([24.0, 8.0])).flatten()
    assert detector_loss(outputs, where, boxes, corners)["loss"] < 0.01
    found, quads, scores = select(outputs[0], where, 0.5)
    assert len(found) == 1 and torch.allclose(found[0], boxes[0, 0], atol=0.1) and scores[0] > 0.99
    assert torch.allclose(quads[0], corners[0, 0], atol=0.1)


def test_corners_that_are_not_known_must_span_the_box() -> None:
    where = grid_points(64, 64)
    boxes, unknown = torch.tensor([[[20.0, 20.0, 52.0, 30.0]]]), torch.full((1, 1, 4, 2), torch.nan)
    outputs = torch.zeros(1, len(where), OUTPUTS)
    outputs[..., 5:] = SQUARE
    upright = detector_loss(outputs, where, boxes, unknown)["corner"]
    outputs[..., 5:] = SQUARE * 0.5
    assert upright == 0 and detector_loss(outputs, where, boxes, unknown)["corner"] > 0.1


def test_a_view_without_plates_has_a_loss() -> None:
    outputs = Detector(0.25)(torch.rand(1, 3, 64, 64))
    nothing = torch.full((1, 2, 4), torch.nan), torch.full((1, 2, 4, 2), torch.nan)
    loss = detector_loss(outputs, grid_points(64, 64), *nothing)["loss"]
    loss.backward()
    assert torch.isfinite(loss)


def test_repeats_are_merged_and_blanks_left_out() -> None:
    symbols = [0, 11, 11, 0, 11, 2, 2, 0]  # _ A A _ A 1 1 _
    logits = torch.nn.functional.one_hot(torch.tensor(symbols), 37).float().unsqueeze(1) * 20
    (reading,) = best_path(logits)
    assert reading.text == "AA1" and len(reading.confidences) == 3 and reading.confidence > 0.99


def test_a_text_is_as_likely_as_all_the_ways_to_write_it() -> None:
    logits = torch.randn(3, 1, 1 + len(CHARACTERS), generator=torch.Generator().manual_seed(0)) * 3
    p = logits.softmax(dim=2)[:, 0]  # (3, 37)
    a, b = (1 + CHARACTERS.index(c) for c in "AB")
    ways = {"AB": [(a, b, 0), (a, 0, b), (0, a, b), (a, a, b), (a, b, b)], "AA": [(a, 0, a)], "": [(0, 0, 0)]}
    sums = [sum(float(p[0, x] * p[1, y] * p[2, z]) for x, y, z in paths) for paths in ways.values()]
    found = likelihoods(logits.expand(-1, 3, -1), list(ways)).exp()
    assert found.tolist() == pytest.approx(sums, rel=1e-4)


def test_outputs_mean_the_middle_the_size_and_the_corners_of_a_plate() -> None:
    where = torch.tensor([[12.0, 20.0, 8.0]])  # the middle of a place of the finest map
    outputs = torch.cat([torch.tensor([0, 0.5, -0.25, math.log(6), math.log(2)]), SQUARE * 0.5]).unsqueeze(0)
    boxes, corners = decode(outputs, where)
    np.testing.assert_allclose(boxes[0], [-8, 10, 40, 26], atol=1e-5)  # 48 x 16 pixels around (16, 18)
    np.testing.assert_allclose(corners[0], [[4, 14], [28, 14], [28, 22], [4, 22]], atol=1e-5)


# --- evaluation


def test_metrics_count_what_they_say() -> None:
    assert edit_distance("KITTEN", "SITTING") == 3
    numbers = reading_metrics(["A0B", "XY", ""], ["AOB", "XY", "ABC"])
    assert numbers["exact"] == pytest.approx(1 / 3) and numbers["folded"] == pytest.approx(2 / 3)
    assert numbers["cer"] == pytest.approx(4 / 8)
    box = np.array([0, 0, 10, 5], np.float32)
    found = [[Detection(box, np.zeros((4, 2)), 0.9), Detection(box + 0.5, np.zeros((4, 2)), 0.8)]]
    numbers = detection_metrics(found, [box[None]])
    assert numbers["recall"] == 1 and numbers["precision"] == 0.5
    assert average_precision(found, [box[None]]) == 1  # the surer one is right
    assert average_precision(found, [np.stack([box, box + 50])]) == 0.5
    other = [Detection(box + 50, np.zeros((4, 2)), 0.95)]
    assert average_precision([*found, other], [box[None], np.zeros((0, 4))]) == 0.5
    assert average_precision([[]], [box[None]]) == 0


def test_evaluation_json_has_the_shape_of_all_projects(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert set(numbers) == {"project", "run", "data", "metrics", "intervals", "baselines", "slices"}
    assert {"width", "tilt", "brightness"} == {name.split()[0] for name in numbers["slices"]}
    assert {"exact", "folded", "cer", "recall", "precision", "recall_70", "exact_on_truth", "ms"} <= set(
        numbers["metrics"]
    )


def test_the_report_shows_what_decided_even_of_a_run_that_measured_less(run_folder: Path, tmp_path: Path) -> None:
    run = Run(Path(shutil.copytree(run_folder, tmp_path / "numberplate" / "older")))
    config = run.folder / "config.yaml"
    config.write_text(config.read_text().replace("monitor: ap", "monitor: f1"))
    metrics = pd.read_csv(run.folder / "metrics-detector.csv").drop(columns="ap")
    metrics.to_csv(run.folder / "metrics-detector.csv", index=False)
    evaluate_run(run)
    assert "Training, detector" in (run.folder / "report.html").read_text()


def test_the_report_needs_nothing_but_itself(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert "(the embedded sample" in page and "src=" in page
    assert "http://" not in page and "https://" not in page


def test_a_finished_run_scores_photos_and_crops(run_folder: Path, tables: Path, command: CommandLine) -> None:
    for table, n in (("photos.csv", 10), ("crops.csv", 40)):
        answer = command(
            EVALUATE, "--run", run_folder, "--data.source", "csv", "--data.root", tables / table,
            "--data.split", "all", "--evaluation.baseline_size", 0, "--json", "out.json",
        )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        numbers = json.loads((tables / "out.json").read_text())
        assert numbers["data"]["n"] == n and "exact" in numbers["metrics"]


def test_the_weights_that_come_with_the_project_are_scored_on_any_table(tables: Path, command: CommandLine) -> None:
    answer = command(
        EVALUATE, "--run", "shipped", "--data.source", "csv", "--data.root", tables / "photos.csv",
        "--evaluation.baseline_size", 0, "--json", "out.json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tables / "out.json").read_text())["data"]["n"] == 10


def test_photos_without_texts_are_scored_for_detection_only(run_folder: Path, tables: Path) -> None:
    rows = list(csv.DictReader((tables / "photos.csv").open()))
    lines = [",".join([row[k] for k in ("file", "x0", "y0", "x1", "y1")] + [""]) for row in rows]
    (tables / "boxes.csv").write_text("file,x0,y0,x1,y1,text\n" + "\n".join(lines) + "\n")
    config = DataConfig(source="csv", root=tables / "boxes.csv", split="all")
    model = Predictor.load(run_folder / "model.safetensors")
    evaluation = load(Config, {"evaluation": {"baseline": 0}}).evaluation
    numbers = evaluate(Run(run_folder), model, config, evaluation).numbers
    assert "recall" in numbers["metrics"] and "exact" not in numbers["metrics"]
