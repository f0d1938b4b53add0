"""Baselines: one caption for all photos, and the caption of the most similar training photo.

The human baseline is one person's caption, scored against the captions of the others.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from projects.imagecaption.metrics import Cider, References, Words, ngrams

CANDIDATES, SCORED_ON = 100, 300


def constant_caption(references: References) -> list[str]:
    """The caption with the highest mean CIDEr among the 100 training captions with the most frequent bigrams.

    Short captions are excluded: they would consist of frequent bigrams such as `in the` alone.
    """
    pairs = Counter(pair for several in references for pair in {p for words in several for p in ngrams(words, 2)})
    shortest = max(2, min(6, int(np.median([len(words) for several in references for words in several]))))

    def bigram_frequency(words: Words) -> float:
        return float(np.mean([pairs[p] for p in ngrams(words, 2)])) if len(words) >= shortest else 0.0

    distinct = sorted({tuple(words) for several in references for words in several})
    candidates = sorted(distinct, key=lambda words: (-bigram_frequency(words), words))[:CANDIDATES]
    rows = np.linspace(0, len(references) - 1, min(SCORED_ON, len(references))).astype(int)
    scorer = Cider([references[row] for row in rows])
    return list(max(candidates, key=lambda words: scorer([words] * len(rows)).mean()))


def consensus_captions(references: References) -> list[list[str]]:
    """For every photo the caption with the highest CIDEr against its other captions."""
    chosen = []
    for several, scores in zip(references, _agreement(references)):
        chosen.append(list(several[int(np.argmax(scores))]))
    return chosen


def _agreement(references: References) -> list[list[float]]:
    """CIDEr of every caption against all captions of its photo (itself included, which adds the same to each)."""
    scorer = Cider(references)
    return [scorer(several, [row] * len(several)).tolist() for row, several in enumerate(references)]


def nearest(training: Tensor, photos: Tensor) -> tuple[Tensor, Tensor]:
    """Index and cosine similarity of the most similar training photo, both (N,). Mean features: training (M, C), photos
    (N, C)."""
    similarity = F.normalize(photos.float(), dim=1) @ F.normalize(training.float(), dim=1).T  # (N, M)
    best = similarity.max(dim=1)
    return best.indices, best.values


def human_baseline(references: References) -> tuple[list[Words], list[Sequence[Words]], np.ndarray]:
    """One caption of each photo, the others to score it against, and which photos have at least two, bool (N,)."""
    enough = np.array([len(several) > 1 for several in references])
    several = [captions for captions, kept in zip(references, enough) if kept]
    return [captions[0] for captions in several], [captions[1:] for captions in several], enough
