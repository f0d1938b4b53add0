"""sentiment on the real command line, with a small network on a small sample."""

import dataclasses
import gzip
import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import BertWordPieceTokenizer, Tokenizer, models, pre_tokenizers, processors

from projects.sentiment import own_training
from projects.sentiment.attribution import highlighted_html, integrated_gradients, word_attributions
from projects.sentiment.baselines import Baselines, stack, stacking_weight
from projects.sentiment.checklist import run_checks
from projects.sentiment.clauses import sentences_of
from projects.sentiment.config import (
    Config,
    CustomerReportOptions,
    DataConfig,
    EvaluateOptions,
    EvaluationConfig,
    LabelOptions,
    ModelConfig,
)
from projects.sentiment.data import ReviewData, Texts, fingerprints, pad, pad_windows, to_dataset
from projects.sentiment.evaluate import evaluate, with_settings_of
from projects.sentiment.label import label
from projects.sentiment.language import common_language, language
from projects.sentiment.model import build_model, build_tokenizer
from projects.sentiment.predictor import Predictor, pack, unpack
from projects.sentiment.pretrained import build_encoder, set_attention_dropout, word_vectors
from projects.sentiment.review_checks import check_stars
from projects.sentiment.reviews import read_reviews
from projects.sentiment.sources import Table, clean, own_data
from projects.sentiment.train import load_teacher, taught, train, train_network
from projects.sentiment.vocabulary import (
    PAD,
    encode,
    head_and_tail,
    piece_tokenizer,
    windows_of,
    word_tokenizer,
)
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments, read_yaml
from shared.data.loader import Batches
from shared.data.provenance import Fingerprints, Provenance
from shared.evaluation.inference import predict
from shared.files import read_json
from shared.runs import Run
from tests.conftest import ROOT, CommandLine, one_and_two_processes, train_once, write_csv

TRAIN, EVALUATE, PREDICT, CUSTOMER_REPORT = (
    f"projects.sentiment.{name}" for name in ("train", "evaluate", "predict", "customer_report")
)
SMOKE = ROOT / "configs" / "sentiment" / "smoke.yaml"


def tiny(sample_root: Path, *more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return ["--config", str(SMOKE), "--data.source=sample", f"--data.root={sample_root}", *more]


def tiny_config(sample_root: Path, *more: str) -> Config:
    """The same settings as an object."""
    return load(Config, read_yaml(SMOKE), parse_arguments(tiny(sample_root, *more)[2:]))


@pytest.fixture(scope="session")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.sentiment.train` was run once."""
    folder = tmp_path_factory.mktemp("sentiment")
    return train_once(TRAIN, tiny(sample_root), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "sentiment").iterdir()
    return folder


@pytest.fixture(scope="session")
def predictor(run_folder: Path) -> Predictor:
    return Predictor.load(run_folder / "model.safetensors")


@pytest.fixture(scope="session")
def sample(sample_root: Path) -> ReviewData:
    return ReviewData(tiny_config(sample_root).data)


TINY = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "initializer_range": 0.3,
}  # fmt: skip
"""The size of encoders for tests."""


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random BERT and its tokenizer, in the form of the Hugging Face hub."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "lid", "is", "not", "good", "bad", ".", "##s"]
    pieces = BertWordPieceTokenizer(vocab={word: number for number, word in enumerate(words)})
    transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]").save_pretrained(folder)
    config = transformers.BertConfig(vocab_size=len(words), **TINY)
    seed_everything(0)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def multilingual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random XLM-R, whose padding is token 1, and its tokenizer."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("xlmr")
    words = ["<s>", "<pad>", "</s>", "<unk>", "▁the", "▁lid", "▁is", "▁not", "▁good", "▁bad", ".", "▁schlecht"]
    pieces = Tokenizer(models.Unigram([(word, -float(number)) for number, word in enumerate(words)], unk_id=3))
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    config = transformers.XLMRobertaConfig(vocab_size=len(words), max_position_embeddings=66, **TINY)
    seed_everything(0)
    transformers.XLMRobertaModel(config).save_pretrained(folder)
    return folder


# --- training


def test_training_losses_match_golden_values(run_folder: Path) -> None:
    golden = [0.7289, 0.7017, 0.6476]
    assert [row["train_loss"] for row in Run(run_folder).history()] == pytest.approx(golden, rel=0.01)


@pytest.mark.parametrize("name", ["bilstm", "cnn", "transformer"])
def test_the_network_overfits_one_batch(sample: ReviewData, name: str, request: pytest.FixtureRequest) -> None:
    seed_everything(0)
    place = str(request.getfixturevalue("pretrained")) if name == "transformer" else "minilm"
    config = ModelConfig(name=name, embedding_dim=32, hidden_size=32, num_filters=32, dropout=0, pretrained=place)
    texts = ["the lid is good .", "the lid is not good .", "the lid is bad ."]
    tokenizer = build_tokenizer(config, texts * 2)
    model = build_model(config, tokenizer, 2)
    tokens, targets = pad([tokenizer.encode(text).ids for text in texts]), torch.tensor([1, 0, 0])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(80):
        loss = torch.nn.functional.cross_entropy(model(tokens), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05


@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
@pytest.mark.slow
def test_two_processes_train_to_the_weights_of_one(tmp_path: Path, sample_root: Path) -> None:
    settings = tiny(sample_root, "--model.dropout=0", "--training.epochs=1", "--evaluation.checklist=false")
    runs = one_and_two_processes(TRAIN, settings, tmp_path)
    one, two = (Predictor.load(run.model_file) for run in runs)
    for p, q in zip(one.network.parameters(), two.network.parameters()):
        torch.testing.assert_close(p, q, atol=1e-4, rtol=1e-3)
    first, second = (read_json(run.folder / "evaluation.json")["metrics"] for run in runs)
    assert first == pytest.approx(second, abs=0.01)


# --- data


def test_no_product_and_no_text_crosses_a_split(sample_root: Path) -> None:
    data = ReviewData(tiny_config(sample_root, "--data.split=product").data)
    parts: dict[str, set[str]] = {}
    for product, part in zip(data.table.products or [], data.parts):
        parts.setdefault(product, set()).add(part)
    assert all(len(where) == 1 for where in parts.values())
    texts = [set(data.part(name).texts) for name in ("train", "validation", "test")]
    assert not texts[0] & texts[1] | texts[1] & texts[2] | texts[0] & texts[2]


def test_padding_does_not_change_the_logits(sample: ReviewData, pretrained: Path) -> None:
    for name in ("bilstm", "cnn", "transformer"):
        for pooling in ("max", "mean", "attention"):
            config = ModelConfig(
                name=name, pooling=pooling, embedding_dim=8, hidden_size=8, num_filters=8, pretrained=str(pretrained)
            )
            tokenizer = build_tokenizer(config, sample.train.texts)
            network = build_model(config, tokenizer, 3).eval()
            tokens = pad([tokenizer.encode(text).ids for text in sample.test.texts[:4]])
            wider = torch.cat([tokens, torch.zeros(4, 9, dtype=torch.long)], dim=1)
            torch.testing.assert_close(network(tokens), network(wider), atol=1e-5, rtol=1e-5)


def test_batches_hold_texts_of_about_equal_length_and_every_text_once(sample: ReviewData) -> None:
    tokenizer = word_tokenizer(sample.train.texts, 500, 1)
    texts = to_dataset(sample.train, tokenizer, ModelConfig(max_tokens=64))
    plain, sorted_ = (Batches(texts, 16, 0, lengths=lengths) for lengths in (None, texts.lengths))

    def padding(batches: Batches) -> int:
        return sum(int((tokens == 0).sum()) for tokens, _ in batches.epoch(0))

    assert padding(sorted_) < 0.3 * padding(plain)
    indices = [item.index for batch in sorted_.order(0) for item in batch]
    assert len(indices) == len(set(indices)) == len(sorted_) * 16
    assert sorted_.order(0) != sorted_.order(1)


def test_predicting_by_length_keeps_the_order(sample: ReviewData) -> None:
    texts = to_dataset(sample.test, word_tokenizer(sample.test.texts, 500, 1), ModelConfig(max_tokens=64))
    network = torch.nn.Embedding(1, 1)  # a model needs a parameter
    network.forward = lambda tokens: (tokens != 0).sum(dim=1, keepdim=True).float()
    counted = predict(network, texts, batch_size=7, lengths=texts.lengths)
    assert counted[:, 0].int().tolist() == texts.lengths


def test_long_texts_are_truncated_in_the_middle() -> None:
    assert head_and_tail(list(range(10)), 4) == [0, 7, 8, 9]
    assert head_and_tail([1, 2], 4) == [1, 2]


def test_windows_cover_a_long_text_and_each_has_the_special_tokens() -> None:
    text, special = [1, *range(10, 30), 2], [1, *[0] * 20, 1]
    windows = windows_of(text, special, 9, 4)
    assert [len(window) for window in windows] == [8, 9, 9]  # 20 tokens in three windows
    assert [token for window in windows for token in window[1:-1]] == text[1:-1]
    assert all((window[0], window[-1]) == (1, 2) for window in windows)
    (first, second) = windows_of(text, special, 9, 2)  # room for 14 of 20 tokens: 3 of the beginning, 11 of the end
    assert first[1:-1] + second[1:-1] == [*range(10, 13), *range(19, 30)]
    assert windows_of(text, special, 9, 1) == [head_and_tail(text, 9)]


def test_the_logits_of_a_text_are_the_mean_over_its_windows(sample: ReviewData, pretrained: Path) -> None:
    for name in ("bilstm", "cnn", "transformer"):
        config = ModelConfig(name=name, embedding_dim=8, hidden_size=8, num_filters=8, pretrained=str(pretrained))
        network = build_model(config, build_tokenizer(config, sample.train.texts), 3).eval()
        texts = [[[5, 6, 7], [8, 9]], [[6]], [[4, 5], [9, 8, 7], [5, 5]]]
        logits = network(pad_windows(texts))
        for windows, row in zip(texts, logits):
            alone = torch.stack([network(torch.tensor([ids]))[0] for ids in windows])
            torch.testing.assert_close(row, alone.mean(dim=0), atol=1e-5, rtol=1e-5)
        assert torch.equal(network(pad_windows([texts[1]])), network(torch.tensor([[6]])))  # one window: as without


def test_attributions_of_windows_reach_every_word(sample: ReviewData, pretrained: Path) -> None:
    config = ModelConfig(name="transformer", pretrained=str(pretrained))
    tokenizer = build_tokenizer(config, [])
    network = build_model(config, tokenizer, 2).eval()
    text = "the lid is not good . the lid is bad ."
    settings = [ModelConfig(max_tokens=8, windows=windows) for windows in (1, 2)]
    cut, whole = (word_attributions(network, tokenizer, text, None, one) for one in settings)
    assert sum(value == 0 for _, value in cut) == 5  # ten words, room for six besides the special tokens ...
    assert all(value != 0 for _, value in whole)
    assert [word for word, _ in whole] == text.split()


def test_windows_refuse_texts_with_aspects(sample: ReviewData) -> None:
    with pytest.raises(ValueError, match=r"model\.windows 4 is for texts without aspects"):
        encode(word_tokenizer(["a"], 100, 1), ["a"], ["b"], ModelConfig(windows=4))


def test_an_aspect_is_marked_where_it_stands() -> None:
    texts, aspects = ["the bars of the bar", "dark"], ["bar", "bar"]
    tokenizer = word_tokenizer([*texts, "[ ]"], 100, 1)
    for mark, expected in (
        (False, ["the bars of the bar bar", "dark bar"]),
        (True, ["the bars of the [ bar ] bar", "dark bar"]),
    ):
        inputs = encode(tokenizer, texts, aspects, ModelConfig(mark_aspect=mark))
        assert [" ".join(tokenizer.id_to_token(token) for token in windows[0]) for windows in inputs] == expected


def test_a_negation_is_a_separate_token() -> None:
    tokens = word_tokenizer(["I don't like it", "isn't it"], 100, 1).encode("I don't").tokens
    assert tokens == ["i", "do", "n't"]


def test_user_errors_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    path = write_csv(tmp_path / "one.csv", text=["a", "b"], label=["x", "x"])
    answer = command(TRAIN, "--data.source", "csv", "--data.root", path)
    assert answer.returncode == 2, answer.stdout
    assert answer.stderr.splitlines()[-1] == f"sentiment: {path} has only one class, x: two or more are needed"
    assert not list(tmp_path.glob("runs/sentiment/*"))


def test_the_linear_baselines_are_fitted_even_where_no_word_occurs_twice() -> None:
    simple = Baselines.fit(["sturdy lid", "flimsy cord"], np.array([1, 0]), 2)
    assert simple.predict(["sturdy", "flimsy"], ["negative", "positive"])["tfidf_lr"].tolist() == [1, 0]


def test_an_encoder_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    config = ModelConfig(name="transformer", pretrained=str(tmp_path / "none"))
    with pytest.raises(ValueError, match="is neither a folder with an encoder"):
        build_tokenizer(config, [])


def test_linear_baselines_do_not_solve_the_sample(sample: ReviewData) -> None:
    simple = Baselines.fit(sample.train.texts, sample.train.labels, 2)
    answers = simple.predict(sample.test.texts, sample.classes)
    for name in ("tfidf_lr", "nb_lr"):
        assert (answers[name] == sample.test.labels).mean() < 0.85


def test_control_characters_markup_and_foreign_words_are_read() -> None:
    assert clean("a<br />b\x00\n c\u0301") == "a b ć"
    assert clean("isn&#39;t<BR>re\u00adliable &amp; co") == "isn't reliable & co"
    assert clean("とても良い  Größe 👍") == "とても良い Größe thumbs up"


def test_emoji_and_emoticons_become_words() -> None:
    assert clean("great👍🏽!! ❤️ but 👎") == "great thumbs up !! red heart but thumbs down"
    assert clean("nice :-) bad :( &lt;3") == "nice smiling face bad frowning face red heart"
    assert clean("so sad D: ): broke D:") == "so sad frowning face frowning face broke frowning face"
    for plain in ("Vitamin D: works.", 'The size ("large"): perfect.', "Fine (really!): yes"):
        assert clean(plain) == plain
    plain = "see http://a.de (list: (b)) at 10:30, ratio 3:1, lasts <3 hours, x = (1) ©"
    assert clean(plain) == plain
    assert clean(clean("👩🏽‍🍳 :)")) == clean("👩🏽‍🍳 :)")


def test_the_language_of_texts_is_named_where_it_is_certain() -> None:
    pytest.importorskip("py3langid")
    assert language("The handle broke, but they sent a new one at once.") == "English"
    assert language("Das Produkt ist leider nach zwei Tagen kaputt gegangen.") == "German"
    assert language("ok") == language("!!") == ""
    assert common_language(["Muy bueno, me gusta mucho.", "No me gusta nada, es muy caro.", "ok"]) == "Spanish"


# --- model


def test_a_multilingual_encoder_gets_its_own_tokens(multilingual: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    config = ModelConfig(name="transformer", pretrained=str(multilingual), pooling="mean", max_tokens=64)
    tokenizer = build_tokenizer(config, [])
    network = build_model(config, tokenizer, 2).eval()
    texts = ["the lid is not good.", "schlecht <pad>", "the the"]
    ours = network.encoder(
        *(lambda tokens: (tokens, tokens != PAD))(pad_windows(encode(tokenizer, texts, None, config)))
    )
    theirs, hidden = AutoTokenizer.from_pretrained(multilingual), AutoModel.from_pretrained(multilingual).eval()
    for row, text in zip(ours[::2], texts[::2]):
        states = hidden(**theirs(text, return_tensors="pt")).last_hidden_state
        torch.testing.assert_close(row, states[0].mean(dim=0), atol=1e-5, rtol=1e-5)
    assert len(word_attributions(network, tokenizer, "the lid is bad.", None, config)) == 4
    with pytest.raises(ValueError, match="the encoder reads at most 64"):
        build_model(config.model_copy(update={"max_tokens": 65}), tokenizer, 2)


def test_word_pieces_know_words_that_the_training_texts_lack() -> None:
    tokenizer = piece_tokenizer(["unhappy customers don't return", "he is happy again"] * 9, 120)
    pieces = tokenizer.encode("unhappyers").tokens
    assert pieces[0] == "unhappy" and "[UNK]" not in pieces
    assert tokenizer.encode("Don't").tokens[-1] == "n't"
    assert tokenizer.get_vocab()["[PAD]"] == PAD


def test_packed_weights_are_small_and_close() -> None:
    seed_everything(0)
    tensors = {"network.encoder.embedding.weight": torch.randn(50, 64) * torch.rand(50, 1), "head": torch.randn(3, 9)}
    tensors["network.encoder.embedding.weight"][0] = 0
    packed = pack(tensors)
    size = sum(values.numel() * values.element_size() for values in packed.values())
    assert size < 0.3 * sum(values.numel() * 4 for values in tensors.values())
    for name, values in unpack(packed).items():
        largest = tensors[name].abs().amax(dim=1, keepdim=True)
        assert ((values - tensors[name]).abs() <= largest / 200).all()
    assert torch.equal(unpack(tensors)["head"], tensors["head"])


def test_the_mean_with_naive_bayes_uses_what_each_model_knows() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 2, (400,), generator=generator)
    signs = torch.nn.functional.one_hot(targets, 2) * 2.0 - 1
    one, two = (signs + 1.5 * torch.randn(400, 2, generator=generator) for _ in range(2))
    weight = stacking_weight(one, two, targets.numpy())
    assert 0.3 < weight < 0.7
    right = [(logits.argmax(dim=1) == targets).float().mean() for logits in (one, two, stack(one, two, weight))]
    assert right[2] > max(right[:2])
    assert stacking_weight(one, torch.randn(400, 2, generator=generator), targets.numpy()) < 0.2


def test_word_vectors_are_read_from_a_file(tmp_path: Path) -> None:
    tokenizer = word_tokenizer(["good good bad bad"], 100, 1)
    (tmp_path / "v.txt").write_text("good 1 2 3\nat name@domain.com 4 5 6\nbad 7 8 9\n")
    config = ModelConfig(word_vectors=str(tmp_path / "v.txt"))
    vectors = word_vectors(config, tokenizer)
    assert vectors[tokenizer.token_to_id("bad")].tolist() == [7, 8, 9]
    assert vectors[0].tolist() == [0, 0, 0]
    assert build_model(config, tokenizer, 2).encoder.embedding.embedding_dim == 3
    (tmp_path / "broken.txt").write_text("good 1 x 3\n")
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"good 1 2 3\n" * 99)[:-9])
    (tmp_path / "nan.txt").write_text("good 1 nan 3\n")
    (tmp_path / "words.txt").write_text("good\n")
    (tmp_path / "empty.npy").touch()
    (tmp_path / "empty.txt").touch()
    for name, reason in (("broken.txt", "line 1"), ("cut.txt.gz", "is not readable"), ("empty.npy", "is not readable"),
                         ("nan.txt", "without finite numbers"), ("words.txt", "without finite numbers")):  # fmt: skip
        with pytest.raises(ValueError, match=reason):
            word_vectors(ModelConfig(word_vectors=str(tmp_path / name)), tokenizer)


def test_word_vectors_are_read_from_an_array_with_its_words_beside_it(tmp_path: Path) -> None:
    tokenizer = word_tokenizer(["good bad"] * 2, 10, 1)
    np.save(tmp_path / "v.npy", np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    config = ModelConfig(word_vectors=str(tmp_path / "v.npy"))
    with pytest.raises(FileNotFoundError, match=r"v\.txt with its words"):
        word_vectors(config, tokenizer)
    (tmp_path / "v.txt").write_text("bad\nlid\ngood\n")
    assert word_vectors(config, tokenizer)[tokenizer.token_to_id("good")].tolist() == [5, 6]
    (tmp_path / "v.txt").write_text("bad\n")
    with pytest.raises(ValueError, match="has 1 words"):
        word_vectors(config, tokenizer)


def test_word_vectors_are_computed_by_the_encoder(pretrained: Path) -> None:
    tokenizer = word_tokenizer(["the lid is not good bad"], 100, 1)
    config = ModelConfig(word_vectors="encoder", pretrained=str(pretrained), embedding_dim=4)
    vectors = word_vectors(config, tokenizer)
    assert vectors.shape == (tokenizer.get_vocab_size(), 4)
    assert len(vectors[1:].unique(dim=0)) == len(vectors) - 1  # every word its own
    assert vectors[0].tolist() == [0, 0, 0, 0]
    assert build_model(config, tokenizer, 2).encoder.embedding.embedding_dim == 4


def test_the_dropout_of_the_attention_weights_is_set_or_the_encoder_keeps_its_own(pretrained: Path) -> None:
    for given, expected in ((None, 0.1), (0.0, 0.0), (0.3, 0.3)):
        network = build_encoder(ModelConfig(name="transformer", pretrained=str(pretrained), attention_dropout=given))
        assert network.encoder.layer[0].attention.self.dropout.p == expected
    with pytest.raises(ValueError, match="has no dropout of the attention"):
        set_attention_dropout(pytest.importorskip("transformers").T5Config(), 0.0)


def test_frozen_layers_are_not_trained(pretrained: Path) -> None:
    config = ModelConfig(name="transformer", pretrained=str(pretrained), frozen_layers=1)
    network = build_model(config, build_tokenizer(config, []), 2).encoder.network
    assert not any(p.requires_grad for p in network.embeddings.parameters())
    assert [all(p.requires_grad for p in layer.parameters()) for layer in network.encoder.layer] == [False, True]


def test_a_finished_transformer_needs_no_hub(
    pretrained: Path, tmp_path: Path, sample_root: Path, command: CommandLine
) -> None:
    encoder = shutil.copytree(pretrained, tmp_path / "encoder")
    more = ["--model.name=transformer", f"--model.pretrained={encoder}", "--training.epochs=1"]
    answer = command(TRAIN, *tiny(sample_root, *more, "--evaluation.checklist=false"))
    assert answer.returncode == 0, answer.stderr
    shutil.rmtree(encoder)
    (path,) = tmp_path.glob("runs/sentiment/*/model.safetensors")
    predictor = Predictor.load(path)
    text = "the lid is not good ."
    assert predictor.forward([text]).shape == (1, 2)
    assert [word for word, _ in predictor.explain(text)] == text.split()

    more += [f"--training.init_from={path}", "--model.frozen_layers=2", "--model.attention_dropout=0"]
    answer = command(TRAIN, *tiny(sample_root, *more, "--evaluation.checklist=false", "--name=second"))
    assert answer.returncode == 0, answer.stderr
    (second,) = tmp_path.glob("runs/sentiment/*second/model.safetensors")
    first_weights, weights = (Predictor.load(p).network.state_dict() for p in (path, second))
    same = [name for name, value in weights.items() if torch.equal(value, first_weights[name])]
    assert set(weights) - set(same) == {"head.1.weight", "head.1.bias"}


def test_training_texts_can_be_shorter_than_those_it_reads(
    sample_root: Path, sample: ReviewData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: dict[str, int] = {}

    def note(table: Table, tokenizer: Tokenizer, model: ModelConfig) -> Texts:
        dataset = to_dataset(table, tokenizer, model)
        lengths["training" if len(table.texts) == len(sample.train.texts) else "validation"] = max(dataset.lengths)
        return dataset

    monkeypatch.setattr("projects.sentiment.train.to_dataset", note)
    config = tiny_config(sample_root, "--training.epochs=1", "--training.max_tokens=8", "--model.max_tokens=12")
    train_network(config, Run(tmp_path / "sentiment" / "run"), sample)
    assert lengths == {"training": 8, "validation": 12}


@pytest.mark.parametrize("setting", ["--model.hidden_size=48", "--model.name=cnn"])
def test_initial_weights_must_be_those_of_the_same_network(
    setting: str, run_folder: Path, sample_root: Path, tmp_path: Path
) -> None:
    config = tiny_config(sample_root, f"--training.init_from={run_folder / 'model.safetensors'}", setting)
    with pytest.raises(ValueError, match="has a network with settings other than those of `model`"):
        train(config, Run(tmp_path / "sentiment" / "run"))


def test_a_teacher_softens_the_labels_and_labels_sentences(
    predictor: Predictor, run_folder: Path, sample_root: Path, sample: ReviewData
) -> None:
    config, teacher = tiny_config(sample_root), load_teacher(run_folder / "model.safetensors", sample)
    texts, training = sample.train.texts, to_dataset(sample.train, predictor.tokenizer, config.model)
    longer = config.training.model_copy(update={"teacher_sentences": 30})
    labels = np.eye(2)[sample.train.labels]
    for settings, more in ((config.training, []), (longer, sentences_of(texts, 30, longer.seed))):
        both = taught(teacher, training, config.model_copy(update={"training": settings}), sample, predictor.tokenizer)
        expected = (predictor.forward(texts + more) / 2).softmax(dim=1).numpy()
        expected[: len(texts)] = 0.1 * labels + 0.9 * expected[: len(texts)]
        assert both.targets.dtype == np.float32 and both.targets == pytest.approx(expected, abs=0.01)
        assert both.tokens[: len(texts)] == training.tokens and len(both) == len(both.targets) == len(texts) + len(more)
    assert len(more) == 30 and all(any(part in text and part != text for text in texts) for part in more)


def test_a_teacher_must_know_the_same_classes_and_aspects(
    run_folder: Path, sample: ReviewData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "classes", ["negative", "neutral", "positive"])
    with pytest.raises(ValueError, match="has the classes negative, positive, not negative, neutral, positive"):
        load_teacher(run_folder / "model.safetensors", sample)
    monkeypatch.setattr(Predictor, "needs_aspects", True)
    with pytest.raises(ValueError, match="has learned aspects"):
        load_teacher(run_folder / "model.safetensors", sample)


def test_sentences_for_a_teacher_need_a_teacher(sample_root: Path) -> None:
    with pytest.raises(ValueError, match="teacher_sentences needs a teacher"):
        tiny_config(sample_root, "--training.teacher_sentences=30")


def test_a_run_that_starts_from_others_has_seen_what_they_saw(
    run_folder: Path, sample_root: Path, tmp_path: Path
) -> None:
    path = run_folder / "model.safetensors"
    start = (f"--training.init_from={path}", f"--training.teacher={path}")
    config = tiny_config(sample_root, *start, "--data.seed=5", "--training.epochs=1")
    run = Run(tmp_path / "sentiment" / "run")
    second, first = train(config, run), Predictor.load(path)
    assert second.tokenizer.get_vocab() == first.tokenizer.get_vocab()
    seen, earlier = (Provenance.load(folder).items for folder in (run.folder, run_folder))
    assert seen is not None and earlier is not None
    assert set(earlier.exact) < set(seen.exact)


# --- evaluation, prediction, report


def test_the_report_compares_with_the_best_baseline_and_shows_behavioural_tests(
    finished: Path, run_folder: Path
) -> None:
    page, numbers = (run_folder / "report.html").read_text(), read_json(run_folder / "evaluation.json")
    assert "embedded sample" in page.split("</title>")[0]
    assert page.count("data:image/png;base64,") >= 3
    assert "McNemar" in page and "McNemar" in (finished / "output.txt").read_text()
    assert "negated praise" in page
    low, high = numbers["intervals"]["macro_f1"]
    assert low <= numbers["metrics"]["macro_f1"] <= high
    assert {"majority", "tfidf_lr", "nb_lr"} <= set(numbers["baselines"])
    best = max(numbers["baselines"], key=lambda name: numbers["baselines"][name]["accuracy"])
    assert numbers["mcnemar"]["baseline"] == best and 0 <= numbers["mcnemar"]["p"] <= 1
    assert set(numbers["checklist"]["typo"]) == {"network", "linear"}


def test_a_finished_run_scores_any_other_labelled_texts(
    run_folder: Path, sample: ReviewData, tmp_path: Path, command: CommandLine
) -> None:
    test = sample.test
    path = write_csv(tmp_path / "mine.csv", text=test.texts, label=[sample.classes[label] for label in test.labels])
    other = ["--run", run_folder, "--data.source", "csv", "--data.split", "all"]
    answer = command(EVALUATE, *other, "--data.root", path, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["data"] == {"source": "csv", "root": str(path), "split": "all", "n": len(test.texts), "seen": 0}
    own = json.loads((run_folder / "evaluation.json").read_text())
    assert numbers["metrics"] == pytest.approx(own["metrics"], abs=1e-6)

    write_csv(tmp_path / "neutral.csv", review=["a", "b"], label=["", ""], category=["kitchen", "garden"])
    refused = command(EVALUATE, *other, "--data.root", "neutral.csv")
    assert refused.returncode == 2 and "there is no labelled text to score" in refused.stderr
    write_csv(tmp_path / "unknown.csv", text=["a", "b"], label=["positive", "splendid"])
    refused = command(EVALUATE, *other, "--data.root", "unknown.csv", "--json", "none.json")
    assert refused.returncode == 2
    assert "splendid" in refused.stderr
    assert not (tmp_path / "none.json").exists()


def test_training_texts_are_counted_and_left_out_of_the_evaluation(tmp_path: Path, command: CommandLine) -> None:
    """The same table with other star labels or another split: the settings do not show which texts were trained on."""
    table, _ = own_data(tmp_path / "sample", DataConfig(sample_size=600))
    pd.read_csv(table)[["text", "stars"]].to_csv(tmp_path / "mine.csv", index=False)
    extremes = {"negative": ["1"], "positive": ["5"]}
    own = DataConfig(source="csv", root=tmp_path / "mine.csv", max_overlap=1.0, classes=extremes)
    words = ["--config", SMOKE, "--data.source=csv", "--data.root=mine.csv", "--data.max_overlap=1.0"]
    words += ["--training.epochs=1", "--evaluation.checklist=false"]
    answer = command(TRAIN, *words, f"--data.classes={json.dumps(extremes)}")
    assert answer.returncode == 0, answer.stderr
    trained = ReviewData(own)
    known = {*trained.train.texts, *trained.validation.texts}
    every_star = {"negative": ["1..2"], "positive": ["4..5"]}
    for settings, change in (
        ([f"--data.classes={json.dumps(every_star)}"], {"classes": every_star}),
        (["--data.seed=1"], {"seed": 1}),
    ):
        test = ReviewData(own.model_copy(update=change)).test.texts
        seen = sum(text in known for text in test)
        answer = command(EVALUATE, *settings, "--name", "other", "--json", "out.json")
        assert answer.returncode == 0, answer.stderr
        data = read_json(tmp_path / "out.json")["data"]
        assert (data["seen"], data["n"]) == (seen, len(test) - seen)
        assert 0 < seen < len(test)
        assert f"{seen} of {len(test)} texts were in this run's training or validation set" in answer.stdout
        (rows,) = tmp_path.glob("runs/sentiment/*/evaluations/other/predictions.csv")
        scored = pd.read_csv(rows)["text"].tolist()
        assert sorted(scored) == sorted(text for text in test if text not in known)
        kept = command(EVALUATE, *settings, "--name", "other", "--seen", "keep", "--json", "out.json")
        assert kept.returncode == 0, kept.stderr
        assert read_json(tmp_path / "out.json")["data"]["n"] == len(test)


def test_other_data_are_read_with_the_settings_of_the_training(predictor: Predictor) -> None:
    own = DataConfig(title="head", aspect="part", classes={"a": ["1"], "b": ["2"]}, text="body")
    trained = dataclasses.replace(predictor, config=predictor.config.model_copy(update={"data": own}))
    other = with_settings_of(trained, DataConfig(source="csv", root=Path("other.csv"), split="all"))
    assert (other.title, other.aspect, other.classes) == (own.title, own.aspect, own.classes)
    assert (other.text, other.split) == (None, "all")  # a column of another table has its own name
    assert with_settings_of(trained, DataConfig(title="headline")).title == "headline"


def test_training_texts_are_recognised_without_their_headline(tmp_path: Path, predictor: Predictor) -> None:
    table, _ = own_data(tmp_path, DataConfig(sample_size=300))
    reviews = pd.read_csv(table)[["text", "label"]]
    reviews.to_csv(tmp_path / "plain.csv", index=False)
    reviews.assign(head="A headline").to_csv(tmp_path / "titled.csv", index=False)
    place = {
        name: DataConfig(source="csv", root=tmp_path / f"{name}.csv", max_overlap=1) for name in ("plain", "titled")
    }
    plain, titled = place["plain"], place["titled"].model_copy(update={"title": "head"})
    for own, other in ((titled, plain), (plain, titled)):
        trained = ReviewData(own)
        tables = (trained.train, trained.validation)
        provenance = Provenance(Fingerprints.join(*(fingerprints(t, bare) for t in tables for bare in (False, True))))
        config = predictor.config.model_copy(update={"data": own})
        options = EvaluateOptions(
            data=other.model_copy(update={"split": "all"}), evaluation=EvaluationConfig(checklist=False)
        )
        result = evaluate(dataclasses.replace(predictor, config=config), options, provenance)
        assert result.seen.count == sum(len(t.texts) for t in tables)
        own_test = EvaluateOptions(data=own, evaluation=EvaluationConfig(checklist=False))
        assert evaluate(dataclasses.replace(predictor, config=config), own_test, provenance).seen.count == 0


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("data.reviews", "data.sample_size"),
        ("data.grades", "data.classes"),
        ("data.star_labels", "data.classes"),
        ("data.class_names", "data.classes"),
        ("data.stars", "data.label"),
        ("data.overlap", "data.max_overlap"),
        ("model.size", "model.hidden_size"),
        ("model.vectors", "model.word_vectors"),
        ("model.vocabulary", "model.vocab_size"),
        ("model.embedding", "model.embedding_dim"),
        ("training.encoder_factor", "training.encoder_lr_factor"),
        ("training.average", "training.ema_decay"),
        ("evaluation.behaviour", "evaluation.checklist"),
    ],
)
def test_earlier_names_of_settings_are_refused_with_the_new_ones(earlier: str, now: str) -> None:
    with pytest.raises(ValueError, match=f"^{earlier} is now called {now}$"):
        load(Config, parse_arguments([f"--{earlier}=1"]))


def test_a_metric_that_is_minimised_cannot_be_maximised() -> None:
    for metric in ("loss", "ece"):
        with pytest.raises(ValueError, match=f"{metric} is minimised; set direction: min"):
            load(Config, {"training": {"monitor": metric}})


def test_training_and_prediction_encode_a_text_identically(predictor: Predictor, sample: ReviewData) -> None:
    together = predictor.score(sample.test).softmax(dim=1)
    for row in (0, 7, 20):
        (alone,) = predictor([sample.test.texts[row]])
        assert alone.label == sample.classes[int(together[row].argmax())]
        assert alone.probability == pytest.approx(float(together[row].max()), abs=1e-5)


def test_predict_accepts_texts_and_tables_and_refuses_bad_input(
    run_folder: Path, tmp_path: Path, command: CommandLine
) -> None:
    write_csv(tmp_path / "mine.csv", text=["The lid is awful.", "<b>The lid is solid</b>."], stars=[1, 5])
    answer = command(PREDICT, "mine.csv", "A sturdy zip.", "--run", run_folder, "--json", "answers.json")
    assert answer.returncode == 0, answer.stderr
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert len(answers) == 3
    assert sum(p for _, p in answers[0]["classes"]) == pytest.approx(1, abs=1e-4)
    assert [answer["row"] for answer in answers] == [1, 2, None]
    page = (run_folder / "predictions" / "texts.html").read_text()
    assert "&lt;b&gt;The" in page
    (tmp_path / "lines.txt").write_text("Fine.\n\n  \nPoor.\n")
    lines = command(PREDICT, "lines.txt", "--run", run_folder, "--json", "lines.json")
    assert "left out: 2 rows of lines.txt" in lines.stderr
    assert [answer["row"] for answer in json.loads((tmp_path / "lines.json").read_text())] == [1, 4]
    odd = command(PREDICT, "The lid is awful. " * 40, "[PAD]", "good [PAD] but bad", "--run", run_folder)
    assert odd.returncode == 0 and odd.stdout.count("%") >= 3, odd.stderr
    strange = command(PREDICT, "😍😍😍", "这个产品太差了", "Ужасное качество!", "--run", run_folder)
    assert strange.returncode == 0 and "% of the words are unknown to the run" in strange.stderr
    assert command(PREDICT, "mine.csv", "--data.encoding", "utf-8", "--run", run_folder).returncode == 0
    for bad, reason in (
        (["  "], "the text is empty"),
        (["none.csv"], "there is no file none.csv"),
        (["<br />"], "the text is empty"),
        (["mine.csv", "--encoding", "martian"], "encoding martian is not known"),
        ([], "input must be"),
    ):
        refused = command(PREDICT, *bad, "--run", run_folder)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
        assert reason in refused.stderr


def test_every_word_has_an_attribution(predictor: Predictor) -> None:
    attributions = predictor.explain("The lid is flimsy.")
    assert [word for word, _ in attributions] == ["The", "lid", "is", "flimsy."]
    assert max(abs(value) for _, value in attributions) == pytest.approx(1)
    assert highlighted_html([("<i>", 1.0)], "a & b").count("&lt;i&gt;") == 1


@pytest.mark.parametrize("name", ["bilstm", "cnn", "transformer"])
def test_attributions_sum_to_the_difference_from_the_baseline(
    sample: ReviewData, name: str, request: pytest.FixtureRequest
) -> None:
    seed_everything(0)
    place = str(request.getfixturevalue("pretrained")) if name == "transformer" else "minilm"
    config = ModelConfig(name=name, embedding_dim=16, hidden_size=16, num_filters=16, pretrained=place)
    tokenizer = build_tokenizer(config, sample.train.texts)
    network = build_model(config, tokenizer, 2).eval()
    (windows,) = encode(tokenizer, ["the lid is not good, it is bad."], None, config)
    tokens = torch.tensor(windows)
    baseline, mask = torch.full_like(tokens, PAD), torch.ones_like(tokens, dtype=torch.bool)
    with torch.no_grad():
        predicted = int(network(tokens).argmax())
        difference = network(tokens, mask)[0, predicted] - network(baseline, mask)[0, predicted]
    assert integrated_gradients(network, tokens).sum().item() == pytest.approx(difference.item(), rel=0.05, abs=0.01)


def test_behavioural_tests_expose_constant_and_keyword_models(sample: ReviewData) -> None:
    always = run_checks(lambda texts: np.ones(len(texts), int), sample.test.texts, sample.classes)
    passed = {check.name: check.passed for check in always}
    assert passed["typo"] == passed["another name"] == 1
    assert (passed["praise"], passed["negated praise"]) == (1, 0)

    def by_word(texts: list[str]) -> np.ndarray:
        return np.array([int("good" in text.lower() or "great" in text.lower()) for text in texts])

    passed = {check.name: check.passed for check in run_checks(by_word, sample.test.texts, sample.classes)}
    assert 0 < passed["praise"] < passed["criticism"] == 1


def test_the_customer_report_lists_products_topics_and_months(
    run_folder: Path, sample: ReviewData, sample_root: Path, tmp_path: Path, command: CommandLine
) -> None:
    (path,) = sample_root.glob("sentiment-sample-600-0-*/reviews.csv")
    answer = command(
        CUSTOMER_REPORT, path, "--run", run_folder, "--output", "page.html", "--json", "page.json",
        "--topics", "delivery: courier, shipping, delivery; lid", "--topic_count", "0", "--trust",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    page, numbers = (tmp_path / "page.html").read_text(), json.loads((tmp_path / "page.json").read_text())
    assert numbers["reviews"] == 600
    assert sum(row["reviews"] for row in numbers["products"]) == 600
    assert sum(row["reviews"] for row in numbers["trend"]) == 600
    topics = {row["topic"]: row for row in numbers["topics"]}
    assert topics["delivery"]["mentions"] > 10
    for part in ("Products", "Over time", "Topics"):
        assert part in page
    table = pd.read_csv(tmp_path / "page-topics.csv", keep_default_na=False)
    whole = table[(table["topic"] == "delivery") & (table["product"] == "")]
    parts = table[(table["topic"] == "delivery") & (table["product"] != "")]
    assert whole["mentions"].tolist() == [parts["mentions"].sum()]


def test_a_run_on_generated_sentences_is_refused_for_reviews_without_stars(
    run_folder: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = write_csv(tmp_path / "shop.csv", text=["The lid fits well.", "It broke at once."] * 30)
    answer = command(CUSTOMER_REPORT, path, "--run", run_folder, "--output", "page.html")
    assert answer.returncode == 2 and "generated sentences only" in answer.stderr
    assert "projects.sentiment.train --data.source csv" in answer.stderr
    assert not (tmp_path / "page.html").exists()


def test_poor_agreement_with_the_stars_is_refused_unless_trusted(
    run_folder: Path, tmp_path: Path, command: CommandLine
) -> None:
    stars = [1, 5, 3, 5, 1] * 20
    path = write_csv(tmp_path / "shop.csv", text=[f"Zwq {i} blorp." for i in range(100)], stars=stars)
    options = (CUSTOMER_REPORT, path, "--run", run_folder, "--output", "page.html", "--topic_count", "0")
    answer = command(*options)
    assert answer.returncode == 2 and "3 neutral" in answer.stderr and "--data.root" in answer.stderr
    assert "agree poorly" in answer.stderr and not (tmp_path / "page.html").exists()
    answer = command(*options, "--trust", "--json", "page.json")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Do not use these predictions")
    numbers, page = json.loads((tmp_path / "page.json").read_text()), (tmp_path / "page.html").read_text()
    assert numbers["warning"] in answer.stdout and "Do not use these predictions" in page
    assert (numbers["stars"]["positive"], numbers["stars"]["neutral"]) == (40, 20)  # three stars are used
    assert numbers["corrected"] is None and "in the middle of the scale" in page
    assert "Text and stars disagree" in page
    table = pd.read_csv(tmp_path / "page.csv")
    assert list(table) == ["row", "product", "date", "label", "probability", "answer", "stars"] and len(table) == 100


def test_texts_that_were_chosen_and_labelled_train_a_run(
    run_folder: Path, sample: ReviewData, sample_root: Path, tmp_path: Path, command: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    true = {text: sample.classes[label] for text, label in zip(sample.test.texts, sample.test.labels)}
    path = write_csv(tmp_path / "shop.csv", text=[*true, "", *list(true)[:2]])
    options = LabelOptions(input=[path], count=60, output=tmp_path / "to-label.csv")
    monkeypatch.setattr("projects.sentiment.label.Encoder.is_installed", lambda: False)
    label(options, Run(run_folder))
    table = pd.read_csv(tmp_path / "to-label.csv", keep_default_na=False)
    assert list(table)[:3] == ["row", "text", "label"] and len(table) == 60 == table["text"].nunique()
    assert set(table["label"]) == {""} and table["uncertainty"].is_monotonic_decreasing
    with pytest.raises(ValueError, match="perhaps with labels"):
        label(options, Run(run_folder))
    table.assign(label=table["text"].map(true)).to_csv(tmp_path / "to-label.csv", index=False)
    answer = command(
        TRAIN, "--config", SMOKE, "--data.source=csv", "--data.root=to-label.csv", "--evaluation.checklist=false"
    )
    assert answer.returncode == 0, answer.stderr
    assert "60" in answer.stdout and len(list((tmp_path / "runs" / "sentiment").iterdir())) == 1


def test_the_stars_of_the_file_train_a_run(sample_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = sample_root.glob("sentiment-sample-600-0-*/reviews.csv")
    settings = {key: value for key, value in read_yaml(SMOKE).items() if key != "data"}
    monkeypatch.setattr(own_training, "settings_for", lambda table: settings)
    monkeypatch.setattr("shared.runs.RUNS", tmp_path)
    run = own_training.train_on(path, CustomerReportOptions(input=[path]))
    assert run.settings["data"]["root"] == str(path)
    assert Predictor.load(run.model_file).classes == ["negative", "positive"]
    assert (run.folder / "predictions.csv").is_file() and not run.checkpoints.exists()


def test_few_english_stars_train_the_run_that_comes_with_the_project(
    sample: ReviewData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(texts: list[str]) -> str:
        settings = own_training.settings_for(Table([""] * len(texts), texts, np.zeros(len(texts), int), ["a", "b"]))
        assert load(Config, {"data": {"source": "csv", "root": "a.csv"}, **settings}).model.name
        return "shipped" if "init_from" in settings["training"] else settings["model"]["name"]

    few, german = ([f"{text} {number}." for number in range(300)] for text in ("Lid number", "Der Deckel hält nicht"))
    many = [f"{text} {number}." for text in few for number in range(4)]
    for installed, larger in ((True, "transformer"), (False, "cnn")):
        monkeypatch.setattr(own_training.Encoder, "is_installed", lambda value=installed: value)
        assert chosen(few) == "shipped"
        assert chosen(many) == (larger if installed else "shipped")
        assert chosen(sample.train.texts) == larger  # which it has seen
        monkeypatch.setattr(own_training, "common_language", lambda texts: "German")
        assert chosen(german) == larger
        monkeypatch.undo()


def test_the_learning_curve_trains_on_parts_of_the_training_set(
    predictor: Predictor, sample_root: Path, sample: ReviewData
) -> None:
    config = tiny_config(sample_root)
    options = EvaluateOptions(data=config.data, evaluation=EvaluationConfig(checklist=False, learning_curve=True))
    result = evaluate(predictor, options, Provenance(None))
    assert result.curve is not None
    assert result.curve.sizes[-1] == len(sample.train.texts) == result.curve.network[-1][0]
    assert result.curve.network[-1][1] == result.numbers["metrics"]["accuracy"]
    assert len(result.curve.network) >= 2 and result.curve.network[0][0] < len(sample.train.texts) // 3
    other = options.model_copy(update={"data": config.data.model_copy(update={"split": "all"})})
    assert evaluate(predictor, other, Provenance(None)).curve is None


def test_trained_reviews_check_nothing_whatever_headline_they_are_read_with(
    predictor: Predictor, run_folder: Path, sample: ReviewData, tmp_path: Path
) -> None:
    train, test = sample.train, sample.test
    columns = {"text": [*train.texts[:40], *test.texts[:30]], "title": ["Quite new"] * 70}
    stars = [1 + 4 * int(label) for label in (*train.labels[:40], *test.labels[:30])]
    path = write_csv(tmp_path / "shop.csv", **columns, stars=stars)
    for title in (None, "title"):
        reviews = read_reviews(path, CustomerReportOptions(input=[path], title=title), predictor)
        assert reviews.texts[0].startswith("Quite new") == (title == "title")
        check = check_stars(predictor, Run(run_folder), reviews, predictor.forward(reviews.texts).softmax(dim=1))
        assert check is not None and check.measured.tolist() == [False] * 40 + [True] * 30


def test_a_file_with_few_stars_trains_no_run(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    path = write_csv(tmp_path / "shop.csv", text=[f"Zwq {i} blorp." for i in range(80)], stars=[1, 5] * 40)
    answer = command(CUSTOMER_REPORT, path, "--run", run_folder, "--train")
    assert answer.returncode == 2 and "needs at least 200" in answer.stderr


def test_the_table_never_replaces_the_reviews(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    path = write_csv(tmp_path / "shop.csv", text=["The lid fits well."])
    before = path.read_bytes()
    answer = command(CUSTOMER_REPORT, path, "--run", run_folder, "--output", "shop.html")
    assert answer.returncode == 2 and "would replace" in answer.stderr
    assert path.read_bytes() == before


# --- the weights that come with the project


def test_without_a_run_of_ones_own_predict_takes_the_shipped_one(command: CommandLine) -> None:
    answer = command(PREDICT, "A waste of money, it broke after a week.", "I love it 👍", "--explain", "0")
    assert answer.returncode == 0, answer.stderr
    assert "no run of your own yet" in answer.stderr
    assert "another language" not in answer.stderr
    if find_spec("py3langid"):
        german = command(PREDICT, "Leider nach zwei Tagen kaputt gegangen, nie wieder.", "--explain", "0")
        assert "another language than the English training texts: German (1)" in german.stderr
    assert [line.split()[0] for line in answer.stdout.splitlines()] == ["negative", "positive"]


SHIPPED = ROOT / "projects/sentiment/shipped/model.safetensors"


def test_the_shipped_run_is_small_and_names_what_it_has_seen() -> None:
    files = list(SHIPPED.parent.iterdir())
    assert sum(file.stat().st_size for file in files) < 4_000_000
    assert {file.name for file in files} == {"config.yaml", "model.safetensors", "provenance.safetensors"}
    predictor = Predictor.load(SHIPPED)
    assert predictor.classes == ["negative", "neutral", "positive"] and predictor.language == "English"
    seen = Provenance.load(SHIPPED.parent).items
    assert seen is not None and len(seen.exact) > 90_000


def test_the_shipped_run_scores_any_table(tmp_path: Path, command: CommandLine) -> None:
    texts = ["Excellent, I love it.", "A waste of money.", "Works very well.", "It stopped working, awful."]
    path = write_csv(tmp_path / "a.csv", text=texts, label=["positive", "negative"] * 2)
    answer = command(EVALUATE, "--run", "shipped", "--data.source", "csv", "--data.root", path)
    assert answer.returncode == 0, answer.stderr
    (page,) = tmp_path.glob("runs/sentiment/shipped/evaluations/*/evaluation.json")
    assert read_json(page)["metrics"]["accuracy"] == 1
    alone = command(EVALUATE, "--run", "shipped")
    assert alone.returncode == 2 and "--data.root FILE" in alone.stderr
