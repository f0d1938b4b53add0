"""One self-contained HTML page per run: what a person would rather see than read."""

import base64
import io
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, Formatter, FuncFormatter
from PIL import Image
from scipy.special import softmax

from shared.evaluation.metrics import confusions, per_class_table
from shared.files import read_json, write_bytes
from shared.names import shown
from shared.runs import Run

CLASSIFIER = {"accuracy": "accuracy", "macro_f1": "macro F1", "loss": "loss", "ece": "ECE"}
NAME, LINE, TICK = 60, 120, 40  # letters of a name in a table, and of a line and at an axis in a figure
INK, SOFT, ACCENT, SECOND = "#1d2327", "#9aa4ab", "#2a7d4f", "#c2703d"


@dataclass
class Card:
    """One headline number, with the baseline or interval that gives it its meaning."""

    name: str
    value: str
    beside: str = ""


@dataclass
class Section:
    """A titled part of the page: a sentence, a table, HTML, a picture, in this order, each optional."""

    title: str
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    ours: Sequence[int] = ()
    """Rows of the table that are this run's own."""
    html: str = ""
    """HTML whose texts are escaped."""
    figure: Figure | None = None
    picture: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.rows = [[f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row] for row in self.rows]
        if self.figure is not None:
            self.picture = Markup(base64.b64encode(png(self.figure)).decode())


@dataclass
class Report:
    """What a project shows of an evaluation; the driver adds the data, the run and its settings."""

    title: str
    lead: str
    """The result in a few sentences."""
    cards: list[Card]
    sections: Sequence[Section | None]
    """A section that is None is left out."""
    picture: Figure | None = None
    """Also written as a small `picture.png`."""


def write_report(folder: Path, run: Run, report: Report, subtitle: str, note: str) -> Path:
    """Write `report.html` (and `picture.png`) into a folder and return its path. note: what to know about the data."""
    if report.picture is not None:
        write_bytes(folder / "picture.png", small_png(report.picture))
    about = run.folder / "environment.json"
    environment = read_json(about) if about.is_file() else {}
    settings = (run.folder / "config.yaml").read_text(encoding="utf-8")
    return write_page(
        folder / "report.html", report.title, subtitle, " ".join(filter(None, (report.lead, note))), report.cards,
        report.sections, environment, settings,
    )  # fmt: skip


def write_page(
    path: Path,
    title: str,
    subtitle: str,
    lead: str,
    cards: list[Card],
    sections: Sequence[Section | None],
    environment: Mapping[str, Any] | None = None,
    settings: str = "",
) -> Path:
    """Write a page in the style of the reports and return its path."""
    loader = PackageLoader("shared.evaluation", ".")
    page = Environment(loader=loader, autoescape=True, finalize=_printable).get_template("report.html")
    html = page.render(
        title=title, subtitle=subtitle, lead=lead, cards=cards, sections=[s for s in sections if s],
        environment=environment, settings=settings,
    )  # fmt: skip
    write_bytes(path, html.encode(errors="backslashreplace"))  # a file's name in `Section.html` need not be UTF-8
    return path


def short(name: str, longest: int = NAME) -> str:
    """A name for tables and figures: one printable line, its middle left out where it is long."""
    text = shown(name)
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[1 - longest // 2 :]}"


def _printable(value: Any, longest: int | None = None) -> Any:
    """Texts without control characters but line breaks, and, with `longest`, in lines of at most so many letters."""
    if type(value) is not str:
        return value
    return "\n".join(short(line, longest) if longest else shown(line) for line in value.split("\n"))


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as PNG bytes. Its texts are shown as they are: a `$` in the name of a class begins no formula."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter | FuncFormatter | StrCategoryFormatter):
                axis.set_major_formatter(FuncFormatter(_short_ticks(formatter)))
            axis.get_ticklabels()  # makes those that are missing yet
    for text in figure.findobj(Text):
        if not text.get_text().startswith(r"$\mathdefault{"):  # the numbers of an axis
            text.set_parse_math(False)
            text.set_text(_printable(text.get_text(), longest=LINE))
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that the font lacks are boxes; long labels leave no room
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", facecolor="white")
    return buffer.getvalue()


def _short_ticks(formatter: Formatter) -> Callable[[float, int | None], str]:
    return lambda value, position: _printable(formatter(value, position), longest=TICK)


def small_png(figure: Figure) -> bytes:
    """A figure as PNG bytes of 256 colours: small enough for a README."""
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(png(figure, dpi=80))).convert("RGB")
    image.quantize(256).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def baselines_section(
    numbers: Mapping[str, Any],
    network: str,
    names: Mapping[str, str],
    columns: Mapping[str, str] = CLASSIFIER,
    cell: Callable[[str, float], Any] = lambda _, value: value,
) -> Section:
    """The metrics of the network and, below it, of every baseline.

    numbers: those of evaluation.json. names, columns: what baselines and metrics are called. cell: how a value is
    written.
    """
    shown = [metric for metric in columns if metric in numbers["metrics"]]
    named = {network: numbers["metrics"]} | {names[key]: values for key, values in numbers["baselines"].items()}
    return Section(
        "Comparison with baselines",
        columns=("", *(columns[metric] for metric in shown)),
        rows=[
            [name, *(cell(metric, values[metric]) if metric in values else "" for metric in shown)]
            for name, values in named.items()
        ],
        ours=[0],
    )


def classifier_cards(numbers: Mapping[str, Any], baseline: str, name: str, temperature: float) -> list[Card]:
    """The headline numbers of a classifier, its accuracy beside that of a baseline, called `name`."""
    metrics, (low, high) = numbers["metrics"], numbers["intervals"]["macro_f1"]
    return [
        Card("macro F1", f"{metrics['macro_f1']:.3f}", f"95 % interval {low:.3f} - {high:.3f}"),
        Card("accuracy", f"{metrics['accuracy']:.3f}", f"{name} {numbers['baselines'][baseline]['accuracy']:.3f}"),
        Card("calibration error", f"{metrics['ece']:.3f}", f"temperature {temperature:.2f}"),
    ]


def classifier_sections(
    logits: np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    temperature: float | None,
    items: str,
    more: str = "",
) -> list[Section]:
    """What to show of every classifier. logits (N, C), calibrated; targets (N,); items: what N counts."""
    predictions = logits.argmax(axis=1)
    classes = [short(name) for name in classes]
    calibration = "Reliability diagram: accuracy of the predictions at each confidence; on the diagonal the two agree."
    if temperature is not None:
        calibration += f" The logits are divided by the temperature {temperature:.2f}, fitted on the validation set."
    return [
        Section(
            "Confusion matrix",
            "Rows are the true classes, columns the predicted ones.",
            figure=confusion_figure(confusions(targets, predictions, len(classes)), classes),
        ),
        Section(
            "Metrics per class",
            columns=("class", "precision", "recall", "F1", items),
            rows=[list(row.values()) for row in per_class_table(targets, predictions, classes)],
        ),
        Section(
            "Calibration",
            f"{calibration} {more}",
            figure=reliability_figure(softmax(logits, axis=1), targets),
        ),
    ]


def learning_curves(history: list[dict[str, float]], monitor: str) -> Figure:
    """Training and validation loss, and the monitored number, over the epochs."""
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["train_loss"] for row in history], color=SOFT, label="training")
    if "loss" in history[0]:
        left.plot(epochs, [row["loss"] for row in history], color=ACCENT, label="validation")
    left.set(xlabel="epoch", ylabel="loss")
    left.legend(frameon=False)
    right.plot(epochs, [row[monitor] for row in history], color=ACCENT, marker="o", markersize=3)
    right.set(xlabel="epoch", ylabel=f"validation {monitor}")
    for axes in (left, right):
        plain(axes)
    return figure


def confusion_figure(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Confusion matrix (C, C), rows are the truth, coloured by the share of the row."""
    size = min(11.0, 3.2 + 0.32 * len(classes) + 0.06 * min(TICK, max(map(len, classes))))  # inches
    figure = Figure(figsize=(size, size * 0.92), layout="constrained")
    axes = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Greens", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=90, fontsize=7)
    axes.set_yticks(range(len(classes)), classes, fontsize=7)
    axes.set(xlabel="predicted", ylabel="true")
    for row, column in zip(*np.nonzero(matrix)):
        colour = "white" if share[row, column] > 0.5 else INK
        axes.text(column, row, matrix[row, column], ha="center", va="center", fontsize=6.5, color=colour)
    return figure


def reliability_figure(probabilities: np.ndarray, targets: np.ndarray, bins: int = 10) -> Figure:
    """How often the network is right when it says it is so sure. probabilities (N, C), targets (N,)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    figure = Figure(figsize=(3.8, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1)
    for b in range(bins):
        if (inside := which == b).any():
            axes.bar(
                (b + 0.5) / bins, right[inside].mean(), 0.9 / bins, color=ACCENT, alpha=0.35 + 0.65 * inside.mean()
            )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    plain(axes)
    return figure


def picture_grid(images: Sequence[np.ndarray], titles: Sequence[str], columns: int = 6) -> Figure:
    """Pictures with a few words under each. images: uint8 (H, W, 3)."""
    wrapped = [[part for line in title.split("\n") for part in textwrap.wrap(short(line), 22)] for title in titles]
    starts = range(0, len(images), columns)
    tallest = max(image.shape[0] / image.shape[1] for image in images)
    heights = [1.75 * tallest + 0.15 * max(map(len, wrapped[start : start + columns])) + 0.1 for start in starts]
    figure = Figure(figsize=(1.75 * columns, sum(heights)), layout="constrained")
    grid = figure.subplots(len(starts), columns, squeeze=False, height_ratios=heights)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, lines in zip(grid.flat, images, wrapped):
        axes.imshow(image)
        axes.set_title("\n".join(lines), fontsize=8, color=INK)
    return figure


def plain(axes: Any) -> None:
    """Axes without a frame, on a light grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
