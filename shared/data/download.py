"""Downloads: public data sets, checked by SHA-256, extracted safely, complete or absent; and photos by address."""

import errno
import ipaddress
import shutil
import socket
import string
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

import numpy as np
from tqdm import tqdm

from shared.console import note
from shared.data.images import read_image
from shared.deadline import BusyError, within
from shared.files import atomic_folder, size_in_words
from shared.names import one_line, shown

MAX_PHOTO = 50_000_000  # bytes


@dataclass(frozen=True)
class Source:
    """Where a public data set comes from, and how to know that it arrived whole."""

    name: str
    archive: str
    """File name of the archive."""
    urls: tuple[str, ...]
    """The archive's addresses: the first one that delivers the right bytes is used."""
    sha256: str | None
    """None where the archive is packed anew for every download: then it is not verified, and `fetch` says so."""
    size: int
    """Bytes of the archive; without a checksum: at most."""
    licence: str
    homepage: str


def fetch(source: Source, folder: Path, seconds: float | None = None) -> Path:
    """The extracted data set below `folder`, downloaded on first use: in at most `seconds`, by default at 50 kB/s.

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
        archive = _download(source, folder, by_hand, seconds or 60 + source.size / 50_000)
        extract(archive, target)
    except OSError as error:
        if target.is_dir():  # another process was faster
            return target
        raise ValueError(f"cannot write {source.name} to {folder}: {error.strerror or error}") from None
    archive.unlink(missing_ok=True)
    return target


def _download(source: Source, folder: Path, by_hand: str, seconds: float) -> Path:
    import pooch

    most = "" if source.sha256 else "at most "
    about = f"{most}{size_in_words(source.size)} from {source.homepage} (licence: {source.licence})"
    print(f"{source.name}: {about}", flush=True)
    if source.sha256 is None:
        note(f"{source.name}: no checksum of this archive is published, so nothing but its own (CRC) is verified")

    def download(url: str, file: str, _: object) -> None:
        transfer(url, Path(file), source.size, seconds, allow_private=True)

    downloader: Any = download  # pooch's type asks for options that it does not use here
    problems = []
    for url in source.urls:
        try:
            return Path(
                pooch.retrieve(url, known_hash=source.sha256, fname=source.archive, path=folder, downloader=downloader)
            )
        except ValueError:  # pooch has deleted the file
            problems.append(f"{url} delivered other bytes than expected (SHA-256)")
        except ConnectionError as error:
            problems.append(f"{url} cannot be reached ({error})")
    raise ValueError(f"{source.name}: {'; '.join(problems)}; {by_hand}")


def fetch_photo(
    address: str, at_least: int | None = None, allow_private: bool = False, seconds: float = 30
) -> np.ndarray:
    """The photo at an address, as `read_image` reads it: RGB uint8 (H, W, 3).

    Addresses of this machine and of private networks are refused unless `allow_private`: a list of addresses from
    elsewhere must not reach what only this machine can. Raises ValueError with one sentence.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "photo"
        try:
            transfer(address, file, MAX_PHOTO, seconds, allow_private)
        except ConnectionError as error:
            raise ValueError(f"{shown(address)} cannot be fetched ({error})") from None
        try:
            return read_image(file, at_least)
        except ValueError as error:
            raise ValueError(str(error).replace(str(file), shown(address))) from None


def transfer(address: str, file: Path, most: int, seconds: float, allow_private: bool) -> None:
    """Write what an http or https address delivers into a file: at most `most` bytes, in at most `seconds`, however
    slowly they come. Redirects are followed to such addresses only. Raises ConnectionError with the reason."""

    def write() -> None:
        deadline = time.monotonic() + seconds
        bar = tqdm(total=most, unit="B", unit_scale=True, leave=False, delay=2)
        with file.open("wb") as target, bar:
            for chunk in _chunks(address, seconds, allow_private):
                bar.update(len(chunk))
                if bar.n > most:
                    raise ConnectionError(f"it is larger than {size_in_words(most)}")
                if time.monotonic() > deadline:
                    raise TimeoutError
                target.write(chunk)

    try:
        within(seconds, write)
    except BusyError as error:
        raise ConnectionError(str(error)) from None
    except TimeoutError:
        raise ConnectionError(f"it is not done within {seconds:g} seconds") from None


def _chunks(address: str, seconds: float, allow_private: bool) -> Iterator[bytes]:
    """The bytes at an address as they come. Raises ConnectionError."""
    opener = OpenerDirector()  # knows http and https only
    web = [HTTPHandler(), HTTPSHandler()] if allow_private else [_PublicOnly()]
    answers = [HTTPRedirectHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()]
    for handler in [ProxyHandler(), *web, UnknownHandler(), *answers]:
        opener.add_handler(handler)
    try:
        request = Request(_encoded(address), headers={"User-Agent": "deep-learning-project-templates"})
        with opener.open(request, timeout=min(seconds, 20)) as response:
            got = 0
            while chunk := response.read1(1 << 16):  # what there is, without waiting for more
                got += len(chunk)
                yield chunk
            if got < int(response.headers.get("Content-Length") or 0):
                raise ConnectionError("the connection was closed before the end")
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionError(one_line(getattr(reason, "strerror", None) or reason)) from None


def _encoded(address: str) -> str:
    """An address as it is sent: letters beyond ASCII in host, path and query encoded."""
    parts = urlsplit(address)
    path, query = (quote(part, safe=string.punctuation) for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, parts.netloc.encode("idna").decode(), path, query, ""))


class _PublicOnly(HTTPHandler, HTTPSHandler):
    """Requests, and so those after every redirect, to hosts outside of private networks. A name is looked up once: the
    addresses that were checked are those that are connected to, for a second look-up may answer otherwise (DNS
    rebinding). A proxy is connected to by its own name; it looks up those of other hosts itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: dict[str, list[str]] = {}

    def http_request(self, request: Request) -> Request:
        host = HTTPConnection(request.host).host  # as the connection will read it
        try:
            found = [str(place[0]) for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        except OSError:  # a proxy may know the name
            found = []
        for number in found:
            ip = ipaddress.ip_address(number.partition("%")[0])
            ip = getattr(ip, "ipv4_mapped", None) or ip
            if not ip.is_global or ip.is_multicast:
                raise ValueError(f"{host} belongs to this machine or a private network; use --allow-private")
        self.addresses[host] = found
        return self.do_request_(request)

    https_request = http_request

    def do_open(self, http_class: Any, req: Request, **options: Any) -> Any:
        def connection(host: str, **more: Any) -> HTTPConnection:
            made = http_class(host, **more)
            made._create_connection = self._connect  # TLS goes on to check the certificate by the name of the host
            return made

        return super().do_open(connection, req, **options)

    def _connect(self, place: tuple[str, int], *options: Any) -> socket.socket:
        host, port = place
        failure = OSError(f"there is no host {host}")
        for address in self.addresses.get(host, [host]):
            try:
                return socket.create_connection((address, port), *options)
            except OSError as error:
                failure = error
        raise failure


def extract(archive: Path, target: Path) -> None:
    """Unpack a .zip or .tar.* into the new folder `target`; members that would land outside it are refused.

    Works in a temporary folder that takes the name `target` when it is complete. Raises ValueError if the archive is
    damaged, encrypted or unsafe, OSError if the disk has no room for its content.
    """
    free = shutil.disk_usage(archive.parent).free

    def require_room(size: int) -> None:
        if size > 0.95 * free:
            left = f"it unpacks to {size_in_words(size)}, but the disk has {size_in_words(free)} left"
            raise OSError(errno.ENOSPC, left, str(archive))

    try:
        with atomic_folder(target) as temporary:
            if zipfile.is_zipfile(archive) and not tarfile.is_tarfile(archive):  # a tar may end with a zip
                with zipfile.ZipFile(archive) as file:
                    require_room(sum(member.file_size for member in file.infolist()))
                    for member in file.namelist():
                        if not (temporary / member).resolve().is_relative_to(temporary.resolve()):
                            raise ValueError(f"{member} would be written outside its folder")
                    file.extractall(temporary)
            else:
                size = 0

                def checked(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
                    nonlocal size
                    require_room(size := size + member.size)
                    return tarfile.data_filter(member, folder)

                with tarfile.open(archive) as file:
                    file.extractall(temporary, filter=checked)
    except Exception as error:  # what damaged and encrypted archives raise in the libraries is of many kinds
        if isinstance(error, OSError) and error.errno is not None:  # not the archive: the disk
            raise
        raise ValueError(f"{archive} is damaged or unsafe: {one_line(error)}; delete it and try again") from None
