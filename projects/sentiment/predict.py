"""What does this text say?

python -m projects.sentiment.predict "The handle broke, but they sent a new one at once."
python -m projects.sentiment.predict reviews.csv --run RUN --json answers.json
"""

if __name__ == "__main__":
    from projects.sentiment.config import PredictOptions
    from shared.command import answer

    answer("projects.sentiment.predict", PredictOptions)

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from projects.sentiment.attribution import attributions, highlighted_html
from projects.sentiment.config import PredictOptions
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import clean, headline, read_texts
from shared.data.tables import read_table
from shared.evaluation import report
from shared.files import write_json
from shared.runs import Run

FILES = {".csv", ".tsv", ".txt", ".gz"}
SHOWN = 40  # answers printed; the JSON file has all


@dataclass
class Prediction:
    """The answer for one text."""

    text: str
    classes: list[tuple[str, float]]
    """Class names with calibrated probabilities, the likeliest first."""
    words: list[tuple[str, float]] | None = None
    """Every word and what it added to the answer, where that was asked for."""
    row: int | None = None
    """Which row of the table or line of the file it is, from 1 on."""

    @property
    def label(self) -> str:
        """The likeliest class."""
        return self.classes[0][0]

    @property
    def probability(self) -> float:
        """Of the likeliest class."""
        return self.classes[0][1]

    def __str__(self) -> str:
        short = self.text if len(self.text) <= 80 else self.text[:79] + "…"
        said = f"{self.label} {self.probability:.0%}  {short}"
        best = sorted(self.words or [], key=lambda pair: -pair[1])[:3]
        named = ", ".join(word.strip(".,;:!?") for word, weight in best if weight > 0.1)
        return f"{said}  ({named})" if named else said


class Predictor:
    """A finished model that answers for texts.

    >>> predictor = Predictor.from_checkpoint("runs/sentiment/.../model.safetensors")
    >>> print(predictor(["It broke after a week."])[0])
    """

    def __init__(self, model: Predictor) -> None:
        self.model = model
        self.classes = model.classes

    @classmethod
    def from_checkpoint(cls, path: Path | str) -> "Predictor":
        """Load `model.safetensors` of a finished run. Raises ValueError or FileNotFoundError with one sentence."""
        return cls(Predictor.load(Path(path)))

    def __call__(self, texts: Sequence[str], explain: int = 0) -> list[Prediction]:
        """Raw texts -> label and calibrated probability of each; for the first `explain` the words that attributions it.

        Raises ValueError if there is none, or one is empty.
        """
        if not texts or not all(clean(text) for text in texts):
            raise ValueError("the text is empty")
        probabilities = self.model(texts).softmax(dim=1)
        answers = []
        for index, (text, row) in enumerate(zip(texts, probabilities)):
            ranked = [(self.classes[c], float(row[c])) for c in row.argsort(descending=True).tolist()]
            words = attributions(self.model, text) if index < explain else None
            answers.append(Prediction(clean(text), ranked, words))
        return answers


def open_predictor(run: Run) -> Predictor:
    """The predictor of a run that judges whole texts. Raises ValueError if it was trained on aspects."""
    predictor = Predictor.from_checkpoint(run.model_file)
    if predictor.model.config.data.aspect:
        raise ValueError(f"run {run.name} judges aspects of texts, not whole texts; take another with --run NAME")
    return predictor


def main(options: PredictOptions, run: Run) -> None:
    """The command line: one line per text, and a page with the words that attributions the answers."""
    predictor = open_predictor(run)
    title = predictor.model.config.data.title
    rows = [r for item in options.input for r in gather(item, options.text, options.encoding, options.title, title)]
    answers = predictor([text for _, text in rows], options.explain)
    for answer, (number, _) in zip(answers, rows):
        answer.row = number
    for prediction in answers[:SHOWN]:
        print(prediction)
    if len(answers) > SHOWN:
        print(f"... and {len(answers) - SHOWN} more{'' if options.json_file else '; --json FILE has them all'}")
    explained = [a for a in answers if a.words is not None]
    if explained:
        page = "".join(highlighted_html(a.words or [], f"{a.label} {a.probability:.0%}") for a in explained)
        text = "Green words spoke for the answer, red ones against it (integrated gradients)."
        sections = [report.Section("Which words attributions it", text, html=page)]
        path = report.write_page(run.folder / "predictions.html", f"{len(answers)} texts", run.name, "", [], sections)
        print(f"page: {path}")
    if options.json_file:
        write_json(options.json_file, [{**asdict(answer), "label": answer.label} for answer in answers])


def gather(
    item: str, column: str | None, encoding: str = "utf-8", title: str | None = None, trained_title: str | None = None
) -> list[tuple[int | None, str]]:
    """Row and text of a file (a table, or a .txt with one a line), or the item itself if it is a text.

    Empty rows are left out and counted on stderr.
    """
    path = Path(item)
    if path.suffix.lower() not in FILES and not _is_there(path):
        return [(None, item)]
    if path.suffix.lower() not in FILES:
        raise ValueError(f"{path} is none of {', '.join(sorted(FILES))}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.suffix.lower() != ".txt":
        frame = read_table(path, encoding)
        texts = read_texts(frame, path, column, headline(frame, title, trained_title))
    else:
        try:
            texts = path.read_text(encoding=encoding).splitlines()
        except (UnicodeDecodeError, LookupError):
            raise ValueError(f"{path} is not text in {encoding}") from None
    rows: list[tuple[int | None, str]] = [(n, text) for n, text in enumerate(texts, start=1) if clean(text)]
    if not rows:
        raise ValueError(f"{path} holds no text")
    if len(rows) < len(texts):
        print(f"sentiment: left out: {len(texts) - len(rows)} rows of {path} without a text", file=sys.stderr)
    return rows


def _is_there(path: Path) -> bool:
    try:
        return path != Path() and path.exists()
    except OSError:  # a text longer than any name of a file
        return False
