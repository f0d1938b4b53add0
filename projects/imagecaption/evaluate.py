"""How good is it? Numbers, pictures and a report, beside the baselines and beside people.

python -m projects.imagecaption.evaluate                    # the latest run, on its own test photos
python -m projects.imagecaption.evaluate --run RUN --data.source flickr8k --data.root DIR --data.split test --beam 3
"""

if __name__ == "__main__":
    from projects.imagecaption.config import EvaluateOptions
    from shared.command import answer

    answer("projects.imagecaption.evaluate", EvaluateOptions)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from projects.imagecaption.attention import highlights, story
from projects.imagecaption.baselines import people
from projects.imagecaption.config import DataConfig, DecodeConfig, EvaluateOptions, EvaluationConfig
from projects.imagecaption.data import CaptionData, Pictures, references
from projects.imagecaption.finished import Caption, FinishedModel
from projects.imagecaption.metrics import Cider, References, Words, caption_metrics, diversity, meteor
from shared.command import show
from shared.evaluation import report
from shared.evaluation.classification import bootstrap_interval
from shared.files import atomic, write_json
from shared.runs import Run

NAMES = {"lstm": "LSTM with attention", "transformer": "Transformer"}
BASELINES = {"nearest": "nearest training photo", "constant": "one caption for all"}
COLUMNS = {"cider": "CIDEr", "bleu1": "BLEU-1", "bleu2": "BLEU-2", "bleu3": "BLEU-3", "bleu4": "BLEU-4",
           "rouge_l": "ROUGE-L", "meteor": "METEOR"}  # fmt: skip


@dataclass
class Evaluation:
    """What was measured, and on what."""

    data: CaptionData
    captions: list[Caption]
    references: References
    cider: np.ndarray
    """Of every photo, (N,)."""
    others: dict[str, list[list[str]]]
    """Captions of the baselines."""
    numbers: dict[str, Any]
    """The content of evaluation.json."""

    @property
    def said(self) -> list[list[str]]:
        return [caption.words for caption in self.captions]


def evaluate(
    run: Run, model: FinishedModel, data_config: DataConfig, config: EvaluationConfig, beam: int | None = None
) -> Evaluation:
    """Score a finished model on the test part of the data (all of it with `data.split all`)."""
    data = CaptionData(data_config)
    test, model = data.test, model.with_cache(data_config.cache)
    decode: DecodeConfig = model.config.decode.model_copy(update={"beam": beam} if beam else {})
    captions, truth = model.caption(test, decode), references(test)
    said, scorer = [caption.words for caption in captions], Cider(truth)
    others = {"nearest": model.nearest(test), "constant": [model.constant] * len(test)}

    def score(hypotheses: Sequence[Words]) -> dict[str, float]:
        found = caption_metrics(hypotheses, truth, scorer)
        more = meteor(hypotheses, truth) if config.meteor else None
        return found if more is None else {**found, "meteor": more}

    cider = scorer(said)
    numbers = {
        **run.scored_on("imagecaption", data_config, data.split_name, len(test)),
        "metrics": score(said),
        "intervals": {"cider": bootstrap_interval(lambda a, _: float(a.mean()), cider, cider, config.bootstrap)},
        "baselines": {name: score(hypotheses) for name, hypotheses in others.items()},
    }
    return Evaluation(data, captions, truth, cider, others, numbers)


def main(options: EvaluateOptions, run: Run) -> None:
    """The command line: print the numbers; a run's own test photos also renew its report."""
    model = FinishedModel.load(run.model_file)
    own = options.data.model_copy(update={"cache": model.config.data.cache}) == model.config.data
    if own and options.beam in (None, model.config.decode.beam):
        result = _renew(run, model, options.data, options.evaluation)
        print(f"report: {run.folder / 'report.html'}")
    else:
        result = evaluate(run, model, options.data, options.evaluation, options.beam)
        _print(model, result)
    if options.json_file:
        write_json(options.json_file, result.numbers)


def evaluate_run(run: Run) -> None:
    """Score a run on its own test photos; write evaluation.json and report.html into it."""
    model = FinishedModel.load(run.model_file)
    _renew(run, model, model.config.data, model.config.evaluation)


def _renew(run: Run, model: FinishedModel, data: DataConfig, config: EvaluationConfig) -> Evaluation:
    result = evaluate(run, model, data, config)
    write_json(run.folder / "evaluation.json", result.numbers)
    _write_report(run, model, result)
    _print(model, result)
    return result


def against_people(result: Evaluation) -> dict[str, dict[str, float]]:
    """One person's caption and the network's, each against the captions of the other people."""
    theirs, truth, enough = people(result.references)
    if not theirs:
        return {}
    ours = [words for words, kept in zip(result.said, enough) if kept]
    scorer = Cider(truth)
    return {"network": caption_metrics(ours, truth, scorer), "a person": caption_metrics(theirs, truth, scorer)}


def _print(model: FinishedModel, result: Evaluation) -> None:
    numbers = result.numbers
    low, high = numbers["intervals"]["cider"]
    print(f"{numbers['data']['n']} photos, split {numbers['data']['split']}")
    name = NAMES[model.config.model.decoder]
    print(f"  {name:<28}{show(numbers['metrics'])}  (cider 95 % interval {low:.3f} - {high:.3f})")
    for baseline, values in numbers["baselines"].items():
        print(f"  {BASELINES[baseline]:<28}{show(values)}")
    for who, values in against_people(result).items():
        print(f"  {who + ', fewer references':<28}{show(values)}")
    print(f"  {'what it says':<28}{show(diversity(result.said))}")


def _write_report(run: Run, model: FinishedModel, result: Evaluation) -> None:
    numbers, config = result.numbers, model.config
    metrics, baselines, data = numbers["metrics"], numbers["baselines"], numbers["data"]
    network, nearest, constant = NAMES[config.model.decoder], baselines["nearest"], baselines["constant"]
    low, high = numbers["intervals"]["cider"]
    beside = against_people(result)
    lead = (
        f"{network} describes {data['n']} photos it has never seen (split: {data['split']}) with CIDEr "
        f"{metrics['cider']:.3f} and BLEU-4 {metrics['bleu4']:.1f}; the caption of the most similar training photo "
        f"gets {nearest['cider']:.3f} and {nearest['bleu4']:.1f}, always saying '{' '.join(model.constant)}' gets "
        f"{constant['cider']:.3f} and {constant['bleu4']:.1f}."
    )
    cards = [
        report.Card("CIDEr", f"{metrics['cider']:.3f}", f"95 % interval {low:.3f} - {high:.3f}"),
        report.Card("BLEU-4", f"{metrics['bleu4']:.1f}", f"one caption for all {constant['bleu4']:.1f}"),
        report.Card("BLEU-1", f"{metrics['bleu1']:.1f}", f"one caption for all {constant['bleu1']:.1f}"),
    ]
    shown = [name for name in COLUMNS if name in metrics]
    rows = [[network, *(_cell(name, metrics[name]) for name in shown)]]
    rows += [[BASELINES[b], *(_cell(name, values.get(name)) for name in shown)] for b, values in baselines.items()]
    pictures = Pictures([photo.path for photo in result.data.test], config.data.size)
    gallery = _gallery(result, pictures)
    stages = [(run, config.training.monitor, "word by word"), (run.stage("scst"), config.scst.monitor, "on CIDEr")]
    sections = [
        report.Section(
            "Beside the baselines", columns=("", *(COLUMNS[name] for name in shown)), rows=rows, ours=[0]
        ),
        _people_section(beside, network),
        report.Section(
            "What it says, and where it looked",
            "Test photos, and beside each the places that three words of its caption looked at.",
            figure=gallery,
        ),
        report.Section("Word by word", figure=story(pictures[[0]][0], result.captions[0])),
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
    with atomic(run.folder / "picture.png") as temporary:
        temporary.write_bytes(report.small_png(gallery))
    sample = " (the embedded sample: scenes drawn by code)" if data["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Image captions with {'an ' if network.startswith('LSTM') else 'a '}{network}{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=lead,
        cards=cards,
        sections=[section for section in sections if section],
    )


def _cell(name: str, value: float | None) -> str:
    """CIDEr with three decimals, percentages with one."""
    return "" if value is None else f"{value:.3f}" if name == "cider" else f"{value:.1f}"


def _people_section(beside: dict[str, dict[str, float]], network: str) -> report.Section | None:
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


def _diversity_section(result: Evaluation, network: str) -> report.Section:
    persons = [several[0] for several in result.references]
    who = {network: result.said, BASELINES["nearest"]: result.others["nearest"], "a person": persons}
    strange = np.mean([caption.novelty > 1 for caption in result.captions])
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


def _gallery(result: Evaluation, pictures: Pictures, count: int = 4) -> report.Figure:
    """Some test photos of middling CIDEr with three looks each."""
    order = np.argsort(-result.cider)
    middle = np.linspace(len(order) * 0.1, len(order) * 0.6, min(count, len(order))).astype(int)
    chosen = order[middle]
    images: list[np.ndarray] = []
    titles: list[str] = []
    for row in chosen:
        shown, words = highlights(pictures[[row]][0], result.captions[row])
        images += shown
        titles += words
    return report.picture_grid(images, titles, columns=4)


def _ranked(result: Evaluation, pictures: Pictures, key: np.ndarray, person: bool = False) -> report.Figure:
    rows = np.argsort(key, kind="stable")[:6]
    titles = [
        f"{result.captions[row]} {result.cider[row]:.2f}"
        + (f"\n({' '.join(result.references[row][0])})" if person else "")
        for row in rows
    ]
    return report.picture_grid(list(pictures[rows]), titles)
