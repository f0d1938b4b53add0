"""Public data sets: fetched once, checked by SHA-256, extracted safely, complete or absent."""

import shutil
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from shared.files import atomic_folder, size_in_words


@dataclass(frozen=True)
class Source:
    """Where a public data set comes from, and how to know that it arrived whole."""

    name: str
    archive: str
    """File name of the archive."""
    urls: tuple[str, ...]
    """The archive's addresses: the first one that delivers the right bytes is used."""
    sha256: str
    size: int
    """Bytes of the archive."""
    licence: str
    homepage: str


def fetch(source: Source, folder: Path) -> Path:
    """The extracted data set below `folder`, downloaded on first use.

    An archive of the right content that already lies in `folder` is used without the network; it is deleted once it is
    extracted. Raises ValueError with one sentence (what failed, and what to put where by hand) and leaves nothing
    half-done.
    """
    target = folder / source.name
    if target.is_dir():
        return target
    by_hand = f"fetch it by hand from {source.homepage} and put it at {folder / source.archive}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < 3 * source.size:
            raise ValueError(
                f"{source.name} needs about {size_in_words(3 * source.size)} in {folder}, "
                f"but the disk has {size_in_words(free)} left"
            )
        archive = _download(source, folder, by_hand)
        extract(archive, target)
    except OSError as error:
        if target.is_dir():  # another process was faster
            return target
        raise ValueError(f"cannot write {source.name} to {folder}: {error.strerror or error}") from None
    archive.unlink(missing_ok=True)
    return target


def _download(source: Source, folder: Path, by_hand: str) -> Path:
    import pooch
    import requests

    print(f"{source.name}: {size_in_words(source.size)} from {source.homepage} (licence: {source.licence})", flush=True)
    problems = []
    for url in source.urls:
        try:
            return Path(
                pooch.retrieve(url, known_hash=source.sha256, fname=source.archive, path=folder, progressbar=True)
            )
        except ValueError:  # pooch has deleted the file
            problems.append(f"{url} delivered other bytes than expected (SHA-256)")
        except (requests.RequestException, ConnectionError) as error:
            problems.append(f"{url} cannot be reached ({type(error).__name__})")
    raise ValueError(f"{source.name}: {'; '.join(problems)}; {by_hand}")


def extract(archive: Path, target: Path) -> None:
    """Unpack a .zip or .tar.* into the new folder `target`; members that would land outside it are refused.

    Works in a temporary folder that takes the name `target` when it is complete. Raises ValueError if the archive is
    damaged or unsafe.
    """
    try:
        with atomic_folder(target) as temporary:
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as file:
                    for member in file.namelist():
                        if not (temporary / member).resolve().is_relative_to(temporary.resolve()):
                            raise ValueError(f"{archive} is unsafe: {member} would be written outside its folder")
                    file.extractall(temporary)
            else:
                with tarfile.open(archive) as file:
                    file.extractall(temporary, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{archive} is damaged or unsafe: {error}; delete it and try again") from None
