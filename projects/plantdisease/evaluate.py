"""How good is it? Numbers, pictures and a report, beside the baselines.

python -m projects.plantdisease.evaluate                    # the latest run, on its own test photos
python -m projects.plantdisease.evaluate --run RUN --data.source folder --data.root DIR --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.plantdisease.config import EvaluateOptions
    from shared.command import answer

    answer("projects.plantdisease.evaluate", EvaluateOptions)

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.plantdisease.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.plantdisease.data import LeafData, Photos
from projects.plantdisease.finished import FinishedModel
from projects.plantdisease.predict import Predictor
from projects.plantdisease.robustness import CHANGES, changed
from shared.command import show
from shared.evaluation import report
from shared.evaluation.classification import confusions, macro_f1, per_class_table, scores
from shared.files import atomic, read_json, write_json
from shared.runs import Run, all_runs

ROBUSTNESS_PHOTOS = 400


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: LeafData
    logits: Tensor
    novelty: Tensor
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def targets(self) -> np.ndarray:
        return self.data.test.targets

    @property
    def predictions(self) -> np.ndarray:
        return self.logits.argmax(dim=1).numpy()


def evaluate(run: Run, model: FinishedModel, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = LeafData(data_config, classes=model.classes)
    test = data.test
    logits, novelty = model.score(test)
    colour = model.colour_baseline(data.images[test.indices])
    majority = np.full(len(test), model.commonest)
    numbers = {
        **run.scored_on("plantdisease", data_config, data.split_name, len(test)),
        **scores(logits, test.targets, {"majority": majority, "colour_histogram": colour}, config.bootstrap),
    }
    return Evaluation(data, logits, novelty, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test photos also renew its report."""
    model = FinishedModel.load(run.model_file)
    if _same_photos(options.data, model.config.data):
        result = _renew(run, model, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test photos; write evaluation.json and report.html into it."""
    model = FinishedModel.load(run.model_file)
    _renew(run, model, model.config.evaluation)


def _renew(run: Run, model: FinishedModel, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, model.config.data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    robustness = score_robustness(model, result.data.test) if config.robustness else {}
    _write_report(run, model, result, robustness)
    _print(model, result)
    return result


def score_robustness(model: FinishedModel, test: Photos) -> dict[str, float]:
    """Macro F1 on an even choice of at most 400 test photos, as they are and under every change."""
    rows = test.indices[np.linspace(0, len(test) - 1, min(len(test), ROBUSTNESS_PHOTOS)).astype(int)]
    images, targets = test.images[rows], test.labels[rows]

    def score(pictures: np.ndarray) -> float:
        logits, _ = model.score(Photos(pictures, targets, np.arange(len(pictures))))
        return macro_f1(targets, logits.argmax(dim=1).numpy())

    return {"as they are": score(images)} | {name: score(changed(images, change)) for name, change in CHANGES.items()}


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


def _same_photos(mine: DataConfig, other: DataConfig) -> bool:
    """Whether two settings mean the same test photos (the place of the cache does not matter)."""
    return mine.model_copy(update={"cache": other.cache}) == other


def _print(model: FinishedModel, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["macro_f1"]
    print(f"{numbers['data']['n']} photos, split {numbers['data']['split']}")
    print(f"  {_network(model):<18}{show(numbers['metrics'])}  (macro_f1 95 % interval {low:.3f} - {high:.3f})")
    for name, values in numbers["baselines"].items():
        print(f"  {name:<18}{show(values)}")


def _write_report(run: Run, model: FinishedModel, result: Evaluation, robustness: dict[str, float]) -> None:
    numbers, config = result.numbers, model.config
    metrics, baselines, data = numbers["metrics"], numbers["baselines"], numbers["data"]
    network = _network(model)
    colour = baselines["colour_histogram"]
    low, high = numbers["intervals"]["macro_f1"]
    lead = (
        f"{network} names the right one of {len(model.classes)} classes for {metrics['accuracy']:.1%} of {data['n']} "
        f"leaf photos it has never seen (split: {data['split']}). "
        f"A logistic regression that sees only the colours gets {colour['accuracy']:.1%}, "
        f"always saying '{_plain(model.classes[model.commonest])}' gets {baselines['majority']['accuracy']:.1%}."
    )
    cards = [
        report.Card("macro F1", f"{metrics['macro_f1']:.3f}", f"95 % interval {low:.3f} - {high:.3f}"),
        report.Card("accuracy", f"{metrics['accuracy']:.3f}", f"colours alone {colour['accuracy']:.3f}"),
        report.Card("calibration error", f"{metrics['ece']:.3f}", f"temperature {model.temperature:.2f}"),
    ]
    rows = [[network, *(metrics[m] for m in ("accuracy", "macro_f1", "loss", "ece"))]]
    rows += [
        [name.replace("_", " "), values["accuracy"], values["macro_f1"], "", ""] for name, values in baselines.items()
    ]
    gallery = _gallery(model, result)
    history, stage = run.history() or run.stage("head").history(), "all layers" if run.history() else "head"
    sections = [
        report.Section(
            "Beside the baselines", columns=("", "accuracy", "macro F1", "loss", "ECE"), rows=rows, ours=[0]
        ),
        _splits_section(run),
        report.Section(
            "Where it looked",
            "Test photos, and under each the same photo with the places that spoke most for the answer (Grad-CAM).",
            figure=gallery,
        ),
        report.Section("Mistakes it was most sure of", figure=_worst_mistakes(model, result)),
        report.Section(
            "What is taken for what",
            "Rows are the truth, columns what the network said.",
            figure=report.confusion_figure(
                confusions(result.targets, result.predictions, len(model.classes)), [_plain(c) for c in model.classes]
            ),
        ),
        _robustness_section(robustness),
        report.Section(
            "Class by class",
            columns=("class", "precision", "recall", "F1", "photos"),
            rows=[
                [_plain(row["class"]), row["precision"], row["recall"], row["f1"], row["n"]]
                for row in per_class_table(result.targets, result.predictions, model.classes)
            ],
        ),
        report.Section(
            "Is it as sure as it should be?",
            f"Probabilities after dividing the logits by the temperature {model.temperature:.2f}, chosen on the "
            f"validation photos. {(result.novelty > 1).float().mean():.1%} of the test photos were called strange: "
            "further from every class than 99 % of the validation photos.",
            figure=report.reliability_figure(result.logits.softmax(dim=1).numpy(), result.targets),
        ),
        report.Section(f"Training, {stage}", figure=report.learning_curves(history, config.training.monitor)),
    ]
    with atomic(run.folder / "picture.png") as temporary:
        temporary.write_bytes(report.small_png(gallery))
    sample = " (the embedded sample: leaves drawn by code)" if data["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Plant disease with {network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=lead,
        cards=cards,
        sections=[section for section in sections if section],
    )


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


def _gallery(model: FinishedModel, result: Evaluation, count: int = 7) -> report.Figure:
    """One test photo of some classes, the answer over it and where the network looked under it."""
    predictor = Predictor(model)
    present = np.unique(result.targets)
    labels = present[np.linspace(0, len(present) - 1, min(count, len(present))).astype(int)]
    photos = [
        result.data.images[result.data.test.indices[np.flatnonzero(result.targets == label)[0]]] for label in labels
    ]
    answers = [predictor(photo, top=1).classes[0] for photo in photos]
    titles = [f"{_plain(name)} {p:.0%}\nis {_plain(model.classes[c])}" for (name, p), c in zip(answers, labels)]
    seen = [predictor.explain(photo) for photo in photos]
    return report.picture_grid([*photos, *seen], [*titles, *[""] * len(seen)], columns=len(photos))


def _worst_mistakes(model: FinishedModel, result: Evaluation, count: int = 12) -> report.Figure | None:
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


def _network(model: FinishedModel) -> str:
    """The network's name as people write it."""
    backbone = model.config.model.backbone
    return "AlexNet" if backbone == "alexnet" else backbone


def _plain(name: str) -> str:
    """`Tomato___Late_blight` as people write it."""
    return name.replace("___", ": ").replace("_", " ")
