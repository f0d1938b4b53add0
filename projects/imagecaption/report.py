"""The report of an evaluation: sentences, tables, and photos with their captions."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from projects.imagecaption.attention_maps import attention_figure, most_focused
from projects.imagecaption.data import PhotoFiles
from projects.imagecaption.evaluate import Evaluation
from projects.imagecaption.predictor import Predictor
from shared.evaluation.report import Card, Report, Section, baselines_section, learning_curves, picture_grid
from shared.runs import Run

NAMES = {"lstm": "LSTM with attention", "transformer": "Transformer"}
BASELINES = {"nearest": "nearest training photo", "constant": "one caption for all"}
METRICS = {"cider": "CIDEr", "bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4",
           "rouge_l": "ROUGE-L", "meteor": "METEOR"}  # fmt: skip


def report(predictor: Predictor, result: Evaluation, run: Run) -> Report:
    """The report of an evaluation."""
    config, network = predictor.config, NAMES[predictor.config.model.decoder]
    files = PhotoFiles([photo.path for photo in result.test], config.model.image_size)
    gallery = _gallery(predictor, result, files)
    first = files[[0]][0]
    stages = [
        ("cross entropy", run, config.training.monitor),
        ("self-critical on CIDEr", run.stage("scst"), config.scst.monitor),
    ]
    return Report(
        title=f"Image captions by {'an' if network.startswith('LSTM') else 'a'} {network}",
        lead=_lead(predictor, result.numbers, network),
        cards=_cards(result.numbers),
        sections=[
            baselines_section(result.numbers, network, BASELINES, METRICS, _cell),
            _human_section(result.numbers["human_comparison"], network),
            Section(
                "Captions and attention",
                "Four test photos, from the top 10 % by CIDEr down to the top 60 %, and the attention of the three "
                "words of each caption that focus most on one grid point.",
                figure=gallery,
            ),
            Section(
                "Attention for each word",
                "The first test photo, and the grid points that the decoder attends to before each word.",
                figure=attention_figure(first, result.answers[0].caption, predictor.explain(first, result.answers[0])),
            ),
            Section(
                "Best captions",
                "Test photos with the highest CIDEr.",
                figure=_ranked(predictor, result, files, -result.cider),
            ),
            Section(
                "Worst captions",
                "Test photos with the lowest CIDEr, and in brackets one of the reference captions.",
                figure=_ranked(predictor, result, files, result.cider, with_reference=True),
            ),
            _diversity_section(result.numbers, network),
            *(
                Section(f"Training, {name}", figure=learning_curves(stage.history(), monitor))
                for name, stage, monitor in stages
                if stage.history()
            ),
        ],
        picture=gallery,
    )


def _lead(predictor: Predictor, numbers: dict[str, Any], network: str) -> str:
    """The result in two sentences."""
    data, metrics, baselines = (numbers[key] for key in ("data", "metrics", "baselines"))
    nearest, constant = baselines["nearest"], baselines["constant"]
    sentence = predictor.vocabulary.sentence(predictor.constant)
    return (
        f"On {data['n']} test photos (split: {data['split']}) the captions of the {network} reach CIDEr "
        f"{metrics['cider']:.3f} and BLEU-4 {metrics['bleu4']:.1f}. The caption of the most similar training photo "
        f"reaches {nearest['cider']:.3f} and {nearest['bleu4']:.1f}; one caption for all photos, "
        f"'{sentence}', reaches {constant['cider']:.3f} and {constant['bleu4']:.1f}."
    )


def _cards(numbers: dict[str, Any]) -> list[Card]:
    metrics, nearest = numbers["metrics"], numbers["baselines"]["nearest"]
    low, high = numbers["intervals"]["cider"]
    return [
        Card("CIDEr", f"{metrics['cider']:.3f}", f"95 % confidence interval {low:.3f} - {high:.3f}"),
        Card("BLEU-4", f"{metrics['bleu4']:.1f}", f"nearest training photo {nearest['bleu4']:.1f}"),
        Card("BLEU-1", f"{metrics['bleu1']:.1f}", f"nearest training photo {nearest['bleu1']:.1f}"),
    ]


def _cell(name: str, value: float) -> str:
    """CIDEr with three decimals, percentages with one."""
    return f"{value:.3f}" if name == "cider" else f"{value:.1f}"


def _human_section(comparison: dict[str, dict[str, float]], network: str) -> Section | None:
    if not comparison:
        return None
    shown, names = ("cider", "bleu1", "bleu4", "rouge_l"), {"network": network, "human": "one person"}
    return Section(
        "Comparison with a human baseline",
        "One person's caption and the network's caption, both scored against the captions of the other people. With "
        "fewer references all scores are lower, so this table is not comparable with the one above.",
        columns=("", *(METRICS[name] for name in shown)),
        rows=[[names[who], *(_cell(name, values[name]) for name in shown)] for who, values in comparison.items()],
        ours=[0],
    )


def _diversity_section(numbers: dict[str, Any], network: str) -> Section:
    names = {"network": network, "nearest": BASELINES["nearest"], "human": "one person"}
    return Section(
        "Diversity",
        f"{numbers['out_of_distribution']:.1%} of the test photos are out of distribution: further from every training "
        "photo than 99 % of the validation photos.",
        columns=("", "distinct captions", "distinct words", "words per caption"),
        rows=[
            [names[who], f"{values['distinct']:.1%}", f"{values['vocabulary']:.0f}", f"{values['length']:.1f}"]
            for who, values in numbers["diversity"].items()
        ],
        ours=[0],
    )


def _gallery(predictor: Predictor, result: Evaluation, files: PhotoFiles, count: int = 4) -> Figure:
    """Test photos from the top 10 % to the top 60 % by CIDEr, each with the attention of three words."""
    order = np.argsort(-result.cider)
    chosen = order[np.linspace(len(order) * 0.1, len(order) * 0.6, min(count, len(order))).astype(int)]
    images: list[np.ndarray] = []
    titles: list[str] = []
    for row in chosen:
        photo, answer = files[[row]][0], result.answers[row]
        overlays = predictor.explain(photo, answer)
        shown = [overlays[t] for t in most_focused(answer.words, answer.attention)]
        shown += [(np.full_like(photo, 255), "")] * (3 - len(shown))  # every row has four columns
        images += [photo, *(image for image, _ in shown)]
        titles += [answer.caption, *(word for _, word in shown)]
    return picture_grid(images, titles, columns=4)


def _ranked(
    predictor: Predictor, result: Evaluation, files: PhotoFiles, key: np.ndarray, with_reference: bool = False
) -> Figure:
    """The six test photos with the smallest key, their captions and CIDEr."""
    rows = np.argsort(key, kind="stable")[:6]
    titles = [
        f"{result.answers[row].caption} {result.cider[row]:.2f}"
        + (f"\n({predictor.vocabulary.sentence(result.references[row][0])})" if with_reference else "")
        for row in rows
    ]
    return picture_grid(list(files[rows]), titles)
