"""Memory-mapped arrays on disk for what is slow to compute once and read often: decoded images, frozen features."""

import errno
import hashlib
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from shared.files import atomic, is_sealed, seal, size_in_words


def fingerprint(*parts: Any) -> str:
    """A short name for content: equal for equal bytes, texts, numbers and nested lists of them."""
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def fingerprint_files(paths: Iterable[Path]) -> str:
    """A short name for the content of files in their order, whatever they are called."""
    digest = hashlib.blake2b(digest_size=12)
    for path in paths:
        digest.update(hashlib.blake2b(path.read_bytes(), digest_size=12).digest())
    return digest.hexdigest()


def sample_folder(root: Path, project: str, settings: tuple[int, ...], *code: Path) -> Path:
    """Where a drawn sample lies: another one is drawn when a setting changes, or the files of code that draw it."""
    return root / "-".join([project, "sample", *map(str, settings), fingerprint_files(code)[:6]])


def cached_array(
    folder: Path,
    name: str,
    key: str,
    shape: tuple[int, ...],
    dtype: np.dtype | type,
    fill: Callable[[np.ndarray], None],
) -> np.ndarray:
    """The read-only array `<folder>/<name>-<key>.npy`, made by `fill(array)` if it is not there yet.

    Says its size before it writes. Complete or absent: `fill` works on a temporary file that takes the name at the
    end, so two processes may build the same array. A checksum at the end of the file, which `np.load` passes over, is
    read once a process, so a file that was cut off, zeroed or changed is found out and built again.
    Raises ValueError if the disk is too small.
    """
    path = folder / f"{name}-{key}.npy"
    if path.exists():
        if (array := _intact(path, shape, np.dtype(dtype))) is not None:
            return array
        print(f"cache: {path} is damaged, or of an earlier version, and is built again", file=sys.stderr)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    require_space(folder, size, path)
    print(f"cache: writing {name}, {size_in_words(size)}, to {path}", flush=True)
    with atomic(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
        _reserve(temporary, path)
        fill(array)
        array.flush()
        del array
        seal(temporary)
    return np.load(path, mmap_mode="r")


def require_space(folder: Path, size: int, path: Path) -> None:
    """Make a folder. Raises ValueError where its disk has too little space left for `size` more bytes, for `path`."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > 0.95 * free:
        raise ValueError(f"the cache {path} needs {size_in_words(size)}, but the disk has {size_in_words(free)} left")


def _reserve(file: Path, path: Path) -> None:
    """Take the space of a new file now: a write through a memory map that finds the disk full kills the process.

    Raises ValueError where others, or a quota, have left too little.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    size = file.stat().st_size
    with file.open("r+b") as opened:
        try:
            os.posix_fallocate(opened.fileno(), 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise ValueError(f"the cache {path} needs {size_in_words(size)}: {error.strerror}") from None
            # otherwise the file system cannot reserve


def _intact(path: Path, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """The array in a file, or None if it is not what was written there, or has another shape."""
    try:
        about = path.stat()
        if not _has_its_checksum(path, about.st_ino, about.st_size, about.st_mtime_ns):
            return None
        array = np.load(path, mmap_mode="r")
    except Exception:  # what odd headers raise in the library is of many kinds
        return None
    return array if array.shape == shape and array.dtype == dtype else None


@cache
def _has_its_checksum(path: Path, *_state: int) -> bool:
    """`is_sealed`, once for every state of a file: reading a cache of many GB takes as many seconds."""
    return is_sealed(path)
