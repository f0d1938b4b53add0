"""Clauses and words: the parts of a review that have one sentiment, and stems that join `freezes` and `freezing`."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

SENTENCE = re.compile(r"(?<=[.!?;])\s+")
CONCESSION = r"(?:but|although|though|albeit|while|even if|if)"
BUT = r"(?<!\ball )(?<!\bnothing )(?<!\banything )but"  # 'nothing but kind' is one statement
YET = r"(?<!\bnot )(?<!n't )(?<!\bas )yet(?! to\b)"  # 'has not yet failed', too
CLAUSE = re.compile(rf",?\s+(?:{BUT}|although|though|however|even if|still,|{YET}),?\s+", re.IGNORECASE)
VERB = (
    r"(?:is|are|was|were|isn't|aren't|wasn't|weren't|has|have|had|does|do|did|will|would|can|could|won't|doesn't|don't|"
    r"didn't|can't|(?!this|its|less|yes|plus|thus|as\b|us\b)[a-z]{2,}(?:s|ed))"
)
INSERTED = re.compile(rf"^((?:[^\s,]+ ){{0,4}}[^\s,]+),? {CONCESSION} ([^,.!?;]{{3,60}}), ({VERB}\b.*)$", re.IGNORECASE)
"""'the service, although friendly, was slow': a concession between a subject of at most five words and its verb."""
HAS_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had|it's|i|we|they)\b|n't\b", re.IGNORECASE)
WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


def clauses_of(text: str) -> list[str]:
    """Sentences, split where the sentiment may change: at 'but', 'although', ';'. A subject stays with its verb.

    >>> clauses_of("The service, although friendly, was slow.")
    ['The service … was slow.', 'The service … friendly']
    """
    pieces = []
    for sentence in SENTENCE.split(text):
        inserted = INSERTED.match(sentence)
        if inserted and not HAS_VERB.search(inserted[1]):
            subject, concession, rest = inserted.groups()
            pieces += [f"{subject} … {rest}", f"{subject} … {concession}"]
        else:
            pieces += [piece.strip(" ,") for piece in CLAUSE.split(sentence) if piece]
    return [piece for piece in pieces if len(piece.split()) >= 2]


def sentences_of(texts: Sequence[str], most: int, seed: int = 0) -> list[str]:
    """At most this number of different sentences of longer texts, chosen at random.

    >>> sorted(sentences_of(["It broke after a week. They sent a new one!", "It works."], most=5))
    ['It broke after a week.', 'They sent a new one!']
    """
    split = (SENTENCE.split(text) for text in texts) if most else ()
    found = list(dict.fromkeys(part for parts in split if len(parts) > 1 for part in parts))
    return [found[number] for number in np.random.default_rng(seed).permutation(len(found))[:most]]


def words_in(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.removesuffix("'s") for word in WORD.findall(text.lower().replace("’", "'"))]


def stem(word: str) -> str:
    """A word without its inflection (steps 1 and 5 of Porter 1980).

    >>> [stem(word) for word in ("batteries", "battery", "freezes", "freezing", "stopped", "service")]
    ['batteri', 'batteri', 'freez', 'freez', 'stop', 'servic']
    """
    if len(word) > 3:
        if word.endswith("ies"):
            word = f"{word[:-3]}y"
        elif re.search("(?:ss|x|ch|sh|z)es$", word):
            word = word[:-2]
        elif re.search("[^sui]s$", word):
            word = word[:-1]
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= 3 and re.search("[aeiouy]", rest):
            doubled = len(rest) > 3 and rest[-1] == rest[-2] and rest[-1] not in "lsz"
            word = rest[:-1] if doubled else rest
            break
    if len(word) > 3:
        word = word.removesuffix("e")
    return f"{word[:-1]}i" if len(word) > 3 and word.endswith("y") else word


def stems_in(text: str) -> list[str]:
    """The stems of the words of a text, in their order."""
    return [stem(word) for word in words_in(text)]


def content_words(text: str) -> Iterator[str]:
    """The words of a text that may be a topic: of at least three letters, no stop words."""
    return (w for w in words_in(text) if len(w) > 2 and w[0].isalpha() and w not in ENGLISH_STOP_WORDS)
