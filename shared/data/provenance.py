"""What a run has seen: content hashes of every item it was trained or validated on.

A number on data that the network was trained on means nothing, and file names or settings do not tell. So a run keeps a
hash of the content of its items, and `evaluate` counts how many items of any data are among them. Photos also get a
perceptual hash, which finds them again when they were re-encoded, resized, rotated by quarter turns or mirrored.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from tqdm import tqdm

from shared.data.images import read_image
from shared.files import write_bytes

FILE = "provenance.safetensors"
SIDE, LOW_FREQUENCIES = 64, 16  # pixels of the thumbnail, and how many of its frequencies in x and y are compared
SMALLEST = 32  # pixels; smaller images, and plain ones, have too little content to be told apart by their frequencies
MAYBE = (
    10  # squared distance of `_invariant` up to which photos are compared; it is about 6 where 24 bits of 255 differ
)
NEAR = 24  # bits of 255; the same photo differs by at most 10 after JPEG at quality 50, different photos by 43 and more


@dataclass(frozen=True)
class Fingerprints:
    """Content hashes of N items."""

    exact: np.ndarray
    """int64 (N,), equal for equal content."""
    perceptual: np.ndarray | None = None
    """Photos: bool (N, 255), the signs of the low frequencies (of small or plain ones: bits of the exact hash)."""
    fit: np.ndarray | None = None
    """Walk-forward validation: number of the first fit whose training data hold the item, int64 (N,)."""

    @classmethod
    def join(cls, *several: "Fingerprints") -> "Fingerprints":
        """All items of several collections."""

        def joined(name: str) -> np.ndarray | None:
            parts = [getattr(one, name) for one in several]
            return None if any(part is None for part in parts) else np.concatenate(parts)

        return cls(np.concatenate([one.exact for one in several]), joined("perceptual"), joined("fit"))


def content_hashes(items: Iterable[bytes]) -> np.ndarray:
    """64-bit hashes of byte strings, int64 (N,)."""
    return np.array(
        [int.from_bytes(blake2b(item, digest_size=8).digest(), "big", signed=True) for item in items], np.int64
    )


def text_fingerprints(texts: Iterable[str]) -> Fingerprints:
    """Texts without regard to case, punctuation, white space and Unicode form."""

    def is_letter(c: str) -> bool:
        mark = unicodedata.category(c) in ("Mn", "Mc") and not "\ufe00" <= c <= "\ufe0f"  # (variants of emoji)
        return c.isalnum() or mark  # the vowels of Indian scripts are marks

    def words(text: str) -> str:
        normal = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        kept = "".join(c if is_letter(c) else " " for c in normal)
        return " ".join(kept.split()) or " ".join(normal.split())  # of "???" everything is kept

    return Fingerprints(content_hashes(words(text).encode(errors="surrogatepass") for text in texts))


def photo_fingerprints(photos: Iterable[np.ndarray]) -> Fingerprints:
    """Decoded photos, each uint8 (H, W, 3)."""
    exact, perceptual = [], []
    for photo in map(np.asarray, photos):
        exact.append(
            blake2b(repr(photo.shape).encode() + np.ascontiguousarray(photo).tobytes(), digest_size=32).digest()
        )
        small = min(photo.shape[:2]) < SMALLEST or photo.std() < 2
        perceptual.append(np.unpackbits(np.frombuffer(exact[-1], np.uint8))[1:] > 0 if small else _signs(photo))
    bits = np.stack(perceptual) if perceptual else np.zeros((0, LOW_FREQUENCIES**2 - 1), bool)
    return Fingerprints(content_hashes(exact), bits)


def file_fingerprints(paths: Iterable[Path]) -> Fingerprints:
    """Image files, each file once."""
    files = tqdm(list(dict.fromkeys(paths)), desc="fingerprints", unit="file", leave=False)
    return photo_fingerprints(read_image(path) for path in files)


def _signs(photo: np.ndarray) -> np.ndarray:
    """Signs of the low frequencies of the grey thumbnail (discrete cosine transform; Zauner 2010), bool (255,)."""
    thumbnail = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
    frequencies = cv2.dct(thumbnail)[:LOW_FREQUENCIES, :LOW_FREQUENCIES]
    return (frequencies > 0).ravel()[1:]  # the first one is the brightness


def _orientations(bits: np.ndarray) -> list[np.ndarray]:
    """The bits of N photos, (N, 255), as they would be after the 8 rotations by quarter turns and reflections.

    Mirroring a photo changes the sign of its odd frequencies in that direction; turning it exchanges x and y as well.
    """
    square = np.concatenate([np.ones((len(bits), 1), bool), bits], axis=1).reshape(-1, LOW_FREQUENCIES, LOW_FREQUENCIES)
    odd = np.arange(LOW_FREQUENCIES) % 2 == 1
    vertical, horizontal = odd[:, None], odd[None, :]
    return [
        (turned ^ (vertical & flip_y) ^ (horizontal & flip_x)).reshape(len(bits), -1)[:, 1:]
        for turned in (square, square.transpose(0, 2, 1))
        for flip_y in (False, True)
        for flip_x in (False, True)
    ]


def nearest_distance(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Smallest number of differing bits between each asked photo, in any orientation, and the known ones, (N,)."""
    smallest = np.full(len(asked), asked.shape[1] + 1)
    if not len(known) or not len(asked):
        return smallest
    stored = torch.from_numpy(known.astype(np.float32) * 2 - 1)
    for bits in _orientations(asked):
        for start in range(0, len(bits), 1024):
            part = torch.from_numpy(bits[start : start + 1024].astype(np.float32) * 2 - 1)
            agreement = (part @ stored.T).amax(dim=1).numpy()  # 255 - 2 * differing bits
            distance = ((asked.shape[1] - agreement) / 2).round().astype(int)
            smallest[start : start + 1024] = np.minimum(smallest[start : start + 1024], distance)
    return smallest


def copies(items: Fingerprints) -> np.ndarray:
    """Number the groups of items that are the same: equal content, or photos linked by at most `NEAR` differing bits in
    any orientation. int (N,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, first, group = np.unique(items.exact, return_index=True, return_inverse=True)
    if items.perceptual is None or not len(group):
        return group
    bits = items.perceptual[first]  # one of each group
    turned, marks = np.stack(_orientations(bits)), torch.from_numpy(_invariant(bits))
    squares = (marks**2).sum(dim=1)
    links = [np.zeros((2, 0), np.int64)]
    for start in tqdm(range(0, len(bits), 1024), desc="comparing photos", leave=False, delay=2):
        block = slice(start, start + 1024)
        apart = squares[block, None] + squares[start:] - 2 * marks[block] @ marks[start:].T
        for some in np.array_split(
            np.argwhere(apart.numpy() <= MAYBE).T + start, 1 + (apart <= MAYBE).sum() // 2**16, 1
        ):
            differing = (turned[:, some[0]] ^ bits[some[1]]).sum(axis=2).min(axis=0)
            links.append(some[:, differing <= NEAR])
    rows, columns = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(bits), len(bits)))
    return connected_components(graph, directed=False)[1][group]


def _invariant(bits: np.ndarray) -> np.ndarray:
    """What is left of the bits (N, 255) whatever the orientation, float (N, 36): mirroring keeps the even frequencies,
    and turning exchanges x and y. Each differing bit adds about 1 to the squared distance."""
    square = np.concatenate([np.ones((len(bits), 1), bool), bits], axis=1).reshape(-1, LOW_FREQUENCIES, LOW_FREQUENCIES)
    even = square[:, ::2, ::2].astype(np.float32)
    rows, columns = np.triu_indices(LOW_FREQUENCIES // 2)
    both = even + even.transpose(0, 2, 1)
    return np.where(rows == columns, even[:, rows, columns], both[:, rows, columns])


@dataclass(frozen=True)
class Seen:
    """Which of N items a run has seen, and which of them are scored."""

    mask: np.ndarray
    """Seen in training or validation, bool (N,)."""
    near_duplicates: int
    """How many of them are not the same to the bit, but the same photo."""
    keep: bool
    """Whether seen items are scored all the same."""
    known: bool = True
    """False where the run has no record of its items."""
    complete: bool = True
    """False where the run started from weights of a run without a record."""

    @property
    def count(self) -> int:
        """How many items were seen."""
        return int(self.mask.sum())

    @property
    def scored(self) -> np.ndarray:
        """Which items are scored, bool (N,)."""
        return np.ones_like(self.mask) if self.keep else ~self.mask

    def sentence(self, items: str = "items") -> str:
        """What a reader must know about it; empty where nothing was seen."""
        if not self.known:
            return f"This run has no record of what it was trained on: it may have seen some of these {items}."
        counted = more = ""
        if self.count:
            near = f" ({self.near_duplicates} as near duplicates)" if self.near_duplicates else ""
            fate = "scored all the same (--seen keep)" if self.keep else "left out (--seen keep scores them)"
            counted = f"{self.count} of {len(self.mask)} {items} were in this run's training or validation set{near}; "
            counted += f"they are {fate}."
        if not self.complete:
            some = f"some{' more' if self.count else ''} of these {items}"
            more = f"This run started from weights without a record, which may have been trained on {some}."
        return " ".join(filter(None, [counted, more]))


@dataclass(frozen=True)
class Provenance:
    """The fingerprints of all items that a run was trained or validated on; None: there is no record."""

    items: Fingerprints | None
    complete: bool = True
    """False where the run started from weights of a run without a record, and so may have seen more."""

    @classmethod
    def load(cls, folder: Path) -> "Provenance":
        """The record in a run's folder; an empty one where there is none or it is damaged."""
        try:
            tensors = load_file(folder / FILE)
            perceptual = tensors.get("perceptual")
            bits = None if perceptual is None else np.unpackbits(perceptual, axis=1, count=LOW_FREQUENCIES**2 - 1) > 0
            return cls(Fingerprints(tensors["exact"], bits, tensors.get("fit")), "incomplete" not in tensors)
        except (OSError, SafetensorError, KeyError, ValueError):
            return cls(None)

    def save(self, folder: Path) -> None:
        """Write the record into a run's folder."""
        if self.items is None:
            return
        tensors = {"exact": self.items.exact}
        if self.items.perceptual is not None:
            tensors["perceptual"] = np.packbits(self.items.perceptual, axis=1)
        if self.items.fit is not None:
            tensors["fit"] = self.items.fit
        if not self.complete:
            tensors["incomplete"] = np.array([True])
        write_bytes(folder / FILE, save(tensors))

    def seen(self, items: Fingerprints, keep: bool = False) -> Seen:
        """Which of these items were seen. Where both have `fit`, only items of that fit or an earlier one count.

        Raises ValueError where all were and they are not to be kept.
        """
        if self.items is None:
            return Seen(np.zeros(len(items.exact), bool), 0, keep, known=False)
        if self.items.fit is not None and items.fit is not None:
            latest_first = np.argsort(-self.items.fit, kind="stable")  # so that the dictionary ends with the first fit
            first = dict(zip(self.items.exact[latest_first].tolist(), self.items.fit[latest_first].tolist()))
            mask = np.array([first.get(h, n + 1) <= n for h, n in zip(items.exact.tolist(), items.fit.tolist())], bool)
        else:
            mask = np.isin(items.exact, self.items.exact)
        near = np.zeros_like(mask)
        if self.items.perceptual is not None and items.perceptual is not None:
            near = ~mask & (nearest_distance(items.perceptual, self.items.perceptual) <= NEAR)
        seen = Seen(mask | near, int(near.sum()), keep, complete=self.complete)
        if len(mask) and not seen.scored.any():
            raise ValueError(
                f"all {len(mask)} items were in this run's training or validation set; --seen keep scores them anyway"
            )
        return seen


def record(folder: Path, *items: Fingerprints, earlier: Sequence[Path] = ()) -> None:
    """Write into a run's folder what it is trained and validated on, with what the runs in the folders `earlier`, whose
    weights it starts from, have seen.

    Raises ValueError where the folder has a training state and a record of other items: what the resumed run would be
    tested on may be among those it was trained on.
    """
    before = [Provenance.load(path) for path in earlier]
    known = [one.items for one in before if one.items is not None]
    complete = all(one.items is not None and one.complete for one in before)
    everything, recorded = Fingerprints.join(*items, *known), Provenance.load(folder).items
    if recorded is not None and (folder / "checkpoints").exists():
        changed = len(np.setxor1d(everything.exact, recorded.exact))
        if changed:
            raise ValueError(
                f"the data have changed since the training in {folder} was started ({changed} items are new or gone); "
                "restore them, or start a new run"
            )
    Provenance(everything, complete).save(folder)
