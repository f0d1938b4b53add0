"""imagecaption on the real command line, with a small network on a small sample."""

import functools
import http.server
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F

from projects.imagecaption.config import Config, DataConfig, ModelConfig
from projects.imagecaption.data import CaptionData, PhotoFiles, references, to_dataset
from projects.imagecaption.decode import beam_search
from projects.imagecaption.model import build_model
from projects.imagecaption.predictor import Predictor
from projects.imagecaption.train import train
from projects.imagecaption.vocabulary import PAD, Vocabulary
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.images import read_image
from shared.data.loader import Batches
from shared.runs import Run
from tests.conftest import CommandLine, kill_and_resume, one_and_two_processes, train_once, write_csv

TRAIN, EVALUATE, PREDICT = (f"projects.imagecaption.{name}" for name in ("train", "evaluate", "predict"))
TWO_STAGES = ("--training.ema_decay=0.9", "--scst.epochs=1", "--scst.checkpoint_minutes=0")


def tiny(sample_root: Path, *more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return [
        "--data.source=sample",
        f"--data.root={sample_root}",
        f"--data.cache={sample_root / 'cache'}",
        "--data.sample_size=120",
        "--model.image_size=32",
        "--model.encoder=small",
        "--model.weights=none",
        "--model.fine_tune=true",
        "--model.hidden_size=32",
        "--model.num_heads=2",
        "--model.dropout=0.1",
        "--model.min_count=2",
        "--training.epochs=2",
        "--training.batch_size=16",
        "--training.horizontal_flip=false",
        "--training.precision=fp32",
        "--training.device=cpu",
        "--scst.batch_size=16",
        "--scst.precision=fp32",
        "--scst.device=cpu",
        "--decode.beam_size=2",
        "--evaluation.bootstrap=100",
        "--evaluation.meteor=false",
        *more,
    ]


@pytest.fixture(scope="session")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.imagecaption.train` was run once; its output is in `output.txt`."""
    folder = tmp_path_factory.mktemp("imagecaption")
    return train_once(TRAIN, tiny(sample_root, *TWO_STAGES), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "imagecaption").iterdir()
    return folder


@pytest.fixture(scope="session")
def predictor(run_folder: Path) -> Predictor:
    return Predictor.load(run_folder / "model.safetensors")


@pytest.fixture(scope="session")
def sample(sample_root: Path) -> CaptionData:
    return CaptionData(load(Config, parse_arguments(tiny(sample_root))).data)


# --- training


def test_training_losses_match_golden_values(run_folder: Path) -> None:
    golden = [4.39775, 4.29311]
    assert [row["train_loss"] for row in Run(run_folder).history()] == pytest.approx(golden, rel=0.02)


@pytest.mark.parametrize(
    ("decoder", "attention"), [("lstm", "dot"), ("lstm", "additive"), ("transformer", "dot")], ids=lambda v: v
)
def test_the_network_overfits_one_batch(sample: CaptionData, decoder: str, attention: str) -> None:
    seed_everything(0)
    config = ModelConfig(encoder="small", weights="none", fine_tune=True, decoder=decoder, attention=attention,
                         image_size=32, hidden_size=64, num_heads=4, num_layers=2, dropout=0, min_count=1)  # fmt: skip
    # one caption for each photo: which of the five comes next cannot be predicted
    photos = [replace(photo, captions=photo.captions[:1]) for photo in sample.train[:4]]
    vocabulary = Vocabulary.build([w for several in references(photos) for w in several], 1)
    network = build_model(config, len(vocabulary))
    features = [np.random.default_rng(0).normal(size=(4, 16, 128)).astype(np.float16)]
    inputs, captions, _ = next(Batches(to_dataset(photos, vocabulary, features, 32, 20), 4, seed=0).epoch(0))
    optimizer = torch.optim.AdamW(network.decoder.parameters(), 3e-3)
    for _ in range(100):
        logits, _ = network(inputs, captions)
        loss = F.cross_entropy(logits, captions[:, :, 1:][captions[:, :, 1:] != PAD])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.1
    found = beam_search(network.eval(), inputs, beam_size=1, max_words=20)
    assert [several[0].tokens for several in found] == [row[0][row[0] != PAD].tolist()[1:] for row in captions]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
@pytest.mark.slow
def test_run_killed_in_the_second_stage_resumes_to_the_same_weights(
    tmp_path: Path, sample_root: Path, run_folder: Path, command: CommandLine
) -> None:
    killed = kill_and_resume(TRAIN, tiny(sample_root, *TWO_STAGES), tmp_path, command, "scst", epoch=0)
    a, b = (Predictor.load(folder / "model.safetensors") for folder in (killed, run_folder))
    assert all(torch.equal(p, q) for p, q in zip(a.network.state_dict().values(), b.network.state_dict().values()))
    assert "reward" in (killed / "metrics-scst.csv").read_text()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
def test_two_processes_train_together_and_score_the_same_photos_as_one(tmp_path: Path, sample_root: Path) -> None:
    # a frozen encoder: batch statistics would differ per process
    settings = tiny(sample_root, "--model.fine_tune=false", f"--model.weights={weights(tmp_path)}", "--model.dropout=0",
                    "--training.epochs=1", "--training.ema_decay=0")  # fmt: skip
    one_and_two_processes(TRAIN, settings, tmp_path)


def weights(folder: Path) -> Path:
    """Random weights of the small encoder in a file."""
    seed_everything(0)
    config = ModelConfig(encoder="small", weights="none", fine_tune=True, image_size=32)
    network = build_model(config, 10).encoder.network
    torch.save(network.state_dict(), folder / "encoder.pt")
    return folder / "encoder.pt"


def test_a_frozen_encoder_is_not_trained_and_a_finished_run_can_be_fine_tuned(
    tmp_path: Path, sample_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = ("--model.fine_tune=false", f"--model.weights={weights(tmp_path)}", "--training.horizontal_flip=true")

    def start(name: str, *more: str) -> Run:
        run = Run(tmp_path / "imagecaption" / name)
        seed_everything(0)
        train(load(Config, parse_arguments(tiny(sample_root, *frozen, *more))), run).save(run.model_file)
        return run

    first = start("first", "--training.epochs=1")
    assert "cache: writing features" in capsys.readouterr().out
    trained = Predictor.load(first.model_file).network.encoder.network.state_dict()
    assert all(torch.equal(trained[k], v) for k, v in torch.load(tmp_path / "encoder.pt").items())

    more = ("--training.epochs=0", "--scst.epochs=1", f"--training.init_from={first.model_file}")
    second = start("second", *more)
    assert "cache: writing" not in capsys.readouterr().out
    assert second.history() == []
    assert len(second.stage("scst").history()) == 1
    with pytest.raises(ValueError, match="has a network with settings other than"):
        start("third", *more, "--model.hidden_size=64")
    with pytest.raises(ValueError, match=r"was trained on \d+ photos of the validation or test set"):
        start("fourth", *more, "--data.split=random")
    (first.folder / "provenance.safetensors").unlink()
    with pytest.raises(ValueError, match="leakage cannot be excluded"):
        start("fifth", *more)


# --- evaluation, prediction


def test_the_evaluation_holds_the_standard_metrics_the_baselines_and_a_row_for_every_photo(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert list(numbers["metrics"]) == ["cider", "bleu1", "bleu2", "bleu3", "bleu4", "rouge_l"]
    low, high = numbers["intervals"]["cider"]
    assert low <= numbers["metrics"]["cider"] <= high
    assert set(numbers["baselines"]) == {"nearest", "constant"}
    assert set(numbers["human_comparison"]) == {"network", "human"}
    rows = pd.read_csv(run_folder / "predictions.csv")
    assert list(rows.columns) == ["item", "caption", "cider", "nearest_caption", "reference", "ood_score"]
    assert len(rows) == numbers["data"]["n"]
    assert rows["cider"].mean() == pytest.approx(numbers["metrics"]["cider"], abs=1e-4)


def test_the_report_shows_captions_attention_and_the_human_baseline(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert "embedded sample" in page.split("</title>")[0]
    assert page.count("data:image/png;base64,") >= 4
    for title in ("Comparison with a human baseline", "Captions and attention", "Diversity", "Worst captions"):
        assert title in page


@pytest.mark.parametrize(
    ("script", "old", "new"),
    [
        (TRAIN, "data.size", "model.image_size"),
        (TRAIN, "data.scenes", "data.sample_size"),
        (TRAIN, "model.hidden", "model.hidden_size"),
        (TRAIN, "model.heads", "model.num_heads"),
        (TRAIN, "model.layers", "model.num_layers"),
        (TRAIN, "training.start", "training.init_from"),
        (TRAIN, "training.look_everywhere", "training.attention_regularisation"),
        (TRAIN, "training.mirror", "training.horizontal_flip"),
        (TRAIN, "training.encoder_factor", "training.encoder_lr_factor"),
        (TRAIN, "training.average", "training.ema_decay"),
        (TRAIN, "training.workers", "training.num_workers"),
        (TRAIN, "scst.samples", "scst.num_samples"),
        (TRAIN, "scst.share", "scst.interpolation"),
        (TRAIN, "scst.nucleus", "scst.top_p"),
        (TRAIN, "scst.clip", "scst.gradient_clip"),
        (TRAIN, "scst.accumulate", "scst.gradient_accumulation"),
        (TRAIN, "decode.beam", "decode.beam_size"),
        (TRAIN, "decode.block_ngram", "decode.no_repeat_ngram_size"),
        (TRAIN, "decode.nucleus", "decode.top_p"),
        (EVALUATE, "beam", "decode.beam_size"),
        (PREDICT, "beam", "beam_size"),
    ],
)
def test_an_old_setting_is_refused_with_its_new_name(
    run_folder: Path, command: CommandLine, script: str, old: str, new: str
) -> None:
    words = {TRAIN: (), EVALUATE: ("--run", run_folder), PREDICT: ("photo.jpg", "--run", run_folder)}[script]
    answer = command(script, *words, f"--{old}=1")
    assert answer.returncode == 2
    assert answer.stderr == f"imagecaption: {old} is now called {new}\n"


def test_a_finished_run_scores_any_list_of_the_official_layout(
    run_folder: Path, sample: CaptionData, tmp_path: Path, command: CommandLine
) -> None:
    root = tmp_path / "flickr"
    (root / "Flicker8k_Dataset").mkdir(parents=True)
    for photo in sample.test:
        (root / "Flicker8k_Dataset" / photo.path.name).write_bytes(photo.path.read_bytes())
    lines = [f"{photo.path.name}#{n}\t{c}" for photo in sample.test for n, c in enumerate(photo.captions)]
    (root / "Flickr8k.token.txt").write_text("\n".join(lines))
    (root / "Flickr_8k.testImages.txt").write_text("\n".join(photo.path.name for photo in sample.test))
    other = ["--run", run_folder, "--data.source", "flickr8k", "--data.root", root, "--evaluation.meteor", "false"]
    answer = command(EVALUATE, *other, "--data.split", "test", "--decode.beam_size", 2, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    about = {"source": "flickr8k", "root": str(root), "split": "test", "n": len(sample.test), "seen": 0}
    assert numbers["data"] == about
    own = json.loads((run_folder / "evaluation.json").read_text())
    assert numbers["metrics"] == pytest.approx(own["metrics"], abs=1e-6)

    with pytest.raises(ValueError, match="there is no list of dev photos; there is test"):
        CaptionData(DataConfig(source="flickr8k", root=root, split="dev"))


def test_another_beam_size_is_another_evaluation(run_folder: Path, command: CommandLine) -> None:
    before = (run_folder / "evaluation.json").read_bytes()
    answer = command(EVALUATE, "--run", run_folder, "--decode.beam_size", 3, "--name", "beam-3")
    assert answer.returncode == 0, answer.stderr
    assert (run_folder / "evaluations" / "beam-3" / "report.html").is_file()
    assert (run_folder / "evaluation.json").read_bytes() == before


def test_near_duplicates_of_training_photos_are_recognised_and_left_out(
    run_folder: Path, sample: CaptionData, tmp_path: Path, command: CommandLine
) -> None:
    root = tmp_path / "mine"
    root.mkdir()
    rows = []

    def add(name: str, image: np.ndarray, captions: list[str], quality: int = 90) -> None:
        cv2.imwrite(str(root / name), image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        rows.extend((name, caption) for caption in captions)

    one, two, three = sample.train[:3]
    add("encoded.jpg", read_image(one.path), one.captions, quality=60)
    add("resized.png", cv2.resize(read_image(two.path), (150, 150)), two.captions)
    add("mirrored.png", np.ascontiguousarray(read_image(three.path)[:, ::-1]), three.captions)
    validated = sample.validation[0]
    add("validated.png", read_image(validated.path), validated.captions)
    for n, photo in enumerate(sample.test[:5]):
        add(f"new-{n}.jpg", read_image(photo.path), photo.captions)
    write_csv(root / "captions.csv", image=[name for name, _ in rows], caption=[caption for _, caption in rows])
    other = ["--run", run_folder, "--data.source", "folder", "--data.root", root, "--json", "out.json"]
    answer = command(EVALUATE, *other)
    assert answer.returncode == 0, answer.stderr
    assert "4 of 9 photos were in this run's training or validation set (3 as near duplicates)" in answer.stdout
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert (numbers["data"]["n"], numbers["data"]["seen"]) == (5, 4)
    items = pd.read_csv(run_folder / "evaluations" / "folder-mine-all" / "predictions.csv")["item"]
    assert items.tolist() == [f"new-{n}.jpg" for n in range(5)]

    assert command(EVALUATE, *other, "--seen", "keep").returncode == 0
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert (numbers["data"]["n"], numbers["data"]["seen"]) == (9, 4)


def test_training_and_prediction_prepare_a_photo_identically(predictor: Predictor, sample: CaptionData) -> None:
    photos = sample.test[:3]
    together = predictor.caption(photos)
    files = PhotoFiles([photo.path for photo in photos], 32)
    for row, photo in enumerate(photos):
        image = read_image(photo.path, at_least=32)
        assert np.array_equal(predictor.prepare(image), files[[row]][0])
        alone = predictor(image)
        assert alone.words == together[row].words
        assert alone.log_probability == pytest.approx(together[row].log_probability, abs=1e-3)
        assert alone.attention.shape[1:] == (4, 4)
        assert alone.attention.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-3)


def test_the_attention_is_shown_on_the_photo_for_every_word(predictor: Predictor, sample: CaptionData) -> None:
    image = read_image(sample.test[0].path)
    overlays = predictor.explain(image)
    assert [word for _, word in overlays] == predictor(image).words
    assert all(picture.shape == (32, 32, 3) and picture.dtype == np.uint8 for picture, _ in overlays)


def test_predict_accepts_photos_folders_and_lists_and_refuses_bad_input(
    run_folder: Path, sample: CaptionData, tmp_path: Path, command: CommandLine
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    photo = sample.train[0].path.read_bytes()
    (folder / "scene.png").write_bytes(photo)
    (folder / "broken.jpg").write_bytes(b"nothing")
    serve = functools.partial(QuietServer, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        listed = f"{address}/scene.png\n{address}/none.png\n{folder / 'scene.png'}\n"
        (tmp_path / "list.txt").write_text(listed, encoding="utf-8-sig")
        answer = command(
            PREDICT, folder, "list.txt", "--run", run_folder, "--overlay", "seen", "--json", "answers.json",
            "--allow-private",
        )  # fmt: skip
        server.shutdown()
    assert answer.returncode == 0, answer.stderr
    assert answer.stderr.count("left out") == 2
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert len(answers) == 3
    assert len({a["caption"] for a in answers}) == 1
    assert all(a["log_probability"] < 0 and a["in_distribution"] for a in answers)
    assert read_image(tmp_path / answers[0]["overlay"]).size > 1000

    for bad, reason in (
        ([folder / "broken.jpg"], "is not an image"),
        ([], "input must be given"),
    ):
        refused = command(PREDICT, *bad, "--run", run_folder)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert reason in refused.stderr


class QuietServer(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *arguments: object) -> None:
        return


def test_a_photo_unlike_the_training_photos_is_out_of_distribution(predictor: Predictor, sample: CaptionData) -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::4] = 255
    assert not predictor(stripes).in_distribution
    assert "out of distribution" in str(predictor(stripes))
    assert np.mean([answer.in_distribution for answer in predictor.caption(sample.validation)]) >= 0.8


def test_bad_data_is_one_sentence_and_leaves_no_run(tmp_path: Path, command: CommandLine) -> None:
    for arguments, reason in (
        (["--data.source", "flickr8k", "--data.root", "nowhere"], "Flickr8k_text.zip"),
        (["--data.source", "coco"], "needs a folder: --data.root DIR"),
    ):
        answer = command(TRAIN, *arguments)
        assert answer.returncode == 2, answer.stdout
        assert answer.stderr.splitlines()[-1].startswith("imagecaption: ")
        assert reason in answer.stderr
        assert "Traceback" not in answer.stderr
        assert not list(tmp_path.glob("runs/imagecaption/*"))
