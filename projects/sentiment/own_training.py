"""Train a run on the stars or labels of the file that a customer report is about."""

import shutil
from pathlib import Path
from typing import Any

from projects.sentiment.config import Config, CustomerReportOptions, DataConfig
from projects.sentiment.data import ReviewData, fingerprints
from projects.sentiment.language import common_language
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import Table
from projects.sentiment.topic_words import Encoder
from projects.sentiment.train import train
from shared.command import evaluate_own_test_set
from shared.compute.device import seed_everything
from shared.config import load
from shared.data.config import TableFormat
from shared.data.provenance import Provenance
from shared.runs import Run

MIN_OWN = 200  # stars or labels of a file, to train on them
FEW = 800  # texts; up to here the run that comes with the project is a better start than the larger encoder
ENCODER: dict[str, Any] = {
    "model": {"name": "transformer", "pooling": "mean", "max_tokens": 160, "dropout": 0.1},
    "training": {
        "epochs": 3, "batch_size": 32, "learning_rate": 2.0e-4, "encoder_lr_factor": 0.4, "ema_decay": 0.99,
        "warmup": 0.1,
    },
}  # fmt: skip
"""Those of products.yaml."""
FROM_SHIPPED: dict[str, Any] = {"epochs": 12, "batch_size": 32, "learning_rate": 3.0e-3}
"""Chosen on tweets about airlines (RESULTS.md)."""
WORDS: dict[str, Any] = {"model": {"name": "cnn"}, "training": {"epochs": 6}}


def settings_for(table: Table) -> dict[str, Any]:
    """From the run that comes with the project for few English texts that it has not seen, and where the encoder is not
    installed; else the encoder, or a CNN."""
    shipped = Run(Path(__file__).parent / "shipped")
    seen = Provenance.load(shipped.folder).seen(fingerprints(table, bare=True), keep=True)
    fits = 2 * seen.count < len(table.texts) and common_language(table.texts) in ("", "English")
    if shipped.model_file.is_file() and fits and (len(table.texts) <= FEW or not Encoder.is_installed()):
        model = Predictor.load(shipped.model_file).config.model.model_dump()
        return {"model": model, "training": {**FROM_SHIPPED, "init_from": shipped.model_file}}
    return ENCODER if Encoder.is_installed() else WORDS


def train_on(path: Path, options: CustomerReportOptions) -> Run:
    """A run that was trained, validated and tested on parts of the file. Raises ValueError with one sentence."""
    named = {name: getattr(options, name) for name in ("text", "title", "label", "product", *TableFormat.model_fields)}
    data = {"source": "csv", "root": path, **named}
    table = ReviewData(load(DataConfig, data)).table
    labelled = len(table.texts)
    if labelled < MIN_OWN:
        raise ValueError(f"--train needs at least {MIN_OWN} reviews with stars or labels; {path} has {labelled}")
    config = load(Config, {"data": data, **settings_for(table)})
    start = " from the run shipped" if config.training.init_from else ""
    print(f"trains a {config.model.name} on {labelled} reviews of {path}{start}")
    run = Run.create("sentiment", "reviews", config)
    seed_everything(config.training.seed)
    train(config, run).save(run.model_file)
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    evaluate_own_test_set("sentiment", run)
    return run
