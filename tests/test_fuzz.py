"""The promise: whatever a file or a command line holds, it is read, or refused with one sentence, and soon.

FUZZ_EXAMPLES=20000 in the environment tries more, other ones in every run, or those of `--hypothesis-seed`.
"""

import bz2
import gzip
import io
import json
import lzma
import os
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from projects.imagecaption import sources as captions
from projects.imagecaption.config import DataConfig as CaptionConfig
from projects.numberplate import sources as plates
from projects.numberplate.config import DataConfig as PlateConfig
from projects.numberplate.predictor import Predictor as PlatePredictor
from projects.plantdisease.config import Config
from projects.sentiment import sources as reviews
from projects.sentiment.config import DataConfig as ReviewConfig
from projects.sentiment.config import ModelConfig as ReviewModel
from projects.sentiment.pretrained import word_vectors
from projects.sentiment.vocabulary import word_tokenizer
from projects.starter.config import Config as StarterConfig
from projects.starter.model import build_model
from projects.starter.predictor import Predictor as StarterPredictor
from projects.stockprice.sources import read_prices
from shared import runs
from shared.config import load, parse_arguments, read_yaml
from shared.console import sentence
from shared.data.cache import cached_array
from shared.data.config import TableFormat
from shared.data.download import extract
from shared.data.images import read_image
from shared.data.provenance import Provenance, text_fingerprints
from shared.data.tables import read_table
from shared.files import DIGEST, seal
from shared.names import shown
from shared.training.checkpoint import load_state, load_weights, save_state
from tests.conftest import ROOT
from tests.faults.victim import written

EXAMPLES, SECONDS = int(os.environ.get("FUZZ_EXAMPLES", "200")), 5
repeatable = "FUZZ_EXAMPLES" not in os.environ
fuzz = settings(max_examples=EXAMPLES, deadline=SECONDS * 1000, derandomize=repeatable, database=None)

YAML = b"""data: {source: sample, validation: 0.2}
head: &base {epochs: 3, learning_rate: 1e-3}
training:
  <<: *base
  monitor: "macro_f1"
augment: {scale: [0.5, 1.0], rotation: 20}
"""
YAML_TOKENS = [b"!!bool ", b"!!int ", b"!!python/name:os ", b"*base", b"&base ", b"[" * 50, b"{a: " * 30, b"<<: ",
               b"\t", b"\0", b"0x", b"0b_", b"~", b"? ", b"- ", b"---\n", b"training: ", b"'", b"\xff", b"1:2:3",
               b".inf", b"|\n", b"%YAML 9\n", b"9" * 5000, b"0000-00-00", b"\xef\xbb\xbf", b'"\\ud800"']  # fmt: skip
CSV = b'text,label\n"good, really",1\nbad,0\n"two\nlines",1\n'
CSV_TOKENS = [b'"', b",", b"\n", b"\r", b"\0", b"\t", b";", b"\xff\xfe", b"\xef\xbb\xbf", b"text", b"\xe2\x80\xa8"]
JSON_TOKENS = [
    b"{",
    b"}",
    b"[" * 3000,
    b"]",
    b":",
    b"null",
    b"1e999",
    b"NaN",
    b"9" * 5000,
    b'"\\ud800"',
    b'"text"',
    b"[]",
]
WORDS = ["--training.epochs=3", "--data.seed=7", "--augment.rotation=1e1", "--training.epochs", "--training",
         "--data.root", "--augment.scale", "--input", "--", "--=", "--a..b",
         "--name=", "photo.jpg", "3", "-1", "null", "[1, 2]", "{epochs: 1}", "[" * 500, "{a: [", "nan", "1e999",
         "9" * 5000, "0x" + "f" * 5000, "[0x" + "f" * 5000 + "]", "caf\udce9", "\n", "!!bool x"]  # fmt: skip


Changes = list[tuple[int, int, bytes]]


def changes_of(seed: bytes, tokens: list[bytes]) -> st.SearchStrategy[Changes]:
    """Up to five changes of a file: where, how many bytes are left out there, and what is put in."""
    place = st.integers(0, len(seed)) | st.integers(0, min(len(seed), 2000))  # most formats begin with a header
    length = st.integers(0, 1) | st.integers(0, 20)
    change = st.tuples(place, length, st.sampled_from([b"", *tokens]) | st.binary(max_size=6))
    return st.lists(change, min_size=1, max_size=5)


def damaged(seed: bytes, changes: Changes) -> bytes:
    """The file after the changes. (Hypothesis keeps what it draws, and so should not draw files of MBs.)"""
    content = bytearray(seed)
    for start, length, new in changes:
        content[start : start + length] = new
    return bytes(content)


counted = Counter[str]()
"""How many files were made, and how often something was read or refused."""
allowed: list[str] = []
"""The folder in which something may be written now."""
outside: list[tuple[str, str]] = []
"""What was written elsewhere."""


def note_writes(event: str, words: tuple[Any, ...]) -> None:
    """An audit hook: Python reports what it opens, makes, renames and deletes."""
    if allowed and (event not in ("os.remove", "os.rmdir") or words[1] < 0):  # not relative to an opened folder
        for path in written(event, words):
            if not os.path.realpath(path).startswith(allowed[0]) and "__pycache__" not in path and path != os.devnull:
                outside.append((event, path))


sys.addaudithook(note_writes)


@pytest.fixture(autouse=True)
def say_counts(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Generator[None]:
    """Where more than the usual examples are tried, their number and the memory of the process so far."""
    counted.clear()
    start = time.monotonic()
    yield
    if not repeatable:
        import resource

        memory, seconds = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000, time.monotonic() - start
        with capsys.disabled():
            print(f"\n{request.node.name}: {dict(counted)}, {seconds:.0f} s, {memory} MB")


@contextmanager
def new_folder() -> Generator[Path]:
    """A temporary folder outside of which nothing is written meanwhile."""
    counted["files"] += 1
    with TemporaryDirectory() as folder:
        allowed[:], outside[:] = [os.path.realpath(folder)], []
        try:
            yield Path(folder)
        finally:
            allowed.clear()
        assert not outside


def answer(read: Callable[[], Any]) -> Any:
    """What is read, or None where it is refused."""
    try:
        value = read()
    except (ValueError, OSError) as error:
        assert str(error).strip() and shown(sentence(error)) == sentence(error)
        assert "MemoryError" not in str(error)
        counted["refused"] += 1
        return None
    counted["read"] += 1
    return value


FILES = (("set/photo.jpg", b"photo" * 40), ("set/captions.csv", CSV))


def packed_zip(files: Sequence[tuple[str, bytes]] = FILES) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def packed_tar(mode: str, files: Sequence[tuple[str, bytes]] = FILES) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{mode}") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@fuzz
@given(changes_of(YAML, YAML_TOKENS))
def test_a_config_file_is_read_or_refused(changes: Changes) -> None:
    with new_folder() as folder:
        path = folder / "settings.yaml"
        path.write_bytes(damaged(YAML, changes))
        answer(lambda: load(Config, read_yaml(path)))


@fuzz
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=6))
def test_a_command_line_is_read_or_refused(words: list[str]) -> None:
    counted["files"] += 1
    answer(lambda: load(Config, parse_arguments(words)))


ROWS_OF_TEXT = [{"text": "good, really", "label": 1}, {"text": "bad", "label": 0}]
JSON_LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS_OF_TEXT)
TABLES = {".csv": CSV, ".tsv": CSV.replace(b",", b"\t"), ".csv.gz": gzip.compress(CSV), ".csv.bz2": bz2.compress(CSV),
          ".csv.xz": lzma.compress(CSV), ".csv.zip": packed_zip(FILES[1:]), ".csv.tar": packed_tar("", FILES[1:]),
          ".json": json.dumps(ROWS_OF_TEXT).encode(), ".jsonl": JSON_LINES}  # fmt: skip


@pytest.mark.parametrize("suffix", TABLES)
def test_a_table_is_read_or_refused(suffix: str) -> None:
    @settings(fuzz, max_examples=EXAMPLES // len(TABLES))
    @given(
        changes_of(TABLES[suffix], CSV_TOKENS + JSON_TOKENS),
        st.sampled_from([None, "utf-8", "cp1252", "utf-16", "utf-7", "idna", "hex"]),
    )
    def read(changes: Changes, encoding: str | None) -> None:
        with new_folder() as folder:
            path = folder / f"table{suffix}"
            path.write_bytes(damaged(TABLES[suffix], changes))
            frame = answer(lambda: read_table(path, TableFormat(encoding=encoding)))
        assert frame is None or len(frame)

    read()


ARCHIVES = {"zip": packed_zip(), "tar": packed_tar(""), "gz": packed_tar("gz"), "xz": packed_tar("xz")}
ARCHIVE_TOKENS = [b"../", b"/", b"\0" * 8, b"\xff" * 8, b"PK\x03\x04", b"PK\x01\x02", b"\x63\0", b"1", b"2", b"5"]


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_is_unpacked_or_refused_and_leaves_nothing(kind: str) -> None:
    @settings(fuzz, max_examples=EXAMPLES // len(ARCHIVES))
    @given(changes_of(ARCHIVES[kind], ARCHIVE_TOKENS))
    def unpack(changes: Changes) -> None:
        with new_folder() as folder:
            archive, target = folder / "archive", folder / "set"
            archive.write_bytes(damaged(ARCHIVES[kind], changes))
            answer(lambda: extract(archive, target))
            assert set(folder.iterdir()) <= {archive, target}

    unpack()


ARRAY_TOKENS = [b"\x93NUMPY", b"PK\x03\x04", b"\xff" * 8, b"9" * 20, b"|O", b"True"]
ROWS = np.arange(40, dtype=np.float16).reshape(10, 4)


def saved_array(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@fuzz
@given(changes_of(saved_array(ROWS), ARRAY_TOKENS), st.booleans())
def test_a_cache_is_what_was_written_or_built_again(changes: Changes, sealed: bool) -> None:
    """sealed: another program wrote it, with a right checksum; its values are its own affair."""

    def fill(array: np.ndarray) -> None:
        array[:] = ROWS

    with new_folder() as folder:
        path = folder / "x-key.npy"
        path.write_bytes(damaged(saved_array(ROWS), changes) + (b"" if sealed else bytes(DIGEST)))
        if sealed:
            seal(path)
        array = cached_array(folder, "x", "key", ROWS.shape, ROWS.dtype, fill)
        assert (array.shape, array.dtype) == (ROWS.shape, ROWS.dtype)
        assert sealed or np.array_equal(array, ROWS)
        del array  # Windows deletes no file that is mapped


# --- all other files


@dataclass(frozen=True)
class Loader:
    """What reads a file."""

    kind: str
    """Loaders of one kind share the number of examples."""
    file: str
    """Its name."""
    seed: Callable[[], bytes]
    """Its content before the damage."""
    read: Callable[[Path], Any]
    tokens: list[bytes] = field(default_factory=list)
    sealed: bool = False
    """Whether the damaged content gets a right checksum."""


def photo(format: str, mode: str = "RGB") -> bytes:
    pixels, buffer = np.arange(20 * 24 * 3, dtype=np.uint8).reshape(20, 24, 3), io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format, exif=Image.Exif())
    return buffer.getvalue()


def prices() -> bytes:
    days = [f"2020-01-{day:02d},10.{day},11.{day},9.{day},10.{day + 1},1000" for day in range(1, 29) if day % 7 < 5]
    return "\n".join(["Date,Open,High,Low,Close,Volume", *days, ""]).encode()


def coco() -> bytes:
    images = [{"id": 1, "file_name": "a.png", "sentences": [{"raw": "a dog", "tokens": ["a", "dog"]}], "split": "val"},
              {"id": 2, "file_name": "a.png"}]  # fmt: skip
    return json.dumps({"images": images, "annotations": [{"image_id": 2, "caption": "a cat"}]}).encode()


@cache
def written_by(save: Callable[[Path], None], name: str) -> bytes:
    """What a function writes into a file of this name."""
    with TemporaryDirectory() as folder:
        save(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


def starter_model(path: Path) -> None:
    StarterPredictor(build_model(3), ["a", "b", "c"], StarterConfig()).save(path)


def state(path: Path) -> None:
    weights = build_model(2).state_dict()
    save_state(path, {"model": weights, "progress": {"epoch": 1, "best": None}, "history": [{"loss": 0.5}]})


def state_dict(path: Path) -> None:
    torch.save(build_model(2).state_dict(), path)


def provenance(path: Path) -> None:
    Provenance(text_fingerprints(["one", "two"])).save(path.parent)


def read_captions(source: Any, path: Path) -> Any:
    path.with_name("a.png").write_bytes(photo("PNG"))
    root = path.parent if source == "flickr8k" else path
    return captions.load_photos(CaptionConfig(source=source, root=root, cache=path.parent / "cache"))


def read_vectors(path: Path) -> Any:
    if path.suffix == ".npy":
        path.with_suffix(".txt").write_text("good\nbad\n")
    return word_vectors(ReviewModel(word_vectors=str(path)), vocabulary())


def read_plates(path: Path) -> Any:
    path.with_name("a.png").write_bytes(photo("PNG"))
    return plates.load_plates(PlateConfig(source="csv", root=path, cache=path.parent / "cache"))


def read_run(path: Path) -> None:
    """A run whose file is damaged: the table of runs and its own accessors."""
    run = path.parent / "starter" / "20260101-000000-name"
    run.mkdir(parents=True)
    for name, content in RUN.items():
        (run / name).write_bytes(content)
    path.rename(run / path.name)
    before, runs.RUNS = runs.RUNS, path.parent
    try:
        assert run.name in runs.table()
        for read in (
            lambda: runs.Run(run).history(),
            lambda: runs.Run(run).settings,
            lambda: runs.Run(run).environment,
        ):
            answer(read)
        list(runs.evaluated_runs("starter"))
    finally:
        runs.RUNS = before


RUN = {
    "config.yaml": b"data: {source: sample}\n",
    "environment.json": b'{"minutes": 1.5, "commit": "abc", "started": "2026-01-01 00:00:00"}',
    "metrics.csv": b"epoch,learning_rate,train_loss\n1,0.1,0.5\n2,0.1,0.4\n",
    "evaluation.json": b'{"headline": {"metric": "accuracy", "direction": "max"}, "metrics": {"accuracy": 0.5}, '
                       b'"baselines": {"majority": {"accuracy": 0.1}}}',
}  # fmt: skip
PHOTO_TOKENS = [b"\xff" * 4, b"\0" * 4, b"\xff\xd9", b"\x7f\xff\xff\xff", b"IHDR", b"IDAT", b"tRNS", b"acTL", b"\1\1"]
PICKLE_TOKENS = [b"cos\nsystem\n", b"R.", b"\x80\x02", b"PK\x01\x02", b"\xff" * 8, b"torch", b"q\1", b"K\xff", b"J\xff"]
HEADER_TOKENS = [b'"', b"{", b"}", b":", b"9" * 20, b"F32", b"BF16", b"null", b"[", b"\xff" * 8, b"\0" * 8, b"-1"]
PRICE_TOKENS = [*CSV_TOKENS, b"Date", b"Close", b"-1", b"1e999", b"nan", b"9999-01-01", b"1/2/2020", b"0", b"1,000"]
FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "GIF")
vocabulary = cache(lambda: word_tokenizer(["good bad good bad"], 10, 1))
LOADERS = {
    **{f"photo {name}": Loader("photo", f"a.{name.lower()}", lambda name=name: photo(name), read_image, PHOTO_TOKENS)
       for name in FORMATS},
    "photo of a palette": Loader("photo", "a.png", lambda: photo("PNG", "P"), read_image, PHOTO_TOKENS),
    "photo of 16 bits": Loader("photo", "a.png", lambda: photo("PNG", "I;16"), read_image, PHOTO_TOKENS),
    "prices": Loader("prices", "p.csv", prices, read_prices, PRICE_TOKENS),
    "reviews": Loader("reviews", "r.csv", lambda: CSV, lambda p: reviews.load_table(ReviewConfig(source="csv", root=p)),
                      [*CSV_TOKENS, b"stars", b"split", b"test", b"5", b"positive"]),
    "plates": Loader("plates", "p.csv", lambda: b"file,x0,y0,x1,y1,text\na.png,1,2,9,8,AB12\na.png,3,4,5,6,XY9\n",
                     read_plates, [*CSV_TOKENS, b"split", b"corners", b"nan", b"1e999", b"a.png", b"../a.png"]),
    "captions of a table": Loader("captions", "captions.csv", lambda: b"image,caption\na.png,a dog\na.png,a cat\n",
                                  lambda p: read_captions("folder", p), [*CSV_TOKENS, b"split", b"val", b"a.png"]),
    "captions of COCO": Loader("captions", "val.json", coco, lambda p: read_captions("coco", p), JSON_TOKENS),
    "captions of Flickr8k": Loader("captions", "f.token.txt", lambda: b"a.png#0\ta dog\na.png#1\ta cat\n",
                                   lambda p: read_captions("flickr8k", p), [b"\t", b"#", b"\n", b"a.png"]),
    "word vectors": Loader("word vectors", "v.txt", lambda: b"good 0.1 0.2 0.3\nbad 0.4 0.5 0.6\n",
                           read_vectors, [b" ", b"\n", b"nan", b"1e999", b"good", b"\xff", b"x"]),
    "word vectors of an array": Loader("word vectors", "v.npy", lambda: saved_array(np.ones((2, 3), np.float32)),
                                       read_vectors, ARRAY_TOKENS),
    "model of the starter": Loader("model", "model.safetensors", lambda: written_by(starter_model, "model.safetensors"),
                                   StarterPredictor.load, HEADER_TOKENS),
    "model of plates": Loader("model", "model.safetensors",
                              cache((ROOT / "projects/numberplate/shipped/model.safetensors").read_bytes),
                              PlatePredictor.load, HEADER_TOKENS),
    "weights of safetensors": Loader("weights", "w.safetensors", lambda: save({"a": torch.ones(3), "b": torch.ones(2)}),
                                     load_weights, HEADER_TOKENS),
    "weights of torch": Loader("weights", "w.pt", lambda: written_by(state_dict, "w.pt"), load_weights, PICKLE_TOKENS),
    "state": Loader("state", "last.pt", lambda: written_by(state, "last.pt"), load_state, PICKLE_TOKENS),
    "state with a right checksum": Loader("state", "last.pt", lambda: written_by(state, "last.pt")[:-DIGEST],
                                          load_state, PICKLE_TOKENS, sealed=True),
    "provenance": Loader("provenance", "provenance.safetensors",
                         lambda: written_by(provenance, "provenance.safetensors"),
                         lambda p: Provenance.load(p.parent), HEADER_TOKENS),
    **{f"run with {name}": Loader("run", name, lambda name=name: RUN[name], read_run, [*JSON_TOKENS, *YAML_TOKENS])
       for name in RUN},
}  # fmt: skip
"""Whatever reads a file, but for settings, tables, archives and caches, which have tests of their own above."""
SHARES = Counter(loader.kind for loader in LOADERS.values())


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_is_read_or_refused(name: str) -> None:
    loader, seed = LOADERS[name], LOADERS[name].seed()

    @settings(fuzz, max_examples=EXAMPLES // SHARES[loader.kind])
    @given(changes_of(seed, loader.tokens))
    def read(changes: Changes) -> None:
        with new_folder() as folder:
            path = folder / loader.file
            path.write_bytes(damaged(seed, changes))
            if loader.sealed:
                seal(path)
            answer(lambda: loader.read(path))

    read()


@pytest.mark.parametrize("name", LOADERS)
def test_an_undamaged_file_is_read(name: str, tmp_path: Path) -> None:
    loader = LOADERS[name]
    path = tmp_path / loader.file
    path.write_bytes(loader.seed())
    if loader.sealed:
        seal(path)
    loader.read(path)


def test_undamaged_settings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(YAML)
    assert load(Config, read_yaml(path)).training.epochs == 3
