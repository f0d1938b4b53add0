"""Text -> token ids: words of the training texts for BiLSTM and CNN, word pieces for a pretrained encoder.

Both are tokenizers of the library `tokenizers`, which also gives the position of every token in the text. Their JSON
is saved in the predictor.
"""

from collections.abc import Sequence

from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PAD = 0  # in every vocabulary here, and in BERT's
UNKNOWN = 1  # the unknown word; in BERT's vocabulary an unused token
SPECIAL = ("[PAD]", "[UNK]")
WORD = r"n[’']t\b|\w+?(?=n[’']t\b)|\w+|[’']\w+|[^\w\s]"  # do|n't, it|'s, as in the Penn Treebank and in GloVe


def word_tokenizer(texts: Sequence[str], vocab_size: int, min_count: int) -> Tokenizer:
    """A tokenizer of the most frequent words of the texts, in lower case; a negation (n't) is a separate word."""
    tokenizer = Tokenizer(models.WordLevel(unk_token=SPECIAL[1]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocab_size, min_frequency=min_count, special_tokens=list(SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def without_padding_and_truncation(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without padding and truncation, which are done in this project."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode(
    tokenizer: Tokenizer, texts: Sequence[str], aspects: Sequence[str] | None, max_tokens: int
) -> list[list[int]]:
    """The token ids of every text, between 1 and `max_tokens`; an aspect is encoded as a second sequence."""
    inputs = list(texts) if aspects is None else list(zip(texts, aspects))
    return [head_and_tail(ids_of(item), max_tokens) or [UNKNOWN] for item in tokenizer.encode_batch(inputs)]


def ids_of(encoding: Encoding) -> list[int]:
    """The ids of a text's tokens. The word [PAD] in a text is an unknown word, not padding."""
    return [token or UNKNOWN for token in encoding.ids]


def head_and_tail(items: list, count: int) -> list:
    """At most `count` items: a quarter from the beginning, the rest from the end (head + tail; Sun et al. 2019)."""
    head = count // 4
    return items if len(items) <= count else items[:head] + items[len(items) - (count - head) :]
