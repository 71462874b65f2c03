"""Calibration: whether answers that are given with 90 % confidence are right nine times in ten."""

from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats, Ints

BINS: Final = 10
_CHUNK: Final = 1 << 16


def calibration(outputs: Floats, y: Ints) -> dict[str, Any] | None:
    """How far confidence, the largest output, agrees with how often it is right.

        ECE = Σ_b n_b / n · abs(accuracy_b − confidence_b)        Brier = mean over examples of Σ_k (a_k − y_k)²

    Ten bins of equal width hold the examples by their confidence; a confidence on a border belongs to the bin below.
    Brier's sum is over all classes, so that it goes from 0 to 2.

    Args:
        outputs: (n, j), or (n, 1) for the probability of class 1.
        y: class indices (n,).

    Returns:
        `ece`, `brier`, the mean `confidence`, and `bins`: of each `low`, `high`, `count`, mean `confidence` and
        `accuracy`, None where it is empty; None altogether where outputs are no numbers from 0 to 1.

    Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017, arXiv:1706.04599;
    Brier, "Verification of forecasts expressed in terms of probability", 1950.

    Example:
        >>> found = calibration(np.array([[0.9, 0.1], [0.7, 0.3]]), np.array([0, 1]))
        >>> round(found["ece"], 3), round(found["brier"], 3)
        (0.4, 0.5)
    """
    if not (np.isfinite(outputs).all() and outputs.min() >= 0 and outputs.max() <= 1):
        return None
    sums, squares = np.zeros((3, BINS)), 0.0
    for first in range(0, len(y), _CHUNK):
        rows = slice(first, first + _CHUNK)
        sums += _bin_sums(outputs[rows], y[rows])
        squares += _squares(outputs[rows], y[rows])
    count, sure, hits = sums
    bins = [
        {
            "low": b / BINS,
            "high": (b + 1) / BINS,
            "count": int(count[b]),
            "confidence": float(sure[b] / count[b]) if count[b] else None,
            "accuracy": float(hits[b] / count[b]) if count[b] else None,
        }
        for b in range(BINS)
    ]
    return {
        "ece": float(np.abs(hits - sure).sum() / len(y)),
        "brier": squares / len(y),
        "confidence": float(sure.sum() / len(y)),
        "bins": bins,
    }


def _bin_sums(outputs: Array, y: Ints) -> Array:
    """Of each bin (3, bins): how many examples, the sum of their confidences, how many are right."""
    if outputs.shape[1] == 1:
        outputs = np.concatenate([1 - outputs, outputs], axis=1)
    confidence = outputs.max(axis=1).astype(np.float64)
    right = outputs.argmax(axis=1) == y
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return np.stack([np.bincount(place, weights=w, minlength=BINS) for w in (None, confidence, right)])


def _squares(outputs: Array, y: Ints) -> float:
    """Σ_n Σ_k (a_k − y_k)² = Σ_n (Σ_k a_k² − 2 a_y + 1), without a one-hot copy; a single output stands for two."""
    if outputs.shape[1] == 1:
        return float(2.0 * ((outputs[:, 0].astype(np.float64) - y) ** 2).sum())
    chosen = outputs[np.arange(len(y)), y].sum(dtype=np.float64)
    return float(np.einsum("nk,nk->", outputs, outputs, dtype=np.float64) - 2.0 * chosen + len(y))
