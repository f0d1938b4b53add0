"""numberplate: training, data and evaluation, on the real command line with tiny networks."""

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

from projects.numberplate.augmentation import random_view
from projects.numberplate.config import Config, DataConfig, EvaluateOptions
from projects.numberplate.data import PlateData, RandomPlates, RandomViews
from projects.numberplate.detect import FILL, Detection, select, to_input
from projects.numberplate.evaluate import evaluate
from projects.numberplate.formats import CHARACTERS
from projects.numberplate.geometry import corners_of
from projects.numberplate.losses import assign, detector_loss, reader_loss
from projects.numberplate.metrics import average_precision, detection_metrics, edit_distance, reading_metrics
from projects.numberplate.model import OUTPUTS, SQUARE, Detector, Reader, decode, grid_points
from projects.numberplate.predictor import SHIPPED, Predictor
from projects.numberplate.read import greedy_decode, log_likelihoods
from projects.numberplate.sources import load_plates, own_data
from projects.numberplate.synthetic import camera, plates
from projects.numberplate.synthetic.fonts import SEAL, font_from_sheet, matplotlib_fonts
from projects.numberplate.synthetic.plates import draw_plate
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.images import read_image
from shared.data.loader import Batches
from shared.data.provenance import FILE, Fingerprints, Provenance, file_fingerprints, record
from shared.data.splits import TEST, TRAIN, VALIDATION
from shared.runs import Run
from shared.training.checkpoint import load_model, save_model
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


def test_training_losses_match_golden_values(run_folder: Path) -> None:
    golden = {"detector": [2.01151, 1.98067], "reader": [37.2599, 36.083]}
    for part, losses in golden.items():
        assert [row["train_loss"] for row in Run(run_folder, part).history()] == pytest.approx(losses, rel=0.02)


def test_the_reader_overfits_one_batch() -> None:
    seed_everything(0)
    reader = Reader(hidden_size=32).train()
    reader.drop.p = 0.0
    drawn = RandomPlates([], matplotlib_fonts(), 2, 0.0, difficulty=0.2)
    images, texts, lengths = next(Batches(drawn, 2, seed=0).epoch(0))
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


def test_the_detector_overfits_one_batch(sample: PlateData) -> None:
    seed_everything(0)
    detector = Detector(0.5).train()
    photos = [photo for photo in sample.photos if len(photo.boxes)][:1]
    images, boxes, corners = next(Batches(RandomViews(photos, matplotlib_fonts(), 4, 160, 1.0), 4, seed=1).epoch(0))
    points = grid_points(160, 160)
    optimizer = torch.optim.AdamW(detector.parameters(), 4e-3)
    first = None
    for _ in range(60):
        loss = detector_loss(detector(to_input(images)), points, boxes, corners)["loss"]
        first = first or loss.item()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.25 * first


@pytest.mark.parametrize(("part", "table"), [("reader", "crops.csv"), ("detector", "photos.csv")])
def test_one_network_is_trained_alone_on_its_own_table(
    part: str, table: str, tables: Path, command: CommandLine
) -> None:
    settings = [word for word in tiny(tables) if "data" not in word and "model" not in word]
    source = ["--data.source", "csv", "--data.root", table]
    answer = command(TRAINING, "--part", part, *source, "--model.image_size", 160, *settings)
    assert answer.returncode == 0, answer.stderr
    (run,) = (tables / "runs" / "numberplate").iterdir()
    assert (run / "report.html").is_file()


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.slow
def test_a_run_killed_in_its_second_training_resumes_to_the_same_weights(
    tmp_path: Path, sample_root: Path, run_folder: Path, command: CommandLine
) -> None:
    settings = tiny(sample_root, "--detector.checkpoint_minutes=0", "--reader.checkpoint_minutes=0")
    killed = kill_and_resume(TRAINING, settings, tmp_path, command, "reader")
    a, b = (Predictor.load(folder / "model.safetensors") for folder in (killed, run_folder))
    assert a.threshold == b.threshold
    for part in ("detector", "reader"):
        first, second = getattr(a, part).state_dict(), getattr(b, part).state_dict()
        assert all(torch.equal(p, q) for p, q in zip(first.values(), second.values()))


@pytest.mark.slow
def test_two_processes_train_together(tmp_path: Path, sample_root: Path) -> None:
    _, run = one_and_two_processes(TRAINING, tiny(sample_root), tmp_path)
    assert len(run.stage("detector").history()) == len(run.stage("reader").history()) == 2


def test_missing_texts_are_reported_before_the_detector_is_trained(tables: Path, command: CommandLine) -> None:
    pd.read_csv(tables / "photos.csv").drop(columns="text").to_csv(tables / "boxes.csv", index=False)
    settings = [word for word in tiny(tables) if "data" not in word]
    answer = command(TRAINING, "--data.source", "csv", "--data.root", "boxes.csv", *settings)
    assert answer.returncode == 2 and "no validation plate with a text" in answer.stderr
    assert not list(tables.glob("runs/numberplate/*"))


def test_user_errors_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "crops.csv").write_text("file,text\nno.jpg,AB12\n")
    (tmp_path / "odd.csv").write_text("name,words\n1,2\n")
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 60, 3), np.uint8))
    for name, row in (("digits", 'a,b,c,d,"X1"'), ("good", "1,2,30,20,AB1")):
        (tmp_path / f"{name}.csv").write_text(f"file,x0,y0,x1,y1,text\na.png,{row}\n", encoding="utf-8")
    for settings, reason in (
        (["--data.source", "csv"], "--data.root FILE"),
        (["--data.source", "csv", "--data.root", "crops.csv"], "no.jpg"),
        (["--data.source", "csv", "--data.root", "odd.csv"], "its columns are name, words"),
        (["--data.source", "csv", "--data.root", "digits.csv"], "column x0: 'a' in row 1 is not a number"),
        (["--data.root", "good.csv"], "say what they are with --data.source"),
        (["--data.crops", "good.csv"], "data.crops needs --data.source csv"),
        (
            ["--data.source", "csv", "--data.root", "good.csv", "--data.exclude_sets", "[zz]"],
            "there is no set zz, only",
        ),
        (["--data.glyphs", "sheets"], "data.glyphs is for source csv"),
        (["--evaluation.country", "zz"], "country zz is not known; known countries: ar, at"),
        (["--name", "a/b"], "name: must be a name, not the path 'a/b'"),
        (["--part", "wheel"], "part must be 'both', 'detector' or 'reader'"),
        (["--detector.image_size", "100"], "detector.image_size must be a multiple of 32"),
        (["--model.reader_weights", "no.safetensors", "--data.sample_size", "40"], "no.safetensors"),
        (["--reader.monitor", "cer"], "cer is minimised; set direction: min"),
    ):
        answer = command(TRAINING, *settings)
        assert answer.returncode == 2, answer.stdout
        assert reason in answer.stderr.replace("valid ", "") and "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/numberplate/*"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data.photos", "data.sample_size"),
        ("data.leave_out", "data.exclude_sets"),
        ("data.only", "data.test_sets"),
        ("model.detector", "model.detector_weights"),
        ("model.reader", "model.reader_weights"),
        ("model.size", "model.image_size"),
        ("model.width", "model.width_multiplier"),
        ("model.hidden", "model.hidden_size"),
        ("detector.images", "detector.samples_per_epoch"),
        ("detector.real", "detector.real_fraction"),
        ("detector.size", "detector.image_size"),
        ("detector.average", "detector.ema_decay"),
        ("detector.clip", "detector.gradient_clip"),
        ("detector.accumulate", "detector.gradient_accumulation"),
        ("detector.workers", "detector.num_workers"),
        ("reader.images", "reader.samples_per_epoch"),
        ("reader.real", "reader.real_fraction"),
        ("reader.hard", "reader.difficulty"),
        ("reader.average", "reader.ema_decay"),
        ("reader.clip", "reader.gradient_clip"),
        ("reader.accumulate", "reader.gradient_accumulation"),
        ("reader.workers", "reader.num_workers"),
        ("evaluation.baseline", "evaluation.baseline_size"),
    ],
)
def test_an_old_setting_is_refused_with_its_new_name(old: str, new: str) -> None:
    with pytest.raises(ValueError, match=f"^{old} is now called {new}$"):
        load(Config, parse_arguments([f"--{old}", "1"]))


def test_a_model_file_of_an_earlier_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    tensors, about = load_model(SHIPPED, "numberplate")
    settings = {"detector": "auto", "reader": "auto", "size": 832, "width": 1.0, "hidden": 96}
    save_model(tmp_path / "old.safetensors", tensors, {**about, "model": settings})
    with pytest.raises(ValueError, match="saved by another version of this project: detector is now called"):
        Predictor.load(tmp_path / "old.safetensors")
    renamed = {name.replace("reader.backbone", "reader.look"): value for name, value in tensors.items()}
    save_model(tmp_path / "names.safetensors", renamed, about)
    with pytest.raises(ValueError, match="do not fit the network"):
        Predictor.load(tmp_path / "names.safetensors")


# --- data


def test_a_text_of_digits_keeps_its_zeros(tables: Path) -> None:
    (tables / "digits.csv").write_text("file,text\n" + "".join(f"aa/{n}.png,00{n}7\n" for n in range(1, 20, 2)))
    crops = PlateData(DataConfig(source="csv", root=tables / "digits.csv", split="all", cache=tables)).crops
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


def test_a_test_text_is_not_trained_on_even_from_another_table(tables: Path) -> None:
    config = DataConfig(source="csv", root=tables / "photos.csv", crops=tables / "crops.csv")
    photos, crops, _ = load_plates(config)
    tested = {crop.text for crop in crops if crop.split == TEST}
    assert {"AB007", "AB008", "AB009"} <= tested
    assert not tested & {crop.text for crop in crops if crop.split == TRAIN}
    assert not tested & {text for photo in photos if photo.split == TRAIN for text in photo.texts}


def test_sets_are_excluded_and_folds_cover_every_text_once(tables: Path) -> None:
    config = DataConfig(source="csv", root=tables / "crops.csv", exclude_sets=("aa",))
    _, crops, _ = load_plates(config)
    assert {crop.set_name for crop in crops if crop.split == TRAIN} == {"bb"}
    assert {crop.set_name for crop in crops if crop.split == TEST} == {"aa", "bb"}
    tested = []
    for fold in range(5):
        _, crops, _ = load_plates(DataConfig(source="csv", root=tables / "crops.csv", fold=fold))
        tested += sorted({crop.text for crop in crops if crop.split == TEST})
    assert sorted(tested) == sorted({crop.text for crop in crops})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("photos/0.png,5,5,2,9,X,train", "photos/0.png: the box is not four numbers"),
        ("photos/0.png,5,,2,9,X,train", "photos/0.png: the box is not four numbers"),
        ("photos/0.png,,,,,X,train", "there is a text but no box"),
        ("photos/0.png,.1,.2,.5,.4,X,train\nphotos/1.png,9,9,19,19,Y,dev", "smaller than a pixel, but others are"),
        ("photos/0.png,1,1,9,9,X,train\nphotos/0.png,9,9,19,19,Y,dev", "split names two sets for .*0.png"),
        ("x.png,1,1,2,2,,train", "x.png"),
    ],
)
def test_bad_rows_are_refused_with_a_sentence(tables: Path, row: str, reason: str) -> None:
    (tables / "bad.csv").write_text(f"file,x0,y0,x1,y1,text,split\n{row}\n")
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        load_plates(DataConfig(source="csv", root=tables / "bad.csv"))


def test_the_usual_variants_of_a_table_are_read(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["photos/0.png,5,5,45,15,ab-1 2", "photos/0.png,5,5,45,15,AB12", "photos/1.png,5,5,45,15,M?1", ",,,,,"]
    (tables / "voc.csv").write_text("\n".join(["File,xmin,ymin,xmax,ymax,Text", *rows]))
    photos, crops, _ = load_plates(DataConfig(source="csv", root=tables / "voc.csv", split="all"))
    assert [photo.texts for photo in photos] == [("AB12",), ("",)] and len(crops) == 1
    assert (
        "1 texts are ignored, because they contain characters other than A-Z and 0-9 (M?1)" in capsys.readouterr().err
    )
    (tables / "other.csv").write_text("file,X0,x0,y0,x1,y1,text\nphotos/0.png,5,5,5,40,10,AB12\n")
    with pytest.raises(ValueError, match="several columns called x0: X0, x0"):
        load_plates(DataConfig(source="csv", root=tables / "other.csv"))
    (tables / "other.csv").write_text("file;text\nphotos/0.png;AB12\n")
    assert [crop.text for crop in load_plates(DataConfig(source="csv", root=tables / "other.csv")).crops] == ["AB12"]


def test_the_column_split_is_used_and_must_be_complete(tables: Path) -> None:
    lines = (tables / "photos.csv").read_text().splitlines()
    lines[2] = lines[2].replace("train", "val")
    (tables / "three.csv").write_text("\n".join(lines) + "\n")
    photos, *_ = load_plates(DataConfig(source="csv", root=tables / "three.csv"))
    assert [photo.split for photo in photos] == [TRAIN, VALIDATION, *[TRAIN] * 5, *[TEST] * 3]
    lines[3] = lines[3].replace("train", "")
    (tables / "holes.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=r"the column split is empty for .*2\.png"):
        load_plates(DataConfig(source="csv", root=tables / "holes.csv"))


def test_a_drawn_plate_is_a_function_of_its_seed() -> None:
    fonts = matplotlib_fonts()
    a, b, other = (draw_plate(fonts[0], np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert a.text == b.text and np.array_equal(a.image, b.image)
    assert other.text != a.text


def test_band_and_seal_are_drawn_but_are_not_part_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plates, "random_text", lambda rng: ("de", f"B{SEAL}MO 6725"))
    drawn = [draw_plate(matplotlib_fonts()[0], np.random.default_rng(seed), difficulty=0) for seed in range(20)]
    assert {plate.text for plate in drawn} == {"BMO6725"} and {plate.lines for plate in drawn} == {1, 2}
    blue = [plate.image[:, :20, 2].mean() - plate.image[:, :20, 0].mean() > 50 for plate in drawn]
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
    views = RandomViews([p for p in sample.photos if len(p.boxes)], matplotlib_fonts(), 64, 128, 0.5)
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
def test_a_random_view_shows_the_plate_exactly_in_its_box(known: bool) -> None:
    rng, tested = np.random.default_rng(0), 0
    for _ in range(120):
        photo = np.full((300, 400, 3), FILL, np.uint8)
        x, y, width, height = rng.integers([50, 50, 30, 10], [250, 200, 100, 40])
        photo[y : y + height, x : x + width] = 255
        boxes = np.array([[x, y, x + width, y + height]], np.float32)
        corners = corners_of(boxes) if known else np.full((1, 4, 2), np.nan, np.float32)
        view, (box,), _ = random_view(photo, boxes, corners, 256, rng)
        if box.min() < 2 or box.max() > 254:
            continue
        ink = (view[..., 0].astype(float) - FILL) / (255 - FILL)
        columns, rows = ink.sum(axis=0), ink.sum(axis=1)
        middles = [weights @ (np.arange(256) + 0.5) / weights.sum() for weights in (columns, rows)]
        assert np.allclose((box[:2] + box[2:]) / 2, middles, atol=0.35)
        if not known:  # and no larger than it is
            assert np.allclose(box[2:] - box[:2], [rows.max(), columns.max()], atol=0.35)
        tested += 1
    assert tested > 60


def test_a_glyph_sheet_is_a_font(tmp_path: Path) -> None:
    page = np.full((100, 200), 255, np.uint8)
    cv2.putText(page, "A7", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 5)
    cv2.imwrite(str(tmp_path / "x.png"), page)
    (tmp_path / "x.box").write_text("A 18 25 60 80 0\n7 60 25 100 80 0\n")
    font = font_from_sheet(tmp_path / "x.png")
    assert set(font) == {"A", "7"} and font["A"][0].shape[0] == 64
    for line in ("A 18 25", "A 18 25 60 x 0", "7 0 0 9 9 0", "7 300 25 340 80 0"):
        (tmp_path / "x.box").write_text(f"A 18 25 60 80 0\n{line}\n")
        with pytest.raises(ValueError, match=r"^data.glyphs: line 2 of x.box: "):
            font_from_sheet(tmp_path / "x.png")


# --- networks


def test_every_grid_point_has_outputs() -> None:
    outputs = Detector(0.25).eval()(torch.rand(2, 3, 96, 160))
    assert outputs.shape == (2, len(grid_points(96, 160)), OUTPUTS)


def test_correct_outputs_are_decoded_to_the_ground_truth_and_have_a_small_loss() -> None:
    points = grid_points(128, 128)
    boxes = torch.tensor([[[40.0, 50.0, 88.0, 66.0]]])
    corners = torch.tensor([[[[40.0, 50], [88, 52], [88, 66], [40, 64]]]])
    mine = assign(points, boxes)
    outputs = torch.full((1, len(points), OUTPUTS), 0.0)
    outputs[..., 0] = torch.where(mine >= 0, 12.0, -12.0)
    outputs[..., 1:3] = (torch.tensor([64.0, 58.0]) - points[:, :2]) / points[:, 2:]
    outputs[..., 3:5] = torch.log(torch.tensor([48.0, 16.0]) / points[:, 2:])
    outputs[..., 5:] = ((corners[0, 0] - torch.tensor([64.0, 58.0])) / torch.tensor([24.0, 8.0])).flatten()
    assert detector_loss(outputs, points, boxes, corners)["loss"] < 0.01
    found, quads, scores = select(outputs[0], points, 0.5)
    assert len(found) == 1 and torch.allclose(found[0], boxes[0, 0], atol=0.1) and scores[0] > 0.99
    assert torch.allclose(quads[0], corners[0, 0], atol=0.1)


def test_unknown_corners_must_span_the_box() -> None:
    points = grid_points(64, 64)
    boxes, unknown = torch.tensor([[[20.0, 20.0, 52.0, 30.0]]]), torch.full((1, 1, 4, 2), torch.nan)
    outputs = torch.zeros(1, len(points), OUTPUTS)
    outputs[..., 5:] = SQUARE
    upright = detector_loss(outputs, points, boxes, unknown)["corner"]
    outputs[..., 5:] = SQUARE * 0.5
    assert upright == 0 and detector_loss(outputs, points, boxes, unknown)["corner"] > 0.1


def test_the_loss_of_a_view_without_plates_is_finite() -> None:
    outputs = Detector(0.25)(torch.rand(1, 3, 64, 64))
    nothing = torch.full((1, 2, 4), torch.nan), torch.full((1, 2, 4, 2), torch.nan)
    loss = detector_loss(outputs, grid_points(64, 64), *nothing)["loss"]
    loss.backward()
    assert torch.isfinite(loss)


def test_greedy_decoding_merges_repeats_and_removes_blanks() -> None:
    symbols = [0, 11, 11, 0, 11, 2, 2, 0]  # _ A A _ A 1 1 _
    logits = torch.nn.functional.one_hot(torch.tensor(symbols), 37).float().unsqueeze(1) * 20
    (reading,) = greedy_decode(logits)
    assert reading.text == "AA1" and len(reading.confidences) == 3 and reading.confidence > 0.99


def test_the_likelihood_of_a_text_is_the_sum_over_its_alignments() -> None:
    logits = torch.randn(3, 1, 1 + len(CHARACTERS), generator=torch.Generator().manual_seed(0)) * 3
    p = logits.softmax(dim=2)[:, 0]  # (3, 37)
    a, b = (1 + CHARACTERS.index(c) for c in "AB")
    alignments = {"AB": [(a, b, 0), (a, 0, b), (0, a, b), (a, a, b), (a, b, b)], "AA": [(a, 0, a)], "": [(0, 0, 0)]}
    sums = [sum(float(p[0, x] * p[1, y] * p[2, z]) for x, y, z in paths) for paths in alignments.values()]
    found = log_likelihoods(logits.expand(-1, 3, -1), list(alignments)).exp()
    assert found.tolist() == pytest.approx(sums, rel=1e-4)


def test_outputs_encode_the_centre_the_size_and_the_corners_of_a_plate() -> None:
    points = torch.tensor([[12.0, 20.0, 8.0]])  # a grid point of the finest map
    outputs = torch.cat([torch.tensor([0, 0.5, -0.25, math.log(6), math.log(2)]), SQUARE * 0.5]).unsqueeze(0)
    boxes, corners = decode(outputs, points)
    np.testing.assert_allclose(boxes[0], [-8, 10, 40, 26], atol=1e-5)  # 48 x 16 pixels around (16, 18)
    np.testing.assert_allclose(corners[0], [[4, 14], [28, 14], [28, 22], [4, 22]], atol=1e-5)


# --- evaluation


def test_reading_and_detection_metrics_match_values_computed_by_hand() -> None:
    assert edit_distance("KITTEN", "SITTING") == 3
    numbers = reading_metrics(["A0B", "XY", ""], ["AOB", "XY", "ABC"])
    assert numbers["exact"] == pytest.approx(1 / 3) and numbers["folded"] == pytest.approx(2 / 3)
    assert numbers["cer"] == pytest.approx(4 / 8)
    box = np.array([0, 0, 10, 5], np.float32)
    found = [[Detection(box, np.zeros((4, 2)), 0.9), Detection(box + 0.5, np.zeros((4, 2)), 0.8)]]
    numbers = detection_metrics(found, [box[None]])
    assert numbers["recall"] == 1 and numbers["precision"] == 0.5
    assert average_precision(found, [box[None]]) == 1  # the one with the higher score matches
    assert average_precision(found, [np.stack([box, box + 50])]) == 0.5
    other = [Detection(box + 50, np.zeros((4, 2)), 0.95)]
    assert average_precision([*found, other], [box[None], np.zeros((0, 4))]) == 0.5
    assert average_precision([[]], [box[None]]) == 0


def test_the_evaluation_measures_reading_detection_and_slices(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert {"width", "tilt", "brightness"} == {name.split()[0] for name in numbers["slices"]}
    assert {"exact", "folded", "cer", "recall", "precision", "recall_70", "exact_on_truth", "ms"} <= set(
        numbers["metrics"]
    )
    assert numbers["headline"] == {"metric": "exact", "direction": "max"}


def test_a_report_is_written_for_a_run_whose_history_lacks_a_metric(
    run_folder: Path, tmp_path: Path, command: CommandLine
) -> None:
    run = Run(Path(shutil.copytree(run_folder, tmp_path / "runs" / "numberplate" / "older")))
    config = run.folder / "config.yaml"
    config.write_text(config.read_text().replace("monitor: ap", "monitor: f1"))
    metrics = pd.read_csv(run.folder / "metrics-detector.csv").drop(columns="ap")
    metrics.to_csv(run.folder / "metrics-detector.csv", index=False)
    (run.folder / "report.html").unlink()
    answer = command(EVALUATE, "--run", run.folder)
    assert answer.returncode == 0, answer.stderr
    assert "Training, detector" in (run.folder / "report.html").read_text()


def test_predictions_list_every_plate_and_every_false_positive(sample_root: Path, sample: PlateData) -> None:
    options = EvaluateOptions(data=DataConfig(root=sample_root, sample_size=40), evaluation={"baseline_size": 0})
    result = evaluate(Predictor.load(SHIPPED), options, Provenance(None))
    photos = sample.photos_of(TEST)
    plates = [(photo.path.name, text) for photo in photos for text in photo.texts]
    assert [(row["item"], row["true"]) for row in result.predictions[: len(plates)]] == plates
    assert np.mean([row["found"] for row in result.predictions[: len(plates)]]) == result.numbers["metrics"]["recall"]
    assert np.mean([row["exact"] for row in result.predictions[: len(plates)]]) == result.numbers["metrics"]["exact"]
    assert all(row["true"] == row["found"] == row["exact"] == "" for row in result.predictions[len(plates) :])
    assert result.answers is not None
    found = sum(len(plates) for plates in result.answers.plates)
    true_positives = sum(row["found"] for row in result.predictions[: len(plates)])
    assert len(result.predictions) - len(plates) == found - true_positives
    assert all(list(row) == list(result.predictions[0]) for row in result.predictions)


def test_a_finished_run_scores_photos_and_crops(run_folder: Path, tables: Path, command: CommandLine) -> None:
    for table, n in (("photos.csv", 10), ("crops.csv", 40)):
        answer = command(
            EVALUATE, "--run", run_folder, "--data.source", "csv", "--data.root", tables / table,
            "--data.split", "all", "--evaluation.baseline_size", 0, "--json", "out.json",
        )  # fmt: skip
        assert answer.returncode == 0, answer.stderr
        numbers = json.loads((tables / "out.json").read_text())
        assert numbers["data"]["n"] == n and "exact" in numbers["metrics"]


def test_the_shipped_weights_are_scored_on_any_table(tables: Path, command: CommandLine) -> None:
    answer = command(
        EVALUATE, "--run", "shipped", "--data.source", "csv", "--data.root", tables / "photos.csv",
        "--evaluation.baseline_size", 0, "--json", "out.json",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tables / "out.json").read_text())["data"]["n"] == 10
    (page,) = tables.glob("runs/numberplate/shipped/evaluations/*/report.html")
    assert "Comparison with baselines" in page.read_text()


def test_photos_without_texts_are_scored_for_detection_only(run_folder: Path, tables: Path) -> None:
    rows = list(csv.DictReader((tables / "photos.csv").open()))
    lines = [",".join([row[k] for k in ("file", "x0", "y0", "x1", "y1")] + [""]) for row in rows]
    (tables / "boxes.csv").write_text("file,x0,y0,x1,y1,text\n" + "\n".join(lines) + "\n")
    numbers = scored(run_folder, tables / "boxes.csv")
    assert "recall" in numbers["metrics"] and "exact" not in numbers["metrics"]


# --- provenance


def scored(run_folder: Path, table: Path, **options: object) -> dict:
    """The numbers of a run on all rows of a table."""
    data = DataConfig(source="csv", root=table, split="all")
    asked = EvaluateOptions(data=data, evaluation={"baseline_size": 0}, **options)
    predictor = Predictor.load(run_folder / "model.safetensors")
    return evaluate(predictor, asked, Provenance.load(run_folder)).numbers


def test_photos_that_a_run_was_trained_on_are_counted_and_left_out(
    run_folder: Path, tables: Path, sample: PlateData
) -> None:
    """Data leakage: a user's table contains training photos, one of them re-encoded and mirrored."""
    seen = [*sample.photos_of(TRAIN)[:2], *sample.photos_of(VALIDATION)[:1]]
    rows = [f"{photo.path},{number},10,60,30,AB{number}" for number, photo in enumerate(seen)]
    again = read_image(sample.photos_of(TRAIN)[2].path)[:, ::-1]
    cv2.imwrite(str(tables / "again.jpg"), np.ascontiguousarray(again[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 60])
    own = [f"photos/{number}.png,10,20,50,30,AB{number:03d}" for number in range(4)]
    (tables / "leak.csv").write_text(
        "\n".join(["file,x0,y0,x1,y1,text", *rows, "again.jpg,5,5,45,15,XY1", *own]) + "\n"
    )
    numbers = scored(run_folder, tables / "leak.csv")
    assert numbers["data"] | {"n": 4, "seen": 4} == numbers["data"]
    kept = scored(run_folder, tables / "leak.csv", seen="keep")
    assert kept["data"] | {"n": 8, "seen": 4} == kept["data"]
    (tables / "leak.csv").write_text("\n".join(["file,x0,y0,x1,y1,text", *rows]) + "\n")
    with pytest.raises(ValueError, match="all 3 items were in this run's training or validation set"):
        scored(run_folder, tables / "leak.csv")


def test_crops_that_a_run_was_trained_on_are_left_out_of_a_second_table_too(run_folder: Path, tables: Path) -> None:
    folder = Path(shutil.copytree(run_folder, tables / "numberplate" / "run"))
    record(folder, file_fingerprints(tables / f"bb/{number}.png" for number in range(0, 40, 4)))
    assert (
        scored(folder, tables / "crops.csv")["data"] | {"n": 30, "seen": 10}
        == scored(folder, tables / "crops.csv")["data"]
    )
    data = DataConfig(source="csv", root=tables / "photos.csv", crops=tables / "crops.csv", split="all")
    options = EvaluateOptions(data=data, evaluation={"baseline_size": 0})
    result = evaluate(Predictor.load(folder / "model.safetensors"), options, Provenance.load(folder))
    assert result.numbers["data"]["n"] == 10 and result.numbers["data"]["seen"] == 0  # the photos are not seen


def test_a_run_records_its_training_data_and_that_of_its_initial_weights(
    run_folder: Path, tables: Path, sample: PlateData, command: CommandLine
) -> None:
    first = Provenance.load(run_folder).items
    files = {one.path for split in (TRAIN, VALIDATION) for one in (*sample.photos_of(split), *sample.crops_of(split))}
    assert first is not None and len(first.exact) == len(file_fingerprints(files).exact) + len(shared_photos(sample))
    settings = [word for word in tiny(tables) if "data" not in word]
    weights = run_folder / "model.safetensors"
    answer = command(
        TRAINING, "--part", "reader", "--data.source", "csv", "--data.root", "crops.csv", *settings,
        "--model.reader_weights", weights, "--model.detector_weights", weights,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    (second,) = (tables / "runs" / "numberplate").iterdir()
    items = Provenance.load(second).items
    assert items is not None and set(first.exact) < set(items.exact)
    assert Provenance.load(second).seen(sample.fingerprints(TRAIN, "both"), keep=True).scored.all()
    assert Provenance.load(second).seen(sample.fingerprints(TRAIN, "both"), keep=True).mask.all()


def shared_photos(sample: PlateData) -> set[Path]:
    """Photos that are in both the training and the validation set, as photo or as crop."""
    train, validation = (
        {one.path for one in (*sample.photos_of(split), *sample.crops_of(split))} for split in (TRAIN, VALIDATION)
    )
    return train & validation


def test_the_shipped_weights_come_with_a_record_of_their_training_data() -> None:
    items = Provenance.load(SHIPPED.parent).items
    assert isinstance(items, Fingerprints) and len(items.exact) == 8153 and items.perceptual is not None
    assert (SHIPPED.parent / FILE).stat().st_size < 350_000


def test_the_sample_is_readable_as_user_data(tmp_path: Path) -> None:
    table, photo = own_data(tmp_path, DataConfig(sample_size=40))
    photos, *_ = load_plates(DataConfig(source="csv", root=table, split="all"))
    assert len(photos) == 40 and photo in {one.path for one in photos}
