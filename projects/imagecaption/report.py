"""What the report shows: the numbers in words, tables and photos with their captions."""

from typing import TYPE_CHECKING, Any

import numpy as np

from projects.imagecaption.attention_figure import attended_words, attention_figure
from projects.imagecaption.baselines import human_baseline
from projects.imagecaption.data import Pictures
from projects.imagecaption.metrics import Cider, caption_metrics, diversity
from projects.imagecaption.predictor import Predictor
from shared.evaluation import report
from shared.files import write_bytes
from shared.runs import Run

if TYPE_CHECKING:
    from projects.imagecaption.evaluate import Evaluation

NAMES = {"lstm": "LSTM with attention", "transformer": "Transformer"}
BASELINES = {"nearest": "nearest training photo", "constant": "one caption for all"}
COLUMNS = {"cider": "CIDEr", "bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4",
           "rouge_l": "ROUGE-L", "meteor": "METEOR"}  # fmt: skip


def write_report(run: Run, model: Predictor, result: "Evaluation") -> None:
    """`report.html` and, of what it shows, a small `picture.png` into the run."""
    numbers, config, network = result.numbers, model.config, NAMES[model.config.model.decoder]
    pictures = Pictures([photo.path for photo in result.data.test], config.model.image_size)
    gallery = _gallery(result, pictures)
    stages = [(run, config.training.monitor, "word by word"), (run.stage("scst"), config.scst.monitor, "on CIDEr")]
    sections = [
        report.baselines_section(numbers, network, BASELINES, COLUMNS, _cell),
        _human_section(human_comparison(result), network),
        report.Section(
            "What it says, and where it looked",
            "Test photos, and beside each the places that three words of its caption looked at.",
            figure=gallery,
        ),
        report.Section("Word by word", figure=attention_figure(pictures[[0]][0], result.captions[0])),
        report.Section("Best", "Test photos with the highest CIDEr.", figure=_ranked(result, pictures, -result.cider)),
        report.Section(
            "Worst", "Test photos with the lowest CIDEr, and what a person said.",
            figure=_ranked(result, pictures, result.cider, person=True),
        ),
        _diversity_section(result, network),
        *(
            report.Section(f"Training, {name}", figure=report.learning_curves(stage.history(), monitor))
            for stage, monitor, name in stages if stage.history()
        ),
    ]  # fmt: skip
    write_bytes(run.folder / "picture.png", report.small_png(gallery))
    sample = " (the embedded sample: scenes drawn by code)" if numbers["data"]["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Image captions with {'an ' if network.startswith('LSTM') else 'a '}{network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=_lead(model, numbers, network),
        cards=_cards(numbers),
        sections=sections,
    )


def _lead(model: Predictor, numbers: dict[str, Any], network: str) -> str:
    """The result in one sentence."""
    data, metrics, baselines = (numbers[key] for key in ("data", "metrics", "baselines"))
    nearest, constant = baselines["nearest"], baselines["constant"]
    return (
        f"{network} describes {data['n']} photos it has never seen (split: {data['split']}) with CIDEr "
        f"{metrics['cider']:.3f} and BLEU-4 {metrics['bleu4']:.1f}; the caption of the most similar training photo "
        f"gets {nearest['cider']:.3f} and {nearest['bleu4']:.1f}, always saying '{' '.join(model.constant)}' gets "
        f"{constant['cider']:.3f} and {constant['bleu4']:.1f}."
    )


def _cards(numbers: dict[str, Any]) -> list[report.Card]:
    metrics, constant = numbers["metrics"], numbers["baselines"]["constant"]
    low, high = numbers["intervals"]["cider"]
    return [
        report.Card("CIDEr", f"{metrics['cider']:.3f}", f"95 % interval {low:.3f} - {high:.3f}"),
        report.Card("BLEU-4", f"{metrics['bleu4']:.1f}", f"one caption for all {constant['bleu4']:.1f}"),
        report.Card("BLEU-1", f"{metrics['bleu1']:.1f}", f"one caption for all {constant['bleu1']:.1f}"),
    ]


def human_comparison(result: "Evaluation") -> dict[str, dict[str, float]]:
    """One person's caption and the network's, each against the captions of the other people."""
    theirs, truth, enough = human_baseline(result.references)
    if not theirs:
        return {}
    ours = [words for words, kept in zip(result.said, enough) if kept]
    scorer = Cider(truth)
    return {"network": caption_metrics(ours, truth, scorer), "a person": caption_metrics(theirs, truth, scorer)}


def _cell(name: str, value: float) -> str:
    """CIDEr with three decimals, percentages with one."""
    return f"{value:.3f}" if name == "cider" else f"{value:.1f}"


def _human_section(beside: dict[str, dict[str, float]], network: str) -> report.Section | None:
    if not beside:
        return None
    shown = ("cider", "bleu1", "bleu4", "rouge_l")
    return report.Section(
        "Beside people",
        "One person's caption scored against those of the others, and the network's against the same. Fewer references "
        "mean lower scores, so these do not compare with the table above.",
        columns=("", *(COLUMNS[name] for name in shown)),
        rows=[
            [network if who == "network" else who, *(_cell(name, values[name]) for name in shown)]
            for who, values in beside.items()
        ],
        ours=[0],
    )


def _diversity_section(result: "Evaluation", network: str) -> report.Section:
    persons = [several[0] for several in result.references]
    who = {network: result.said, BASELINES["nearest"]: result.others["nearest"], "a person": persons}
    strange = np.mean([caption.ood_score > 1 for caption in result.captions])
    return report.Section(
        "How varied it is",
        f"{strange:.1%} of the test photos were called strange: less like any training photo than 99 % of the "
        "validation photos are.",
        columns=("", "distinct captions", "words used", "words a caption"),
        rows=[
            [name, f"{d['distinct']:.1%}", f"{d['vocabulary']:.0f}", f"{d['length']:.1f}"]
            for name, captions in who.items() for d in (diversity(captions),)
        ],
        ours=[0],
    )  # fmt: skip


def _gallery(result: "Evaluation", pictures: Pictures, count: int = 4) -> report.Figure:
    """Some test photos of middling CIDEr with three attention_maps each."""
    order = np.argsort(-result.cider)
    middle = np.linspace(len(order) * 0.1, len(order) * 0.6, min(count, len(order))).astype(int)
    chosen = order[middle]
    images: list[np.ndarray] = []
    titles: list[str] = []
    for row in chosen:
        shown, words = attended_words(pictures[[row]][0], result.captions[row])
        images += shown
        titles += words
    return report.picture_grid(images, titles, columns=4)


def _ranked(result: "Evaluation", pictures: Pictures, key: np.ndarray, person: bool = False) -> report.Figure:
    rows = np.argsort(key, kind="stable")[:6]
    titles = [
        f"{result.captions[row]} {result.cider[row]:.2f}"
        + (f"\n({' '.join(result.references[row][0])})" if person else "")
        for row in rows
    ]
    return report.picture_grid(list(pictures[rows]), titles)
