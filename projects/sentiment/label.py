"""Which reviews should be labelled next? Typical and different ones (active learning).

python -m projects.sentiment.label reviews.csv --count 50            # writes to-label.csv with an empty column label
python -m projects.sentiment.train --data.source csv --data.root to-label.csv
"""

if __name__ == "__main__":  # before torch is imported: --help and mistakes answer at once
    from shared.command import main

    main(__file__)

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import pairwise_distances_argmin
from sklearn.preprocessing import normalize
from torch import Tensor

from projects.sentiment.config import LabelOptions
from projects.sentiment.labels import written
from projects.sentiment.layouts import NONE, label_column
from projects.sentiment.predict import load_for_whole_texts
from projects.sentiment.sources import read_rows
from projects.sentiment.topic_words import Encoder
from shared.console import note
from shared.data.values import MISSING
from shared.files import write_csv
from shared.names import shown
from shared.runs import Run

CANDIDATES = 100  # for each text that is chosen, so many random ones are compared


def label(options: LabelOptions, run: Run) -> None:
    """Write the chosen texts, the most uncertain first, into a table with an empty column `label`."""
    path = options.input[0]
    if options.output.resolve() == path.resolve():
        raise ValueError(f"the table to fill in would replace {shown(path)}; choose another --output")
    if options.output.exists():
        raise ValueError(f"{shown(options.output)} is there, perhaps with labels; choose another --output")
    predictor = load_for_whole_texts(run)
    rows, texts = unlabelled(options, predictor.config.data.title)
    chosen = choose(texts, options.count)
    probabilities = predictor.forward([texts[i] for i in chosen]).softmax(dim=1)
    uncertainty = entropy(probabilities)
    classes = predictor.classes
    table = [
        {
            "row": rows[chosen[k]], "text": texts[chosen[k]], "label": "",
            "prediction": classes[int(probabilities[k].argmax())], "uncertainty": round(float(uncertainty[k]), 3),
        }
        for k in np.argsort(-uncertainty, kind="stable")
    ]  # fmt: skip
    write_csv(options.output, table)
    print(
        f"{len(table)} of {len(texts)} texts: {options.output}; write {', '.join(classes)} into the column label, then"
    )
    print(f"python -m projects.sentiment.train --data.source csv --data.root {options.output}")


def entropy(probabilities: Tensor) -> np.ndarray:
    """How uncertain predictions are, 0..1: the entropy of their probabilities (N, C), relative to equal ones, (N,)."""
    return -(probabilities * probabilities.clamp_min(1e-9).log()).sum(dim=1).numpy() / np.log(probabilities.shape[1])


def unlabelled(options: LabelOptions, trained_title: str | None) -> tuple[list[str], list[str]]:
    """Row and text of what has no label yet, each text once. Raises ValueError where there is none."""
    path = options.input[0]
    frame, column, texts, _ = read_rows(path, options, options.text, options.title, trained_title)
    has_label = np.zeros(len(texts), bool)
    if options.label != NONE:
        try:
            labels = label_column(frame, path, options.label, column)
            has_label = ~written(frame[labels]).str.lower().isin(MISSING).to_numpy()
        except ValueError:
            if options.label:
                raise
    seen, kept = set(), []
    for number, text in enumerate(texts):
        if text and not has_label[number] and text not in seen:
            kept.append(number)
            seen.add(text)
    if not kept:
        raise ValueError(f"{path} has no text without a label; --label none chooses among all")
    if left := len(texts) - len(kept):
        note(f"sentiment: left out: {left} rows of {path} that have a label, no text, or the text of another row")
    return [str(frame.index[number]) for number in kept], [texts[number] for number in kept]


def choose(texts: list[str], count: int) -> list[int]:
    """The numbers of `count` texts that are typical and different: those nearest to the centres of as many clusters.

    As long as there are few labels, uncertain texts teach less than random ones (Hacohen et al. 2022; RESULTS.md).
    """
    order = np.random.default_rng(0).permutation(len(texts))[: CANDIDATES * count]
    if len(order) <= count:
        return order.tolist()
    vectors = _vectors([texts[i] for i in order])
    different = min(count, len(np.unique(vectors, axis=0)))
    centres = KMeans(different, n_init=1, random_state=0).fit(vectors).cluster_centers_
    chosen = dict.fromkeys(order[pairwise_distances_argmin(centres, vectors)].tolist())
    rest = [i for i in order.tolist() if i not in chosen]
    return [*chosen, *rest[: count - len(chosen)]]


def _vectors(texts: list[str]) -> np.ndarray:
    """Unit vectors of the pretrained encoder, or of TF-IDF values without it."""
    if Encoder.is_installed():
        return Encoder()(texts)
    table = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    width = min(50, *(size - 1 for size in table.shape))
    return normalize(TruncatedSVD(width, random_state=0).fit_transform(table)) if width > 1 else table.toarray()
