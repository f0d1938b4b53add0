"""Baselines: the majority class, linear models on one to three consecutive words, and the rules of VADER.

TF-IDF with logistic regression, and logistic regression on naive-Bayes log-count ratios (Wang & Manning 2012,
Baselines and Bigrams): fitted in seconds, and strong on long reviews.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import torch
from scipy.sparse import csr_matrix, diags
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn.functional import cross_entropy

from shared.evaluation.metrics import fit_temperature, linear_weights

LINEAR = ("tfidf_lr", "nb_lr")
WORDS = r"(?u)\b\w+\b|[!?]"
NGRAMS = (1, 3)  # words in a row


@dataclass
class Baselines:
    """The fitted baselines, as plain tensors and a list of terms (n-grams of words)."""

    terms: list[str]
    idf: Tensor
    """Inverse document frequencies, (T,)."""
    tfidf: Tensor
    """Weights of the TF-IDF values, (T + 1, C); the last row is the bias."""
    bayes: Tensor
    """Weights of the binary terms (occurs or not), (T + 1, C); the last row is the bias."""
    majority: int
    """The most frequent class of the training set."""

    @classmethod
    def fit(cls, texts: Sequence[str], labels: np.ndarray, classes: int, min_count: int = 2) -> "Baselines":
        """Fit both models on training texts; terms in fewer than `min_count` of them are left out."""
        vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, min_df=min_count)
        try:
            counts = csr_matrix(vectorizer.fit_transform(texts))
        except ValueError:  # a few short texts, no term twice
            counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
        transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
        binary = csr_matrix(counts > 0, dtype=np.float64)
        bayes = np.empty((counts.shape[1] + 1, classes))
        for label in range(classes):  # one versus rest
            inside = labels == label
            ratio = _smoothed(binary[inside]) - _smoothed(binary[~inside])
            model = LogisticRegression(C=1.0, max_iter=300).fit(binary @ diags(ratio), inside)
            bayes[:-1, label], bayes[-1, label] = model.coef_[0] * ratio, model.intercept_[0]
        regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
        coef, bias = linear_weights(regression)
        return cls(
            terms=vectorizer.get_feature_names_out().tolist(),
            idf=torch.from_numpy(transformer.idf_).float(),
            tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
            bayes=torch.from_numpy(bayes).float(),
            majority=int(np.argmax(np.bincount(labels))),
        )

    def predict(self, texts: Sequence[str], classes: list[str]) -> dict[str, np.ndarray]:
        """Predicted class numbers (N,) of every baseline, by its name."""
        counts = self._counts(texts)
        transformer = TfidfTransformer(sublinear_tf=True)
        transformer.idf_ = self.idf.double().numpy()
        predictions = {
            "majority": np.full(len(texts), self.majority),
            "tfidf_lr": _linear(transformer.transform(counts), self.tfidf).argmax(axis=1),
            "nb_lr": _linear(counts > 0, self.bayes).argmax(axis=1),
        }
        rules = vader(texts, classes)
        return predictions if rules is None else {**predictions, "vader": rules}

    def bayes_logits(self, texts: Sequence[str]) -> Tensor:
        """The log-odds that naive Bayes + logistic regression gives each class, (N, C)."""
        return torch.from_numpy(_linear(self._counts(texts) > 0, self.bayes)).float()

    def _counts(self, texts: Sequence[str]) -> csr_matrix:
        vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, vocabulary=self.terms)
        return csr_matrix(vectorizer.transform(texts))


def stack(logits: Tensor, bayes: Tensor, weight: float) -> Tensor:
    """Logits of the network and log-odds of the linear model, each (N, C), averaged; weight: that of the linear one."""
    odds = bayes - bayes.mean(dim=1, keepdim=True), logits - logits.mean(dim=1, keepdim=True)
    return weight * odds[0] + (1 - weight) * odds[1]


def stacking_weight(logits: Tensor, bayes: Tensor, targets: np.ndarray) -> float:
    """The weight of the linear model, 0 to 1, with the smallest cross entropy (after calibration) on these texts."""

    def loss(weight: float) -> float:
        mixed = stack(logits, bayes, weight)
        return float(cross_entropy(mixed / fit_temperature(mixed, targets), torch.from_numpy(targets)))

    return min((step / 20 for step in range(21)), key=loss)


def vader(texts: Sequence[str], classes: list[str]) -> np.ndarray | None:
    """VADER (Hutto & Gilbert 2014), a lexicon with rules, without training: class numbers (N,). None where it is not
    installed, or the classes are not negative and positive."""
    if not find_spec("vaderSentiment") or not {"negative", "positive"} <= set(classes):
        return None
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    compound = np.array([analyzer.polarity_scores(text)["compound"] for text in texts])
    middle = 0.05 if "neutral" in classes else 0.0
    positive, negative = classes.index("positive"), classes.index("negative")
    predictions = np.where(compound >= middle, positive, negative)
    if "neutral" in classes:
        predictions[np.abs(compound) < middle] = classes.index("neutral")
    return predictions


def _smoothed(binary: csr_matrix) -> np.ndarray:
    """Log of the relative frequency of each term in these texts, with add-one smoothing."""
    counts = np.asarray(binary.sum(axis=0)).ravel() + 1.0
    return np.log(counts / counts.sum())


def _linear(features: csr_matrix, weights: Tensor) -> np.ndarray:
    """Scores of the classes, (N, C)."""
    table = weights.double().numpy()
    return np.asarray(features @ table[:-1] + table[-1])
