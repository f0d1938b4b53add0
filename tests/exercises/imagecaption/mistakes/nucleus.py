"""Wrong bodies of `_nucleus`."""


def crossing_word_lost(p, top_p):
    """The word that crosses `top_p` is removed, too; the nucleus is too small, and may be empty."""
    ordered, indices = p.sort(dim=2, descending=True)
    return torch.zeros_like(p).scatter(2, indices, ordered.masked_fill(ordered.cumsum(dim=2) >= top_p, 0.0))


def in_sorted_order(p, top_p):
    """The probabilities stay sorted; they must go back to the places of their words."""
    ordered, _ = p.sort(dim=2, descending=True)
    return ordered.masked_fill(ordered.cumsum(dim=2) - ordered >= top_p, 0.0)


def improbable_words(p, top_p):
    """The words are sorted upwards; what is kept are the improbable ones."""
    ordered, indices = p.sort(dim=2)
    before = ordered.cumsum(dim=2) - ordered
    return torch.zeros_like(p).scatter(2, indices, ordered.masked_fill(before >= top_p, 0.0))


def threshold(p, top_p):
    """Every word above a probability is kept; what counts is how much the more probable words have together."""
    return p.masked_fill(p < (1 - top_p) * p.amax(dim=2, keepdim=True), 0.0)


def one_number_of_words(p, top_p):
    """All beams keep as many words as the first one; each needs a nucleus of its own."""
    ordered, indices = p.sort(dim=2, descending=True)
    count = int((ordered[0, 0].cumsum(dim=0) - ordered[0, 0] < top_p).sum())
    kept = torch.arange(p.shape[2], device=p.device) < count
    return torch.zeros_like(p).scatter(2, indices, ordered.masked_fill(~kept, 0.0))
