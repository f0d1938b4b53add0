"""Exercise nucleus, the tests that give points: word after word, in plain Python."""

import pytest
import torch
from torch import Tensor

from projects.imagecaption.decode import _nucleus


def distributions(seed: int = 0, sharpness: float = 1.0) -> Tensor:
    """(B, K, V) = (3, 4, 30)."""
    generator = torch.Generator().manual_seed(seed)
    return (sharpness * torch.randn(3, 4, 30, generator=generator)).softmax(dim=2)


def kept_by_hand(p: list[float], top_p: float) -> set[int]:
    kept, total = set(), 0.0
    for word in sorted(range(len(p)), key=lambda word: -p[word]):
        if total >= top_p:
            break
        kept.add(word)
        total += p[word]
    return kept


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("sharpness", [0.3, 3.0])
def test_the_kept_words_are_the_smallest_set_that_reaches_top_p(top_p: float, sharpness: float) -> None:
    p = distributions(1, sharpness)
    found = _nucleus(p, top_p)
    for b in range(3):
        for k in range(4):
            expected = kept_by_hand(p[b, k].tolist(), top_p)
            kept = set(found[b, k].nonzero().flatten().tolist())
            assert kept == expected, (
                f"top_p {top_p}: {len(expected)} words are kept; yours lack the words {sorted(expected - kept)} and have "
                f"too many {sorted(kept - expected)}"
            )


def test_kept_probabilities_are_where_they_were() -> None:
    p = distributions(2)
    found = _nucleus(p, 0.6)
    assert found.shape == p.shape, f"the shape stays {tuple(p.shape)}, it is not {tuple(found.shape)}"
    for b in range(3):
        for k in range(4):
            ratios = (found[b, k] / p[b, k])[found[b, k] > 0]
            spread = float(ratios.max() - ratios.min()) if len(ratios) else float("nan")
            assert spread < 1e-4, f"words keep their probabilities (or all in one ratio); ratios spread by {spread:.2f}"


def test_a_flat_beam_keeps_more_words_than_a_sharp_one() -> None:
    p = torch.cat([distributions(3, 0.1), distributions(3, 6.0)], dim=1)
    counts = (_nucleus(p, 0.8) > 0).sum(dim=2)
    flat, sharp = float(counts[:, :4].float().mean()), float(counts[:, 4:].float().mean())
    assert flat > 20 and sharp < 6, (
        f"each beam has a nucleus of its own: about 23 of 30 words if flat and 2 if sharp, not {flat:.0f} and {sharp:.0f}"
    )


def test_forbidden_words_stay_forbidden() -> None:
    p = torch.tensor([[[0.0, 0.0, 0.6, 0.4, 0.0]]])
    found = _nucleus(p, 0.99)[0, 0].tolist()
    assert [round(x, 4) for x in found] == [0, 0, 0.6, 0.4, 0], f"a probability of 0 stays 0: not {found}"


def test_the_probabilities_that_came_in_are_not_changed() -> None:
    p = distributions(4)
    before = p.clone()
    _nucleus(p, 0.5)
    change = float((p - before).abs().max())
    assert change == 0, f"`p` is used again for the log-probability; it was changed by up to {change:.3f}"
