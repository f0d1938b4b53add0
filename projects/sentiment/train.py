"""Train a network that predicts the sentiment of texts.

python -m projects.sentiment.train --config configs/sentiment/sample.yaml    # offline, about half a minute
python -m projects.sentiment.train --config configs/sentiment/products.yaml --data.root reviews.csv
torchrun --nproc-per-node 2 -m projects.sentiment.train ...
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

from pathlib import Path

import numpy as np
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from projects.sentiment.clauses import sentences_of
from projects.sentiment.config import Config
from projects.sentiment.data import ReviewData, Texts, fingerprints, to_dataset
from projects.sentiment.model import SentimentNet, architecture, build_model, build_tokenizer
from projects.sentiment.predictor import Predictor
from projects.sentiment.vocabulary import encode
from shared.data.loader import Batches
from shared.data.summary import named
from shared.evaluation.inference import predict
from shared.evaluation.metrics import classification_metrics
from shared.runs import Run
from shared.training.loop import fit

TEACHER_TEMPERATURE, TEACHER_WEIGHT = 2.0, 0.9
"""How much the teacher's probabilities are softened, and their fraction of the target; the rest are the labels."""


def train(config: Config, run: Run) -> Predictor:
    """Build data, tokenizer and network, train, and return the predictor."""
    data = ReviewData(config.data)
    run.describe(data.summary())
    kinds = (True,) if config.data.tables else (False, True)  # of several tables, each with its own columns: bare texts
    items = [fingerprints(table, bare) for table in (data.train, data.validation) for bare in kinds]
    earlier = filter(None, (config.training.init_from, config.training.teacher))
    run.record(*items, earlier=[path.parent for path in earlier])
    return Predictor.fit(*train_network(config, run, data), data, config)


def train_network(config: Config, run: Run, data: ReviewData) -> tuple[SentimentNet, Tokenizer]:
    """A trained network and its tokenizer."""
    settings = config.training
    tokenizer, model = build(config, data)
    training = to_dataset(data.train, tokenizer, config.training_input)
    validation = to_dataset(data.validation, tokenizer, config.model)
    if settings.teacher:
        training = taught(load_teacher(settings.teacher, data), training, config, data, tokenizer)

    def loss(network: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        tokens, targets = batch  # (B, L) or (B, W, L), (B,) or (B, C)
        return F.cross_entropy(network(tokens), targets, label_smoothing=settings.label_smoothing)

    def validate(network: nn.Module) -> dict[str, float]:
        logits = predict(network, validation, precision=settings.precision, lengths=validation.lengths)
        return classification_metrics(logits, validation.targets)

    groups = [(model.head, 1.0), (model.encoder, settings.encoder_lr_factor)]
    batches = Batches(training, settings.batch_size, settings.seed, settings.num_workers, training.lengths)
    fit(model, loss, batches, validate, settings, run, groups)
    return model, tokenizer


def build(config: Config, data: ReviewData) -> tuple[Tokenizer, SentimentNet]:
    """A tokenizer and a new network, or one with the encoder of the run in `training.init_from`."""
    path, classes = config.training.init_from, len(data.classes)
    if path is None:
        tokenizer = build_tokenizer(config.model, data.train.texts)
        return tokenizer, build_model(config.model, tokenizer, classes)
    earlier = Predictor.load(path)
    try:
        if earlier.config.model.name != config.model.name:
            raise RuntimeError
        model = build_model(config.model, earlier.tokenizer, classes, architecture(earlier.network))
        model.encoder.load_state_dict(earlier.network.encoder.state_dict())
    except RuntimeError:
        raise ValueError(f"training.init_from {path} has a network with settings other than those of `model`") from None
    return earlier.tokenizer, model


def taught(teacher: Predictor, training: Texts, config: Config, data: ReviewData, tokenizer: Tokenizer) -> Texts:
    """The training texts with softened probabilities of the teacher beside their labels, and sentences of them with
    these probabilities alone; targets (N, C)."""
    settings, aspects = config.training, data.train.aspects
    if aspects is not None and settings.teacher_sentences:
        raise ValueError("training.teacher_sentences is for texts without aspects")
    sentences = sentences_of(data.train.texts, settings.teacher_sentences, settings.seed)
    logits = teacher.forward(data.train.texts + sentences, aspects, settings.precision)
    targets = (logits / TEACHER_TEMPERATURE).softmax(dim=1).numpy()
    labels = np.eye(len(data.classes), dtype=np.float32)[training.targets]
    targets[: len(labels)] = TEACHER_WEIGHT * targets[: len(labels)] + (1 - TEACHER_WEIGHT) * labels
    tokens = encode(tokenizer, sentences, None, config.training_input)
    return Texts(training.tokens + tokens, targets)


def load_teacher(path: Path, data: ReviewData) -> Predictor:
    """The run in `training.teacher`. Raises ValueError where it has learned something else."""
    teacher = Predictor.load(path)
    if teacher.needs_aspects != (data.train.aspects is not None):
        raise ValueError(f"training.teacher {path} has learned {'' if teacher.needs_aspects else 'no '}aspects")
    if teacher.classes != data.classes:
        raise ValueError(f"training.teacher {path} has the classes {named(teacher.classes)}, not {named(data.classes)}")
    return teacher
