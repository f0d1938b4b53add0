"""The promise: a file is complete or not there, whatever happens while it is made."""

import errno
import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from shared.data import download
from shared.data.download import Source, extract, fetch
from shared.files import atomic


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


def test_a_disk_that_is_full_says_of_which_file(tmp_path: Path) -> None:
    with pytest.raises(OSError) as full, atomic(tmp_path / "file.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")  # what a write says
    assert full.value.filename == str(tmp_path / "file.txt")


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


def test_an_archive_without_a_checksum_is_fetched_and_that_is_said(
    tmp_path: Path, server: str, archive: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    source = replace(_source(archive, f"{server}/short.zip", f"{server}/set.zip"), sha256=None, name="unverified")
    with pytest.raises(ValueError, match=r"set\.zip is damaged or unsafe"):
        fetch(source, tmp_path / "data")
    (tmp_path / "data" / "set.zip").unlink()
    assert fetch(replace(source, urls=(f"{server}/set.zip",)), tmp_path / "data").is_dir()
    assert "no checksum of this archive is published" in capsys.readouterr().err


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


def test_a_full_disk_is_one_sentence(tmp_path: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ValueError, match="but the disk has 10 bytes left"):
        fetch(_source(archive, "http://127.0.0.1:9/set.zip"), tmp_path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, archive: bytes) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(ValueError, match="cannot write set to"):
        fetch(_source(archive, "http://127.0.0.1:9/set.zip"), tmp_path / "data")
