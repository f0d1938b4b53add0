"""The boxes of labels, in any notation and unit -> pixels of the upright photo."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np

from projects.numberplate.config import DataConfig
from projects.numberplate.geometry import box_of, clockwise, corners_of
from projects.numberplate.labels import Label, Understood
from projects.numberplate.photo_files import Size
from shared.console import note
from shared.data.summary import named
from shared.names import shown


class Boxes:
    """The boxes of labels, in pixels of the upright photo."""

    def __init__(
        self, pairs: list[tuple[Label, Path]], sizes: dict[Path, Size], config: DataConfig, understood: Understood
    ) -> None:
        self.pairs, self.sizes, self.config, self.understood = pairs, sizes, config, understood
        self.boxed = [(label, path) for label, path in pairs if label.box is not None]
        self.interchanged: list[str] = []
        self.unit = self._unit()
        self.notation = self._notation()

    def in_pixels(self) -> list[tuple[np.ndarray, np.ndarray | None] | None]:
        """Box (4,) and corners (4, 2) of every label that has one. Raises ValueError with one sentence."""
        self._refuse_other_sizes()
        boxes = [self._box(label, path) if label.box is not None else None for label, path in self.pairs]
        problems = [self._problem(label, path, box) for (label, path), box in zip(self.pairs, boxes)]
        wrong = {path: (label, why) for (label, path), why in zip(self.pairs, problems) if why}
        if wrong and (self.config.damaged == "refuse" or len(wrong) == len(self.sizes)):
            label, why = next(iter(wrong.values()))
            numbers = label.shape or _listed(label.box or ()) or label.text
            advice = "; --data.damaged leave-out leaves such photos out" if len(wrong) < len(self.sizes) else ""
            raise ValueError(f"{shown(label.file)}: {shown(label.photo)}: {why} ({numbers}){advice}")
        for path in wrong:
            self.understood.leave_out("photos with an impossible box", [path.name])
            del self.sizes[path]
        keep = [path not in wrong for _, path in self.pairs]
        self.pairs[:] = [pair for pair, kept in zip(self.pairs, keep) if kept]
        self._say_rotated()
        return [box for box, kept in zip(boxes, keep) if kept]

    def _unit(self) -> str:
        """The unit of the boxes whose layout does not tell it."""
        rows = [label for label, _ in self.boxed if label.unit == "auto"]
        if self.config.box_units not in ("auto", "stored") or not rows:
            return self.config.box_units.replace("stored", "auto")
        small = [max(map(abs, label.box or ())) <= 1 for label in rows]
        if not any(small):
            return "auto"
        if not all(small):
            label = rows[small.index(True)]
            raise ValueError(
                f"{shown(label.file)}: {shown(label.photo)}: the box is smaller than a pixel, but others are in pixels "
                f"({_listed(label.box or ())})"
            )
        note(f"{shown(rows[0].file)}: no number of a box is larger than 1; they are taken as fractions of the photos")
        return "fractions"

    def _unit_of(self, label: Label) -> str:
        return self.unit if label.unit == "auto" else label.unit

    def _frame(self, label: Label, path: Path) -> tuple[np.ndarray, np.ndarray, bool]:
        """The photo's size in the units of the box, in pixels, and whether both are those of the stored photo, not of
        the upright one."""
        width, height, orientation = self.sizes[path]
        stored = np.array([width, height], float)
        turned = orientation >= 5
        is_stored = orientation > 1 and self.config.box_units == "stored"
        is_stored |= turned and width != height and label.size is not None and _near(label.size, stored)
        pixels = stored if is_stored or not turned else stored[::-1]
        unit = self._unit_of(label)
        declared = np.array(label.size) if unit == "declared" and label.size else pixels
        units = {"fractions": np.ones(2), "percent": np.full(2, 100.0), "declared": declared}.get(unit, pixels)
        return units, pixels, is_stored

    def _notation(self) -> str:
        """xyxy or xywh, for boxes whose columns do not tell it. Raises ValueError where both are possible."""
        rows = [(label, path) for label, path in self.boxed if label.notation == "four"]
        if not rows:
            return "xyxy"
        numbers = np.array([label.box for label, _ in rows])
        limits = np.array([self._frame(label, path)[0] for label, path in rows]) * 1.02 + 1e-3
        corners = bool((numbers[:, 2:] > numbers[:, :2]).all() and (numbers[:, 2:] <= limits).all())
        sides = bool((numbers[:, 2:] > 0).all() and (numbers[:, :2] + numbers[:, 2:] <= limits).all())
        file = rows[0][0].file
        if corners == sides:
            reason = "may be two corners, or one corner, width and height" if corners else "fit the photos in no way"
            raise ValueError(
                f"{shown(file)}: the four numbers of a box ({_listed(numbers[0])}) {reason}; "
                "say what they are with --data.box_format xyxy, xywh or cxcywh"
            )
        what = "two corners" if corners else "a corner, width and height"
        note(f"{shown(file)}: the four numbers of a box are {what}; nothing else fits the photos")
        return "xyxy" if corners else "xywh"

    def _box(self, label: Label, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
        units, pixels, is_stored = self._frame(label, path)
        a, b = np.array(label.box).reshape(2, 2)
        notation = self.notation if label.notation == "four" else label.notation
        if notation == "cxcywh":
            a, b = a - b / 2, a + b / 2
        elif notation == "xywh":
            b = a + b
        quad = corners_of(np.concatenate([a, b]) * np.tile(pixels / units, 2))
        corners = None
        if label.corners is not None:
            corners = np.array(label.corners).reshape(4, 2) * (pixels / units)
        if is_stored:
            quad = corners_of(box_of(self._upright(quad, path)))
            corners = None if corners is None else self._upright(corners, path)
        box = np.concatenate([quad[0], quad[2]]).astype(np.float32)
        if corners is None:
            return box, None
        return box, (corners if label.in_order else clockwise(corners)).astype(np.float32)

    def _upright(self, points: np.ndarray, path: Path) -> np.ndarray:
        """Points of the stored photo in the upright one."""
        width, height, orientation = self.sizes[path]
        x, y = points[..., 0], points[..., 1]
        turned = {
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (height - y, x),
            7: (height - y, width - x),
            8: (y, width - x),
        }[orientation]
        return np.stack(turned, axis=-1)

    def _problem(self, label: Label, path: Path, box: tuple[np.ndarray, np.ndarray | None] | None) -> str:
        """Why a box cannot be, or nothing. Corners that are interchanged are put in order."""
        if box is None:
            return "there is a text but no box" if label.text and not label.is_crop and not label.kind else ""
        if label.shape:
            return "a plate is neither a box nor a polygon"
        numbers = box[0]
        if not np.isfinite(numbers).all() or (numbers[2:] == numbers[:2]).any():
            return "the box is not four numbers x0 < x1, y0 < y1"
        if (numbers[2:] < numbers[:2]).any():
            if label.notation != "xyxy" or self._mostly_reversed:
                hint = "; are they x, y, width and height? (--data.box_format xywh)" if label.row else ""
                return f"the box is not four numbers x0 < x1, y0 < y1{hint}"
            self.interchanged.append(shown(path.name))
            numbers[:] = [*np.minimum(numbers[:2], numbers[2:]), *np.maximum(numbers[:2], numbers[2:])]
        width, height, orientation = self.sizes[path]
        limit = np.array([height, width] if orientation >= 5 else [width, height])
        middle = (numbers[:2] + numbers[2:]) / 2
        if (middle < 0).any() or (middle > limit).any():
            turned = "; is it of the photo before its rotation by EXIF? (--data.box_units stored)"
            other = "; was it resized (--data.box_units declared), or is the box of another kind (--data.box_format)?"
            return f"the box lies outside of the photo of {_listed(limit, ' x ')} pixels" + (
                turned if orientation > 1 else other
            )
        return ""

    @cached_property
    def _mostly_reversed(self) -> bool:
        rows = [label.box for label, _ in self.boxed if label.notation == "xyxy" and label.box]
        return sum(b[2] < b[0] or b[3] < b[1] for b in rows) * 2 > len(rows) and all(
            label.row for label, _ in self.boxed
        )

    def _refuse_other_sizes(self) -> None:
        """Raise ValueError where the sizes that are written are not those of the photos, and nothing was said of it."""
        if self.unit != "auto":
            return
        other = []
        for label, path in self.boxed:
            width, height, orientation = self.sizes[path]
            sizes = [(width, height)] + ([(height, width)] if orientation >= 5 else [])
            if label.size and self._unit_of(label) == "auto" and not any(_near(label.size, np.array(s)) for s in sizes):
                other.append((label, path, sizes[-1]))
        if other:
            label, path, size = other[0]
            count = len({path for _, path, _ in other})
            raise ValueError(
                f"{shown(label.file)}: {shown(path.name)} has {_listed(size, ' x ')} pixels, but "
                f"{_listed(label.size or (), ' x ')} are written beside the box ({count} of {len(self.sizes)} photos): "
                "--data.box_units declared scales the boxes to the photos, pixels takes them as they are"
            )

    def _say_rotated(self) -> None:
        turned = {path for label, path in self.boxed if self.sizes.get(path, (0, 0, 1))[2] != 1}
        if turned:
            stored = any(self._frame(label, path)[2] for label, path in self.boxed if path in turned)
            note(
                f"{len(turned)} photos are rotated by EXIF, such as {shown(min(turned))}; "
                "boxes are taken as those of "
                + ("the stored photo" if stored else "the upright photo (else --data.box_units stored)")
            )
        if self.interchanged:
            note(
                f"the corners of {len(self.interchanged)} boxes are interchanged, and put in order: on "
                f"{named(self.interchanged)}"
            )


def _listed(numbers: Iterable[float], between: str = ", ") -> str:
    return between.join(f"{number:g}" for number in numbers)


def _near(size: tuple[float, float], other: np.ndarray) -> bool:
    return bool(np.abs(np.array(size) - other).max() <= 1)
