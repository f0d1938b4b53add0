"""Exercise average_precision, the tests that give points: curves by hand, and the definition written out."""

import numpy as np
import pytest

from projects.numberplate import metrics
from projects.numberplate.detect import Detection
from projects.numberplate.metrics import average_precision

ELSEWHERE = np.array([500.0, 500, 540, 510])


@pytest.fixture(autouse=True)
def same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlap is 1 for equal boxes, else 0: these tests need no `iou`."""
    monkeypatch.setattr(metrics, "iou", lambda a, b: (a.reshape(-1, 1, 4) == b.reshape(1, -1, 4)).all(axis=2) * 1.0)


def plates(count: int) -> np.ndarray:
    return np.array([[100.0 * n, 0, 100 * n + 40, 10] for n in range(count)]).reshape(-1, 4)


def photo(results: str, scores: list[float]) -> list[Detection]:
    """Detections in this order: + is the next plate of the photo, - is none."""
    boxes, taken = plates(len(results)), 0
    found = []
    for result, score in zip(results, scores):
        found.append(Detection(boxes[taken] if result == "+" else ELSEWHERE, np.zeros((4, 2)), score))
        taken += result == "+"
    return found


@pytest.mark.parametrize(
    ("results", "count", "expected"),
    [
        ("+-+", 2, (1 + 2 / 3) / 2),
        ("-++", 2, 2 / 3),  # 1/2 at the first plate; the best precision from there on is 2/3
        ("-+", 1, 1 / 2),
        ("++--", 4, 2 / 4),
        ("+--++", 3, (1 + 3 / 5 + 3 / 5) / 3),
        ("---", 2, 0),
    ],
)
def test_curves_by_hand(results: str, count: int, expected: float) -> None:
    scores = [0.9 - 0.1 * n for n in range(len(results))]
    found = average_precision([photo(results, scores)], [plates(count)])
    assert found == pytest.approx(expected, abs=1e-6), (
        f"{results} (hits and false positives by falling score), {count} plates: {expected:.3f}, not {found:.3f}"
    )


def test_the_detections_need_not_be_sorted() -> None:
    found = average_precision([photo("-+", [0.2, 0.9])], [plates(1)])
    assert found == pytest.approx(1), f"the plate has .9, the false positive only .2: 1, not {found:.3f}"


def test_scores_are_compared_across_photos() -> None:
    found = average_precision([photo("+", [0.4]), photo("-", [0.9])], [plates(1), plates(0)])
    assert found == pytest.approx(0.5), (
        f"a false positive on an empty photo has the highest score of all: .5, not {found:.3f}"
    )


def test_a_second_detection_of_a_plate_is_a_false_positive() -> None:
    twice = [Detection(plates(1)[0], np.zeros((4, 2)), score) for score in (0.9, 0.8)]
    other = Detection(plates(2)[1], np.zeros((4, 2)), 0.7)
    found, expected = average_precision([[*twice, other]], [plates(2)]), (1 + 2 / 3) / 2
    assert found == pytest.approx(expected), f"hit, the same again, hit: {expected:.3f}, not {found:.3f}"


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_found_is_zero(count: int) -> None:
    found = average_precision([[], []], [plates(count), plates(0)])
    assert found == 0, f"no detection, {count} plates: 0, not {found}"


def test_it_is_the_definition_written_out() -> None:
    generator = np.random.default_rng(0)
    results = ["".join(generator.choice(list("+-"), generator.integers(1, 7))) for _ in range(12)]
    scores = [generator.random(len(one)).tolist() for one in results]
    every = sorted(((s, r) for one, some in zip(results, scores) for r, s in zip(one, some)), reverse=True)
    total = sum(one.count("+") + 1 for one in results)  # a plate of each photo is never found
    hits = [sum(r == "+" for _, r in every[: n + 1]) for n in range(len(every))]
    precision = [hit / (n + 1) for n, hit in enumerate(hits)]
    expected = sum(max(precision[n:]) for n, (_, r) in enumerate(every) if r == "+") / total
    found = average_precision(
        [photo(*pair) for pair in zip(results, scores)], [plates(r.count("+") + 1) for r in results]
    )
    assert found == pytest.approx(expected), f"12 photos with {total} plates: {expected:.4f}, not {found:.4f}"
