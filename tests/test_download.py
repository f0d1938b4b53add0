"""The promise: a download ends in time, is no larger than it may be, and goes where it may."""

import http.server
import re
import socket
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from shared.data import download
from shared.data.download import Source, fetch, fetch_photo


class Server(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `/to?ADDRESS` redirects, `/drip` and `/slow-header` send a byte every 20 ms, `/endless` all."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, address = self.path.partition("?")
        if path == "/to":
            self.send_response(302)
            self.send_header("Location", address)
            self.end_headers()
        elif path in ("/drip", "/slow-header", "/endless", "/short"):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            self.wfile.write({"/slow-header": b"X-Slow: ", "/short": b"Content-Length: 99\r\n\r\n"}.get(path, b"\r\n"))
            with suppress(OSError):  # the client has gone
                for _ in range(0 if path == "/short" else 200):
                    self.wfile.write(b"x" if path != "/endless" else bytes(10**6))
                    time.sleep(0 if path == "/endless" else 0.02)
        else:
            super().do_GET()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo and a file that is none."""
    folder = tmp_path_factory.mktemp("served")
    Image.new("RGB", (40, 20), (200, 30, 30)).save(folder / "a photo é.png")
    (folder / "set.zip").write_bytes(b"PK")
    return folder


@pytest.fixture(scope="module")
def server(served: Path) -> Generator[str]:
    """The address of a server of that folder."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(served))) as httpd:
        threading.Thread(target=partial(httpd.serve_forever, poll_interval=0.01), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def _source(address: str) -> Source:
    return Source("set", "set.zip", (address,), "0" * 64, 10**6, "CC0", "https://example.org")


@pytest.mark.parametrize("path", ["drip", "slow-header"])
def test_a_server_that_drips_is_given_up(tmp_path: Path, server: str, path: str) -> None:
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"cannot be reached \(it is not done within 0.2 seconds\)"):
        fetch(_source(f"{server}/{path}"), tmp_path / "data", seconds=0.2)
    with pytest.raises(ValueError, match=r"cannot be fetched \(it is not done within 0.2 seconds\)"):
        fetch_photo(f"{server}/{path}", allow_private=True, seconds=0.2)
    assert time.monotonic() - start < 1.5


def test_a_download_of_too_many_bytes_is_given_up(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"cannot be reached \(it is larger than"):
        fetch(_source(f"{server}/endless"), tmp_path / "data")
    monkeypatch.setattr(download, "MAX_PHOTO", 2 * 10**6)
    with pytest.raises(ValueError, match=r"cannot be fetched \(it is larger than 2.0 MB\)"):
        fetch_photo(f"{server}/endless", allow_private=True)
    with pytest.raises(ValueError, match="closed before the end"):
        fetch_photo(f"{server}/short", allow_private=True)


def test_a_photo_is_fetched_also_after_a_redirect(server: str) -> None:
    for address in (f"{server}/a photo é.png", f"{server}/to?/a%20photo%20%C3%A9.png"):
        assert (fetch_photo(address, allow_private=True) == (200, 30, 30)).all()
    with pytest.raises(ValueError, match=rf"^{re.escape(server)}/set.zip is not an image"):
        fetch_photo(f"{server}/set.zip", allow_private=True)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://%31%32%37.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
    ],
)
def test_addresses_of_this_machine_and_of_private_networks_are_refused(server: str, address: str) -> None:
    with pytest.raises(ValueError, match="belongs to this machine or a private network; use --allow-private"):
        fetch_photo(address.format(port=server.rpartition(":")[2]))


PUBLIC = "198.51.100.1.example.org"


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is connected to, while the name `PUBLIC` is looked up as 8.8.8.8 once and as 127.0.0.1 ever after. 8.8.8.8
    stands for 127.0.0.1, too."""
    places: list[tuple[str, int]] = []
    resolve, connect, answers = socket.getaddrinfo, socket.create_connection, iter(["8.8.8.8"])

    def look_up(host: str, *rest: object, **options: object) -> list:
        return resolve(next(answers, "127.0.0.1") if host == PUBLIC else host, *rest, **options)

    def open_(place: tuple[str, int], *rest: object) -> socket.socket:
        places.append(place)
        return connect(("127.0.0.1", place[1]) if place[0] == "8.8.8.8" else place, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", open_)
    return places


def test_a_redirect_into_a_private_network_is_refused(server: str, connected: list) -> None:
    port = int(server.rpartition(":")[2])
    with pytest.raises(ValueError, match=r"127.0.0.1 belongs to this machine"):
        fetch_photo(f"http://{PUBLIC}:{port}/to?{server}/set.zip")
    assert connected == [("8.8.8.8", port)]


def test_what_is_connected_to_is_the_address_that_was_checked(server: str, connected: list) -> None:
    port = int(server.rpartition(":")[2])
    assert (fetch_photo(f"http://{PUBLIC}:{port}/a photo é.png") == (200, 30, 30)).all()
    with pytest.raises(ValueError, match="belongs to this machine"):
        fetch_photo(f"http://{PUBLIC}:{port}/a photo é.png")
    assert connected == [("8.8.8.8", port)]


def test_a_name_that_is_found_at_the_second_look_up_only_is_not_connected_to(
    connected: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> list:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ValueError, match=rf"there is no host {PUBLIC}"):
        fetch_photo(f"http://{PUBLIC}/")
    assert connected == []


def test_a_certificate_is_checked_by_the_name_of_the_host(
    server: str, connected: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []

    def wrap(context: ssl.SSLContext, *_: object, server_hostname: str) -> None:
        names.append((server_hostname, context.check_hostname, context.verify_mode))
        raise OSError("seen enough")

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    port = int(server.rpartition(":")[2])
    with pytest.raises(ValueError, match="seen enough"):
        fetch_photo(f"https://{PUBLIC}:{port}/")
    assert connected == [("8.8.8.8", port)]
    assert names == [(PUBLIC, True, ssl.CERT_REQUIRED)]


def test_a_proxy_is_connected_to_by_its_own_name(server: str, connected: list, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server)
    with pytest.raises(ValueError, match="cannot be fetched"):
        fetch_photo(f"http://{PUBLIC}/a.png")
    assert connected == [("127.0.0.1", int(server.rpartition(":")[2]))]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("{server}/to?file:///etc/passwd", "not allowed"),
        ("{server}/to?ftp://127.0.0.1/x", "unknown url type: ftp"),
        ("{server}/to?/to?/to?/to", "cannot be fetched"),
        ("file:///etc/passwd", "unknown url type: file"),
        ("http://[bad", "Invalid IPv6 URL"),
        ("http://", "no host given"),
        ("http://" + "a" * 300, "label"),
        ("http://a:b:c/", "nonnumeric port"),
        ("http://127.0.0.1:9/" + "a" * 300, "refused"),
        ("{server}/\x00\n\udcff", "cannot be fetched"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(server: str, address: str, reason: str) -> None:
    with pytest.raises(ValueError, match="cannot be fetched") as error:
        fetch_photo(address.format(server=server), allow_private=True, seconds=2)
    assert reason in str(error.value)
    assert str(error.value).isprintable()
