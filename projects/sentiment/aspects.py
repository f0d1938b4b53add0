"""Product features: the parts and qualities of a product that reviews praise or complain about.

Frequent nouns as in Hu & Liu 2004 (Mining and Summarizing Customer Reviews), without a part-of-speech tagger: a noun is
a word between a determiner ('the', 'my', 'this') and a verb, a preposition or the end of the clause. The sentiment
towards a feature is that of the clause, or of the feature itself if the run was trained on aspects.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from projects.sentiment.predictor import Predictor

BEFORE = frozenset(
    "the a an this that these those its it's my our your their his her no any some great good bad poor".split()
)
AFTER = frozenset(
    "is are was were has have had does do did will would can could works worked looks looked feels felt sounds seems "
    "and or but of for in on at with to from as that which because when while if so than after before".split()
)
VAGUE = frozenset(
    "thing things one ones way time times lot bit day days week weeks month months year years people person someone "
    "everyone anyone something anything nothing everything reason problem problems issue issues fact end point part "
    "first second next last same other others review reviews reviewer reviewers star stars amazon item items product "
    "products use used using best better worst worse only rest kind sort couple number job case matter idea money "
    "hope wife husband son daughter mother father brother sister friend friends today yesterday tuesday".split()
)
NO_NOUNS = ENGLISH_STOP_WORDS | VAGUE | AFTER | BEFORE
THRESHOLD = 0.7  # a clause with a smaller probability is neither praise nor complaint
SENTENCE = re.compile(r"(?<=[.!?;])\s+")
CLAUSE = re.compile(r",?\s+(?:but|although|though|however|even if|still,)\s+", re.IGNORECASE)
INSERTED = re.compile(
    r"^([^,]+), (?:but|although|though|even if) ([^,.!?;]+), "
    r"((?:is|are|was|were|has|have|had|does|do|did|will|would|can|could|works?|worked|looks?|looked|feels?|felt|sounds?|seems?)\b.*)$",
    re.IGNORECASE,
)
"""'the service, although friendly, was slow': a concession between a subject and its verb."""
WORD = re.compile(r"[a-z](?:[a-z'-]*[a-z])?|[^\sa-z]")


@dataclass
class Feature:
    """A product feature, and the clauses that mention it."""

    name: str
    praise: list[tuple[int, str]] = field(default_factory=list)
    """Review numbers and clauses, the most confident first."""
    complaints: list[tuple[int, str]] = field(default_factory=list)
    neutral: int = 0


def clauses_of(text: str) -> list[str]:
    """Sentences, split where the sentiment may change: at 'but', 'although', ';'. A subject stays with its verb.

    >>> clauses_of("The service, although friendly, was slow.")
    ['The service … was slow.', 'The service … friendly']
    """
    pieces = []
    for sentence in SENTENCE.split(text):
        if inserted := INSERTED.match(sentence):
            subject, concession, rest = inserted.groups()
            pieces += [f"{subject} … {rest}", f"{subject} … {concession}"]
        else:
            pieces += [piece.strip(" ,") for piece in CLAUSE.split(sentence) if piece]
    return [piece for piece in pieces if len(piece.split()) >= 2]


def nouns(clauses: Sequence[str], min_count: int) -> list[str]:
    """Nouns and pairs of nouns that occur in at least `min_count` clauses, the most frequent first."""
    everywhere, as_noun = Counter(), Counter()
    for clause in clauses:
        words = WORD.findall(clause.lower())
        found, placed = set(), set()  # all phrases; phrases in the position of a noun
        for start in range(len(words)):
            for length in (1, 2):
                phrase = words[start : start + length]
                if len(phrase) < length or not all(_may_be_noun(word) for word in phrase):
                    continue
                found.add(" ".join(phrase))
                before = words[start - 1] if start else ""
                after = words[start + length] if start + length < len(words) else "."
                if before in BEFORE and (after in AFTER or not after[0].isalpha()):
                    placed.add(" ".join(phrase))
        everywhere.update(found)
        as_noun.update(placed)
    named = {n: c for n, c in everywhere.items() if c >= min_count and as_noun[n] >= max(2, 0.12 * c)}
    # a word that mostly occurs in one pair ('customer' in 'customer service') is not a separate feature
    part_of_pair = {
        word for pair, c in named.items() if " " in pair for word in pair.split() if c > 0.6 * everywhere[word]
    }
    return sorted((n for n in named if n not in part_of_pair), key=lambda n: -named[n])


def find_features(predictor: Predictor, texts: Sequence[str], count: int) -> list[Feature]:
    """The `count` most mentioned features of all texts, with praise and complaints. Needs the classes negative and
    positive."""
    clauses = [(row, clause) for row, text in enumerate(texts) for clause in clauses_of(text)]
    names = nouns([clause for _, clause in clauses], min_count=max(3, len(texts) // 200))[: 2 * count]
    patterns = {name: re.compile(rf"\b{re.escape(name)}s?\b", re.IGNORECASE) for name in names}
    mentions = [(name, row, clause) for row, clause in clauses for name in names if patterns[name].search(clause)]
    if not mentions:
        return []
    aspects = [name for name, _, _ in mentions] if predictor.needs_aspects else None
    probabilities = predictor.forward([clause for _, _, clause in mentions], aspects).softmax(dim=1)
    positive, negative = (probabilities[:, predictor.classes.index(c)].tolist() for c in ("positive", "negative"))
    features: dict[str, Feature] = {name: Feature(name) for name in names}
    most_confident = sorted(range(len(mentions)), key=lambda i: -max(positive[i], negative[i]))
    seen: dict[str, set[int]] = defaultdict(set)
    for i in most_confident:
        name, row, clause = mentions[i]
        if row in seen[name]:  # a review counts only once for each feature
            continue
        seen[name].add(row)
        if positive[i] >= THRESHOLD:
            features[name].praise.append((row, clause))
        elif negative[i] >= THRESHOLD:
            features[name].complaints.append((row, clause))
        else:
            features[name].neutral += 1
    return sorted(features.values(), key=lambda f: -(len(f.praise) + len(f.complaints)))[:count]


def _may_be_noun(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word not in NO_NOUNS
