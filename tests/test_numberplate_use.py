"""numberplate in use: shipped weights, photos, videos, the window."""

import csv
import gc
import os
import shutil
import subprocess
import sys
import time
import tkinter as tk
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from projects.numberplate.config import DataConfig
from projects.numberplate.detect import cascade, contours
from projects.numberplate.evaluate import run_pipeline
from projects.numberplate.formats import FORMATS, disambiguate
from projects.numberplate.geometry import clockwise
from projects.numberplate.gui.window import Window
from projects.numberplate.gui.worker import DisplayItem, Worker
from projects.numberplate.pipeline import Pipeline, Plate, classical_pipeline, mark, rectified
from projects.numberplate.predictor import SHIPPED, Predictor
from projects.numberplate.read import tesseract_available
from projects.numberplate.sources import load_plates
from projects.numberplate.synthetic.fonts import matplotlib_fonts
from projects.numberplate.synthetic.streets import draw_scene
from projects.numberplate.video import Tracker, Video, watch
from shared.data.splits import TEST
from tests.conftest import CommandLine, environment

PREDICT = "projects.numberplate.predict"
needs_tesseract = pytest.mark.skipif(not tesseract_available(), reason="Tesseract is not installed")


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return Predictor.load(SHIPPED).pipeline()


@pytest.fixture(scope="session")
def scene() -> tuple[np.ndarray, str]:
    """A drawn street with one plate, and its text."""
    for seed in range(100):
        photo, plates = draw_scene(matplotlib_fonts(), np.random.default_rng((7, seed)))
        if len(plates) == 1 and np.ptp(plates[0][0][:, 0]) > 90:
            return photo, plates[0][1]
    raise AssertionError("no such scene")


def save(path: Path, photo: np.ndarray) -> Path:
    Image.fromarray(photo).save(path)
    return path


# --- formats


@pytest.mark.parametrize(
    ("text", "confidence", "country", "disambiguated"),
    [
        ("AB1O3CD", 0.5, "it", "AB103CD"),  # a digit must stand there
        ("AB1O3CD", 0.99, "it", "AB1O3CD"),  # the reader was certain
        ("AB1O3CD", 0.5, None, "AB1O3CD"),  # off without a country
        ("AB1O3CD", 0.5, "xx", "AB1O3CD"),
        ("A80123", 0.5, "lv", "AB0123"),
        ("ABX3", 0.5, "it", "ABX3"),  # no format of that length
        ("ABC1O34", 0.5, "br", "ABC1O34"),  # fits AAA9A99 as it is
    ],
)
def test_look_alikes_are_disambiguated_only_where_a_format_decides(
    text: str, confidence: float, country: str | None, disambiguated: str
) -> None:
    assert disambiguate(text, [confidence] * len(text), country) == disambiguated


def test_every_format_is_made_of_known_symbols() -> None:
    assert all(set(pattern) <= set("A9 -") for patterns in FORMATS.values() for pattern in patterns)


# --- the weights that come with the project


def test_the_shipped_weights_are_small() -> None:
    assert SHIPPED.stat().st_size < 4_000_000


@pytest.mark.parametrize(
    ("seed", "text", "box"),
    [
        (3, "UM56184", (213, 292, 284, 318)),
        (4, "FF5773", (230, 173, 314, 214)),
        (8, "U7593ER", (257, 266, 299, 300)),
        (10, "01HN837", (154, 209, 257, 240)),
        (13, "P8337JM", (204, 159, 295, 196)),
    ],
)
def test_the_shipped_weights_predict_golden_texts_and_boxes(
    pipeline: Pipeline, seed: int, text: str, box: tuple[int, int, int, int]
) -> None:
    photo, _ = draw_scene(matplotlib_fonts(), np.random.default_rng((11, seed)))
    plate = pipeline(photo)[0]
    assert plate.text == text and plate.confidence > 0.8
    np.testing.assert_allclose(plate.box, box, atol=4)  # another build of OpenCV draws and resizes slightly differently


def test_predictor_and_pipeline_give_the_same_output(pipeline: Pipeline, scene: tuple[np.ndarray, str]) -> None:
    one, other = ([replace(plate, ms=0) for plate in read(scene[0])] for read in (Predictor.load(SHIPPED), pipeline))
    assert one == other and one[0].text == scene[1]


def test_the_shipped_weights_read_drawn_plates(pipeline: Pipeline, sample_root: Path) -> None:
    photos, *_ = load_plates(DataConfig(root=sample_root, sample_size=40))
    metrics = run_pipeline(pipeline, [photo for photo in photos if photo.split == TEST]).metrics()
    assert metrics["recall"] > 0.8 and metrics["exact"] > 0.2


def test_a_tilted_plate_is_rectified(pipeline: Pipeline) -> None:
    from projects.numberplate.synthetic import camera

    rng = np.random.default_rng(5)
    plate = np.full((96, 440, 3), 240, np.uint8)
    cv2.putText(plate, "KR 5829 C", (24, 72), cv2.FONT_HERSHEY_DUPLEX, 2.3, (15, 15, 15), 6, cv2.LINE_AA)
    photo = cv2.GaussianBlur(rng.integers(60, 140, (480, 640, 3)).astype(np.uint8), (0, 0), 9)
    corners = np.array([[180, 200], [420, 220], [418, 273], [178, 253]], np.float32)
    camera.paste(photo, plate, corners, rng)
    (found,) = pipeline(photo)
    assert np.abs(np.array(found.corners) - corners).max() < 20
    assert found.text == "KR5829C" and len(found.confidences) == 7


# --- photos


def test_predict_prints_the_plates_and_writes_a_picture(
    scene: tuple[np.ndarray, str], tmp_path: Path, command: CommandLine
) -> None:
    save(tmp_path / "car.png", scene[0])
    answer = command(PREDICT, "car.png", "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    assert scene[1] in answer.stdout and (tmp_path / "runs/numberplate/shipped/predictions/car.png").is_file()
    before = (tmp_path / "car.png").read_bytes()
    refused = command(PREDICT, "car.png", "--overlay", ".")
    assert refused.returncode == 2 and "name another folder with --overlay" in refused.stderr
    assert (tmp_path / "car.png").read_bytes() == before


def test_photos_without_plates_have_no_false_positives(
    pipeline: Pipeline, tmp_path: Path, command: CommandLine
) -> None:
    words = np.full((400, 600, 3), 235, np.uint8)
    for line in range(8):
        cv2.putText(
            words,
            "the quick brown fox jumps over it",
            (15, 45 + 45 * line),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.9,
            (30, 30, 30),
            2,
        )
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    for photo in (words, noise, np.zeros((1, 1, 3), np.uint8), np.full((500, 30, 3), 128, np.uint8)):
        assert pipeline(photo) == []
    save(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))
    assert "no plate" in command(PREDICT, "dot.png").stdout


def test_rotated_greyscale_and_huge_photos_are_read(
    pipeline: Pipeline, scene: tuple[np.ndarray, str], tmp_path: Path
) -> None:
    from shared.data.images import read_image

    photo, text = scene
    turned = Image.fromarray(np.rot90(photo).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me clockwise"
    turned.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(photo).convert("L").save(tmp_path / "grey.png")
    cv2.imwrite(str(tmp_path / "huge.jpg"), cv2.resize(photo, (8000, 6000))[:, :, ::-1])
    for name in ("turned.jpg", "grey.png", "huge.jpg"):
        best, *_ = pipeline(read_image(tmp_path / name))
        assert best.text == text


def test_unreadable_files_are_one_sentence(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    for name, reason in (("broken.jpg", "damaged"), ("none.jpg", "there is no file"), ("clip.mp4", "not a video")):
        answer = command(PREDICT, name)
        assert answer.returncode == 2 and reason in answer.stderr and "Traceback" not in answer.stderr
    assert "country zz is not known" in command(PREDICT, "broken.jpg", "--country", "zz").stderr


def test_a_missing_tesseract_is_one_sentence_with_the_command_that_installs_it(tmp_path: Path) -> None:
    save(tmp_path / "x.png", np.zeros((9, 9, 3), np.uint8))
    words = [sys.executable, "-m", PREDICT, "x.png", "--engine", "tesseract"]
    answer = subprocess.run(words, cwd=tmp_path, env={**environment(), "PATH": ""}, text=True, capture_output=True)
    assert answer.returncode == 2 and "apt install tesseract-ocr" in answer.stderr and "Traceback" not in answer.stderr


# --- the classical pipeline


@needs_tesseract
def test_the_classical_pipeline_reads_a_clean_plate_without_weights() -> None:
    photo = np.full((300, 600, 3), 90, np.uint8)
    cv2.rectangle(photo, (120, 120), (480, 200), (245, 245, 245), -1)
    cv2.rectangle(photo, (120, 120), (480, 200), (10, 10, 10), 3)
    cv2.putText(photo, "KLM 742", (150, 180), cv2.FONT_HERSHEY_DUPLEX, 2, (10, 10, 10), 4, cv2.LINE_AA)
    (plate,) = classical_pipeline()(photo)
    assert plate.text == "KLM742"


@needs_tesseract
def test_a_tesseract_without_its_language_is_one_sentence(
    scene: tuple[np.ndarray, str], tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    save(tmp_path / "a.png", scene[0])
    answer = command(PREDICT, "a.png", "--engine", "tesseract")
    assert answer.returncode == 2 and answer.stderr.startswith("numberplate: Tesseract does not work: ")
    assert answer.stderr.count("\n") == 1


def test_classical_detectors_find_nothing_on_a_blank_photo_and_corners_are_sorted() -> None:
    grey = np.full((200, 300, 3), 128, np.uint8)
    assert contours(grey) == [] and cascade(grey) == []
    corners = np.array([[0, 0], [9, 1], [9, 4], [0, 3]], np.float32)
    assert np.array_equal(clockwise(corners[[2, 0, 3, 1]]), corners)
    diamond = np.array([[10, 0], [20, 10], [10, 20], [0, 10]], np.float32)
    assert len(np.unique(clockwise(diamond[[1, 3, 0, 2]]), axis=0)) == 4


# --- video


def plate_at(x: float, text: str, confidence: float) -> Plate:
    corners = ((x, 10.0), (x + 60, 10.0), (x + 60, 25.0), (x, 25.0))
    return Plate((x, 10.0, x + 60, 25.0), corners, text, confidence, (confidence,) * len(text), 0.9, 1.0)


def test_frames_vote_and_plates_are_tracked() -> None:
    tracker = Tracker()
    for frame, text in enumerate(["AB123", "AB128", "AB123", "AB123"]):
        near, far = tracker([plate_at(10 + 5 * frame, text, 0.6), plate_at(200, "XY9", 0.9)])
    assert near.text == "AB123" and far.text == "XY9" and len(tracker.tracks) == 2
    (near,) = tracker([plate_at(32, "AB128", 0.5)])
    assert near.text == "AB123"  # outvoted
    assert near.confidence < 0.6  # no higher than in the frames that read it
    assert far.confidence == pytest.approx(0.9)
    tracker([plate_at(900, "AB123", 0.5), plate_at(30, "CD45", 0.9)])  # it has moved, another is where it was
    assert [track.text for track in tracker.tracks] == ["AB123", "XY9", "CD45"]


def test_the_next_car_at_a_gate_starts_a_new_track() -> None:
    tracker = Tracker()
    for text, confidence in (("AB123XY", 0.97), ("AB12", 0.4), ("CD987ZW", 0.98), ("CD987ZW", 0.96)):
        tracker([plate_at(10, text, confidence)])
        tracker([])
    assert [(track.text, track.first) for track in tracker.found] == [("AB123XY", 0), ("CD987ZW", 4)]


@pytest.mark.parametrize("texts", [["AB1", "AB123XY", "AB123XY"], ["AB123XY", "AB123XY", "XY"]])
def test_a_car_that_enters_or_leaves_the_view_is_one_track(texts: list[str]) -> None:
    tracker = Tracker()
    for text in texts:
        tracker([plate_at(10, text, 0.9)])
    assert [track.text for track in tracker.tracks] == ["AB123XY"]
    assert tracker.found[0].voted.confidence == pytest.approx(0.9 * 2 / 3)  # what the frames agree on


@pytest.fixture
def clip(scene: tuple[np.ndarray, str], tmp_path: Path) -> Path:
    """Six frames of a street that moves, as MJPEG."""
    photo, path = scene[0], tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 5, (photo.shape[1], photo.shape[0]))
    for step in range(6):
        writer.write(np.roll(photo, 2 * step, axis=1)[:, :, ::-1])
    writer.release()
    return path


def test_complete_and_truncated_videos_are_read(
    scene: tuple[np.ndarray, str], clip: Path, pipeline: Pipeline, command: CommandLine
) -> None:
    answer = command(PREDICT, clip.name)
    assert answer.returncode == 0, answer.stderr
    assert scene[1] in answer.stdout and "frames/s" in answer.stdout
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    frames = list(watch(Video(clip), pipeline, Tracker()))
    assert 1 <= len(frames) < 6
    assert "of about 6 frames" in command(PREDICT, clip.name).stderr


# --- the window


@pytest.fixture(scope="session")
def screen() -> Generator[None]:
    """A screen: the one there is, else one in memory."""
    if os.environ.get("DISPLAY") or os.name == "nt":
        yield
        return
    if not shutil.which("Xvfb"):
        pytest.skip("there is no screen and no Xvfb")
    server = subprocess.Popen(["Xvfb", ":87", "-screen", "0", "1280x800x24"], stderr=subprocess.DEVNULL)
    os.environ["DISPLAY"] = ":87"
    for _ in range(100):
        try:
            tk.Tk().destroy()
            break
        except tk.TclError:
            time.sleep(0.05)
    yield
    gc.collect()
    server.terminate()
    server.wait()
    del os.environ["DISPLAY"]


@pytest.fixture
def window(screen: None, pipeline: Pipeline) -> Generator[Window]:
    gc.collect()  # the window before: Tcl aborts if it is collected in a worker's thread
    root = tk.Tk()
    made = Window(root, Worker(lambda engine, country: pipeline))
    root.update()
    yield made
    made.quit()


def wait(window: Window) -> None:
    """Let the window run until its worker has no more events."""
    for _ in range(600):
        window.root.update()
        time.sleep(0.01)
        if not window.worker.busy and window.worker.events.empty():
            for event in window.worker.drain():
                window.handle(event)
            window.root.update()
            return
    raise AssertionError("the worker does not end")


def press(window: Window, key: str, arrived: Callable[[], bool]) -> None:
    """Press a key until it has arrived: on a busy machine the window may not have the focus at once."""
    for _ in range(100):
        window.root.event_generate(key)
        window.root.update()
        if arrived():
            return
        time.sleep(0.05)
    raise AssertionError(f"{key} does not arrive")


def copied(window: Window) -> str:
    """The text in the clipboard, or nothing."""
    try:
        return window.root.clipboard_get()
    except tk.TclError:
        return ""


def labels(widget: tk.Misc) -> list[str]:
    """All texts below a widget."""
    own = [str(widget.cget("text"))] if "text" in (widget.keys() or ()) else []
    return own + [text for child in widget.winfo_children() for text in labels(child)]


def test_the_window_reads_photos_and_moves_between_them(
    window: Window, scene: tuple[np.ndarray, str], tmp_path: Path
) -> None:
    save(tmp_path / "a.png", scene[0])
    (tmp_path / "b.png").write_bytes(b"broken")
    window.open([tmp_path])
    wait(window)
    shown = "".join(labels(window.view.side))
    assert scene[1] in shown and "a.png  (1 of 2)" in shown
    window.root.focus_force()
    press(window, "<Right>", lambda: "b.png  (2 of 2)" in labels(window.view.side))
    assert any("not an image" in text for text in labels(window.view.side))
    assert window.items[0].image is None  # one photo at a time is held in memory
    press(window, "<Left>", lambda: window.items[0].image is not None)
    press(window, "<Control-c>", lambda: copied(window) == scene[1])
    window.export(tmp_path / "plates.csv")
    rows = list(csv.DictReader((tmp_path / "plates.csv").open()))
    assert {"text": scene[1], "file": str(window.paths[0])}.items() <= rows[0].items()


def test_the_window_plays_a_video_and_shows_the_frame_rate(window: Window, clip: Path) -> None:
    shown: list[str] = []
    set_status = window.set_status

    def record(text: str, problem: bool = False) -> None:
        shown.append(text)
        set_status(text, problem)

    window.set_status = record  # type: ignore[method-assign]
    window.open([clip])
    wait(window)
    assert any("frames/s" in text for text in shown) and shown[-1] == "the video ended after 6 frames"
    assert window.items[0].tracked_plates
    window.items[0].plates = []  # the plate has left the last frame
    window.export(clip.with_name("plates.csv"))
    texts = [row["text"] for row in csv.DictReader(clip.with_name("plates.csv").open())]
    assert texts == [plate.text for plate in window.items[0].tracked_plates]


def test_the_window_cancels_and_keeps_its_results(
    window: Window, scene: tuple[np.ndarray, str], tmp_path: Path
) -> None:
    for number in range(40):
        save(tmp_path / f"{number:02d}.png", scene[0])
    window.open([tmp_path])
    for _ in range(300):
        window.root.update()
        time.sleep(0.01)
        if window.items[0].done:
            break
    window.root.focus_force()
    press(window, "<Escape>", lambda: not window.worker.busy)
    assert "cancelled" in window.status.cget("text")
    assert window.items[0].plates and not window.items[-1].done


def test_the_window_scrolls_through_more_plates_than_it_has_room_for(
    window: Window, pipeline: Pipeline, scene: tuple[np.ndarray, str]
) -> None:
    plate = pipeline(scene[0])[0]
    plates = [replace(plate, text=f"AB{number}") for number in range(7)]
    window.items = [DisplayItem("a.png", scene[0], plates, done=True)]
    window.show()
    window.root.update()
    texts = labels(window.view.side)
    assert "AB0" in "".join(texts) and "AB6" not in "".join(texts) and any("7 plates" in text for text in texts)
    window.root.focus_force()
    for number in range(1, 7):
        press(window, "<Down>", lambda chosen=number: window.chosen == chosen)
    window.copy()
    assert copied(window) == "AB6" and "AB6" in "".join(labels(window.view.side))


def test_the_window_shows_errors(window: Window, tmp_path: Path) -> None:
    window.root.event_generate("<Control-c>")
    window.copy()
    assert "no plate to copy" in window.status.cget("text")
    window.open([tmp_path])
    assert "no photo" in window.status.cget("text")
    window.open([tmp_path / "no.mp4"])
    wait(window)
    assert "there is no file" in window.status.cget("text")


def test_without_a_screen_the_window_is_one_sentence(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.name == "nt":
        pytest.skip("there is always a screen on Windows")
    monkeypatch.delenv("DISPLAY", raising=False)
    answer = command("projects.numberplate.gui")
    assert answer.returncode == 2 and "there is no screen to open a window on" in answer.stderr


def test_importing_the_window_imports_neither_tk_nor_torch() -> None:
    check = "import sys, projects.numberplate.gui; assert not {'tkinter', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], env=environment(), check=True)


def test_marked_photos_keep_their_size(scene: tuple[np.ndarray, str]) -> None:
    plate = plate_at(100, "AB123", 0.4)
    assert mark(scene[0], [plate]).shape == scene[0].shape
    assert rectified(scene[0], plate).shape[0] == 96


@pytest.mark.realdata
def test_most_plates_on_real_photos_are_detected(pipeline: Pipeline) -> None:
    table = os.environ.get("NUMBERPLATES")
    if not table:
        pytest.skip("set NUMBERPLATES to a table of real photos (file,x0,y0,x1,y1,text)")
    photos, *_ = load_plates(DataConfig(source="csv", root=Path(table)))
    metrics = run_pipeline(pipeline, [photo for photo in photos if photo.split == TEST][:100]).metrics()
    assert metrics["recall"] > 0.8
