"""Captions -> words -> token numbers and back.

Tokenisation follows COCO's evaluation: lower case, split as in the Penn Treebank (man|'s, do|n't), no punctuation (Chen
et al. 2015; this tokeniser agrees with their Java program on 99.9 % of the captions of Flickr8k). Hyphenated words and
elisions (l'herbe) stay whole. In scripts without spaces between words (Chinese, Japanese, Thai, Lao, Burmese, Khmer)
every character is a word. Training, decoding and metrics share this tokeniser.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
SPACELESS = (  # letters of scripts without spaces: Thai, Lao, Burmese, Khmer, kana, Bopomofo, Chinese characters
    r"\u0e01-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u1780-\u17dd\u3005-\u3007\u3040-\u312f\u31a0-\u31ff"
    r"\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
MARKS = "".join(  # accents, vowel signs, viramas, without those of symbols
    chr(code)
    for code in range(0x300, 0x1F000)
    if unicodedata.category(chr(code))[0] == "M" and not (0x20D0 <= code <= 0x20FF or 0xFE00 <= code <= 0xFE0F)
)
LETTER = rf"[^\W{SPACELESS}]"


def _words(letters: str) -> re.Pattern[str]:
    """The pattern of a word. letters: the pattern of one letter."""
    clitic = rf"(?:s|m|d|re|ve|ll)(?![\w{MARKS}])"
    return re.compile(
        rf"n't\b|'{clitic}|can(?=not\b)|\w+?(?=n't\b)"  # clitics that the Treebank splits off
        r"|\d+(?:[.,:/]\d+)+"  # 1,000
        rf"|(?=\w)[{SPACELESS}][{MARKS}]*"
        rf"|{letters}+(?:(?:[-&/·־׳״]|'(?!{clitic}|clock\b)){letters}+)*"  # tri-colored, l'herbe, col·lecció
    )


LATIN = _words(r"\w")  # the same for letters below U+0300, and ten times as fast
WORD = _words(rf"(?:{LETTER}[{MARKS}]*(?:[\u200c\u200d](?={LETTER}))?)")  # with marks and an invisible joiner
SPACELESS_WORD = re.compile(f"[{SPACELESS}]")
TURKISH = re.compile("[ıİğĞ]")  # letters of Turkish and its relatives, in which the capital of i is İ
FULL_STOPS = {"CJK": "。", "HIRAGANA": "。", "KATAKANA": "。", "DEVANAGARI": "।", "BENGALI": "।", "KHMER": "។",
              "MYANMAR": "။", "THAI": "", "LAO": ""}  # fmt: skip
"""By the script, where it is not a point. Names of scripts as in the names of characters."""


def tokenize(caption: str) -> list[str]:
    """
    >>> tokenize("The man's dog doesn't like a T-shirt .")
    ['the', 'man', "'s", 'dog', 'does', "n't", 'like', 'a', 't-shirt']
    >>> tokenize("L'été, 两只狗。")
    ["l'été", '两', '只', '狗']
    """
    return [match[0] for match in _matches(_composed(caption))]


def _composed(caption: str) -> str:
    return unicodedata.normalize("NFC", caption).replace("’", "'")


def _matches(caption: str) -> list[re.Match[str]]:
    """The words of a composed caption in lower case; their positions are those of the caption."""
    pattern = LATIN if max(caption, default="") < "\u0300" else WORD
    return list(pattern.finditer(_lower(caption)))


def _lower(caption: str) -> str:
    """Lower case of the same length: İ becomes i, and in Turkish I becomes ı."""
    if TURKISH.search(caption):
        caption = caption.replace("I", "ı").replace("İ", "i")
    return caption.lower()


def spellings(captions: Iterable[str]) -> dict[str, str]:
    """How words are mostly spelt inside captions, where that is not in lower case.

    First words do not count, since their capital is that of the sentence, nor do captions in capitals.

    >>> spellings(["Ein Hund läuft .", "Der Hund schläft ."])
    {'hund': 'Hund'}
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for caption in map(_composed, captions):
        if not caption.isupper():
            for match in _matches(caption)[1:]:
                counts[match[0]][caption[match.start() : match.end()]] += 1
    common = {word: max(sorted(forms), key=lambda form: forms[form]) for word, forms in counts.items()}
    return {word: form for word, form in common.items() if form != word}


def detokenize(words: Sequence[str]) -> str:
    """
    >>> detokenize(["a", "man", "'s", "dog"])
    "A man's dog."
    >>> detokenize(["两", "只", "狗"])
    '两只狗。'
    """
    text = "".join(word if _is_joined(before, word) else f" {word}" for before, word in pairwise(["", *words])).strip()
    if not text:
        return ""
    capital = "İ" if text[0] == "i" and TURKISH.search(text) else text[0].upper()
    scripts = (unicodedata.name(character, "").split(" ")[0] for character in text)
    stop = next((FULL_STOPS[script] for script in scripts if script in FULL_STOPS), ".")
    return f"{capital}{text[1:]}{stop}"


def _is_joined(before: str, word: str) -> bool:
    """Whether no blank is written between two words."""
    return word == "n't" or word[0] == "'" or bool(SPACELESS_WORD.match(before) or SPACELESS_WORD.match(word))


@dataclass(frozen=True)
class Vocabulary:
    """The words of the network; the first four are special tokens."""

    words: list[str]
    spellings: dict[str, str] = field(default_factory=dict)
    """Words that are not written in lower case: `{"hund": "Hund"}`."""

    @classmethod
    def build(
        cls, captions: Iterable[Sequence[str]], min_count: int, spellings: dict[str, str] | None = None
    ) -> "Vocabulary":
        """Words that occur at least `min_count` times in tokenised captions, the most frequent first.

        Raises ValueError if there are none.
        """
        counts = Counter(word for caption in captions for word in caption)
        known = sorted((word for word, count in counts.items() if count >= min_count), key=lambda w: (-counts[w], w))
        if not known:
            raise ValueError(f"no word occurs {min_count} times in the training captions; lower model.min_count")
        return cls([*SPECIAL, *known], {word: form for word, form in (spellings or {}).items() if word in set(known)})

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

    def spell(self, word: str) -> str:
        """A word as it is mostly spelt: `Hund`."""
        return self.spellings.get(word, word)

    def sentence(self, words: Iterable[str]) -> str:
        """Words as a sentence: `Ein Hund läuft.`"""
        return detokenize([self.spell(word) for word in words])
