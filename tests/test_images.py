"""The promise: any photo is read right or refused with a sentence, and augmentation depends on its seed alone."""

import io
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from projects.imagecaption.config import DataConfig as CaptionConfig
from projects.imagecaption.data import CaptionData
from projects.numberplate.config import DataConfig as PlateConfig
from projects.numberplate.data import PlateData
from projects.plantdisease.config import DataConfig as LeafConfig
from projects.plantdisease.data import LeafData
from projects.starter.config import DataConfig as ImageConfig
from projects.starter.data import load_data
from shared.data.augmentation import augment, cut_mix, foreground
from shared.data.config import AugmentConfig
from shared.data.images import (
    MAX_BYTES,
    find_images,
    list_photos,
    load_images,
    normalise,
    read_image,
    readable_photos,
    to_square,
)

RED = (200, 30, 30)


def _save(path: Path, mode: str, colour: object, **options: object) -> Path:
    Image.new(mode, (40, 20), colour).save(path, **options)
    return path


@pytest.mark.parametrize(
    ("name", "mode", "colour"),
    [
        ("plain.png", "RGB", RED),
        ("plain.jpg", "RGB", RED),
        ("cmyk.jpg", "CMYK", (0, 217, 217, 55)),
        ("alpha.png", "RGBA", (*RED, 255)),
        ("photo.bmp", "RGB", RED),
        ("photo.webp", "RGB", RED),
    ],
)
def test_every_kind_of_file_gives_the_same_colours(tmp_path: Path, name: str, mode: str, colour: tuple) -> None:
    image = read_image(_save(tmp_path / name, mode, colour))
    assert image.shape == (20, 40, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.reshape(-1, 3).mean(axis=0) - RED).max() < 8


def test_a_palette_a_grey_and_a_transparent_image_become_rgb(tmp_path: Path) -> None:
    palette = Image.new("RGB", (40, 20), RED).convert("P")
    palette.save(tmp_path / "palette.gif")
    assert np.abs(read_image(tmp_path / "palette.gif")[0, 0].astype(int) - RED).max() < 26  # its web palette
    assert (read_image(_save(tmp_path / "grey.png", "L", 99)) == 99).all()
    assert (read_image(_save(tmp_path / "clear.png", "RGBA", (0, 0, 0, 0))) == 255).all()  # on white


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    values = np.linspace(0, 65535, 800).reshape(20, 40).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    image = read_image(tmp_path / "deep.png")
    assert image.min() == 0
    assert image.max() == 255
    assert 120 < image.mean() < 135


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    _save(tmp_path / "turned.jpg", "RGB", RED, exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (40, 20, 3)


def test_the_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 20), colour) for colour in (RED, (0, 0, 255))]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "moving.gif")[0, 0, 0] > 150


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"hello, I am text", "not an image"), (b"\xff\xd8\xff\xe0" + b"\0" * 50, "not an image|damaged")],
)
def test_what_is_no_image_is_refused_with_a_sentence(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=reason) as error:
        read_image(path)
    assert "bad.jpg" in str(error.value)


def test_whatever_the_library_raises_names_the_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _save(tmp_path / "odd.png", "RGB", RED)

    def broken(_: Image.Image) -> Image.Image:
        raise struct.error("unpack requires a buffer of 2 bytes")  # as a tag of no values does

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", broken)
    with pytest.raises(ValueError, match=r"odd.png is damaged or cannot be decoded \(unpack requires"):
        read_image(path)


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "folder.jpg").mkdir()
    for name in ("a.png", ".b.png", ".ipynb_checkpoints/c.png", "folder.jpg/d.png"):
        _save(tmp_path / name, "RGB", RED)
    assert [path.name for path in find_images(tmp_path)] == ["a.png", "d.png"]


def test_a_truncated_photo_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ValueError, match="damaged"):
        read_image(path)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(ValueError, match="megapixels"):
        read_image(tmp_path / "bomb.png")


def test_a_missing_photo_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file .*gone.jpg"):
        read_image(tmp_path / "gone.jpg")


def test_a_dark_photo_of_sixteen_bits_stays_dark(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 40), 255, np.uint16)).save(tmp_path / "dark.png")
    assert read_image(tmp_path / "dark.png").max() == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((4, 4), 0.5, np.float32), 128),  # 0..1
        (np.full((4, 4), 128, np.float32), 128),  # 0..255
        (np.full((4, 4), 32896, np.float32), 128),  # 0..65535
        (np.full((4, 4), 128, np.int32), 128),
        (np.full((4, 4), 32896, np.int32), 128),
    ],
)
def test_floats_and_long_integers_are_scaled_by_their_range(tmp_path: Path, values: np.ndarray, expected: int) -> None:
    values[0, 0] = 0
    Image.fromarray(values).save(tmp_path / "deep.tif")
    image = read_image(tmp_path / "deep.tif")
    assert (image[0, 0] == 0).all() and (image[1:] == expected).all()


def test_pixels_that_are_not_finite_are_black(tmp_path: Path) -> None:
    Image.fromarray(np.array([[np.nan, 0.5], [np.inf, 1.0]], np.float32)).save(tmp_path / "holes.tif")
    assert read_image(tmp_path / "holes.tif")[:, :, 0].tolist() == [[0, 128], [0, 255]]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((4, 4), np.nan, np.float32), "has no pixel with a finite value"),
        (np.full((4, 4), -5, np.int32), "has values from -5 to -5; grey levels are"),
        (np.full((4, 4), 1e9, np.float32), "has values from 1e.09"),
    ],
)
def test_values_that_are_no_grey_levels_are_refused(tmp_path: Path, values: np.ndarray, reason: str) -> None:
    Image.fromarray(values).save(tmp_path / "odd.tif")
    with pytest.raises(ValueError, match=rf"odd.tif {reason}"):
        read_image(tmp_path / "odd.tif")


def test_a_decoder_beyond_the_listed_formats_never_sees_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n{ 1 pop } loop\n%%EOF\n")
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was called"))
    with pytest.raises(ValueError, match="is not an image in a format I can read"):
        read_image(path)


def test_a_photo_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (3000, 3000), RED).save(buffer, "JPEG", progressive=True)
    photo = buffer.getvalue()
    last_scan = photo[photo.rfind(b"\xff\xda") : -2]
    (tmp_path / "slow.jpg").write_bytes(photo[:-2] + last_scan * 100 + photo[-2:])
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"slow.jpg takes more than 0.1 seconds to decode"):
        read_image(tmp_path / "slow.jpg", seconds=0.1)
    assert time.monotonic() - start < 0.6


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # takes no space
    with pytest.raises(ValueError, match=r"long.png is too large: at most 200 MB"):
        read_image(tmp_path / "long.png")


def test_avif_photos_are_read(tmp_path: Path) -> None:
    if ".avif" not in Image.registered_extensions():
        pytest.skip("needs Pillow 11.3")
    image = read_image(_save(tmp_path / "photo.avif", "RGB", RED))
    assert np.abs(image.reshape(-1, 3).mean(axis=0) - RED).max() < 8


def test_a_heic_photo_is_read_or_says_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"  # phones and mail programs rename them
    try:
        import pillow_heif
    except ImportError:
        path.write_bytes(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(500))
        with pytest.raises(ValueError, match=r"photo.jpg is a photo in the format HEIF; .* pip install -e '.\[heic\]'"):
            read_image(path)
        return
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), RED)).save(path)
    assert np.abs(read_image(path).reshape(-1, 3).mean(axis=0) - RED).max() < 8


def test_image_files_that_are_not_read_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _save(tmp_path / "a.png", "RGB", RED)
    for name in ("b.heic", "c.CR2", "d.cr2", "e.svg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in find_images(tmp_path)] == ["a.png", "b.heic"]
    assert "3 files of kinds that are not read (.cr2, .svg)" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of Unix")
def test_what_is_no_regular_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "circle.jpg").symlink_to(tmp_path / "circle.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    reasons = {
        "circle.jpg": "cannot be read",
        "lost.jpg": "is a link to no file",
        "folder.jpg": "there is no photo in",
        "pipe.jpg": "is a device or a pipe",
        f"{'x' * 300}.jpg": "cannot be read",
        "nul\0.jpg": "cannot be read",
    }
    for name, reason in reasons.items():
        with pytest.raises((ValueError, FileNotFoundError), match=reason) as error:
            read_image(tmp_path / name)
        assert "\n" not in str(error.value)
    assert [path.name for path in find_images(tmp_path)] == ["circle.jpg", "lost.jpg", "pipe.jpg"]


def test_a_file_without_permission_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _save(tmp_path / "secret.png", "RGB", RED)

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(ValueError, match=r"secret.png cannot be read \(Permission denied\)"):
        read_image(path)


def test_one_bad_argument_keeps_no_photo_from_being_listed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    photo = _save(tmp_path / "a.png", "RGB", RED)
    odd = [tmp_path / "empty", tmp_path / ("x" * 300), tmp_path / "nul\0"]
    assert list_photos([*odd, tmp_path]) == [*odd, photo]
    with pytest.raises(ValueError, match=r"there is no photo in .*empty"):
        read_image(odd[0])


def test_all_damaged_photos_are_refused_at_once_or_left_out(tmp_path: Path) -> None:
    paths = [_save(tmp_path / f"{n}.png", "RGB", RED) for n in range(6)]
    assert readable_photos(paths, "refuse", tmp_path / "cache").all()
    for path in paths[:5]:
        path.write_bytes(path.read_bytes()[:60])
    for _ in range(2):  # an answer in the cache changes nothing
        with pytest.raises(ValueError, match=r"5 of 6 photos cannot be read: .*0.png .*1.png .*2.png .*; \.\.\.; mend"):
            readable_photos(paths, "refuse", tmp_path / "cache")
        assert readable_photos(paths, "leave-out", tmp_path / "cache").tolist() == [False] * 5 + [True]
    with pytest.raises(ValueError, match="5 of 5 photos cannot be read"):
        readable_photos(paths[:5], "leave-out", tmp_path / "cache")


def test_projects_count_the_damaged_photos_that_they_leave_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = [tmp_path / "photos" / label / f"{n}.png" for label in ("healthy", "rust") for n in range(20)]
    for n, path in enumerate(photos):
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(n).integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    photos[3].write_bytes(b"no photo")
    table = "".join(f"{path.relative_to(tmp_path / 'photos').as_posix()},a leaf\n" for path in photos)
    (tmp_path / "photos" / "captions.csv").write_text(f"image,caption\n{table}")
    plates = "".join(f"{path.relative_to(tmp_path / 'photos').as_posix()},B{n}\n" for n, path in enumerate(photos))
    (tmp_path / "photos" / "crops.csv").write_text(f"file,text\n{plates}")
    place = {"root": tmp_path / "photos", "cache": tmp_path / "cache"}
    leaves, captions = LeafConfig(source="folder", split="random", **place), CaptionConfig(source="folder", **place)
    crops = PlateConfig(source="csv", crops=tmp_path / "photos" / "crops.csv", cache=tmp_path / "cache")
    for read, config, items in (
        (lambda config: LeafData(config, 32), leaves, "photos"),
        (CaptionData, captions, "photos"),
        (PlateData, crops, "crops"),
    ):
        with pytest.raises(ValueError, match=r"1 of 40 photos cannot be read: .*3.png .*; mend"):
            read(config)
        summary = str(read(config.model_copy(update={"damaged": "leave-out"})).summary())
        assert summary.startswith(f"39 {items}")
        assert summary.endswith("(left out: 1 photos that cannot be read (3.png))")
    images = ImageConfig(source="folder", **place)
    with pytest.raises(ValueError, match=r"1 of 40 photos cannot be read: .*3.png .*; mend"):
        load_data(images)
    parts, _ = load_data(images.model_copy(update={"damaged": "leave-out"}))
    assert sum(map(len, parts.values())) == 39
    assert "left out: 1 photos that cannot be read (3.png)\n" in capsys.readouterr().err


def test_class_folders_of_the_starter_are_visible_and_those_of_the_run(tmp_path: Path) -> None:
    for name in ("roses/1.png", "tulips/1.png", ".ipynb_checkpoints/1-checkpoint.png", "__MACOSX/roses/._1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        _save(tmp_path / name, "RGB", RED)
    config = ImageConfig(source="folder", root=tmp_path, split="all", cache=tmp_path / ".cache")
    assert load_data(config)[1] == ["roses", "tulips"]
    (tmp_path / "empty").mkdir()
    parts, _ = load_data(config, ["daisies", "tulips", "roses"])
    assert parts["test"] == [(tmp_path / "tulips/1.png", 1), (tmp_path / "roses/1.png", 2)]
    with pytest.raises(ValueError, match=r"classes that the run does not know: tulips \(it knows daisies, roses\)$"):
        load_data(config, ["daisies", "roses"])
    with pytest.raises(ValueError, match="one folder of images per class, and at least two classes"):
        load_data(config.model_copy(update={"root": tmp_path / "roses"}))


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_to_folders_are_followed_but_not_in_a_circle(tmp_path: Path) -> None:
    for name in ("in/store/a.png", "in/__MACOSX/store/._a.png", "in/__MACOSX/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c.png").touch()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "store" / "up").symlink_to(tmp_path / "in")
    assert [path.name for path in find_images(tmp_path / "in")] == ["c.png", "a.png"]


def test_the_centre_of_any_shape_becomes_a_square() -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 255
    assert (to_square(wide, 8) == 255).all()
    assert to_square(np.zeros((1, 1, 3), np.uint8), 32).shape == (32, 32, 3)


def test_photos_are_decoded_once(tmp_path: Path) -> None:
    paths = [_save(tmp_path / f"{i}.png", "RGB", (i, 0, 0)) for i in range(5)]
    images, key = load_images(paths, 16, tmp_path / "cache")
    assert images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    again, same_key = load_images(paths, 16, tmp_path / "cache")
    assert key == same_key
    assert (again == images).all()


def test_normalised_images_have_imagenet_statistics() -> None:
    grey = torch.full((1, 8, 8, 3), 128, dtype=torch.uint8)
    x = normalise(grey, 16)
    assert x.shape == (1, 3, 16, 16)
    assert x[0, :, 0, 0].tolist() == pytest.approx(
        [(128 / 255 - m) / s for m, s in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))], abs=1e-4
    )


ALL = AugmentConfig(scale=(0.5, 1.2), colour_jitter=0.4, random_erasing=1.0, random_background=1.0)


def test_an_augmented_image_is_a_function_of_its_own_seed_alone() -> None:
    images = torch.randint(0, 255, (4, 32, 32, 3), dtype=torch.uint8)
    seeds = torch.tensor([1, 2**62, 3, 4])
    together = augment(images, seeds, ALL, 24)
    assert together.shape == (4, 3, 24, 24)
    assert together.min() >= 0
    assert together.max() <= 1
    for i in range(4):
        torch.testing.assert_close(augment(images[i : i + 1], seeds[i : i + 1], ALL, 24), together[i : i + 1])
    assert not torch.equal(augment(images, seeds + 1, ALL, 24), together)


def test_augmentation_that_is_switched_off_changes_nothing() -> None:
    off = AugmentConfig(scale=(1.0, 1.0), rotation=0, horizontal_flip=False, colour_jitter=0)
    images = torch.randint(0, 255, (2, 16, 16, 3), dtype=torch.uint8)
    torch.testing.assert_close(
        augment(images, torch.tensor([1, 2]), off, 16), images.permute(0, 3, 1, 2) / 255, atol=1e-5, rtol=0
    )


def test_mixed_images_have_labels_in_proportion() -> None:
    x = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 20, 20)
    for seed in range(20):
        mixed, partners, own = cut_mix(x, torch.tensor([seed, 1, 2, 3]), 1.0)
        assert (mixed[0] == 0).float().mean().item() == pytest.approx(own)
        assert partners.tolist() == [3, 0, 1, 2]
    assert torch.equal(cut_mix(x, torch.tensor([1, 2, 3, 4]), 0.0)[0], x)


def test_the_foreground_is_what_differs_in_colour_from_the_border() -> None:
    x = torch.full((1, 3, 64, 64), 0.5)
    x[:, 1, 20:44, 20:44] = 0.9
    mask = foreground(x)[0, 0]
    assert mask[32, 32] > 0.9
    assert mask[2, 2] < 0.1
    x = torch.tensor([0.5, 0.46, 0.52]).view(1, 3, 1, 1).repeat(1, 1, 64, 64)  # a purple table
    x[..., 10:30, 10:30] = torch.tensor([0.25, 0.22, 0.1]).view(1, 3, 1, 1)  # a dry leaf
    x[..., 40:54, 40:54] *= 0.6  # a shadow
    mask = foreground(x)[0, 0]
    assert mask[20, 20] > 0.9
    assert max(mask[2, 2], mask[47, 47]) < 0.1
