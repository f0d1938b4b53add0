"""What AlexNet has to beat: the commonest class, and a logistic regression on nothing but colours."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def colour_histogram(images: np.ndarray) -> np.ndarray:
    """How often each of 512 colours (8 levels of red, green and blue) occurs: uint8 (N, H, W, 3) -> float (N, 512)."""
    counts = np.empty((len(images), 512), np.float32)
    for row, image in enumerate(images >> 5):  # 0..7 in each channel
        codes = image @ np.array([64, 8, 1], np.int32)  # (H, W)
        counts[row] = np.bincount(codes.ravel(), minlength=512) / codes.size
    return np.sqrt(counts)


def fit_colour_baseline(images: np.ndarray, labels: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression on colour histograms, as weights (512, C) and bias (C,) on the plain histogram."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    model.fit(colour_histogram(images), labels)
    scaler, regression = model.steps[0][1], model.steps[1][1]
    coefficients = np.zeros((classes, 512), np.float32)
    bias = np.full(classes, -np.inf, np.float32)
    signs = np.vstack([-regression.coef_, regression.coef_]) if len(regression.classes_) == 2 else regression.coef_
    offsets = (
        np.hstack([-regression.intercept_, regression.intercept_])
        if len(regression.classes_) == 2
        else regression.intercept_
    )
    coefficients[regression.classes_] = signs / scaler.scale_
    bias[regression.classes_] = offsets - (signs / scaler.scale_) @ scaler.mean_
    return coefficients.T.astype(np.float32), bias.astype(np.float32)
