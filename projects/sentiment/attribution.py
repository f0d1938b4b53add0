"""Attribution: which words support a prediction (integrated gradients at the embedding; Sundararajan et al. 2017)."""

from html import escape
from itertools import chain

import torch
from captum.attr import LayerIntegratedGradients
from tokenizers import Tokenizer
from torch import Tensor

from projects.sentiment.aspects import marked
from projects.sentiment.config import ModelConfig
from projects.sentiment.model import SentimentNet, Transformer
from projects.sentiment.vocabulary import PAD, UNKNOWN, ids_of, padding_of, windows_of

STEPS = 24


def word_attributions(
    network: SentimentNet, tokenizer: Tokenizer, text: str, aspect: str | None, model: ModelConfig
) -> list[tuple[str, float]]:
    """The words of a text in their order, each with its attribution to the predicted class, scaled to -1..1.

    Words that are not part of the input (the truncated middle of a long text) have 0.
    """
    text = marked(text, aspect) if aspect and model.mark_aspect else text
    encoding = tokenizer.encode(text, aspect) if aspect else tokenizer.encode(text)
    tokens = list(zip(ids_of(encoding, padding_of(tokenizer)), encoding.offsets, encoding.sequence_ids)) or [
        (UNKNOWN, (0, 0), None)
    ]
    parts = windows_of(tokens, encoding.special_tokens_mask, model.max_tokens, model.windows)
    inputs = [torch.tensor([[token for token, _, _ in part]]) for part in parts]  # each (1, L)
    with torch.no_grad():
        predicted = int(torch.cat([network(ids) for ids in inputs]).mean(dim=0).argmax())
    values = [value for ids in inputs for value in integrated_gradients(network, ids, predicted)[0].tolist()]
    words = _words(text)
    sums = [0.0] * len(words)  # a word's attribution is the sum over its tokens
    for (_, (start, end), sequence), value in zip(chain(*parts), values):
        if sequence == 0 and end > start:
            word = next((i for i, (_, first, last) in enumerate(words) if first <= start < last), None)
            if word is not None:
                sums[word] += value
    largest = max((abs(value) for value in sums), default=0.0) or 1.0
    return [(word, value / largest) for (word, _, _), value in zip(words, sums)]


def integrated_gradients(network: SentimentNet, tokens: Tensor, predicted: int | None = None) -> Tensor:
    """Attribution of every token to the logit of the predicted class; the baseline input is padding.

    predicted: the number of the class where it is not that of these tokens alone.
    tokens (1, L) -> (1, L). The values sum to the difference of the two logits (completeness).
    """
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    predicted = int(network(tokens).argmax()) if predicted is None else predicted
    mask = torch.ones_like(tokens, dtype=torch.bool)
    gradients = LayerIntegratedGradients(lambda ids: network(ids, mask.expand(len(ids), -1))[:, predicted], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, PAD), n_steps=STEPS)
    return values.sum(dim=2).detach()


def highlighted_html(attributions: list[tuple[str, float]], title: str) -> str:
    """A text as HTML: words that support the prediction in green, words against it in red."""
    spans = []
    for word, value in attributions:
        colour = "42, 125, 79" if value > 0 else "194, 74, 61"
        opacity = abs(value) ** 1.5 * 0.7
        style = f' style="background: rgba({colour}, {opacity:.2f})"' if opacity > 0.02 else ""
        spans.append(f"<span{style}>{escape(word)}</span>")
    return f'<p class="text"><b>{escape(title)}</b><br>{" ".join(spans)}</p>'


def _words(text: str) -> list[tuple[str, int, int]]:
    """Words between spaces, each with its start and end."""
    words, start = [], 0
    for word in text.split(" "):
        words.append((word, start, start + len(word)))
        start += len(word) + 1
    return words
