"""What the report shows: the numbers in words, tables and pictures."""

from typing import TYPE_CHECKING

from projects.numberplate.plots import failures, gallery, threshold_figure
from projects.numberplate.predictor import Predictor, detect_all
from shared.data import splits
from shared.evaluation import report
from shared.files import write_bytes
from shared.runs import Run

if TYPE_CHECKING:
    from projects.numberplate.evaluate import Evaluation


def write_report(run: Run, model: Predictor, result: "Evaluation") -> None:
    """`report.html` and, of what it shows, a small `picture.png` into the run."""
    metrics, baselines, data = (result.numbers[key] for key in ("metrics", "baselines", "data"))
    other = baselines.get("contours_tesseract", {})
    low, high = next(iter(result.numbers["intervals"].values()), (0.0, 1.0))
    sections = [
        _baselines_section(metrics, baselines),
        *_pictures(run, result),
        _threshold_section(model, result),
        *(
            report.Section(f"Training, {part}", figure=report.learning_curves(history, run.settings[part]["monitor"]))
            for part in ("detector", "reader")
            if (history := run.stage(part).history())
        ),
    ]
    sample = " (the embedded sample: streets drawn by code)" if data["source"] == "sample" else ""
    report.write_report(
        run,
        title=f"Number plates{sample}",
        subtitle=f"{run.name} · {result.data.summary()}",
        lead=_lead(metrics, other, low, high),
        cards=_cards(metrics, other),
        sections=sections,
    )


def _lead(metrics: dict[str, float], other: dict[str, float], low: float, high: float) -> str:
    if "found" in metrics:
        return f"There is no plate on these photos; {metrics['found']:.0f} places were taken for one."
    if "exact" not in metrics:
        return (
            f"{metrics['recall']:.1%} of the plates are found; {metrics['precision']:.1%} of what is found is a plate."
        )
    beside = f" Contours and Tesseract read {other['exact']:.1%}." if "exact" in other else ""
    interval = f"95 % interval {low:.1%} - {high:.1%}"
    return f"{metrics['exact']:.1%} of the plates are read without a mistake ({interval}).{beside}"


def _cards(metrics: dict[str, float], other: dict[str, float]) -> list[report.Card]:
    names = {"exact": "read exactly", "recall": "found", "precision": "of what is found, plates", "ms": "ms a photo"}

    def card(name: str) -> report.Card:
        digits = 0 if name == "ms" else 3
        beside = f"the classic way {other[name]:.{digits}f}" if name in other else ""
        return report.Card(names[name], f"{metrics[name]:.{digits}f}", beside)

    return [card(name) for name in names if name in metrics]


def _baselines_section(metrics: dict[str, float], baselines: dict[str, dict[str, float]]) -> report.Section:
    return report.Section(
        "Beside the classic way",
        "Edges and contours, or the Haar cascade that OpenCV ships; then Tesseract: on an even choice of "
        "evaluation.baseline_size photos, because they take long.",
        columns=("", "ours", *(name.replace("_", " ") for name in baselines)),
        rows=[
            [name.replace("_", " "), value, *(values.get(name, "") for values in baselines.values())]
            for name, value in metrics.items()
        ],
    )


def _threshold_section(model: Predictor, result: "Evaluation") -> report.Section | None:
    photos = result.data.photos_of(splits.VALIDATION)
    if not any(len(photo.boxes) for photo in photos):
        return None
    return report.Section(
        "From which score on it is a plate",
        f"{model.threshold:.2f}; a detector trained in this run takes the best balance on the validation photos.",
        figure=threshold_figure(detect_all(model.detector, photos, model.config.image_size), photos, model.threshold),
    )


def _pictures(run: Run, result: "Evaluation") -> list[report.Section]:
    if result.ours is None:
        return []
    pairs = result.ours.pairs
    picture = gallery(result.ours.photos, result.ours.plates)
    write_bytes(run.folder / "picture.png", report.small_png(picture))
    sections = [
        report.Section("What it sees", "Test photos, the plates outlined: green is sure, red is not.", figure=picture),
        report.Section(
            "By width, tilt and light",
            "Tilt is measured on the corners where they are known, else on those that were found.",
            columns=("plates", "n", "found", "read exactly"),
            rows=[
                [name, int(values["n"]), values.get("found", ""), values.get("exact", "")]
                for name, values in result.numbers["slices"].items()
            ],
        ),
    ]
    wrong = failures(pairs, result.ours)
    return [*sections, report.Section("What went wrong", figure=wrong)] if wrong else sections
