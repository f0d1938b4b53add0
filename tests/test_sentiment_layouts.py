"""Files of reviews of many origins open as they are, with the right texts, headlines, classes, products and days."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from projects.sentiment.config import Config, CustomerReportOptions, DataConfig
from projects.sentiment.data import ReviewData
from projects.sentiment.layouts import read_file
from projects.sentiment.predict import read_input
from projects.sentiment.reviews import read_stars
from projects.sentiment.sources import Table, load_table
from shared.config import load, parse_arguments
from tests.conftest import CommandLine, write_csv
from tests.layouts import sentiment as files
from tests.layouts.sentiment import BAD, FAIR, GOOD, HEADS, NEGATIVE, POSITIVE, TEXTS, Layout

HEADED = ["Great. " + GOOD, "Awful. " + BAD]
STARS = "ratings up to 5: 1 = negative; 5 = positive; 3 left out"
PRODUCTS = ["B1", "B2"]


def read(path: Path, **settings: object) -> Table:
    return load_table(DataConfig(source="csv", root=path, **settings))


def classes_of(table: Table) -> list[str]:
    return [table.classes[label] for label in table.labels]


@pytest.mark.parametrize(
    ("layout", "texts", "products"),
    [
        pytest.param(files.json_lines("reviews_Books.json", files.MCAULEY_2014), HEADED, PRODUCTS, id="mcauley2014"),
        pytest.param(files.json_lines("Books.jsonl", files.MCAULEY_2023), HEADED, PRODUCTS, id="mcauley2023"),
        pytest.param(files.csv("reviews.csv", files.PLAY, "utf-16"), TEXTS[:2], ["a.b"] * 2, id="google play"),
        pytest.param(files.csv("reviews.csv", files.APP_STORE), HEADED, ["Shop"] * 2, id="app store"),
        pytest.param(files.csv("1429_1.csv", files.DATAFINITI), HEADED, PRODUCTS, id="datafiniti"),
    ],
)
def test_exports_of_shops_and_app_stores_open(
    layout: Layout, texts: list[str], products: list[str], tmp_path: Path
) -> None:
    table = read(layout(tmp_path))
    assert (table.texts, classes_of(table), table.products) == (texts, [POSITIVE, NEGATIVE], products)
    assert table.facts["labels"] == STARS and table.facts["days"] == "2024-01-31 to 2024-02-29"
    assert table.left_out["with a label or rating of no class"] == 1
    assert (table.bodies or table.texts) == TEXTS[:2]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"Review": TEXTS, "Rating": [5, 1, 3]}, {"text": "Review", "label": "Rating"}),
        (files.CLOTHING, {"text": "Review Text", "title": "Title", "label": "Rating", "product": "Clothing ID"}),
        (
            {
                "Review Title": HEADS,
                "Review Content": TEXTS,
                "Review Stars": [5, 1, 3],
                "Review Created Date": files.DAYS,
            },
            {"text": "Review Content", "title": "Review Title", "label": "Review Stars", "date": "Review Created Date"},
        ),
        (
            {"business_id": list("abc"), "stars": [5.0, 1.0, 3.0], "text": TEXTS, "date": files.DAYS},
            {"text": "text", "label": "stars", "product": "business_id", "date": "date"},
        ),
        (
            {"content": TEXTS, "score": [5, 1, 3], "thumbsUpCount": [0] * 3, "at": files.DAYS},
            {"text": "content", "label": "score", "date": "at"},
        ),
        (
            {"Id": [1, 2, 3], "ProductId": list("abc"), "Score": [5, 1, 3], "Summary": HEADS, "Text": TEXTS},
            {"text": "Text", "title": "Summary", "label": "Score", "product": "ProductId"},
        ),
        (
            {"avis": TEXTS, "étoiles": [5, 1, 3], "titre": HEADS, "produit": list("abc")},
            {"text": "avis", "title": "titre", "label": "étoiles", "product": "produit"},
        ),
        ({"review_score": [1, -1, 1], "review_text": TEXTS}, {"text": "review_text", "label": "review_score"}),
        ({"Review": TEXTS, "Liked": [1, 0, 1]}, {"text": "Review", "label": "Liked"}),
        ({"text": TEXTS, "want": ["positive", "neg", "neutral"]}, {"text": "text", "label": "want"}),
        ({"text": TEXTS, "sentiment": [0.91, -0.8112, 0.1], "stars": [5, 1, 3]}, {"text": "text", "label": "stars"}),
    ],
)
def test_columns_are_recognised_and_named_in_the_summary(columns: dict, found: dict, tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "r.csv", **columns), classes={})
    assert table.columns == found
    assert classes_of(table)[:2] == [POSITIVE, NEGATIVE]


@pytest.mark.parametrize(
    ("labels", "classes", "said"),
    [
        (["POS", "NEG"], [POSITIVE, NEGATIVE], "label: NEG = negative; POS = positive"),
        (["good", "bad"], [POSITIVE, NEGATIVE], "label: bad = negative; good = positive"),
        (["Positive", "negative", "neu"], [POSITIVE, NEGATIVE, "neutral"], ""),
        ([1, 0, 1], [POSITIVE, NEGATIVE, POSITIVE], "label: 0 = negative; 1 = positive"),
        ([1, -1, 0], [POSITIVE, NEGATIVE, "neutral"], "label: -1 = negative; 0 = neutral; 1 = positive"),
        ([4.0, 0.0, 4.0], [POSITIVE, NEGATIVE, POSITIVE], "label: 0 = negative; 4 = positive"),
        (["+", "-"], [POSITIVE, NEGATIVE], "label: - = negative; + = positive"),
        ([True, False], [POSITIVE, NEGATIVE], "label: False = negative; True = positive"),
        (["__label__2", "__label__1"], [POSITIVE, NEGATIVE], "label: __label__1 = negative; __label__2 = positive"),
        (["LABEL_1", "LABEL_0"], [POSITIVE, NEGATIVE], "label: LABEL_0 = negative; LABEL_1 = positive"),
        (["5 stars", "1 star", "3 stars"], [POSITIVE, NEGATIVE], "ratings up to 5: 1 star = negative"),
        (["joy", "anger", "Joy"], ["joy", "anger", "joy"], ""),
    ],
)
def test_labels_in_other_words_are_recognised_and_said(
    labels: list, classes: list[str], said: str, tmp_path: Path
) -> None:
    table = read(files.labelled(labels)(tmp_path))
    assert classes_of(table) == classes
    assert table.facts["labels"].startswith(said)


@pytest.mark.parametrize(
    ("ratings", "column", "said"),
    [
        ([4.5, 0.5, 3.0], "rating", "ratings up to 5: 0.5 = negative; 4.5 = positive; 3 left out"),
        (["4,5", "1,0", "3,0"], "Sterne", "ratings up to 5: 1,0 = negative; 4,5 = positive; 3,0 left out"),
        (["★★★★★", "★★☆☆☆", "★★★☆☆"], "rating", "ratings up to 5: ★★☆☆☆ = negative"),
        (["5.0 out of 5 stars", "2.0 out of 5 stars", "3.0 out of 5 stars"], "rating", "ratings up to 5: 2.0 out of 5"),
        (["4/5", "2/5", "3/5"], "rating", "ratings up to 5: 2/5 = negative; 4/5 = positive"),
        (["8/10", "2/10", "5/10"], "rating", "ratings up to 10: 2/10 = negative; 8/10 = positive; 5/10 left out"),
        ([50, 15, 30], "rating", "ratings up to 50 (tenths of stars): 15 = negative; 50 = positive; 30 left out"),
        ([9, 6, 8], "NPS score", "answers 0 to 10 to the NPS question: 6 = negative; 9 = positive; 8 left out"),
        (["90%", "20%", "50%"], "rating", "ratings up to 100: 20% = negative; 90% = positive; 50% left out"),
        ([5, 1, 3], "NPS score", "ratings up to 5: 1 = negative; 5 = positive; 3 left out"),
        ([5, 1, "-"], "rating", "ratings up to 5: 1 = negative; 5 = positive; - left out"),
        (["FIVE", "ONE", "THREE"], "starRating", "ratings up to 5: ONE = negative; FIVE = positive; THREE left out"),
        (['{"ratingValue": "4"}', '{"a": 0, "ratingValue": 2}', "5"], "reviewRating", "ratings up to 5: 2 = negative"),
        ([5, 4, 1], "rating", "ratings up to 5: 1 = negative; 4, 5 = positive"),
    ],
)
def test_rating_scales_are_taken_from_the_values_and_said(
    ratings: list, column: str, said: str, tmp_path: Path
) -> None:
    table = read(files.rated(ratings, column)(tmp_path))
    assert table.facts["labels"].startswith(said)
    assert classes_of(table)[0] == POSITIVE and NEGATIVE in classes_of(table)


def test_a_minus_is_a_label_only_beside_a_plus(tmp_path: Path) -> None:
    for labels, negative in ((["positive", "negative", "-"], 1), (["+", "-", "-"], 2)):
        assert classes_of(read(files.labelled(labels)(tmp_path))).count(NEGATIVE) == negative


def test_ranges_of_ratings_count_beside_words(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", text=list("abcdefg"), stars=[1, 2, 4, 4.5, "not rated", "not rated", "none"])
    table = read(path, classes={NEGATIVE: ["1", "2"], POSITIVE: ["4", "4.1..5"]})
    assert classes_of(table) == [NEGATIVE] * 2 + [POSITIVE] * 2


@pytest.mark.parametrize(
    ("stars", "labels", "ratings"),
    [
        (["FIVE", "ONE", "THREE", ""], [POSITIVE, NEGATIVE, "neutral", ""], [5, 1, 3, np.nan]),
        (["90%", "20%", "50%", "-"], [POSITIVE, NEGATIVE, "neutral", ""], [90, 20, 50, np.nan]),
        (["4,5", "1", "3", "5"], [POSITIVE, NEGATIVE, "neutral", POSITIVE], [4.5, 1, 3, 5]),
    ],
)
def test_the_report_reads_the_scales_that_training_reads(
    stars: list[str], labels: list[str], ratings: list[float], tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "r.csv", text=list("abcd"), stars=stars)
    options, frame = CustomerReportOptions(input=[path]), read_file(path)
    _, found, numbers = read_stars(frame, path, options, "text", [NEGATIVE, POSITIVE])
    assert found.tolist() == labels
    np.testing.assert_array_equal(numbers, ratings)


def test_a_review_without_a_label_is_not_neutral_because_it_has_stars(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", text=list("abcd"), label=[NEGATIVE, POSITIVE, "", ""], stars=[1, 5, 5, 3])
    options, frame = CustomerReportOptions(input=[path]), read_file(path)
    _, found, numbers = read_stars(frame, path, options, "text", [NEGATIVE, "neutral", POSITIVE])
    assert found.tolist() == [NEGATIVE, POSITIVE, "", ""] and numbers.tolist() == [1, 5, 5, 3]


def test_tables_of_a_folder_are_sets_by_their_usual_names_and_others_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("training", "validation", "test", "extra"):
        write_csv(tmp_path / f"{name}.csv", text=[f"{name} good", f"{name} bad"], label=[POSITIVE, NEGATIVE])
    assert read(tmp_path).parts == ["test"] * 2 + ["train"] * 2 + ["validation"] * 2
    assert "left out: extra.csv" in capsys.readouterr().err


def test_only_line_ends_end_a_line(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("__label__2 Great\x85and cheap.\n__label__1 Bad.\u2028Broke.\n", "utf-8")
    assert read_file(tmp_path / "train.txt")["text"].tolist() == ["Great\x85and cheap.", "Bad.\u2028Broke."]
    (tmp_path / "texts.txt").write_text("Works great\u2028and is cheap.\r\nBroke.\n", "utf-8", newline="")
    rows = read_input(str(tmp_path / "texts.txt"), None)
    assert [number for number, _ in rows] == [1, 2]


@pytest.mark.parametrize(
    ("ratings", "column"),
    [
        ([4, 0, 3], "rating"),  # 0 to 4, or sentiment classes, or 1 to 5 without a 5
        ([4, 1, 3], "rating"),  # 1 to 4, or 1 to 5 without a 5
        ([5, 0, 3], "rating"),  # the worst, or not rated
        ([10, 2, 8], "rating"),  # ratings or the NPS question
        ([100, 20, 60], "score"),
        ([3, 1, 2], "label"),
        ([2, 0, 1], "label"),
        ([2, 1, 2], "label"),
        ([0.9, -0.7, 0.1], "sentiment"),
        ([6, 1, 3], "Note"),
        ([900, 1, 400], "score"),
    ],
)
def test_what_could_mean_several_things_is_asked_with_lines_that_work(
    ratings: list, column: str, tmp_path: Path
) -> None:
    path = files.rated(ratings, column)(tmp_path)
    words = [] if column != "Note" else ["--data.label", "Note"]
    with pytest.raises(ValueError, match=r"say which mean what: --data\.classes") as refused:
        read(path, **({"label": "Note"} if words else {}))
    lines = str(refused.value).split("--data.classes '")[1:]
    assert lines
    for line in lines:
        answer = parse_arguments(["--data.classes", line.split("'")[0], *words])
        config = load(Config, {"data": {"source": "csv", "root": str(path)}}, answer).data
        found = load_table(config, ["negative", "neutral", "positive"])
        texts = set(zip(classes_of(found), found.texts))
        if column != "Note" and 0 not in ratings:  # grades may be better the lower they are, and 0 may be no rating
            assert {(POSITIVE, GOOD), (NEGATIVE, BAD)} <= texts


def test_classes_are_those_of_the_setting(tmp_path: Path) -> None:
    classes = "{negative: [0, -1, NEG, bad], positive: [4, 1, POS, good]}"
    labels = [4, 0, 1, -1, "POS", "neg", "good", "bad", "mixed", "positive"]
    path = write_csv(tmp_path / "r.csv", text=[f"text {n}" for n in range(10)], label=labels)
    answer = parse_arguments(["--data.classes", classes])
    config = load(Config, {"data": {"source": "csv", "root": str(path)}}, answer).data
    table = load_table(config)
    assert classes_of(table) == [POSITIVE, NEGATIVE] * 4 + [POSITIVE]
    assert table.left_out["with a label or rating of no class"] == 1 and "mixed left out" in table.facts["labels"]
    for wrong, reason in (
        ({"a": ["1"]}, "two or more are needed"),
        ({"a": ["1..3"], "b": ["3"]}, "every label must belong to one class only"),
        ({"a": ["x"], "b": ["X"]}, "every label must belong to one class only"),
    ):
        with pytest.raises(ValueError, match=reason):
            DataConfig(classes=wrong)
    with pytest.raises(ValueError, match=r"none of its values \(bad, good\) is in data.classes"):
        read(files.labelled(["good", "bad"])(tmp_path), classes={"a": ["1"], "b": ["2"]})


@pytest.mark.parametrize(
    ("layout", "texts", "classes"),
    [
        pytest.param(
            files.text("train.csv", f'"2","{GOOD}"\n"1","{BAD}"\n'), TEXTS[:2], [POSITIVE, NEGATIVE], id="yelp polarity"
        ),
        pytest.param(
            files.text("train.csv", f'"2","Great","{GOOD}"\n"1","Awful","{BAD}"\n'),
            HEADED,
            [POSITIVE, NEGATIVE],
            id="amazon polarity",
        ),
        pytest.param(files.text("tweets.csv", files.SENTIMENT140), TEXTS[:2], [POSITIVE, NEGATIVE], id="sentiment140"),
        pytest.param(
            files.text("yelp_labelled.txt", f"{GOOD}\t1\n{BAD}\t0\n"), TEXTS[:2], [POSITIVE, NEGATIVE], id="uci"
        ),
        pytest.param(
            files.text("twitter-train.tsv", f"26\tpositive\t{GOOD}\n27\tnegative\t{BAD}\n"),
            TEXTS[:2],
            [POSITIVE, NEGATIVE],
            id="semeval tweets",
        ),
        pytest.param(
            files.text("train.ft.txt", f"__label__2 {GOOD}\n__label__1 {BAD}\n"),
            TEXTS[:2],
            [POSITIVE, NEGATIVE],
            id="fasttext",
        ),
        pytest.param(
            files.text(
                "r.xml", f"<r><x><text>{GOOD}</text><stars>5</stars></x><x><text>{BAD}</text><stars>1</stars></x></r>"
            ),
            TEXTS[:2],
            [POSITIVE, NEGATIVE],
            id="xml records",
        ),
    ],
)
def test_files_without_a_header_open(layout: Layout, texts: list[str], classes: list[str], tmp_path: Path) -> None:
    table = read(layout(tmp_path))
    assert (table.texts, classes_of(table)) == (texts, classes)


@pytest.mark.parametrize(("content", "last"), [(files.SEMEVAL_2014, "staff"), (files.SEMEVAL_2016, "service general")])
def test_xml_of_semeval_opens_with_its_aspects(content: str, last: str, tmp_path: Path) -> None:
    path = files.text("Restaurants.xml", content)(tmp_path)
    table = read(path)
    assert table.texts == ["The soup is good, the staff is rude."] * 2
    assert (table.aspects, classes_of(table)) == (["soup", last], [POSITIVE, NEGATIVE])
    assert ReviewData(DataConfig(source="csv", root=path, split="all")).config.aspect == "aspect"
    declared = files.text("bad.xml", content.replace("?>", '?><!DOCTYPE x [<!ENTITY a "b">]>', 1))(tmp_path)
    with pytest.raises(ValueError, match="declares a document type or entities"):
        read(declared)


def test_two_columns_of_booking_become_two_texts_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files.csv("Hotel_Reviews.csv", files.BOOKING)(tmp_path)
    table = read(path)
    assert (table.texts, classes_of(table)) == ([GOOD, BAD], [POSITIVE, NEGATIVE])
    assert table.items == ["1:positive", "2:negative"] and table.products == ["A", "B"]
    assert "without 2 placeholders such as 'No Negative'" in capsys.readouterr().err
    assert read_input(str(path), None) == [(1, GOOD), (2, BAD)]


def test_german_excel_and_spreadsheets_open(tmp_path: Path) -> None:
    table = read(files.csv("b.csv", files.GERMAN, "cp1252", sep=";")(tmp_path))
    assert (table.texts, classes_of(table), table.products) == ([GOOD, BAD], [POSITIVE, NEGATIVE], ["Kocher", "Lampe"])
    assert table.facts["days"] == "2024-01-31 to 2024-02-29"
    assert read_input(str(tmp_path / "b.csv"), None) == [(1, GOOD), (2, BAD), (3, FAIR)]


def test_the_same_review_twice_is_counted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", text=[GOOD, GOOD, BAD, GOOD], label=[1, 1, 0, 0])
    assert read(path).facts["repeated"] == "2 of 4 texts (1 with another label)"


def test_the_check_works_without_a_config(tmp_path: Path, command: CommandLine) -> None:
    rows = {"review": [f"number {n} is here" for n in range(60)], "rating": [1, 2, 3, 4, 5, 5] * 10}
    write_csv(tmp_path / "r.csv", **rows, Title=[f"head {n}" for n in range(60)])
    answer = command("projects.sentiment.train", "--data.source", "csv", "--data.root", "r.csv", "--check")
    assert answer.returncode == 0, answer.stderr
    assert "columns       text = review, title = Title, label = rating\n" in answer.stdout
    assert "labels        ratings up to 5: 1, 2 = negative; 4, 5 = positive; 3 left out\n" in answer.stdout
    assert "left out      10 with a label or rating of no class\n" in answer.stdout


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"text": TEXTS}, "or classify its texts: python -m projects.sentiment.predict"),
        ({"Kundenstimme": TEXTS, "n": [1, 2, 3]}, "name it, as in --data.text Kundenstimme"),
        ({GOOD + " " + GOOD: [BAD]}, "a text where the names of columns should be; .* --data.header none"),
        ({"text": TEXTS, "stars": ["4/5", "8/10", "1/5"]}, "mixes ratings out of 5 and 10"),
        ({"text": TEXTS, "stars": [5, 5, 5]}, r"has only one class, positive \(ratings up to 5: 5 = positive\)"),
        (
            {"text": [f"t{n}" for n in range(30)], "label": [f"x{n}" for n in range(30)]},
            "30 different values in 30 rows",
        ),
    ],
)
def test_what_is_missing_is_said_with_what_opens_the_file(columns: dict, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(write_csv(tmp_path / "r.csv", **columns))


@pytest.mark.parametrize(
    "name", ["no.xlsx", "none.jsonl", "my reviews.csv.gz", "reviews.xml", "letter.docx", "a/b.pdf"]
)
def test_the_name_of_a_missing_file_is_not_judged(name: str) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_input(name, None)
    assert read_input(f"I opened {name} at once.", None) == [(None, f"I opened {name} at once.")]


def test_predict_reads_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Review Title": HEADS, "Review": TEXTS})
    frame.to_json(tmp_path / "r.jsonl", orient="records", lines=True)
    frame.to_csv(tmp_path / "r.csv.gz", index=False)
    frame.to_csv(tmp_path / "r.tsv", index=False, sep="\t", encoding="utf-16")
    files.text("r.txt", "\n".join(TEXTS))(tmp_path)
    for name in ("r.jsonl", "r.csv.gz", "r.tsv", "r.txt"):
        assert read_input(str(tmp_path / name), None, trained_title="none") == list(enumerate(TEXTS, 1))
    headed = [(1, HEADED[0]), (2, HEADED[1]), (3, "Fair. " + FAIR)]
    for trained in ("summary", None):  # None: a run of several tables
        assert read_input(str(tmp_path / "r.jsonl"), None, trained_title=trained) == headed
    assert read_input(str(tmp_path / "r.jsonl"), None, title="none", trained_title="summary") == list(
        enumerate(TEXTS, 1)
    )
    assert list(read_file(tmp_path / "r.jsonl").index) == ["1", "2", "3"]
    with pytest.raises(ValueError, match="is a folder; give a table of texts"):
        read_input(str(tmp_path), None)


def test_a_folder_with_one_table_opens(tmp_path: Path) -> None:
    files.labelled([1, 0])(tmp_path)
    assert classes_of(read(tmp_path)) == [POSITIVE, NEGATIVE]
    files.csv("other.csv", {"text": TEXTS})(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no table called train .it has other\.csv, r\.csv.; name a file"):
        read(tmp_path)
