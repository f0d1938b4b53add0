"""What the report shows: the numbers in words, tables and highlighted_html texts."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from projects.sentiment.attribution import attributions, highlighted_html
from projects.sentiment.checklist import CheckResult
from projects.sentiment.near_duplicates import words_of
from projects.sentiment.predictor import Predictor
from shared.evaluation import report
from shared.evaluation.metrics import accuracy, mcnemar
from shared.runs import Run

if TYPE_CHECKING:
    from projects.sentiment.evaluate import Evaluation

NEGATIONS = {"not", "no", "never", "nothing", "nobody", "none", "hardly", "without", "t", "nt", "cannot"}
NAMES = {"bilstm": "BiLSTM", "cnn": "CNN", "transformer": "Transformer"}
BASELINES = {
    "majority": "always the commonest",
    "tfidf_lr": "TF-IDF + logistic regression",
    "nb_lr": "naive Bayes + logistic regression",
    "vader": "VADER (a lexicon)",
}


def write_report(
    run: Run, model: Predictor, result: "Evaluation", checks: list[tuple[CheckResult, CheckResult]]
) -> None:
    """`report.html` into the run."""
    numbers, network = result.numbers, NAMES[model.config.model.name]
    sections = [
        report.baselines_section(numbers, network, BASELINES),
        report.Section(
            "Which words attributions it",
            "Test texts; green words spoke for the answer, red ones against it (integrated gradients).",
            html=_gallery(model, result),
        ),
        report.Section("Mistakes it was most sure of", html=_worst_mistakes(model, result)),
        _behaviour_section(checks, network),
        _slices_section(result, network),
        *report.classifier_sections(result.logits.numpy(), result.targets, model.classes, model.temperature, "texts"),
        report.Section("Training", figure=report.learning_curves(run.history(), model.config.training.monitor)),
    ]
    sample = " (the embedded sample: reviews composed by code)" if numbers["data"]["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Sentiment with a {network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=_lead(result, network),
        cards=report.classifier_cards(
            numbers, result.best_baseline, BASELINES[result.best_baseline], model.temperature
        ),
        sections=sections,
    )


def _lead(result: "Evaluation", network: str) -> str:
    """The result in three sentences."""
    data, metrics, baselines = (result.numbers[key] for key in ("data", "metrics", "baselines"))
    return (
        f"The {network} judges {metrics['accuracy']:.1%} of {data['n']} texts it has never seen as their authors did "
        f"(split: {data['split']}); {BASELINES[result.best_baseline]} gets {baselines[result.best_baseline]['accuracy']:.1%}. "
        f"It is {against(result)}."
    )


def against(result: "Evaluation") -> str:
    """Whether the network beats its best baseline, in words."""
    ours, theirs, p = mcnemar(result.targets, result.predictions, result.simple[result.best_baseline])
    verdict = "no better and no worse than" if p >= 0.05 else "better than" if ours > theirs else "worse than"
    return (
        f"{verdict} {BASELINES[result.best_baseline]}: {ours} texts that only the network has right, "
        f"{theirs} that only the other has (McNemar p = {p:.2g})"
    )


def _slices_section(result: "Evaluation", network: str) -> report.Section:
    def both(inside: np.ndarray) -> list[float]:
        truth = result.targets[inside]
        return [accuracy(truth, said[inside]) for said in (result.predictions, result.simple[result.best_baseline])]

    return report.Section(
        "Which texts are hard",
        columns=("texts", "number", f"{network}, accuracy", BASELINES[result.best_baseline]),
        rows=[[name, int(inside.sum()), *both(inside)] for name, inside in slices(result)],
    )


def slices(result: "Evaluation") -> list[tuple[str, np.ndarray]]:
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


def _behaviour_section(pairs: list[tuple[CheckResult, CheckResult]], network: str) -> report.Section | None:
    if not pairs:
        return None
    return report.Section(
        "Small questions with known answers",
        "Made-up sentences and changed test texts (CheckList, Ribeiro et al. 2020); the example is one that was "
        "failed, if any was.",
        columns=("question", "it ...", "asked", f"{network} passes", "linear model", "example"),
        rows=[[a.name, a.expectation, a.asked, a.passed, b.passed, a.example] for a, b in pairs],
    )


def _gallery(model: Predictor, result: "Evaluation", count: int = 6) -> str:
    """Some test texts of middling length with their words highlighted_html."""
    lengths = np.array([len(text) for text in result.test.texts])
    middling = np.flatnonzero((lengths <= np.quantile(lengths, 0.8)) & (result.predictions == result.targets))
    chosen = middling[np.linspace(0, len(middling) - 1, min(count, len(middling))).astype(int)]
    return _explained(model, result, chosen)


def _worst_mistakes(model: Predictor, result: "Evaluation", count: int = 8) -> str:
    sure = result.logits.softmax(dim=1).amax(dim=1).numpy()
    wrong = np.flatnonzero(result.predictions != result.targets)
    return _explained(model, result, wrong[np.argsort(-sure[wrong])][:count])


def _explained(model: Predictor, result: "Evaluation", rows: np.ndarray) -> str:
    sure = result.logits.softmax(dim=1).amax(dim=1).numpy()
    pieces = []
    for row in rows:
        aspect = None if result.test.aspects is None else result.test.aspects[row]
        said, meant = (model.classes[values[row]] for values in (result.predictions, result.targets))
        title = (
            f"{said} {sure[row]:.0%}" + ("" if said == meant else f" · is {meant}") + (f" · {aspect}" if aspect else "")
        )
        pieces.append(highlighted_html(attributions(model, result.test.texts[row], aspect), title))
    return "".join(pieces)
