"""Memory-mapped arrays on disk for what is slow to compute once and read often: decoded images, frozen features."""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from shared.files import atomic, size_in_words


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
    end, so two processes may build the same array, and a truncated file is found out and built again.
    Raises ValueError if the disk is too small.
    """
    path = folder / f"{name}-{key}.npy"
    if path.is_file():
        try:
            array = np.load(path, mmap_mode="r")
            if array.shape == shape and array.dtype == dtype:
                return array
        except (ValueError, EOFError, OSError):
            pass
        print(f"cache: {path} is damaged and is built again")
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > 0.95 * free:
        raise ValueError(f"the cache {path} needs {size_in_words(size)}, but the disk has {size_in_words(free)} left")
    print(f"cache: writing {name}, {size_in_words(size)}, to {path}", flush=True)
    with atomic(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
        fill(array)
        array.flush()
        del array
    return np.load(path, mmap_mode="r")
