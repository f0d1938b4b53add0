"""Is this text positive or negative?

python -m projects.sentiment.predict "The handle broke, but they sent a new one at once."
python -m projects.sentiment.predict reviews.csv --run RUN --json answers.json
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import re
from dataclasses import asdict
from pathlib import Path

from projects.sentiment.attribution import highlighted_html
from projects.sentiment.config import PredictOptions
from projects.sentiment.language import languages
from projects.sentiment.layouts import is_reviews
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import clean, read_rows
from shared.console import note
from shared.data.config import TableFormat
from shared.data.encodings import decode, lines_of, read_bytes
from shared.data.tables import AUTO
from shared.evaluation.report import Section, write_page
from shared.files import write_json
from shared.runs import Run

FILE_NAME = re.compile(
    r"\S+\.(pdf|docx?|odt|rtf|html?|eml|msg|md|log|ya?ml|sql|db|pkl|zip|gz|bz2|xz|jpe?g|png)", re.IGNORECASE
)
"""A word that names a file, though of a type that is not read."""
MOST_UNKNOWN = 0.2  # fraction of the words; with more the texts may be in another language
PRINTED = 40  # predictions; the JSON file has all


def predict(options: PredictOptions, run: Run) -> None:
    """One line per text, and a page with the words that support the predictions."""
    predictor = load_for_whole_texts(run)
    title = predictor.config.data.title
    rows = [r for item in options.input for r in read_input(item, options.text, options, options.title, title)]
    predictions = predictor([text for _, text in rows])
    if (unknown := predictor.unknown_words([text for _, text in rows])) > MOST_UNKNOWN:
        note(f"{unknown:.0%} of the words are unknown to the run, which classifies the texts by the others")
    spoken = languages([text for _, text in rows])
    if predictor.language and (foreign := {name: n for name, n in spoken.items() if name != predictor.language}):
        said = ", ".join(f"{name} ({n})" for name, n in foreign.items())
        note(f"some texts are in another language than the {predictor.language} training texts: {said}")
    for index, (prediction, (number, text)) in enumerate(zip(predictions, rows)):
        prediction.row = number
        if index < options.explain:
            prediction.attributions = predictor.explain(text)
    for prediction in predictions[:PRINTED]:
        print(prediction)
    if len(predictions) > PRINTED:
        print(f"... and {len(predictions) - PRINTED} more{'' if options.json_file else '; --json FILE has them all'}")
    explained = [p for p in predictions if p.attributions is not None]
    if explained:
        page = "".join(highlighted_html(p.attributions or [], f"{p.label} {p.probability:.0%}") for p in explained)
        text = "Green words support the prediction, red words speak against it."
        sections = [Section("Attribution (integrated gradients)", text, html=page)]
        path = run.predictions / "texts.html"
        write_page(path, f"Sentiment of {len(predictions)} texts", run.name, "", [], sections)
        print(f"page: {path}")
    if options.json_file:
        write_json(options.json_file, [{**asdict(p), "label": p.label} for p in predictions])


def load_for_whole_texts(run: Run) -> Predictor:
    """The predictor of a run. Raises ValueError if the run was trained on aspects of texts."""
    predictor = Predictor.load(run.model_file)
    if predictor.needs_aspects:
        raise ValueError(
            f"run {run.name} predicts the sentiment towards an aspect, not of a whole text; choose another --run"
        )
    return predictor


def read_input(
    item: str, column: str | None, form: TableFormat = AUTO, title: str | None = None, trained_title: str | None = None
) -> list[tuple[int | None, str]]:
    """Row and text of a file (a table, or a .txt with one text a line), or the item itself if it is a text.

    Empty rows are left out and counted on stderr.
    """
    path = Path(item)
    if not _exists(path):
        if is_reviews(path) or FILE_NAME.fullmatch(item.strip()):
            raise FileNotFoundError(
                f"there is no file {item} (a text that ends like the name of a file needs a full stop)"
            )
        return [(None, item)]
    if path.is_dir() or not is_reviews(path):
        raise ValueError(f"{path} is {'a folder' if path.is_dir() else 'no table or .txt file'}; give a table of texts")
    if path.suffix.lower() != ".txt":
        frame, _, texts, _ = read_rows(path, form, column, title, trained_title)
        numbers = [int(row.split(":")[0]) for row in frame.index]
    else:
        texts = lines_of(decode(read_bytes(path), path, form.encoding))
        numbers = list(range(1, len(texts) + 1))
    rows: list[tuple[int | None, str]] = [(n, text) for n, text in zip(numbers, texts) if clean(text)]
    if not rows:
        raise ValueError(f"{path} holds no text")
    if len(rows) < len(texts):
        note(f"sentiment: left out: {len(texts) - len(rows)} rows of {path} without a text")
    return rows


def _exists(path: Path) -> bool:
    try:
        return path != Path() and path.exists()
    except (OSError, ValueError):  # a text longer than any file name, or with a zero byte
        return False
