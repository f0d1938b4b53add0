"""Files that are either complete or not there, and whose content is known to be what was written."""

import csv
import hashlib
import io
import json
import os
import shutil
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DIGEST = 32  # bytes of the checksum at the end of a sealed file


@contextmanager
def atomic(path: Path, previous: Path | None = None) -> Generator[Path]:
    """Yield a temporary path in the same folder; it takes the name `path` only when the block ends without an error.

    Safe when several processes write the same file: the last one to finish wins, nobody ever reads half a file.
    previous: where the file that is replaced goes; the new one is on the disk (fsync) before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield temporary
        if previous is not None:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            if path.exists():
                path.replace(previous)
        temporary.replace(path)
    except OSError as error:
        _name(error, path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _name(error: OSError, path: Path) -> None:
    """Let an error of the system say which file it is about: a full disk does not."""
    if error.errno is not None and error.filename is None:
        error.filename = str(path)


def seal(path: Path) -> None:
    """Append a checksum of its content to a file."""
    with path.open("r+b") as file:
        digest = hashlib.file_digest(file, _blake2b).digest()
        file.seek(0, os.SEEK_END)
        file.write(digest)


def is_sealed(path: Path) -> bool:
    """Whether a file ends with the checksum of what is before it. Raises OSError where it cannot be read."""
    digest, left = _blake2b(), path.stat().st_size - DIGEST
    with path.open("rb") as file:
        while left > 0 and (chunk := file.read(min(left, 1 << 20))):
            digest.update(chunk)
            left -= len(chunk)
        return left == 0 and file.read() == digest.digest()


def _blake2b() -> Any:
    return hashlib.blake2b(digest_size=DIGEST)


@contextmanager
def atomic_folder(path: Path) -> Generator[Path]:
    """Yield a temporary folder beside `path` that takes its name only when the block ends without an error.

    Where another process was faster its folder is kept: both are expected to hold the same.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        try:
            temporary.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    except OSError as error:
        _name(error, path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")  # names may be any bytes


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of equal keys as a table with a header, atomically."""
    page = io.StringIO()
    if rows:
        writer = csv.DictWriter(page, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_text(path, page.getvalue())


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ValueError where it is none, OSError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("its lists are nested too deeply") from None


def size_in_words(size: float) -> str:
    """Bytes as people say them: `697 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
