"""Layers: `forward(x) -> (out, cache)` and `backward(d_out, cache) -> (d_in, grads)`.

A layer keeps no activations; what its backward pass needs stands in the cache that its forward pass returned.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.errors import InputError, nearest, number_within, whole_number
from backlight.network.activations import OUTPUTS, activation_function
from backlight.network.initializers import initial_weights, standard_deviation
from backlight.network.normalisation import BatchNorm, LayerNorm, NormCache, NormGrads
from backlight.network.softmax import check_sizes, softmax, softmax_backward
from backlight.randomness import PhiloxBlock, Purpose, stream_key


@dataclass(frozen=True)
class Draws:
    """Where the random draws of one forward pass in training come from.

    Attributes:
        seed: the run's seed.
        epoch: which pass over the data.
        rows: the global row number of every example (n,).
    """

    seed: int
    epoch: int
    rows: Ints


@dataclass(frozen=True)
class DenseCache:
    """What a dense layer's backward pass needs: the incoming activations `a` (n, i)."""

    a: Floats


@dataclass(frozen=True)
class DenseGrads:
    """Per-example gradients of a dense layer, kept factored: ∂loss_n/∂W = delta_n ⊗ a_n and ∂loss_n/∂b = delta_n.

    Attributes:
        delta: ∂loss_n/∂z (n, j).
        a: incoming activations (n, i).
    """

    delta: Floats
    a: Floats

    def weighted_sum(self, weights: Floats) -> tuple[Floats, Floats]:
        """Σ_n weights_n ∂loss_n/∂(W, b): arrays (j, i) and (j,)."""
        weighted = self.delta * weights[:, None]
        return weighted.T @ self.a, weighted.sum(axis=0)

    def per_example(self) -> tuple[Floats, Floats]:
        """∂loss_n/∂(W, b) with the example axis kept: arrays (n, j, i) and (n, j)."""
        return self.delta[:, :, None] * self.a[:, None, :], self.delta

    def squared_norms(self) -> Floats:
        """‖∂loss_n/∂(W, b)‖² (n,): ‖delta_n‖² (‖a_n‖² + 1). Source: Goodfellow 2015, arXiv:1510.01799."""
        norms: Floats = np.einsum("nj,nj->n", self.delta, self.delta) * (np.einsum("ni,ni->n", self.a, self.a) + 1.0)
        return norms

    def along(self, direction: Floats) -> Floats:
        """Every example's gradient times a direction V (n,), which is laid out as W and b are.

        rowsum((a V_Wᵀ) ∘ delta) + delta V_b: one matrix product for all n.
        """
        units, incoming = self.delta.shape[1], self.a.shape[1]
        V_W, V_b = direction[: units * incoming].reshape(units, incoming), direction[units * incoming :]
        products: Floats = np.einsum("nj,nj->n", self.a @ V_W.T + V_b, self.delta)
        return products


class Dense:
    """z = a_prev @ W.T + b.

    Args:
        incoming: i, the number of incoming units.
        units: j, the number of units.
        init: the initializer of W, one of `backlight.network.initializers.INITIALIZERS`.

    Attributes:
        W: weights (j, i), a view into the network's one flat parameter array.
        b: biases (j,), likewise.

    Raises:
        InputError: a width is not a whole number above 0, or the initializer is unknown.

    Example:
        >>> layer = Dense(2, 1)
        >>> layer.bind(np.array([3.0, 4.0, 0.5]))
        >>> out, cache = layer.forward(np.array([[1.0, 2.0]]))
        >>> out.tolist()
        [[11.5]]
        >>> d_in, grads = layer.backward(np.ones((1, 1)), cache)
        >>> d_in.tolist(), grads.weighted_sum(np.ones(1))[0].tolist()
        ([[3.0, 4.0]], [[1.0, 2.0]])
    """

    kind = "dense"

    def __init__(self, incoming: int, units: int, init: str = "glorot_uniform") -> None:
        self.incoming = whole_number("the number of incoming units", incoming, 1)
        self.units = whole_number("the number of units", units, 1)
        standard_deviation(init, self.incoming, self.units)
        self.init = init
        self.W: Floats = np.empty((0, 0))
        self.b: Floats = np.empty(0)

    @property
    def size(self) -> int:
        """The number of parameters, j (i + 1)."""
        return self.units * (self.incoming + 1)

    def bind(self, params: Floats) -> None:
        """Make W and b views into `params` (size,): first W row by row, then b."""
        weights = self.units * self.incoming
        self.W, self.b = params[:weights].reshape(self.units, self.incoming), params[weights:]

    def initialise(self, seed: int, layer: int) -> None:
        """Draw W and set b to 0."""
        self.W[...] = initial_weights(self.init, (self.units, self.incoming), seed, layer)
        self.b.fill(0.0)

    def tensors(self) -> dict[str, Floats]:
        """The parameters by the names that PyTorch's Linear has for them."""
        return {"weight": self.W, "bias": self.b}

    def forward(self, x: Floats, draws: Draws | None = None, layer: int = 0) -> tuple[Floats, DenseCache]:
        """The pre-activations z (n, j) of inputs x (n, i)."""
        return x @ self.W.T + self.b, DenseCache(x)

    def backward(self, d_out: Floats, cache: DenseCache) -> tuple[Floats, DenseGrads]:
        """From delta (n, j): the errors of the incoming activations, delta @ W (n, i), and the gradients."""
        return d_out @ self.W, DenseGrads(d_out, cache.a)

    def to_dict(self) -> dict[str, Any]:
        """The layer without its parameters, for files."""
        return {"kind": self.kind, "incoming": self.incoming, "units": self.units, "init": self.init}


@dataclass(frozen=True)
class ActivationCache:
    """What an activation's backward pass needs: `z` and `a` (n, j)."""

    z: Floats
    a: Floats


class Activation:
    """a = f(z).

    Args:
        function: a name from `backlight.network.activations.OUTPUTS`; softmax only as a network's last layer.
        sizes: for softmax, how many outputs each of several groups has: every group sums to 1 and answers a question
            of its own. Without sizes all outputs are one group.

    Raises:
        InputError: the name is unknown, or the sizes are not those of groups.

    Example:
        >>> Activation("relu").forward(np.array([[-1.0, 2.0]]))[0].tolist()
        [[0.0, 2.0]]
        >>> Activation("softmax", sizes=(2, 3)).forward(np.zeros((1, 5)))[0].round(2).tolist()
        [[0.5, 0.5, 0.33, 0.33, 0.33]]
    """

    kind = "activation"
    size = 0

    def __init__(self, function: str, *, sizes: Sequence[int] = ()) -> None:
        if function not in OUTPUTS:
            raise InputError(f"there is no activation {function!r}; {nearest(function, list(OUTPUTS))}")
        self.function, self.sizes = function, check_sizes(sizes)
        if self.sizes and function != "softmax":
            raise InputError(f"sizes are those of a softmax's groups, and the activation is {function}")

    def forward(self, x: Floats, draws: Draws | None = None, layer: int = 0) -> tuple[Floats, ActivationCache]:
        """The activations a (n, j) of pre-activations z (n, j)."""
        out = np.empty_like(x)
        if self.function == "softmax":
            softmax(x, out, [np.empty_like(x)], self.sizes)
        else:
            f = activation_function(self.function)
            f.value(x, out, [np.empty_like(x) for _ in range(f.scratch)])
        return out, ActivationCache(x, out)

    def slope(self, cache: ActivationCache) -> Floats:
        """f′(z) (n, j) of an elementwise function."""
        f = activation_function(self.function)
        out = np.empty_like(cache.z)
        f.slope(cache.z, cache.a, out, [np.empty_like(out) for _ in range(f.scratch)])
        return out

    def backward(self, d_out: Floats, cache: ActivationCache) -> tuple[Floats, None]:
        """From ∂loss_n/∂a (n, j): delta = ∂loss_n/∂a ∘ f′(z), or through softmax's coupled slopes."""
        if self.function == "softmax":
            d_in = np.empty_like(d_out)
            softmax_backward(d_out, cache.a, d_in, [np.empty_like(d_out)], self.sizes)
            return d_in, None
        return d_out * self.slope(cache), None

    def to_dict(self) -> dict[str, Any]:
        """The layer, for files."""
        groups = {"sizes": list(self.sizes)} if self.sizes else {}
        return {"kind": self.kind, "function": self.function, **groups}


@dataclass(frozen=True)
class DropoutCache:
    """What was multiplied with: 0 or 1/(1 − rate) in training (n, j), None otherwise."""

    scale: Floats | None


class Dropout:
    """In training a unit is silent with probability `rate`, and louder by 1/(1 − rate) otherwise.

    The draw is keyed by (row, epoch, layer, unit). Source: Srivastava and others, JMLR 15, 2014.

    Args:
        rate: the probability, 0 ≤ rate < 1.

    Raises:
        InputError: the rate is outside that range.
    """

    kind = "dropout"
    size = 0

    def __init__(self, rate: float) -> None:
        self.rate = number_within("the dropout rate", rate, 0, 1)

    def forward(self, x: Floats, draws: Draws | None = None, layer: int = 0) -> tuple[Floats, DropoutCache]:
        """X itself, or in training (with `draws`) x times the drawn scale."""
        if draws is None:
            return x, DropoutCache(None)
        scale = np.empty_like(x)
        DropoutMask(x.shape).fill(scale, self.rate, draws, layer)
        return x * scale, DropoutCache(scale)

    def backward(self, d_out: Floats, cache: DropoutCache) -> tuple[Floats, None]:
        """The same scale on the way back."""
        return (d_out if cache.scale is None else d_out * cache.scale), None

    def to_dict(self) -> dict[str, Any]:
        """The layer, for files."""
        return {"kind": self.kind, "rate": self.rate}


class DropoutMask:
    """Memory for the dropout draws of batches of up to n rows of j units, shape (n, j)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        quads = (shape[1] + 3) // 4
        self._block = PhiloxBlock((shape[0], quads))
        self._quads = np.arange(quads, dtype=np.uint64)
        self._rows = np.empty((shape[0], 1), np.uint64)
        self._mask = np.empty((shape[0], quads), np.bool_)

    def fill(self, scale: Array, rate: float, draws: Draws, layer: int) -> None:
        """Write 0 where a unit is silent and 1/(1 − rate) elsewhere into `scale` (m, j), m ≤ n."""
        m = len(scale)
        rows, mask = self._rows[:m], self._mask[:m]
        rows[:, 0] = draws.rows
        key = stream_key(draws.seed, Purpose.DROPOUT)
        for lane, word in enumerate(self._block.draw(key, rows, draws.epoch, layer, self._quads)):
            column = scale[:, lane::4]
            np.greater_equal(word, np.uint64(round(rate * 2.0**32)), out=mask)
            np.multiply(mask[:, : column.shape[1]], scale.dtype.type(1.0 / (1.0 - rate)), out=column)


Layer: TypeAlias = Dense | Activation | Dropout | BatchNorm | LayerNorm
Cache: TypeAlias = DenseCache | ActivationCache | DropoutCache | NormCache
Grads: TypeAlias = DenseGrads | NormGrads


def layer_from_dict(spec: dict[str, Any]) -> Layer:
    """The layer that `to_dict` described.

    Raises:
        InputError: the description is not one of a layer.
    """
    kinds: dict[str, Callable[..., Layer]] = {layer.kind: layer for layer in get_args(Layer)}
    arguments = {name: value for name, value in spec.items() if name != "kind"}
    try:
        return kinds[spec["kind"]](**arguments)
    except (KeyError, TypeError) as error:
        raise InputError(f"{spec!r} does not describe a layer; was the model written by a newer Backlight?") from error
