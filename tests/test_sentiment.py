"""The promises of sentiment, kept on the real command line with a small network on a small sample."""

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import BertWordPieceTokenizer

from projects.sentiment.aspects import clauses_of, nouns
from projects.sentiment.attribution import attributions, highlighted_html, integrated_gradients
from projects.sentiment.baselines import Baselines
from projects.sentiment.checklist import ask
from projects.sentiment.config import Config, ModelConfig
from projects.sentiment.data import ReviewData, pad, to_dataset
from projects.sentiment.model import build_model, build_tokenizer, word_vectors
from projects.sentiment.predict import Predictor
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import clean
from projects.sentiment.vocabulary import PAD, encode, head_and_tail, word_tokenizer
from shared.compute.device import seed_everything
from shared.config import load, parse_arguments
from shared.data.loader import Batches
from shared.evaluation.inference import predict
from shared.files import read_json
from shared.runs import Run
from tests.conftest import CommandLine, kill_and_resume, one_and_two_processes, train_once, write_csv

TRAIN, EVALUATE, PREDICT, REPORT = (f"projects.sentiment.{n}" for n in ("train", "evaluate", "predict", "report"))


def tiny(sample_root: Path, *more: str) -> list[str]:
    """Settings of a training that takes seconds."""
    return [
        "--data.source=sample",
        f"--data.root={sample_root}",
        "--data.sample_size=600",
        "--data.max_overlap=1.0",
        "--model.embedding_dim=32",
        "--model.size=32",
        "--model.dropout=0.1",
        "--training.epochs=3",
        "--training.batch_size=16",
        "--training.learning_rate=0.02",
        "--training.precision=fp32",
        "--training.device=cpu",
        "--evaluation.bootstrap=100",
        *more,
    ]


@pytest.fixture(scope="session")
def finished(sample_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `python -m projects.sentiment.train` was run once; its output is in `output.txt`."""
    folder = tmp_path_factory.mktemp("sentiment")
    return train_once(TRAIN, tiny(sample_root), folder)


@pytest.fixture(scope="session")
def run_folder(finished: Path) -> Path:
    (folder,) = (finished / "runs" / "sentiment").iterdir()
    return folder


@pytest.fixture(scope="session")
def model(run_folder: Path) -> Predictor:
    return Predictor.load(run_folder / "model.safetensors")


@pytest.fixture(scope="session")
def sample(sample_root: Path) -> ReviewData:
    return ReviewData(load(Config, parse_arguments(tiny(sample_root))).data)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random BERT and its tokenizer, in the form of the Hugging Face hub."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("bert")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "lid", "is", "not", "good", "bad", ".", "##s"]
    pieces = BertWordPieceTokenizer(vocab={word: number for number, word in enumerate(words)})
    transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="[PAD]").save_pretrained(folder)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.3,
    )
    seed_everything(0)
    transformers.BertModel(config).save_pretrained(folder)
    return folder


# --- training


def test_training_ends_with_the_place_of_its_report(finished: Path, run_folder: Path) -> None:
    last = (finished / "output.txt").read_text().splitlines()[-1]
    assert last == f"report: {(run_folder / 'report.html').relative_to(finished)}"
    files = {path.name for path in run_folder.iterdir()}
    assert {
        "config.yaml",
        "environment.json",
        "metrics.csv",
        "model.safetensors",
        "evaluation.json",
        "report.html",
    } <= files


def test_the_losses_of_the_command_line_are_these(run_folder: Path) -> None:
    golden = [0.7289, 0.7017, 0.6476]
    assert [row["train_loss"] for row in Run(run_folder).history()] == pytest.approx(golden, rel=0.01)


@pytest.mark.parametrize("name", ["bilstm", "cnn", "transformer"])
def test_one_batch_can_be_memorised(sample: ReviewData, name: str, request: pytest.FixtureRequest) -> None:
    seed_everything(0)
    place = str(request.getfixturevalue("pretrained")) if name == "transformer" else "minilm"
    config = ModelConfig(name=name, embedding=32, size=32, dropout=0, pretrained=place)
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


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_killed_run_resumes_to_the_same_weights(
    tmp_path: Path, sample_root: Path, run_folder: Path, command: CommandLine
) -> None:
    settings = tiny(sample_root, "--training.checkpoint_minutes=0")
    killed = kill_and_resume(TRAIN, settings, tmp_path, command)
    a, b = (Predictor.load(folder / "model.safetensors") for folder in (killed, run_folder))
    assert all(torch.equal(p, q) for p, q in zip(a.network.state_dict().values(), b.network.state_dict().values()))


@pytest.mark.skipif(os.name == "nt", reason="gloo and signals differ on Windows")
def test_two_processes_train_to_the_weights_of_one(tmp_path: Path, sample_root: Path) -> None:
    settings = tiny(sample_root, "--model.dropout=0", "--training.epochs=1", "--evaluation.checklist=false")
    runs = one_and_two_processes(TRAIN, settings, tmp_path, 29778)
    one, two = (Predictor.load(run.model_file) for run in runs)
    for p, q in zip(one.network.parameters(), two.network.parameters()):
        torch.testing.assert_close(p, q, atol=1e-4, rtol=1e-3)
    first, second = (read_json(run.folder / "evaluation.json")["metrics"] for run in runs)
    assert first == pytest.approx(second, abs=0.01)


# --- data


def test_no_product_and_no_text_crosses_a_split(sample_root: Path) -> None:
    data = ReviewData(load(Config, parse_arguments(tiny(sample_root, "--data.split=product"))).data)
    parts: dict[str, set[str]] = {}
    for product, part in zip(data.table.products or [], data.parts):
        parts.setdefault(product, set()).add(part)
    assert all(len(where) == 1 for where in parts.values())
    texts = [set(data.part(name).texts) for name in ("train", "validation", "test")]
    assert not texts[0] & texts[1] | texts[1] & texts[2] | texts[0] & texts[2]


def test_padding_never_changes_a_prediction(sample: ReviewData, pretrained: Path) -> None:
    for name in ("bilstm", "cnn", "transformer"):
        for pooling in ("max", "mean", "attention"):
            config = ModelConfig(name=name, pooling=pooling, embedding=8, size=8, pretrained=str(pretrained))
            tokenizer = build_tokenizer(config, sample.train.texts)
            network = build_model(config, tokenizer, 3).eval()
            tokens = pad([tokenizer.encode(text).ids for text in sample.test.texts[:4]])
            wider = torch.cat([tokens, torch.zeros(4, 9, dtype=torch.long)], dim=1)
            torch.testing.assert_close(network(tokens), network(wider), atol=1e-5, rtol=1e-5)


def test_batches_hold_texts_of_about_equal_length_and_every_text_once(sample: ReviewData) -> None:
    tokenizer = word_tokenizer(sample.train.texts, 500, 1)
    texts = to_dataset(sample.train, tokenizer, 64)
    plain, sorted_ = (Batches(texts, 16, 0, lengths=lengths) for lengths in (None, texts.lengths))

    def padding(batches: Batches) -> int:
        return sum(int((tokens == 0).sum()) for tokens, _ in batches.epoch(0))

    assert padding(sorted_) < 0.3 * padding(plain)
    indices = [item.index for batch in sorted_.order(0) for item in batch]
    assert len(indices) == len(set(indices)) == len(sorted_) * 16
    assert sorted_.order(0) != sorted_.order(1)


def test_predicting_by_length_keeps_the_order(sample: ReviewData) -> None:
    texts = to_dataset(sample.test, word_tokenizer(sample.test.texts, 500, 1), 64)
    network = torch.nn.Embedding(1, 1)  # a model needs a parameter
    network.forward = lambda tokens: (tokens != 0).sum(dim=1, keepdim=True).float()
    counted = predict(network, texts, lambda batch: batch[0], batch_size=7, lengths=texts.lengths)
    assert counted[:, 0].int().tolist() == texts.lengths


def test_long_texts_lose_their_middle() -> None:
    assert head_and_tail(list(range(10)), 4) == [0, 7, 8, 9]
    assert head_and_tail([1, 2], 4) == [1, 2]


def test_a_negation_is_a_word_of_its_own() -> None:
    tokens = word_tokenizer(["I don't like it", "isn't it"], 100, 1).encode("I don't").tokens
    assert tokens == ["i", "do", "n't"]


def test_mistakes_are_one_sentence_and_leave_no_run(tmp_path: Path, command: CommandLine) -> None:
    path = write_csv(tmp_path / "one.csv", text=["a", "b"], label=["x", "x"])
    answer = command(TRAIN, "--data.source", "csv", "--data.root", path)
    assert answer.returncode == 2, answer.stdout
    assert answer.stderr.splitlines()[-1] == f"sentiment: {path} has only one class, x: there is nothing to tell apart"
    assert not list(tmp_path.glob("runs/sentiment/*"))


def test_the_linear_models_are_fitted_even_where_no_word_occurs_twice() -> None:
    simple = Baselines.fit(["sturdy lid", "flimsy cord"], np.array([1, 0]), 2)
    assert simple.predict(["sturdy", "flimsy"], ["negative", "positive"])["tfidf_lr"].tolist() == [1, 0]


def test_an_encoder_that_is_nowhere_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    config = ModelConfig(name="transformer", pretrained=str(tmp_path / "none"))
    with pytest.raises(ValueError, match="is no folder with an encoder"):
        build_tokenizer(config, [])


def test_single_words_do_not_solve_the_sample(sample: ReviewData) -> None:
    simple = Baselines.fit(sample.train.texts, sample.train.labels, 2)
    answers = simple.predict(sample.test.texts, sample.classes)
    for name in ("tfidf_lr", "nb_lr"):
        assert (answers[name] == sample.test.labels).mean() < 0.85


def test_control_characters_markup_and_foreign_words_are_read() -> None:
    assert clean("a<br />b\x00\n c\u0301") == "a b ć"
    assert clean("isn&#39;t<BR>re\u00adliable &amp; co") == "isn't reliable & co"
    assert clean("とても良い  Größe 👍") == "とても良い Größe 👍"


# --- model


def test_vectors_come_from_a_file(tmp_path: Path) -> None:
    tokenizer = word_tokenizer(["good good bad bad"], 100, 1)
    (tmp_path / "v.txt").write_text("good 1 2 3\nat name@domain.com 4 5 6\nbad 7 8 9\n")
    config = ModelConfig(vectors=str(tmp_path / "v.txt"))
    vectors = word_vectors(config, tokenizer)
    assert vectors[tokenizer.token_to_id("bad")].tolist() == [7, 8, 9]
    assert vectors[0].tolist() == [0, 0, 0]
    assert build_model(config, tokenizer, 2).encoder.embedding.embedding_dim == 3
    (tmp_path / "broken.txt").write_text("good 1 x 3\n")
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"good 1 2 3\n" * 99)[:-9])
    (tmp_path / "empty.npy").touch()
    (tmp_path / "empty.txt").touch()
    for name, reason in (("broken.txt", "line 1"), ("cut.txt.gz", "is not readable"), ("empty.npy", "is not readable")):
        with pytest.raises(ValueError, match=reason):
            word_vectors(ModelConfig(vectors=str(tmp_path / name)), tokenizer)


def test_vectors_come_from_an_array_with_its_words_beside_it(tmp_path: Path) -> None:
    tokenizer = word_tokenizer(["good bad"] * 2, 10, 1)
    np.save(tmp_path / "v.npy", np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    config = ModelConfig(vectors=str(tmp_path / "v.npy"))
    with pytest.raises(FileNotFoundError, match=r"v\.txt with its words"):
        word_vectors(config, tokenizer)
    (tmp_path / "v.txt").write_text("bad\nlid\ngood\n")
    assert word_vectors(config, tokenizer)[tokenizer.token_to_id("good")].tolist() == [5, 6]
    (tmp_path / "v.txt").write_text("bad\n")
    with pytest.raises(ValueError, match="has 1 words"):
        word_vectors(config, tokenizer)


def test_vectors_come_from_the_encoder(pretrained: Path) -> None:
    tokenizer = word_tokenizer(["the lid is not good bad"], 100, 1)
    config = ModelConfig(vectors="encoder", pretrained=str(pretrained), embedding=4)
    vectors = word_vectors(config, tokenizer)
    assert vectors.shape == (tokenizer.get_vocab_size(), 4)
    assert len(vectors[1:].unique(dim=0)) == len(vectors) - 1  # every word its own
    assert vectors[0].tolist() == [0, 0, 0, 0]
    assert build_model(config, tokenizer, 2).encoder.embedding.embedding_dim == 4


def test_lower_layers_stay_as_they_are(pretrained: Path) -> None:
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
    model = Predictor.load(path)
    text = "the lid is not good ."
    assert model([text]).shape == (1, 2)
    assert [word for word, _ in attributions(model, text)] == text.split()


# --- evaluation, prediction, report


def test_evaluation_json_has_the_shape_of_all_projects(run_folder: Path) -> None:
    numbers = json.loads((run_folder / "evaluation.json").read_text())
    assert list(numbers) == ["project", "run", "data", "metrics", "intervals", "baselines"]
    assert list(numbers["data"]) == ["source", "root", "split", "n"]
    low, high = numbers["intervals"]["macro_f1"]
    assert low <= numbers["metrics"]["macro_f1"] <= high
    assert {"majority", "tfidf_lr", "nb_lr"} <= set(numbers["baselines"])


def test_the_report_needs_nothing_but_itself(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert "embedded sample" in page.split("</title>")[0]
    assert page.count("data:image/png;base64,") >= 3
    assert 'src="http' not in page
    assert "<link" not in page
    assert "McNemar" in page
    assert "negated praise" in page


def test_a_finished_run_scores_any_other_labelled_texts(
    run_folder: Path, sample: ReviewData, tmp_path: Path, command: CommandLine
) -> None:
    test = sample.test
    path = write_csv(tmp_path / "mine.csv", text=test.texts, label=[sample.classes[label] for label in test.labels])
    other = ["--run", run_folder, "--data.source", "csv", "--data.split", "all"]
    answer = command(EVALUATE, *other, "--data.root", path, "--json", "out.json")
    assert answer.returncode == 0, answer.stderr
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["data"] == {"source": "csv", "root": str(path), "split": "all", "n": len(test.texts)}
    own = json.loads((run_folder / "evaluation.json").read_text())
    assert numbers["metrics"] == pytest.approx(own["metrics"], abs=1e-6)

    write_csv(tmp_path / "middling.csv", review=["a", "b"], stars=[3, 3], category=["kitchen", "garden"])
    refused = command(EVALUATE, *other, "--data.root", "middling.csv")
    assert refused.returncode == 2 and "there is no labelled text to score" in refused.stderr
    write_csv(tmp_path / "unknown.csv", text=["a", "b"], label=["positive", "splendid"])
    refused = command(EVALUATE, *other, "--data.root", "unknown.csv", "--json", "none.json")
    assert refused.returncode == 2
    assert "splendid" in refused.stderr
    assert not (tmp_path / "none.json").exists()


def test_training_and_prediction_see_a_text_alike(model: Predictor, sample: ReviewData) -> None:
    together = model.score(sample.test).softmax(dim=1)
    predictor = Predictor(model)
    for row in (0, 7, 20):
        (alone,) = predictor([sample.test.texts[row]])
        assert alone.label == sample.classes[int(together[row].argmax())]
        assert alone.probability == pytest.approx(float(together[row].max()), abs=1e-5)


def test_a_text_a_table_and_bad_input_are_answered(run_folder: Path, tmp_path: Path, command: CommandLine) -> None:
    write_csv(tmp_path / "mine.csv", text=["The lid is awful.", "<b>The lid is solid</b>."], stars=[1, 5])
    answer = command(PREDICT, "mine.csv", "A sturdy zip.", "--run", run_folder, "--json", "answers.json")
    assert answer.returncode == 0, answer.stderr
    answers = json.loads((tmp_path / "answers.json").read_text())
    assert len(answers) == 3
    assert sum(p for _, p in answers[0]["classes"]) == pytest.approx(1, abs=1e-4)
    assert [answer["row"] for answer in answers] == [1, 2, None]
    page = (run_folder / "predictions.html").read_text()
    assert "&lt;b&gt;The" in page
    (tmp_path / "lines.txt").write_text("Fine.\n\n  \nPoor.\n")
    lines = command(PREDICT, "lines.txt", "--run", run_folder, "--json", "lines.json")
    assert "left out: 2 rows of lines.txt" in lines.stderr
    assert [answer["row"] for answer in json.loads((tmp_path / "lines.json").read_text())] == [1, 4]
    odd = command(PREDICT, "The lid is awful. " * 40, "[PAD]", "good [PAD] but bad", "--run", run_folder)
    assert odd.returncode == 0 and odd.stdout.count("%") >= 3, odd.stderr
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


def test_the_words_that_decide_are_those_that_differ(model: Predictor) -> None:
    weights = attributions(model, "The lid is flimsy.")
    assert [word for word, _ in weights] == ["The", "lid", "is", "flimsy."]
    assert max(abs(weight) for _, weight in weights) == pytest.approx(1)
    assert highlighted_html([("<i>", 1.0)], "a & b").count("&lt;i&gt;") == 1


@pytest.mark.parametrize("name", ["bilstm", "cnn", "transformer"])
def test_what_the_words_added_is_what_the_answer_is_above_nothing(
    sample: ReviewData, name: str, request: pytest.FixtureRequest
) -> None:
    seed_everything(0)
    place = str(request.getfixturevalue("pretrained")) if name == "transformer" else "minilm"
    config = ModelConfig(name=name, embedding=16, size=16, pretrained=place)
    tokenizer = build_tokenizer(config, sample.train.texts)
    network = build_model(config, tokenizer, 2).eval()
    tokens = torch.tensor(encode(tokenizer, ["the lid is not good, it is bad."], None, 64))
    nothing, everything = torch.full_like(tokens, PAD), torch.ones_like(tokens, dtype=torch.bool)
    with torch.no_grad():
        answer = int(network(tokens).argmax())
        gained = network(tokens, everything)[0, answer] - network(nothing, everything)[0, answer]
    assert integrated_gradients(network, tokens).sum().item() == pytest.approx(gained.item(), rel=0.05, abs=0.01)


def test_behaviour_finds_out_who_does_not_read(sample: ReviewData) -> None:
    always = ask(lambda texts: np.ones(len(texts), int), sample.test.texts, sample.classes)
    passed = {checklist.name: checklist.passed for checklist in always}
    assert passed["typo"] == passed["another name"] == 1
    assert (passed["praise"], passed["negated praise"]) == (1, 0)

    def by_word(texts: list[str]) -> np.ndarray:
        return np.array([int("good" in text.lower() or "great" in text.lower()) for text in texts])

    passed = {checklist.name: checklist.passed for checklist in ask(by_word, sample.test.texts, sample.classes)}
    assert 0 < passed["praise"] < passed["blame"] == 1


def test_nouns_are_found_without_a_tagger() -> None:
    clauses = ["The battery is great", "I like the customer service.", "My battery died quickly", "the battery was bad",
               "The customer service was slow", "their customer service is kind"]  # fmt: skip
    assert nouns(clauses, least=2) == ["battery", "customer service"]
    assert nouns(["it has a battery."] * 3, least=2) == ["battery"]
    assert clauses_of("The lid is good, but the cord is short. Fine.") == ["The lid is good", "the cord is short."]


def test_the_page_for_the_shop_names_products_features_and_months(
    run_folder: Path, sample: ReviewData, sample_root: Path, tmp_path: Path, command: CommandLine
) -> None:
    (path,) = sample_root.glob("sentiment-sample-600-0-*/reviews.csv")
    answer = command(REPORT, path, "--run", run_folder, "--output", "page.html", "--json", "page.json")
    assert answer.returncode == 0, answer.stderr
    page, numbers = (tmp_path / "page.html").read_text(), json.loads((tmp_path / "page.json").read_text())
    assert numbers["reviews"] == 600
    assert sum(row["reviews"] for row in numbers["products"]) == 600
    assert sum(row["reviews"] for row in numbers["trend"]) == 600
    assert {"delivery", "customer service"} & {row["feature"] for row in numbers["features"]}
    for part in ("Product by product", "Over time", "What they talk about"):
        assert part in page
