"""Near duplicates: repeated texts, reviews posted again with small changes, phrases taken from one sentence.

A near duplicate of a test text in the training set is data leakage. Texts are compared by their five-word sequences
(5-grams, or shingles; Broder 1997).
"""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from shared.data import splits

N = 5  # words; two texts rarely share a 5-gram by chance


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


def ngrams_of(text: str) -> set[int]:
    """Hashes of the 5-grams of a text; a shorter text counts as one."""
    words = words_of(text) or [text]
    return {_hash(" ".join(words[i : i + N])) for i in range(max(1, len(words) - N + 1))}


def _hash(ngram: str) -> int:
    """A 64-bit hash that is the same in every process, unlike Python's own."""
    return int.from_bytes(blake2b(ngram.encode(), digest_size=8).digest(), "big")


def near_duplicates(texts: Sequence[str], parts: np.ndarray, max_overlap: float) -> np.ndarray:
    """Texts to be left out because at least `max_overlap` of their 5-grams occur in one text of a held-out set:
    training texts near validation or test texts, validation texts near test texts. Bool (N,)."""
    found = np.zeros(len(texts), bool)
    holders: dict[int, list[int]] = {}  # 5-gram -> the validation and test texts that contain it
    for part in (splits.TEST, splits.VALIDATION, splits.TRAIN):
        members = {index: ngrams_of(texts[index]) for index in np.flatnonzero(parts == part).tolist()}
        for index, own in members.items():
            shared = Counter(holder for ngram in own for holder in holders.get(ngram, ()))
            found[index] = bool(shared) and max(shared.values()) >= max_overlap * len(own)
        for index, own in members.items():
            for ngram in own if part != splits.TRAIN and not found[index] else ():
                holders.setdefault(ngram, []).append(index)
    return found


def phrase_families(texts: Sequence[str]) -> list[int]:
    """A group number for each text, the same for all phrases of one longer text among them.

    A text shorter than five words shares a group only with exact duplicates.
    """
    family = list(range(len(texts)))
    holder: dict[int, int] = {}
    for index in sorted(range(len(texts)), key=lambda i: -len(texts[i])):
        own = ngrams_of(texts[index])
        longer = Counter(holder[ngram] for ngram in own if ngram in holder)
        if longer and max(longer.values()) >= 0.5 * len(own):
            family[index] = longer.most_common(1)[0][0]
        for ngram in own:
            holder.setdefault(ngram, family[index])
    return family
