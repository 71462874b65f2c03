"""Settings beside data: what suits a target, and what it cannot be learnt with."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from backlight.data import Classes, Dataset, Labels, Quantities, SeveralClasses, Target
from backlight.errors import InputError
from backlight.network.losses import check_pair
from backlight.training import Until

_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "sigmoid": (0.0, 1.0),
    "logistic": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "softplus": (0.0, float("inf")),
    "exponential": (0.0, float("inf")),
}
_MEASURED: Final[Mapping[type[Target], tuple[str, ...]]] = {
    Classes: ("loss", "accuracy", "macro_f1"),
    Labels: ("loss", "accuracy", "exact"),
    SeveralClasses: ("loss", "accuracy", "exact"),
    Quantities: ("loss", "rmse", "mae", "r2"),
}


def suited_output(target: Target, loss: str | None) -> str:
    """The activation of the last layer that suits a target, and a loss where one was given.

    Example:
        >>> suited_output(Classes(("a", "b")), None)
        'softmax'
    """
    if loss == "poisson":
        return "exponential"
    if isinstance(target, Quantities):
        return "identity"
    if isinstance(target, SeveralClasses):
        return "softmax"
    if loss in (None, "cross_entropy"):
        return "logistic" if isinstance(target, Labels) else "softmax"
    return "sigmoid"


def check_target(dataset: Dataset, output: str, loss: str) -> None:
    """Refuse what cannot be learnt of a target.

    Raises:
        InputError: the output, the loss and the target do not go together; the message says what does.
    """
    target = dataset.target
    if isinstance(target, Quantities) and loss == "cross_entropy":
        raise InputError(
            f"the loss cross_entropy is for classes, and {target.names[0]!r} is a quantity; "
            "choose squared, absolute, huber or poisson, or --task classification"
        )
    if isinstance(target, SeveralClasses) and output != "softmax" and loss != "poisson":
        raise InputError(
            f"the output is {output}, and the target asks {len(target.targets)} questions, each with one of its own "
            "classes; choose the output softmax, which answers each of them"
        )
    check_pair(output, loss)
    if isinstance(target, Labels) and output == "softmax":
        raise InputError("softmax picks one class, and here several labels can be true at once; choose logistic")
    if isinstance(target, Classes | SeveralClasses) and loss == "poisson":
        raise InputError("the loss poisson is for counts, and the target has classes; choose cross_entropy")
    if isinstance(target, Quantities) and output in _RANGES:
        _check_range(dataset, output, loss, target.names)


def _check_range(dataset: Dataset, output: str, loss: str, names: tuple[str, ...]) -> None:
    """Refuse quantities that an output can never give."""
    low, high = _RANGES[output]
    gives = f"gives numbers from {low:g} to {high:g}" if high < float("inf") else "gives no numbers below 0"
    what = "the loss poisson is for counts of 0 or more" if loss == "poisson" else f"the output {output} {gives}"
    for name, values in zip(names, dataset.y.T, strict=True):
        least, most = float(np.nanmin(values)), float(np.nanmax(values))
        if least < low or most > high:
            raise InputError(
                f"{what}, and {name!r} goes from {least:g} to {most:g}; "
                "choose the output identity, with the loss squared, absolute or huber"
            )


def check_until(conditions: tuple[str, ...], target: Target) -> None:
    """Refuse conditions on what is not measured.

    Raises:
        InputError: there is such a condition; the message says what is measured.
    """
    measured = _MEASURED[type(target)]
    for condition in conditions:
        metric = Until(condition).metric
        if metric not in measured:
            raise InputError(
                f"the condition {condition!r} asks for {metric}, which is not measured here; "
                f"there are {', '.join(measured)}"
            )
