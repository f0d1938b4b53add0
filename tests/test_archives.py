"""The promise: an archive is unpacked whole into its folder, or refused with one sentence, and nothing is left."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.data import download
from shared.data.download import extract


def _zip(path: Path, name: str = "photo.jpg", content: bytes = b"photo" * 1000) -> bytearray:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return bytearray(path.read_bytes())


def _tar(path: Path, *members: tarfile.TarInfo, mode: Any = "w") -> None:
    with tarfile.open(path, mode) as file:
        for member in members:
            file.addfile(member, io.BytesIO(b"x" * member.size))


def _member(name: str, **properties: Any) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for key, value in properties.items():
        setattr(member, key, value)
    return member


def _damaged_zip(path: Path) -> None:
    content = _zip(path, content=b"".join(b"%d lines\n" % n**2 for n in range(20_000)))
    content[3000:3200] = b"\xff" * 200
    path.write_bytes(content)


def _zip_with(at: int, value: bytes) -> Callable[[Path], None]:
    """A zip with other bytes in both headers of its file; at: their place in the central one, 2 less in the other."""

    def write(path: Path) -> None:
        content = _zip(path)
        central = content.index(b"PK\x01\x02")
        content[central + at : central + at + len(value)] = content[at - 2 : at - 2 + len(value)] = value
        path.write_bytes(content)

    return write


def _cut_tar(path: Path) -> None:
    _tar(path, _member("photo.jpg", size=100_000), mode="w:xz")
    path.write_bytes(path.read_bytes()[:-60])


BAD_ARCHIVES = {
    "damaged": _damaged_zip,
    "encrypted": _zip_with(8, b"\1\0"),
    "compression that nobody knows": _zip_with(10, b"\x61\0"),
    "zip cut off": lambda path: path.write_bytes(_zip(path)[:-20]),
    "tar cut off": _cut_tar,
    "no archive": lambda path: path.write_bytes(b"<html>not found</html>"),
    "empty": lambda path: path.write_bytes(b""),
    "path in a zip": lambda path: _zip(path, "../../outside.txt"),
    "absolute path in a zip": lambda path: _zip(path, "/tmp/outside.txt"),
    "path in a tar": lambda path: _tar(path, _member("../outside.txt", size=1)),
    "link out of a tar": lambda path: _tar(path, _member("a", type=tarfile.SYMTYPE, linkname="../outside.txt")),
    "hard link out of a tar": lambda path: _tar(path, _member("a", type=tarfile.LNKTYPE, linkname="../outside.txt")),
    "device": lambda path: _tar(path, _member("a", type=tarfile.CHRTYPE)),
    "line break in a name": lambda path: _zip(path, "../two\nlines"),
}


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
def test_a_damaged_or_unsafe_archive_is_one_sentence_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "deep" / "data"
    folder.mkdir(parents=True)
    archive = folder / "archive"
    BAD_ARCHIVES[kind](archive)
    with pytest.raises(ValueError, match=r"^.*archive is damaged or unsafe: [^\n]+; delete it and try again$"):
        extract(archive, folder / "out")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [archive]
    assert list(folder.iterdir()) == [archive]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_unpacks_to_more_than_the_disk_holds_is_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "bomb"
    if kind == "zip":
        _zip(archive, content=bytes(10**6))
    else:
        _tar(archive, *[_member(f"{n}", size=50_000) for n in range(20)], mode="w:gz")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 500_000})())
    with pytest.raises(OSError, match=r"it unpacks to .* but the disk has 500 kB left"):
        extract(archive, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [archive]


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    inner = bytes(_zip(tmp_path / "inner.zip"))
    with tarfile.open(tmp_path / "set.tar", "w") as file:
        file.addfile(_member("inner.zip", size=len(inner)), io.BytesIO(inner))
    extract(tmp_path / "set.tar", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["inner.zip"]
