"""What the report shows: the numbers in words, tables and pictures."""

from typing import TYPE_CHECKING, Any

import numpy as np

from projects.plantdisease.finished import FinishedModel
from projects.plantdisease.predict import Predictor
from shared.evaluation import report
from shared.files import read_json, write_bytes
from shared.runs import Run, all_runs

if TYPE_CHECKING:
    from projects.plantdisease.evaluate import Evaluation

BASELINES = {"majority": "majority", "colour_histogram": "colour histogram"}


def write_report(run: Run, model: FinishedModel, result: "Evaluation") -> None:
    """`report.html` and, of what it shows, a small `picture.png` into the run."""
    numbers, network = result.numbers, network_name(model)
    stage, recipe, history = "all layers", model.config.training, run.history()
    if not history:
        stage, recipe, history = "head", model.config.head, run.stage("head").history()
    gallery = _gallery(model, result)
    sections = [
        report.baselines_section(numbers, network, BASELINES),
        _splits_section(run),
        report.Section(
            "Where it looked",
            "Test photos, and under each the places that spoke most for the answer: without them it is less likely.",
            figure=gallery,
        ),
        report.Section("Mistakes it was most sure of", figure=_worst_mistakes(model, result)),
        _robustness_section(numbers.get("robustness", {})),
        *report.classifier_sections(
            result.logits.numpy(), result.targets, [_plain(c) for c in model.classes], model.temperature, "photos",
            f"{(result.novelty > 1).float().mean():.1%} of the test photos were called strange: further from every "
            "class than 99 % of the validation photos.",
        ),
        report.Section(f"Training, {stage}", figure=report.learning_curves(history, recipe.monitor)),
    ]  # fmt: skip
    write_bytes(run.folder / "picture.png", report.small_png(gallery))
    sample = " (the embedded sample: leaves drawn by code)" if numbers["data"]["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Plant disease with {network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=_lead(model, result),
        cards=report.classifier_cards(numbers, "colour_histogram", "colours alone", model.temperature),
        sections=sections,
    )


def _lead(model: FinishedModel, result: "Evaluation") -> str:
    """The result in two sentences."""
    data, metrics, baselines = (result.numbers[key] for key in ("data", "metrics", "baselines"))
    return (
        f"{network_name(model)} names the right one of {len(model.classes)} classes for {metrics['accuracy']:.1%} of "
        f"{data['n']} leaf photos it has never seen (split: {data['split']}). "
        f"A logistic regression that sees only the colours gets {baselines['colour_histogram']['accuracy']:.1%}, "
        f"always saying '{_plain(model.classes[model.commonest])}' gets {baselines['majority']['accuracy']:.1%}."
    )


def sibling_splits(run: Run) -> list[list[Any]]:
    """Runs of the same recipe on the same photos that differ only in the split: split, n, macro F1 and interval."""

    def recipe(other: Run) -> dict[str, Any]:
        settings = other.settings
        return {**settings, "data": {**settings["data"], "split": None}}

    found: dict[str, list[Any]] = {}
    for other in all_runs("plantdisease"):
        path = other.folder / "evaluation.json"
        if path.is_file() and recipe(other) == recipe(run):
            numbers = read_json(path)
            low, high = numbers["intervals"]["macro_f1"]
            split = numbers["data"]["split"]
            interval = f"{low:.3f} - {high:.3f}"
            found[split] = [split, numbers["data"]["n"], numbers["metrics"]["macro_f1"], interval]
    return sorted(found.values(), key=lambda row: -row[2])


def _splits_section(run: Run) -> report.Section | None:
    rows = sibling_splits(run)
    if len(rows) < 2:
        return None
    return report.Section(
        "The same recipe under other splits",
        "A random split lets near-copies of the training photos into the test; the further apart training and test "
        "photos were taken, the closer the number is to what a new field would give.",
        columns=("split", "photos", "macro F1", "95 % interval"),
        rows=rows,
    )


def _robustness_section(robustness: dict[str, float]) -> report.Section | None:
    if not robustness:
        return None
    return report.Section(
        "Under worse conditions",
        "Macro F1 on the same photos, changed. 'background only' has the leaf painted over: what is right there was "
        "read from the table and the light, not from the leaf, and should be near chance.",
        columns=("photos", "macro F1"),
        rows=[[name, value] for name, value in robustness.items()],
        ours=[0],
    )


def _gallery(model: FinishedModel, result: "Evaluation", count: int = 7) -> report.Figure:
    """One test photo of some classes, the answer over it and where the network looked under it."""
    predictor = Predictor(model)
    present = np.unique(result.targets)
    labels = present[np.linspace(0, len(present) - 1, min(count, len(present))).astype(int)]
    photos = [
        result.data.images[result.data.test.indices[np.flatnonzero(result.targets == label)[0]]] for label in labels
    ]
    answers = [predictor(photo, top=1).classes[0] for photo in photos]
    titles = [f"{_plain(name)} {p:.0%}\nis {_plain(model.classes[c])}" for (name, p), c in zip(answers, labels)]
    seen = [predictor.explain(photo, name) for photo, (name, _) in zip(photos, answers)]
    return report.picture_grid([*photos, *seen], [*titles, *[""] * len(seen)], columns=len(photos))


def _worst_mistakes(model: FinishedModel, result: "Evaluation", count: int = 12) -> report.Figure | None:
    probabilities = result.logits.softmax(dim=1)
    wrong = np.flatnonzero(result.predictions != result.targets)
    if not len(wrong):
        return None
    sure = probabilities.amax(dim=1).numpy()
    worst = wrong[np.argsort(-sure[wrong])][:count]
    titles = [
        f"{_plain(model.classes[result.predictions[i]])} {sure[i]:.0%}\nis {_plain(model.classes[result.targets[i]])}"
        for i in worst
    ]
    return report.picture_grid([result.data.images[result.data.test.indices[i]] for i in worst], titles)


def network_name(model: FinishedModel) -> str:
    """The network's name as people write it."""
    backbone = model.config.model.backbone
    return "AlexNet" if backbone == "alexnet" else backbone


def _plain(name: str) -> str:
    """`Tomato___Late_blight` as people write it."""
    return name.replace("___", ": ").replace("_", " ")
