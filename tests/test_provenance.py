"""The promise: a run knows what it has seen, under any name, and says so wherever it is scored."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.data.provenance import (
    FILE,
    NEAR,
    Fingerprints,
    Provenance,
    content_hashes,
    nearest_distance,
    photo_fingerprints,
    record,
    text_fingerprints,
)

Photo = np.ndarray


def photo(seed: int, height: int = 180, width: int = 240) -> Photo:
    """Smoothed noise of several scales with a few shapes: textured as photos are. uint8 (H, W, 3)."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((*generator.integers(6, 14, 2), 3), dtype=np.float32)
    noise = generator.normal(0, 180, (height, width, 3)).astype(np.float32)
    image = 255 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) + cv2.GaussianBlur(
        noise, (0, 0), 3
    )
    image = np.ascontiguousarray(image.clip(0, 255).astype(np.uint8))
    for _ in range(5):
        colour = generator.integers(0, 256, 3).tolist()
        x, y, other_x, other_y = generator.integers(0, [width, height, width, height]).tolist()
        cv2.circle(image, (x, y), int(generator.integers(8, 40)), colour, -1)
        cv2.rectangle(image, (x, y), (other_x, other_y), colour, 3)
    return image


def photos(seeds: range) -> list[Photo]:
    return [photo(seed) for seed in seeds]


def jpeg(image: Photo, quality: int = 50) -> Photo:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def half(image: Photo) -> Photo:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


COPIES: dict[str, Callable[[Photo], Photo]] = {
    "JPEG at quality 50": jpeg,
    "half size": half,
    "double size": lambda image: cv2.resize(image, None, fx=2, fy=2),
    "rotated by 90": lambda image: np.rot90(image, 1),
    "rotated by 180": lambda image: np.rot90(image, 2),
    "rotated by 270": lambda image: np.rot90(image, 3),
    "mirrored": lambda image: image[:, ::-1],
    "upside down and mirrored": lambda image: np.rot90(image[:, ::-1], 2),
    "grey": lambda image: np.repeat(image.mean(axis=2, keepdims=True).round().astype(np.uint8), 3, axis=2),
    "brighter": lambda image: cv2.convertScaleAbs(image, alpha=0.8, beta=40),
    "all at once": lambda image: jpeg(half(np.ascontiguousarray(np.rot90(image[:, ::-1])))),
}


@pytest.fixture(scope="module")
def known() -> Provenance:
    """A run that was trained on 100 photos."""
    return Provenance(photo_fingerprints(photos(range(100))))


def test_identical_pixels_are_recognised_exactly(known: Provenance) -> None:
    seen = known.seen(photo_fingerprints(photos(range(90, 110))))
    assert seen.mask.tolist() == [True] * 10 + [False] * 10
    assert (seen.count, seen.near_duplicates, seen.known) == (10, 0, True)
    assert seen.scored.tolist() == [False] * 10 + [True] * 10


def test_one_changed_pixel_makes_a_near_duplicate(known: Provenance) -> None:
    image = photo(3)
    image[5, 5] ^= 1
    seen = known.seen(photo_fingerprints([image, photo(1000)]))
    assert seen.mask.tolist() == [True, False] and seen.near_duplicates == 1


@pytest.mark.parametrize("copy", COPIES)
def test_modified_copies_of_photos_are_near_duplicates(known: Provenance, copy: str) -> None:
    copies = photo_fingerprints(COPIES[copy](image) for image in photos(range(40)))
    seen = known.seen(copies, keep=True)
    assert seen.count == seen.near_duplicates == 40
    assert nearest_distance(copies.perceptual, known.items.perceptual).max() <= NEAR - 8  # with a margin


def test_different_photos_are_not_near_duplicates(known: Provenance) -> None:
    others = photo_fingerprints(photos(range(1000, 1200)))
    assert known.seen(others).count == 0
    assert nearest_distance(others.perceptual, known.items.perceptual).min() > 2 * NEAR


def test_a_near_duplicate_is_found_among_thousands() -> None:
    bits = np.random.default_rng(0).random((3000, 255)) < 0.5
    asked = bits[[2999, 1500, 0]].copy()
    asked[:, :7] ^= True
    assert nearest_distance(asked, bits).tolist() == [7, 7, 7]
    assert nearest_distance(np.repeat(asked, 500, axis=0), bits).tolist() == [7] * 1500
    assert nearest_distance(asked, bits[:0]).min() > 255 and not len(nearest_distance(asked[:0], bits))


def test_small_and_uniform_images_are_only_compared_exactly() -> None:
    digits = [photo(seed, 28, 28) for seed in range(25)]
    digits += [cv2.convertScaleAbs(digit, beta=3) for digit in digits]  # two digits may look as much alike
    plain = [np.full((100, 100, 3), grey, np.uint8) for grey in range(50)]
    for images in (digits, plain):
        run = Provenance(photo_fingerprints(images[:25]))
        seen = run.seen(photo_fingerprints(images))
        assert seen.mask.tolist() == [True] * 25 + [False] * 25 and seen.near_duplicates == 0


def test_the_hash_includes_the_shape_of_a_photo() -> None:
    image = np.zeros((10, 20, 3), np.uint8)
    one, other = photo_fingerprints([image, image.reshape(20, 10, 3)]).exact
    assert one != other


def test_an_empty_list_of_photos_has_no_fingerprints(known: Provenance) -> None:
    assert known.seen(photo_fingerprints([])).count == 0
    assert Provenance(photo_fingerprints([])).seen(photo_fingerprints([photo(0)])).count == 0


@pytest.mark.parametrize(
    "one, other",
    [
        ("It broke after a week.", "IT BROKE AFTER A WEEK"),
        ("It broke -- after a week!!", "it broke, after a week"),
        ("It broke after a week.", "  It broke\tafter\n\n a\u00a0week. "),
        ("caf\u00e9", "cafe\u0301"),  # composed and decomposed
        ("\uff26\uff35\uff2c\uff2c", "full"),  # full-width letters
        ("\ufb01ne", "fine"),  # a ligature
        ("STRASSE", "stra\u00dfe"),
        ("\u0390", "\u0399\u0308\u0301"),  # iota with two accents, small and capital
        ("good \u2764\ufe0f", "good \u2764"),  # a heart in colour or not
        ("???", " ??? "),
    ],
)
def test_text_hashes_ignore_case_punctuation_white_space_and_unicode_form(one: str, other: str) -> None:
    first, second = text_fingerprints([one, other]).exact
    assert first == second


@pytest.mark.parametrize(
    "one, other",
    [
        ("It broke after a week.", "It broke after a weak."),
        ("It broke after a week.", "It broke after 2 weeks."),
        ("not able", "notable"),
        ("a b", "b a"),
        ("resume", "r\u00e9sum\u00e9"),
        ("\u0915\u093f", "\u0915\u0940"),  # Hindi ki and kii: the vowels are marks
        ("???", "!!!"),
        ("", "a"),
    ],
)
def test_different_texts_have_different_hashes(one: str, other: str) -> None:
    first, second = text_fingerprints([one, other]).exact
    assert first != second


def test_a_text_with_invalid_unicode_has_a_fingerprint() -> None:
    broken, whole = text_fingerprints(["half an emoji \ud83d", "half an emoji"]).exact
    assert broken == whole  # a lone surrogate is no letter
    assert len(set(text_fingerprints(["\ud83d", "\ud83e"]).exact.tolist())) == 2


def test_hashes_are_the_same_on_every_machine() -> None:
    assert content_hashes([b"", b"a"]).tolist() == [-1970711489451281740, 4681665781835383343]
    assert len(set(content_hashes(str(n).encode() for n in range(100_000)).tolist())) == 100_000


def walk_forward(items: dict[str, int]) -> Fingerprints:
    """Items with the number of a fit."""
    hashes = content_hashes(name.encode() for name in items)
    return Fingerprints(hashes, fit=np.array(list(items.values()), np.int64))


def test_an_item_counts_as_seen_from_the_first_fit_that_was_trained_on_it() -> None:
    run = Provenance(walk_forward({"monday": 0, "tuesday": 1, "friday": 4}))
    # asked: which fit answers for the day
    seen = run.seen(walk_forward({"monday": 0, "tuesday": 0, "friday": 5, "sunday": 9}))
    assert seen.mask.tolist() == [True, False, True, False]
    everything = run.seen(replace(walk_forward({"tuesday": 0, "sunday": 0}), fit=None))
    assert everything.mask.tolist() == [True, False]  # without a fit every item of the record counts


@pytest.mark.parametrize("fits", [(1, 3), (3, 1)])
def test_the_first_fit_counts_if_an_item_is_recorded_twice(fits: tuple[int, int]) -> None:
    run = Provenance(Fingerprints.join(*(walk_forward({"monday": fit}) for fit in fits)))
    assert run.seen(walk_forward({"monday": 2, "sunday": 2})).mask.tolist() == [True, False]


def test_data_with_seen_items_only_are_refused_unless_they_are_kept() -> None:
    texts = text_fingerprints(["one", "two"])
    with pytest.raises(ValueError, match=r"^all 2 items were in this run's training or validation set; --seen keep "):
        Provenance(texts).seen(texts)
    kept = Provenance(texts).seen(texts, keep=True)
    assert kept.count == 2 and kept.scored.all()


def test_the_report_states_the_number_of_seen_items_and_whether_they_are_scored(known: Provenance) -> None:
    asked = photo_fingerprints([photo(0), jpeg(photo(1)), photo(1000)])
    assert known.seen(asked).sentence("photos") == (
        "2 of 3 photos were in this run's training or validation set (1 as near duplicates); they are left out "
        "(--seen keep scores them)."
    )
    kept = known.seen(asked, keep=True)
    assert kept.scored.all()
    assert kept.sentence().endswith("(1 as near duplicates); they are scored all the same (--seen keep).")
    exact = known.seen(photo_fingerprints([photo(0), photo(1000)])).sentence()
    assert exact.startswith("1 of 2 items were in this run's training or validation set; ")
    assert known.seen(photo_fingerprints([photo(1000)])).sentence() == ""


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "not safetensors", "another file", "no folder"])
def test_a_run_without_a_readable_record_warns_of_possible_leakage(tmp_path: Path, damage: str) -> None:
    texts = text_fingerprints([str(number) for number in range(100)])
    record(tmp_path, texts)
    path = tmp_path / FILE
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "another file":
        path.write_bytes(whole.replace(b'"exact"', b'"exakt"'))
    elif damage != "no folder":
        path.write_bytes({"empty": b"", "truncated": whole[:-8], "not safetensors": b"\xff" * 500}[damage])
    run = Provenance.load(tmp_path / "elsewhere" if damage == "no folder" else tmp_path)
    seen = run.seen(texts)
    assert not seen.known and seen.count == 0 and seen.scored.all()
    assert seen.sentence("texts") == (
        "This run has no record of what it was trained on: it may have seen some of these texts."
    )


def test_a_record_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    items = replace(photo_fingerprints(photos(range(3))), fit=np.arange(3))
    Provenance(items).save(tmp_path)
    loaded = Provenance.load(tmp_path)
    assert loaded.complete
    for name in ("exact", "perceptual", "fit"):
        before, after = getattr(items, name), getattr(loaded.items, name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    Provenance(text_fingerprints(["a"])).save(tmp_path)
    texts = Provenance.load(tmp_path).items
    assert texts.perceptual is None and texts.fit is None


def test_a_missing_record_is_not_saved_as_an_empty_one(tmp_path: Path) -> None:
    Provenance(None).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_training_is_not_resumed_on_other_data(tmp_path: Path) -> None:
    before, after = (text_fingerprints(["one", "two", *more]) for more in ((), ("three",)))
    record(tmp_path, before)
    record(tmp_path, after)  # nothing has been trained yet
    (tmp_path / "checkpoints").mkdir()
    record(tmp_path, after)
    with pytest.raises(ValueError, match=r"have changed since the training .* was started \(1 items are new or gone\)"):
        record(tmp_path, before)
    assert Provenance.load(tmp_path).seen(after, keep=True).count == 3  # the record stays


def test_provenance_includes_that_of_the_initial_weights(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    images = photos(range(4))
    record(first, photo_fingerprints(images[:1]))
    record(second, photo_fingerprints(images[1:2]), photo_fingerprints(images[2:3]), earlier=[first])
    record(third, photo_fingerprints([]), earlier=[second])
    for folder, expected in ((first, [1, 0, 0, 0]), (second, [1, 1, 1, 0]), (third, [1, 1, 1, 0])):
        seen = Provenance.load(folder).seen(photo_fingerprints(images))
        assert seen.mask.tolist() == [bool(e) for e in expected]
        assert "without a record" not in seen.sentence()
    mirrored = photo_fingerprints([image[:, ::-1] for image in images])
    assert Provenance.load(third).seen(mirrored).near_duplicates == 3


def test_initial_weights_without_provenance_are_reported_also_by_later_runs(tmp_path: Path) -> None:
    unknown, second, third = (tmp_path / name for name in ("unknown", "second", "third"))
    for folder in (unknown, second, third):
        folder.mkdir()
    record(second, text_fingerprints(["a"]), earlier=[unknown])
    record(third, text_fingerprints(["b"]), earlier=[second])
    for folder in (second, third):
        run = Provenance.load(folder)
        assert run.seen(text_fingerprints(["c"])).sentence("texts") == (
            "This run started from weights without a record, which may have been trained on some of these texts."
        )
        assert run.seen(text_fingerprints(["a", "c"])).sentence("texts") == (
            "1 of 2 texts were in this run's training or validation set; they are left out (--seen keep scores them). "
            "This run started from weights without a record, which may have been trained on some more of these texts."
        )
