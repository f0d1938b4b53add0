"""Wrong bodies of `Cider._score`."""


def not_clipped(self, words, references):
    """The common n-grams are not clipped; a caption gains by repeating the rare words."""
    weights, norms, length = self._vector([ngrams(words, n) for n in range(1, 5)])
    total = 0.0
    for theirs, their_norms, their_length in references:
        penalty = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
        for n in range(4):
            if norms[n] and their_norms[n]:
                other = theirs[n]
                shared = sum(w * other[g] for g, w in weights[n].items() if g in other)
                total += penalty * shared / (norms[n] * their_norms[n])
    return 10 * total / 4 / max(len(references), 1)


def without_penalty(self, words, references):
    """Another length than that of the reference costs nothing; this is CIDEr without the D."""
    weights, norms, _ = self._vector([ngrams(words, n) for n in range(1, 5)])
    total = 0.0
    for theirs, their_norms, _ in references:
        for n in range(4):
            if norms[n] and their_norms[n]:
                other = theirs[n]
                shared = sum(min(w, other[g]) * other[g] for g, w in weights[n].items() if g in other)
                total += shared / (norms[n] * their_norms[n])
    return 10 * total / 4 / max(len(references), 1)


def best_reference(self, words, references):
    """The best reference counts alone; CIDEr asks for the consensus of all of them, their mean."""
    weights, norms, length = self._vector([ngrams(words, n) for n in range(1, 5)])
    best = 0.0
    for theirs, their_norms, their_length in references:
        penalty = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
        total = 0.0
        for n in range(4):
            if norms[n] and their_norms[n]:
                other = theirs[n]
                shared = sum(min(w, other[g]) * other[g] for g, w in weights[n].items() if g in other)
                total += penalty * shared / (norms[n] * their_norms[n])
        best = max(best, total)
    return 10 * best / 4


def without_ten(self, words, references):
    """The factor 10 is missing; all published values have it."""
    weights, norms, length = self._vector([ngrams(words, n) for n in range(1, 5)])
    total = 0.0
    for theirs, their_norms, their_length in references:
        penalty = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
        for n in range(4):
            if norms[n] and their_norms[n]:
                other = theirs[n]
                shared = sum(min(w, other[g]) * other[g] for g, w in weights[n].items() if g in other)
                total += penalty * shared / (norms[n] * their_norms[n])
    return total / 4 / max(len(references), 1)


def one_norm_for_all(self, words, references):
    """The four n are put into one vector; short n-grams then outweigh the long ones, which have a cosine of their own."""
    weights, norms, length = self._vector([ngrams(words, n) for n in range(1, 5)])
    norm, total = math.sqrt(sum(x * x for x in norms)), 0.0
    for theirs, their_norms, their_length in references:
        penalty = math.exp(-((length - their_length) ** 2) / (2 * self.SIGMA**2))
        other_norm = math.sqrt(sum(x * x for x in their_norms))
        for n in range(4):
            shared = sum(min(w, theirs[n][g]) * theirs[n][g] for g, w in weights[n].items() if g in theirs[n])
            total += penalty * shared / (norm * other_norm) if norm and other_norm else 0.0
    return 10 * total / max(len(references), 1)
