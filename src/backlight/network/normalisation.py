"""Normalising pre-activations: each unit over the examples of a batch, or each example over its units.

With x (n, j) the pre-activations of a dense layer,

    hat = (x − mean) / √(variance + eps),   out = hat ∘ scale + shift

where scale and shift (j,) are learnt, as γ and β in the papers. What is averaged differs:

| layer | mean and variance | in training | source |
|---|---|---|---|
| `BatchNorm` | of each unit, (j,) | over the examples of the batch | Ioffe and Szegedy, arXiv:1502.03167 |
| `LayerNorm` | of each example, (n, 1) | over the units | Ba, Kiros and Hinton, arXiv:1607.06450 |

A variance is the mean of squares, with no correction. Batch normalisation makes every example's output depend on the
whole batch, in training only: at all other times it takes running statistics, which every step brings up to date by
running ← (1 − momentum) running + momentum · (the batch's), the variance times n / (n − 1), as PyTorch does.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError, number_within, whole_number

if TYPE_CHECKING:
    from backlight.network.layers import Draws

NORMS = ("batch", "layer")
"""The kinds of normalisation, as options name them."""


@dataclass(frozen=True)
class NormCache:
    """What a normalisation's backward pass needs.

    Attributes:
        hat: the normalised pre-activations (n, j).
        inverse: 1 / √(variance + eps): of the units (j,) or of the examples (n, 1).
        mean: of the batch (j,), where it was averaged over; None elsewhere.
        variance: likewise.
    """

    hat: Floats
    inverse: Floats
    mean: Floats | None = None
    variance: Floats | None = None


@dataclass(frozen=True)
class NormGrads:
    """Per-example gradients of a normalisation, kept factored.

    ∂loss_n/∂scale = delta_n ∘ hat_n, ∂loss_n/∂shift = delta_n

    Attributes:
        delta: ∂loss_n/∂out (n, j).
        hat: the normalised pre-activations (n, j).
        statistics: how many running statistics stand behind the shift; their gradient is 0.
    """

    delta: Floats
    hat: Floats
    statistics: int = 0

    def weighted_sum(self, weights: Floats) -> tuple[Floats, ...]:
        """Σ_n weights_n ∂loss_n/∂(scale, shift): arrays (j,) and (j,), and the zeros of running statistics."""
        weighted = self.delta * weights[:, None]
        return (weighted * self.hat).sum(axis=0), weighted.sum(axis=0), np.zeros(self.statistics, self.delta.dtype)

    def per_example(self) -> tuple[Floats, ...]:
        """∂loss_n/∂(scale, shift) with the example axis kept: arrays (n, j) and (n, j), and the statistics' zeros."""
        return self.delta * self.hat, self.delta, np.zeros((len(self.delta), self.statistics), self.delta.dtype)

    def squared_norms(self) -> Floats:
        """‖∂loss_n/∂(scale, shift)‖² (n,): Σ_j delta_nj² (hat_nj² + 1)."""
        norms: Floats = np.einsum("nj,nj->n", self.delta**2, self.hat**2 + 1)
        return norms

    def along(self, direction: Floats) -> Floats:
        """Every example's gradient times a direction (n,), which is laid out as the layer's parameters are."""
        units = self.delta.shape[1]
        V_scale, V_shift = direction[:units], direction[units : 2 * units]
        products: Floats = np.einsum("nj,nj->n", self.hat * V_scale + V_shift, self.delta)
        return products


def batch_statistics(x: Floats) -> tuple[Floats, Floats]:
    """Mean and variance (j,) of pre-activations x (n, j) over the examples."""
    mean: Floats = x.mean(axis=0)
    variance: Floats = np.square(x - mean).mean(axis=0)
    return mean, variance


def move_statistics(running: tuple[Floats, Floats], batch: tuple[Floats, Floats], count: int, momentum: float) -> None:
    """Bring running means and variances (j,) up to date, in place.

    running ← (1 − momentum) running + momentum · batch, the batch's variance times n / (n − 1).

    Args:
        running: means and variances (j,).
        batch: those of a batch (j,), the variance being the mean of squares.
        count: n, how many examples it had.
        momentum: the share of what is new.

    Example:
        >>> mean, variance = np.zeros(1), np.ones(1)
        >>> move_statistics((mean, variance), (np.array([2.0]), np.array([3.0])), 4, 0.5)
        >>> mean.tolist(), variance.tolist()
        ([1.0], [2.5])
    """
    for array, new, share in zip(running, batch, (momentum, momentum * count / (count - 1)), strict=True):
        kept = array.dtype.type(1.0 - momentum)
        np.add(array * kept, new * array.dtype.type(share), out=array)


def coupled_slopes(d_hat: Floats, hat: Floats, inverse: Floats, axis: int) -> Floats:
    """The way back through (x − mean) / √(variance + eps), where mean and variance are taken along an axis.

    d_x = inverse ∘ (d_hat − mean(d_hat) − hat ∘ mean(d_hat ∘ hat))

    Args:
        d_hat: ∂loss/∂hat (n, j).
        hat: the normalised numbers (n, j).
        inverse: 1 / √(variance + eps).
        axis: 0 for batch normalisation, 1 for layer normalisation.
    """
    along = np.mean(d_hat * hat, axis=axis, keepdims=True)
    slopes: Floats = inverse * (d_hat - d_hat.mean(axis=axis, keepdims=True) - hat * along)
    return slopes


class BatchNorm:
    """Each unit's pre-activation, less its mean over the batch, by its spread; then scaled and shifted.

    In training (with `draws`) mean and variance are the batch's; otherwise, and for a batch of one example, which has
    no spread, they are the running statistics. Sample weights do not enter them.

    Args:
        units: j, the number of units.
        eps: added to the variance, above 0.
        momentum: the share of a batch's statistics in the running ones.

    Attributes:
        scale: γ (j,), a view into the network's one flat parameter array.
        shift: β (j,), likewise.
        running_mean: (j,), likewise; not learnt, but kept up to date by every step.
        running_var: (j,), likewise.

    Raises:
        InputError: a width, eps or momentum is impossible.

    Example:
        >>> from backlight.network.layers import Draws
        >>> layer = BatchNorm(1, eps=1e-12)
        >>> layer.bind(np.array([2.0, 1.0, 0.0, 1.0]))
        >>> layer.forward(np.array([[3.0], [5.0]]), Draws(0, 0, np.arange(2)))[0].round(6).tolist()
        [[-1.0], [3.0]]
        >>> layer.forward(np.array([[3.0], [5.0]]))[0].round(6).tolist()
        [[7.0], [11.0]]

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167; the running statistics as in PyTorch's BatchNorm1d.
    """

    kind = "batchnorm"

    def __init__(self, units: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.units, self.eps = whole_number("the number of units", units, 1), _above_0(eps)
        self.momentum = number_within("the momentum of running statistics", momentum, 0, 1)
        self.scale: Floats = np.empty(0)
        self.shift: Floats = np.empty(0)
        self.running_mean: Floats = np.empty(0)
        self.running_var: Floats = np.empty(0)

    @property
    def size(self) -> int:
        """How many numbers it has in the parameter array: 4 j, of which 2 j are running statistics."""
        return 4 * self.units

    def bind(self, params: Floats) -> None:
        """Make scale, shift and running statistics views into `params` (size,), in this order."""
        self.scale, self.shift, self.running_mean, self.running_var = params.reshape(4, self.units)

    def initialise(self, seed: int, layer: int) -> None:
        """Scale and running variance 1, shift and running mean 0."""
        for array, value in ((self.scale, 1.0), (self.shift, 0.0), (self.running_mean, 0.0), (self.running_var, 1.0)):
            array.fill(value)

    def tensors(self) -> dict[str, Floats]:
        """The parameters by the names that PyTorch's BatchNorm1d has for them."""
        learnt = {"weight": self.scale, "bias": self.shift}
        return learnt | {"running_mean": self.running_mean, "running_var": self.running_var}

    def forward(self, x: Floats, draws: "Draws | None" = None, layer: int = 0) -> tuple[Floats, NormCache]:
        """Normalised pre-activations (n, j) of pre-activations x (n, j)."""
        if draws is None or len(x) == 1:
            inverse = 1.0 / np.sqrt(self.running_var + x.dtype.type(self.eps))
            cache = NormCache((x - self.running_mean) * inverse, inverse)
        else:
            mean, variance = batch_statistics(x)
            inverse = 1.0 / np.sqrt(variance + x.dtype.type(self.eps))
            cache = NormCache((x - mean) * inverse, inverse, mean, variance)
        return cache.hat * self.scale + self.shift, cache

    def backward(self, d_out: Floats, cache: NormCache) -> tuple[Floats, NormGrads]:
        """From ∂loss/∂out (n, j): ∂loss/∂x (n, j), in each of which a whole batch has a part, and the gradients."""
        d_hat = d_out * self.scale
        d_in = d_hat * cache.inverse if cache.mean is None else coupled_slopes(d_hat, cache.hat, cache.inverse, 0)
        return d_in, NormGrads(d_out, cache.hat, 2 * self.units)

    def learn_statistics(self, cache: NormCache) -> None:
        """Bring the running statistics up to date with the batch of a forward pass in training."""
        if cache.mean is not None and cache.variance is not None:
            running, batch = (self.running_mean, self.running_var), (cache.mean, cache.variance)
            move_statistics(running, batch, len(cache.hat), self.momentum)

    def to_dict(self) -> dict[str, Any]:
        """The layer without its parameters, for files."""
        return {"kind": self.kind, "units": self.units, "eps": self.eps, "momentum": self.momentum}


class LayerNorm:
    """Each example's pre-activations, less their mean over the units, by their spread; then scaled and shifted.

    The same in training and after it; no example has a part in another's output.

    Args:
        units: j, the number of units, at least 2.
        eps: added to the variance, above 0.

    Attributes:
        scale: γ (j,), a view into the network's one flat parameter array.
        shift: β (j,), likewise.

    Raises:
        InputError: a width or eps is impossible.

    Example:
        >>> layer = LayerNorm(2, eps=1e-12)
        >>> layer.bind(np.array([2.0, 2.0, 1.0, 1.0]))
        >>> layer.forward(np.array([[3.0, 5.0], [0.0, 8.0]]))[0].round(6).tolist()
        [[-1.0, 3.0], [-1.0, 3.0]]

    Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450.
    """

    kind = "layernorm"

    def __init__(self, units: int, eps: float = 1e-5) -> None:
        self.units, self.eps = whole_number("the number of units", units, 1), _above_0(eps)
        if self.units == 1:
            raise InputError("layer normalisation of 1 unit gives every example the same; give the layer more units")
        self.scale: Floats = np.empty(0)
        self.shift: Floats = np.empty(0)

    @property
    def size(self) -> int:
        """The number of parameters, 2 j."""
        return 2 * self.units

    def bind(self, params: Floats) -> None:
        """Make scale and shift views into `params` (size,), in this order."""
        self.scale, self.shift = params.reshape(2, self.units)

    def initialise(self, seed: int, layer: int) -> None:
        """Scale 1, shift 0."""
        self.scale.fill(1.0)
        self.shift.fill(0.0)

    def tensors(self) -> dict[str, Floats]:
        """The parameters by the names that PyTorch's LayerNorm has for them."""
        return {"weight": self.scale, "bias": self.shift}

    def forward(self, x: Floats, draws: "Draws | None" = None, layer: int = 0) -> tuple[Floats, NormCache]:
        """Normalised pre-activations (n, j) of pre-activations x (n, j)."""
        centred = x - x.mean(axis=1, keepdims=True)
        inverse = 1.0 / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + x.dtype.type(self.eps))
        cache = NormCache(centred * inverse, inverse)
        return cache.hat * self.scale + self.shift, cache

    def backward(self, d_out: Floats, cache: NormCache) -> tuple[Floats, NormGrads]:
        """From ∂loss_n/∂out (n, j): ∂loss_n/∂x (n, j), where every unit has a part in each, and the gradients."""
        return coupled_slopes(d_out * self.scale, cache.hat, cache.inverse, 1), NormGrads(d_out, cache.hat)

    def to_dict(self) -> dict[str, Any]:
        """The layer without its parameters, for files."""
        return {"kind": self.kind, "units": self.units, "eps": self.eps}


def _above_0(eps: float) -> float:
    if number_within("eps", eps, 0, math.inf) == 0:
        raise InputError("eps is 0, and a variance can be 0 as well; give a number above 0, such as 1e-5")
    return float(eps)
