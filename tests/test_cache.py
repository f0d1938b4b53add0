"""The promise: a cached array holds what was written there, or is made again."""

import errno
import os
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from shared.data import cache
from shared.data.cache import cached_array, fingerprint, fingerprint_files, sample_folder
from shared.files import is_sealed


def _fill(array: np.ndarray) -> None:
    array[:] = 7


def _build(folder: Path) -> int:
    return int(cached_array(folder, "x", "key", (100, 100), np.uint8, _fill).sum())


def test_an_array_is_built_once_and_then_mapped(tmp_path: Path) -> None:
    assert _build(tmp_path) == 70_000
    again = cached_array(tmp_path, "x", "key", (100, 100), np.uint8, lambda _: pytest.fail("built twice"))
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable


def _zeroed(content: bytes) -> bytes:
    return content[:128] + bytes(len(content) - 128)


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[:5000],
    "zeroed in place": _zeroed,
    "one value changed": lambda content: content[:5000] + b"\1" + content[5001:],
    "another header": lambda content: content.replace(b"(100, 100)", b"(100, 99) "),
    "an odd header": lambda content: content.replace(b"{", b"["),
    "another kind of file": lambda _: b"PK\x03\x04" * 100,
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_array_is_found_out_and_built_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    _build(tmp_path)
    path = tmp_path / "x-key.npy"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert _build(tmp_path) == 70_000
    assert capsys.readouterr().err == f"cache: {path} is damaged, or of an earlier version, and is built again\n"


def test_an_array_of_another_shape_is_built_again(tmp_path: Path) -> None:
    cached_array(tmp_path, "x", "key", (100, 99), np.uint8, _fill)
    assert _build(tmp_path) == 70_000


def test_the_checksum_of_an_array_is_read_once_while_the_file_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(cache, "is_sealed", lambda path: bool(asked.append(path)) or is_sealed(path))
    for _ in range(3):
        _build(tmp_path)
    assert len(asked) == 1
    path = tmp_path / "x-key.npy"
    path.write_bytes(_zeroed(path.read_bytes()))
    _build(tmp_path)
    assert len(asked) == 2


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve space")
def test_a_disk_that_fills_up_meanwhile_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write through a memory map onto a full disk would kill the process (SIGBUS)."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(ValueError, match=r"x-key.npy needs 10 kB: No space left on device"):
        cached_array(tmp_path, "x", "key", (100, 100), np.uint8, lambda _: pytest.fail("it was written to"))
    assert not list(tmp_path.iterdir())


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
