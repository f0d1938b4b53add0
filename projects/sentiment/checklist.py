"""Behavioural tests with known answers (CheckList; Ribeiro et al. 2020): is 'not good' understood, and is the
prediction invariant to a typo, a name or a neutral sentence?"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Classify = Callable[[list[str]], np.ndarray]
"""Texts -> predicted class numbers (N,)."""

POSITIVE = (
    "good", "great", "wonderful", "excellent", "lovely", "reliable", "perfect", "enjoyable", "helpful", "superb",
)  # fmt: skip
NEGATIVE = (
    "bad", "terrible", "awful", "horrible", "disappointing", "useless", "poor", "boring", "annoying", "dreadful",
)  # fmt: skip
NOUNS = ("service", "quality", "product", "story", "price", "design", "sound", "staff")
TEMPLATES = (  # plain, negated
    ("The {0} is {1}.", "The {0} is not {1}."),
    ("I think the {0} was {1}.", "I don't think the {0} was {1}."),
    ("It is a {1} {0}.", "It is hardly a {1} {0}."),
    ("I found the {0} {1}.", "I never found the {0} {1}."),
)
IDIOMS = (  # praise and criticism in words that alone would mean the opposite, or nothing
    ("I never had a problem with it.", "I never liked it."),
    ("No problems ever.", "No help at all."),
    ("I couldn't agree more with the good reviews.", "I couldn't disagree more with the good reviews."),
    ("It isn't a bad idea.", "It isn't a good idea."),
    ("It is not bad at all.", "It is not good at all."),
    ("There is no bad smell.", "There is no good reason to buy it."),
    ("All things are resolved now.", "Nothing was ever resolved."),
    ("I can't complain.", "I can't stop complaining."),
    ("I have nothing bad to say.", "I have nothing good to say."),
    ("It never let me down.", "It let me down again."),
    ("I couldn't be happier.", "I couldn't be less happy."),
    ("You can't go wrong with it.", "Everything that can go wrong went wrong."),
    ("I can't get enough of it.", "I have had enough of it."),
    ("It could not be better.", "It could have been better."),
    ("It is second to none.", "It is second best at most."),
    ("It works without any trouble.", "It works only with a lot of trouble."),
    ("It is worth every penny.", "It is not worth a penny."),
    ("I would buy it again without hesitation.", "I would never buy it again."),
    ("My doubts were wrong.", "My doubts were right."),
    ("I was afraid it would be cheap, but it is not.", "I hoped it would be solid, but it is not."),
    ("It broke once, and they fixed it for free.", "It broke once, and they did nothing."),
    ("It is hard to find a fault.", "It is hard to find anything good."),
    ("Far from disappointing.", "Far from perfect."),
    ("Nothing beats it.", "Anything beats it."),
    ("It does what it says.", "It does not do what it says."),
    ("They went out of their way to help.", "They did not lift a finger to help."),
    ("It exceeded my expectations.", "It fell short of my expectations."),
    ("I have no regrets.", "I regret it."),
    ("It stopped the noise at once.", "It stopped working at once."),
    ("The pain is gone.", "The money is gone."),
)
NAMES = ("Anna", "Mohammed", "Ingrid", "Diego", "Wei", "Olga", "Kwame", "Priya")


@dataclass
class CheckResult:
    """One behavioural test: number of cases, and the fraction that passed."""

    name: str
    expectation: str
    cases: int
    passed: float
    example: str
    """A case that failed, if any did."""


def run_checks(
    classify: Classify, texts: Sequence[str], classes: list[str], seed: int = 0, max_texts: int = 200
) -> list[CheckResult]:
    """All tests of one model. The invariance tests change at most `max_texts` of the texts."""
    generator = np.random.default_rng(seed)
    chosen = [texts[i] for i in generator.permutation(len(texts))[:max_texts]]
    results = []
    if {"negative", "positive"} <= set(classes):  # minimum functionality tests
        positive, negative = classes.index("positive"), classes.index("negative")
        praise, criticism = _sentences(POSITIVE), _sentences(NEGATIVE)
        for name, expectation, cases, passes in (
            ("praise", "is positive", [s for s, _ in praise], lambda predicted: predicted == positive),
            ("criticism", "is negative", [s for s, _ in criticism], lambda predicted: predicted == negative),
            ("negated praise", "is not positive", [s for _, s in praise], lambda predicted: predicted != positive),
            (
                "negated criticism",
                "is not negative",
                [s for _, s in criticism],
                lambda predicted: predicted != negative,
            ),
            ("idioms of praise", "is positive", [s for s, _ in IDIOMS], lambda predicted: predicted == positive),
            ("idioms of criticism", "is negative", [s for _, s in IDIOMS], lambda predicted: predicted == negative),
        ):
            results.append(_result(name, expectation, cases, passes(classify(cases))))
    for name, pairs in (  # invariance tests
        ("typo", [(text, _typo(text, generator)) for text in chosen]),
        ("another name", [tuple(f"{who} wrote: {text}" for who in _two_names(generator)) for text in chosen]),
        ("capitals", [(text, text.upper()) for text in chosen]),
        ("neutral sentence added", [(text, f"{text} I bought it on Tuesday.") for text in chosen]),
    ):
        same = classify([before for before, _ in pairs]) == classify([after for _, after in pairs])
        results.append(_result(name, "changes nothing", [after for _, after in pairs], same))
    return results


def _sentences(adjectives: Sequence[str]) -> list[tuple[str, str]]:
    """Sentences with every adjective, each with its negation."""
    article = re.compile(r"\ba (?=[aeiou])")
    pairs = []
    for index, adjective in enumerate(adjectives):
        for offset, (plain, negated) in enumerate(TEMPLATES):
            noun = NOUNS[(index + offset) % len(NOUNS)]
            first, second = (article.sub("an ", template.format(noun, adjective)) for template in (plain, negated))
            pairs.append((first, second))
    return pairs


def _result(name: str, expectation: str, cases: Sequence[str], passed: np.ndarray) -> CheckResult:
    example = next((text for text, correct in zip(cases, passed) if not correct), cases[0])
    return CheckResult(name, expectation, len(cases), float(passed.mean()), _short(example))


def _typo(text: str, generator: np.random.Generator) -> str:
    """The text with two neighbouring letters of a longer word swapped."""
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


def _short(text: str, max_length: int = 90) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
