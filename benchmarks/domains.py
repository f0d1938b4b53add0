"""Accuracy of sentiment on texts of another kind: each table of a config in turn is left out and then scored.

python -m benchmarks.domains configs/sentiment/general.yaml [OTHER.yaml ...]

OTHER: the settings of one more table (as in `data.tables`), scored by a network trained on all tables of the config. Of
a table with a test set of its own only that is scored. Where a table has no neutral texts, or the training had none,
only negative and positive ones are scored, by the larger of the two logits.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from projects.sentiment.baselines import vader
from projects.sentiment.config import Config, DataConfig
from projects.sentiment.data import ReviewData, load_parts, to_dataset
from projects.sentiment.train import train_network
from shared.config import load, read_yaml
from shared.evaluation.inference import predict
from shared.evaluation.metrics import accuracy
from shared.runs import Run

POLES = ["negative", "positive"]


def main(file: str, *others: str) -> None:
    """Train without each table in turn, and print the accuracy on it beside VADER's."""
    config = load(Config, read_yaml(Path(file)))
    tables = config.data.tables
    places = {(table["source"], table.get("root")): table for table in reversed(tables) if table["source"] != "sample"}
    for place, table in reversed(places.items()):
        report(config, [other for other in tables if (other["source"], other.get("root")) != place], table)
    for other in others:
        report(config, tables, read_yaml(Path(other)))


def report(config: Config, tables: list[dict], left_out: dict) -> None:
    """Train on some tables, score another one and print a line."""
    data = ReviewData(config.data.model_copy(update={"tables": tables}))
    with tempfile.TemporaryDirectory() as folder:
        network, tokenizer = train_network(config, Run(Path(folder) / "sentiment" / "run"), data)
    table, split, parts = load_parts(load(DataConfig, left_out), None)
    if split == "given":
        table = table.rows(parts == "test")
    wanted = [name for name in table.classes if name in data.classes]
    if wanted == POLES and len(table.classes) > 2:
        table = table.rows(np.isin(table.labels, [table.classes.index(name) for name in POLES]))
    targets = np.array([wanted.index(table.classes[label]) for label in table.labels])
    texts = to_dataset(table, tokenizer, config.model.max_tokens, config.model.windows)
    logits = predict(network, texts, lengths=texts.lengths)
    predicted = logits[:, [data.classes.index(name) for name in wanted]].argmax(dim=1).numpy()
    rules = vader(table.texts, wanted)
    said = "not installed" if rules is None else f"{accuracy(targets, rules):.3f}"
    place = Path(left_out.get("root") or left_out["source"]).name
    print(
        f"{place}: {len(targets)} texts, {len(wanted)} classes: {accuracy(targets, predicted):.3f}, VADER {said}",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
