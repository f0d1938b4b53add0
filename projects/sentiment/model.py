"""Three networks for text: BiLSTM, CNN and a pretrained transformer, each an encoder with a head.

BiLSTM: Hochreiter & Schmidhuber 1997, Graves & Schmidhuber 2005. CNN: Kim, Convolutional Neural Networks for Sentence
Classification, 2014. Transformer: Vaswani et al. 2017, as pretrained by Wang et al. 2020 (MiniLM).
"""

from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from projects.sentiment import pretrained
from projects.sentiment.config import ModelConfig
from projects.sentiment.vocabulary import (
    PAD,
    UNKNOWN,
    exchanged,
    piece_tokenizer,
    without_padding_and_truncation,
    word_tokenizer,
)

NAMES = {"bilstm": "BiLSTM", "cnn": "CNN", "transformer": "Transformer"}
FILTER_WIDTHS = (3, 4, 5)  # words


class SentimentNet(nn.Module):
    """tokens (B, L), padded with 0 -> logits (B, classes), independent of the amount of padding.

    Of texts in several windows, tokens (B, W, L): the mean of the logits of each text's windows.
    """

    encoder: Any

    def __init__(self, encoder: nn.Module, width: int, classes: int, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(width, classes))
        self.word_dropout = config.word_dropout

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        if tokens.dim() == 3:
            there = (tokens != PAD).any(dim=2)  # (B, W): True for windows, False for padding
            logits = self(tokens[there])  # (number of windows, classes)
            sums = logits.new_zeros(len(tokens), logits.shape[1]).index_add(0, there.nonzero()[:, 0], logits)
            return sums / there.sum(dim=1, keepdim=True)
        mask = tokens != PAD if mask is None else mask  # (B, L): True for tokens, False for padding
        if self.training and self.word_dropout:
            dropped = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(dropped & mask, UNKNOWN)
        return self.head(self.encoder(tokens, mask))  # (B, classes)


class Pooling(nn.Module):
    """Hidden states (B, L, D) and mask (B, L) -> one vector per text (B, D)."""

    def __init__(self, kind: str, width: int) -> None:
        super().__init__()
        self.kind = kind
        self.score = nn.Linear(width, 1) if kind == "attention" else None

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        mask = mask.unsqueeze(2)  # (B, L, 1)
        if self.kind == "max":
            return states.masked_fill(~mask, float("-inf")).amax(dim=1)
        if self.score is None:
            return (states * mask).sum(dim=1) / mask.sum(dim=1)
        weights = self.score(states).masked_fill(~mask, float("-inf")).softmax(dim=1)  # (B, L, 1)
        return (states * weights).sum(dim=1)


class BiLSTM(nn.Module):
    """tokens (B, L) -> (B, 2 * hidden_size)."""

    def __init__(self, embedding: nn.Embedding, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(embedding.embedding_dim, config.hidden_size, batch_first=True, bidirectional=True)
        self.pooling = Pooling(config.pooling, 2 * config.hidden_size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        embedded = self.dropout(self.embedding(tokens))  # (B, L, E)
        packed = pack_padded_sequence(embedded, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return self.pooling(states, mask)  # states: (B, L, 2 * hidden_size)


class CNN(nn.Module):
    """tokens (B, L) -> (B, 3 * num_filters): each filter's maximum over the positions (max-over-time pooling)."""

    def __init__(self, embedding: nn.Embedding, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        dim, filters = embedding.embedding_dim, config.num_filters
        self.convolutions = nn.ModuleList(nn.Conv1d(dim, filters, width) for width in FILTER_WIDTHS)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        embedded = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)  # (B, E, L)
        pooled = []
        for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
            margin = width - 1
            feature_map = convolution(F.pad(embedded, (margin, margin))).relu()  # (B, num_filters, L + margin)
            position = torch.arange(feature_map.shape[2], device=tokens.device)
            inside = position < mask.sum(dim=1, keepdim=True) + margin  # (B, L + margin): covers at least one word
            pooled.append((feature_map * inside.unsqueeze(1)).amax(dim=2))  # (B, num_filters)
        return torch.cat(pooled, dim=1)


class Transformer(nn.Module):
    """tokens (B, L) -> (B, hidden)."""

    def __init__(self, network: Any, config: ModelConfig) -> None:
        super().__init__()
        self.network = network
        self.pooling = Pooling(config.pooling, network.config.hidden_size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        tokens = exchanged(tokens, self.network.config.pad_token_id or PAD)
        states = self.network(input_ids=tokens, attention_mask=mask.long()).last_hidden_state  # (B, L, hidden)
        return self.pooling(states, mask)


def build_tokenizer(config: ModelConfig, texts: list[str]) -> Tokenizer:
    """The tokenizer of the pretrained encoder, or a word tokenizer fitted on the training texts."""
    if config.name == "transformer":
        return without_padding_and_truncation(pretrained.load_tokenizer(config).backend_tokenizer)
    if config.tokens == "pieces":
        return piece_tokenizer(texts, config.vocab_size)
    return word_tokenizer(texts, config.vocab_size, config.min_count)


def build_model(
    config: ModelConfig, tokenizer: Tokenizer, classes: int, architecture: dict[str, Any] | None = None
) -> SentimentNet:
    """The network that the settings name. With the `architecture` of a finished run the weights are random, to be
    loaded from that run. Raises ValueError with one sentence."""
    if config.name == "transformer":
        network = pretrained.build_encoder(config, architecture)
        return SentimentNet(Transformer(network, config), network.config.hidden_size, classes, config)
    size = tokenizer.get_vocab_size()
    embedding = nn.Embedding(size, config.embedding_dim, padding_idx=PAD)
    if architecture:
        embedding = nn.Embedding(size, architecture["embedding_dim"], padding_idx=PAD)
    elif config.word_vectors != "none":
        vectors = pretrained.word_vectors(config, tokenizer)
        embedding = nn.Embedding.from_pretrained(vectors, freeze=False, padding_idx=PAD)
    if config.name == "cnn":
        return SentimentNet(CNN(embedding, config), len(FILTER_WIDTHS) * config.num_filters, classes, config)
    return SentimentNet(BiLSTM(embedding, config), 2 * config.hidden_size, classes, config)


def architecture(model: SentimentNet) -> dict[str, Any]:
    """What is needed in addition to the settings to rebuild the network."""
    encoder = model.encoder
    if isinstance(encoder, Transformer):
        return encoder.network.config.to_diff_dict()
    return {"embedding_dim": encoder.embedding.embedding_dim}
