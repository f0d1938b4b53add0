"""The network: an encoder that sees, and a decoder that attention_maps around while it writes.

LSTM with attention: Xu et al., Show, Attend and Tell, 2015. Transformer: Vaswani et al., 2017. Letters in shapes: B
photos, K captions of each, T words, L places of the grid, C features of a place, D = `hidden_size`, V words known.
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from projects.imagecaption.config import ModelConfig
from projects.imagecaption.encoder import Encoder, build_encoder
from projects.imagecaption.vocabulary import PAD

Memory = tuple[Tensor, ...]  # what a decoder keeps of the photos, each (B, L, ...)
State = tuple[Tensor, ...]  # what it knows after some words, each (B, K, ...)


class Captioner(nn.Module):
    """Photos (or their frozen features) and captions -> how likely each next word is."""

    encoder: Encoder

    def __init__(self, encoder: Encoder, decoder: "LstmDecoder | TransformerDecoder", fine_tune: bool) -> None:
        super().__init__()
        self.encoder, self.decoder, self.fine_tune = encoder, decoder, fine_tune
        encoder.requires_grad_(fine_tune)

    def train(self, mode: bool = True) -> "Captioner":
        """A frozen encoder stays as it is in training, its normalisations too."""
        super().train(mode)
        self.encoder.train(mode and self.fine_tune)
        return self

    def grid(self, seen: Tensor) -> Tensor:
        """uint8 photos (B, S, S, 3), or what the encoder once made of them, (B, L, C) -> (B, L, C)."""
        return self.encoder(seen) if seen.dtype == torch.uint8 else seen.float()

    def forward(self, seen: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
        """captions (B, K, T + 1) -> logits (W, V) for the W words that follow another, padding left out, and where the
        decoder looked before each word, (B, K, T, L), zero for padding. The K captions share one grid."""
        words, targets = captions[:, :, :-1], captions[:, :, 1:]
        said = targets != PAD  # (B, K, T)
        states, attention = self.decoder(self.grid(seen), words)  # (B, K, T, D), (B, K, T, L)
        return self.decoder.output_layer(states[said]), attention * said.unsqueeze(3)


class LstmDecoder(nn.Module):
    """Show, Attend and Tell: before each word, look at the photo with what has been said in mind."""

    def __init__(self, encoder: Encoder, words: int, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.embedding = word_embedding(words, d)
        self.image_projection = ImageProjection(encoder, config)
        self.begin = nn.Linear(d, 2 * d)
        self.attention = AdditiveAttention(d) if config.attention == "additive" else DotAttention(d, config.num_heads)
        self.beta = nn.Linear(d, 1)
        self.word_gates, self.gates = nn.Linear(d, 4 * d), nn.Linear(2 * d, 4 * d, bias=False)
        nn.init.ones_(self.word_gates.bias[d : 2 * d])  # at the beginning, remember
        self.output = nn.Linear(2 * d, d)
        self.bias = nn.Parameter(torch.zeros(words))
        self.dropout = nn.Dropout(config.dropout)

    def precompute(self, grid: Tensor) -> Memory:
        """What stays the same for all words: annotations a (B, L, D) and their keys (B, L, D)."""
        annotations = self.image_projection(grid)
        return annotations, self.attention.key(annotations)

    def initial_state(self, memory: Memory, captions: int) -> State:
        """h_0 and c_0 from the mean annotation, (B, K, D) each."""
        both = torch.tanh(self.begin(memory[0].mean(dim=1))).unsqueeze(1)  # (B, 1, 2 D)
        h, c = both.expand(-1, captions, -1).chunk(2, dim=2)
        return h, c.float()

    def attend(self, memory: Memory, state: State, word_gates: Tensor) -> tuple[Tensor, Tensor, State]:
        """One word on: W e_t (B, K, 4 D) -> what was seen z_t (B, K, D), where alpha_t (B, K, L), and h_t, c_t."""
        (annotations, keys), (h, c) = memory, state
        z, alpha = self.attention(h, keys, annotations)  # z_t = sum_i alpha_ti a_i
        z = torch.sigmoid(self.beta(h)) * z  # beta_t = sigma(f_beta(h_t-1)): how much it matters
        gates = word_gates + self.gates(torch.cat([z, h], dim=2))  # T (e_t, z_t, h_t-1), (B, K, 4 D)
        i, f, o = torch.sigmoid(gates[:, :, : 3 * h.shape[2]]).chunk(3, dim=2)
        g = torch.tanh(gates[:, :, 3 * h.shape[2] :])
        c = f * c + i * g  # (B, K, D), in float32
        h = o * torch.tanh(c).to(o.dtype)
        return z, alpha, (h, c)

    def combine(self, e: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """What the next word is read from, (..., D): E y_t-1 + L_h h_t + L_z z_t."""
        return e + self.output(self.dropout(torch.cat([h, z], dim=-1)))

    def step(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        """One word on: words (B, K) -> output (B, K, D), attention (B, K, L), state."""
        e = self.dropout(self.embedding(words))
        z, alpha, state = self.attend(memory, state, self.word_gates(e))
        return self.combine(e, state[0], z), alpha, state

    def forward(self, grid: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """grid (B, L, C), words (B, K, T) -> outputs (B, K, T, D), attention (B, K, T, L)."""
        memory = self.precompute(grid)
        state = self.initial_state(memory, words.shape[1])
        e = self.dropout(self.embedding(words))  # (B, K, T, D)
        steps = []
        for word_gates in self.word_gates(e).unbind(dim=2):
            z, alpha, state = self.attend(memory, state, word_gates)
            steps.append((state[0], z, alpha))
        h, z, alpha = (torch.stack(part, dim=2) for part in zip(*steps))
        return self.combine(e, h, z), alpha

    def output_layer(self, y: Tensor) -> Tensor:
        """Outputs (..., D) -> logits (..., V); L_o is the word embedding itself (Press & Wolf 2017)."""
        return F.linear(self.dropout(y), self.embedding.weight, self.bias)


class ImageProjection(nn.Module):
    """Grid (B, L, C) -> annotation vectors a_1 ... a_L, (B, L, D), which know what they show and where they are."""

    def __init__(self, encoder: Encoder, config: ModelConfig) -> None:
        super().__init__()
        self.project = nn.Linear(encoder.width, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.position = nn.Parameter(torch.zeros(encoder.grid_points, config.hidden_size))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, grid: Tensor) -> Tensor:
        return self.norm(self.project(self.dropout(grid)) + self.position)


class DotAttention(nn.Module):
    """alpha = softmax(q . k / sqrt(d)), in several heads; the places looked at are the mean over heads."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.query, self.key, self.num_heads = nn.Linear(d, d), nn.Linear(d, d), heads

    def forward(self, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, K, D), keys and values (B, L, D) -> what is seen (B, K, D), where (B, K, L)."""
        q, k, v = (split(x, self.num_heads) for x in (self.query(h), keys, values))  # (B, heads, K or L, D / heads)
        alpha = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=3)  # (B, heads, K, L)
        return join(alpha @ v), alpha.mean(dim=1)


class AdditiveAttention(nn.Module):
    """alpha = softmax(w . tanh(W_a a + W_h h)), as in the paper (Bahdanau et al. 2015)."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.query, self.key, self.score = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, 1)

    def forward(self, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, K, D), keys and values (B, L, D) -> what is seen (B, K, D), where (B, K, L)."""
        both = torch.tanh(self.query(h).unsqueeze(2) + keys.unsqueeze(1))  # (B, K, L, D)
        alpha = self.score(both).squeeze(3).softmax(dim=2)  # (B, K, L)
        return alpha @ values, alpha


class TransformerDecoder(nn.Module):
    """Blocks of causal self-attention, a look at the grid, and a feed-forward layer."""

    def __init__(self, encoder: Encoder, words: int, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.embedding = word_embedding(words, d)
        self.position = nn.Parameter(torch.randn(config.max_words + 2, d) * d**-0.5)
        self.image_projection = ImageProjection(encoder, config)
        self.blocks: Iterable[Any] = nn.ModuleList(DecoderBlock(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(d)
        self.bias = nn.Parameter(torch.zeros(words))
        self.dropout = nn.Dropout(config.dropout)

    def precompute(self, grid: Tensor) -> Memory:
        """Keys and values of the grid for every block, (B, L, 2 D) each."""
        annotations = self.image_projection(grid)
        return tuple(block.cross_attention.key_value(annotations) for block in self.blocks)

    def initial_state(self, memory: Memory, captions: int) -> State:
        """No word yet: an empty cache of keys and values for every block, (B, K, 0, 2 D) each."""
        return tuple(grid.new_empty(len(grid), captions, 0, grid.shape[2]) for grid in memory)

    def step(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        """One word on: words (B, K) -> output (B, K, D), attention (B, K, L), state."""
        x, attention_maps, state = self._run(memory, state, words.unsqueeze(2))
        return x.squeeze(2), attention_maps.squeeze(2), state

    def forward(self, grid: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """grid (B, L, C), words (B, K, T) -> outputs (B, K, T, D), attention (B, K, T, L)."""
        memory = self.precompute(grid)
        x, attention_maps, _ = self._run(memory, self.initial_state(memory, words.shape[1]), words)
        return x, looks

    def _run(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        past, new = state[0].shape[2], words.shape[2]
        # word t of the new ones may look at all past words and at the new ones up to itself
        allowed = torch.ones(new, past + new, dtype=torch.bool, device=words.device).tril(past)
        x = self.dropout(self.embedding(words) + self.position[past : past + new])  # (B, K, T, D)
        caches, attention_maps = [], words.new_zeros(())
        for block, grid, cache in zip(self.blocks, memory, state):
            x, attention_maps, cache = block(x, grid, cache, allowed)
            caches.append(cache)
        return self.norm(x), attention_maps, tuple(caches)

    def output_layer(self, y: Tensor) -> Tensor:
        """Outputs (..., D) -> logits (..., V), by the word embedding itself (Press & Wolf 2017)."""
        return F.linear(self.dropout(y), self.embedding.weight, self.bias)


class DecoderBlock(nn.Module):
    """x + self_attention(x), x + see(x), x + think(x), each on normalised x (Xiong et al. 2020)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.self_attention, self.cross_attention = Attention(d, config.num_heads), Attention(d, config.num_heads)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(4 * d, d))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, grid: Tensor, cache: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, K, T, D), grid (B, L, 2 D), cache (B, K, past, 2 D) -> x, attention (B, K, T, L), longer cache."""
        b, k, t, d = x.shape
        own = self.norms[0](x)
        cache = torch.cat([cache, self.self_attention.key_value(own)], dim=2)  # (B, K, past + T, 2 D)
        said, _ = self.self_attention(own.flatten(0, 1), cache.flatten(0, 1), allowed)  # a caption sees only itself
        x = x + self.dropout(said.view(b, k, t, d))
        seen, attention_maps = self.cross_attention(
            self.norms[1](x).view(b, k * t, d), grid
        )  # all K * T words share the grid
        x = x + self.dropout(seen.view(b, k, t, d))
        x = x + self.dropout(self.mlp(self.norms[2](x)))
        return x, attention_maps.view(b, k, t, -1), cache


class Attention(nn.Module):
    """Multi-head attention whose keys and values are computed apart, so that they can be kept."""

    def __init__(self, d: int, heads: int) -> None:
        super().__init__()
        self.query, self.key_value, self.output = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.num_heads = heads

    def forward(self, x: Tensor, key_value: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, N, D), key_value (B, M, 2 D), allowed (N, M) -> (B, N, D) and the mean attention (B, N, M)."""
        q, k, v = (split(part, self.num_heads) for part in (self.query(x), *key_value.chunk(2, dim=2)))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # (B, heads, N, M)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, float("-inf"))
        alpha = scores.softmax(dim=3)
        return self.output(join(alpha @ v)), alpha.mean(dim=1)


def split(x: Tensor, heads: int) -> Tensor:
    """(B, N, D) -> (B, heads, N, D / heads)."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def join(x: Tensor) -> Tensor:
    """(B, heads, N, D / heads) -> (B, N, D)."""
    return x.transpose(1, 2).flatten(2)


def word_embedding(words: int, d: int) -> nn.Embedding:
    """Word vectors of length about 1, so that they can also read words out."""
    embedding = nn.Embedding(words, d)
    nn.init.normal_(embedding.weight, std=d**-0.5)
    return embedding


def build_model(config: ModelConfig, size: int, words: int, pretrained: bool = True) -> Captioner:
    """The network that the settings name, for photos of `size` pixels and so many words. Raises ValueError."""
    encoder = build_encoder(config, size, pretrained)
    decoder = (LstmDecoder if config.decoder == "lstm" else TransformerDecoder)(encoder, words, config)
    return Captioner(encoder, decoder, config.fine_tune)
