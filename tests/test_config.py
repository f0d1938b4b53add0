"""The promise: every mistake in settings is one sentence that names the key, and nothing is silently ignored."""

import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from projects.plantdisease.config import Config
from shared.command import options_class, picture_files
from shared.config import Section, TrainOptions, in_one_sentence, keys, load, merge, parse_arguments, read_yaml, to_yaml
from shared.console import CLOSED_PIPE, MISTAKE, sentence
from shared.training.config import TrainingConfig
from tests.conftest import ROOT, CommandLine, environment

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
        (["--training", "{epochs: 1, epochs: 2}"], "training: 'epochs' is given twice"),
        (["--augment.scale", "[" * 5000], "augment.scale: values are nested more than 20 deep"),
        (["--augment.scale", f"[0x{'f' * 5000}, 1]"], "is too large a number"),
        (["--training.seed", "9" * 30], f"training.seed: {'9' * 30} is too large a number"),
        (["--training.seed", "9" * 5000], "training.seed: unable to parse input string as an integer"),
        (["--training.learning_rate", "1e999"], "training.learning_rate must be a finite number, not '1e999'"),
        (["--" + "a." * 5000 + "a", "1"], "unexpected argument"),
        (["--=x"], "unexpected argument: '--=x'"),
        (["--data.source", "caf\udce9"], "data.source must be a valid string"),
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


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi")
)  # 9^9 values


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: [1", "line 1 is not readable as YAML: expected ',' or ']'"),
        ("- 1\n- 2", "must hold settings like"),
        ("[]", "must hold settings like"),
        ("a: 1\n---\nb: 1", "line 2 is not readable as YAML: but found another document"),
        ("a: \x00", "special characters are not allowed"),
        ("training:\n\tepochs: 1", "line 2 is not readable as YAML: found character"),
        ("training: {1: 2}", "line 1: a key must be text: put 1 in quotes"),
        ("? [1, 2]\n: 3", "line 1: a key must be text: not a list or group"),
        ("training: {epochs: 1}\naugment: {}\ntraining: {}", "line 3: 'training' is given twice, in line 1 already"),
        ("training:\n  epochs: 1\n  epochs: 2", "line 3: 'epochs' is given twice, in line 2 already"),
        ("a: !!bool maybe", "line 1: 'maybe' is no bool"),
        ("a: 032", "line 1: write '032' without the leading 0, or in quotes as text"),
        ("a: !!int ''", "line 1: '' is no int"),
        ("a: !!float ''", "line 1: '' is no float"),
        ("a:\n  - 0b_", "line 2: '0b_' is no int"),
        ("a: !!timestamp x", "settings have no values of the kind tag:yaml.org,2002:timestamp"),
        ("a: !!set {b, c}", "settings have no values of the kind tag:yaml.org,2002:set"),
        ("a: !!binary aGVsbG8=", "settings have no values of the kind tag:yaml.org,2002:binary"),
        ("a: !!python/name:os.system", "settings have no values of the kind tag:yaml.org,2002:python/name:os.system"),
        ("training: {seed: 99999999999999999999}", "line 1: '99999999999999999999' is too large a number"),
        (f"training: {{seed: 0x{'f' * 5000}}}", "is too large a number"),
        ("training: {learning_rate: .inf}", "training.learning_rate must be a finite number"),
        (f"a: !!int 1{':1' * 400_000}", "is no int"),
        (f"a: 1{':1' * 400_000}", "unknown setting a"),
        (f"a: !{'x' * 5000} 1", "settings have no values of the kind !xxx"),
        ("[" * 5000, "line 1: values are nested more than 20 deep"),
        ("a: &a [*a]", "line 1: *a is used inside of what it stands for"),
        ("a: &a {<<: *a}", "line 1: *a is used inside of what it stands for"),
        (LAUGHS, "line 5: there are more than 10000 values"),
    ],
)
def test_an_unreadable_config_file_is_one_sentence_at_once(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(content)
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"^[^\n]{,500}$") as error:
        load(Config, read_yaml(path))
    assert sentence in str(error.value)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "content",
    [
        b"training: {epochs: 4}",
        b"\xef\xbb\xbftraining:\r\n  epochs: 4\r\n",
        "training: {epochs: 4}".encode("utf-16"),
        b"training: &t {epochs: 4}\nhead: *t",
        b"training: {<<: {epochs: 3}, epochs: 4}",
    ],
    ids=["plain", "mark and CRLF", "UTF-16", "alias", "merge key"],
)
def test_a_config_file_in_any_usual_form_is_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "good.yaml").write_bytes(content)
    assert load(Config, read_yaml(tmp_path / "good.yaml")).training.epochs == 4


def test_a_date_is_text_until_its_setting_reads_it(tmp_path: Path) -> None:
    (tmp_path / "dates.yaml").write_text("name: 2024-01-31\nstart: 0000-00-00\ntime: 12:30\nsign: =")
    dates = {"name": "2024-01-31", "start": "0000-00-00", "time": "12:30", "sign": "="}
    assert read_yaml(tmp_path / "dates.yaml") == dates


def test_a_name_that_no_run_can_have_is_refused_before_the_training(tmp_path: Path, command: CommandLine) -> None:
    refused = "plantdisease: name: must be a name that can be printed, not 'caf\\udce9'\n"
    assert command(TRAIN, "--name", "caf\udce9", "--print-config").stderr == refused
    (tmp_path / "two\nlines.yaml").write_text("training: {epochs: 1}")
    with pytest.raises(ValueError, match=r"two\\nlines.yaml needs another name"):
        read_yaml(tmp_path / "two\nlines.yaml")


def test_what_an_error_says_is_one_line_that_can_be_printed() -> None:
    assert sentence(ValueError("two\nlines, \x1b[2J")) == "two lines, \\x1b[2J"
    assert len(sentence(ValueError("x" * 10**6))) < 2000


def test_a_broken_config_file_ends_the_command_with_its_sentence(tmp_path: Path, command: CommandLine) -> None:
    (tmp_path / "broken.yaml").write_text("training: {}\ntraining: {}")
    answer = command(TRAIN, "--config", "broken.yaml")
    assert (answer.returncode, answer.stderr) == (
        2, "plantdisease: broken.yaml, line 2: 'training' is given twice, in line 1 already\n"
    )  # fmt: skip


def test_a_group_given_twice_on_the_command_line_keeps_the_keys_of_both() -> None:
    words = ["--training", "{epochs: 1, seed: 1}", "--training.batch_size=4", "--training", "{seed: 2}", "photo.jpg"]
    given = parse_arguments([*words, "--input", "leaf.jpg"])
    training = {"epochs": 1, "seed": 2, "batch_size": "4"}  # of a single value the last one counts
    assert given == {"training": training, "input": ["photo.jpg", "leaf.jpg"]}


@pytest.mark.parametrize("words", [["--training.epochs", "1", "--training", "3"], ["--input.x", "3", "photo.jpg"]])
def test_a_group_and_a_value_of_one_name_are_refused(words: list[str]) -> None:
    for several in (words, [*words[2:], *words[:2]]):
        with pytest.raises(ValueError, match="cannot both be given"):
            parse_arguments(several)


def test_who_stops_reading_hears_no_complaint(tmp_path: Path) -> None:
    for words in ([TRAIN, "--help"], ["shared.runs"]):
        reader, writer = os.pipe()
        os.close(reader)
        command, where = [sys.executable, "-m", *words], {"cwd": tmp_path, "env": environment()}
        process = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, **where)
        os.close(writer)
        assert (process.returncode, process.stderr) == (CLOSED_PIPE, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_output_on_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    helped, configured, listed = [TRAIN, "--help"], [TRAIN, "--print-config"], ["shared.runs"]
    for program, words in (("plantdisease", helped), ("plantdisease", configured), ("runs", listed)):
        with Path("/dev/full").open("w") as full:
            command, where = [sys.executable, "-m", *words], {"cwd": tmp_path, "env": environment()}
            process = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, **where)
        assert process.returncode == MISTAKE
        assert re.fullmatch(rf"{program}: .*No space left on device\)?\n", process.stderr)


def test_a_misspelt_word_of_the_command_line_names_the_nearest(command: CommandLine) -> None:
    assert "did you mean config?" in command(TRAIN, "--confg", "x.yaml").stderr
    assert "unexpected argument: photo.jpg" in command(EVALUATE, "photo.jpg").stderr


@pytest.mark.parametrize(
    ("project", "source", "sentence"),
    [
        ("plantdisease", "folder", "data.source is folder: say where it is with --data.root DIR"),
        ("imagecaption", "coco", "data.source coco needs a folder: --data.root DIR"),
        ("numberplate", "csv", "data.source csv needs photos: --data.root FILE or FOLDER"),
        ("sentiment", "csv", "data.source csv needs a file or folder: --data.root FILE"),
        ("stockprice", "csv", "data.source csv needs a file or folder: --data.root FILE"),
    ],
)
def test_data_of_ones_own_without_a_place_are_refused_in_training_and_evaluation(
    project: str, source: str, sentence: str
) -> None:
    config = importlib.import_module(f"projects.{project}.config").Config
    for options in (config, options_class(project, "evaluate")):  # before torch is loaded
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            load(options, {"data": {"source": source}})


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
