"""The promise: whatever a file or a command line holds, it is read, or refused with one sentence, and soon."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.plantdisease.config import Config
from shared.config import load, parse_arguments, read_yaml
from shared.data.cache import cached_array
from shared.data.config import TableFormat
from shared.data.download import extract
from shared.data.tables import read_table
from shared.files import DIGEST, seal

EXAMPLES, SECONDS = 200, 5
fuzz = settings(max_examples=EXAMPLES, deadline=SECONDS * 1000, derandomize=True, database=None)

YAML = b"""data: {source: sample, validation: 0.2}
base: &base {epochs: 3, learning_rate: 1e-3}
training:
  <<: *base
  monitor: "macro_f1"
augment: {scale: [0.5, 1.0], rotation: 20}
name: 2024-01-31
"""
YAML_TOKENS = [b"!!bool ", b"!!int ", b"!!python/name:os ", b"*base", b"&base ", b"[" * 50, b"{a: " * 30, b"<<: ",
               b"\t", b"\0", b"0x", b"0b_", b"~", b"? ", b"- ", b"---\n", b"training: ", b"'", b"\xff", b"1:2:3",
               b".inf", b"|\n", b"%YAML 9\n", b"9" * 5000, b"0000-00-00", b"\xef\xbb\xbf", b'"\\ud800"']  # fmt: skip
CSV = b'text,label\n"good, really",1\nbad,0\n"two\nlines",1\n'
CSV_TOKENS = [b'"', b",", b"\n", b"\r", b"\0", b"\t", b";", b"\xff\xfe", b"\xef\xbb\xbf", b"text", b"\xe2\x80\xa8"]
WORDS = ["--training.epochs", "--training", "--data.root", "--augment.scale", "--input", "--", "--=", "--a..b",
         "--name=", "photo.jpg", "3", "-1", "null", "[1, 2]", "{epochs: 1}", "[" * 500, "{a: [", "nan", "1e999",
         "9" * 5000, "0x" + "f" * 5000, "[0x" + "f" * 5000 + "]", "caf\udce9", "\n", "!!bool x"]  # fmt: skip


def damaged(seed: bytes, tokens: list[bytes]) -> st.SearchStrategy[bytes]:
    """A file with up to five changes: bytes that are replaced, put in or left out."""
    change = st.tuples(
        st.integers(0, len(seed)), st.integers(0, 20), st.sampled_from([b"", *tokens]) | st.binary(max_size=6)
    )

    def changed(changes: list[tuple[int, int, bytes]]) -> bytes:
        content = bytearray(seed)
        for start, length, new in changes:
            content[start : start + length] = new
        return bytes(content)

    return st.lists(change, min_size=1, max_size=5).map(changed)


def answer(read: Callable[[], Any]) -> Any:
    """What is read, or None where it is refused, which must be in one line."""
    try:
        return read()
    except (ValueError, OSError) as error:
        assert 0 < len(str(error)) < 2000 and "\n" not in str(error), str(error)
        return None


def packed_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/photo.jpg", b"photo" * 40)
        archive.writestr("set/captions.csv", CSV)
    return buffer.getvalue()


def packed_tar(mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{mode}") as archive:
        for name, content in (("set/photo.jpg", b"photo" * 40), ("set/captions.csv", CSV)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@fuzz
@given(damaged(YAML, YAML_TOKENS))
def test_a_config_file_is_read_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "settings.yaml"
        path.write_bytes(content)
        answer(lambda: load(Config, read_yaml(path)))


@fuzz
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6))
def test_a_command_line_is_read_or_refused(words: list[str]) -> None:
    answer(lambda: load(Config, parse_arguments(words)))


TABLES = {".csv": CSV, ".tsv": CSV.replace(b",", b"\t"), ".csv.gz": gzip.compress(CSV), ".csv.bz2": bz2.compress(CSV),
          ".csv.xz": lzma.compress(CSV), ".csv.zip": packed_zip(), ".csv.tar": packed_tar("")}  # fmt: skip


@pytest.mark.parametrize("suffix", TABLES)
def test_a_table_is_read_or_refused(suffix: str) -> None:
    @settings(fuzz, max_examples=EXAMPLES // 2)
    @given(damaged(TABLES[suffix], CSV_TOKENS), st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-7", "idna", "hex"]))
    def read(content: bytes, encoding: str) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"table{suffix}"
            path.write_bytes(content)
            frame = answer(lambda: read_table(path, TableFormat(encoding=encoding)))
        assert frame is None or len(frame)

    read()


ARCHIVES = {"zip": packed_zip(), "tar": packed_tar(""), "gz": packed_tar("gz"), "xz": packed_tar("xz")}
ARCHIVE_TOKENS = [b"../", b"/", b"\0" * 8, b"\xff" * 8, b"PK\x03\x04", b"PK\x01\x02", b"\x63\0", b"1", b"2", b"5"]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_unpacked_or_refused_and_leaves_nothing(kind: str) -> None:
    @settings(fuzz, max_examples=EXAMPLES // 2)
    @given(damaged(ARCHIVES[kind], ARCHIVE_TOKENS))
    def unpack(content: bytes) -> None:
        with TemporaryDirectory() as folder:
            archive, target = Path(folder) / "archive", Path(folder) / "set"
            archive.write_bytes(content)
            answer(lambda: extract(archive, target))
            assert set(Path(folder).iterdir()) <= {archive, target}

    unpack()


ROWS = np.arange(40, dtype=np.float16).reshape(10, 4)


def saved_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, ROWS)
    return buffer.getvalue()


@fuzz
@given(damaged(saved_array(), [b"\x93NUMPY", b"PK\x03\x04", b"\xff" * 8, b"9" * 20, b"|O", b"True"]), st.booleans())
def test_a_cache_is_what_was_written_or_built_again(content: bytes, sealed: bool) -> None:
    """sealed: another program wrote it, with a right checksum; its values are its own affair."""

    def fill(array: np.ndarray) -> None:
        array[:] = ROWS

    with TemporaryDirectory() as folder:
        path = Path(folder) / "x-key.npy"
        path.write_bytes(content if sealed else content + bytes(DIGEST))
        if sealed:
            seal(path)
        array = cached_array(Path(folder), "x", "key", ROWS.shape, ROWS.dtype, fill)
        assert (array.shape, array.dtype) == (ROWS.shape, ROWS.dtype)
        assert sealed or np.array_equal(array, ROWS)
        del array  # Windows deletes no file that is mapped
