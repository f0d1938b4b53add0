"""Sources of texts: the sample, public data sets in their official layouts, and your own tables."""

import html
import re
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from projects.sentiment.config import DataConfig
from projects.sentiment.emoticons import spelled_out
from projects.sentiment.labels import read_classes
from projects.sentiment.layouts import (
    columns_of,
    headline,
    is_rating_name,
    needed_text_column,
    read_file,
    read_place,
)
from projects.sentiment.near_duplicates import phrase_families
from projects.sentiment.sample import generate_sample
from shared.console import note
from shared.data import splits
from shared.data.config import TableFormat
from shared.data.download import Source, extract, fetch
from shared.data.tables import AUTO, find_column, read_table
from shared.data.values import read_days
from shared.files import write_text
from shared.names import shown

IMDB = Source(
    name="imdb",
    archive="aclImdb_v1.tar.gz",
    urls=("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
    sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    size=84_125_825,
    licence="for research; Maas et al. 2011",
    homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
)
SST2 = Source(
    name="sst2",
    archive="SST-2.zip",
    urls=("https://dl.fbaipublicfiles.com/glue/data/SST-2.zip",),
    sha256="d67e16fb55739c1b32cdce9877596db1c127dc322d93c082281f64057c16deaa",
    size=7_439_277,
    licence="for research; Socher et al. 2013, in the form of GLUE (Wang et al. 2019)",
    homepage="https://gluebenchmark.com/tasks",
)
MAX_CHARACTERS = 1_000_000  # of one text


@dataclass
class Table:
    """Labelled texts, row by row."""

    items: list[str]
    """Origin of each text: row number, or file and row."""
    texts: list[str]
    labels: np.ndarray
    """Class numbers, (N,)."""
    classes: list[str]
    parts: list[str] | None = None
    """`train`, `validation` or `test`, where the source has a split of its own."""
    products: list[str] | None = None
    aspects: list[str] | None = None
    bodies: list[str] | None = None
    """The texts without their headlines, where they have any."""
    columns: dict[str, str] = field(default_factory=dict)
    """What is read -> its column, where the source is a table."""
    left_out: Counter = field(default_factory=Counter)
    """Reasons for leaving texts out, and how many texts each concerns."""
    facts: dict[str, str] = field(default_factory=dict)
    """What else a person should check: which labels stand for which class, first and last day, repeated texts."""

    def rows(self, keep: np.ndarray) -> "Table":
        """The rows where `keep`, bool (N,), is true."""

        def chosen(values: list[str] | None) -> list[str] | None:
            return None if values is None else [value for value, wanted in zip(values, keep) if wanted]

        return Table(
            chosen(self.items) or [], chosen(self.texts) or [], self.labels[keep], self.classes, chosen(self.parts),
            chosen(self.products), chosen(self.aspects), chosen(self.bodies), self.columns, self.left_out, self.facts,
        )  # fmt: skip

    @property
    def with_aspects(self) -> list[str]:
        """The texts, each followed by its aspect, if any: the input of the baselines and of content hashes."""
        return self.texts if self.aspects is None else [f"{t} ; {a}" for t, a in zip(self.texts, self.aspects)]


def load_table(config: DataConfig, classes: list[str] | None = None) -> Table:
    """All labelled texts of a source. With the `classes` of a run, other labels raise ValueError."""
    if config.source == "csv":
        assert config.root is not None  # DataConfig requires it
        return read_labelled(config.root, config, classes)
    if config.source == "sample":
        path = generate_sample(config.root or Path("data"), config.sample_size, config.seed)
        return read_labelled(path, config, classes)
    return (read_imdb if config.source == "imdb" else read_sst2)(config, classes)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a table for `--data.root`, and one file for `predict`."""
    table, lines = generate_sample(folder, config.sample_size, config.seed), folder / "texts.txt"
    write_text(lines, "\n".join(read_table(table)["text"][:3]) + "\n")
    return table, lines


def read_labelled(path: Path, config: DataConfig, classes: list[str] | None = None) -> Table:
    """A table with a column of texts and one of labels or ratings, or a folder with one table for each set.

    classes: those of a run, which is scored on these texts. Raises ValueError with one sentence.
    """
    frame = read_place(path, config)
    columns = columns_of(frame, path, config, bool(classes))
    where = f"{path}: {columns['label']}"
    is_rating = is_rating_name(columns["label"])
    names, said = read_classes(frame[columns["label"]], where, config, config.classes, classes, is_rating)
    if said and classes:
        note(said)
    texts, bodies = read_texts(frame, columns["text"], columns.get("title"))
    has_text = np.array([bool(text) for text in texts])
    has_label = frame[columns["label"]].notna().to_numpy()
    known = has_text & (names != "").to_numpy()
    labels, found = number_classes(names.where(known, ""), path, config.classes, classes, said)
    aspects = None
    if "aspect" in columns:
        aspects = frame[columns["aspect"]].fillna("").astype(str).tolist()
        texts, bodies = ([t.replace("$T$", a) for t, a in zip(values, aspects)] for values in (texts, bodies))
    table = Table(
        items=frame.index.astype(str).tolist(),
        texts=texts,
        labels=labels,
        classes=found,
        parts=read_split(frame[columns["split"]], known) if "split" in columns else None,
        products=frame[columns["product"]].fillna("").astype(str).tolist() if "product" in columns else None,
        aspects=aspects,
        bodies=bodies if "title" in columns else None,
        columns=columns,
    )
    table.left_out["without a text"] += int((~has_text).sum())
    table.left_out["without a label"] += int((has_text & ~has_label).sum())
    table.left_out["with a label or rating of no class"] += int((has_text & has_label & ~known).sum())
    table = table.rows(known)
    table.facts |= {
        "labels": said,
        "days": days_of(frame, columns.get("date"), path, config),
        "repeated": repeated(table),
    }
    return table


def read_split(values: pd.Series, known: np.ndarray) -> list[str]:
    """Names of the sets. The validation set is the test set where no test text is `known` to have a label, (N,)."""
    given = values.astype(str).str.strip().str.lower().replace(splits.PART_OF)
    if "test" not in set(given[known]):
        given = given.replace({"validation": "test"})
    return given.tolist()


def number_classes(
    names: pd.Series, path: Path, setting: Mapping[str, Sequence[str]], classes: list[str] | None, said: str = ""
) -> tuple[np.ndarray, list[str]]:
    """Class names, '' where there is none -> class numbers (N,), -1 where there is none, and the names in order.

    said: which labels stand for which class.
    """
    given = sorted(set(names) - {""})
    found = classes or list(setting) or given
    if unknown := [name for name in given if name not in found]:
        raise ValueError(
            f"{path} has labels that the run was not trained on: {', '.join(map(shown, unknown[:5]))}; "
            "data.classes says which labels belong to which class, and leaves others out"
        )
    if classes is None and len(given) < 2:
        only = f"{given[0] if given else 'none'}{f' ({said})' if said else ''}"
        raise ValueError(f"{path} has only one class, {only}: two or more are needed")
    return names.map({name: index for index, name in enumerate(found)}).fillna(-1).to_numpy(np.int64), found


def read_texts(frame: pd.DataFrame, text: str, title: str | None) -> tuple[list[str], list[str]]:
    """The column of texts, each after its headline, if there is a column of headlines; and the texts without it, where
    there is more than a headline."""
    bodies = [clean(str(value)) for value in frame[text].fillna("")]
    if title is None:
        return bodies, bodies
    heads = [clean(str(head)) for head in frame[title].fillna("")]
    texts = [". ".join(filter(None, pair)) for pair in zip(heads, bodies)]
    return texts, [body or headed for body, headed in zip(bodies, texts)]


def read_rows(
    path: Path, form: TableFormat, text: str | None, title: str | None, trained_title: str | None
) -> tuple[pd.DataFrame, str, list[str], list[str]]:
    """A table for prediction, its column of texts, and what `read_texts` makes of it (see `layouts.headline`)."""
    frame = read_file(path, form)
    column = needed_text_column(frame, path, text, "")
    return frame, column, *read_texts(frame, column, headline(frame, path, title, trained_title, column))


def days_of(frame: pd.DataFrame, column: str | None, path: Path, form: TableFormat) -> str:
    """`2024-01-31 to 2024-12-24`, or why the days cannot be read; nothing where there are none."""
    if column is None:
        return ""
    try:
        days = read_days(frame[column], path, form).dropna()
    except ValueError as error:
        return f"not read: {error}"
    return f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else f"{column} holds none"


def repeated(table: Table) -> str:
    """How many rows repeat the text (and aspect) of an earlier row."""
    texts = len(set(table.with_aspects))
    again = len(table.texts) - texts
    contrary = len(set(zip(table.with_aspects, table.labels.tolist()))) - texts
    other = f" ({contrary} with another label)" if contrary else ""
    return f"{again} of {len(table.texts)} texts{other}" if again else ""


def clean(text: str) -> str:
    """A text in Unicode form NFC with words for emoji and emoticons, without HTML entities, line breaks and control
    characters, with single spaces."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a text of {len(text)} characters is too long; at most {MAX_CHARACTERS} are read")
    text = unicodedata.normalize("NFC", html.unescape(re.sub(r"<br\s*/?>", " ", text, flags=re.IGNORECASE)))
    visible = (c for c in spelled_out(text) if unicodedata.category(c) != "Cf")  # soft hyphens, joiners
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())


def read_imdb(config: DataConfig, classes: list[str] | None) -> Table:
    """The official layout, `aclImdb/train/pos/0_9.txt`, in a folder or an archive."""
    place = config.root if config.root and _holds(config.root, "pos") else fetch(IMDB, config.root or Path("data"))
    items, texts, labels, parts = [], [], [], []
    for name, content in _text_files(place):
        part, label = Path(name).parts[-3:-1] if len(Path(name).parts) > 2 else ("", "")
        if part in ("train", "test") and label in ("pos", "neg"):
            items.append("/".join(Path(name).parts[-3:]))
            texts.append(clean(content))
            labels.append(label)
            parts.append(part)
    if not texts:
        raise ValueError(f"{place} has no reviews in the layout aclImdb/train/pos/0_9.txt")
    numbers, found = _classes_of(pd.Series(labels), place, config, classes)
    return Table(items, texts, numbers, found, parts if "test" in parts else None)


def read_sst2(config: DataConfig, classes: list[str] | None) -> Table:
    """The layout of GLUE, `SST-2/train.tsv` and `dev.tsv`. The dev set is the test set: GLUE's own has no labels."""
    place = config.root if config.root and _holds(config.root, "dev.tsv") else fetch(SST2, config.root or Path("data"))
    with tempfile.TemporaryDirectory() as folder:
        if place.is_file():
            extract(place, Path(folder) / "SST-2")
        tables = []
        for part, name in (("train", "train.tsv"), ("test", "dev.tsv")):
            file = next((Path(folder) if place.is_file() else place).rglob(name), None)
            if file is None:
                raise FileNotFoundError(f"{place} has no file SST-2/{name}")
            tables.append(read_file(file, AUTO, f"{name}:").assign(part=part))
    frame = pd.concat(tables)
    column, label = (find_column(frame, "data.root", name, (), place) for name in ("sentence", "label"))
    if not set(frame[label]) <= {"0", "1"}:
        raise ValueError(f"{place}: the column label must contain only 0 and 1")
    labels, classes = _classes_of(frame[label], place, config, classes)
    texts = [clean(str(text)) for text in frame[column].fillna("")]
    # The training phrases are parts of sentences: all phrases of one sentence are in the same set.
    held_out = splits.grouped(phrase_families(texts), labels.tolist(), (config.validation, 0.0), config.seed)
    parts = np.where(frame["part"] == "test", "test", held_out).tolist()
    return Table(frame.index.tolist(), texts, labels, classes, parts)


def _classes_of(
    labels: pd.Series, place: Path, config: DataConfig, classes: list[str] | None
) -> tuple[np.ndarray, list[str]]:
    """The labels of a public data set as class numbers, (N,), and the class names."""
    names, _ = read_classes(labels, f"{place}: label", config, config.classes, classes)
    return number_classes(names, place, config.classes, classes)


def _holds(place: Path, name: str) -> bool:
    """Whether a path is the data set itself, not the folder for its download."""
    return place.is_file() or (place.is_dir() and next(place.rglob(name), None) is not None)


def _text_files(place: Path) -> Iterator[tuple[str, str]]:
    """Name and content of every .txt file of a folder, .tar.gz or .zip. Raises ValueError with one sentence."""
    try:
        for name, content in _files(place):
            yield name, content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{place}: {name} is not text in utf-8") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise ValueError(f"{place} is not a readable archive: {error}") from None


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    if place.is_dir():
        for path in sorted(place.rglob("*.txt")):
            yield str(path), path.read_bytes()
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for name in sorted(n for n in archive.namelist() if n.endswith(".txt")):
                yield name, archive.read(name)
    else:
        with tarfile.open(place) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".txt") and (file := archive.extractfile(member)):
                    yield member.name, file.read()
