"""The predictor: one file with everything needed to classify a raw text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from projects.sentiment.aspects import linear_inputs
from projects.sentiment.attribution import word_attributions
from projects.sentiment.baselines import Baselines, stacking_weight
from projects.sentiment.config import Config
from projects.sentiment.data import ReviewData, Texts, to_dataset
from projects.sentiment.language import common_language
from projects.sentiment.model import NAMES, SentimentNet, architecture, build_model
from projects.sentiment.sources import Table, clean
from projects.sentiment.vocabulary import UNKNOWN, encode
from shared.compute.device import device_of, pick_device
from shared.evaluation.inference import predict
from shared.evaluation.metrics import fit_temperature
from shared.training.checkpoint import load_model, load_network, refuses_damage, save_model, saved_settings, select

RARE = 2000  # terms in fewer than one of this number of texts are not in compact baselines
SCALE = ".scale"  # of the word vectors in 8 bits


@dataclass
class Prediction:
    """The prediction for one text."""

    text: str
    classes: list[tuple[str, float]]
    """Class names with calibrated probabilities, the most likely first."""
    attributions: list[tuple[str, float]] | None = None
    """Every word with its attribution to the predicted class, -1..1, where they were computed."""
    row: int | None = None
    """Row of the table or line of the file, from 1 on."""

    @property
    def label(self) -> str:
        """The most likely class."""
        return self.classes[0][0]

    @property
    def probability(self) -> float:
        """Probability of the most likely class."""
        return self.classes[0][1]

    def __str__(self) -> str:
        short = self.text if len(self.text) <= 80 else self.text[:79] + "…"
        strongest = sorted(self.attributions or [], key=lambda pair: -pair[1])[:3]
        named = ", ".join(word.strip(".,;:!?") for word, value in strongest if value > 0.1)
        return f"{self.label} {self.probability:.0%}  {short}" + (f"  ({named})" if named else "")


@dataclass
class Predictor:
    """Network, tokenizer, classes, calibration, and the baselines to compare with.

    predictor = Predictor.load(Path("runs/sentiment/.../model.safetensors"))
    print(predictor(["It broke after a week."])[0])
    """

    network: SentimentNet
    tokenizer: Tokenizer
    classes: list[str]
    config: Config
    temperature: float
    baselines: Baselines
    stack: float | None = None
    """Weight of naive Bayes in its mean with the network, chosen on the validation set."""
    language: str = ""
    """Language of the training texts, if it is certain (see `language.common_language`)."""

    @classmethod
    def fit(cls, network: SentimentNet, tokenizer: Tokenizer, data: ReviewData, config: Config) -> "Predictor":
        """Calibrate a trained network on the validation set and fit the baselines on the training set."""
        network.to(pick_device(config.training.device))
        validation = to_dataset(data.validation, tokenizer, config.model)
        logits = predict(network, validation, precision="fp32", lengths=validation.lengths)
        train, temperature = data.train, fit_temperature(logits, validation.targets)
        least = max(2, len(train.texts) // RARE) if config.model.compact else 2
        baselines = Baselines.fit(linear_inputs(train), train.labels, len(data.classes), least)
        bayes = baselines.bayes_logits(linear_inputs(data.validation))
        return cls(
            network=network.cpu().eval(),
            tokenizer=tokenizer,
            classes=data.classes,
            config=config.model_copy(update={"data": data.config}),
            temperature=temperature,
            baselines=baselines,
            stack=stacking_weight(logits / temperature, bayes, validation.targets),
            language=common_language(train.texts),
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        fitted = self.baselines
        tensors |= {"baseline.idf": fitted.idf, "baseline.tfidf": fitted.tfidf, "baseline.bayes": fitted.bayes}
        about = {
            "project": "sentiment",
            "config": self.config.model_dump(mode="json"),
            "classes": self.classes,
            "temperature": self.temperature,
            "architecture": architecture(self.network),
            "tokenizer": self.tokenizer.to_str(),
            "terms": fitted.terms,
            "majority": fitted.majority,
            "stack": self.stack,
            "language": self.language,
        }
        save_model(path, pack(tensors) if self.config.model.compact else tensors, about)

    @classmethod
    @refuses_damage
    def load(cls, path: Path) -> "Predictor":
        """Read what `save` wrote. Raises ValueError or FileNotFoundError with one sentence."""
        tensors, about = load_model(path, "sentiment")
        tensors = unpack(tensors)
        config = saved_settings(Config, about["config"], path)
        tokenizer = Tokenizer.from_str(about["tokenizer"])
        network = build_model(config.model, tokenizer, len(about["classes"]), about["architecture"])
        load_network(network, select(tensors, "network."), path)
        fitted = select(tensors, "baseline.")
        return cls(
            network=network,
            tokenizer=tokenizer,
            classes=about["classes"],
            config=config,
            temperature=about["temperature"],
            baselines=Baselines(about["terms"], fitted["idf"], fitted["tfidf"], fitted["bayes"], about["majority"]),
            stack=about.get("stack"),
            language=about.get("language", ""),
        )

    @property
    def name(self) -> str:
        """The network's name for reports."""
        return NAMES[self.config.model.name]

    @property
    def needs_aspects(self) -> bool:
        """Whether it predicts the sentiment towards an aspect of a text, not of the text as a whole."""
        return self.config.data.aspect is not None

    def __call__(self, texts: Sequence[str], aspects: Sequence[str] | None = None) -> list[Prediction]:
        """Raw texts, and the aspect of each if `needs_aspects` -> classes with calibrated probabilities.

        Raises ValueError if there is no text, or one is empty.
        """
        if not texts or not all(clean(text) for text in texts):
            raise ValueError("the text is empty")
        predictions = []
        for text, row in zip(texts, self.forward(texts, aspects).softmax(dim=1)):
            ranked = [(self.classes[c], float(row[c])) for c in row.argsort(descending=True).tolist()]
            predictions.append(Prediction(clean(text), ranked))
        return predictions

    def explain(self, text: str, aspect: str | None = None) -> list[tuple[str, float]]:
        """The words of a text, each with its attribution to the predicted class, -1..1 (integrated gradients)."""
        return word_attributions(self.network, self.tokenizer, clean(text) or ".", aspect, self.config.model)

    def forward(self, texts: Sequence[str], aspects: Sequence[str] | None = None, precision: str = "fp32") -> Tensor:
        """Raw texts, and the aspect of each if `needs_aspects` -> calibrated logits (N, C)."""
        if self.needs_aspects and aspects is None:
            raise ValueError("this model predicts the sentiment towards an aspect; give the aspect of every text")
        cleaned = [clean(text) or "." for text in texts]
        tokens = encode(self.tokenizer, cleaned, aspects, self.config.model)
        return self._logits(Texts(tokens, np.zeros(len(tokens), np.int64)), precision)

    def unknown_words(self, texts: Sequence[str]) -> float:
        """Fraction of the words that are not in the vocabulary, as in texts of another language or of emoji."""
        unknown = next(filter(None, map(self.tokenizer.token_to_id, ("[UNK]", "<unk>"))), UNKNOWN)
        ids = [token for item in self.tokenizer.encode_batch([clean(text) for text in texts]) for token in item.ids]
        return sum(token == unknown for token in ids) / max(1, len(ids))

    def score(self, table: Table) -> Tensor:
        """`forward` for a whole table, (N, C)."""
        return self._logits(to_dataset(table, self.tokenizer, self.config.model))

    def _logits(self, texts: Texts, precision: str = "fp32") -> Tensor:
        self.network.to(device_of(self.config.training.device))
        logits = predict(self.network, texts, precision=precision, lengths=texts.lengths)
        self.network.cpu()
        return logits / self.temperature


def pack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Large tables (V, E) in 8 bits, each row with a scale of its own, and all other weights in 16 bits."""
    packed: dict[str, Tensor] = {}
    for name, values in tensors.items():
        if name.endswith("embedding.weight"):
            scale = (values.abs().amax(dim=1, keepdim=True) / 127).clamp(min=1e-8).half().float()
            packed[name] = (values / scale).round().clamp(-127, 127).to(torch.int8)
            packed[name + SCALE] = scale.half()
        else:
            packed[name] = values.half()
    return packed


def unpack(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `pack` packed, in 32 bits."""
    return {
        name: values.float() * tensors[name + SCALE].float() if values.dtype == torch.int8 else values.float()
        for name, values in tensors.items()
        if not name.endswith(SCALE)
    }
