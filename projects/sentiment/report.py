"""The report of an evaluation: sentences, tables, figures and highlighted texts."""

import re
from collections import Counter

import numpy as np

from projects.sentiment.attribution import highlighted_html
from projects.sentiment.checklist import CheckResult
from projects.sentiment.evaluate import Evaluation
from projects.sentiment.learning_curve import curve_section
from projects.sentiment.near_duplicates import words_of
from projects.sentiment.predictor import Predictor
from shared.evaluation.metrics import accuracy
from shared.evaluation.report import (
    Report,
    Section,
    baselines_section,
    classifier_cards,
    classifier_sections,
    learning_curves,
)
from shared.runs import Run

NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|nobody|none|hardly|without|cannot|(?:do|does|did|is|was|ca|wo)nt)\b|n['’]t\b",
    re.IGNORECASE,
)
BASELINES = {
    "majority": "majority class",
    "tfidf_lr": "TF-IDF + logistic regression",
    "nb_lr": "naive Bayes + logistic regression",
    "vader": "VADER (a lexicon)",
    "stacked": "network + naive Bayes (mean of log-odds)",
}


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    history, best = run.history(), result.best_baseline
    mixed = {"stacked": result.numbers["stacked"]} if "stacked" in result.numbers else {}
    compared = {**result.numbers, "baselines": {**result.numbers["baselines"], **mixed}}
    sections = [
        baselines_section(compared, predictor.name, BASELINES),
        Section(
            "Attribution (integrated gradients)",
            "Test texts. Green words support the prediction, red words contradict it.",
            html=_gallery(predictor, result),
        ),
        Section("Most confident errors", html=_confident_errors(predictor, result)),
        _checklist_section(result.checks, predictor.name),
        _slices_section(result, predictor.name),
        *classifier_sections(result.logits.numpy(), result.targets, predictor.classes, predictor.temperature, "texts"),
        curve_section(result.curve, predictor.name) if result.curve else None,
        Section("Training", figure=learning_curves(history, predictor.config.training.monitor)) if history else None,
    ]
    return Report(
        title=f"Sentiment with a {predictor.name}",
        lead=_lead(predictor, result),
        cards=classifier_cards(result.numbers, best, BASELINES[best], predictor.temperature),
        sections=sections,
    )


def _lead(predictor: Predictor, result: Evaluation) -> str:
    """The result, and whether the network is better than its best baseline."""
    data, metrics, baselines, test = (result.numbers[key] for key in ("data", "metrics", "baselines", "mcnemar"))
    baseline = BASELINES[test["baseline"]]
    ours, theirs, p = test["only_network"], test["only_baseline"], test["p"]
    if p >= 0.05:
        verdict = f"The difference from {baseline} is not significant"
    else:
        verdict = f"The {predictor.name} is {'better' if ours > theirs else 'worse'} than {baseline}"
    return (
        f"The {predictor.name} classifies {metrics['accuracy']:.1%} of {data['n']} test texts correctly "
        f"(split: {data['split']}), {baseline} {baselines[test['baseline']]['accuracy']:.1%}. {verdict}: "
        f"{ours} texts are correct only for the network, {theirs} only for the baseline (McNemar p = {p:.2g})."
    )


def _slices_section(result: Evaluation, network: str) -> Section:
    def row(inside: np.ndarray) -> list[float]:
        targets = result.targets[inside]
        return [
            accuracy(targets, predicted[inside])
            for predicted in (result.predicted, result.baselines[result.best_baseline])
        ]

    return Section(
        "Accuracy by kind of text",
        columns=("texts", "number", network, BASELINES[result.best_baseline]),
        rows=[[name, int(inside.sum()), *row(inside)] for name, inside in slices(result)],
    )


def slices(result: Evaluation) -> list[tuple[str, np.ndarray]]:
    """Test texts by length, negation and product, where there are at least 10: name, and which texts, bool (N,)."""
    words = [words_of(text) for text in result.test.texts]
    lengths = np.array([len(w) for w in words])
    low, high = np.quantile(lengths, [1 / 3, 2 / 3]).astype(int)
    negated = np.array([bool(NEGATION.search(text)) for text in result.test.texts])
    found = [
        (f"at most {low} words", lengths <= low),
        (f"{low + 1} to {high} words", (lengths > low) & (lengths <= high)),
        (f"more than {high} words", lengths > high),
        ("with a negation", negated),
        ("without a negation", ~negated),
    ]
    products = np.array(result.test.products or [])
    for product, _ in Counter(products.tolist()).most_common(8) if len(products) else []:
        found.append((str(product)[:50] or "(no product)", products == product))
    return [(name, inside) for name, inside in found if inside.sum() >= 10]


def _checklist_section(pairs: list[tuple[CheckResult, CheckResult]], network: str) -> Section | None:
    if not pairs:
        return None
    return Section(
        "Behavioural tests (CheckList)",
        "Template sentences and changed test texts (Ribeiro et al. 2020), with the fraction of cases that each model "
        "passes. The example is a case that the network failed, if there is one.",
        columns=("test", "expectation", "cases", network, "linear model", "example"),
        rows=[[a.name, a.expectation, a.cases, a.passed, b.passed, a.example] for a, b in pairs],
    )


def _gallery(predictor: Predictor, result: Evaluation, count: int = 6) -> str:
    """Correctly classified test texts with their attributions, without the longest 20 %."""
    lengths = np.array([len(text) for text in result.test.texts])
    candidates = np.flatnonzero((lengths <= np.quantile(lengths, 0.8)) & (result.predicted == result.targets))
    chosen = candidates[np.linspace(0, len(candidates) - 1, min(count, len(candidates))).astype(int)]
    return _highlighted(predictor, result, chosen)


def _confident_errors(predictor: Predictor, result: Evaluation, count: int = 8) -> str:
    confidence = result.logits.softmax(dim=1).amax(dim=1).numpy()
    wrong = np.flatnonzero(result.predicted != result.targets)
    return _highlighted(predictor, result, wrong[np.argsort(-confidence[wrong])][:count])


def _highlighted(predictor: Predictor, result: Evaluation, rows: np.ndarray) -> str:
    confidence = result.logits.softmax(dim=1).amax(dim=1).numpy()
    pieces = []
    for row in rows:
        aspect = None if result.test.aspects is None else result.test.aspects[row]
        predicted, true = (predictor.classes[values[row]] for values in (result.predicted, result.targets))
        title = f"{predicted} {confidence[row]:.0%}" + ("" if predicted == true else f" · true: {true}")
        title += f" · {aspect}" if aspect else ""
        pieces.append(highlighted_html(predictor.explain(result.test.texts[row], aspect), title))
    return "".join(pieces)
