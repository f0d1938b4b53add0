"""Wrong bodies of `near_duplicates`."""


def over_several_texts(texts, parts, max_overlap):
    """5-grams found in different held-out texts are added up; the overlap must be with a single one."""
    found = np.zeros(len(texts), bool)
    known = set()
    for part in (splits.TEST, splits.VALIDATION, splits.TRAIN):
        members = {int(index): ngrams_of(texts[index]) for index in np.flatnonzero(parts == part)}
        for index, own in members.items():
            found[index] = bool(own & known) and len(own & known) >= max_overlap * len(own)
        for index, own in members.items():
            if part != splits.TRAIN and not found[index]:
                known |= own
    return found


def part_of_the_other_text(texts, parts, max_overlap):
    """The overlap is measured as a part of the held-out text instead of the text that may be left out."""
    grams = [ngrams_of(text) for text in texts]
    order = (splits.TEST, splits.VALIDATION, splits.TRAIN)
    found = np.zeros(len(texts), bool)
    for number, part in enumerate(order):
        for index in np.flatnonzero(parts == part):
            held = [i for i in np.flatnonzero(np.isin(parts, order[:number])) if not found[i]]
            found[index] = any(len(grams[index] & grams[i]) >= max_overlap * len(grams[i]) for i in held)
    return found


def more_than_the_threshold(texts, parts, max_overlap):
    """A text whose overlap is exactly `max_overlap` is kept; at least that much is too much."""
    found = np.zeros(len(texts), bool)
    holders = {}
    for part in (splits.TEST, splits.VALIDATION, splits.TRAIN):
        members = {int(index): ngrams_of(texts[index]) for index in np.flatnonzero(parts == part)}
        for index, own in members.items():
            shared = Counter(holder for ngram in own for holder in holders.get(ngram, ()))
            found[index] = bool(shared) and max(shared.values()) > max_overlap * len(own)
        for index, own in members.items():
            for ngram in own if part != splits.TRAIN and not found[index] else ():
                holders.setdefault(ngram, []).append(index)
    return found


def copies_within_a_set(texts, parts, max_overlap):
    """Copies within one set are left out too; only copies in another set are leakage."""
    found = np.zeros(len(texts), bool)
    holders = {}
    for part in (splits.TEST, splits.VALIDATION, splits.TRAIN):
        for index in np.flatnonzero(parts == part):
            own = ngrams_of(texts[index])
            shared = Counter(holder for ngram in own for holder in holders.get(ngram, ()))
            found[index] = bool(shared) and max(shared.values()) >= max_overlap * len(own)
            for ngram in own if not found[index] else ():
                holders.setdefault(ngram, []).append(index)
    return found


def validation_texts_stay(texts, parts, max_overlap):
    """Only training texts are compared; a validation text that is in the test set as well is kept."""
    held = [ngrams_of(text) for text, part in zip(texts, parts) if part != splits.TRAIN]
    found = np.zeros(len(texts), bool)
    for index in np.flatnonzero(parts == splits.TRAIN):
        own = ngrams_of(texts[index])
        found[index] = any(own & other and len(own & other) >= max_overlap * len(own) for other in held)
    return found
