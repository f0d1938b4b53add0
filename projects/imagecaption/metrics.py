"""BLEU, ROUGE-L and CIDEr-D as COCO's evaluation computes them, on tokenized captions (see vocabulary.py).

Each photo has one hypothesis (a list of words) and several references. The tests compare with pycocoevalcap.
"""

import math
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

Words = Sequence[str]
References = Sequence[Sequence[Words]]


def ngrams(words: Words, n: int) -> Counter[tuple[str, ...]]:
    """Counts of all n-grams."""
    return Counter(zip(*(words[start:] for start in range(n))))


def bleu(hypotheses: Sequence[Words], references: References) -> dict[str, float]:
    """bleu1 .. bleu4 of the whole corpus, in percent (Papineni et al. 2002), with the closest reference length."""
    matches, possible = np.zeros(4), np.zeros(4)
    length = reference_length = 0
    for words, several in zip(hypotheses, references):
        length += len(words)
        reference_length += min((abs(len(r) - len(words)), len(r)) for r in several)[1]
        for n in range(1, 5):
            allowed: Counter[tuple[str, ...]] = Counter()
            for reference in several:
                allowed |= ngrams(reference, n)
            matches[n - 1] += (ngrams(words, n) & allowed).total()
            possible[n - 1] += max(0, len(words) - n + 1)
    precision = (matches + 1e-15) / (possible + 1e-9)
    brevity = min(1.0, math.exp(1 - reference_length / length)) if length else 0.0
    geometric = np.exp(np.cumsum(np.log(precision)) / np.arange(1, 5))
    return {f"bleu{n}": 100 * brevity * float(value) for n, value in enumerate(geometric, 1)}


def rouge_l(hypotheses: Sequence[Words], references: References, beta: float = 1.2) -> np.ndarray:
    """F measure of the longest common subsequence for each photo, (N,) in percent (Lin 2004; as in COCO, from the
    highest precision and the highest recall over the references)."""
    scores = np.zeros(len(hypotheses))
    for row, (words, several) in enumerate(zip(hypotheses, references)):
        if not words:
            continue
        common = [_common_subsequence(words, reference) for reference in several]
        precision = max(common) / len(words)
        recall = max(c / len(r) for c, r in zip(common, several) if r)
        if precision and recall:
            scores[row] = 100 * (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    return scores


def _common_subsequence(a: Words, b: Words) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], diagonal + 1 if word == other else max(row[j], row[j - 1])
    return row[-1]


class Cider:
    """CIDEr-D (Vedantam et al. 2015): TF-IDF cosine similarity of n-grams with those of the references.

    The document frequency of an n-gram is counted over the references of all photos, so scores on different corpora are
    not comparable. The references are preprocessed once.
    """

    SIGMA = 6.0

    def __init__(self, references: References) -> None:
        counts = [[[ngrams(words, n) for n in range(1, 5)] for words in several] for several in references]
        self.frequency = Counter(
            gram for several in counts for gram in {g for one in several for grams in one for g in grams}
        )
        self.log_photos = math.log(max(len(references), 1))
        self.references = [[self._vector(one) for one in several] for several in counts]

    def _vector(self, counts: list[Counter[tuple[str, ...]]]) -> tuple[list[dict], list[float], int]:
        """TF-IDF weights for n = 1 .. 4, their norms, and the length, which COCO counts in bigrams."""
        weights = [
            {g: times * (self.log_photos - math.log(max(1, self.frequency.get(g, 0)))) for g, times in grams.items()}
            for grams in counts
        ]
        norms = [math.sqrt(sum(w * w for w in of_n.values())) for of_n in weights]
        return weights, norms, counts[1].total()

    def __call__(self, hypotheses: Sequence[Words], rows: Sequence[int] | None = None) -> np.ndarray:
        """The score of each hypothesis (N,), against the references of the photos `rows` (default: all in order)."""
        rows = range(len(hypotheses)) if rows is None else rows
        return np.array([self._score(words, self.references[row]) for words, row in zip(hypotheses, rows)])

    def _score(self, words: Words, references: list[tuple[list[dict], list[float], int]]) -> float:
        weights, norms, length = self._vector([ngrams(words, n) for n in range(1, 5)])
        total = 0.0
        for theirs, their_norms, their_length in references:
            penalty = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
            for n in range(4):
                if norms[n] and their_norms[n]:
                    other = theirs[n]
                    # clipped: repeating a word more often than the reference does not raise the score
                    shared = sum(min(w, other[g]) * other[g] for g, w in weights[n].items() if g in other)
                    total += penalty * shared / (norms[n] * their_norms[n])
        return 10 * total / 4 / max(len(references), 1)


def caption_metrics(
    hypotheses: Sequence[Words], references: References, cider: Cider | None = None
) -> dict[str, float]:
    """cider (1 where some papers write 100), bleu1 .. bleu4 and rouge_l in percent, of the whole corpus."""
    return {
        "cider": float((cider or Cider(references))(hypotheses).mean()),
        **bleu(hypotheses, references),
        "rouge_l": float(rouge_l(hypotheses, references).mean()),
    }


def diversity(hypotheses: Sequence[Words]) -> dict[str, float]:
    """Fraction of distinct captions, number of distinct words, mean length in words."""
    return {
        "distinct": len({tuple(words) for words in hypotheses}) / max(len(hypotheses), 1),
        "vocabulary": float(len({word for words in hypotheses for word in words})),
        "length": float(np.mean([len(words) for words in hypotheses])) if hypotheses else 0.0,
    }


def meteor(hypotheses: Sequence[Words], references: References) -> float | None:
    """METEOR 1.5 in percent (Denkowski & Lavie 2014), or None where Java or pycocoevalcap is missing."""
    if not shutil.which("java") or find_spec("pycocoevalcap") is None:
        return None
    from pycocoevalcap.meteor.meteor import Meteor

    scorer = Meteor()
    try:
        truth = {row: [" ".join(words) for words in several] for row, several in enumerate(references)}
        answers = {row: [" ".join(words)] for row, words in enumerate(hypotheses)}
        return 100 * float(scorer.compute_score(truth, answers)[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    finally:
        scorer.meteor_p.kill()
