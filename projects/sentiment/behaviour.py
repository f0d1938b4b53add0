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
class Behaviour:
    """One kind of question, how many were asked and what part was passed."""

    name: str
    expectation: str
    asked: int
    passed: float
    example: str


def ask(answer: Answer, texts: Sequence[str], classes: list[str], seed: int = 0, most: int = 200) -> list[Behaviour]:
    """All questions to one model; some are made of (test) texts. `answer` gives class numbers."""
    generator = np.random.default_rng(seed)
    chosen = [texts[i] for i in generator.permutation(len(texts))[:most]]
    results = []
    if {"negative", "positive"} <= set(classes):
        results += _judgements(answer, classes.index("positive"), classes.index("negative"))
    for name, change in (
        ("typo", lambda text: _typo(text, generator)),
        ("name", lambda text: f"{NAMES[generator.integers(len(NAMES))]} wrote: {text}"),
        ("capitals", str.upper),
        ("blank sentence", lambda text: f"{text} I bought it on Tuesday."),
    ):
        pairs = [(text, change(text)) for text in chosen]
        same = answer([a for a, _ in pairs]) == answer([b for _, b in pairs])
        worst = next((b for (_, b), kept in zip(pairs, same) if not kept), pairs[0][1])
        results.append(Behaviour(name, "changes nothing", len(pairs), float(same.mean()), _short(worst)))
    return results


def _judgements(answer: Answer, positive: int, negative: int) -> list[Behaviour]:
    """Plain judgements, and the same ones negated: the answer must turn round."""
    plain, negated, targets = [], [], []
    for words, target in ((GOOD, positive), (BAD, negative)):
        for index, word in enumerate(words):
            for offset, (says, denies) in enumerate(NEGATIONS):
                thing = THINGS[(index + offset) % len(THINGS)]
                article = re.compile(r"\ba (?=[aeiou])")
                plain.append(article.sub("an ", says.format(thing, word)))
                negated.append(article.sub("an ", denies.format(thing, word)))
                targets.append(target)
    truth = np.array(targets)
    told, denied = answer(plain), answer(negated)
    results = []
    for name, expectation, texts, right in (
        ("judgement", "is understood", plain, told == truth),
        ("negated praise", "is not positive", negated, (denied != positive)[truth == positive]),
        ("negated blame", "is not negative", negated, (denied != negative)[truth == negative]),
    ):
        members = (
            texts
            if name == "judgement"
            else [t for t, target in zip(texts, truth) if (target == positive) == (name == "negated praise")]
        )
        worst = next((text for text, passed in zip(members, right) if not passed), members[0])
        results.append(Behaviour(name, expectation, len(members), float(right.mean()), worst))
    return results


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


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
