"""What the texts that `label` chooses teach, compared with as many random ones.

python -m benchmarks.labelling tweets.csv [RUN]     # a table of labelled texts that the run has not seen

Half of the texts can be chosen, the other half is scored. The learner is logistic regression on the sentence vectors of
MiniLM, so that the choice, and not the training of a network, makes the difference.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from projects.sentiment.config import DataConfig
from projects.sentiment.label import choose, entropy
from projects.sentiment.predictor import Predictor
from projects.sentiment.sources import load_table
from projects.sentiment.topic_words import Encoder
from shared.evaluation.metrics import accuracy, macro_f1
from shared.runs import Run

COUNTS, RANDOM = (50, 100, 200, 400), 20


def main(file: str, run: str = "shipped") -> None:
    """Print accuracy and macro F1 by the number of labels."""
    predictor = Predictor.load(Run.open("sentiment", run).model_file)
    table = load_table(DataConfig(source="csv", root=Path(file)), predictor.classes)
    order = np.random.default_rng(0).permutation(len(table.texts))
    vectors, labels = Encoder()([table.texts[i] for i in order]), table.labels[order]
    half = len(order) // 2
    texts = [table.texts[i] for i in order[:half]]
    uncertain = np.argsort(-entropy(predictor.forward(texts).softmax(dim=1)), kind="stable")

    def scores(rows: np.ndarray) -> tuple[float, float]:
        fitted = LogisticRegression(max_iter=1000, C=10).fit(vectors[rows], labels[rows])
        predicted = fitted.predict(vectors[half:])
        return accuracy(labels[half:], predicted), macro_f1(labels[half:], predicted)

    print("accuracy and macro F1")
    print(f"labels  {'chosen by label':>16}  {'most uncertain':>16}  {f'random, mean and sd of {RANDOM}':>32}")
    for count in COUNTS:
        chosen = scores(np.array(choose(texts, count)))
        most = scores(uncertain[:count])
        draws = [np.random.default_rng(seed).permutation(half)[:count] for seed in range(RANDOM)]
        random = np.array([scores(rows) for rows in draws])
        mean, deviation = random.mean(axis=0), random.std(axis=0)
        print(
            f"{count:>6}  {chosen[0]:>8.3f}{chosen[1]:>8.3f}  {most[0]:>8.3f}{most[1]:>8.3f}  "
            f"{mean[0]:>8.3f} ({deviation[0]:.3f}){mean[1]:>8.3f} ({deviation[1]:.3f})"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
