"""How good is it? Numbers, pictures and a report, beside the baselines.

python -m projects.sentiment.evaluate                       # the latest run, on its own test texts
python -m projects.sentiment.evaluate --run RUN --data.source csv --data.root FILE --data.split all --json out.json
"""

if __name__ == "__main__":
    from projects.sentiment.config import EvaluateOptions
    from shared.command import answer

    answer("projects.sentiment.evaluate", EvaluateOptions)

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from projects.sentiment.behaviour import Behaviour, ask
from projects.sentiment.config import DataConfig, EvaluateOptions, EvaluationConfig
from projects.sentiment.data import ReviewData
from projects.sentiment.explain import carried, highlighted
from projects.sentiment.finished import FinishedModel
from projects.sentiment.repeats import words_of
from projects.sentiment.sources import Table
from shared.command import show
from shared.evaluation import report
from shared.evaluation.classification import accuracy, confusions, mcnemar, per_class_table, scores
from shared.files import write_json
from shared.runs import Run

NEGATIONS = {"not", "no", "never", "nothing", "nobody", "none", "hardly", "without", "t", "nt", "cannot"}
NAMES = {"bilstm": "BiLSTM", "cnn": "CNN", "transformer": "Transformer"}
BASELINES = {
    "majority": "always the commonest",
    "tfidf_lr": "TF-IDF + logistic regression",
    "nb_lr": "naive Bayes + logistic regression",
    "vader": "VADER (a lexicon)",
}


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: ReviewData
    test: Table
    logits: Tensor
    simple: dict[str, np.ndarray]
    """Answers of the baselines, class numbers (N,)."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def targets(self) -> np.ndarray:
        return self.test.labels

    @property
    def predictions(self) -> np.ndarray:
        return self.logits.argmax(dim=1).numpy()

    @property
    def rival(self) -> str:
        """The baseline with the best accuracy."""
        return max(self.simple, key=lambda name: accuracy(self.targets, self.simple[name]))


def evaluate(run: Run, model: FinishedModel, data_config: DataConfig, config: EvaluationConfig) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = ReviewData(data_config, classes=model.classes)
    test = data.test
    logits, simple = model.score(test), model.simple_answers(test)
    numbers = {
        **run.scored_on("sentiment", data_config, data.split_name, len(test.texts)),
        **scores(logits, test.labels, simple, config.bootstrap),
    }
    return Evaluation(data, test, logits, simple, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test texts also renew its report."""
    model = FinishedModel.load(run.model_file)
    if options.data == model.config.data:
        result = _renew(run, model, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test texts; write evaluation.json and report.html into it."""
    model = FinishedModel.load(run.model_file)
    _renew(run, model, model.config.evaluation)


def _renew(run: Run, model: FinishedModel, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, model.config.data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    _write_report(run, model, result, behaviour(model, result) if config.behaviour else [])
    _print(model, result)
    return result


def behaviour(model: FinishedModel, result: Evaluation) -> list[tuple[Behaviour, Behaviour]]:
    """The same questions to the network and to its best rival among the linear models."""
    if result.test.aspects is not None:
        return []
    rival = max(("tfidf_lr", "nb_lr"), key=lambda name: accuracy(result.targets, result.simple[name]))
    ours = ask(lambda texts: model(texts).argmax(dim=1).numpy(), result.test.texts, model.classes)
    theirs = ask(lambda texts: model.baselines.predict(texts, model.classes)[rival], result.test.texts, model.classes)
    return list(zip(ours, theirs))


def slices(result: Evaluation) -> list[tuple[str, np.ndarray]]:
    """Parts of the test texts by length, by negation and by product: name and which texts, bool (N,)."""
    words = [words_of(text) for text in result.test.texts]
    lengths = np.array([len(w) for w in words])
    low, high = np.quantile(lengths, [1 / 3, 2 / 3]).astype(int)
    negated = np.array([bool(NEGATIONS & set(w)) for w in words])
    found = [
        (f"at most {low} words", lengths <= low),
        (f"{low + 1} to {high} words", (lengths > low) & (lengths <= high)),
        (f"more than {high} words", lengths > high),
        ("with a negation", negated),
        ("without one", ~negated),
    ]
    products = np.array(result.test.products or [])
    for product, _ in Counter(products.tolist()).most_common(8) if len(products) else []:
        found.append((str(product)[:50] or "(no product)", products == product))
    return [(name, inside) for name, inside in found if inside.sum() >= 10]


def _print(model: FinishedModel, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["macro_f1"]
    print(f"{numbers['data']['n']} texts, split {numbers['data']['split']}")
    name = NAMES[model.config.model.name]
    print(f"  {name:<18}{show(numbers['metrics'])}  (macro_f1 95 % interval {low:.3f} - {high:.3f})")
    for baseline, values in numbers["baselines"].items():
        print(f"  {baseline:<18}{show(values)}")
    print(f"  {_against(result)}")


def _against(result: Evaluation) -> str:
    """Whether the network beats its best baseline, in words."""
    ours, theirs, p = mcnemar(result.targets, result.predictions, result.simple[result.rival])
    verdict = "no better and no worse than" if p >= 0.05 else "better than" if ours > theirs else "worse than"
    return (
        f"{verdict} {BASELINES[result.rival]}: {ours} texts that only the network has right, "
        f"{theirs} that only the other has (McNemar p = {p:.2g})"
    )


def _write_report(
    run: Run, model: FinishedModel, result: Evaluation, behaviours: list[tuple[Behaviour, Behaviour]]
) -> None:
    numbers, config = result.numbers, model.config
    metrics, baselines, data = numbers["metrics"], numbers["baselines"], numbers["data"]
    network, rival = NAMES[config.model.name], result.rival
    low, high = numbers["intervals"]["macro_f1"]
    lead = (
        f"The {network} judges {metrics['accuracy']:.1%} of {data['n']} texts it has never seen as their authors did "
        f"(split: {data['split']}); {BASELINES[rival]} gets {baselines[rival]['accuracy']:.1%}. "
        f"It is {_against(result)}."
    )
    cards = [
        report.Card("macro F1", f"{metrics['macro_f1']:.3f}", f"95 % interval {low:.3f} - {high:.3f}"),
        report.Card("accuracy", f"{metrics['accuracy']:.3f}", f"{BASELINES[rival]} {baselines[rival]['accuracy']:.3f}"),
        report.Card("calibration error", f"{metrics['ece']:.3f}", f"temperature {model.temperature:.2f}"),
    ]
    rows = [[network, *(metrics[m] for m in ("accuracy", "macro_f1", "loss", "ece"))]]
    rows += [[BASELINES[name], values["accuracy"], values["macro_f1"], "", ""] for name, values in baselines.items()]
    curves = report.learning_curves(run.history(), config.training.monitor)
    matrix = report.confusion_figure(confusions(result.targets, result.predictions, len(model.classes)), model.classes)
    sections = [
        report.Section(
            "Beside the baselines", columns=("", "accuracy", "macro F1", "loss", "ECE"), rows=rows, ours=[0]
        ),
        report.Section(
            "Which words carried it",
            "Test texts; green words spoke for the answer, red ones against it (integrated gradients).",
            html=_gallery(model, result),
        ),
        report.Section("Mistakes it was most sure of", html=_worst_mistakes(model, result)),
        _behaviour_section(behaviours, network),
        report.Section(
            "Which texts are hard",
            columns=("texts", "number", f"{network}, accuracy", BASELINES[rival]),
            rows=[
                [
                    name,
                    int(inside.sum()),
                    accuracy(result.targets[inside], result.predictions[inside]),
                    accuracy(result.targets[inside], result.simple[rival][inside]),
                ]
                for name, inside in slices(result)
            ],
        ),
        report.Section("What is taken for what", "Rows are the truth, columns what the network said.", figure=matrix),
        report.Section(
            "Class by class",
            columns=("class", "precision", "recall", "F1", "texts"),
            rows=[
                [row["class"], row["precision"], row["recall"], row["f1"], row["n"]]
                for row in per_class_table(result.targets, result.predictions, model.classes)
            ],
        ),
        report.Section(
            "Is it as sure as it should be?",
            f"Probabilities after dividing the logits by the temperature {model.temperature:.2f}, chosen on the "
            "validation texts.",
            figure=report.reliability_figure(result.logits.softmax(dim=1).numpy(), result.targets),
        ),
        report.Section("Training", figure=curves),
    ]
    sample = " (the embedded sample: reviews composed by code)" if data["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Sentiment with a {network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=lead,
        cards=cards,
        sections=[section for section in sections if section],
    )


def _behaviour_section(pairs: list[tuple[Behaviour, Behaviour]], network: str) -> report.Section | None:
    if not pairs:
        return None
    return report.Section(
        "Small questions with known answers",
        "Made-up sentences and changed test texts (CheckList, Ribeiro et al. 2020); the example is one that was "
        "failed, if any was.",
        columns=("question", "it ...", "asked", f"{network} passes", "linear model", "example"),
        rows=[[a.name, a.expectation, a.asked, a.passed, b.passed, a.example] for a, b in pairs],
    )


def _gallery(model: FinishedModel, result: Evaluation, count: int = 6) -> str:
    """Some test texts of middling length with their words highlighted."""
    lengths = np.array([len(text) for text in result.test.texts])
    middling = np.flatnonzero((lengths <= np.quantile(lengths, 0.8)) & (result.predictions == result.targets))
    chosen = middling[np.linspace(0, len(middling) - 1, min(count, len(middling))).astype(int)]
    return _explained(model, result, chosen)


def _worst_mistakes(model: FinishedModel, result: Evaluation, count: int = 8) -> str:
    sure = result.logits.softmax(dim=1).amax(dim=1).numpy()
    wrong = np.flatnonzero(result.predictions != result.targets)
    return _explained(model, result, wrong[np.argsort(-sure[wrong])][:count])


def _explained(model: FinishedModel, result: Evaluation, rows: np.ndarray) -> str:
    sure = result.logits.softmax(dim=1).amax(dim=1).numpy()
    pieces = []
    for row in rows:
        aspect = None if result.test.aspects is None else result.test.aspects[row]
        said, meant = (model.classes[values[row]] for values in (result.predictions, result.targets))
        title = (
            f"{said} {sure[row]:.0%}" + ("" if said == meant else f" · is {meant}") + (f" · {aspect}" if aspect else "")
        )
        pieces.append(highlighted(carried(model, result.test.texts[row], aspect), title))
    return "".join(pieces)
