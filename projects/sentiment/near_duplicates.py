"""The same text twice: exact repeats, reviews posted again with a few changes, phrases cut out of one sentence."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from shared.data import splits

RUN = 5  # words; two texts that share a run of five words have more than a turn of phrase in common


def words_of(text: str) -> list[str]:
    """The words of a text without case and punctuation."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def runs_of(text: str) -> set[int]:
    """The five-word runs of a text, as hashes; a shorter text is one run."""
    words = words_of(text) or [text]
    return {_number(" ".join(words[i : i + RUN])) for i in range(max(1, len(words) - RUN + 1))}


def _number(run: str) -> int:
    """64 bits of a hash that is the same in every process, as Python's own is not."""
    return int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big")


def near_duplicates(texts: Sequence[str], parts: np.ndarray, share: float) -> np.ndarray:
    """Training texts of which at least `share` of the five-word runs occur in one held-back text, bool (N,).

    Where held-back texts are alike, those of the validation give way to those of the test.
    """
    found = np.zeros(len(texts), bool)
    holders: dict[int, list[int]] = {}  # five-word run -> the held-back texts that have it
    for part in (splits.TEST, splits.VALIDATION, splits.TRAIN):
        members = {int(index): runs_of(texts[index]) for index in np.flatnonzero(parts == part)}
        for index, own in members.items():
            shared = Counter(holder for run in own for holder in holders.get(run, ()))
            found[index] = bool(shared) and max(shared.values()) >= share * len(own)
        for index, own in members.items():
            for run in own if part != splits.TRAIN and not found[index] else ():
                holders.setdefault(run, []).append(index)
    return found


def phrase_families(texts: Sequence[str]) -> list[int]:
    """A number for each text, the same for the texts that were cut out of one longer text among them.

    A text shorter than five words is at home with its repeats only.
    """
    family = list(range(len(texts)))
    holder: dict[int, int] = {}
    for index in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
        own = runs_of(texts[index])
        longer = Counter(holder[piece] for piece in own if piece in holder)
        if longer and max(longer.values()) >= 0.5 * len(own):
            family[index] = longer.most_common(1)[0][0]
        for piece in own:
            holder.setdefault(piece, family[index])
    return family
