"""A finished model: one file with everything needed to answer for a raw text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from torch import Tensor

from projects.sentiment.baselines import Baselines
from projects.sentiment.config import Config
from projects.sentiment.data import ReviewData, Texts, to_dataset
from projects.sentiment.model import SentimentNet, architecture, build_model
from projects.sentiment.sources import Table, clean
from projects.sentiment.vocabulary import encode
from shared.compute.device import device_of, pick_device
from shared.evaluation.inference import predict
from shared.evaluation.metrics import fit_temperature
from shared.training.checkpoint import load_model, save_model, saved_settings, select


@dataclass
class Predictor:
    """Network, words, classes, calibration, and the baselines to compare with."""

    network: SentimentNet
    tokenizer: Tokenizer
    classes: list[str]
    config: Config
    temperature: float
    baselines: Baselines

    @classmethod
    def finish(cls, network: SentimentNet, tokenizer: Tokenizer, data: ReviewData, config: Config) -> "Predictor":
        """Calibrate a trained network on the validation texts and fit the baselines on the training texts."""
        network.to(pick_device(config.training.device))
        validation = to_dataset(data.validation, tokenizer, config.model.max_tokens)
        logits = predict(network, validation, lambda batch: batch[0], precision="fp32", lengths=validation.lengths)
        train = data.train
        return cls(
            network=network.cpu().eval(),
            tokenizer=tokenizer,
            classes=data.classes,
            config=config,
            temperature=fit_temperature(logits, validation.targets),
            baselines=Baselines.fit(with_aspects(train), train.labels, len(data.classes)),
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        simple = self.baselines
        tensors |= {"baseline.idf": simple.idf, "baseline.tfidf": simple.tfidf, "baseline.bayes": simple.bayes}
        about = {
            "project": "sentiment",
            "config": self.config.model_dump(mode="json"),
            "classes": self.classes,
            "temperature": self.temperature,
            "architecture": architecture(self.network),
            "tokenizer": self.tokenizer.to_str(),
            "terms": simple.terms,
            "commonest": simple.commonest,
        }
        save_model(path, tensors, about)

    @classmethod
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "sentiment")
        config = saved_settings(Config, about["config"], path)
        tokenizer = Tokenizer.from_str(about["tokenizer"])
        network = build_model(config.model, tokenizer, len(about["classes"]), about["architecture"])
        network.load_state_dict(select(tensors, "network."))
        simple = select(tensors, "baseline.")
        return cls(
            network=network.eval(),
            tokenizer=tokenizer,
            classes=about["classes"],
            config=config,
            temperature=about["temperature"],
            baselines=Baselines(about["terms"], simple["idf"], simple["tfidf"], simple["bayes"], about["commonest"]),
        )

    def __call__(self, texts: Sequence[str], aspects: Sequence[str] | None = None) -> Tensor:
        """Raw texts, and what each is asked about if the model judges aspects -> calibrated logits (N, C)."""
        tokens = encode(self.tokenizer, [clean(text) or "." for text in texts], aspects, self.config.model.max_tokens)
        return self._score(Texts(tokens, np.zeros(len(tokens), np.int64)))

    def score(self, table: Table) -> Tensor:
        """`__call__` for a whole table: (N, C)."""
        return self._score(to_dataset(table, self.tokenizer, self.config.model.max_tokens))

    def _score(self, texts: Texts) -> Tensor:
        self.network.to(device_of(self.config.training.device))
        logits = predict(self.network, texts, lambda batch: batch[0], precision="fp32", lengths=texts.lengths)
        self.network.cpu()
        return logits / self.temperature

    def baseline_predictions(self, table: Table) -> dict[str, np.ndarray]:
        """What the baselines say: class numbers (N,) by name."""
        return self.baselines.predict(with_aspects(table), self.classes)


def with_aspects(table: Table) -> list[str]:
    """The texts as a bag of words sees them: what is asked about comes after the text."""
    return table.texts if table.aspects is None else [f"{t} ; {a}" for t, a in zip(table.texts, table.aspects)]
