"""What AlexNet has to beat: the commonest class, and a logistic regression on nothing but colours."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from shared.evaluation.metrics import linear_weights


def colour_histogram(images: np.ndarray) -> np.ndarray:
    """How often each of 512 colours (8 levels of red, green and blue) occurs, as square roots, which tell rare colours
    apart better: uint8 (N, H, W, 3) -> float (N, 512)."""
    counts = np.empty((len(images), 512), np.float32)
    for row, image in enumerate(images >> 5):  # 0..7 in each channel
        codes = image @ np.array([64, 8, 1], np.int32)  # (H, W)
        counts[row] = np.bincount(codes.ravel(), minlength=512) / codes.size
    return np.sqrt(counts)


def fit_colour_baseline(images: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on colour histograms, as weights (512, C) and bias (C,) on what `colour_histogram` gives."""
    scaler, regression = StandardScaler(), LogisticRegression(C=0.1, max_iter=300)
    regression.fit(scaler.fit_transform(colour_histogram(images)), labels)
    coefficients, offsets = linear_weights(regression)
    weights, bias = np.zeros((512, classes), np.float32), np.full(classes, -np.inf, np.float32)
    weights[:, regression.classes_] = (coefficients / scaler.scale_).T
    bias[regression.classes_] = offsets - (coefficients / scaler.scale_) @ scaler.mean_
    return weights, bias
