"""Activation functions f and their slopes f′, each written once for layers and engines alike.

A function writes into `out` and takes its working memory from `scratch`, arrays shaped as `z`, so that an engine
need not allocate; a layer passes fresh arrays.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from backlight.arrays import Array
from backlight.errors import InputError, nearest

Value: TypeAlias = Callable[[Array, Array, Sequence[Array]], None]
Slope: TypeAlias = Callable[[Array, Array, Array, Sequence[Array]], None]

LEAK: Final = 0.01
# Python numbers, for a NumPy scalar in float64 would draw float32 arrays into float64
_SQRT_HALF: Final = math.sqrt(0.5)
_DENSITY_AT_0: Final = 1.0 / math.sqrt(2.0 * math.pi)
_EXP_LIMIT: Final = 80.0  # exp(80) is finite in float32, and 1 / (1 + exp(80)) below its resolution


@dataclass(frozen=True)
class ActivationFunction:
    """An elementwise function and its derivative.

    Attributes:
        name: as in options, files and messages.
        value: `value(z, out, scratch)` writes f(z).
        slope: `slope(z, a, out, scratch)` writes f′(z), where `a` is f(z).
        kinks: the z at which f′ or f″ jumps; the gradient check keeps away from them.
        scratch: how many working arrays shaped as `z` the functions need.
    """

    name: str
    value: Value
    slope: Slope
    kinks: tuple[float, ...] = ()
    scratch: int = 0


def _identity(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.copyto(out, z)


def _one(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    out.fill(1.0)


def _sigmoid(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    """σ(z) = 1 / (1 + exp(−z)), its argument limited so that exp cannot overflow."""
    np.negative(z, out=out)
    np.minimum(out, _EXP_LIMIT, out=out)
    np.exp(out, out=out)
    np.add(out, 1.0, out=out)
    np.reciprocal(out, out=out)


def _sigmoid_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.subtract(1.0, a, out=out)
    np.multiply(out, a, out=out)


def _tanh(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.tanh(z, out=out)


def _tanh_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1.0, out, out=out)


def _relu(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.maximum(z, 0.0, out=out)


def _relu_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.greater(z, 0.0, out=out)


def _leaky_relu(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.multiply(z, LEAK, out=out)
    np.maximum(z, out, out=out)


def _leaky_relu_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    _relu_slope(z, a, out, scratch)
    np.multiply(out, 1.0 - LEAK, out=out)
    np.add(out, LEAK, out=out)


def _elu(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.minimum(z, 0.0, out=out)
    np.expm1(out, out=out)
    np.maximum(z, 0.0, out=scratch[0])
    np.add(out, scratch[0], out=out)


def _elu_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.minimum(a, 0.0, out=out)
    np.add(out, 1.0, out=out)


def _softplus(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.logaddexp(z, 0.0, out=out)


def _softplus_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    _sigmoid(z, out, scratch)


def _exponential(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.exp(z, out=out)


def _exponential_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    np.copyto(out, a)


# Chebyshev coefficients of log(erfc(x) / t) + x² in 2t − 1, t = 2 / (2 + x), computed with 40 digits. The form of
# the expansion is that of Press and others, Numerical Recipes, 3rd edition, section 6.2.2.
_ERFC: Final = (
    -0.6513268598908547171,
    0.6419697923564902603,
    0.019476473204185836312,
    -0.0095615147868086316419,
    -0.0009465953444820368663,
    0.00036683949785276145187,
    0.000042523324806907771645,
    -0.000020278578112534243154,
    -1.6242900046470255135e-6,
    1.3036558355805232018e-6,
    1.5626441722066143178e-8,
    -8.5238095914926542525e-8,
    6.5290544390988514964e-9,
    5.0593434955514689418e-9,
    -9.9136415649303308674e-10,
    -2.2736512229318358557e-10,
    9.646791102015526802e-11,
    2.3940380830391147447e-12,
    -6.8860275264975533984e-12,
    8.9448792730907257167e-13,
    3.1309213993429580783e-13,
    -1.1270822361367252366e-13,
    3.8109052551892320553e-16,
    7.1060976136092369877e-15,
    -1.5230282014571043043e-15,
    -9.457494571291234002e-17,
    1.2102371892242789925e-16,
    -2.8166630877471769733e-17,
)
_ERFC_SINGLE: Final = _ERFC[:12]


def normal_cdf(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    """Φ(z) = ½ erfc(−z/√2), to the last few bits of float32 or float64; needs three scratch arrays.

    Example:
        >>> z = np.array([-2.0, 0.0, 2.0])
        >>> out = np.empty(3)
        >>> normal_cdf(z, out, [np.empty(3) for _ in range(3)])
        >>> out.round(8).tolist()
        [0.02275013, 0.5, 0.97724987]
    """
    x, d, dd = scratch[0], scratch[1], scratch[2]
    np.absolute(z, out=x)
    np.multiply(x, _SQRT_HALF, out=x)
    np.add(x, 2.0, out=out)
    np.divide(4.0, out, out=out)  # 2t
    np.subtract(out, 1.0, out=out)  # u = 2t − 1
    terms = _ERFC_SINGLE if z.dtype == np.float32 else _ERFC
    d.fill(0.0)
    dd.fill(0.0)
    for c in terms[:0:-1]:  # Clenshaw: d, dd = 2 u d − dd + c, d
        np.multiply(out, d, out=x)
        np.multiply(x, 2.0, out=x)
        np.subtract(x, dd, out=dd)
        np.add(dd, c, out=dd)
        d, dd = dd, d
    np.multiply(out, d, out=d)
    np.subtract(d, dd, out=d)
    np.add(d, terms[0], out=d)
    np.multiply(z, z, out=x)
    np.multiply(x, 0.5, out=x)
    np.subtract(d, x, out=d)
    np.exp(d, out=d)
    np.add(out, 1.0, out=out)  # 2t
    np.multiply(out, 0.25, out=out)
    np.multiply(out, d, out=out)  # ½ erfc(|z|/√2): the tail beyond |z|
    np.sign(z, out=x)  # right of 0, Φ = 1 − tail
    np.maximum(x, 0.0, out=x)
    np.multiply(out, x, out=d)
    np.multiply(d, 2.0, out=d)
    np.subtract(out, d, out=out)
    np.add(out, x, out=out)


def _gelu(z: Array, out: Array, scratch: Sequence[Array]) -> None:
    """z Φ(z); Hendrycks and Gimpel, arXiv:1606.08415, in its exact form."""
    normal_cdf(z, out, scratch)
    np.multiply(out, z, out=out)


def _gelu_slope(z: Array, a: Array, out: Array, scratch: Sequence[Array]) -> None:
    """Φ(z) + z φ(z)."""
    normal_cdf(z, out, scratch)
    density = scratch[0]
    np.multiply(z, z, out=density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, _DENSITY_AT_0, out=density)
    np.multiply(density, z, out=density)
    np.add(out, density, out=out)


ACTIVATIONS: Final[dict[str, ActivationFunction]] = {
    f.name: f
    for f in (
        ActivationFunction("identity", _identity, _one),
        ActivationFunction("sigmoid", _sigmoid, _sigmoid_slope),
        ActivationFunction("tanh", _tanh, _tanh_slope),
        ActivationFunction("relu", _relu, _relu_slope, kinks=(0.0,)),
        ActivationFunction("leaky_relu", _leaky_relu, _leaky_relu_slope, kinks=(0.0,)),
        ActivationFunction("elu", _elu, _elu_slope, kinks=(0.0,), scratch=1),
        ActivationFunction("gelu", _gelu, _gelu_slope, scratch=3),
        ActivationFunction("softplus", _softplus, _softplus_slope),
        ActivationFunction("exponential", _exponential, _exponential_slope),
        ActivationFunction("logistic", _sigmoid, _sigmoid_slope),
    )
}
"""Elementwise functions by name. `logistic` is `sigmoid` as the output that goes with cross-entropy."""

OUTPUTS: Final = (*ACTIVATIONS, "softmax")
"""What the last layer's activation may be."""


def activation_function(name: str) -> ActivationFunction:
    """The elementwise function of that name.

    Raises:
        InputError: there is none.
    """
    if name not in ACTIVATIONS:
        raise InputError(f"there is no activation {name!r}; {nearest(name, list(ACTIVATIONS))}")
    return ACTIVATIONS[name]
