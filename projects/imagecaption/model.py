"""The network: an image encoder, and a decoder that attends to the image before every word.

LSTM with attention: Xu et al., Show, Attend and Tell, 2015. Transformer: Vaswani et al., 2017. Letters in shapes: B
photos, K captions of each, T words, L grid points of the feature map, C channels, D = `hidden_size`, V words in the
vocabulary, H attention heads.

Both decoders have the same methods: `precompute` (whatever depends only on the photo), `initial_state`, `step` (one
word, for decoding), `forward` (all words at once, with teacher forcing) and `output_layer` (logits).
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

Memory = tuple[Tensor, ...]  # computed from the photos once, each (B, L, ...)
State = tuple[Tensor, ...]  # updated with every word, each (B, K, ...)


class Captioner(nn.Module):
    """Photos (or their frozen features) and captions -> logits of every next word."""

    encoder: Encoder

    def __init__(self, encoder: Encoder, decoder: "LstmDecoder | TransformerDecoder", fine_tune: bool) -> None:
        super().__init__()
        self.encoder, self.decoder, self.fine_tune = encoder, decoder, fine_tune
        encoder.requires_grad_(fine_tune)

    def train(self, mode: bool = True) -> "Captioner":
        """A frozen encoder stays in evaluation mode, so that its batch statistics do not change."""
        super().train(mode)
        self.encoder.train(mode and self.fine_tune)
        return self

    def features(self, inputs: Tensor) -> Tensor:
        """Photos uint8 (B, S, S, 3), or features (B, L, C) computed earlier -> features (B, L, C)."""
        return self.encoder(inputs) if inputs.dtype == torch.uint8 else inputs.float()

    def forward(self, inputs: Tensor, captions: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher forcing: captions (B, K, T + 1) -> logits (N, V) of the N target words, padding left out, and the
        attention before each word, (B, K, T, L), zero for padding. The K captions of a photo share its features."""
        words, targets = captions[:, :, :-1], captions[:, :, 1:]
        mask = targets != PAD  # (B, K, T)
        outputs, attention = self.decoder(self.features(inputs), words)  # (B, K, T, D), (B, K, T, L)
        return self.decoder.output_layer(outputs[mask]), attention * mask.unsqueeze(3)


class TiedOutputLayer(nn.Module):
    """The output layer of both decoders."""

    embedding: nn.Embedding
    bias: nn.Parameter
    dropout: nn.Dropout

    def output_layer(self, outputs: Tensor) -> Tensor:
        """Outputs (..., D) -> logits (..., V). The weights are those of the word embedding (Press & Wolf 2017)."""
        return F.linear(self.dropout(outputs), self.embedding.weight, self.bias)


class LstmDecoder(TiedOutputLayer):
    """Show, Attend and Tell: before each word, the hidden state attends to the grid points of the photo."""

    def __init__(self, encoder: Encoder, vocab_size: int, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.embedding = word_embedding(vocab_size, d)
        self.image_projection = ImageProjection(encoder, config)
        self.state_init = nn.Linear(d, 2 * d)
        self.attention = AdditiveAttention(d) if config.attention == "additive" else DotAttention(d, config.num_heads)
        self.context_gate = nn.Linear(d, 1)
        self.word_gates, self.recurrent_gates = nn.Linear(d, 4 * d), nn.Linear(2 * d, 4 * d, bias=False)
        nn.init.ones_(self.word_gates.bias[d : 2 * d])  # forget gates start open (Jozefowicz et al. 2015)
        self.deep_output = nn.Linear(2 * d, d)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.dropout = nn.Dropout(config.dropout)

    def precompute(self, features: Tensor) -> Memory:
        """Annotation vectors a (B, L, D) and their attention keys (B, L, D), the same for all words."""
        annotations = self.image_projection(features)
        return annotations, self.attention.key(annotations)

    def initial_state(self, memory: Memory, captions: int) -> State:
        """h_0 and c_0 from the mean annotation vector, (B, K, D) each."""
        both = torch.tanh(self.state_init(memory[0].mean(dim=1))).unsqueeze(1)  # (B, 1, 2 D)
        h, c = both.expand(-1, captions, -1).chunk(2, dim=2)
        return h, c.float()

    def attend(self, memory: Memory, state: State, word_gates: Tensor) -> tuple[Tensor, Tensor, State]:
        """Attention, then one LSTM step. word_gates: W e_t, (B, K, 4 D) -> context z_t (B, K, D), attention alpha_t
        (B, K, L), and the state h_t, c_t."""
        (annotations, keys), (h, c) = memory, state
        z, alpha = self.attention(h, keys, annotations)  # z_t = sum_i alpha_ti a_i
        z = torch.sigmoid(self.context_gate(h)) * z  # beta_t = sigma(f_beta(h_t-1)), the gating scalar
        gates = word_gates + self.recurrent_gates(torch.cat([z, h], dim=2))  # W e_t + U [z_t, h_t-1], (B, K, 4 D)
        i, f, o = torch.sigmoid(gates[:, :, : 3 * h.shape[2]]).chunk(3, dim=2)
        g = torch.tanh(gates[:, :, 3 * h.shape[2] :])
        c = f * c + i * g  # c_t, (B, K, D), in float32
        h = o * torch.tanh(c).to(o.dtype)  # h_t
        return z, alpha, (h, c)

    def combine(self, e: Tensor, h: Tensor, z: Tensor) -> Tensor:
        """The deep output of the paper, (..., D): e_t + L_h h_t + L_z z_t."""
        return e + self.deep_output(self.dropout(torch.cat([h, z], dim=-1)))

    def step(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        """One word: words (B, K) -> output (B, K, D), attention (B, K, L), state."""
        e = self.dropout(self.embedding(words))
        z, alpha, state = self.attend(memory, state, self.word_gates(e))
        return self.combine(e, state[0], z), alpha, state

    def forward(self, features: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """features (B, L, C), words (B, K, T) -> outputs (B, K, T, D), attention (B, K, T, L)."""
        memory = self.precompute(features)
        state = self.initial_state(memory, words.shape[1])
        e = self.dropout(self.embedding(words))  # (B, K, T, D)
        steps = []
        for word_gates in self.word_gates(e).unbind(dim=2):
            z, alpha, state = self.attend(memory, state, word_gates)
            steps.append((state[0], z, alpha))
        h, z, attention = (torch.stack(part, dim=2) for part in zip(*steps))
        return self.combine(e, h, z), attention


class ImageProjection(nn.Module):
    """Features (B, L, C) -> annotation vectors a_1 ... a_L, (B, L, D): projected features with learned positions."""

    def __init__(self, encoder: Encoder, config: ModelConfig) -> None:
        super().__init__()
        self.project = nn.Linear(encoder.channels, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)
        self.position = nn.Parameter(torch.zeros(encoder.grid_points, config.hidden_size))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, features: Tensor) -> Tensor:
        return self.norm(self.project(self.dropout(features)) + self.position)


class DotAttention(nn.Module):
    """alpha = softmax(q . k / sqrt(d)) with several heads; returns the mean attention over the heads."""

    def __init__(self, d: int, num_heads: int) -> None:
        super().__init__()
        self.query, self.key, self.num_heads = nn.Linear(d, d), nn.Linear(d, d), num_heads

    def forward(self, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, K, D), keys and values (B, L, D) -> context (B, K, D), attention (B, K, L)."""
        q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))  # (B, H, K or L, D / H)
        alpha = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=3)  # (B, H, K, L)
        return merge_heads(alpha @ v), alpha.mean(dim=1)


class AdditiveAttention(nn.Module):
    """alpha = softmax(w . tanh(W_a a + W_h h)), as in the paper (Bahdanau et al. 2015)."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.query, self.key, self.score = nn.Linear(d, d), nn.Linear(d, d), nn.Linear(d, 1)

    def forward(self, h: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """h (B, K, D), keys and values (B, L, D) -> context (B, K, D), attention (B, K, L)."""
        both = torch.tanh(self.query(h).unsqueeze(2) + keys.unsqueeze(1))  # (B, K, L, D)
        alpha = self.score(both).squeeze(3).softmax(dim=2)  # (B, K, L)
        return alpha @ values, alpha


class TransformerDecoder(TiedOutputLayer):
    """Blocks of causal self-attention, cross-attention to the photo, and an MLP."""

    def __init__(self, encoder: Encoder, vocab_size: int, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.embedding = word_embedding(vocab_size, d)
        self.position = nn.Parameter(torch.randn(config.max_words + 2, d) * d**-0.5)
        self.image_projection = ImageProjection(encoder, config)
        self.blocks: Iterable[Any] = nn.ModuleList(DecoderBlock(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(d)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.dropout = nn.Dropout(config.dropout)

    def precompute(self, features: Tensor) -> Memory:
        """Keys and values of the photo for the cross-attention of every block, (B, L, 2 D) each."""
        annotations = self.image_projection(features)
        return tuple(block.cross_attention.key_value(annotations) for block in self.blocks)

    def initial_state(self, memory: Memory, captions: int) -> State:
        """An empty cache of keys and values for every block, (B, K, 0, 2 D) each."""
        return tuple(image.new_empty(len(image), captions, 0, image.shape[2]) for image in memory)

    def step(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        """One word: words (B, K) -> output (B, K, D), attention (B, K, L), state."""
        outputs, attention, state = self._run(memory, state, words.unsqueeze(2))
        return outputs.squeeze(2), attention.squeeze(2), state

    def forward(self, features: Tensor, words: Tensor) -> tuple[Tensor, Tensor]:
        """features (B, L, C), words (B, K, T) -> outputs (B, K, T, D), attention (B, K, T, L)."""
        memory = self.precompute(features)
        outputs, attention, _ = self._run(memory, self.initial_state(memory, words.shape[1]), words)
        return outputs, attention

    def _run(self, memory: Memory, state: State, words: Tensor) -> tuple[Tensor, Tensor, State]:
        """words (B, K, T), which follow those in the caches -> outputs (B, K, T, D), attention of the last block
        (B, K, T, L), longer caches."""
        past, new = state[0].shape[2], words.shape[2]
        # causal mask: new word t attends to all past words and to the new ones up to itself
        allowed = torch.ones(new, past + new, dtype=torch.bool, device=words.device).tril(past)
        x = self.dropout(self.embedding(words) + self.position[past : past + new])  # (B, K, T, D)
        caches, attention = [], words.new_zeros(())
        for block, image, cache in zip(self.blocks, memory, state):
            x, attention, cache = block(x, image, cache, allowed)
            caches.append(cache)
        return self.norm(x), attention, tuple(caches)


class DecoderBlock(nn.Module):
    """x + self-attention(x), x + cross-attention(x), x + MLP(x), each on normalised x (pre-norm; Xiong et al. 2020)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        d = config.hidden_size
        self.self_attention, self.cross_attention = Attention(d, config.num_heads), Attention(d, config.num_heads)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(4 * d, d))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(3))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, image: Tensor, cache: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, K, T, D); keys and values: image (B, L, 2 D), cache (B, K, past, 2 D) -> x, attention (B, K, T, L),
        cache (B, K, past + T, 2 D)."""
        b, k, t, d = x.shape
        own = self.norms[0](x)
        cache = torch.cat([cache, self.self_attention.key_value(own)], dim=2)
        # a caption attends to its own words only, so B and K are one batch dimension
        context, _ = self.self_attention(own.flatten(0, 1), cache.flatten(0, 1), allowed)  # (B K, T, D)
        x = x + self.dropout(context.view(b, k, t, d))
        # all K captions attend to the same photo, so K and T are one sequence
        context, attention = self.cross_attention(self.norms[1](x).view(b, k * t, d), image)  # (B, K T, D), (B, K T, L)
        x = x + self.dropout(context.view(b, k, t, d))
        x = x + self.dropout(self.mlp(self.norms[2](x)))
        return x, attention.view(b, k, t, -1), cache


class Attention(nn.Module):
    """Multi-head attention whose keys and values are computed separately, so that they can be cached."""

    def __init__(self, d: int, num_heads: int) -> None:
        super().__init__()
        self.query, self.key_value, self.output = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.num_heads = num_heads

    def forward(self, x: Tensor, key_value: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, N, D), key_value (B, M, 2 D), allowed (N, M) -> (B, N, D) and the mean attention (B, N, M)."""
        q, k, v = (split_heads(part, self.num_heads) for part in (self.query(x), *key_value.chunk(2, dim=2)))
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # (B, H, N, M)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, float("-inf"))
        alpha = scores.softmax(dim=3)
        return self.output(merge_heads(alpha @ v)), alpha.mean(dim=1)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(B, N, D) -> (B, H, N, D / H)."""
    return x.unflatten(2, (num_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, N, D / H) -> (B, N, D)."""
    return x.transpose(1, 2).flatten(2)


def word_embedding(vocab_size: int, d: int) -> nn.Embedding:
    """Word embeddings of norm about 1, which suits both uses: as input, and as weights of the output layer."""
    embedding = nn.Embedding(vocab_size, d)
    nn.init.normal_(embedding.weight, std=d**-0.5)
    return embedding


def build_model(config: ModelConfig, vocab_size: int, pretrained: bool = True) -> Captioner:
    """The network that the settings describe. Without `pretrained` all its weights are random. Raises ValueError."""
    encoder = build_encoder(config, pretrained)
    decoder = (LstmDecoder if config.decoder == "lstm" else TransformerDecoder)(encoder, vocab_size, config)
    return Captioner(encoder, decoder, config.fine_tune)
