"""Is the network right about these reviews? Agreement with their stars, the corrected share, and warnings."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from projects.sentiment.data import bare_fingerprints
from projects.sentiment.labels import NEUTRAL
from projects.sentiment.language import languages
from projects.sentiment.predict import MOST_UNKNOWN
from projects.sentiment.predictor import Predictor
from projects.sentiment.quantify import Rates, adjusted_count
from projects.sentiment.reviews import Reviews
from shared.data.provenance import Provenance, text_fingerprints
from shared.evaluation.metrics import expected_calibration_error, proportion_interval
from shared.evaluation.report import Card, Section
from shared.names import shown
from shared.runs import Run

MIN_ENGLISH = 0.2  # fraction of common English words; less is another language
SOME_FOREIGN, MOST_FOREIGN = 0.1, 0.5  # fractions of the texts in another language that are said, and refused
MIN_LABELLED = 20  # reviews of each class; with fewer the errors of the network are not estimated from the file
MIN_AGREEMENT = 0.7  # balanced accuracy by the stars of the file; with less the page warns


@dataclass
class Check:
    """The network against the stars or labels of the file."""

    measured: np.ndarray
    """The reviews with a class of the run that it was neither trained nor validated on, bool (N,)."""
    rates: Rates
    """Errors on them."""
    error_rates: Rates
    """The same where reviews in the middle of the scale count as not positive."""
    accuracy: float
    mean_confidence: float
    ece: float

    @property
    def is_enough(self) -> bool:
        """Whether there are enough reviews of both classes."""
        return min(self.rates.positives, self.rates.negatives) >= MIN_LABELLED

    @property
    def is_poor(self) -> bool:
        """Whether the network is not to be used for these reviews."""
        return self.is_enough and self.rates.balanced_accuracy < MIN_AGREEMENT


def check_stars(predictor: Predictor, run: Run, reviews: Reviews, probabilities: torch.Tensor) -> Check | None:
    """Agreement and calibration on the labelled reviews that the run has not seen. None without any."""
    known = Provenance.load(run.folder)
    as_read, bare = text_fingerprints(reviews.texts), bare_fingerprints(reviews.bodies)
    unseen = ~(known.seen(as_read, keep=True).mask | known.seen(bare, keep=True).mask)
    measured = unseen & np.isin(reviews.labels, predictor.classes)
    if not measured.any():
        return None
    has_label = unseen & (reviews.labels != "")
    called_positive = probabilities.argmax(dim=1).numpy() == predictor.classes.index("positive")
    given = probabilities[torch.from_numpy(measured)]
    targets = np.array([predictor.classes.index(name) for name in reviews.labels[measured]])
    predicted, positive = given.argmax(dim=1).numpy(), predictor.classes.index("positive")
    return Check(
        measured,
        Rates.of(targets == positive, predicted == positive),
        Rates.of(reviews.labels[has_label] == "positive", called_positive[has_label]),
        float((targets == predicted).mean()),
        given.amax(dim=1).mean().item(),
        expected_calibration_error(given, torch.from_numpy(targets)),
    )


def find_warning(
    predictor: Predictor, run: Run, reviews: Reviews, check: Check | None, path: Path, trust: bool = False
) -> str:
    """Why the shares are to be used with care, in one sentence with the command that helps; '' if nothing speaks
    against it.

    Raises ValueError, unless `trust`, where they are not to be used: the run agrees poorly with the stars, or it was
    trained on generated sentences and the file has too few stars to show that it fits.
    """
    train = "python -m projects.sentiment.train --data.source csv --data.root"
    enough = check is not None and check.is_enough
    has_stars = min(int((reviews.labels == name).sum()) for name in ("negative", "positive")) >= MIN_LABELLED
    helps = f"train on reviews like these: {train} {shown(path) if has_stars else 'REVIEWS_WITH_STARS.csv'}"
    if run.settings["data"]["source"] == "sample" and not enough and not trust:
        raise ValueError(f"run {run.name} was trained on generated sentences only, not on reviews; {helps}")
    if check and check.is_poor:
        poor = (
            f"the predictions agree poorly with the file's own stars or labels (balanced accuracy "
            f"{check.rates.balanced_accuracy:.3f} on {int(check.measured.sum())} reviews; chance is 0.5); {helps}"
        )
        if not trust:
            raise ValueError(f"{poor}; --trust writes the page nevertheless")
        return f"Do not use these predictions: {poor}."
    if (unknown := predictor.unknown_words(reviews.texts)) > MOST_UNKNOWN:
        return f"Use these predictions with care: {unknown:.0%} of the words are unknown to the run; {helps}."
    foreign, share = foreign_language(reviews.texts, predictor)
    if share > MOST_FOREIGN and not enough and not trust:
        raise ValueError(
            f"{share:.0%} of the reviews are not in {predictor.language}, the language of run {run.name}, but mostly "
            f"in {foreign}; {helps}; --trust writes the page nevertheless"
        )
    if share > SOME_FOREIGN:
        return (
            f"Use these predictions with care: {share:.0%} of the reviews are not in {predictor.language}, the "
            f"language of the run, but mostly in {foreign}; {helps}."
        )
    return ""


def foreign_language(texts: list[str], predictor: Predictor) -> tuple[str, float]:
    """The commonest language of the texts other than the run's, and the fraction of texts in any other language."""
    found = languages(texts)
    if not predictor.language or not found:
        is_foreign = predictor.language == "English" and english_share(texts) < MIN_ENGLISH
        return "another language", float(is_foreign)
    others = Counter({name: count for name, count in found.items() if name != predictor.language})
    return (others.most_common(1)[0][0] if others else "", others.total() / found.total())


def english_share(texts: list[str]) -> float:
    """Fraction of the words that are common English words: about .4 to .5 in English."""
    words = [word for text in texts[:1000] for word in text.lower().split()]
    return sum(word in ENGLISH_STOP_WORDS for word in words) / max(1, len(words))


def corrected_share(
    positive: np.ndarray, reviews: Reviews, check: Check | None, run: Run
) -> tuple[float, float, float, str] | None:
    """The adjusted count with its interval, and where the network's errors were measured."""
    rates, where = None, f"{int(check.measured.sum())} labelled reviews of this file" if check else ""
    predictions = run.folder / "predictions.csv"
    counted = positive
    all_known = bool((reviews.labels != "").all())
    is_poor = check is not None and check.is_poor
    if check and check.is_enough and not all_known:
        rates = check.error_rates
    elif predictions.is_file() and not is_poor:
        own = pd.read_csv(predictions, dtype=str, keep_default_na=False)
        rates = Rates.of(*((own[c] == "positive").to_numpy() for c in ("true", "predicted")))
        where = "the run's test set"
        if NEUTRAL in reviews.labels and NEUTRAL not in set(own["true"]):  # which say nothing about the middle
            counted, where = positive[reviews.labels != NEUTRAL], f"{where}, without stars in the middle of the scale"
    found = adjusted_count(int(counted.sum()), len(counted), rates) if rates and len(counted) else None
    return (*found, where) if found else None


def check_numbers(
    check: Check | None, share: tuple[float, float, float, str] | None, labels: np.ndarray, warning: str
) -> dict:
    """What the JSON file says of the stars: their share, the corrected one, and the agreement with the network."""
    known, liked, neutral = int((labels != "").sum()), *(int((labels == c).sum()) for c in ("positive", NEUTRAL))
    return {
        "warning": warning,
        "stars": {
            "reviews": known, "positive": liked, "neutral": neutral, "interval": list(proportion_interval(liked, known))
        },
        "corrected": share and {"positive": share[0], "interval": [share[1], share[2]], "errors_from": share[3]},
        "agreement": check
        and {
            "reviews": int(check.measured.sum()), "accuracy": check.accuracy,
            "balanced_accuracy": check.rates.balanced_accuracy if check.is_enough else None,
            "mean_confidence": check.mean_confidence, "ece": check.ece,
        },
    }  # fmt: skip


def said_beside(share: tuple[float, float, float, str] | None, numbers: dict) -> str:
    """The share of the stars and the corrected one, to stand behind the share of the network in a sentence."""
    stars = numbers["stars"]
    parts, neutral = [], stars["neutral"]
    if stars["reviews"]:
        low, high = stars["interval"]
        parts.append(
            f"by the file's own stars or labels {stars['positive'] / stars['reviews']:.0%} of {stars['reviews']} are "
            f"({low:.0%} to {high:.0%})" + (f", {neutral / stars['reviews']:.0%} are in the middle" if neutral else "")
        )
    if share:
        parts.append(f"corrected for its errors on {share[3]}: {share[0]:.0%} ({share[1]:.0%} to {share[2]:.0%})")
    return "".join(f"; {part}" for part in parts)


def share_cards(share: tuple[float, float, float, str] | None, numbers: dict) -> list[Card]:
    """The share of the stars and the corrected one, where there are any."""
    stars, cards = numbers["stars"], []
    if n := stars["reviews"]:
        beside = f"of {stars['reviews']}" + (f"; neutral {stars['neutral'] / n:.0%}" if stars["neutral"] else "")
        cards.append(Card("positive by stars", f"{stars['positive'] / n:.0%}", beside))
    if share:
        cards.append(Card("corrected", f"{share[0]:.0%}", f"95 % confidence interval {share[1]:.0%} to {share[2]:.0%}"))
    return cards


def check_section(
    check: Check | None,
    share: tuple[float, float, float, str] | None,
    reviews: Reviews,
    differing: int,
    classes: list[str],
) -> Section | None:
    """Accuracy, calibration and the confusion matrix on the reviews with stars that the run has not seen."""
    if check is None:
        return None
    of_class = np.isin(reviews.labels, classes)
    seen = int(of_class.sum() - check.measured.sum())
    text = (
        f"{int(check.measured.sum())} reviews have stars or labels of a class"
        + (f" and were not in the training ({seen} were, and are left out here)" if seen else "")
        + f". The accuracy on them is {check.accuracy:.0%}, the mean confidence {check.mean_confidence:.0%}, the "
        f"expected calibration error {check.ece:.3f}. Text and stars disagree in {differing} reviews of the file."
    )
    if share:
        text += (
            f" The corrected share is the adjusted count: the confusion matrix of {share[3]} says how often the "
            "network calls a positive and another review positive, which is solved for the share. Where every review "
            "has stars, the errors are those on the run's test set, so that the corrected share can be compared with "
            "the share of the stars."
        )
    rates, all_rates = check.rates, check.error_rates
    neutral = all_rates.negatives - rates.negatives
    rows = [
        ["positive", rates.true_positives, rates.positives - rates.true_positives],
        ["negative", rates.false_positives, rates.negatives - rates.false_positives],
    ]
    if NEUTRAL in classes:
        rows[1][0] = "not positive"
    elif neutral:
        called = all_rates.false_positives - rates.false_positives
        rows.insert(1, ["in the middle of the scale", called, neutral - called])
    columns = ("stars or label", "predicted positive", "predicted not positive")
    return Section("Agreement with the stars", text, columns=columns, rows=rows)


def disagreement_section(
    differing: list[int], reviews: Reviews, names: list[str], confidence: np.ndarray, count: int = 15
) -> Section | None:
    """The reviews whose text and stars disagree, the most confident predictions first."""
    if not differing or reviews.stars is None:
        return None
    rows = [
        [reviews.rows[i], reviews.stars[i], f"{names[i]} {confidence[i]:.0%}", reviews.texts[i][:200]]
        for i in differing[:count]
    ]
    text = f"The {len(rows)} most confident of {len(differing)}: errors of the network, or stars given by mistake."
    columns = ("row", "stars or label", "prediction", "text")
    return Section("Text and stars disagree", text, columns=columns, rows=rows)
