"""Small made-up questions with known answers (CheckList; Ribeiro et al. 2020): is 'not good' understood, and does what
must not matter (a typo, a name, a blank sentence) leave the answer alone?"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Answer = Callable[[list[str]], np.ndarray]
"""Texts -> class numbers (N,)."""

GOOD = ("good", "great", "wonderful", "excellent", "lovely", "reliable", "perfect", "enjoyable", "helpful", "superb")
BAD = ("bad", "terrible", "awful", "horrible", "disappointing", "useless", "poor", "boring", "annoying", "dreadful")
THINGS = ("service", "quality", "product", "story", "price", "design", "sound", "staff")
NEGATIONS = (
    ("The {0} is {1}.", "The {0} is not {1}."),
    ("I think the {0} was {1}.", "I don't think the {0} was {1}."),
    ("It is a {1} {0}.", "It is hardly a {1} {0}."),
    ("I found the {0} {1}.", "I never found the {0} {1}."),
)
NAMES = ("Anna", "Mohammed", "Ingrid", "Diego", "Wei", "Olga", "Kwame", "Priya")


@dataclass
class CheckResult:
    """One kind of question, how many were asked and what part was passed."""

    name: str
    expectation: str
    asked: int
    passed: float
    example: str


def ask(answer: Answer, texts: Sequence[str], classes: list[str], seed: int = 0, most: int = 200) -> list[CheckResult]:
    """All questions to one model; some are made of (test) texts. `answer` gives class numbers."""
    generator = np.random.default_rng(seed)
    chosen = [texts[i] for i in generator.permutation(len(texts))[:most]]
    results = []
    if {"negative", "positive"} <= set(classes):
        positive, negative = classes.index("positive"), classes.index("negative")
        praise, blame = _judgements(GOOD), _judgements(BAD)
        for name, expectation, asked, passes in (
            ("praise", "is positive", [s for s, _ in praise], lambda answers: answers == positive),
            ("blame", "is negative", [s for s, _ in blame], lambda answers: answers == negative),
            (
                "negated praise",
                "is not positive",
                [d for _, d in praise],
                lambda answers: answers != positive,
            ),
            ("negated blame", "is not negative", [d for _, d in blame], lambda answers: answers != negative),
        ):
            results.append(_result(name, expectation, asked, passes(answer(asked))))
    for name, pairs in (
        ("typo", [(text, _typo(text, generator)) for text in chosen]),
        ("another name", [tuple(f"{who} wrote: {text}" for who in _two_names(generator)) for text in chosen]),
        ("capitals", [(text, text.upper()) for text in chosen]),
        ("blank sentence", [(text, f"{text} I bought it on Tuesday.") for text in chosen]),
    ):
        same = answer([before for before, _ in pairs]) == answer([after for _, after in pairs])
        results.append(_result(name, "changes nothing", [after for _, after in pairs], same))
    return results


def _judgements(words: Sequence[str]) -> list[tuple[str, str]]:
    """Sentences that use a judging word, each with the one that denies it."""
    article = re.compile(r"\ba (?=[aeiou])")
    pairs = []
    for index, word in enumerate(words):
        for offset, (says, denies) in enumerate(NEGATIONS):
            thing = THINGS[(index + offset) % len(THINGS)]
            pairs.append((article.sub("an ", says.format(thing, word)), article.sub("an ", denies.format(thing, word))))
    return pairs


def _result(name: str, expectation: str, asked: Sequence[str], passed: np.ndarray) -> CheckResult:
    example = next((text for text, right in zip(asked, passed) if not right), asked[0])
    return CheckResult(name, expectation, len(asked), float(passed.mean()), _short(example))


def _typo(text: str, generator: np.random.Generator) -> str:
    """Two neighbouring letters of one longer word change places."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) > 4]
    if not long:
        return text
    i = long[generator.integers(len(long))]
    at = int(generator.integers(1, len(words[i]) - 2))
    words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
    return " ".join(words)


def _two_names(generator: np.random.Generator) -> list[str]:
    return [NAMES[i] for i in generator.permutation(len(NAMES))[:2]]


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
