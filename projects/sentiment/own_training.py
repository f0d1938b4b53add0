"""Train a run on the stars or labels of the file that a customer report is about."""

import shutil
from pathlib import Path
from typing import Any

from projects.sentiment.config import Config, CustomerReportOptions
from projects.sentiment.data import ReviewData
from projects.sentiment.topic_words import Encoder
from projects.sentiment.train import train
from shared.command import evaluate_own_test_set
from shared.compute.device import seed_everything
from shared.config import load
from shared.data.config import TableFormat
from shared.runs import Run

MIN_OWN = 200  # stars or labels of a file, to train on them
ENCODER: dict[str, Any] = {
    "model": {"name": "transformer", "pooling": "mean", "max_tokens": 160, "dropout": 0.1},
    "training": {
        "epochs": 3, "batch_size": 32, "learning_rate": 2.0e-4, "encoder_lr_factor": 0.4, "ema_decay": 0.99,
        "warmup": 0.1,
    },
}  # fmt: skip
"""Those of products.yaml."""
WORDS: dict[str, Any] = {"model": {"name": "cnn"}, "training": {"epochs": 6}}


def settings_for() -> dict[str, Any]:
    """The encoder where it is installed, else a CNN."""
    return ENCODER if Encoder.is_installed() else WORDS


def train_on(path: Path, options: CustomerReportOptions) -> Run:
    """A run that was trained, validated and tested on parts of the file. Raises ValueError with one sentence."""
    named = {name: getattr(options, name) for name in ("text", "title", "label", "product", *TableFormat.model_fields)}
    settings = settings_for()
    config = load(Config, {"data": {"source": "csv", "root": path, **named}, **settings})
    labelled = len(ReviewData(config.data).table.texts)
    if labelled < MIN_OWN:
        raise ValueError(f"--train needs at least {MIN_OWN} reviews with stars or labels; {path} has {labelled}")
    print(f"trains a {config.model.name} on {labelled} reviews of {path}")
    run = Run.create("sentiment", "reviews", config)
    seed_everything(config.training.seed)
    train(config, run).save(run.model_file)
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    evaluate_own_test_set("sentiment", run)
    return run
