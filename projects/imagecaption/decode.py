"""Writing captions: beam search, or drawing words at random; all photos of a batch at once, one word at a time.

The decoder's state is kept from word to word, so nothing is computed twice. Letters in shapes as in model.py; K is the
number of captions that are followed at the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from projects.imagecaption.config import DecodeConfig
from projects.imagecaption.data import Captioned
from projects.imagecaption.model import Captioner, State
from projects.imagecaption.vocabulary import END, PAD, START, UNKNOWN
from shared.compute import distributed
from shared.compute.device import autocast, to_device
from shared.data.loader import in_order

NEVER = [PAD, START, UNKNOWN]  # not written, however likely


@dataclass
class Written:
    """A caption as numbers."""

    words: list[int]
    """Without start, with the end if it was reached."""
    log_probability: float
    """Sum over the words."""
    attention: np.ndarray
    """Where the decoder looked before each word, (T, L)."""


def write(model: Captioner, seen: Tensor, config: DecodeConfig, longest: int) -> list[Written]:
    """The best caption for each photo, as the settings say. seen: uint8 (B, S, S, 3) or features (B, L, C)."""
    if config.top_p:
        return [captions[0] for captions in sample(model, seen, 1, longest, config.top_p)]
    found = beam_search(model, seen, config.beam_size, longest, config.length_penalty, config.no_repeat_ngram_size)
    return [captions[0] for captions in found]


def write_all(
    model: Captioner,
    dataset: Captioned,
    config: DecodeConfig,
    longest: int,
    precision: str = "auto",
    batch_size: int = 64,
) -> list[Written]:
    """`write` for a whole dataset, in its order; of several processes each works on its share and all get the whole."""
    device = next(model.parameters()).device
    model.eval()
    mine: list[Written] = []
    with torch.inference_mode(), autocast(device, precision):
        for seen, _, _ in in_order(dataset, batch_size):
            mine += write(model, to_device(seen, device), config, longest)
    shares = distributed.collect(mine)
    written: list[Any] = [None] * len(dataset)
    for first, share in enumerate(shares):
        written[first :: len(shares)] = share
    return written


@torch.no_grad()
def beam_search(
    model: Captioner, seen: Tensor, beam: int, longest: int, length_penalty: float = 0.0, no_repeat_ngram_size: int = 0
) -> list[list[Written]]:
    """The `beam` best captions of at most `longest` words for each photo, the best first.

    Captions are compared by log-probability / length ** length_penalty, finished or not; with a beam as wide as there
    are captions the search is exhaustive.
    """
    grid, decoder, batch = model.grid(seen), model.decoder, len(seen)
    memory = decoder.precompute(grid)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=grid.device)  # (B, K), and K is 1 before the first word
    log_p = torch.zeros(batch, 1, device=grid.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)  # (B, K, t)
    attention_maps = grid.new_empty(batch, 1, 0, grid.shape[1])  # (B, K, t, L)
    for _ in range(longest):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next(decoder.output_layer(output), history, words, no_repeat_ngram_size)  # (B, K, V)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p  # (B, K, V)
        ranked = (total / length.unsqueeze(2) ** length_penalty).flatten(1)  # (B, K V)
        best = ranked.topk(min(beam, ranked.shape[1])).indices  # (B, K')
        rows, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, rows)
        history = torch.cat([_pick(history, rows), words.unsqueeze(2)], dim=2)
        attention_maps = torch.cat([_pick(attention_maps, rows), _pick(alpha, rows).unsqueeze(2)], dim=2)
        state = _reorder(state, rows)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _collect(history, log_p, attention_maps)


@torch.no_grad()
def sample(model: Captioner, seen: Tensor, captions: int, longest: int, top_p: float = 1.0) -> list[list[Written]]:
    """So many captions for each photo, drawn word by word from the likeliest words that have `top_p` probability."""
    grid, decoder = model.grid(seen), model.decoder
    memory = decoder.precompute(grid)
    state = decoder.initial_state(memory, captions)
    words = torch.full((len(grid), captions), START, device=grid.device)
    log_p = torch.zeros(len(grid), captions, device=grid.device)
    history, attention_maps = [], []
    for _ in range(longest):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next(decoder.output_layer(output), torch.empty(0), words, 0)  # (B, K, V)
        p = next_log_p.softmax(dim=2)
        if top_p < 1:
            p = _nucleus(p, top_p)
        words = (p / torch.empty_like(p).exponential_()).argmax(dim=2)  # a draw from p (the Gumbel trick)
        log_p = log_p + next_log_p.gather(2, words.unsqueeze(2)).squeeze(2)
        history.append(words)
        attention_maps.append(alpha)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _collect(torch.stack(history, dim=2), log_p, torch.stack(attention_maps, dim=2))


def _next(logits: Tensor, history: Tensor, words: Tensor, no_repeat_ngram_size: int) -> Tensor:
    """Log-probabilities of the next word, (B, K, V); a finished caption goes on with padding, for free."""
    log_p = logits.float().log_softmax(dim=2)
    log_p[:, :, NEVER] = float("-inf")
    if no_repeat_ngram_size:
        _block(log_p, history, no_repeat_ngram_size)
    done = (words == END) | (words == PAD)
    log_p[done] = float("-inf")
    log_p[:, :, PAD][done] = 0.0
    return log_p


def _block(log_p: Tensor, history: Tensor, n: int) -> None:
    """Forbid the words that would complete a sequence of n words for the second time. history (B, K, t)."""
    if history.shape[2] < n:
        return
    windows = history.unfold(2, n, 1)  # (B, K, t - n + 1, n): all sequences so far
    begun = history[:, :, history.shape[2] - n + 1 :].unsqueeze(2)  # (B, K, 1, n - 1): the last n - 1 words
    again = (windows[..., :-1] == begun).all(dim=3)  # (B, K, t - n + 1)
    b, k, at = again.nonzero(as_tuple=True)
    log_p[b, k, windows[b, k, at, -1]] = float("-inf")


def _nucleus(p: Tensor, top_p: float) -> Tensor:
    """Probabilities (B, K, V) without the unlikely words beyond `top_p`."""
    ordered, indices = p.sort(dim=2, descending=True)
    before = ordered.cumsum(dim=2) - ordered  # of all likelier words
    return torch.zeros_like(p).scatter(2, indices, ordered.masked_fill(before >= top_p, 0.0))


def _pick(x: Tensor, rows: Tensor) -> Tensor:
    """x (B, K, ...), rows (B, K') -> (B, K', ...): the captions that are followed further."""
    return x[torch.arange(len(x), device=x.device).unsqueeze(1), rows]


def _reorder(state: State, rows: Tensor) -> State:
    return tuple(_pick(part, rows) for part in state)


def _collect(history: Tensor, log_p: Tensor, attention_maps: Tensor) -> list[list[Written]]:
    """history (B, K, T), log_p (B, K), attention_maps (B, K, T, L) -> for each photo its captions, padding cut off."""
    captions: list[list[Written]] = []
    attention = attention_maps.float().cpu().numpy()
    for b, rows in enumerate(history.tolist()):
        kept: list[Written] = []
        for k, words in enumerate(rows):
            length = words.index(PAD) if PAD in words else len(words)
            if np.isfinite(p := float(log_p[b, k])):
                kept.append(Written(words[:length], p, attention[b, k, :length]))
        captions.append(kept)
    return captions


def as_tensor(captions: Sequence[Sequence[Written]]) -> Tensor:
    """Captions of B photos, K each, with their start and padded: (B, K, T + 1)."""
    longest = max(len(w.words) for row in captions for w in row)
    rows = [[[START, *w.words, *[PAD] * (longest - len(w.words))] for w in row] for row in captions]
    return torch.tensor(rows)
