"""Wrong bodies of `average_precision`."""


def of_each_photo(found, boxes):
    """The mean over photos is taken; scores must be compared across photos, and photos without a plate count, too."""
    values = []
    for several, truth in zip(found, boxes):
        hits = np.array([number >= 0 for number in match_detections(several, truth, MATCH_IOU)], bool)
        precision = hits.cumsum() / np.arange(1, len(hits) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        if len(truth):
            values.append(float(envelope[hits].sum() / len(truth)))
    return float(np.mean(values)) if values else 0.0


def jagged(found, boxes):
    """The precision at each hit is used as it is; take the best one at this or a higher recall."""
    scored = []
    for several, truth in zip(found, boxes):
        ordered = sorted(several, key=lambda d: -d.score)
        scored += zip((d.score for d in ordered), match_detections(several, truth, MATCH_IOU))
    hits = np.array([number >= 0 for _, number in sorted(scored, key=lambda pair: -pair[0])], bool)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float(precision[hits].sum() / max(1, sum(len(truth) for truth in boxes)))


def over_the_found(found, boxes):
    """It divides by the plates that were found; those that were never found must lower the result."""
    scored = []
    for several, truth in zip(found, boxes):
        ordered = sorted(several, key=lambda d: -d.score)
        scored += zip((d.score for d in ordered), match_detections(several, truth, MATCH_IOU))
    hits = np.array([number >= 0 for _, number in sorted(scored, key=lambda pair: -pair[0])], bool)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / max(1, hits.sum()))


def unsorted_matches(found, boxes):
    """Matches come with the highest score first and are paired with detections in another order; sort these as well."""
    scored = []
    for several, truth in zip(found, boxes):
        scored += zip((d.score for d in several), match_detections(several, truth, MATCH_IOU))
    hits = np.array([number >= 0 for _, number in sorted(scored, key=lambda pair: -pair[0])], bool)
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / max(1, sum(len(truth) for truth in boxes)))
