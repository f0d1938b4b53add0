"""The promise: every mistake in settings is one sentence that names the key, and nothing is silently ignored."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from projects.plantdisease.config import Config
from shared.command import picture_files
from shared.config import Section, TrainOptions, in_one_sentence, keys, load, merge, parse_arguments, read_yaml, to_yaml
from shared.training.config import TrainingConfig
from tests.conftest import ROOT, CommandLine

TRAIN, EVALUATE = "projects.plantdisease.train", "projects.plantdisease.evaluate"
CONFIGS = sorted((ROOT / "configs").glob("*/*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_config_file_parses_and_names_no_path_of_its_author(path: Path) -> None:
    config_class = importlib.import_module(f"projects.{path.parent.name}.config").Config
    values = read_yaml(path)
    assert "root" not in values.get("data", {})
    drawn = values.get("data", {}).get("source", "sample") == "sample"
    load(config_class, values, {} if drawn else {"data": {"root": "DIR"}})


def test_the_command_line_wins_over_the_file() -> None:
    config = load(Config, {"training": {"epochs": 3, "seed": 5}}, parse_arguments(["--training.epochs", "7"]))
    assert (config.training.epochs, config.training.seed) == (7, 5)


def test_later_layers_lie_on_top_of_earlier_ones() -> None:
    assert merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}) == {"a": {"b": 1, "c": 3}}


def test_resolved_settings_can_be_fed_back() -> None:
    config = load(Config, {"augment": {"scale": [0.5, 1.0]}}, {"data": {"root": "x"}})
    assert load(Config, yaml.safe_load(to_yaml(config))) == config


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(Exception, match="frozen"):
        load(Config).training.epochs = 5


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--training.epoch", "3"], "unknown setting training.epoch; did you mean training.epochs?"),
        (["--epochs", "3"], "unknown setting epochs; did you mean"),
        (["--training.epochs", "three"], "training.epochs must be a valid integer"),
        (["--training.epochs", "0"], "training.epochs must be greater than or equal to 1, not '0'"),
        (["--training.optimizer", "adam"], "training.optimizer must be 'adamw' or 'sgd', not 'adam'"),
        (["--data.split", "all"], "leaves nothing to train on"),
        (["--data.source", "folder"], "say where it is with --data.root DIR"),
        (["--training", "3"], "training is a group of settings"),
        (["--augment.scale", "[-1, 1]"], "augment.scale.0 must be greater than 0"),
        (["--training.device", "gpu"], "training.device: must be auto, cpu, cuda, cuda:1 or mps, not 'gpu'"),
        (["--training.monitor", "f1"], "training.monitor must be 'accuracy', 'macro_f1', 'loss' or 'ece', not 'f1'"),
        (["--training.monitor", "loss"], "training: loss is minimised; set direction: min"),
        (["--model.train=head", "--model.weights=imagenet", "--head.epochs=0"], "nothing would be trained"),
        (["--training.epochs", "--data.root"], "needs a value"),
        (["--augment.scale", "[1,"], "augment.scale is not readable as YAML"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_full_key(arguments: list[str], sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        load(Config, parse_arguments(arguments))
    assert sentence in str(error.value)


def test_the_same_mistake_in_yaml_reads_the_same(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "wrong.yaml").write_text("training: {epoch: 3}")
    from_yaml = command(TRAIN, "--config", "wrong.yaml")
    from_words = command(TRAIN, "--training.epoch", "3")
    assert from_yaml.returncode == from_words.returncode == 2
    assert from_yaml.stderr == from_words.stderr
    assert from_words.stderr.startswith("plantdisease: unknown setting training.epoch; did you mean training.epochs?")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("content", ["a: [1", "- 1\n- 2", "[]", "1: 2", "\x00"])
def test_an_unreadable_config_file_is_one_sentence(tmp_path: Path, command: CommandLine, content: str) -> None:
    (tmp_path / "broken.yaml").write_text(content)
    answer = command(TRAIN, "--config", "broken.yaml")
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert "broken.yaml" in answer.stderr


def test_a_misspelt_word_of_the_command_line_names_the_nearest(command: CommandLine) -> None:
    assert "did you mean config?" in command(TRAIN, "--confg", "x.yaml").stderr
    assert "unexpected argument: photo.jpg" in command(EVALUATE, "photo.jpg").stderr


def test_a_missing_config_file_names_those_there_are(command: CommandLine) -> None:
    answer = command(TRAIN, "--config", ROOT / "configs/plantdisease/sampel.yaml")
    assert answer.returncode == 2
    assert "sample.yaml" in answer.stderr


def test_a_default_that_a_project_sets_itself_survives_a_yaml_file_that_sets_another_key() -> None:
    class Training(TrainingConfig):
        epochs: int = 9

    class Mine(Section):
        training: Training = Training(batch_size=16, learning_rate=0.5)

    config = load(Mine, {"training": {"epochs": 3}})
    assert (config.training.epochs, config.training.batch_size, config.training.learning_rate) == (3, 16, 0.5)
    assert config.training.model_fields_set == {"epochs", "batch_size", "learning_rate"}


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("training.average", "training.ema_decay"), ("training.accumulate", "training.gradient_accumulation"),
        ("training.trunk_factor", "training.backbone_lr_factor"), ("head.workers", "head.num_workers"),
        ("data.size", "model.decode_size"), ("data.photos", "data.sample_size"), ("model.views", "model.tta_views"),
        ("augment.flip", "augment.horizontal_flip"), ("augment.mix", "augment.cutmix"),
    ],
)  # fmt: skip
def test_an_earlier_name_of_a_setting_is_refused_with_the_one_it_has_now(earlier: str, now: str) -> None:
    with pytest.raises(ValueError, match=rf"^{earlier} is now called {now}$"):
        load(Config, parse_arguments([f"--{earlier}", "1"]))


def test_settings_of_another_source_are_not_carried_over_in_silence(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "mine.yaml").write_text("data: {source: sample, validation: 0.2}")
    words = ["--config", "mine.yaml", "--data.source", "folder", "--data.root", "photos", "--print-config"]
    answer = command(TRAIN, *words)
    assert "validation: 0.15" in answer.stdout
    assert answer.stderr == "plantdisease: data.validation of mine.yaml apply to sample only\n"


def test_pictures_never_go_where_the_photos_are(tmp_path: Path) -> None:
    photos = [tmp_path / "a" / "leaf.jpg", tmp_path / "b" / "leaf.jpg"]
    with pytest.raises(ValueError, match="name another folder with --overlay"):
        picture_files(tmp_path / "b", photos)
    assert [path.name for path in picture_files(tmp_path / "c", photos)] == ["leaf-0.png", "leaf-1.png"]
    assert picture_files(tmp_path / "c", photos[:1])[0].name == "leaf.png"
    photos[0].parent.mkdir()
    photos[0].symlink_to(tmp_path / "store.jpg")  # replaced by a picture it would be lost
    with pytest.raises(ValueError, match="name another folder"):
        picture_files(tmp_path / "a", photos[:1])


def test_help_is_quick_and_lists_every_setting_with_its_docstring(command: CommandLine) -> None:
    start = time.monotonic()
    answer = command(TRAIN, "--help")
    seconds = time.monotonic() - start
    assert answer.returncode == 0
    named = answer.stdout.replace("-", "_").replace("__", "--")
    assert all(f"--{key}" in named for key in (*keys(Config), *keys(TrainOptions)))
    assert "Passes over the training set" in answer.stdout
    assert seconds < 20  # a dead import would hang; how fast it is stands in benchmarks/


def test_the_command_line_is_read_without_torch() -> None:
    modules = "projects.plantdisease.config, shared.command, shared.runs"
    code = f"import sys; import {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_print_config_writes_settings_that_can_be_fed_back(tmp_path: Path, command: CommandLine) -> None:
    shown = command(TRAIN, "--training.epochs", "4", "--print-config")
    (tmp_path / "shown.yaml").write_text(shown.stdout)
    assert command(TRAIN, "--config", "shown.yaml", "--print-config").stdout == shown.stdout


def test_every_setting_of_every_project_is_documented() -> None:
    for path in (ROOT / "projects").glob("*/config.py"):
        sections = [importlib.import_module(f"projects.{path.parent.name}.config").Config]
        for section in sections:
            for name, field in section.model_fields.items():
                if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                    sections.append(field.annotation)
                else:
                    assert field.description, f"{path.parent.name}: {name} has no docstring"


def test_an_error_without_a_near_key_points_to_help() -> None:
    error = {"type": "extra_forbidden", "loc": ("zzzzzz",), "msg": "", "input": 1}
    assert "--help lists all settings" in in_one_sentence(error, list(keys(Config)))
