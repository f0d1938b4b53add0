"""Precision of the product features that sentiment finds, and accuracy of their sentiment.

python -m benchmarks.features sentences.csv RUN     # Hu & Liu's annotated reviews: product, text, features

Precision of the 20 most mentioned nouns of each product, compared with its 20 most frequent words that are not stop
words; and accuracy on the sentences with only positive or only negative features, compared with VADER.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from projects.sentiment.aspects import nouns
from projects.sentiment.baselines import vader
from projects.sentiment.near_duplicates import words_of
from projects.sentiment.predictor import Predictor
from shared.data.tables import read_table
from shared.runs import Run

TOP = 20


def main(file: str, run: str) -> None:
    """Print the table."""
    frame = read_table(Path(file))
    ours, plain, names = [], [], []
    for product, rows in frame.groupby("product"):
        annotated = {_stem(name) for value in rows["features"] for name, _ in json.loads(value)}
        known = annotated | {word for name in annotated for word in name.split()}
        texts = rows["text"].astype(str).tolist()
        common = Counter(word for text in texts for word in set(words_of(text)) if len(word) > 2)
        words = [word for word, _ in common.most_common() if word not in ENGLISH_STOP_WORDS][:TOP]
        ours.append(_precision(nouns(texts, min_count=3)[:TOP], known))
        plain.append(_precision(words, known))
        names.append(str(product))
    print(f"{'precision of the top 20':<42}{'frequent words':>16}{'ours':>8}{'ratio':>8}")
    for name, a, b in zip([*names, "mean"], [*plain, np.mean(plain)], [*ours, np.mean(ours)]):
        print(f"{name[:40]:<42}{a:>16.2f}{b:>8.2f}{b / a if a else float('nan'):>8.2f}")

    signs = [{int(np.sign(strength)) for _, strength in json.loads(value)} - {0} for value in frame["features"]]
    judged = [i for i, sign in enumerate(signs) if len(sign) == 1]
    texts = frame["text"].astype(str).iloc[judged].tolist()
    praised = np.array([1 in signs[i] for i in judged])
    model = Predictor.load(Run.open("sentiment", run).model_file)
    agrees = (model.forward(texts).argmax(dim=1).numpy() == model.classes.index("positive")) == praised
    rules = vader(texts, ["negative", "positive"])
    baseline = "not installed" if rules is None else f"{((rules == 1) == praised).mean():.3f}"
    print(f"\naccuracy on {len(judged)} sentences with positive or negative features:")
    print(f"  the run {agrees.mean():.3f}, VADER {baseline}, always positive {praised.mean():.3f}")


def _stem(name: str) -> str:
    return " ".join(word.removesuffix("s") for word in words_of(name))


def _precision(found: list[str], known: set[str]) -> float:
    return float(np.mean([_stem(name) in known for name in found])) if found else 0.0


if __name__ == "__main__":
    main(*sys.argv[1:])
