"""What is told of a part beside its metrics: the score with its interval, classes one by one, calibration.

| targets | `score` |
|---|---|
| one of several classes | `accuracy` |
| quantities | `r2` |
| several labels, or several questions | `exact`, the share of examples that are wholly right |
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.network.softmax import groups
from backlight.scoring.areas import Areas, areas, class_rankings, together
from backlight.scoring.calibration import calibration
from backlight.scoring.classes import per_class
from backlight.scoring.intervals import f1_interval, mean_interval, quantity_intervals, share_interval
from backlight.scoring.metrics import confusion_matrix, predicted_classes, right_labels
from backlight.scoring.resampling import Interval
from backlight.scoring.several import right_answers

Names = Sequence[str]


def class_quality(losses: Floats, outputs: Floats, y: Ints, names: Names) -> dict[str, Any]:
    """`score`, `interval`, `intervals`, `auc`, `per_class` and `calibration` for one of several classes.

    Args:
        losses: one loss per example (n,).
        outputs: (n, j), or (n, 1) for the probability of class 1.
        y: class indices (n,).
        names: of the classes.

    Example:
        >>> outputs = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3], [0.2, 0.8]])
        >>> found = class_quality(np.ones(4), outputs, np.array([0, 0, 0, 1]), ["no", "yes"])
        >>> found["score"], found["interval"], found["auc"]
        ('accuracy', [0.25, 1.0], 1.0)
    """
    predicted = predicted_classes(outputs)
    figures, found = _class_figures(outputs, y, predicted, names)
    intervals = {
        "loss": mean_interval(losses),
        "macro_f1": f1_interval(y, predicted, len(names)),
        "auc": found.interval,
    }
    return {**_scored("accuracy", share_interval(int((predicted == y).sum()), len(y)), intervals), **figures}


def _class_figures(outputs: Floats, y: Ints, predicted: Ints, names: Names) -> tuple[dict[str, Any], Areas]:
    """`auc`, `per_class` and `calibration`; and the areas that the first is the mean of."""
    found = areas(class_rankings(outputs, y, len(names)))
    rows = per_class(confusion_matrix(y, predicted, len(names)), names, found.each)
    return {"auc": found.mean, "per_class": rows, "calibration": calibration(outputs, y)}, found


def label_quality(losses: Floats, outputs: Floats, y: Floats, names: Names) -> dict[str, Any]:
    """The same for several labels at once, each there or not; `per_class` has one entry per label.

    Calibration is over all labels of all examples: how sure the network is that each is there, or not.

    Args:
        losses: one loss per example (n,).
        outputs: (n, k).
        y: zeros and ones (n, k).
        names: of the labels.

    Example:
        >>> found = label_quality(np.ones(2), np.array([[0.9, 0.2], [0.3, 0.6]]), np.eye(2), ["sunny", "windy"])
        >>> found["score"], [row["f1"] for row in found["per_class"]]
        ('exact', [1.0, 1.0])
    """
    there = y > 0.5
    right = right_labels(outputs, y)
    found = areas((outputs[:, k], there[:, k]) for k in range(len(names)))
    intervals = {
        "loss": mean_interval(losses),
        "accuracy": mean_interval(right.mean(axis=1)),
        "auc": found.interval,
    }
    rows = []
    for k, (name, area) in enumerate(zip(names, found.each, strict=True)):
        predicted = predicted_classes(outputs[:, k : k + 1])
        table = confusion_matrix(there[:, k].astype(np.int64), predicted, 2)
        rows.append(per_class(table, ("not " + name, name), (area, area))[1])
    return {
        **_scored("exact", share_interval(int(right.all(axis=1).sum()), len(y)), intervals),
        "auc": found.mean,
        "per_class": rows,
        "calibration": calibration(outputs.reshape(-1, 1), there.reshape(-1).astype(np.int64)),
    }


def quantity_quality(losses: Floats, outputs: Floats, y: Floats, unit: Array | float = 1.0) -> dict[str, Any]:
    """`score`, `interval` and `intervals` for quantities.

    Args:
        losses: one loss per example (n,).
        outputs: predictions (n, j).
        y: targets (n, j) or (n,).
        unit: what one unit of them is in the targets' own units.

    Example:
        >>> y = np.arange(50.0)[:, None]
        >>> quantity_quality(np.ones(50), y, y)["interval"]
        [1.0, 1.0]
    """
    found = quantity_intervals(outputs, y, unit)
    r2 = found.pop("r2")
    return _scored("r2", r2, {"loss": mean_interval(losses), **found})


def several_quality(
    losses: Floats, outputs: Floats, y: Ints, questions: Sequence[tuple[str, Sequence[str]]]
) -> dict[str, Any]:
    """The same for several questions, each with classes of its own; `questions` tells of each by itself.

    Args:
        losses: one loss per example (n,).
        outputs: (n, Σ classes), those of the first question first.
        y: class indices (n, k).
        questions: the name of each, and the names of its classes.

    Example:
        >>> outputs = np.array([[0.9, 0.1, 0.2, 0.3, 0.5]])
        >>> questions = [("first", "ab"), ("second", "xyz")]
        >>> found = several_quality(np.ones(1), outputs, np.array([[0, 1]]), questions)
        >>> found["score"], [(question["name"], question["accuracy"]) for question in found["questions"]]
        ('exact', [('first', 1.0), ('second', 0.0)])
    """
    sizes = [len(names) for _, names in questions]
    right, told, ranked = right_answers(outputs, y, sizes), [], []
    for k, part in enumerate(groups(sizes, outputs.shape[1])):
        (name, names), own = questions[k], outputs[:, part]
        figures, found = _class_figures(own, y[:, k], predicted_classes(own), names)
        scored = _scored("accuracy", share_interval(int(right[:, k].sum()), len(y)), {"auc": found.interval})
        told.append({"name": name, **scored, "accuracy": float(right[:, k].mean()), **figures})
        ranked.append(found)
    whole = together(ranked)
    intervals = {
        "loss": mean_interval(losses),
        "accuracy": mean_interval(right.mean(axis=1)),
        "auc": whole.interval,
    }
    return {
        **_scored("exact", share_interval(int(right.all(axis=1).sum()), len(y)), intervals),
        "auc": whole.mean,
        "questions": told,
    }


def _scored(name: str, interval: Interval | None, others: dict[str, Interval | None]) -> dict[str, Any]:
    return {
        "score": name,
        "interval": None if interval is None else list(interval),
        "intervals": {key: None if ends is None else list(ends) for key, ends in others.items()},
    }
