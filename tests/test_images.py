"""The promise: any photo is read right or refused with a sentence, and augmentation depends on its seed alone."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from shared.data.config import AugmentConfig
from shared.data.images import augment, cut_mix, find_images, foreground, load_images, normalise, read_image, to_square

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


ALL = AugmentConfig(scale=(0.5, 1.2), colour=0.4, erase=1.0, background=1.0)


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
    off = AugmentConfig(scale=(1.0, 1.0), rotate=0, flip=False, colour=0)
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
