"""Decoding: beam search, greedy decoding (beam size 1) or nucleus sampling, for a batch of photos, word by word.

The decoder's state is kept between words, so nothing is computed twice. Letters in shapes as in model.py; here K is the
number of beams or samples of a photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from projects.imagecaption.config import DecodeConfig
from projects.imagecaption.data import CaptionedPhotos
from projects.imagecaption.model import Captioner, State
from projects.imagecaption.vocabulary import END, PAD, START, UNKNOWN
from shared.compute import distributed
from shared.compute.device import autocast, to_device
from shared.data.loader import in_order

FORBIDDEN = [PAD, START, UNKNOWN]  # never generated


@dataclass
class Hypothesis:
    """A decoded caption."""

    tokens: list[int]
    """Without the start token; the end token is included if it was reached."""
    log_probability: float
    """Sum over the tokens."""
    attention: np.ndarray
    """Attention before each token, (T, L)."""


def decode(model: Captioner, inputs: Tensor, config: DecodeConfig, max_words: int) -> list[Hypothesis]:
    """One caption for each photo, by the decoding settings. inputs: photos uint8 (B, S, S, 3) or features (B, L, C)."""
    if config.top_p:
        return [several[0] for several in sample(model, inputs, 1, max_words, config.top_p)]
    found = beam_search(
        model, inputs, config.beam_size, max_words, config.length_penalty, config.no_repeat_ngram_size
    )  # fmt: skip
    return [several[0] for several in found]


def decode_dataset(
    model: Captioner,
    dataset: CaptionedPhotos,
    config: DecodeConfig,
    max_words: int,
    precision: str = "auto",
    batch_size: int = 64,
) -> list[Hypothesis]:
    """`decode` for a whole dataset, in order. Several processes share the work, and each gets all captions."""
    device = next(model.parameters()).device
    model.eval()
    mine: list[Hypothesis] = []
    with torch.inference_mode(), autocast(device, precision):
        for inputs, _, _ in in_order(dataset, batch_size):
            mine += decode(model, to_device(inputs, device), config, max_words)
    collected = distributed.collect(mine)
    ordered: list[Any] = [None] * len(dataset)
    for rank, hypotheses in enumerate(collected):
        ordered[rank :: len(collected)] = hypotheses
    return ordered


@torch.no_grad()
def beam_search(
    model: Captioner,
    inputs: Tensor,
    beam_size: int,
    max_words: int,
    length_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
) -> list[list[Hypothesis]]:
    """The `beam_size` best captions of at most `max_words` words for each photo, the best first.

    Beams are ranked by log-probability / length ** length_penalty, whether finished or not. With as many beams as
    possible captions the search is exhaustive.
    """
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)  # (B, K), and K is 1 before the first word
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)  # (B, K, t)
    attention = features.new_empty(batch, 1, 0, features.shape[1])  # (B, K, t, L)
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)  # (B, K, V)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p  # (B, K, V)
        score = (total / length.unsqueeze(2) ** length_penalty).flatten(1)  # (B, K V)
        best = score.topk(min(beam_size, score.shape[1])).indices  # (B, K')
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams).unsqueeze(2)], dim=2)
        state: State = tuple(_select(part, beams) for part in state)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(history, log_p, attention)


@torch.no_grad()
def sample(
    model: Captioner, inputs: Tensor, num_samples: int, max_words: int, top_p: float = 1.0
) -> list[list[Hypothesis]]:
    """`num_samples` captions for each photo by nucleus sampling (Holtzman et al. 2020): every word is drawn from the
    most probable ones that together reach the probability `top_p`."""
    features, decoder = model.features(inputs), model.decoder
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, num_samples)
    words = torch.full((len(features), num_samples), START, device=features.device)  # (B, K)
    log_p = torch.zeros(len(features), num_samples, device=features.device)
    history, attention = [], []
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), torch.empty(0), words, 0)  # (B, K, V)
        p = next_log_p.softmax(dim=2)
        if top_p < 1:
            p = _nucleus(p, top_p)
        words = (p / torch.empty_like(p).exponential_()).argmax(dim=2)  # a draw from p (the Gumbel trick)
        log_p = log_p + next_log_p.gather(2, words.unsqueeze(2)).squeeze(2)
        history.append(words)
        attention.append(alpha)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(torch.stack(history, dim=2), log_p, torch.stack(attention, dim=2))


def _next_log_p(logits: Tensor, history: Tensor, words: Tensor, no_repeat_ngram_size: int) -> Tensor:
    """Log-probabilities of the next word, (B, K, V). After the end only padding follows, with probability 1."""
    log_p = logits.float().log_softmax(dim=2)
    log_p[:, :, FORBIDDEN] = float("-inf")
    if no_repeat_ngram_size:
        _forbid_repeated_ngrams(log_p, history, no_repeat_ngram_size)
    finished = (words == END) | (words == PAD)
    log_p[finished] = float("-inf")
    log_p[:, :, PAD][finished] = 0.0
    return log_p


def _forbid_repeated_ngrams(log_p: Tensor, history: Tensor, n: int) -> None:
    """Forbid the words that would complete an n-gram for the second time. history (B, K, t)."""
    if history.shape[2] < n:
        return
    ngrams = history.unfold(2, n, 1)  # (B, K, t - n + 1, n): all n-grams so far
    prefix = history[:, :, history.shape[2] - n + 1 :].unsqueeze(2)  # (B, K, 1, n - 1): the last n - 1 words
    repeated = (ngrams[..., :-1] == prefix).all(dim=3)  # (B, K, t - n + 1)
    b, k, position = repeated.nonzero(as_tuple=True)
    log_p[b, k, ngrams[b, k, position, -1]] = float("-inf")


def _nucleus(p: Tensor, top_p: float) -> Tensor:
    """Probabilities (B, K, V) without the improbable words beyond `top_p`; they need not sum to 1."""
    ordered, indices = p.sort(dim=2, descending=True)
    before = ordered.cumsum(dim=2) - ordered  # probability of all more probable words
    return torch.zeros_like(p).scatter(2, indices, ordered.masked_fill(before >= top_p, 0.0))


def _select(x: Tensor, beams: Tensor) -> Tensor:
    """Keep some beams: x (B, K, ...), beams (B, K') -> (B, K', ...)."""
    return x[torch.arange(len(x), device=x.device).unsqueeze(1), beams]


def _hypotheses(history: Tensor, log_p: Tensor, attention: Tensor) -> list[list[Hypothesis]]:
    """history (B, K, T), log_p (B, K), attention (B, K, T, L) -> the captions of each photo, without padding."""
    hypotheses: list[list[Hypothesis]] = []
    maps = attention.float().cpu().numpy()
    for b, rows in enumerate(history.tolist()):
        kept: list[Hypothesis] = []
        for k, tokens in enumerate(rows):
            length = tokens.index(PAD) if PAD in tokens else len(tokens)
            if np.isfinite(p := float(log_p[b, k])):
                kept.append(Hypothesis(tokens[:length], p, maps[b, k, :length]))
        hypotheses.append(kept)
    return hypotheses


def to_tensor(hypotheses: Sequence[Sequence[Hypothesis]]) -> Tensor:
    """Captions of B photos, K each, with their start token and padding: (B, K, T + 1)."""
    longest = max(len(h.tokens) for several in hypotheses for h in several)
    rows = [[[START, *h.tokens, *[PAD] * (longest - len(h.tokens))] for h in several] for several in hypotheses]
    return torch.tensor(rows)
