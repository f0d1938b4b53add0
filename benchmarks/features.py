"""Topics that sentiment finds, compared with the product features that people marked, and accuracy of their sentiment.

python -m benchmarks.features sentences.csv RUN     # Hu & Liu's annotated reviews: product, text, features

For each product, its 20 most mentioned topics, and for comparison its 20 most frequent words that are not stop words.
All words are compared by their stems; a marked feature may be a phrase.

* precision: the fraction of topics whose first word is a marked feature of the product or a word of one.
* recall of mentions: of all marked pairs of a sentence and a feature, the fraction in which the sentence mentions a
  topic that has a word of the feature. Features that the sentence does not name are misses.
* recall of features: of the features marked in at least three sentences, the fraction with a word in a topic.

The topics were developed on the five products of Hu & Liu 2004; the others are those of Ding, Liu & Yu 2008.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from projects.sentiment.baselines import vader
from projects.sentiment.clauses import clauses_of, stems_in, words_in
from projects.sentiment.predictor import Predictor
from projects.sentiment.topic_words import Encoder
from projects.sentiment.topics import Topic, find_topics, mentions
from shared.data.tables import read_table
from shared.runs import Run

TOP, FREQUENT = 20, 3
DEVELOPED_ON = ("Apex", "Canon G3", "Creative", "Nikon", "Nokia 6610")


def main(file: str, run: str = "") -> None:
    """Print the tables."""
    frame = read_table(Path(file))
    encoders = {"frequent words": "", "without the encoder": None}
    if Encoder.is_installed():
        encoders["topics"] = Encoder()
    for name, encoder in encoders.items():
        print(f"{name:<46}{'precision':>10}{'mentions':>10}{'features':>10}{'words':>7}")
        scores = {}
        for product, rows in frame.groupby("product", sort=False):
            scores[str(product)] = score(rows, topics_of(rows["text"].astype(str).tolist(), encoder))
        own = [values for product, values in scores.items() if product.startswith(DEVELOPED_ON)]
        others = [values for product, values in scores.items() if not product.startswith(DEVELOPED_ON)]
        for label, values in (("mean, developed on", own), ("mean of the others", others)):
            if values:
                scores[label] = tuple(np.mean(values, axis=0))
        for product, values in scores.items():
            print(f"  {product[:42]:<44}" + "".join(f"{value:>10.2f}" for value in values[:3]) + f"{values[3]:>7.1f}")
    if run:
        print(sentiment_accuracy(frame, Predictor.load(Run.open("sentiment", run).model_file)))


def topics_of(texts: list[str], encoder: Encoder | str | None) -> list[Topic]:
    """The topics, or the most frequent words where `encoder` is a string."""
    if not isinstance(encoder, str):
        return find_topics([clause for text in texts for clause in clauses_of(text)], TOP, encoder)
    common = Counter(word for text in texts for word in set(words_in(text)) if len(word) > 2)
    words = [word for word, _ in common.most_common() if word not in ENGLISH_STOP_WORDS][:TOP]
    return [Topic(word, (word,)) for word in words]


def score(rows: pd.DataFrame, topics: list[Topic]) -> tuple[float, float, float, float]:
    """Precision, recall of mentions, recall of features, and words in a topic."""
    marked = [[frozenset(stems_in(name)) for name, _ in json.loads(value)] for value in rows["features"]]
    known = set().union(*(feature for features in marked for feature in features))
    keys = [set().union(*(key.split() for key in topic.keys)) for topic in topics]
    found = mentions(topics, list(enumerate(rows["text"].astype(str))), None)
    hits = [any(feature & keys[n] for n in numbers) for features, numbers in zip(marked, found) for feature in features]
    times = Counter(feature for features in marked for feature in features)
    frequent = [any(feature & key for key in keys) for feature, n in times.items() if n >= FREQUENT]
    precision = np.mean([bool(set(stems_in(topic.words[0])) & known) for topic in topics])
    return float(precision), float(np.mean(hits)), float(np.mean(frequent)), float(np.mean([len(k) for k in keys]))


def sentiment_accuracy(frame: pd.DataFrame, model: Predictor) -> str:
    """Accuracy on the sentences with only positive or only negative features, compared with VADER."""
    signs = [{int(np.sign(strength)) for _, strength in json.loads(value)} - {0} for value in frame["features"]]
    judged = [i for i, sign in enumerate(signs) if len(sign) == 1]
    texts = frame["text"].astype(str).iloc[judged].tolist()
    praised = np.array([1 in signs[i] for i in judged])
    agrees = (model.forward(texts).argmax(dim=1).numpy() == model.classes.index("positive")) == praised
    rules = vader(texts, ["negative", "positive"])
    baseline = "not installed" if rules is None else f"{((rules == 1) == praised).mean():.3f}"
    return (
        f"\naccuracy on {len(judged)} sentences with positive or negative features:\n"
        f"  the run {agrees.mean():.3f}, VADER {baseline}, always positive {praised.mean():.3f}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
