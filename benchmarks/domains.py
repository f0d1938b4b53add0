"""Accuracy of sentiment on texts of another kind: each table of a config in turn is left out and then scored.

python -m benchmarks.domains CONFIG.yaml [OTHER.yaml ...] [--only NAME] [--teacher TEACHER.yaml [--sentences N]]

OTHER: the settings of one more table (as in `data.tables`), scored by a network trained on all tables of the config.
NAME: one table alone. TEACHER: the config of a teacher, trained anew each time without the table that is left out; N:
`training.teacher_sentences`. Of a table with a test set of its own only that is scored. Where a table has no neutral
texts, or the training had none, only negative and positive ones are scored, by the larger of the two logits.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from projects.sentiment.baselines import vader
from projects.sentiment.config import Config, DataConfig
from projects.sentiment.data import ReviewData, load_parts, to_dataset
from projects.sentiment.model import SentimentNet
from projects.sentiment.predictor import Predictor
from projects.sentiment.train import train_network
from shared.config import load, read_yaml
from shared.evaluation.inference import predict
from shared.evaluation.metrics import accuracy
from shared.runs import Run

POLES = ["negative", "positive"]


def main() -> None:
    """Train without each table in turn, and print the accuracy on it beside VADER's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("others", type=Path, nargs="*")
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--sentences", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    config = load(Config, read_yaml(options.config))
    teacher = load(Config, read_yaml(options.teacher)) if options.teacher else None
    left_out = {source_of(table): table for table in reversed(config.data.tables) if table["source"] != "sample"}
    for table in [*reversed(left_out.values()), *map(read_yaml, options.others)]:
        if options.only in source_of(table):
            with tempfile.TemporaryDirectory() as folder:
                report(config, teacher, options.sentences, table, Path(folder))


def source_of(table: dict) -> str:
    """The name of the file, or of the public data set."""
    return Path(table.get("root") or table["source"]).name


def report(config: Config, teacher: Config | None, sentences: int, left_out: dict, folder: Path) -> None:
    """Train on all other tables, score this one and print a line."""
    if teacher is not None:
        data, network, tokenizer = trained(teacher, left_out, folder)
        path = folder / "teacher.safetensors"
        Predictor.fit(network, tokenizer, data, teacher).save(path)
        print(line(teacher, data, network, tokenizer, left_out), "(the teacher)", flush=True)
        settings = config.training.model_copy(update={"teacher": path, "teacher_sentences": sentences})
        config = config.model_copy(update={"training": settings})
    print(line(config, *trained(config, left_out, folder), left_out), flush=True)


def trained(config: Config, left_out: dict, folder: Path) -> tuple[ReviewData, SentimentNet, Tokenizer]:
    """A network trained on all tables but one."""
    tables = [table for table in config.data.tables if source_of(table) != source_of(left_out)]
    data = ReviewData(config.data.model_copy(update={"tables": tables}))
    return data, *train_network(config, Run(folder / "sentiment" / config.model.name), data)


def line(config: Config, data: ReviewData, network: SentimentNet, tokenizer: Tokenizer, left_out: dict) -> str:
    """The accuracy on a table that was left out, beside VADER's."""
    table, split, parts = load_parts(load(DataConfig, left_out), None)
    if split == "given":
        table = table.rows(parts == "test")
    wanted = [name for name in table.classes if name in data.classes]
    if wanted == POLES and len(table.classes) > 2:
        table = table.rows(np.isin(table.labels, [table.classes.index(name) for name in POLES]))
    targets = np.array([wanted.index(table.classes[label]) for label in table.labels])
    texts = to_dataset(table, tokenizer, config.model)
    logits = predict(network, texts, lengths=texts.lengths)
    predicted = logits[:, [data.classes.index(name) for name in wanted]].argmax(dim=1).numpy()
    rules = vader(table.texts, wanted)
    said = "not installed" if rules is None else f"{accuracy(targets, rules):.3f}"
    score = f"{accuracy(targets, predicted):.3f}, VADER {said}"
    return f"{source_of(left_out)}: {len(targets)} texts, {len(wanted)} classes: {score}"


if __name__ == "__main__":
    main()
