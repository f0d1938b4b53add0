"""Which words attributions an answer: integrated gradients (Sundararajan et al. 2017) at the word vectors."""

from html import escape

import torch
from captum.attr import LayerIntegratedGradients
from torch import Tensor

from projects.sentiment.model import SentimentNet, Transformer
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import clean
from projects.sentiment.vocabulary import PAD, UNKNOWN, head_and_tail, ids_of

STEPS = 24


def attributions(model: Predictor, text: str, aspect: str | None = None) -> list[tuple[str, float]]:
    """The words of a text in their order, each with what it added to the answer (1 is the most any word did).

    Words that the network did not read (the middle of a long text) count 0.
    """
    text = clean(text) or "."
    encoding = model.tokenizer.encode(text, aspect) if aspect else model.tokenizer.encode(text)
    tokens = head_and_tail(
        list(zip(ids_of(encoding), encoding.offsets, encoding.sequence_ids)), model.config.model.max_tokens
    )
    ids = torch.tensor([[token for token, _, _ in tokens] or [UNKNOWN]])
    weights = integrated_gradients(model.network, ids)[0].tolist()
    words = _words(text)
    sums = [0.0] * len(words)
    for (_, (start, end), sequence), weight in zip(tokens, weights):
        if sequence == 0 and end > start:
            place = next((i for i, (_, first, last) in enumerate(words) if first <= start < last), None)
            if place is not None:
                sums[place] += weight
    most = max((abs(value) for value in sums), default=0.0) or 1.0
    return [(word, value / most) for (word, _, _), value in zip(words, sums)]


def integrated_gradients(network: SentimentNet, tokens: Tensor) -> Tensor:
    """What every token added to the logit of the answer, against a text of nothing. tokens (1, L) -> (1, L)."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    answer = int(network(tokens).argmax())
    mask = torch.ones_like(tokens, dtype=torch.bool)
    gradients = LayerIntegratedGradients(lambda ids: network(ids, mask.expand(len(ids), -1))[:, answer], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, PAD), n_steps=STEPS)
    return values.sum(dim=2).detach()


def highlighted_html(words: list[tuple[str, float]], title: str) -> str:
    """A text as HTML: green words spoke for the answer, red ones against it."""
    spans = []
    for word, weight in words:
        colour = "42, 125, 79" if weight > 0 else "194, 74, 61"
        strength = abs(weight) ** 1.5 * 0.7
        style = f' style="background: rgba({colour}, {strength:.2f})"' if strength > 0.02 else ""
        spans.append(f"<span{style}>{escape(word)}</span>")
    return f'<p class="text"><b>{escape(title)}</b><br>{" ".join(spans)}</p>'


def _words(text: str) -> list[tuple[str, int, int]]:
    """Words between blanks, each with where it starts and ends."""
    words, start = [], 0
    for word in text.split(" "):
        words.append((word, start, start + len(word)))
        start += len(word) + 1
    return words
