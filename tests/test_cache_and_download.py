"""The promise: a file is complete or not there, whatever happens while it is made."""

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Generator
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from shared.data import cache, download
from shared.data.cache import cached_array, fingerprint, fingerprint_files, sample_folder
from shared.data.download import Source, extract, fetch
from shared.files import atomic


def _fill(array: np.ndarray) -> None:
    array[:] = 7


def _build(folder: Path) -> int:
    return int(cached_array(folder, "x", "key", (100, 100), np.uint8, _fill).sum())


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


def test_an_array_is_built_once_and_then_mapped(tmp_path: Path) -> None:
    assert _build(tmp_path) == 70_000
    again = cached_array(tmp_path, "x", "key", (100, 100), np.uint8, lambda _: pytest.fail("built twice"))
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable


def test_a_truncated_array_is_found_out_and_built_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _build(tmp_path)
    path = tmp_path / "x-key.npy"
    path.write_bytes(path.read_bytes()[:5000])
    assert _build(tmp_path) == 70_000
    assert "damaged" in capsys.readouterr().out


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(array: np.ndarray) -> None:
        array[:50] = 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_array(tmp_path, "x", "key", (100, 100), np.uint8, fail)
    assert not list(tmp_path.iterdir())


def test_two_processes_may_build_the_same_array(tmp_path: Path) -> None:
    with get_context("fork").Pool(2) as pool:
        assert pool.map(_build, [tmp_path] * 4) == [70_000] * 4
    assert [p.name for p in tmp_path.iterdir()] == ["x-key.npy"]


def test_a_cache_that_does_not_fit_on_the_disk_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="but the disk has"):
        cached_array(tmp_path, "x", "key", (10**7, 10**7), np.uint8, _fill)
    assert not list(tmp_path.iterdir())


def test_a_sample_is_drawn_anew_when_a_setting_or_the_code_changes(tmp_path: Path) -> None:
    code = tmp_path / "draw.py"
    code.write_text("red")
    first = sample_folder(tmp_path, "x", (600, 0), code)
    assert first.name.startswith("x-sample-600-0-") and sample_folder(tmp_path, "x", (600, 0), code) == first
    code.write_text("blue")
    assert len({first, sample_folder(tmp_path, "x", (600, 0), code), sample_folder(tmp_path, "x", (600, 1), code)}) == 3


def test_a_fingerprint_is_of_the_content_not_of_the_name(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (fingerprint_files([tmp_path / name]) for name in "abc")
    assert a == b != c
    assert fingerprint(1, "a") != fingerprint("1", "a")


@pytest.fixture
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("set/class/photo.jpg", b"photo")
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path: Path, archive: bytes) -> Generator[str]:
    """The archive on a local web server, and a copy that lost its end."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "set.zip").write_bytes(archive)
    (served / "short.zip").write_bytes(archive[:-20])
    handler = partial(_Quiet, directory=str(served))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _source(archive: bytes, *urls: str) -> Source:
    digest = hashlib.sha256(archive).hexdigest()
    return Source("set", "set.zip", urls, digest, len(archive), "CC0", "https://example.org")


def test_a_data_set_is_fetched_checked_and_extracted_once(tmp_path: Path, server: str, archive: bytes) -> None:
    source = _source(archive, f"{server}/set.zip")
    folder = fetch(source, tmp_path / "data")
    assert (folder / "set/class/photo.jpg").read_bytes() == b"photo"
    assert [p.name for p in (tmp_path / "data").iterdir()] == ["set"]
    assert fetch(_source(archive, "http://127.0.0.1:9/none.zip"), tmp_path / "data") == folder


def test_a_mirror_is_tried_when_the_first_address_fails(tmp_path: Path, server: str, archive: bytes) -> None:
    source = _source(archive, f"{server}/short.zip", f"{server}/set.zip")
    assert fetch(source, tmp_path / "data").is_dir()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("{server}/short.zip", "other bytes than expected"),
        ("{server}/gone.zip", "cannot be reached"),
        ("http://127.0.0.1:9/set.zip", "cannot be reached"),
    ],
)
def test_a_failed_download_says_what_to_do_and_leaves_nothing(
    tmp_path: Path, server: str, archive: bytes, address: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        fetch(_source(archive, address.format(server=server)), tmp_path / "data")
    assert f"put it at {tmp_path / 'data' / 'set.zip'}" in str(error.value)
    assert not list((tmp_path / "data").iterdir())


def test_an_archive_fetched_by_hand_is_used_without_the_network(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "set.zip").write_bytes(archive)
    assert fetch(_source(archive, "http://127.0.0.1:9/set.zip"), tmp_path).is_dir()


def test_who_is_second_to_extract_takes_what_the_first_has(
    tmp_path: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.zip").write_bytes(archive)
    source = _source(archive, "http://127.0.0.1:9/set.zip")

    def after_another(path: Path, target: Path) -> None:
        extract(path, target)
        path.unlink()
        extract(path, target)  # the archive is gone by now

    monkeypatch.setattr(download, "extract", after_another)
    assert fetch(source, tmp_path) == tmp_path / "set"


def test_two_threads_may_write_one_file(tmp_path: Path) -> None:
    with atomic(tmp_path / "file.txt") as first, atomic(tmp_path / "file.txt") as second:
        first.write_text("one")
        second.write_text("two")
    assert (tmp_path / "file.txt").read_text() == "one"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"evil.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("../../outside.txt", b"x")
    else:
        with tarfile.open(path, "w") as file:
            member = tarfile.TarInfo("../outside.txt")
            member.size = 1
            file.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match="unsafe"):
        extract(path, tmp_path / "a" / "target")
    assert not list(tmp_path.rglob("outside.txt"))
    assert not list((tmp_path / "a").glob("*"))


def test_a_damaged_archive_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", b"".join(b"%d lines\n" % n**2 for n in range(20_000)))
    damaged = bytearray(path.read_bytes())
    damaged[3000:3200] = b"\xff" * 200
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="is damaged or unsafe"):
        extract(path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_sentence(tmp_path: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ValueError, match="but the disk has 10 bytes left"):
        fetch(_source(archive, "http://127.0.0.1:9/set.zip"), tmp_path)
    with pytest.raises(ValueError, match="but the disk has 10 bytes left"):
        cached_array(tmp_path, "x", "key", (100, 100), np.uint8, _fill)
    assert cache.shutil is download.shutil


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(ValueError, match="cannot write set to"):
        fetch(_source(archive, "http://127.0.0.1:9/set.zip"), tmp_path / "data")
