"""Initial weights: zero on average, with a spread that suits the layer's width.

With i incoming units and j units, the standard deviation of a weight is

| family | standard deviation | made for | source |
|---|---|---|---|
| `small` | 0.1 | the classic algorithm with sigmoid units | Rumelhart, Hinton, Williams 1986 ("small random weights") |
| `lecun` | √(1 / i) | tanh, sigmoid, elu | LeCun, Bottou, Orr, Müller 1998 |
| `glorot` | √(2 / (i + j)) | tanh, sigmoid | Glorot and Bengio 2010 |
| `he` | √(2 / i) | relu and its relatives | He, Zhang, Ren, Sun 2015 |

each with `_normal` or `_uniform` draws of that standard deviation. Biases start at 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.errors import InputError, nearest
from backlight.randomness import Purpose, normals, uniforms

SMALL: Final = 0.1

INITIALIZERS: Final = tuple(
    f"{family}_{shape}" for family in ("small", "lecun", "glorot", "he") for shape in ("normal", "uniform")
)


def standard_deviation(name: str, incoming: int, units: int) -> float:
    """The standard deviation of one weight.

    Args:
        name: one of `INITIALIZERS`.
        incoming: i, the number of incoming units.
        units: j, the number of units.

    Raises:
        InputError: there is no initializer of that name.

    Example:
        >>> standard_deviation("he_normal", 50, 10)
        0.2
    """
    if name not in INITIALIZERS:
        raise InputError(f"there is no initializer {name!r}; {nearest(name, list(INITIALIZERS))}")
    variance = {
        "small": SMALL**2,
        "lecun": 1.0 / incoming,
        "glorot": 2.0 / (incoming + units),
        "he": 2.0 / incoming,
    }
    return float(np.sqrt(variance[name.partition("_")[0]]))


def initial_weights(name: str, shape: tuple[int, int], seed: int, layer: int) -> NDArray[np.float64]:
    """Draws for the weights W (j, i) of one layer.

    Args:
        name: one of `INITIALIZERS`.
        shape: (j, i).
        seed: the network's seed.
        layer: the layer's number, which gives it draws of its own.
    """
    units, incoming = shape
    scale = standard_deviation(name, incoming, units)
    if name.endswith("_normal"):
        draws = normals(seed, Purpose.INITIALISATION, units * incoming, place=(0, layer))
    else:
        half_width = np.sqrt(3.0)  # of a uniform density with standard deviation 1
        draws = (2.0 * uniforms(seed, Purpose.INITIALISATION, units * incoming, place=(0, layer)) - 1.0) * half_width
    return (scale * draws).reshape(shape)


def suited_initializer(activation: str) -> str:
    """The initializer that suits the units' activation.

    Example:
        >>> suited_initializer("relu"), suited_initializer("tanh")
        ('he_normal', 'glorot_uniform')
    """
    return "he_normal" if activation in {"relu", "leaky_relu", "elu", "gelu", "softplus"} else "glorot_uniform"
