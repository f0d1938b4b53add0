"""The same photo more than once, also re-encoded, resized, turned by quarters or mirrored: copies must not be in two
sets or in two classes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from projects.plantdisease.sources import Photo
from shared.data import splits
from shared.data.cache import cached_array, fingerprint
from shared.data.provenance import Fingerprints, copies, photo_fingerprints
from shared.files import write_csv

PROTECTED = (splits.TEST, splits.VALIDATION, splits.TRAIN)


@dataclass(frozen=True)
class Duplicates:
    """Which of N photos are copies of each other."""

    fingerprints: Fingerprints
    groups: np.ndarray
    """Equal for copies, int (N,)."""

    @classmethod
    def find(cls, images: np.ndarray, key: str, cache: Path) -> "Duplicates":
        """Compare all photos, uint8 (N, S, S, 3), with all. The answer is kept in the cache by the images' `key`."""
        count = len(images)

        def hash_all(rows: np.ndarray) -> None:
            found = photo_fingerprints(images)
            rows[:, :8] = found.exact[:, None].view(np.uint8)
            rows[:, 8:] = np.packbits(np.asarray(found.perceptual), axis=1)

        def compare_all(groups: np.ndarray) -> None:
            groups[:] = copies(fingerprints)

        rows = cached_array(cache, "hashes", fingerprint(key, "hashes-1"), (count, 40), np.uint8, hash_all)
        bits = np.unpackbits(rows[:, 8:], axis=1, count=255) > 0
        fingerprints = Fingerprints(np.ascontiguousarray(rows[:, :8]).view(np.int64)[:, 0], bits)
        groups = cached_array(cache, "copies", fingerprint(key, "copies-1"), (count,), np.int64, compare_all)
        return cls(fingerprints, np.array(groups))

    def members(self) -> list[np.ndarray]:
        """The rows of every photo that is there more than once."""
        counts = np.bincount(self.groups)
        order = np.argsort(self.groups, kind="stable")
        return [rows for rows in np.split(order, np.cumsum(counts)[:-1]) if len(rows) > 1]

    def in_two_classes(self, labels: np.ndarray) -> np.ndarray:
        """Photos whose copy has another class, bool (N,): one of the two labels is wrong."""
        mask = np.zeros(len(labels), bool)
        for rows in self.members():
            mask[rows] = len(set(labels[rows].tolist())) > 1
        return mask

    def other_class(self, labels: np.ndarray, label: int) -> int:
        """The class that has the most copies of photos of a class."""
        inside = np.isin(self.groups, self.groups[labels == label]) & (labels != label)
        return int(np.argmax(np.bincount(labels[inside])))

    def on_one_side(self, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sets (N,) without copies in training of validation or test photos, nor in validation of test photos; and
        which these are, bool (N,)."""
        kept, dropped = parts.copy(), np.zeros(len(parts), bool)
        for rows in self.members():
            here = set(parts[rows])
            first = next((part for part in PROTECTED if part in here), splits.UNUSED)
            dropped[rows] = ~np.isin(parts[rows], [first, splits.UNUSED])
        kept[dropped] = splits.UNUSED
        return kept, dropped

    def in_words(self, photos: list[Photo], labels: np.ndarray) -> str:
        """How many there are; empty where there is none."""
        groups = self.members()
        if not groups:
            return ""
        total = sum(len(rows) - 1 for rows in groups)
        exact = sum(len(rows) - len(set(self.fingerprints.exact[rows].tolist())) for rows in groups)
        two = int(self.in_two_classes(labels).sum())
        first = " = ".join(photos[row].path.name for row in groups[0][:2])
        near = "re-encoded, resized, turned or mirrored"
        return f"{total} ({exact} exact, {total - exact} {near}), {two} photos of them in two classes; {first}, ..."

    def write(self, path: Path, photos: list[Photo], classes: list[str], parts: np.ndarray) -> None:
        """All of them as a table: one row a photo, copies under the same number."""
        numbered = [(number, row) for number, rows in enumerate(self.members(), 1) for row in rows]
        write_csv(
            path,
            [
                {"copy": n, "photo": photos[row].path, "class": classes[photos[row].label], "set": parts[row]}
                for n, row in numbered
            ],
        )
