"""What the network has to beat: one caption for all photos, and that of the training photo that attention_maps most alike.

Beside them, people: what one of them wrote, scored against the others.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from projects.imagecaption.metrics import Cider, References, Words, ngrams

CANDIDATES, JUDGED = 100, 300


def constant_caption(references: References) -> list[str]:
    """Of the 100 training captions with the commonest pairs of words, the one that fits the photos best (CIDEr).

    Shorter ones than usual are left out: pairs as common as `in the` are not enough for a caption.
    """
    pairs = Counter(pair for several in references for pair in {p for words in several for p in ngrams(words, 2)})
    shortest = max(2, min(6, int(np.median([len(words) for several in references for words in several]))))

    def commonness(words: Words) -> float:
        return float(np.mean([pairs[p] for p in ngrams(words, 2)])) if len(words) >= shortest else 0.0

    distinct = sorted({tuple(words) for several in references for words in several})
    candidates = sorted(distinct, key=lambda words: (-commonness(words), words))[:CANDIDATES]
    judges = [references[i] for i in np.linspace(0, len(references) - 1, min(JUDGED, len(references))).astype(int)]
    scorer = Cider(judges)
    return list(max(candidates, key=lambda words: scorer([words] * len(judges)).mean()))


def consensus(references: References) -> list[list[str]]:
    """For every photo the caption that agrees most with its others, by CIDEr."""
    chosen = []
    for several, scores in zip(references, _against_others(references)):
        chosen.append(list(several[int(np.argmax(scores))]))
    return chosen


def _against_others(references: References) -> list[list[float]]:
    """CIDEr of every caption, counted against all captions of its photo (its own adds the same to each)."""
    scorer = Cider(references)
    return [scorer(several, [row] * len(several)).tolist() for row, several in enumerate(references)]


def nearest(known: Tensor, asked: Tensor) -> tuple[Tensor, Tensor]:
    """The most similar known photo and its cosine, both (N,). known (M, C) and asked (N, C): mean features."""
    similarity = F.normalize(asked.float(), dim=1) @ F.normalize(known.float(), dim=1).T  # (N, M)
    best = similarity.max(dim=1)
    return best.indices, best.values


def human_baseline(references: References) -> tuple[list[Words], list[Sequence[Words]], np.ndarray]:
    """One caption of each photo, the others to score it against, and which photos have at least two, bool (N,)."""
    enough = np.array([len(several) > 1 for several in references])
    several = [captions for captions, kept in zip(references, enough) if kept]
    return [captions[0] for captions in several], [captions[1:] for captions in several], enough
