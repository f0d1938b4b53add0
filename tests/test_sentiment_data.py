"""Sources of texts: tables, archives, dates, and data leakage across a split."""

import gzip
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from projects.sentiment.config import DataConfig, ModelConfig
from projects.sentiment.data import ReviewData, Texts, fingerprints, load_parts, to_dataset
from projects.sentiment.layouts import headline
from projects.sentiment.near_duplicates import near_duplicates, phrase_families
from projects.sentiment.sources import Table, load_table
from projects.sentiment.vocabulary import word_tokenizer
from shared.config import load
from shared.data.values import read_days
from tests.conftest import environment, write_csv


def test_training_texts_near_a_validation_or_test_text_are_left_out(tmp_path: Path) -> None:
    held = "it came with a lid that fits and a cord of six feet in length"
    texts = [held, f"{held.upper()}!!! Truly.", "nothing of the kind has ever been seen in here", "Good!", "good"]
    parts = np.array(["test", "train", "train", "test", "train"], dtype=object)
    assert near_duplicates(texts, parts, 0.5).tolist() == [False, True, False, False, True]

    path = write_csv(
        tmp_path / "r.csv", text=[f"number {i % 50}" for i in range(100)], label=[i % 2 for i in range(100)]
    )
    data = ReviewData(DataConfig(source="csv", root=path, split="random"))
    texts_of = {name: set(data.part(name).texts) for name in ("train", "validation", "test")}
    assert not texts_of["train"] & (texts_of["test"] | texts_of["validation"])


def test_phrases_of_one_sentence_are_one_group() -> None:
    sentence = "a film that is as funny as it is sad and never dull"
    texts = ["is as funny as it is sad", sentence, "dull", "another film that has nothing to do with it at all"]
    numbers = phrase_families(texts)
    assert numbers[0] == numbers[1]
    assert len({numbers[1], numbers[2], numbers[3]}) == 3


def test_stars_and_titles_and_numbers_become_classes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", review=["bad thing"] * 3, rating=[1, 3, 5], headline=["A", "B", ""])
    data = ReviewData(DataConfig(source="csv", root=path, split="all", title="headline"))
    assert data.table.labels.tolist() == [0, 1]
    assert data.table.texts == ["A. bad thing", "bad thing"]
    assert data.table.left_out["with a label or rating of no class"] == 1
    tsv = tmp_path / "r.tsv"
    tsv.write_text('sentence\tlabel\n"quoted\t1\nplain\t0\n')
    assert ReviewData(DataConfig(source="csv", root=tsv, split="all")).table.labels.tolist() == [1, 0]
    tsv.write_text('sentence\tlabel\n"two\nlines, ""quoted"""\t1\nplain\t0\n')
    assert ReviewData(DataConfig(source="csv", root=tsv, split="all")).table.texts == ['two lines, "quoted"', "plain"]


def test_headlines_are_found_in_any_case_and_a_table_may_lack_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = pd.DataFrame({"Title": ["A"], "text": ["b"]})
    path = write_csv(tmp_path / "r.csv", text=["good", "bad"], label=["positive", "negative"])
    assert headline(frame, path, None, "title", "text") == headline(frame, path, None, "head", "text") == "Title"
    assert headline(frame, path, None, "none", "text") is None
    assert "column Title is not used, for the run was trained without headlines" in capsys.readouterr().err
    assert headline(frame, path, None, None, "text") == "Title"  # of a run of several tables
    assert "column Title is read as headlines; title none leaves them out" in capsys.readouterr().err
    config = DataConfig(source="csv", root=path, split="all", title="title")
    assert ReviewData(config, ["negative", "positive"]).table.texts == ["good", "bad"]
    assert "has no column title: its texts are scored without headlines" in capsys.readouterr().err
    with pytest.raises(ValueError, match="has no column title"):
        ReviewData(config)


def test_labels_are_the_same_in_any_case(tmp_path: Path) -> None:
    for labels in (["Positive", "negative", "Negative", "positive"], ["Positive", "Negative"] * 2):
        path = write_csv(tmp_path / "r.csv", text=list("abcd"), label=labels)
        assert ReviewData(DataConfig(source="csv", root=path, split="all")).classes == ["negative", "positive"]
    path = write_csv(tmp_path / "r.csv", text=list("abc"), label=["Positive", "Neutral", "Negative"])
    three = ReviewData(DataConfig(source="csv", root=path, split="all"))
    assert three.classes == ["negative", "neutral", "positive"]
    other = write_csv(tmp_path / "o.csv", text=list("ab"), label=["Good", "BAD"])
    assert load_table(DataConfig(source="csv", root=other), ["bad", "Good"]).labels.tolist() == [1, 0]


def test_a_test_file_without_labels_is_replaced_by_the_dev_file(tmp_path: Path) -> None:
    for part, count in (("train", 40), ("dev", 10), ("test", 10)):
        label = [i % 2 if part != "test" else "" for i in range(count)]
        write_csv(tmp_path / f"{part}.csv", text=[f"{part} {i}" for i in range(count)], label=label)
    data = ReviewData(DataConfig(source="csv", root=tmp_path))
    assert data.split_name == "given" and {text.split()[0] for text in data.test.texts} == {"dev"}
    rows = {"text": [f"n {i}" for i in range(40)], "label": [i % 2 for i in range(40)]}
    write_csv(tmp_path / "one.csv", **rows, Split=["train "] * 30 + ["Dev"] * 10)
    data = ReviewData(DataConfig(source="csv", root=tmp_path / "one.csv"))
    assert data.split_name == "given" and len(data.test.texts) == 10


def test_imdb_is_read_from_a_folder_and_from_an_archive(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for label in ("pos", "neg"):
            folder = tmp_path / "aclImdb" / part / label
            folder.mkdir(parents=True)
            for i in range(30):
                (folder / f"{i}_9.txt").write_text(f"{part} {label}<br />review number {i}", encoding="utf-8")
    with tarfile.open(tmp_path / "some.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "aclImdb", "aclImdb")
    for place in (tmp_path / "aclImdb", tmp_path / "some.tar.gz"):
        data = ReviewData(DataConfig(source="imdb", root=place))
        assert data.split_name == "given"
        assert len(data.test.texts) == 60
        assert all(("pos" in text) == bool(label) for text, label in zip(data.table.texts, data.table.labels))
        assert len(ReviewData(DataConfig(source="imdb", root=place, split="test")).table.texts) == 60


def test_one_text_may_have_several_aspects(tmp_path: Path) -> None:
    text = "The $T$ is fine, the soup is cold."
    path = tmp_path / "train.csv.gz"
    with gzip.open(path, "wt") as file:
        pd.DataFrame({"text": [text] * 2, "aspect": ["bread", "roll"], "polarity": ["positive", "negative"]}).to_csv(
            file, index=False
        )
    table = ReviewData(DataConfig(source="csv", root=path, split="all", aspect="aspect")).table
    assert table.texts[0] == "The bread is fine, the soup is cold."
    assert table.aspects == ["bread", "roll"]
    assert len(set(fingerprints(table).exact.tolist())) == 2  # another aspect is another item


def test_fingerprints_are_the_same_in_any_case_and_punctuation() -> None:
    table = Table(
        ["1", "2", "3"], ["The lid is good.", "the LID - is good!", "The lid is not good."], np.zeros(3), ["a"]
    )
    first, second, third = fingerprints(table).exact
    assert first == second != third


def test_every_text_is_identified_by_its_row(tmp_path: Path) -> None:
    columns = {"text": ["good", "", "bad"], "label": ["positive", "positive", "negative"]}
    path = write_csv(tmp_path / "r.csv", **columns)
    assert load_table(DataConfig(source="csv", root=path)).items == ["1", "3"]
    (tmp_path / "parts").mkdir()
    for name in ("train.csv", "test.csv"):
        write_csv(tmp_path / "parts" / name, **columns)
    items = load_table(DataConfig(source="csv", root=tmp_path / "parts")).items
    assert sorted(items) == ["test.csv:1", "test.csv:3", "train.csv:1", "train.csv:3"]


@pytest.mark.parametrize(
    ("columns", "settings", "reason"),
    [
        (
            {"words": ["a", "b"], "label": [0, 1]},
            {},
            "usual name for texts; name it, as in --data.text words",
        ),
        ({"text": ["a", "b"], "label": [0, 1]}, {"label": "lable"}, "has no column lable; its columns are text, label"),
        ({"text": ["a", "b"], "label": [1, 1]}, {}, "has only one class, positive"),
        ({"text": ["a", "b"]}, {}, "no column with a usual name for labels or star ratings"),
        (
            {"text": ["a", "b"], "rating": [3, 10]},
            {},
            "holds the numbers 3, 10; say which mean what: --data.classes",
        ),
        ({"text": ["a", "b"], "label": [0, 1]}, {"encoding": "martian"}, "encoding martian is not known"),
        ({"text": ["é" * 3, "b"], "label": [0, 1]}, {"encoding": "ascii"}, "is not text in ascii"),
        ({"text": ["a" * 1_000_001, "b"], "label": [0, 1]}, {}, "is too long"),
        ({"text": ["a", "b"], "label": [0, 1]}, {"split": "product"}, "needs a column of products"),
    ],
)
def test_bad_tables_are_refused_with_a_sentence(tmp_path: Path, columns: dict, settings: dict, reason: str) -> None:
    path = write_csv(tmp_path / "r.csv", **columns)
    with pytest.raises(ValueError, match=reason):
        ReviewData(DataConfig(source="csv", root=path, **settings))


def test_damaged_archives_are_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + os.urandom(3000)))
    whole = bytearray(path.read_bytes())
    whole[200:220] = b"\xff" * 20
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="is not readable as a table"):
        load_table(DataConfig(source="csv", root=path))


def test_binary_and_empty_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "empty.csv").write_bytes(b"")
    for name in ("binary.csv", "empty.csv"):
        with pytest.raises(ValueError, match=name):
            ReviewData(DataConfig(source="csv", root=tmp_path / name))
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        ReviewData(DataConfig(source="csv", root=tmp_path / "none.csv"))


def test_numeric_labels_are_class_names_even_if_the_run_has_more_classes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", text=["good", "bad"], label=[1, 0])
    classes = ["negative", "neutral", "positive"]
    data = ReviewData(DataConfig(source="csv", root=path, split="all"), classes)
    assert [classes[label] for label in data.test.labels] == ["positive", "negative"]


def test_the_split_is_the_same_in_every_process(tmp_path: Path) -> None:
    code = (
        "from projects.sentiment.near_duplicates import phrase_families;"
        "texts = [f'{a} {b} is what they said of it' for a in 'abc' for b in 'de'];"
        "print(phrase_families([*texts, 'a d is what they']))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**environment(), "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (["2016-09-06", "2016-09-30"], "2016-09-06"),
        (["06/09/2016", "30/09/2016"], "2016-09-06"),
        (["06/09/2016", "06/30/2016"], "2016-06-09"),
        (["06.09.2016", "07.09.2016"], "2016-09-06"),
        (["20160906", "20160907"], "2016-09-06"),
        (["2016-09-06 00:30:00-05:00", "2016-09-07 00:30:00-04:00"], "2016-09-06"),
        (["13/02/16", "14/02/16"], "which number of 13/02/16 is the year cannot be told"),
        (["06/09/2016", "07/09/2016"], "06/09/2016 is 6 Sep or 9 Jun; say which with --data.dates"),
        (["30/09/2016", "09/30/2016"], "some days are written day/month/year, others month/day/year"),
    ],
)
def test_days_are_read_in_one_order_or_refused(days: list[str], first: str) -> None:
    if first.startswith("2016"):
        assert str(read_days(pd.Series(days), Path("x")).iloc[0].date()) == first
    else:
        with pytest.raises(ValueError, match=first):
            read_days(pd.Series(days), Path("x"))


def test_a_row_with_too_many_values_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("text,label\nfine, really,positive\nbad, too,negative\n")
    with pytest.raises(ValueError, match="more values than columns"):
        ReviewData(DataConfig(source="csv", root=tmp_path / "r.csv"))


def test_an_archive_in_the_layout_of_glue_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "SST-2"
    folder.mkdir()
    for name in ("train", "dev"):
        rows = [f"a {word} film\t{label}" for word in ("fine", "poor", "long", "short") for label in (0, 1)]
        (folder / f"{name}.tsv").write_text("sentence\tlabel\n" + "\n".join(rows) + "\n")
    archive = Path(shutil.make_archive(str(tmp_path / "SST-2"), "zip", tmp_path, "SST-2"))
    shutil.rmtree(folder)
    table = load_table(DataConfig(source="sst2", root=archive))
    assert len(table.texts) == 16 and table.parts is not None and table.parts.count("test") == 8
    folder.mkdir()
    (folder / "train.tsv").write_text("sentence\tlabel\nfine\t1\n")
    half = Path(shutil.make_archive(str(tmp_path / "half"), "zip", tmp_path, "SST-2"))
    with pytest.raises(FileNotFoundError, match=r"half\.zip has no file SST-2/dev\.tsv"):
        load_table(DataConfig(source="sst2", root=half))


@pytest.mark.realdata
def test_no_phrase_of_a_validation_sentence_is_in_the_training_set() -> None:
    root = os.environ.get("SST2")
    if not root:
        pytest.skip("set SST2 to the folder that holds SST-2/train.tsv")
    data = ReviewData(DataConfig(source="sst2", root=Path(root), validation=0.05))
    assert len(data.test.texts) == 872
    assert not near_duplicates(data.table.texts, data.parts, 0.5).any()
    assert isinstance(to_dataset(data.test, word_tokenizer(data.train.texts, 1000, 2), ModelConfig()), Texts)


# --- several tables


def general(tmp_path: Path, **settings: object) -> DataConfig:
    """Two tables, of which one has neutral texts and the other headlines."""
    one = write_csv(tmp_path / "one.csv", text=[f"first {i}" for i in range(60)], label=["good", "bad"] * 30)
    two = write_csv(
        tmp_path / "two.csv", title=["Head"] * 60, text=[f"second {i}" for i in range(60)], stars=[1, 3, 5] * 20
    )
    classes = {"negative": ["1"], "neutral": ["3"], "positive": ["5"]}
    tables = [{"source": "csv", "root": one}, {"source": "csv", "root": two, "classes": classes}]
    return DataConfig(source="several", tables=tables, **settings)


def test_several_tables_are_one_with_the_classes_of_all(tmp_path: Path) -> None:
    data = ReviewData(general(tmp_path))
    assert data.classes == ["negative", "neutral", "positive"]
    found = dict(zip(data.table.texts, (data.classes[label] for label in data.table.labels)))
    assert found["first 0"] == "positive" and found["first 1"] == "negative"  # in its own table, negative is 0
    assert [found[f"Head. second {i}"] for i in range(3)] == ["negative", "neutral", "positive"]
    assert {"1:1", "2:1"} <= set(data.table.items)
    assert data.config.title is None  # other tables are read with headlines of their own


def test_several_tables_keep_their_own_splits(tmp_path: Path) -> None:
    config = general(tmp_path)
    parts = [dict(zip(t.texts, p)) for t, _, p in (load_parts(part, None) for part in config.parts)]
    data = ReviewData(config)
    assert {text: part for one in parts for text, part in one.items()} == dict(zip(data.table.texts, data.parts))


def test_a_run_of_several_tables_reads_them_again_with_their_headlines(tmp_path: Path) -> None:
    config = general(tmp_path)
    trained = ReviewData(config)
    again = ReviewData(trained.config, classes=trained.classes)
    assert again.table.texts == trained.table.texts and again.table.labels.tolist() == trained.table.labels.tolist()
    alone = load(DataConfig, config.tables[1])
    assert ReviewData(alone, classes=trained.classes).table.texts[0] == "Head. second 0"


def test_mistakes_in_several_tables_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.source several and data\.tables need each other"):
        DataConfig(source="several")
    with pytest.raises(ValueError, match="sorce"):
        ReviewData(DataConfig(source="several", tables=[{"sorce": "sst2"}]))
    path = write_csv(tmp_path / "a.csv", text=["a", "b"], aspect=["x", "y"], label=["good", "bad"])
    with pytest.raises(ValueError, match="texts with aspects cannot be joined"):
        ReviewData(DataConfig(source="several", tables=[{"source": "csv", "root": path, "split": "all"}]))
