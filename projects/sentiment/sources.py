"""Sources of texts: the sample, public data sets in their official layouts, and your own tables."""

import html
import re
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from projects.sentiment.config import DataConfig
from projects.sentiment.near_duplicates import phrase_families
from projects.sentiment.sample import generate_sample
from shared.data import splits
from shared.data.config import TableFormat
from shared.data.download import Source, extract, fetch
from shared.data.tables import AUTO, find_column, read_table
from shared.files import write_text

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
COLUMNS = {
    "text": ("text", "sentence", "review", "review_text", "content", "body", "comment", "tweet", "message"),
    "label": ("label", "sentiment", "polarity", "airline_sentiment"),
    "stars": ("stars", "rating", "star_rating", "score", "overall"),
    "product": ("product", "product_name", "item", "asin", "product_id", "airline", "brand", "business"),
    "date": ("date", "day", "time", "timestamp", "created", "created_at", "tweet_created", "review_date"),
}
PARTS = {"train": "train", "dev": "validation", "valid": "validation", "val": "validation", "test": "test"}
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

    def rows(self, keep: np.ndarray) -> "Table":
        """The rows where `keep`, bool (N,), is true."""

        def chosen(values: list[str] | None) -> list[str] | None:
            return None if values is None else [value for value, wanted in zip(values, keep) if wanted]

        return Table(
            chosen(self.items) or [], chosen(self.texts) or [], self.labels[keep], self.classes, chosen(self.parts),
            chosen(self.products), chosen(self.aspects), chosen(self.bodies), self.columns,
            self.left_out,
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
    classes = classes or config.class_names
    if len(classes) != 2:
        raise ValueError(f"{config.source} has two classes, but there are {len(classes)}: {', '.join(classes)}")
    return (read_imdb if config.source == "imdb" else read_sst2)(config, classes)


def own_data(folder: Path, config: DataConfig) -> tuple[Path, Path]:
    """The sample in the format of user data: a table for `--data.root`, and one file for `predict`."""
    table, lines = generate_sample(folder, config.sample_size, config.seed), folder / "texts.txt"
    write_text(lines, "\n".join(read_table(table)["text"][:3]) + "\n")
    return table, lines


def read_labelled(path: Path, config: DataConfig, classes: list[str] | None = None) -> Table:
    """A .csv or .tsv file with a column of texts and one of labels or stars, or a folder with one file for each set."""
    frame = read_rows(path, config) if path.is_file() else read_parts(path, config)
    title = headline(frame, None, config.title) if classes else config.title
    if config.title and not title:
        missing = f"{path} has no column {config.title}: its texts are scored without headlines"
        print(f"sentiment: {missing}", file=sys.stderr)
    texts = read_texts(frame, path, config.text, title, section="data.")
    bodies = read_texts(frame, path, config.text, None, section="data.") if title else None
    names, unassigned = read_labels(frame, path, config)
    known = (names != "").to_numpy() & np.array([bool(text) for text in texts])
    labels, found = number_classes(names, known, path, config, classes)
    aspects = parts = None
    if config.aspect:
        aspects = frame[find_column(frame, "data.aspect", config.aspect, (), path)].fillna("").astype(str).tolist()
        texts = [text.replace("$T$", aspect) for text, aspect in zip(texts, aspects)]
        bodies = bodies and [text.replace("$T$", aspect) for text, aspect in zip(bodies, aspects)]
    if split := find_column(frame, None, None, ("split",), path, False):
        given = frame[split].astype(str).str.strip().str.lower().replace(PARTS)
        if "test" not in set(given[known]):  # or only one without labels
            given = given.replace({"validation": "test"})
        parts = given.tolist()
    products = read_products(frame, path, config.product, section="data.")
    table = Table(frame.index.astype(str).tolist(), texts, labels, found, parts, products, aspects, bodies)
    table.left_out["with a star rating of no class"] += unassigned
    table.left_out["without a text or a label"] += int((~known).sum()) - unassigned
    return table.rows(known)


def read_labels(frame: pd.DataFrame, path: Path, config: DataConfig) -> tuple[pd.Series, int]:
    """The label of every row as text, empty where there is none, and the number of star ratings without a class."""
    label = find_column(frame, "data.label", config.label, () if config.stars else COLUMNS["label"], path, False)
    if label is not None:
        return frame[label].fillna("").astype(str).str.strip().str.removesuffix(".0"), 0
    stars = find_column(frame, "data.stars", config.stars, COLUMNS["stars"], path, False)
    if stars is None:
        raise ValueError(f"{path} has no column of labels or stars; name it with --data.label: {', '.join(frame)}")
    ratings = pd.to_numeric(frame[stars], errors="coerce")
    names = classes_of_stars(ratings, config.star_labels, f"{path}: {stars}")
    return names, int((ratings.notna() & (names == "")).sum())


def number_classes(
    names: pd.Series, known: np.ndarray, path: Path, config: DataConfig, classes: list[str] | None
) -> tuple[np.ndarray, list[str]]:
    """Labels (class names in any case, or the numbers of `data.class_names`) -> class numbers (N,), -1 where there is
    none, and the class names in order. known: labelled rows, (N,)."""
    lowered = names.str.lower()  # Positive and positive are one class
    standard = {"negative", "positive"} <= set(lowered) or set(lowered) - {""} <= set(config.class_names)
    if classes:
        names = lowered.map({name.lower(): name for name in classes}).fillna(names)
    elif standard or lowered.nunique() < names.nunique():
        names = lowered
    numbers = {str(number): name for number, name in enumerate(config.class_names)}
    numbered = set(names[known]) <= set(numbers) and not set(names[known]) <= set(classes or ())
    if numbered:
        names = names.map(numbers).fillna("")
    found = classes or (list(config.class_names) if numbered else sorted(set(names[known])))
    given = sorted(set(names[known]))
    if unknown := [name for name in given if name not in found]:
        raise ValueError(f"{path} has labels that the run was not trained on: {', '.join(unknown[:5])}")
    if classes is None and len(given) < 2:
        raise ValueError(f"{path} has only one class, {given[0] if given else 'none'}: two or more are needed")
    return names.map({name: index for index, name in enumerate(found)}).fillna(-1).to_numpy(np.int64), found


def classes_of_stars(ratings: pd.Series, star_labels: dict[str, list[float]], where: str) -> pd.Series:
    """The class of every star rating, empty where it has none. Raises ValueError for ratings above all classes."""
    names = {number: name for name, numbers in star_labels.items() for number in numbers}
    if ratings.max() > max(5, *names):
        hint = "assign classes with --data.star_labels '{negative: [1, 2, 3, 4], positive: [7, 8, 9, 10]}'"
        raise ValueError(f"{where} goes up to {ratings.max():g}; {hint}")
    return ratings.map(names).fillna("")


def read_rows(file: Path, form: TableFormat, prefix: str = "") -> pd.DataFrame:
    """A table whose index is the row number, from 1 on, after a prefix."""
    frame = read_table(file, form)
    return frame.set_axis([f"{prefix}{number}" for number in range(1, len(frame) + 1)], axis=0)


def read_parts(folder: Path, form: TableFormat) -> pd.DataFrame:
    """The files train, dev (or valid, val) and test of a folder as one table."""
    if not folder.is_dir():
        raise FileNotFoundError(f"data.root: there is no file or folder {folder}")
    files: dict[str, Path] = {}
    for path in sorted(p for p in folder.iterdir() if p.name.split(".")[0] in PARTS):
        if (part := PARTS[path.name.split(".")[0]]) in files:
            raise ValueError(f"{folder} contains {files[part].name} and {path.name} for one set; keep one")
        files[part] = path
    if "train" not in files:
        raise FileNotFoundError(f"{folder} has no train.csv or train.tsv; name a file with --data.root FILE")
    return pd.concat([read_rows(file, form, f"{file.name}:").assign(split=part) for part, file in files.items()])


def read_texts(frame: pd.DataFrame, path: Path, text: str | None, title: str | None, section: str = "") -> list[str]:
    """The column of texts, each after its headline. section: prefix of the settings in messages."""
    column = find_column(frame, f"{section}text", text, COLUMNS["text"], path)
    texts = [clean(str(value)) for value in frame[column].fillna("")]
    if title:
        heads = frame[find_column(frame, f"{section}title", title, (), path)].fillna("")
        texts = [f"{clean(str(head))}. {body}" if str(head).strip() else body for head, body in zip(heads, texts)]
    return texts


def headline(frame: pd.DataFrame, requested: str | None, trained: str | None) -> str | None:
    """The column of headlines: the requested one, else that of the training data if the table has it."""
    return requested or find_column(frame, None, None, (trained,) if trained else (), Path(), False)


def read_products(frame: pd.DataFrame, path: Path, product: str | None, section: str = "") -> list[str] | None:
    """The column of products, where there is one."""
    column = find_column(frame, f"{section}product", product, COLUMNS["product"], path, False)
    return None if column is None else frame[column].fillna("").astype(str).tolist()


def clean(text: str) -> str:
    """A text in Unicode form NFC, without HTML entities, line breaks and control characters, with single spaces."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"a text of {len(text)} characters is too long; at most {MAX_CHARACTERS} are read")
    text = unicodedata.normalize("NFC", html.unescape(re.sub(r"<br\s*/?>", " ", text, flags=re.IGNORECASE)))
    visible = (c for c in text if unicodedata.category(c) != "Cf")  # soft hyphens, joiners
    return " ".join("".join(c if c.isprintable() else " " for c in visible).split())


def read_imdb(config: DataConfig, classes: list[str]) -> Table:
    """The official layout, `aclImdb/train/pos/0_9.txt`, in a folder or an archive."""
    place = config.root if config.root and _holds(config.root, "pos") else fetch(IMDB, config.root or Path("data"))
    items, texts, labels, parts = [], [], [], []
    for name, content in _text_files(place):
        part, label = Path(name).parts[-3:-1] if len(Path(name).parts) > 2 else ("", "")
        if part in ("train", "test") and label in ("pos", "neg"):
            items.append("/".join(Path(name).parts[-3:]))
            texts.append(clean(content))
            labels.append(int(label == "pos"))
            parts.append(part)
    if not texts:
        raise ValueError(f"{place} has no reviews in the layout aclImdb/train/pos/0_9.txt")
    return Table(items, texts, np.array(labels), classes, parts if "test" in parts else None)


def read_sst2(config: DataConfig, classes: list[str]) -> Table:
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
            tables.append(read_rows(file, AUTO, f"{name}:").assign(part=part))
    frame = pd.concat(tables)
    column, label = (find_column(frame, "data.root", name, (), place) for name in ("sentence", "label"))
    labels = pd.to_numeric(frame[label], errors="coerce").fillna(-1).to_numpy(np.int64)
    if not set(labels.tolist()) <= {0, 1}:
        raise ValueError(f"{place}: the column label must contain only 0 and 1")
    texts = [clean(str(text)) for text in frame[column].fillna("")]
    # The training phrases are parts of sentences: all phrases of one sentence are in the same set.
    held_out = splits.grouped(phrase_families(texts), labels.tolist(), (config.validation, 0.0), config.seed)
    parts = np.where(frame["part"] == "test", "test", held_out).tolist()
    return Table(frame.index.tolist(), texts, labels, classes, parts)


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
