"""How well classes are told apart, class by class: precision, recall, F1 and the area under the ROC curve."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats, Ints


def auc(scores: Floats, positive: Array) -> float | None:
    """The area under the ROC curve: how often a positive example scores higher than a negative one, ties counting ½.

        AUC = U / (n₊ n₋),  U = Σ ranks of the positives − n₊ (n₊ + 1) / 2,  equal scores sharing their mean rank

    Args:
        scores: (n,), the higher the more positive.
        positive: (n,), whether each example is.

    Returns:
        From 0 to 1, ½ for guessing; None where there are no positives, no negatives, or a score is not finite.

    Source: Mann and Whitney, 1947; Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
        0.75
    """
    chosen = scores[positive.astype(bool)]
    negatives = len(scores) - len(chosen)
    if len(chosen) == 0 or negatives == 0 or not np.isfinite(scores).all():
        return None
    ordered, chosen = np.sort(scores), np.sort(chosen)
    left, right = (np.searchsorted(ordered, chosen, side).astype(np.int64).sum() for side in ("left", "right"))
    ranks = (int(left) + int(right) + len(chosen)) / 2
    return float((ranks - len(chosen) * (len(chosen) + 1) / 2) / (len(chosen) * negatives))


def per_class(confusion: Ints, names: Sequence[str], aucs: Sequence[float | None]) -> list[dict[str, Any]]:
    """What is known of each class.

        precision = TP / (TP + FP),  recall = TP / (TP + FN),  F1 = 2 TP / (2 TP + FP + FN)

    Args:
        confusion: counts (classes, classes): row, what an example is; column, what it was taken for.
        names: of the classes.
        aucs: of the classes.

    Returns:
        `name`, `precision` (None for a class that is never answered), `recall` (None for one that never occurs),
        `f1` (0 for one that neither occurs nor is answered), `auc` and `support`, the number of its examples.

    Example:
        >>> rows = per_class(np.array([[1, 1], [0, 2]]), ["no", "yes"], [0.9, 0.9])
        >>> [(row["name"], round(row["precision"], 3), row["recall"], row["support"]) for row in rows]
        [('no', 1.0, 0.5, 2), ('yes', 0.667, 1.0, 2)]
    """
    hits, answered, support = np.diag(confusion).tolist(), confusion.sum(axis=0), confusion.sum(axis=1)
    return [
        {
            "name": name,
            "precision": hit / claimed if claimed else None,
            "recall": hit / present if present else None,
            "f1": 2 * hit / (claimed + present) if claimed + present else 0.0,
            "auc": area,
            "support": present,
        }
        for name, hit, claimed, present, area in zip(
            names, hits, answered.tolist(), support.tolist(), aucs, strict=True
        )
    ]
