"""What the report shows: the numbers in words, tables and figures."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from projects.plantdisease.evaluate import Evaluation
from projects.plantdisease.predictor import Predictor
from shared.data.summary import named
from shared.evaluation.report import (
    Report,
    Section,
    baselines_section,
    classifier_cards,
    classifier_sections,
    learning_curves,
    picture_grid,
)
from shared.runs import Run, evaluated_runs

BASELINES = {"majority": "majority class", "colour_histogram": "colour histogram"}


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    stage, training, history = "all layers", predictor.config.training, run.history()
    if not history:
        stage, training, history = "head", predictor.config.head, run.stage("head").history()
    gallery = _gallery(predictor, result)
    sections = [
        baselines_section(result.numbers, predictor.name, BASELINES),
        _splits_section(run),
        Section(
            "Attribution (occlusion)",
            "Test photos, and under each the parts that support the prediction: without them it is less likely.",
            figure=gallery,
        ),
        Section("Most confident errors", figure=_confident_errors(predictor, result)),
        _robustness_section(result.numbers.get("robustness", {})),
        *classifier_sections(
            result.logits.numpy(), result.test.targets, [_plain(c) for c in predictor.classes], predictor.temperature,
            "photos",
            f"{(result.ood > 1).float().mean():.1%} of the test photos are out of distribution: further from every "
            "class than 99 % of the validation photos.",
        ),
        Section(f"Training, {stage}", figure=learning_curves(history, training.monitor)) if history else None,
    ]  # fmt: skip
    return Report(
        title=f"Plant disease with {predictor.name}",
        lead=_lead(predictor, result),
        cards=classifier_cards(result.numbers, "colour_histogram", "colours alone", predictor.temperature),
        sections=sections,
        picture=gallery,
    )


def _lead(predictor: Predictor, result: Evaluation) -> str:
    """The result in two sentences."""
    data, metrics, baselines = (result.numbers[key] for key in ("data", "metrics", "baselines"))
    few = named([f"{_plain(name)} {count}" for name, count in predictor.too_few.items()])
    doubt = f" Classes with too few validation photos to believe what is said about them: {few}." if few else ""
    return (
        f"{predictor.name} predicts the right one of {len(predictor.classes)} classes for {metrics['accuracy']:.1%} of "
        f"{data['n']} test photos (split: {data['split']}). "
        f"A logistic regression on colours alone reaches {baselines['colour_histogram']['accuracy']:.1%}, "
        f"always predicting '{_plain(predictor.classes[predictor.majority])}' {baselines['majority']['accuracy']:.1%}."
        + doubt
    )


def sibling_splits(run: Run) -> list[list[Any]]:
    """Runs with the same settings that differ only in the split: split, n, macro F1 and interval."""

    def without_split(settings: dict[str, Any]) -> dict[str, Any]:
        return {**settings, "data": {**(settings.get("data") or {}), "split": None}}

    found: dict[str, list[Any]] = {}
    for _, settings, numbers in evaluated_runs("plantdisease"):
        if without_split(settings) == without_split(run.settings):
            low, high = numbers["intervals"]["macro_f1"]
            split = numbers["data"]["split"]
            interval = f"{low:.3f} - {high:.3f}"
            found[split] = [split, numbers["data"]["n"], numbers["metrics"]["macro_f1"], interval]
    return sorted(found.values(), key=lambda row: -row[2])


def _splits_section(run: Run) -> Section | None:
    rows = sibling_splits(run)
    if len(rows) < 2:
        return None
    return Section(
        "The same settings under other splits",
        "A random split leaks near-duplicates of the training photos into the test set; the further apart training and "
        "test photos were taken, the closer the score is to that in a new field.",
        columns=("split", "photos", "macro F1", "95 % interval"),
        rows=rows,
    )


def _robustness_section(robustness: dict[str, float]) -> Section | None:
    if not robustness:
        return None
    return Section(
        "Robustness",
        "Macro F1 on corrupted copies of the test photos. In 'background only' the leaf is painted over: a score above "
        "chance there was read from the table and the light, not from the leaf.",
        columns=("photos", "macro F1"),
        rows=[[name, value] for name, value in robustness.items()],
        ours=[0],
    )


def _gallery(predictor: Predictor, result: Evaluation, count: int = 7) -> Figure:
    """One test photo of some classes, the prediction over it and its attribution under it."""
    targets = result.test.targets
    present = np.unique(targets)
    labels = present[np.linspace(0, len(present) - 1, min(count, len(present))).astype(int)]
    photos = [result.test.images[result.test.indices[np.flatnonzero(targets == label)[0]]] for label in labels]
    answers = [predictor(photo, top=1).classes[0] for photo in photos]
    titles = [f"{_plain(name)} {p:.0%}\ntrue: {_plain(predictor.classes[c])}" for (name, p), c in zip(answers, labels)]
    heat_maps = [predictor.explain(photo, name) for photo, (name, _) in zip(photos, answers)]
    return picture_grid([*photos, *heat_maps], [*titles, *[""] * len(heat_maps)], columns=len(photos))


def _confident_errors(predictor: Predictor, result: Evaluation, count: int = 12) -> Figure | None:
    """The wrong predictions with the highest confidence, with file names."""
    confidence, predictions = (part.numpy() for part in result.logits.softmax(dim=1).max(dim=1))
    wrong = np.flatnonzero(predictions != result.test.targets)
    if not len(wrong):
        return None
    worst = wrong[np.argsort(-confidence[wrong])][:count]
    titles = [
        f"{_plain(predictor.classes[predictions[i]])} {confidence[i]:.0%}\n"
        f"true: {_plain(predictor.classes[result.test.targets[i]])}\n{result.predictions[i]['item'][-22:]}"
        for i in worst
    ]
    return picture_grid([result.test.images[result.test.indices[i]] for i in worst], titles)


def _plain(name: str) -> str:
    """`Tomato___Late_blight` as people write it."""
    return name.replace("___", ": ").replace("_", " ")
