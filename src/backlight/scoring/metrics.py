"""Metrics: how good outputs are, in numbers that people quote."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.errors import InputError, nearest
from backlight.scoring.several import several_metrics

HIGHER_IS_BETTER: Final = {
    "loss": False,
    "accuracy": True,
    "macro_f1": True,
    "exact": True,
    "rmse": False,
    "mae": False,
    "r2": True,
}


def confusion_matrix(y: Ints, predicted: Ints, classes: int) -> Ints:
    """How many examples of each class (row) were taken for each class (column): counts (classes, classes).

    Example:
        >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    counts: Ints = np.bincount(y * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def macro_f1(confusion: Ints) -> float:
    """The mean over classes of F1 = 2 TP / (2 TP + FP + FN); 0 for a class that is neither present nor predicted.

    Example:
        >>> round(macro_f1(np.array([[1, 1], [0, 1]])), 4)
        0.6667
    """
    hits = np.diag(confusion)
    both = confusion.sum(axis=0) + confusion.sum(axis=1)
    return float(np.mean(np.divide(2.0 * hits, both, out=np.zeros(len(hits)), where=both > 0)))


def predicted_classes(outputs: Floats) -> Ints:
    """The class of the largest output, or for a single output whether it is above ½.

    Example:
        >>> predicted_classes(np.array([[0.2, 0.8]])).tolist(), predicted_classes(np.array([[0.2]])).tolist()
        ([1], [0])
    """
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.5).astype(np.int64)
    return np.asarray(outputs.argmax(axis=1))


def classification_metrics(losses: Floats, outputs: Floats, y: Ints) -> dict[str, Any]:
    """`loss`, `accuracy`, `macro_f1` and the `confusion` matrix as lists of counts."""
    confusion = confusion_matrix(y, predicted_classes(outputs), max(2, outputs.shape[1]))
    return {
        "loss": _mean(losses),
        "accuracy": float(np.trace(confusion) / len(y)),
        "macro_f1": macro_f1(confusion),
        "confusion": confusion.tolist(),
    }


def right_labels(outputs: Floats, y: Floats) -> Array:
    """Whether each label of each example is told rightly (n, k): there where the output is above ½.

    Example:
        >>> right_labels(np.array([[0.2, 0.8]]), np.array([[0.0, 0.0]])).tolist()
        [[True, False]]
    """
    right: Array = (outputs > 0.5) == (y > 0.5)
    return right


def label_metrics(losses: Floats, outputs: Floats, y: Floats) -> dict[str, Any]:
    """For several labels at once: `loss`, `accuracy` over all labels, and `exact`, the share of wholly right rows."""
    right = right_labels(outputs, y)
    return {"loss": _mean(losses), "accuracy": float(right.mean()), "exact": float(right.all(axis=1).mean())}


def regression_metrics(losses: Floats, outputs: Floats, y: Floats, unit: Array | float = 1.0) -> dict[str, Any]:
    """`loss`, and per target, or their mean over targets, `rmse` and `mae` in the targets' own units and `r2`.

    Args:
        losses: one loss per example (n,), in the units that the network was trained in.
        outputs: predictions (n, j).
        y: targets (n, j).
        unit: what one unit of outputs and targets is in the targets' own units: the standard deviation that they
            were standardised with, (j,) or a number.

    Example:
        >>> m = regression_metrics(np.zeros(2), np.array([[1.0], [3.0]]), np.array([[1.0], [2.0]]), unit=10.0)
        >>> round(m["rmse"], 3), m["mae"], m["r2"]
        (7.071, 5.0, -1.0)
    """
    y = y.reshape(len(y), -1).astype(np.float64)
    errors = outputs.astype(np.float64) - y
    spread = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    r2 = 1.0 - np.divide((errors**2).sum(axis=0), spread, out=np.full(y.shape[1], np.nan), where=spread > 0)
    return {
        "loss": _mean(losses),
        "rmse": float(np.mean(np.sqrt((errors**2).mean(axis=0)) * unit)),
        "mae": float(np.mean(np.abs(errors).mean(axis=0) * unit)),
        "r2": None if np.isnan(r2).any() else float(np.mean(r2)),
    }


def _mean(losses: Floats) -> float:
    return float(np.mean(losses, dtype=np.float64))


def measure(
    losses: Floats,
    outputs: Floats,
    y: Array,
    unit: Array | float = 1.0,
    *,
    labels: bool = False,
    questions: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The metrics that suit the targets: class indices (n,), one per question (n, k), several labels (n, j), or values.

    Args:
        losses: one loss per example (n,).
        outputs: (n, j).
        y: the targets.
        unit: what one unit of regression targets is in their own units.
        labels: whether the targets are several labels at once.
        questions: for several questions at once, how many classes each has.
    """
    if questions and y.dtype.kind in "iu":
        return several_metrics(losses, outputs, y, questions)
    if y.dtype.kind in "iu" and y.ndim == 1:
        return classification_metrics(losses, outputs, y.astype(np.int64))
    if labels:
        return label_metrics(losses, outputs, y)
    return regression_metrics(losses, outputs, y, unit)


def check_metric(name: str, known: list[str]) -> None:
    """Refuse a metric that is not measured.

    Raises:
        InputError: there is no such metric.
    """
    if name not in known:
        raise InputError(f"there is no metric {name!r}; {nearest(name, known)}")
