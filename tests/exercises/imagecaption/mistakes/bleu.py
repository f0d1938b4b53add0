"""Wrong bodies of `bleu`."""


def not_clipped(hypotheses, references):
    """Matches are not clipped; a caption that repeats one right word has a precision of 100 %."""
    matches, possible = np.zeros(4), np.zeros(4)
    length = reference_length = 0
    for words, several in zip(hypotheses, references):
        length += len(words)
        reference_length += min((abs(len(r) - len(words)), len(r)) for r in several)[1]
        for n in range(1, 5):
            known = {gram for reference in several for gram in ngrams(reference, n)}
            matches[n - 1] += sum(times for gram, times in ngrams(words, n).items() if gram in known)
            possible[n - 1] += max(0, len(words) - n + 1)
    precision = (matches + 1e-15) / (possible + 1e-9)
    brevity = min(1.0, math.exp(1 - reference_length / length)) if length else 0.0
    geometric = np.exp(np.cumsum(np.log(precision)) / np.arange(1, 5))
    return {f"bleu{n}": 100 * brevity * float(value) for n, value in enumerate(geometric, 1)}


def references_added_up(hypotheses, references):
    """An n-gram is clipped by the sum over the references; it counts as often as in the one that has it most often."""
    matches, possible = np.zeros(4), np.zeros(4)
    length = reference_length = 0
    for words, several in zip(hypotheses, references):
        length += len(words)
        reference_length += min((abs(len(r) - len(words)), len(r)) for r in several)[1]
        for n in range(1, 5):
            allowed = Counter()
            for reference in several:
                allowed += ngrams(reference, n)
            matches[n - 1] += (ngrams(words, n) & allowed).total()
            possible[n - 1] += max(0, len(words) - n + 1)
    precision = (matches + 1e-15) / (possible + 1e-9)
    brevity = min(1.0, math.exp(1 - reference_length / length)) if length else 0.0
    geometric = np.exp(np.cumsum(np.log(precision)) / np.arange(1, 5))
    return {f"bleu{n}": 100 * brevity * float(value) for n, value in enumerate(geometric, 1)}


def mean_reference_length(hypotheses, references):
    """The brevity penalty uses the mean length of the references; it is that of the closest one."""
    matches, possible = np.zeros(4), np.zeros(4)
    length = reference_length = 0
    for words, several in zip(hypotheses, references):
        length += len(words)
        reference_length += sum(map(len, several)) / len(several)
        for n in range(1, 5):
            allowed = Counter()
            for reference in several:
                allowed |= ngrams(reference, n)
            matches[n - 1] += (ngrams(words, n) & allowed).total()
            possible[n - 1] += max(0, len(words) - n + 1)
    precision = (matches + 1e-15) / (possible + 1e-9)
    brevity = min(1.0, math.exp(1 - reference_length / length)) if length else 0.0
    geometric = np.exp(np.cumsum(np.log(precision)) / np.arange(1, 5))
    return {f"bleu{n}": 100 * brevity * float(value) for n, value in enumerate(geometric, 1)}


def without_brevity(hypotheses, references):
    """The brevity penalty is missing; a caption of one certain word would be perfect."""
    matches, possible = np.zeros(4), np.zeros(4)
    for words, several in zip(hypotheses, references):
        for n in range(1, 5):
            allowed = Counter()
            for reference in several:
                allowed |= ngrams(reference, n)
            matches[n - 1] += (ngrams(words, n) & allowed).total()
            possible[n - 1] += max(0, len(words) - n + 1)
    precision = (matches + 1e-15) / (possible + 1e-9)
    geometric = np.exp(np.cumsum(np.log(precision)) / np.arange(1, 5))
    return {f"bleu{n}": 100 * float(value) for n, value in enumerate(geometric, 1)}


def mean_of_captions(hypotheses, references):
    """The precisions are averaged over the captions; BLEU sums matches and n-grams over the whole corpus first."""
    precisions = []
    length = reference_length = 0
    for words, several in zip(hypotheses, references):
        length += len(words)
        reference_length += min((abs(len(r) - len(words)), len(r)) for r in several)[1]
        matches, possible = np.zeros(4), np.zeros(4)
        for n in range(1, 5):
            allowed = Counter()
            for reference in several:
                allowed |= ngrams(reference, n)
            matches[n - 1] = (ngrams(words, n) & allowed).total()
            possible[n - 1] = max(0, len(words) - n + 1)
        precisions.append((matches + 1e-15) / (possible + 1e-9))
    brevity = min(1.0, math.exp(1 - reference_length / length)) if length else 0.0
    geometric = np.exp(np.cumsum(np.log(np.mean(precisions, axis=0))) / np.arange(1, 5))
    return {f"bleu{n}": 100 * brevity * float(value) for n, value in enumerate(geometric, 1)}
