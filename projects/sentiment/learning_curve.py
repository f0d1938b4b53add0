"""How many labels does it take? Accuracy of the linear model, and on request of the network, by training texts."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from projects.sentiment.aspects import linear_inputs
from projects.sentiment.baselines import LINEAR, Baselines
from projects.sentiment.data import ReviewData, to_dataset
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import Table
from shared.compute.device import device_of
from shared.data import splits
from shared.evaluation.inference import predict
from shared.evaluation.metrics import accuracy
from shared.evaluation.report import ACCENT, SECOND, Section, plain
from shared.runs import Run

FRACTIONS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
NETWORK_FRACTIONS = (1 / 16, 1 / 4)
MIN_TEXTS = 20


@dataclass(frozen=True)
class LearningCurve:
    """Test accuracies by the number of training texts."""

    sizes: list[int]
    linear: list[float]
    network: list[tuple[int, float]]
    """Number of training texts and accuracy; the last is the run itself."""

    def said(self) -> str:
        """Whether and where the linear model reaches the network, in one sentence."""
        texts, best = self.network[-1]
        over = [size for size, score in zip(self.sizes, self.linear) if score >= best]
        if over:
            return (
                f"The linear model reaches the network's accuracy ({best:.3f}, trained on {texts} texts) with about "
                f"{over[0]} texts."
            )
        ahead = [n for n, score in self.network if score > np.interp(n, self.sizes, self.linear)]
        least = (
            f"; of the sizes tried, the network is ahead from {min(ahead)} texts on" if len(self.network) > 1 else ""
        )
        texts_needed = f"with all {texts} texts ({self.linear[-1]:.3f} and {best:.3f}){least}."
        slope = self.linear[-1] - self.linear[-2] if len(self.linear) > 1 else 0.0
        more = ""
        if slope > 0.001:
            doublings = (best - self.linear[-1]) / slope
            more = f" If each doubling went on gaining {slope:.3f}, it would need {doublings:.1f} doublings more."
        return f"The linear model does not reach the network {texts_needed}{more}"


def linear_curve(train: Table, test: Table, classes: int, seed: int = 0) -> tuple[list[int], list[float]]:
    """Test accuracy of the better linear model, trained on 1/16 to a half of the texts: sizes and accuracies.

    Sizes with fewer than `MIN_TEXTS` texts, or without a text of each class, are left out.
    """
    texts, tested, sizes, scores = linear_inputs(train), linear_inputs(test), [], []
    order = np.random.default_rng(seed).permutation(len(texts))
    for fraction in FRACTIONS:
        chosen = order[: round(fraction * len(texts))]
        if len(chosen) < MIN_TEXTS or len(np.unique(train.labels[chosen])) < classes:
            continue
        fitted = Baselines.fit([texts[i] for i in chosen], train.labels[chosen], classes)
        predicted = fitted.predict(tested, [str(number) for number in range(classes)])  # without VADER
        sizes.append(len(chosen))
        scores.append(max(accuracy(test.labels, predicted[name]) for name in LINEAR))
    return sizes, scores


def network_curve(predictor: Predictor, data: ReviewData, test: Table, seed: int = 0) -> list[tuple[int, float]]:
    """Test accuracy of the run's network, trained anew on parts of its training texts: sizes and accuracies."""
    from projects.sentiment.train import train_network

    model, found = predictor.config.model, []
    training = np.flatnonzero(data.parts == splits.TRAIN)
    order = np.random.default_rng(seed).permutation(len(training))
    for fraction in NETWORK_FRACTIONS:
        kept = data.parts != splits.TRAIN
        kept[training[order[: round(fraction * len(order))]]] = True
        part = copy(data)
        part.table, part.parts = data.table.rows(kept), data.parts[kept]
        size = len(part.train.texts)
        if size < MIN_TEXTS or len(np.unique(part.train.labels)) < len(predictor.classes):
            continue
        with TemporaryDirectory() as folder:
            run = Run(Path(folder) / "sentiment" / "part")
            network, tokenizer = train_network(predictor.config, run, part)
        texts = to_dataset(test, tokenizer, model)
        network.to(device_of(predictor.config.training.device))
        logits = predict(network, texts, precision="fp32", lengths=texts.lengths)
        found.append((size, accuracy(test.labels, logits.argmax(dim=1).numpy())))
    return found


def curve_section(curve: LearningCurve, network: str) -> Section:
    """The figure, and the sentence about the crossing."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(curve.sizes, curve.linear, color=SECOND, marker="o", markersize=4, label="linear model")
    axes.axhline(curve.network[-1][1], color=ACCENT, linewidth=0.9, linestyle="--")
    axes.plot(*zip(*curve.network), color=ACCENT, marker="s", markersize=5, label=network)
    axes.set_xscale("log", base=2)
    axes.set_xticks(curve.sizes, [str(size) for size in curve.sizes])
    axes.minorticks_off()
    axes.set(xlabel="training texts", ylabel="test accuracy")
    axes.legend(frameon=False)
    plain(axes)
    return Section("Learning curve: how many labels?", curve.said(), figure=figure)
