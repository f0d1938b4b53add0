"""The promises of plantdisease, kept on the real command line with a tiny network on a small sample."""

import io
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

from projects.plantdisease.attribution import occlusion
from projects.plantdisease.baselines import colour_histogram, fit_colour_baseline
from projects.plantdisease.config import Config, DataConfig, ModelConfig
from projects.plantdisease.data import LeafData
from projects.plantdisease.leaf_groups import group_alike, leaf_groups, perceptual_hashes
from projects.plantdisease.model import LeafNet, TestTimeAugmentation, build_model
from projects.plantdisease.predictor import Predictor
from projects.plantdisease.robustness import CORRUPTIONS, corrupted
from projects.plantdisease.sample import CLASSES
from projects.plantdisease.sources import Photo, list_photos
from projects.plantdisease.train import train
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.images import read_image
from shared.data.splits import NAMES
from shared.runs import Run
from tests.conftest import CommandLine, one_and_two_processes, train_once

TRAIN, EVALUATE, PREDICT = (f"projects.plantdisease.{name}" for name in ("train", "evaluate", "predict"))


def tiny(sample_root: Path, *more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return [
        "--data.source=sample",
        f"--data.root={sample_root}",
        f"--data.cache={sample_root / 'cache'}",
        "--data.sample_size=144",
        "--model.decode_size=64",
        "--model.backbone=shufflenet_v2_x0_5",
        "--model.image_size=64",
        "--model.tta_views=2",
        "--training.image_size=64",
        "--training.batch_size=24",
        "--training.epochs=2",
        "--training.precision=fp32",
        "--training.device=cpu",
        "--evaluation.bootstrap=100",
        "--evaluation.robustness=false",
        *more,
    ]


def backbone_file(folder: Path) -> tuple[Path, torch.nn.Module]:
    """A file with the weights of a backbone alone, and the network they are from."""
    network = torchvision.models.shufflenet_v2_x0_5(weights=None)
    weights = folder / "backbone.safetensors"
    save_file({k: v for k, v in network.state_dict().items() if not k.startswith("fc")}, weights)
    return weights, network


@pytest.fixture(scope="session")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.plantdisease.train` was run once; its output is in `output.txt`."""
    folder = tmp_path_factory.mktemp("finished")
    return train_once(TRAIN, tiny(sample_root), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "plantdisease").iterdir()
    return folder


@pytest.fixture(scope="session")
def sample(sample_root: Path) -> LeafData:
    return leaf_data(load(Config, parse_arguments(tiny(sample_root))))


def leaf_data(config: Config) -> LeafData:
    return LeafData(config.data, config.model.decode_size)


# --- training


def test_training_losses_match_golden_values(run_folder: Path) -> None:
    golden = [2.74611, 2.64828]
    assert [row["train_loss"] for row in Run(run_folder).history()] == pytest.approx(golden, rel=0.02)


def test_the_strong_jpeg_is_that_of_a_colour_photo() -> None:
    coarse = np.random.default_rng(0).integers(0, 255, (9, 9, 3), np.uint8)
    photo = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC)
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=12)
    (image,) = corrupted(photo[None], CORRUPTIONS["strong JPEG"])
    assert np.abs(image.astype(int) - np.array(Image.open(file))).mean() < 0.5


def test_test_time_augmentation_is_invariant_to_rotation_of_the_photo(sample: LeafData) -> None:
    network = build_model(ModelConfig(backbone="shufflenet_v2_x0_5"), len(sample.classes)).eval()
    images = torch.from_numpy(np.array(sample.images[:6])).permute(0, 3, 1, 2) / 255
    turned, mirrored = torch.rot90(images, 1, (2, 3)), images.flip(3)

    def differs(count: int, other: torch.Tensor) -> bool:
        views = TestTimeAugmentation(network, count)
        return not torch.allclose(views(images).softmax(1), views(other).softmax(1), atol=1e-5)

    assert [differs(count, turned) for count in (1, 4, 8)] == [True, False, False]
    assert [differs(count, mirrored) for count in (1, 4, 8)] == [True, True, False]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
def test_two_processes_train_to_the_weights_of_one(tmp_path: Path, sample_root: Path) -> None:
    # AlexNet's kind of network: without batch statistics, which differ per process
    settings = tiny(
        sample_root,
        "--model.backbone=alexnet",
        "--model.dropout=0",
        "--training.epochs=1",
        "--training.ema_decay=0",
    )
    runs = one_and_two_processes(TRAIN, settings, tmp_path)
    one, two = (Predictor.load(run.model_file) for run in runs)
    for p, q in zip(one.network.parameters(), two.network.parameters()):
        torch.testing.assert_close(p, q, atol=1e-4, rtol=1e-3)


def test_the_head_is_trained_on_features_of_a_frozen_backbone(tmp_path: Path, sample_root: Path) -> None:
    weights, network = backbone_file(tmp_path)
    words = tiny(sample_root, f"--model.weights={weights}", "--model.train=head", "--head.epochs=2", "--head.copies=2")
    config = load(Config, parse_arguments(words))
    run = Run(tmp_path / "plantdisease" / "run")
    trained = train(config, run).network.backbone.state_dict()
    assert all(torch.equal(trained[k], v) for k, v in network.state_dict().items() if not k.startswith("fc"))
    assert len(run.stage("head").history()) == 2
    assert run.history() == []


def test_a_run_stopped_between_its_stages_resumes_to_the_same_weights(
    tmp_path: Path, sample_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, _ = backbone_file(tmp_path)
    words = ["--head.epochs=1", "--training.epochs=1", "--training.num_workers=1", "--augment.cutmix=1"]
    config = load(Config, parse_arguments(tiny(sample_root, f"--model.weights={weights}", *words)))
    whole, stopped = (Run(tmp_path / "plantdisease" / name) for name in ("whole", "stopped"))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    seed_everything(0)
    one = train(config, whole).network.state_dict()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("projects.plantdisease.train.augment", stop)
        seed_everything(0)
        train(config, stopped)
    assert len(stopped.stage("head").history()) == 1
    assert not stopped.history()
    two = train(config, stopped).network.state_dict()
    assert all(torch.equal(value, two[name]) for name, value in one.items())


def test_bad_data_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    for folder in ("photos/one", "parts/train", "parts/valid"):
        (tmp_path / folder).mkdir(parents=True)
    for arguments, reason in (
        (["--data.source", "folder", "--data.root", "nowhere"], "there is no folder nowhere"),
        (["--data.source", "folder", "--data.root", "photos"], "there are no photos in photos: its folders are empty"),
        (
            ["--data.source", "folder", "--data.root", "parts"],
            "there are no photos in parts: its folders are empty",
        ),
        (["--data.root", "photos"], "say what they are with --data.source"),
        (["--model.backbone", "alexnett"], "not a classification network"),
    ):
        answer = command(TRAIN, *arguments, "--data.sample_size", 144)
        assert answer.returncode == 2, answer.stdout
        assert answer.stderr.splitlines()[-1].startswith("plantdisease: ")
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/plantdisease/*"))


# --- data


def test_file_names_with_camera_numbers_are_split_by_session(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for label, name in enumerate(("Apple___healthy", "Apple___scab")):
        (tmp_path / name).mkdir()
        for number in range(1, 121):
            photo = generator.integers(0, 255, (32, 32, 3), np.uint8)
            cv2.imwrite(str(tmp_path / name / f"0a___RS_HL {number + 1000 * label}.JPG"), photo)
    data = LeafData(DataConfig(source="folder", root=tmp_path, cache=tmp_path / "cache"), 32)
    assert data.split_name == "session"
    for label in (0, 1):
        at = {part: [] for part in (*NAMES, "unused")}
        for photo, part in zip(data.photos, data.parts):
            if photo.label == label:
                at[part].append(photo.number)
        assert min(abs(a - b) for a in at["test"] for b in at["train"]) > 12
        assert min(abs(a - b) for a in at["validation"] for b in at["train"] + at["test"]) > 12


@pytest.mark.parametrize("split", ["auto", "leaf"])
def test_no_leaf_crosses_a_split(sample_root: Path, split: str) -> None:
    data = leaf_data(load(Config, parse_arguments(tiny(sample_root, f"--data.split={split}"))))
    assert data.split_name == "leaf"
    parts: dict[tuple, set[str]] = {}
    for photo, part in zip(data.photos, data.parts):
        parts.setdefault((photo.label, photo.number), set()).add(part)
    assert all(len(where) == 1 for where in parts.values())
    assert {name for where in parts.values() for name in where} == set(NAMES)


def test_a_random_split_has_the_same_leaf_in_several_sets(sample_root: Path) -> None:
    data = leaf_data(load(Config, parse_arguments(tiny(sample_root, "--data.split=random"))))
    parts: dict[tuple, set[str]] = {}
    for photo, part in zip(data.photos, data.parts):
        parts.setdefault((photo.label, photo.number), set()).add(part)
    assert any(len(where) > 1 for where in parts.values())


@pytest.mark.parametrize(
    ("name", "source", "number", "names_leaf"),
    [
        ("0a3b___RS_HL 5641.JPG", "RS_HL", 5641, False),
        ("0a3b___GH_HL Leaf 259.1.JPG", "GH_HL Leaf", 259, True),
        ("0a3b___GHLB_PS leaf 28 Day 12 .jpg", "GHLB_PS Leaf", 28, True),
        ("0a3b___UF.GRC_YLCV_Lab 01234.JPG", "UF.GRC_YLCV_Lab", 1234, False),
        ("0a3b___GHLB2 Leaf 107.2.JPG", "GHLB2 Leaf", 107, True),
        ("0a3b___RS_HL 5641_flipLR.JPG", "RS_HL", 5641, False),
        ("0a3b___RS_HL 5641_90deg copy(1).JPG", "RS_HL", 5641, False),
        ("0a3b___GH_HL Leaf 259.1_newPixel25.JPG", "GH_HL Leaf", 259, True),
        ("holiday.jpg", None, None, False),
    ],
)
def test_plantvillage_names_contain_source_and_number(name: str, source: str, number: int, names_leaf: bool) -> None:
    photo = Photo.from_path(Path(name), 0)
    assert (photo.source, photo.number, photo.names_leaf) == (source, number, names_leaf)


def test_photos_without_informative_names_are_grouped_by_appearance(sample: LeafData) -> None:
    first, other = sample.images[0], sample.images[40]
    brighter = (first * 0.9).astype(np.uint8)
    assert group_alike(perceptual_hashes(np.stack([first, brighter, other]))).tolist() == [0, 0, 1]
    nameless = [Photo(Path("a.jpg"), 0), Photo(Path("b.jpg"), 0), Photo(Path("c.jpg"), 0)]
    for copies in ([0, 1, 2], [0, 1, 0]):
        groups = leaf_groups(nameless, np.stack([first, brighter, other]), np.array(copies))
        assert groups[0] == groups[1]
        assert (groups[0] == groups[2]) == (copies[0] == copies[2])


def test_a_split_by_appearance_is_named_and_uninformative_names_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(30):
            cv2.imwrite(str(tmp_path / name / f"p{i}x.png"), generator.integers(0, 255, (32, 32, 3), np.uint8))
    config = DataConfig(source="folder", root=tmp_path, cache=tmp_path / ".cache")
    assert LeafData(config, 160).split_name == "look-alikes" and "photos say" not in capsys.readouterr().err
    (tmp_path / "a" / "p3x.png").rename(tmp_path / "a" / "u___RS_HL 5.png")
    assert LeafData(config, 160).split_name == "leaf"
    assert "the names of 1 of 60 photos say when they were taken, that of p0x.png not" in capsys.readouterr().err


def test_a_session_split_needs_informative_names(tmp_path: Path, sample_root: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / "photos" / name / f"{i}.png"), np.full((8, 8, 3), 9 * i, np.uint8))
    config = DataConfig(source="folder", root=tmp_path / "photos", split="session", cache=tmp_path)
    with pytest.raises(ValueError, match="split session needs file names like"):
        LeafData(config, 160)


def test_unknown_class_folders_are_named_and_refused(tmp_path: Path) -> None:
    for name in ("Oak", "Elm"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="classes that the run does not know: Elm"):
        list_photos(tmp_path, DataConfig(), ["Oak", "Ash"])


def test_colours_alone_do_not_solve_the_sample(sample: LeafData) -> None:
    weights, bias = fit_colour_baseline(sample.images[sample.train.indices], sample.train.targets, len(CLASSES))
    scores = colour_histogram(sample.images[sample.test.indices]) @ weights + bias
    assert (scores.argmax(axis=1) == sample.test.targets).mean() < 0.6


# --- model


def test_alexnet_equals_that_of_torchvision(tmp_path: Path) -> None:
    reference = torchvision.models.alexnet(weights=None, num_classes=7).eval()
    save_file(reference.state_dict(), tmp_path / "whole.safetensors")
    ours = build_model(ModelConfig(weights=str(tmp_path / "whole.safetensors")), 7).eval()
    x = torch.randn(2, 3, 224, 224)
    torch.testing.assert_close(ours(x), reference(x))


def test_a_backbone_alone_and_other_classes_can_be_loaded(tmp_path: Path) -> None:
    reference = torchvision.models.alexnet(weights=None, num_classes=1000)
    backbone = {k: v for k, v in reference.state_dict().items() if k.startswith("features")}
    torch.save(backbone, tmp_path / "backbone.pt")
    torch.save(reference.state_dict(), tmp_path / "whole.pt")
    for name in ("backbone.pt", "whole.pt"):
        ours = build_model(ModelConfig(weights=str(tmp_path / name)), 7)
        assert torch.equal(ours.backbone.features[0].weight, reference.features[0].weight)
    assert torch.equal(ours.head[4].weight, reference.classifier[4].weight)


@pytest.mark.parametrize("content", ["text", "pickle", "foreign"])
def test_incompatible_weights_are_refused_with_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.pt"
    if content == "text":
        path.write_text("not weights")
    else:
        torch.save({"a": print} if content == "pickle" else {"a": torch.ones(2)}, path)
    with pytest.raises(ValueError, match=r"weights\.pt"):
        build_model(ModelConfig(weights=str(path)), 7)


# --- evaluation, prediction, export


def test_a_setting_without_a_value_is_one_sentence(run_folder: Path, command: CommandLine) -> None:
    for words in (["--run"], ["--run", run_folder, "--data"], ["--run", run_folder, "--data.size", "96"]):
        answer = command(EVALUATE, *words)
        assert answer.returncode == 2
        assert answer.stderr.startswith("plantdisease: ") and answer.stderr.count("\n") == 1


def test_a_finished_run_scores_any_other_labelled_photos(
    finished: Path, run_folder: Path, sample: LeafData, sample_root: Path, tmp_path: Path, command: CommandLine
) -> None:
    photos = next(p for p in sample_root.iterdir() if p.name.startswith("plantdisease-sample"))
    other = ["--run", run_folder, "--data.source", "folder"]
    answer = command(EVALUATE, *other, "--data.root", photos, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["data"] == {"source": "folder", "root": str(photos), "split": "all", "n": 36, "seen": 108}

    unsaid = command(EVALUATE, "--run", run_folder, "--data.root", photos)
    assert unsaid.returncode == 2
    assert "say what they are with --data.source" in unsaid.stderr

    (tmp_path / "unknown" / "Oak___healthy").mkdir(parents=True)
    (tmp_path / "unknown" / "Oak___healthy" / "leaf.jpg").write_bytes(sample.photos[0].path.read_bytes())
    refused = command(EVALUATE, *other, "--data.root", "unknown", "--json", "none.json")
    assert refused.returncode == 2
    assert "Oak___healthy" in refused.stderr
    assert not (tmp_path / "none.json").exists()


def test_occlusion_attribution_finds_the_decisive_region() -> None:
    class Corner(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            brightness = images[:, :, 44:60, 4:20].mean(dim=(1, 2, 3))
            return torch.stack([brightness, -brightness], dim=1)

    image = torch.zeros(1, 3, 64, 64)
    image[:, :, 48:56, 8:16] = 5.0
    image[:, :, 8:16, 48:56] = 5.0  # as bright, but nobody looks there
    heat = occlusion(LeafNet(Corner(), torch.nn.Identity()), image, target=0)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert abs(row - 52) < 8
    assert abs(column - 12) < 8
    assert heat[8:16, 48:56].max() < 0.05 * heat.max()


def test_training_and_prediction_prepare_a_photo_identically(run_folder: Path, sample: LeafData) -> None:
    predictor = Predictor.load(run_folder / "model.safetensors")
    for index in (0, 50, 100):
        path = sample.photos[index].path
        prepared = predictor.prepare(read_image(path, at_least=64))
        assert np.array_equal(prepared, sample.images[index])
    logits, _ = predictor.score(sample.test)
    answer = predictor(read_image(sample.photos[sample.test.indices[0]].path, at_least=64), top=12)
    best, probability = answer.classes[0]
    assert best == sample.classes[int(logits[0].argmax())]
    assert probability == pytest.approx(float(logits.softmax(dim=1)[0].max()), abs=1e-4)
    assert sum(p for _, p in answer.classes) == pytest.approx(1, abs=1e-4)


def test_predict_accepts_a_photo_and_a_folder_and_refuses_a_bad_file(
    run_folder: Path, sample: LeafData, tmp_path: Path, command: CommandLine
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "leaf.jpg").write_bytes(sample.photos[0].path.read_bytes())
    (folder / "broken.jpg").write_bytes(b"nothing")
    answer = command(PREDICT, folder, "--run", run_folder, "--overlay", tmp_path / "seen", "--json", "answers.json")
    assert answer.returncode == 0, answer.stderr
    assert "left out" in answer.stderr
    assert "broken.jpg" in answer.stderr
    (only,) = json.loads((tmp_path / "answers.json").read_text())
    assert len(only["classes"]) == 3
    assert read_image(Path(only["overlay"])).shape == (64, 64, 3)

    bad = command(PREDICT, folder / "broken.jpg", "--run", run_folder)
    assert bad.returncode == 2
    assert bad.stderr.count("\n") == 1
    none = command(PREDICT, "--run", run_folder)
    assert none.returncode == 2
    assert "input must be given" in none.stderr


def test_noise_is_out_of_distribution(run_folder: Path, sample: LeafData) -> None:
    predictor = Predictor.load(run_folder / "model.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert not predictor(noise).in_distribution
    assert "out of distribution" in str(predictor(noise))
    known = [predictor(image).in_distribution for image in sample.images[sample.validation.indices]]
    assert np.mean(known) > 0.9


def test_the_onnx_export_agrees_with_pytorch(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    answer = command(
        "projects.plantdisease.export", "--run", run_folder, "--output", "leaf.onnx", "--json", "about.json"
    )
    assert answer.returncode == 0, answer.stderr
    assert json.loads((tmp_path / "about.json").read_text())["largest_difference"] < 1e-4
    import onnxruntime

    session = onnxruntime.InferenceSession(str(tmp_path / "leaf.onnx"))
    (given,) = session.get_inputs()
    images = np.random.default_rng(0).random([side if isinstance(side, int) else 1 for side in given.shape], np.float32)
    answers = session.run(None, {given.name: images})[0]
    assert (
        answers.shape == (1, len(json.loads((tmp_path / "about.json").read_text())["classes"]))
        and np.isfinite(answers).all()
    )


def test_runs_are_listed_with_their_metrics(finished: Path, command: CommandLine) -> None:
    table = command("shared.runs", folder=finished).stdout
    assert "plantdisease" in table
    assert "macro_f1 0." in table


def test_re_encoded_and_rotated_copies_of_training_photos_are_counted_and_left_out(
    run_folder: Path, sample: LeafData, tmp_path: Path, command: CommandLine
) -> None:
    name = sample.classes[0]
    (tmp_path / "mine" / name).mkdir(parents=True)
    training, test = (part.indices[part.targets == 0][:3] for part in (sample.train, sample.test))
    for number, row in enumerate(training):
        copy = np.rot90(cv2.imread(str(sample.photos[row].path)), number + 1).copy()
        cv2.imwrite(str(tmp_path / "mine" / name / f"copy{number}.jpg"), copy, [cv2.IMWRITE_JPEG_QUALITY, 60])
    for row in test:
        (tmp_path / "mine" / name / sample.photos[row].path.name).write_bytes(sample.photos[row].path.read_bytes())
    words = ["--run", run_folder, "--data.source", "folder", "--data.root", "mine", "--json", "out.json"]
    answer = command(EVALUATE, *words)
    assert answer.returncode == 0, answer.stderr
    data = json.loads((tmp_path / "out.json").read_text())["data"]
    assert (data["n"], data["seen"]) == (len(test), len(training))
    assert "3 as near duplicates" in answer.stdout
    assert command(EVALUATE, *words, "--seen", "keep").returncode == 0
    assert json.loads((tmp_path / "out.json").read_text())["data"]["n"] == len(test) + len(training)


def test_a_network_without_a_convolution_is_trained_scored_and_named(
    tmp_path: Path, sample_root: Path, monkeypatch: pytest.MonkeyPatch, command: CommandLine
) -> None:
    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(8), torch.nn.Flatten())

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.layer(images)

    def build(_: ModelConfig, classes: int) -> LeafNet:
        return LeafNet(Linear(), torch.nn.Linear(192, classes))

    for name in ("train", "predictor"):
        monkeypatch.setattr(f"projects.plantdisease.{name}.build_model", build)
    answer = command(TRAIN, *tiny(sample_root, "--training.epochs=1"))
    assert answer.returncode == 0, answer.stderr
    (report,) = tmp_path.glob("runs/plantdisease/*/report.html")
    assert "<title>Plant disease with Linear" in report.read_text()


@pytest.mark.realdata
def test_the_session_split_of_real_photos_keeps_camera_numbers_apart(tmp_path: Path) -> None:
    root = os.environ.get("PLANTVILLAGE")
    if not root:
        pytest.skip("set PLANTVILLAGE to the folder of the PlantVillage photos (original file names)")
    config = DataConfig(source="folder", root=Path(root), cache=tmp_path)
    photos, found = list_photos(Path(root), config)
    data = LeafData(config, 32)
    assert data.split_name == "session"
    assert len(photos) == len(data.photos)
    for label in range(len(found.classes)):
        of_source: dict[str | None, dict[str, list[int]]] = {}
        for photo, part in zip(data.photos, data.parts):
            if photo.label == label:
                of_source.setdefault(photo.source, {}).setdefault(part, []).append(photo.number or 0)
        for parts in of_source.values():
            for number in parts.get("test", []):
                assert all(abs(number - other) > 12 for other in parts.get("train", []))
