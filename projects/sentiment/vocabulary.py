"""Text -> numbers: words of the training texts for our own networks, word pieces for a pretrained encoder.

Both are tokenizers of the library `tokenizers`, which also says where in the text each token stands, and whose JSON
form travels in the finished model.
"""

from collections.abc import Sequence

from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

PAD = 0  # in every vocabulary here, and in BERT's
UNKNOWN = 1  # a word that is not known; in BERT's vocabulary a token without a meaning
SPECIAL = ("[PAD]", "[UNK]")
WORD = r"n[’']t\b|\w+?(?=n[’']t\b)|\w+|[’']\w+|[^\w\s]"  # do|n't, it|'s, as in the Penn Treebank and in GloVe


def word_tokenizer(texts: Sequence[str], size: int, min_count: int) -> Tokenizer:
    """The commonest words of the texts, in lower case; a negation is a word of its own."""
    tokenizer = Tokenizer(models.WordLevel(unk_token=SPECIAL[1]))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    trainer = trainers.WordLevelTrainer(
        vocab_size=size, min_frequency=min_count, special_tokens=list(SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def plain(tokenizer: Tokenizer) -> Tokenizer:
    """The same tokenizer without the cutting and filling that it may bring along: both are done here."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], aspects: Sequence[str] | None, longest: int) -> list[list[int]]:
    """The tokens of every text, at most `longest`, at least one; an aspect, if there is one, is a second sequence."""
    inputs = list(texts) if aspects is None else list(zip(texts, aspects))
    return [head_and_tail(ids_of(item), longest) or [UNKNOWN] for item in tokenizer.encode_batch(inputs)]


def ids_of(encoding: Encoding) -> list[int]:
    """The numbers of a text's tokens; one that says [PAD] says nothing, but is no padding."""
    return [token or UNKNOWN for token in encoding.ids]


def head_and_tail(items: list, longest: int) -> list:
    """The first quarter and the last three quarters of what may stay (Sun et al. 2019, head + tail)."""
    head = longest // 4
    return items if len(items) <= longest else items[:head] + items[len(items) - (longest - head) :]
