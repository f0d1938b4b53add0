"""The promise: whatever a file is called, its name can be shown, and one bad item never ends the batch."""

import json
import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from projects.imagecaption.predict import as_path, list_photos
from projects.plantdisease.config import Config, ModelConfig
from projects.plantdisease.model import TestTimeAugmentation as Views
from projects.plantdisease.model import build_model
from projects.plantdisease.ood import OutOfDistribution, with_activations
from projects.plantdisease.predictor import Predictor
from shared.command import picture_files, readable
from shared.compute.device import seed_everything
from shared.config import to_yaml
from shared.data.images import read_image
from shared.files import write_text
from shared.names import safe_file_name, shown
from shared.runs import Run
from tests.conftest import CommandLine

ODD = ["\udcff\udcfe.jpg", "two\nlines.jpg", "\x1b[31mred.jpg", "\u202egpj.exe", "tab\t.jpg", "nul\0.jpg", "é" * 120]


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_shown_on_one_line_that_can_be_written(name: str) -> None:
    line = shown(name)
    assert line.isprintable()
    assert json.loads(json.dumps(line).encode()) == line


@pytest.mark.parametrize(
    "name", ["leaf 1.jpg", "Blatt ä.png", "日本.jpg", "C:\\photos\\a.jpg", "a\u202fb.png", "👩\u200d🌾.jpg"]
)
def test_an_ordinary_name_is_shown_as_it_is(name: str) -> None:
    assert shown(name) == name


@pytest.mark.parametrize("name", [*ODD, "", ".", "..", "a/b\\c", "con", "nul.jpg", "x" * 300, "a:b*c?", "ends. "])
def test_a_safe_file_name_is_one_on_every_system(tmp_path: Path, name: str) -> None:
    safe = safe_file_name(name)
    assert 0 < len(safe.encode()) <= 101
    assert not set(safe) & set('<>:"/\\|?*') and safe.isprintable()
    assert safe.rstrip(". ") == safe and safe.split(".")[0].lower() not in ("con", "nul")
    (tmp_path / f"{safe}-12345.png").write_bytes(b"")
    assert len(list(tmp_path.iterdir())) == 1


def test_pictures_of_odd_names_get_names_of_their_own(tmp_path: Path) -> None:
    circle = tmp_path / "in" / "circle.jpg"
    circle.parent.mkdir()
    if os.name != "nt":
        circle.symlink_to(circle)
    pictures = picture_files(tmp_path / "out", [circle, *map(Path, ODD), Path("x" * 250), Path("/")])
    assert len(set(pictures)) == len(ODD) + 3
    for picture in pictures:
        picture.write_bytes(b"")
    with pytest.raises(ValueError, match="holds the input files"):
        picture_files(circle.parent, [circle])


def test_one_bad_item_never_ends_the_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.png"
    Image.new("RGB", (8, 8), (1, 2, 3)).save(good)
    (tmp_path / "broken.png").write_bytes(b"x")
    bad = [tmp_path / "broken.png", tmp_path, tmp_path / ("x" * 300), *(tmp_path / name for name in ODD)]
    read = [item for _, item, _ in readable("starter", [*bad, good], read_image)]
    assert read == [good]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(bad)
    assert all(line.startswith("starter: left out: ") and line.isprintable() for line in lines)


def untrained_run(folder: Path) -> Run:
    """A finished run of plantdisease whose small network was never trained."""
    seed_everything(0)
    config = Config(model=ModelConfig(backbone="mobilenet_v3_small", decode_size=64, image_size=64))
    network = build_model(config.model, 3).eval()
    _, activations = with_activations(Views(network, 1), torch.zeros(1, 3, 64, 64))
    ood = OutOfDistribution(3, activations.shape[1])
    run = Run(folder / "runs" / "plantdisease" / "untrained")
    write_text(run.folder / "config.yaml", to_yaml(config))
    classes, weights, bias = ["healthy", "rust", "scab"], torch.zeros(512, 3), torch.zeros(3)
    Predictor(network, classes, config, 1.0, ood, weights, bias, majority=0).save(run.model_file)
    return run


@pytest.mark.skipif(os.name == "nt", reason="names that Windows does not allow")
def test_a_folder_of_odd_names_is_answered_and_written_to_json(tmp_path: Path, command: CommandLine) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    names = ["\udcff\udcfe.png", "two\nlines.png", "\x1b[31mred.png", "x" * 246 + ".png", "é.png"]
    for name in names:
        Image.new("RGB", (64, 64), (1, 2, 3)).save(folder / "good.png")
        (folder / "good.png").rename(folder / name)
    (folder / "broken\n\udcff.png").write_bytes(b"x")
    run = untrained_run(tmp_path)
    words = [folder, tmp_path / ("y" * 300), "--run", run.folder, "--explain", "grad-cam", "--json", "answers.json"]
    told = command("projects.plantdisease.predict", *words)
    assert told.returncode == 0, told.stderr
    answers = json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))
    assert sorted(answer["file"] for answer in answers) == sorted(shown(folder / name) for name in names)
    assert all(Path(answer["overlay"]).is_file() for answer in answers)
    assert told.stderr.count("left out: ") == 2
    assert all(line.isprintable() for line in (told.stdout + told.stderr).splitlines())


def test_a_list_of_photos_may_hold_anything(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "folder" / name).write_bytes(b"")
    bad = ["http://[bad", f"https://example.org/{'x' * 300}.jpg", "ftp://example.org/a.jpg", "x" * 300, "no.txt"]
    lines = [os.fsencode(line) for line in [str(tmp_path / "folder"), *bad, "ok \udcff.jpg"]]
    (tmp_path / "list.txt").write_bytes(b"\r\n".join([*lines, b""]))
    found = list_photos(str(tmp_path / "list.txt"))
    folder = [str(tmp_path / "folder" / name) for name in ("a.png", "b.png")]
    assert found == [*folder, *bad, os.fsdecode(lines[-1])]
    picture_files(tmp_path / "out", [as_path(item) for item in found])
    (tmp_path / "list.txt").write_text("a.jpg", encoding="utf-16")
    with pytest.raises(ValueError, match="is not text in UTF-8"):
        list_photos(str(tmp_path / "list.txt"))
