"""Topics: what reviews talk about. Words that mean the same thing are one topic; topics can be named by the user.

The words of the clauses that may be topics are clustered (average linkage) by the vectors of `topic_words`. A clause
belongs to the topics whose words it has.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.feature_extraction.text import TfidfVectorizer

from projects.sentiment.clauses import content_words, stem, stems_in
from projects.sentiment.topic_words import VAGUE, Encoder, Vocabulary, probabilities_and_vectors
from shared.config import read_yaml
from shared.data.encodings import decode, lines_of, read_bytes

DISTANCE = 0.8  # cosine; words that are farther apart are in different topics
LATENT_DISTANCE = 0.4  # the same without the encoder
MIN_PROBABILITY = 0.38  # that a word is a topic; rarer ones only describe
MIN_COUNT = 3  # clauses with a word
MIN_KIND = 100  # reviews of products of one kind; with fewer they share their topics with others
KIND_DISTANCE = 0.55  # cosine distance of the words of two products, from which on they are of different kinds
MAY_BE_TOPICS = frozenset("amazon item items money product products use used using unit end part parts".split())
PAIR = 0.5  # fraction of a word's clauses with one pair, from which on the pair is the name: customer service


@dataclass(frozen=True)
class Topic:
    """Words that stand for one topic, the most typical first."""

    name: str
    words: tuple[str, ...]
    kind: str = ""
    """The products that it belongs to, '' for all."""
    is_given: bool = False
    """Whether the user named it."""

    @property
    def keys(self) -> frozenset[str]:
        """The stems of its words; a phrase is several stems."""
        return frozenset(" ".join(stems_in(word)) for word in self.words)


def find_topics(
    clauses: Sequence[str], count: int, encoder: Encoder | None, given: Sequence[Topic] = (), kind: str = ""
) -> list[Topic]:
    """The `count` most mentioned topics of these clauses, without the words of the `given` ones."""
    vocabulary, taken = Vocabulary.of(clauses), {key for topic in given for key in topic.keys}
    taken |= {stem(word) for word in VAGUE - MAY_BE_TOPICS}
    keys = [key for key in vocabulary.frequent(max(MIN_COUNT, len(clauses) // 2000)) if key not in taken]
    if len(keys) < 2:
        return []
    probabilities, vectors = probabilities_and_vectors(vocabulary, keys, clauses, encoder)
    kept = np.flatnonzero(probabilities > MIN_PROBABILITY)
    if not len(kept):
        return []
    weights = np.array([vocabulary.counts[key] for key in keys]) * probabilities
    distance = DISTANCE if encoder else LATENT_DISTANCE
    linked = linkage(vectors[kept], "average", metric="cosine") if len(kept) > 1 else None
    numbers = fcluster(linked, distance, "distance") if linked is not None else [1]
    clusters: dict[int, list[int]] = defaultdict(list)
    for number, place in sorted(zip(numbers, kept.tolist()), key=lambda pair: -weights[pair[1]]):
        clusters[number].append(place)
    largest = sorted(clusters.values(), key=lambda places: -weights[places].sum())[:count]
    named = [[vocabulary.form(keys[place]) for place in places] for places in largest]
    return [Topic(_name(words[0], vocabulary), tuple(words), kind) for words in named]


def _name(word: str, vocabulary: Vocabulary) -> str:
    """The word, or the pair of words in which it mostly occurs."""
    pairs = {pair: n for pair, n in vocabulary.pairs.items() if word in pair}
    pair = max(pairs, key=lambda pair: pairs[pair], default=(word,))
    return " ".join(pair) if pairs and pairs[pair] > PAIR * vocabulary.counts[stem(word)] else word


def read_topics(value: str) -> list[Topic]:
    """Topics that the user names: `delivery: courier, shipping; price`, or a file with a line or an entry for each. The
    name is one of the words.

    Raises ValueError or FileNotFoundError with one sentence.
    """
    path, found = Path(value), {}
    if path.suffix.lower() in (".yaml", ".yml"):
        for name, words in read_yaml(path).items():
            found[str(name)] = [str(word) for word in words] if isinstance(words, list) else str(words or "").split(",")
    else:
        is_file = path.suffix.lower() == ".txt"
        for line in lines_of(decode(read_bytes(path), path)) if is_file else value.split(";"):
            name, _, words = line.partition(":")
            if line.strip():
                found[name.strip()] = words.split(",")
    topics = []
    for name, words in found.items():
        listed = tuple(dict.fromkeys([name, *(word.strip() for word in words if word.strip())]))
        if not name or not all(stems_in(word) for word in listed):
            raise ValueError(f"--topics: a topic is a name and its words, 'delivery: courier, shipping', not {name!r}")
        topics.append(Topic(name, listed, is_given=True))
    return topics


def mentions(
    topics: Sequence[Topic], clauses: Sequence[tuple[int, str]], kinds: Sequence[str] | None
) -> list[list[int]]:
    """The numbers of the topics that each clause mentions. clauses: review number and text; kinds: of each review."""
    by_stem, phrases = defaultdict(set), defaultdict(set)
    for number, topic in enumerate(topics):
        for key in topic.keys:
            (phrases if " " in key else by_stem)[key].add(number)
    found = []
    for row, clause in clauses:
        stems = stems_in(clause)
        numbers = set().union(*(by_stem[key] for key in stems if key in by_stem))
        joined = f" {' '.join(stems)} "
        numbers |= set().union(*(phrases[key] for key in phrases if f" {key} " in joined))
        found.append(sorted(n for n in numbers if not topics[n].kind or (kinds and topics[n].kind == kinds[row])))
    return found


def kinds_of(
    texts: Sequence[str], products: Sequence[str] | None, categories: Sequence[str] | None, most: int = 8
) -> list[str] | None:
    """The kind of product of each review: its category, or products with similar words. None where there is only one.

    Kinds with fewer than `MIN_KIND` reviews are 'other products', as are all after the first `most`.
    """
    if categories is None and products is None:
        return None
    names = list(categories) if categories is not None else _by_words(texts, products or [])
    common = {name for name, n in Counter(filter(None, names)).most_common(most) if n >= MIN_KIND}
    if len(common) < 2:
        return None
    return [name if name in common else "other products" for name in names]


def _by_words(texts: Sequence[str], products: Sequence[str]) -> list[str]:
    """The names of the products that are described with similar words, for each review."""
    common = [name for name, n in Counter(filter(None, products)).most_common(40) if n >= MIN_KIND]
    if len(common) < 2:
        return [""] * len(texts)
    joined = [" ".join(text for text, name in zip(texts, products) if name == product) for product in common]
    analyzer = TfidfVectorizer(
        analyzer=lambda text: [stem(w) for w in content_words(text) if w not in VAGUE], min_df=2, sublinear_tf=True
    )
    try:
        table = analyzer.fit_transform(joined).toarray()
    except ValueError:  # no word of two products
        table = np.eye(len(common))
    table = np.hstack([table, np.diag(~table.any(axis=1)).astype(float)])  # without common words: like no other
    numbers = fcluster(linkage(table, "average", metric="cosine"), KIND_DISTANCE, "distance")
    kinds = {n: " · ".join(name for name, m in zip(common, numbers) if m == n) for n in set(numbers)}
    kind_of = {name: kinds[number] for name, number in zip(common, numbers)}
    return [kind_of.get(name, "") for name in products]
