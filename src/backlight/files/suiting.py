"""Output, loss and stopping conditions beside the targets: what suits them, and what does not go with them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from backlight.data import (
    ArrayInputs,
    Classes,
    Dataset,
    ImageInputs,
    Inputs,
    Labels,
    Quantities,
    Reconstruction,
    SeveralClasses,
    Target,
)
from backlight.errors import InputError
from backlight.network.losses import check_pair
from backlight.training import Until

RANGES: Final[Mapping[str, tuple[float, float]]] = {
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
    Reconstruction: ("loss", "rmse", "r2"),
}


def standardises(output: str | None, loss: str | None) -> bool:
    """Whether regression targets are standardised: where the output can be any number.

    Example:
        >>> standardises(None, None), standardises(None, "poisson"), standardises("sigmoid", None)
        (True, False, False)
    """
    return (output or "identity") == "identity" and loss != "poisson"


def suited_output(dataset: Dataset, loss: str | None) -> str:
    """The activation of the last layer that suits the targets.

    Args:
        dataset: the data; an autoencoder's output is logistic where its inputs lie from 0 to 1, as pixels do.
        loss: the loss, if it is given.
    """
    target = dataset.target
    if isinstance(target, Reconstruction):
        bounded = from_0_to_1(dataset.inputs)
        return "identity" if not bounded else "logistic" if loss in (None, "cross_entropy") else "sigmoid"
    if loss == "poisson":
        return "exponential"
    if isinstance(target, Quantities):
        return "identity"
    if isinstance(target, SeveralClasses):
        return "softmax"
    if loss in (None, "cross_entropy"):
        return "logistic" if isinstance(target, Labels) else "softmax"
    return "sigmoid"


def from_0_to_1(inputs: Inputs) -> bool:
    """Whether inputs lie from 0 to 1 as the network sees them: pixels, and other bytes.

    Example:
        >>> from backlight.data import ImageInputs
        >>> from_0_to_1(ImageInputs((8, 8), "float32"))
        True
    """
    return isinstance(inputs, ImageInputs) or (isinstance(inputs, ArrayInputs) and inputs.dtype == "uint8")


def _check_reconstruction(inputs: Inputs, output: str, loss: str) -> None:
    check_pair(output, loss)
    if output == "softmax":
        raise InputError(
            "softmax picks one class, and an autoencoder gives its inputs back; choose logistic or identity"
        )
    if loss == "poisson" or output == "exponential":
        raise InputError(
            "an autoencoder's outputs are no counts; choose the loss squared, or leave loss and output out"
        )
    if output in RANGES and not from_0_to_1(inputs):
        raise InputError(
            f"the output {output} gives numbers of a limited range, and standardised inputs can be any number; "
            "choose the output identity, with the loss squared, absolute or huber"
        )


def check_target(dataset: Dataset, output: str, loss: str) -> None:
    """Refuse an output or a loss that does not go with the targets.

    Raises:
        InputError: which of them, and what does.
    """
    target = dataset.target
    if isinstance(target, Reconstruction):
        _check_reconstruction(dataset.inputs, output, loss)
        return
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
    if isinstance(target, Quantities) and output in RANGES:
        _check_range(dataset, output, loss, target.names)


def _check_range(dataset: Dataset, output: str, loss: str, names: tuple[str, ...]) -> None:
    """Refuse quantities that an output can never give."""
    low, high = RANGES[output]
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
    """Refuse conditions on metrics that are not measured for such targets.

    Raises:
        InputError: which metric, and which there are.
    """
    measured = _MEASURED[type(target)]
    for condition in conditions:
        metric = Until(condition).metric
        if metric not in measured:
            raise InputError(
                f"the condition {condition!r} asks for {metric}, which is not measured here; "
                f"there are {', '.join(measured)}"
            )
