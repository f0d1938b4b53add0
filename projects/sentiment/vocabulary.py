"""Text -> token ids: words of the training texts for BiLSTM and CNN, word pieces for a pretrained encoder.

Both are tokenizers of the library `tokenizers`, which also gives the position of every token in the text. Their JSON
is saved in the predictor.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from projects.sentiment.aspects import marked
from projects.sentiment.config import ModelConfig

PAD = 0  # in every vocabulary here, and in BERT's
UNKNOWN = 1  # the unknown word; in BERT's vocabulary an unused token
SPECIAL = ("[PAD]", "[UNK]")
WORD = r"n[’']t\b|\w+?(?=n[’']t\b)|\w+|[’']\w+|[^\w\s]"  # do|n't, it|'s, as in the Penn Treebank and in GloVe


def word_tokenizer(texts: Sequence[str], vocab_size: int, min_count: int) -> Tokenizer:
    """A tokenizer of the most frequent words of the texts, in lower case; a negation (n't) is a separate word."""
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocab_size, min_frequency=min_count, special_tokens=list(SPECIAL), show_progress=False
    )
    return _trained(models.WordLevel(unk_token=SPECIAL[1]), trainer, texts)


def piece_tokenizer(texts: Sequence[str], vocab_size: int) -> Tokenizer:
    """A tokenizer of the same words that splits the rarer ones into pieces."""
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size, limit_alphabet=150, special_tokens=list(SPECIAL), show_progress=False
    )
    return _trained(models.WordPiece(unk_token=SPECIAL[1]), trainer, texts)


def _trained(model: models.Model, trainer: trainers.Trainer, texts: Sequence[str]) -> Tokenizer:
    """A tokenizer of the lower-case words of the texts."""
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def without_padding_and_truncation(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without padding and truncation, which are done in this project."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], aspects: Sequence[str] | None, model: ModelConfig
) -> list[list[list[int]]]:
    """The windows of every text, each of 1 to `max_tokens` token ids; an aspect is encoded as a second sequence."""
    if model.windows > 1 and aspects is not None:
        raise ValueError(f"model.windows {model.windows} is for texts without aspects; set --model.windows 1")
    if aspects is None:
        inputs = list(texts)
    else:
        inputs = list(zip(map(marked, texts, aspects) if model.mark_aspect else texts, aspects))
    return [
        windows_of(ids_of(item, padding_of(tokenizer)), item.special_tokens_mask, model.max_tokens, model.windows)
        for item in tokenizer.encode_batch(inputs)
    ]


def windows_of(tokens: list, special: Sequence[int], max_tokens: int, windows: int) -> list[list]:
    """The tokens of a text as at most this number of windows of about equal length, each with the special tokens at
    beginning and end (1 in `special`); one window may be truncated in the middle instead (`head_and_tail`)."""
    if windows == 1 or len(tokens) <= max_tokens:
        return [head_and_tail(tokens, max_tokens) or [UNKNOWN]]
    start = next((place for place, is_special in enumerate(special) if not is_special), 0)
    end = len(tokens) - next((place for place, is_special in enumerate(reversed(special)) if not is_special), 0)
    room = max_tokens - start - (len(tokens) - end)
    body = head_and_tail(tokens[start:end], windows * room)
    count = -(-len(body) // room)
    bounds = [len(body) * number // count for number in range(count + 1)]
    return [tokens[:start] + body[low:high] + tokens[end:] for low, high in pairwise(bounds)]


def ids_of(encoding: Encoding, pad: int = PAD) -> list[int]:
    """The ids of a text's tokens. The word [PAD] in a text is an unknown word, not padding.

    pad: the tokenizer's own padding, which changes places with token 0 (see `exchanged`).
    """
    if pad == PAD:
        return [token or UNKNOWN for token in encoding.ids]
    return [pad if token == PAD else UNKNOWN if token == pad else token for token in encoding.ids]


def padding_of(tokenizer: Tokenizer) -> int:
    """The id of a tokenizer's padding: 0, but 1 in XLM-R."""
    return tokenizer.token_to_id("<pad>") or PAD


def exchanged(tokens: Tensor, pad: int) -> Tensor:
    """Token ids with 0, which is padding here, and `pad`, which is that of an encoder, in each other's place."""
    return tokens if pad == PAD else torch.where(tokens == PAD, pad, torch.where(tokens == pad, PAD, tokens))


def head_and_tail(items: list, count: int) -> list:
    """At most `count` items: a quarter from the beginning, the rest from the end (head + tail; Sun et al. 2019)."""
    head = count // 4
    return items if len(items) <= count else items[:head] + items[len(items) - (count - head) :]
