"""The baseline: what an answer is worth that ignores the inputs.

| targets | the answer | its loss, rmse and r2 are those of |
|---|---|---|
| classes | the most frequent class of the training part | the classes' shares there |
| labels | each label as it is more often | the labels' shares there |
| quantities | the training part's mean; for mae its median | the mean |
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats
from backlight.assessment.rival import Rival
from backlight.data import Classes, Labels, SeveralClasses, Target
from backlight.files import finite
from backlight.network.losses import LOSSES
from backlight.scoring import measure
from backlight.training import Evaluation

_LEAST: Final = 1e-7


def baseline(target: Target, learnt: Array, examples: Evaluation, loss: str) -> Rival:
    """Measure the answers that do not look at the inputs.

    Args:
        target: what the targets mean.
        learnt: the targets of the training part.
        examples: what is measured; its inputs are not read.
        loss: the network's.

    Example:
        >>> target, y = Classes(("no", "yes")), np.array([0, 0, 0, 1])
        >>> found = baseline(target, y, Evaluation(None, np.array([0, 1])), "cross_entropy")
        >>> found.what, found.metrics["accuracy"], round(found.metrics["loss"], 4)
        ("always 'no'", 0.5, 0.837)
    """
    if isinstance(target, Classes):
        return _of_classes(target, learnt, examples, loss)
    if isinstance(target, SeveralClasses):
        return _of_several(target, learnt, examples)
    if isinstance(target, Labels):
        return _of_labels(learnt, examples, loss)
    return _of_quantities(learnt, examples, loss)


def _of_classes(target: Classes, learnt: Array, examples: Evaluation, loss: str) -> Rival:
    shares = np.bincount(learnt, minlength=target.width) / len(learnt)
    each = np.eye(target.width)
    losses = _losses(loss, np.broadcast_to(shares, each.shape), each)[examples.targets]
    metrics = measure(losses, np.broadcast_to(shares, (len(examples.targets), target.width)), examples.targets)
    metrics.pop("confusion")
    return Rival("baseline", f"always {target.names[int(shares.argmax())]!r}", finite(metrics))


def _of_several(target: SeveralClasses, learnt: Array, examples: Evaluation) -> Rival:
    modes = [int(np.bincount(column).argmax()) for column in learnt.T]
    right = examples.targets == modes
    words = ", ".join(question.names[mode] for question, mode in zip(target.targets, modes, strict=True))
    metrics = {"accuracy": float(right.mean()), "exact": float(right.all(axis=1).mean())}
    return Rival("baseline", f"always {words!r}", metrics)


def _of_labels(learnt: Array, examples: Evaluation, loss: str) -> Rival:
    shares = np.broadcast_to(learnt.mean(axis=0, dtype=np.float64), examples.targets.shape)
    losses = _losses(loss, shares, examples.targets, both=True)
    return Rival(
        "baseline", "each label as it mostly is", finite(measure(losses, shares, examples.targets, labels=True))
    )


def _of_quantities(learnt: Array, examples: Evaluation, loss: str) -> Rival:
    y = np.asarray(examples.targets, np.float64).reshape(len(examples.targets), -1)
    learnt = np.asarray(learnt, np.float64).reshape(len(learnt), -1)
    mean, median = (np.broadcast_to(centre, y.shape) for centre in (learnt.mean(axis=0), np.median(learnt, axis=0)))
    metrics = measure(_losses(loss, mean, y), mean, y, examples.unit)
    metrics["mae"] = measure(np.zeros(len(y)), median, y, examples.unit)["mae"]
    return Rival("baseline", "always the mean (for MAE the median)", finite(metrics))


def _losses(loss: str, a: Floats, y: Floats, *, both: bool = False) -> NDArray[np.float64]:
    """One loss per row (n,) of constant outputs; probabilities of 0 count as 1e−7, so that no loss is infinite."""
    if loss == "cross_entropy":
        kept = np.clip(a, _LEAST, 1 - _LEAST)
        logs = y * np.log(kept) + ((1 - y) * np.log(1 - kept) if both else 0.0)
        return np.asarray(-logs.sum(axis=1), np.float64)
    out = np.empty(len(a))
    outputs = np.maximum(a, _LEAST) if loss == "poisson" else np.array(a, np.float64)
    scratch: list[Any] = [np.empty(a.shape), np.empty(a.shape)]
    LOSSES[loss].losses(outputs, np.asarray(y, np.float64), out, scratch)
    return out
