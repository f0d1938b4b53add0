"""The promise: a table is read as it is meant, or refused with one sentence; no cell is lost, cut or guessed."""

import bz2
import gzip
import io
import json
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from shared.data.config import TableFormat
from shared.data.tables import find_column, read_table

TABLE = b'text,label\n"good, really",NA\nbad,\n'


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return buffer.getvalue()


def _tar(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("table.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "csv": bytes,
    "csv.gz": gzip.compress,
    "CSV.BZ2": bz2.compress,
    "csv.xz": lzma.compress,
    "csv.zip": lambda content: _zip(table=content),
    "csv.tar": _tar,
}


@pytest.mark.parametrize("suffix", PACKED)
def test_a_table_is_read_plain_or_compressed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table.{suffix}"
    path.write_bytes(PACKED[suffix](TABLE))
    assert read_table(path).fillna("").to_dict("list") == {"text": ["good, really", "bad"], "label": ["NA", ""]}


@pytest.mark.skipif(sys.version_info < (3, 14), reason="zstandard came into Python with 3.14")
def test_a_table_is_read_from_zstandard(tmp_path: Path) -> None:
    from compression import zstd

    (tmp_path / "table.csv.zst").write_bytes(zstd.compress(TABLE))
    assert len(read_table(tmp_path / "table.csv.zst")) == 2


@pytest.mark.parametrize("suffix", [suffix for suffix in PACKED if suffix != "csv"] + ["csv.zst"])
@pytest.mark.parametrize("damage", ["cut off", "not what it says"])
def test_a_damaged_archive_is_one_sentence(tmp_path: Path, suffix: str, damage: str) -> None:
    path = tmp_path / f"table.{suffix}"
    whole = PACKED.get(suffix, bytes)(TABLE)
    cut = 530 if suffix == "csv.tar" else len(whole) - 20  # a tar has 512 bytes of header, and zeros at its end
    path.write_bytes(whole[:cut] if damage == "cut off" else b"\xfe" * 600)
    with pytest.raises(ValueError, match=r"^.*table\.[^\n]* is not readable as a table: [^\n]+$"):
        read_table(path)


def _changed_zip(at: int, value: int) -> bytes:
    """A zip with another byte in the central header of its file and in its own."""
    content = bytearray(_zip(table=TABLE))
    central = content.index(b"PK\x01\x02")
    content[central + at] = content[at - 2] = value
    return bytes(content)


ZIPS = {
    "encrypted": _changed_zip(8, 1),
    "unknown compression": _changed_zip(10, 97),
    "two": _zip(a=TABLE, b=TABLE),
    "empty": _zip(),
}


@pytest.mark.parametrize("kind", ZIPS)
def test_a_zip_that_cannot_be_read_is_one_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "table.zip").write_bytes(ZIPS[kind])
    with pytest.raises(ValueError, match=r"^.*table\.zip is not readable as a table: [^\n]+$"):
        read_table(tmp_path / "table.zip")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty (0 bytes)"),
        (b"\n\n", "is not readable as a table"),
        (b"text,label\n", "has a header but no rows"),
        (b"text,label\na\n", "line 2 has fewer values than columns (1, not 2); is the file cut off?"),
        (
            b"text,label\na,b\nc,d,e\n",
            "line 3 has more values than columns (3, not 2); a text with commas",
        ),
        (b'text,label\n"never closed,1\nx,2\n', "does the quote in line 2 never close?"),
        (b'text,label\na,"never closed\nx,2\n', "is not readable as a table"),
        (b"text,label\na,b\nc\0d,e\n", "is not a table of text: it holds binary data in line 3"),
        ("text,label\na,b\n".encode("utf-16-le"), "is not a table of text: it holds binary data in line 1"),
    ],
)
def test_a_table_that_would_lose_something_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        read_table(tmp_path / "table.csv")
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b"text,label\ra,1\rb,2\r",
        b"\xef\xbb\xbftext,label\r\n\r\na,1\r\n\r\nb,2\r\n",
        "text,label\na,1\nb,2\n".encode("utf-16"),
    ],
    ids=["lone CR", "mark, CRLF and empty lines", "UTF-16"],
)
def test_line_ends_and_marks_of_any_system_are_read(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    assert read_table(tmp_path / "table.csv").to_dict("list") == {"text": ["a", "b"], "label": ["1", "2"]}


def test_quotes_in_two_rows_of_a_tsv_file_swallow_no_row_between_them(tmp_path: Path) -> None:
    (tmp_path / "table.tsv").write_text('text\tstars\nok\t3\n"Start only\t5\nmiddle\t4\nend here"\t1\nlast\t2\n')
    table = read_table(tmp_path / "table.tsv")
    assert table["text"].tolist() == ["ok", '"Start only', "middle", 'end here"', "last"]
    assert table["stars"].astype(int).tolist() == [3, 5, 4, 1, 2]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('text\tlabel\n"Great" film\t1\nIt is 5" long\t0\n', ['"Great" film', 'It is 5" long']),
        ('text\tlabel\n"two\nlines"\t1\n"a ""b"""\t0\n', ["two\nlines", 'a "b"']),
    ],
)
def test_quotes_in_a_tsv_file_are_letters_unless_they_are_around_cells(
    tmp_path: Path, content: str, texts: list[str]
) -> None:
    (tmp_path / "table.tsv").write_text(content)
    assert read_table(tmp_path / "table.tsv")["text"].tolist() == texts


def test_a_cell_may_be_a_book(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(f"text,label\n{'x' * 200_000},1\n")
    assert len(read_table(tmp_path / "table.csv")["text"][0]) == 200_000


def test_a_column_is_found_by_its_name_then_without_regard_to_case() -> None:
    frame = pd.DataFrame(columns=["Text", "text", " LABEL ", "Score", "score "])
    assert find_column(frame, None, None, ["text"], Path("t.csv")) == "text"
    assert find_column(frame, None, "label", [], Path("t.csv")) == " LABEL "
    with pytest.raises(ValueError, match="has several columns called SCORE: Score, score"):
        find_column(frame, None, "SCORE", [], Path("t.csv"))


def test_a_column_that_stands_twice_is_refused_only_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("text,text,label\na,b,c\n")
    frame = read_table(tmp_path / "table.csv")
    assert find_column(frame, None, None, ["label"], Path("t.csv")) == "label"
    with pytest.raises(ValueError, match="has several columns called text: text, text"):
        find_column(frame, None, None, ["text"], Path("t.csv"))


ROWS = [["good, really", "4,5"], ["schlecht; größer", "1"]]
"""Two rows of text and stars, as every file of `DIALECTS` must give them."""
RECORDS = [dict(zip(["text", "stars"], row)) for row in ROWS]
DIALECTS: dict[str, tuple[str, bytes]] = {
    "semicolons": ("t.csv", 'text;stars\ngood, really;4,5\n"schlecht; größer";1\n'.encode()),
    "tabs in .csv": ("t.csv", "text\tstars\ngood, really\t4,5\nschlecht; größer\t1\n".encode()),
    "bars and blanks": ("t.txt", "text| stars\ngood, really| 4,5\nschlecht; größer| 1\n".encode()),
    "sep=": ("t.csv", '\ufeffsep=;\r\ntext;stars\r\ngood, really;4,5\r\n"schlecht; größer";1\r\n'.encode()),
    "cp1252": ("t.csv", 'text,stars\n"good, really","4,5"\nschlecht; größer,1\n'.encode("cp1252")),
    "UTF-16": ("t.csv", 'text,stars\n"good, really","4,5"\nschlecht; größer,1\n'.encode("utf-16")),
    "title lines": ("t.csv", 'Export of 2024\n\ntext,stars\n"good, really","4,5"\nschlecht; größer,1\n'.encode()),
    "trailing commas": ("t.csv", 'text,stars,\n"good, really","4,5",\nschlecht; größer,1,\n'.encode()),
    "JSON lines": ("t.json", "".join(json.dumps(row) + "\n" for row in RECORDS).encode()),
    "JSON": ("t.json", json.dumps(RECORDS).encode()),
    "JSON with a wrapper": ("t.json", json.dumps({"ok": 1, "rows": RECORDS}).encode()),
    "JSON by column": ("t.json", json.dumps({"text": [r[0] for r in ROWS], "stars": [r[1] for r in ROWS]}).encode()),
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_of_a_table_gives_the_same_rows(tmp_path: Path, dialect: str) -> None:
    name, content = DIALECTS[dialect]
    (tmp_path / name).write_bytes(content)
    frame = read_table(tmp_path / name)
    assert list(frame.columns) == ["text", "stars"]
    assert frame.to_numpy().tolist() == ROWS


def test_parquet_and_spreadsheets_are_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="reading Parquet needs the extra `tables`")
    pd.DataFrame({"text": ["a", None], "stars": [5.0, 4.5]}).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").fillna("").to_dict("list") == {"text": ["a", ""], "stars": ["5", "4.5"]}


def test_what_was_recognised_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_bytes("Export\ntext;stars\ngut für alle;5\n".encode("cp1252"))
    read_table(tmp_path / "t.csv")
    said = capsys.readouterr().err
    for part in ("not UTF-8, read as cp1252", "divided by semicolons", "1 title line above the header: Export"):
        assert part in said


def test_a_few_ragged_rows_are_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("text,label\n" + "a,1\n" * 40 + "b,c,d\n")
    assert len(read_table(tmp_path / "t.csv")) == 40
    assert "left out: 1 rows with more or fewer values than the 2 columns (line 42)" in capsys.readouterr().err


def test_a_last_row_that_is_cut_off_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text('text,label\na,1\nb,2\n"a long text\nof several lines\nand no end\n')
    assert read_table(tmp_path / "t.csv")["text"].tolist() == ["a", "b"]
    assert "left out: the last row (line 4), which is cut off" in capsys.readouterr().err


def test_unquoted_commas_belong_to_the_last_text_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("image,caption\na.jpg,A dog, running\nb.jpg,A cat\n")
    assert read_table(tmp_path / "t.txt", last_is_text=True)["caption"].tolist() == ["A dog, running", "A cat"]


def test_a_table_without_a_header_is_read_by_number_or_by_its_known_layout(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,1\nb,2\n")
    assert read_table(tmp_path / "t.csv", TableFormat(header="none")).to_dict("list") == {
        "1": ["a", "b"],
        "2": ["1", "2"],
    }
    known = read_table(tmp_path / "t.csv", headerless=lambda row: ["text", "label"] if row[1].isdigit() else None)
    assert known.to_dict("list") == {"text": ["a", "b"], "label": ["1", "2"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"Information": "The limit is 25 requests"}', "holds no table of rows, but this message: The limit is"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page, not a table"),
        (b'<?xml version="1.0"?><a/>', "is XML, not a table"),
        (b"a,b\n" + "ä,1\n".encode() * 5 + b"\xff,1\n", "UTF-8, but 1 characters are damaged, the first in line 7"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        read_table(tmp_path / "t.csv")
    assert sentence in str(error.value)


def test_json_lines_in_python_notation_and_with_a_cut_last_line_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "reviews.json"
    path.write_text("{'stars': 5.0, 'text': \"it's good\"}\n{'stars': 1.0, 'text': 'bad'}\n{'stars': 1.0, 'te")
    assert read_table(path).values.tolist() == [["5", "it's good"], ["1", "bad"]]
    assert "left out: the last line (3), which is cut off or not JSON" in capsys.readouterr().err
    path.write_text('{"reviews": [{"stars": 5}, {"stars": 1}]}')
    assert read_table(path)["stars"].tolist() == ["5", "1"]
    path.write_text('{"a": 1}\n{"a" 2}\n{"a": 3}')
    with pytest.raises(ValueError, match="line 2 is not JSON"):
        read_table(path)
