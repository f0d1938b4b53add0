"""Files of reviews as shops, app stores and data sets write them -> one frame with a row for each text.

Two layouts are no tables: the XML of SemEval (sentences with aspects), and lines `__label__2 text` of fastText. Where
praise and criticism have a column each, as in Booking's table, a row becomes two texts with their labels.
"""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from projects.sentiment.config import DataConfig
from projects.sentiment.labels import WORDS, has_poles, is_like_labels, is_like_ratings, plain
from shared.console import note
from shared.data import splits
from shared.data.config import TableFormat
from shared.data.encodings import decode, lines_of, read_bytes
from shared.data.tables import AUTO, COMPRESSED, find_column, is_table, plain_name, read_table
from shared.names import shown

COLUMNS = {
    role: tuple(name.strip() for name in names.split(","))
    for role, names in {
        "text": "text, sentence, review, review text, reviews.text, review content, review body,"
        "review comment message, content, body, comment, comments, tweet, message, phrase, feedback, verbatim,"
        "Bewertung, Rezension, Kommentar, Bewertungstext, commentaire, avis, texte,"
        "reseña, comentario, opinión, texto, translated review, recensione, commento, testo,"
        "avaliação, comentário",
        "title": "review title, reviews.title, review headline, review summary, headline, summary, subject, title,"
        "review comment title, Titel, Überschrift, titre, título, titolo",
        "label": "label text, sentiment label, label, sentiment, polarity, airline sentiment, target, class",
        "stars": "stars, star rating, rating, review rating, reviews.rating, review stars, review score,"
        "reviewer score, score, overall, overall rating, rate, nps, nps score, Sterne, Bewertung, étoiles, estrellas,"
        "calificación, puntuación, valoración, stelle, valutazione, avaliação",
        "verdict": "recommended, recommend, is recommended, voted up, liked",
        "product": "product, product name, product title, item, item name, app name, hotel name, restaurant name,"
        "business name, listing name, course name, movie, parent asin, asin, asins, product id, business id, airline,"
        "brand, business, app id, package name, listing id, hotel id, restaurant id, clothing id, Produkt, Artikel,"
        "Produktname, produit, producto, prodotto, produto",
        "date": "date, day, review date, reviews.date, unix review time, review time, review submit date and time,"
        "submission date, review created date, review creation date, date published, published date, published at, at,"
        "created, created at, create time, timestamp created, review timestamp, time submitted, timestamp, time,"
        "tweet created, Datum, fecha, data",
        "aspect": "aspect, aspect term",
        "category": "category, product category, main category, department, domain, product type, product group,"
        "Kategorie, catégorie, categoría, categoria",
    }.items()
}
"""What is read -> the usual names of its column, the most telling ones first."""
PAIRS = (("positive review", "negative review"), ("review positive", "review negative"), ("pros", "cons"))
"""Columns of praise and of criticism."""
PLACEHOLDERS = {"no positive", "no negative"}  # of Booking
NONE = "none"  # as the name of a column: do not use any


def is_reviews(path: Path) -> bool:
    """Whether the name of a file is one that `read_file` reads."""
    return is_table(path) or path.suffix.lower() == ".xml"


def read_file(path: Path, form: TableFormat = AUTO, prefix: str = "") -> pd.DataFrame:
    """A file of texts as a frame whose index is the row number from 1 on, after a prefix.

    Raises FileNotFoundError, or ValueError with one sentence.
    """
    suffix = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in COMPRESSED), "")
    text = decode(read_bytes(path), path, form.encoding) if suffix in (".xml", ".txt") else ""
    if suffix == ".xml":
        frame = _xml_table(text, path)
    elif text.startswith("__label__"):
        frame = pd.DataFrame([line.split(" ", 1) for line in lines_of(text) if " " in line], columns=["label", "text"])
        note(f"{path}: lines of fastText; the label is the word before the text")
    elif pairs := re.findall(r"^(.+)@(positive|negative|neutral)$", text, re.MULTILINE):
        frame = pd.DataFrame(pairs, columns=["text", "label"])
        note(f"{path}: the label is the word after the @, as in Financial PhraseBank")
    else:
        rows: list[list[str]] = []  # the first one
        frame = read_table(path, form, lambda first: rows.append(first) or headerless(first))
        if rows and headerless(rows[0]) and set(frame["label"]) == {"1", "2"}:
            note(f"{path}: its labels 1 and 2 are negative and positive, as in the polarity data of Yelp and Amazon")
            frame["label"] = "__label__" + frame["label"]
    frame = frame.set_axis([f"{prefix}{number}" for number in range(1, len(frame) + 1)], axis=0)
    return _divided(frame, path)


def read_place(place: Path, form: TableFormat) -> pd.DataFrame:
    """A file, or the files train, dev (or valid, val) and test of a folder as one frame with a column `split`."""
    if place.is_file():
        return read_file(place, form)
    if not place.is_dir():
        raise FileNotFoundError(f"data.root: there is no file or folder {place}")
    tables = sorted(path for path in place.iterdir() if path.is_file() and is_reviews(path))
    files: dict[str, Path] = {}
    for path in (path for path in tables if path.name.split(".")[0].lower() in splits.PART_OF):
        if (part := splits.PART_OF[path.name.split(".")[0].lower()]) in files:
            raise ValueError(f"{place} contains {files[part].name} and {path.name} for one set; keep one")
        files[part] = path
    if "train" in files:
        if others := [shown(path.name) for path in tables if path not in files.values()]:
            note(f"{place}: left out: {', '.join(others[:5])}{' ...' if len(others) > 5 else ''}")
        return pd.concat([read_file(file, form, f"{file.name}:").assign(split=part) for part, file in files.items()])
    if len(tables) == 1:
        note(f"{place}: its only table, {tables[0].name}, is read")
        return read_file(tables[0], form)
    there = f"it has {', '.join(shown(path.name) for path in tables[:5])}" if tables else "it has no tables"
    raise FileNotFoundError(f"{place} has no table called train ({there}); name a file with --data.root FILE")


def headerless(first: list[str]) -> list[str] | None:
    """The column names of a table without a header, by its first row: one label, and one text or headline and text.

    >>> headerless(["1", "Not a good buy", "It broke after a week, as did the second one."])
    ['label', 'title', 'text']
    >>> headerless(["It broke after a week.", "0"]), headerless(["text", "label"])
    (['text', 'label'], None)
    """
    known = {plain_name(name) for names in COLUMNS.values() for name in names}
    words = [len(cell.split()) for cell in first]
    if len(first) < 2 or max(words) < 3 or known & {plain_name(cell) for cell in first}:
        return None
    if len(first) == 6 and first[3] == "NO_QUERY":  # Sentiment140
        return ["label", "id", "date", "query", "user", "text"]
    labels = [at for at, cell in enumerate(first) if plain(cell) in WORDS]
    labels = labels or [at for at, cell in enumerate(first) if plain(cell) in ("-1", "0", "1", "2", "3", "4", "5")]
    if len(labels) != 1:
        return None
    (label,), text = labels, max(range(len(first)), key=lambda at: len(first[at]))
    names = {label: "label", text: "text"}
    if len(first) == 3 and label == 0:  # label, headline, text
        names = {0: "label", 1: "title", 2: "text"}
    return [names.get(at, str(at + 1)) for at in range(len(first))]


def _xml_table(text: str, path: Path) -> pd.DataFrame:
    """SemEval's sentences, a row for each aspect of each; or elements with texts inside, a row for each."""
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ValueError(f"{path} declares a document type or entities, which are not read; remove the declaration")
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except ElementTree.ParseError as error:
        raise ValueError(f"{path} is not readable as XML: {error}") from None
    rows = []
    for sentence in root.iter("sentence"):
        for aspect in [*sentence.iter("aspectTerm"), *sentence.iter("Opinion")]:
            name = aspect.get("term") or aspect.get("target") or "NULL"
            if name == "NULL":  # of the sentence as a whole
                name = aspect.get("category", "").replace("#", " ").lower()
            rows.append({"text": sentence.findtext("text"), "aspect": name, "polarity": aspect.get("polarity")})
    if not rows:
        rows = [{**record.attrib, **{field.tag: field.text for field in record}} for record in root if len(record)]
    if not rows:
        raise ValueError(f"{path} has neither sentences with aspects nor elements with a text inside")
    return pd.DataFrame(rows, dtype=str)


def _divided(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Rows with a column of praise and one of criticism -> two rows, `12:positive` and `12:negative`, with labels."""
    if text_column(frame, path, None, "") is not None:
        return frame
    for names in PAIRS:
        pair = [find_column(frame, None, None, (name,), path, False) for name in names]
        if None not in pair:
            break
    else:
        return frame
    title = title_column(frame, path, None, "", "")  # of the review as a whole
    others = frame.drop(columns=[*pair, *filter(None, [title])])
    halves = [
        others.assign(text=frame[column], label=label).set_axis(frame.index + f":{label}")
        for column, label in zip(pair, ("positive", "negative"))
    ]
    texts = pd.concat(halves)
    placeholders = texts["text"].fillna("").str.strip().str.lower().isin(PLACEHOLDERS)
    left_out = f", without {int(placeholders.sum())} placeholders such as 'No Negative'" if placeholders.any() else ""
    note(f"{path}: the texts of {pair[0]} are positive, those of {pair[1]} negative{left_out}")
    return texts[~placeholders]


# --- columns


def columns_of(frame: pd.DataFrame, path: Path, config: DataConfig, for_run: bool) -> dict[str, str]:
    """What is read -> its column. for_run: headlines and aspects are those of a run, not what the table has."""
    text = needed_text_column(frame, path, config.text, "data.")
    if for_run:
        title = headline(frame, path, None, config.title, text)
        aspect = config.aspect and other_column(frame, path, "aspect", config.aspect, "data.")
    else:
        title = title_column(frame, path, config.title, "data.", text)
        aspect = other_column(frame, path, "aspect", config.aspect, "data.")
    found = {
        "text": text,
        "title": title,
        "aspect": aspect,
        "label": label_column(frame, path, config.label, text),
        "product": other_column(frame, path, "product", config.product, "data."),
        "date": other_column(frame, path, "date", None, "data."),
        "split": find_column(frame, None, None, ("split",), path, False),
    }
    return {role: column for role, column in found.items() if column}


def text_column(frame: pd.DataFrame, path: Path, name: str | None, prefix: str) -> str | None:
    """The column of texts. prefix: `data.` where the setting that names it is `--data.text`.

    Raises ValueError where it is to be named and does not exist.
    """
    return _column(frame, path, "text", name, prefix, lambda values: not is_like_ratings(values))


def needed_text_column(frame: pd.DataFrame, path: Path, name: str | None, prefix: str) -> str:
    """The column of texts. Raises ValueError with the setting that names it where none is recognised."""
    column = text_column(frame, path, name, prefix)
    if column is not None:
        return column
    if max(len(str(header).split()) for header in frame) > 8:
        header = f"--{prefix}header none"
        raise ValueError(f"{path} has a text where the names of columns should be; if it has no header: {header}")
    longest = max(frame, key=lambda header: frame[header].fillna("").str.len().mean())
    columns = ", ".join(shown(header) for header in frame)
    example = f"--{prefix}text " + (f'"{longest}"' if " " in str(longest) else shown(longest))
    raise ValueError(
        f"{path} has no column with a usual name for texts; name it, as in {example} (there are {columns})"
    )


def title_column(
    frame: pd.DataFrame, path: Path, name: str | None, prefix: str, text: str, usual: tuple[str, ...] = ()
) -> str | None:
    """The column of headlines: the named one, else one with a usual name that holds texts."""
    found = _column(frame, path, "title", name, prefix, lambda values: not is_like_ratings(values), usual)
    return None if found == text else found


def headline(frame: pd.DataFrame, path: Path, requested: str | None, trained: str | None, text: str) -> str | None:
    """The column of headlines for a run, whose texts had the headlines `trained`; None: of several tables, each its own
    or none. What it lacks or ignores is said."""
    if requested or trained is None:
        column = title_column(frame, path, requested, "", text)
        if column and not requested:
            note(f"{path}: column {column} is read as headlines; title none leaves them out")
        return column
    used = trained != NONE
    column = title_column(frame, path, None, "", text, (trained,) if used else ())
    if used and column is None:
        note(f"{path} has no column {trained}: its texts are scored without headlines")
    if column and not used:
        note(f"{path}: column {column} is not used, for the run was trained without headlines")
    return column if used else None


def is_rating_name(column: str) -> bool:
    """Whether a column has one of the usual names of star ratings."""
    return plain_name(column) in {plain_name(usual) for usual in COLUMNS["stars"]}


def label_column(frame: pd.DataFrame, path: Path, name: str | None, text: str) -> str:
    """The column of labels or ratings. Raises ValueError where there is none."""
    if name:
        return str(find_column(frame, "data.label", name, (), path))
    others = frame.drop(columns=text)
    unlike: list[str] = []
    empty = None
    for role, fits in (("label", is_like_labels), ("stars", is_like_ratings), ("verdict", is_like_labels)):
        for usual in COLUMNS[role]:
            column = find_column(others, "data.label", None, (usual,), path, False)
            if column is None or others[column].isna().all():
                empty = column or empty
                continue
            if fits(others[column]) or (role == "stars" and is_like_labels(others[column])):
                if unlike:
                    note(f"{path}: {unlike[0]} has too many different values for labels; {column} is used")
                return column
            unlike.append(column)
    if unlike or empty:
        return [*unlike, str(empty)][0]
    worded = [str(column) for column in others if has_poles(others[column])]
    if len(worded) == 1:
        note(f"{path}: the labels are those of column {worded[0]}")
        return worded[0]
    raise ValueError(
        f"{path} has no column with a usual name for labels or star ratings, which training and evaluation need; name "
        f"it with --data.label (there are {', '.join(shown(column) for column in frame)}), or classify its texts: "
        f"python -m projects.sentiment.predict {shown(path)}"
    )


def other_column(frame: pd.DataFrame, path: Path, role: str, name: str | None, prefix: str) -> str | None:
    """The column of products, dates or aspects, where there is one."""
    return _column(frame, path, role, name, prefix, lambda values: bool(values.notna().any()))


def _column(
    frame: pd.DataFrame,
    path: Path,
    role: str,
    name: str | None,
    prefix: str,
    fits: Callable[[pd.Series], bool],
    usual: tuple[str, ...] = (),
) -> str | None:
    """The named column, else the first one with a usual name whose values fit; none for the name `none`."""
    if name == NONE:
        return None
    if name:
        return find_column(frame, f"{prefix}{role}", name, (), path)
    for candidate in (*usual, *COLUMNS[role]):
        column = find_column(frame, f"{prefix}{role}", None, (candidate,), path, False)
        if column is not None and frame[column].notna().any() and fits(frame[column]):
            return column
    return None
