"""The promise: the web page answers as the command line does, says what is wrong, and is for this machine only."""

import hashlib
import json
import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from projects.plantdisease.app import interface
from shared.config import AppOptions
from shared.data.images import read_image
from shared.page import PREVIEW, photo_page, preview, running
from tests.conftest import CommandLine, free_port
from tests.test_names import untrained_run

gradio = pytest.importorskip("gradio")
client = pytest.importorskip("gradio_client")
httpx = pytest.importorskip("httpx")

AT_LEAST = 64


def digest(photo: np.ndarray) -> str:
    return hashlib.sha256(repr(photo.shape).encode() + photo.tobytes()).hexdigest()


def answer(photo: np.ndarray) -> list[str]:
    if (photo == 77).all():
        raise RuntimeError("a mistake in the program")
    return [digest(photo)]


@pytest.fixture(scope="module")
def page() -> Generator[Any]:
    """A running page that answers with a digest of the pixels that it was given."""

    def make() -> dict[str, Any]:
        return {**photo_page(answer, [gradio.Textbox(label="Digest")], "A photo", AT_LEAST), "title": "Digest"}

    with running(make, free_port()) as served:
        yield client.Client(served.local_url, verbose=False)


def ask(page: Any, path: Path) -> list[Any]:
    return page.predict(client.handle_file(str(path)), fn_index=0)


def photos(folder: Path) -> dict[str, Path]:
    """One photo of each kind that gradio or a browser would decode in another way."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (300, 400, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    images = {
        "transparent.png": (Image.fromarray(np.dstack([noise, noise[:, :, 0]])), {}),
        "sixteen-bit.png": (Image.fromarray(rng.integers(0, 65535, (30, 40), dtype=np.uint16)), {}),
        "float.tif": (Image.fromarray(rng.random((30, 40), dtype=np.float32)), {}),
        "large.jpg": (Image.fromarray(noise).resize((2000, 1500)), {}),
        "turned.jpg": (Image.fromarray(noise), {"exif": exif}),
        "cmyk.jpg": (Image.fromarray(noise).convert("CMYK"), {}),
        "palette.gif": (Image.fromarray(noise).convert("P"), {}),
    }
    for name, (image, options) in images.items():
        image.save(folder / name, **options)
    return {name: folder / name for name in images}


def test_the_page_sees_the_same_pixels_as_the_command_line(page: Any, tmp_path: Path) -> None:
    for name, path in photos(tmp_path).items():
        assert ask(page, path)[1] == digest(read_image(path, AT_LEAST)), name


def test_the_page_gives_the_answer_of_the_command_line(tmp_path: Path, command: CommandLine) -> None:
    run = untrained_run(tmp_path)
    paths = photos(tmp_path)
    told = command(
        "projects.plantdisease.predict", *paths.values(), "--run", run.folder, "--explain", "grad-cam",
        "--json", tmp_path / "answers.json",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    answers = json.loads((tmp_path / "answers.json").read_text())
    show = interface(AppOptions(), run)["fn"]
    for name, known in zip(paths, answers, strict=True):
        assert show(str(paths[name]))[1] == dict(known["classes"]), name


def test_a_mistake_is_a_sentence_on_the_page(page: Any, tmp_path: Path) -> None:
    bad = tmp_path / "<b>bad.jpg"
    bad.write_bytes(b"no photo")
    with pytest.raises(client.exceptions.AppError, match=r"^[^/\\]*bad.jpg is not an image in a format I can read"):
        ask(page, bad)
    Image.new("RGB", (8, 8), (77, 77, 77)).save(tmp_path / "odd.png")
    with pytest.raises(client.exceptions.AppError, match="a mistake in the program"):
        ask(page, tmp_path / "odd.png")


def test_a_photo_of_more_than_20_mb_is_refused(page: Any, tmp_path: Path) -> None:
    answer = httpx.post(f"{page.src}gradio_api/upload", files={"files": ("big.png", bytes(21 * 2**20))})
    assert answer.status_code == 413
    assert "exceeded maximum allowed size" in answer.text


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("localhost", 200), ("evil.example", 400), ("127.0.0.1.evil.example", 400)]
)
def test_a_request_under_another_name_is_refused(page: Any, host: str, status: int) -> None:
    port = page.src.rstrip("/").rpartition(":")[2]
    for path in ("", "config", "gradio_api/info"):
        assert httpx.get(f"{page.src}{path}", headers={"Host": f"{host}:{port}"}).status_code == status


def test_a_port_that_is_taken_is_one_sentence_before_the_model_is_loaded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ValueError, match=rf"^port {port} cannot be used \(.*\); choose another with --port$"),
            running(lambda: pytest.fail("the model was loaded"), port),
        ):
            pass


def test_uploaded_photos_are_deleted_with_the_page(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    Image.new("RGB", (8, 8), (1, 2, 3)).save(path)
    with running(lambda: photo_page(answer, [gradio.Textbox()], "A photo"), free_port()) as served:
        uploads = Path(os.environ["GRADIO_TEMP_DIR"])
        ask(client.Client(served.local_url, verbose=False), path)
        assert list(uploads.rglob("photo.png"))
        assert served.delete_cache == (60, 600)  # while it runs: ten minutes
    assert not uploads.exists()


def test_a_large_photo_is_shown_small() -> None:
    assert preview(np.zeros((3000, 1500, 3), np.uint8)).shape == (PREVIEW, PREVIEW // 2, 3)
    assert preview(np.zeros((30, 15, 3), np.uint8)).shape == (30, 15, 3)
