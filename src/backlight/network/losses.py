"""Loss functions: one number per example, un-averaged, and its slope in the output.

With `a` (n, j) the network's outputs, `z` their pre-activations and `y` (n, j) the targets:

| name | loss of one example | ∂loss/∂a |
|---|---|---|
| `squared` | Σ_j ½ (a − y)² | a − y |
| `absolute` | Σ_j abs(a − y) | sign(a − y) |
| `huber` | Σ_j ½ e² where abs(e) ≤ 1, else abs(e) − ½; e = a − y | e, limited to ±1 |
| `poisson` | Σ_j a − y log a | 1 − y / a |
| `cross_entropy` | softmax: −Σ_j y log a; logistic: −Σ_j y log a + (1 − y) log(1 − a) | – |

Three outputs are *fused* with their loss: softmax and logistic (or sigmoid) with `cross_entropy`, exponential with
`poisson`. The loss is then computed from `z`, where it cannot overflow, and ∂loss/∂z is simply a − y.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from backlight.arrays import Array
from backlight.errors import InputError, nearest, number_within

Losses: TypeAlias = Callable[[Array, Array, Array, Sequence[Array]], None]

HUBER_WIDTH: Final = 1.0


@dataclass(frozen=True)
class LossFunction:
    """A loss of the outputs `a`.

    Attributes:
        name: as in options, files and messages.
        losses: `losses(a, y, out, scratch)` writes one loss per example into `out` (n,).
        slope: `slope(a, y, out, scratch)` writes ∂loss_n/∂a into `out` (n, j).
        kinks: values of a − y at which the slope jumps.
    """

    name: str
    losses: Losses
    slope: Losses
    kinks: tuple[float, ...] = ()


def _squared(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    e = scratch[0]
    np.subtract(a, y, out=e)
    np.multiply(e, e, out=e)
    np.add.reduce(e, axis=1, out=out)
    np.multiply(out, 0.5, out=out)


def _error(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.subtract(a, y, out=out)


def _absolute(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    e = scratch[0]
    np.subtract(a, y, out=e)
    np.absolute(e, out=e)
    np.add.reduce(e, axis=1, out=out)


def _absolute_slope(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.subtract(a, y, out=out)
    np.sign(out, out=out)


def _huber(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    """c (abs(e) − ½ c) with c = min(abs(e), 1): both branches in one."""
    e, c = scratch[0], scratch[1]
    np.subtract(a, y, out=e)
    np.absolute(e, out=e)
    np.minimum(e, HUBER_WIDTH, out=c)
    np.multiply(e, c, out=e)
    np.multiply(c, c, out=c)
    np.multiply(c, 0.5, out=c)
    np.subtract(e, c, out=e)
    np.add.reduce(e, axis=1, out=out)


def _huber_slope(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.subtract(a, y, out=out)
    np.clip(out, -HUBER_WIDTH, HUBER_WIDTH, out=out)


def _poisson(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    e = scratch[0]
    np.log(a, out=e)
    np.multiply(e, y, out=e)
    np.subtract(a, e, out=e)
    np.add.reduce(e, axis=1, out=out)


def _poisson_slope(a: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.divide(y, a, out=out)
    np.subtract(1.0, out, out=out)


LOSSES: Final[dict[str, LossFunction]] = {
    f.name: f
    for f in (
        LossFunction("squared", _squared, _error),
        LossFunction("absolute", _absolute, _absolute_slope, kinks=(0.0,)),
        LossFunction("huber", _huber, _huber_slope, kinks=(-HUBER_WIDTH, HUBER_WIDTH)),
        LossFunction("poisson", _poisson, _poisson_slope),
    )
}
"""Losses of the outputs, by name; `cross_entropy` exists only fused."""

LOSS_NAMES: Final = ("squared", "cross_entropy", "absolute", "huber", "poisson")


def _softmax_cross_entropy(z: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    """Log Σ_j exp(z_j) − Σ_j y_j z_j, for targets that sum to 1."""
    e, peak = scratch[0], scratch[1][:, :1]
    np.maximum.reduce(z, axis=1, keepdims=True, out=peak)
    np.subtract(z, peak, out=e)
    np.exp(e, out=e)
    np.add.reduce(e, axis=1, out=out)
    np.log(out, out=out)
    np.subtract(z, peak, out=e)
    np.multiply(e, y, out=e)
    np.add.reduce(e, axis=1, keepdims=True, out=peak)
    np.subtract(out, peak[:, 0], out=out)


def _logistic_cross_entropy(z: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    """Σ_j max(z, 0) − z y + log(1 + exp(−abs(z)))."""
    e, f = scratch[0], scratch[1]
    np.absolute(z, out=e)
    np.negative(e, out=e)
    np.exp(e, out=e)
    np.log1p(e, out=e)
    np.maximum(z, 0.0, out=f)
    np.add(e, f, out=e)
    np.multiply(z, y, out=f)
    np.subtract(e, f, out=e)
    np.add.reduce(e, axis=1, out=out)


def _exponential_poisson(z: Array, y: Array, out: Array, scratch: Sequence[Array]) -> None:
    """Σ_j exp(z) − y z."""
    e, f = scratch[0], scratch[1]
    np.exp(z, out=e)
    np.multiply(z, y, out=f)
    np.subtract(e, f, out=e)
    np.add.reduce(e, axis=1, out=out)


FUSED: Final[dict[tuple[str, str], Losses]] = {
    ("softmax", "cross_entropy"): _softmax_cross_entropy,
    ("logistic", "cross_entropy"): _logistic_cross_entropy,
    ("sigmoid", "cross_entropy"): _logistic_cross_entropy,
    ("exponential", "poisson"): _exponential_poisson,
}
"""Losses of `z`, by (output, loss); for each of them ∂loss/∂z = a − y."""

_POSITIVE: Final = ("softplus", "sigmoid", "logistic")


def default_loss(output: str) -> str:
    """The loss that an output was made for.

    Example:
        >>> default_loss("softmax"), default_loss("exponential"), default_loss("sigmoid")
        ('cross_entropy', 'poisson', 'squared')
    """
    return {"softmax": "cross_entropy", "logistic": "cross_entropy", "exponential": "poisson"}.get(output, "squared")


def check_pair(output: str, loss: str) -> None:
    """Refuse a loss that is not defined for an output.

    Raises:
        InputError: the name is unknown, or the loss needs another output.

    Example:
        >>> check_pair("identity", "poisson")
        Traceback (most recent call last):
        ...
        backlight.errors.InputError: the loss poisson needs outputs above 0, and identity gives any number; \
choose the output exponential or softplus
    """
    if loss not in LOSS_NAMES:
        raise InputError(f"there is no loss {loss!r}; {nearest(loss, list(LOSS_NAMES))}")
    if (output, loss) in FUSED:
        return
    if loss == "cross_entropy":
        raise InputError(
            f"the loss cross_entropy needs outputs that are probabilities, and {output} gives none; "
            "choose the output softmax (one class of many) or logistic (yes or no, several at once)"
        )
    if loss == "poisson" and output not in _POSITIVE:
        raise InputError(
            f"the loss poisson needs outputs above 0, and {output} gives any number; "
            "choose the output exponential or softplus"
            if output != "softmax"
            else "the loss poisson needs rates, and softmax gives probabilities that sum to 1; "
            "choose the output exponential or softplus"
        )


def check_smoothing(smoothing: float, loss: str) -> None:
    """Refuse a smoothing of labels that is out of range, or that the loss knows nothing of.

    Raises:
        InputError: it is not from 0 to below 1, or the loss is not cross_entropy.

    Example:
        >>> check_smoothing(0.1, "squared")
        Traceback (most recent call last):
        ...
        backlight.errors.InputError: label_smoothing is for classes learnt with the loss cross_entropy, and the loss \
is squared; leave it out
    """
    if number_within("label_smoothing", smoothing, 0, 1) and loss != "cross_entropy":
        raise InputError(
            f"label_smoothing is for classes learnt with the loss cross_entropy, and the loss is {loss}; leave it out"
        )
