"""Exercise average_precision: the area under the curve of precision over recall."""

from collections.abc import Sequence

import numpy as np
import pytest

from projects.numberplate import metrics
from projects.numberplate.detect import Detection
from projects.numberplate.metrics import average_precision

PLATES = np.array([[0.0, 0, 40, 10], [100, 0, 140, 10]])


@pytest.fixture(autouse=True)
def same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The overlap is 1 for equal boxes, else 0: these tests need no `iou`."""
    monkeypatch.setattr(metrics, "iou", lambda a, b: (a.reshape(-1, 1, 4) == b.reshape(1, -1, 4)).all(axis=2) * 1.0)


def detections(*pairs: tuple[float, Sequence[float]]) -> list[Detection]:
    """Detections with these scores and boxes."""
    return [Detection(np.array(box, float), np.zeros((4, 2)), score) for score, box in pairs]


def test_all_plates_found_and_nothing_else_is_one() -> None:
    found = average_precision([detections((0.9, PLATES[0]), (0.8, PLATES[1]))], [PLATES])
    assert found == pytest.approx(1), f"both plates, no false positive: 1, not {found:.3f}"


def test_a_plate_that_is_not_found_lowers_it() -> None:
    found = average_precision([detections((0.9, PLATES[0]))], [PLATES])
    assert found == pytest.approx(0.5), f"one of two plates, no false positive: .5, not {found:.3f}"
