"""What the health of a network is judged by, gathered in two passes over the examples, without ever holding them all.

First pass: per layer the sizes of activations and errors, and how flat each unit's slope is; of every example the
squared norm of its gradient, Σ_l ‖delta_n‖² (‖a_n‖² + 1) (Goodfellow 2015, arXiv:1510.01799), with what a
normalisation's scale and shift add; the mean gradient, and
the sum of the examples' gradients each scaled to length 1. Second pass: every example's gradient times the mean
gradient, rowsum((a V_Wᵀ) ∘ delta) + delta V_b.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from backlight.arrays import Array, Floats
from backlight.engine import Examples
from backlight.explanation.desires import SATURATED, following_activation
from backlight.explanation.moment import Moment
from backlight.explanation.passes import chunks
from backlight.network import Activation, Backward, Dense, Network, Trace
from backlight.network.layers import ActivationCache

CHUNK: Final = 1024
SILENT: Final = 1e-3
"""A unit whose slope stays below this on every example hardly passes on any error: it is dead."""
MOSTLY: Final = 0.9
"""A unit that is flat for this share of the examples is saturated."""

ONE_SIDED: Final = ("relu", "leaky_relu", "elu", "gelu", "softplus")
STEEPEST: Final = {"sigmoid": 0.25, "logistic": 0.25, "tanh": 1.0}


@dataclass(frozen=True)
class LayerSurvey:
    """A dense layer over all examples.

    Attributes:
        layer: its number.
        function: the activation that follows it; "identity" for none.
        activation_rms: root of the mean square of its activations f(z).
        delta_rms: root of the mean square of ∂loss_n/∂z.
        dead: the units of a one-sided activation whose slope is 0, or all but, on every example.
        saturated: the hidden units of a two-sided activation whose slope is flat on almost every example.
    """

    layer: int
    function: str
    activation_rms: float
    delta_rms: float
    dead: tuple[int, ...]
    saturated: tuple[int, ...]


@dataclass(frozen=True)
class Survey:
    """A network over all examples.

    Attributes:
        losses: (n,).
        layers: its dense layers, from the first to the last.
        gradient: of the mean loss (size,).
        norms: every example's squared gradient norm (n,).
        directions: Σ_n g_n / ‖g_n‖ over the examples whose gradient is not 0 (size,).
        dots: every example's gradient times the mean gradient (n,).
    """

    losses: Floats
    layers: tuple[LayerSurvey, ...]
    gradient: Floats
    norms: Floats
    directions: Floats
    dots: Floats


class _Tally:
    """Running sums of one dense layer."""

    def __init__(self, network: Network, layer: int, units: int) -> None:
        self.layer, self.count, self.units = layer, 0, units
        following = following_activation(network, layer)
        activation = None if following is None else network.layers[following]
        self.activation = activation if isinstance(activation, Activation) else None
        self.out = layer if following is None else following
        self.hidden = any(isinstance(other, Dense) for other in network.layers[layer + 1 :])
        self.a_squares = self.delta_squares = 0.0
        self.steepest, self.flat = np.zeros(units), np.zeros(units)

    @property
    def function(self) -> str:
        return "identity" if self.activation is None else self.activation.function

    def add(self, trace: Trace, backward: Backward) -> None:
        delta = backward.errors[self.layer]
        assert delta is not None
        a = trace.outs[self.out]
        self.count += len(a)
        self.a_squares += float(np.vdot(a, a))
        self.delta_squares += float(np.vdot(delta, delta))
        if self.activation is not None and self.function != "softmax":
            cache = trace.caches[self.out]
            assert isinstance(cache, ActivationCache)
            slope = np.abs(self.activation.slope(cache))
            np.maximum(self.steepest, slope.max(axis=0), out=self.steepest)
            self.flat += (slope < SATURATED * STEEPEST.get(self.function, 0.0)).sum(axis=0)

    def survey(self) -> LayerSurvey:
        size = self.count * self.units
        dead = (self.steepest < SILENT) & (self.function in ONE_SIDED)
        saturated = (self.flat >= MOSTLY * self.count) & (self.function in STEEPEST) & self.hidden
        rms = float(np.sqrt(self.a_squares / size)), float(np.sqrt(self.delta_squares / size))
        return LayerSurvey(self.layer, self.function, *rms, _numbers(dead), _numbers(saturated))


def _numbers(marked: Array) -> tuple[int, ...]:
    return tuple(np.flatnonzero(marked).tolist())


def survey(moment: Moment, examples: Examples) -> Survey:
    """Pass all examples through a network twice.

    Args:
        moment: the network.
        examples: the examples (n).
    """
    network, count = moment.network, examples.source.count
    tallies = [_Tally(network, index, dense.units) for index, dense, _ in network.dense_layers()]
    losses, norms, dots = np.empty(count), np.empty(count), np.empty(count)
    total, directions = np.zeros(network.params.size), np.zeros(network.params.size)
    for place, x, y in chunks(examples, CHUNK):
        trace = network.forward(x)
        backward = network.backward(trace, y, moment.loss)
        losses[place], norms[place] = backward.losses, squared_norms(backward)
        total += backward.gradient() * len(x)
        lengths = np.sqrt(norms[place])
        inverse = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        directions += backward.gradient(inverse) * len(x)
        for tally in tallies:
            tally.add(trace, backward)
    gradient = total / count
    for place, x, y in chunks(examples, CHUNK):
        dots[place] = products(network, network.backward(network.forward(x), y, moment.loss), gradient)
    return Survey(losses, tuple(tally.survey() for tally in tallies), gradient, norms, directions, dots)


def squared_norms(backward: Backward) -> Floats:
    """The squared norm of every example's gradient over all layers (n,): Σ_l ‖delta_n‖² (‖a_n‖² + 1).

    Source: Goodfellow 2015, arXiv:1510.01799.

    Args:
        backward: a backward pass of these examples.
    """
    norms: Floats = np.zeros_like(backward.losses)
    for grads in backward.grads:
        if grads is not None:
            norms += grads.squared_norms()
    return norms


def products(network: Network, backward: Backward, direction: Floats) -> Floats:
    """Every example's gradient times a direction V (n,), summed over layers; rowsum((a V_Wᵀ) ∘ delta) + delta V_b.

    Args:
        network: whose backward pass it is.
        backward: a backward pass of these examples.
        direction: one number per parameter (size,).
    """
    found: Floats = np.zeros_like(backward.losses)
    for grads, place in zip(backward.grads, network.places(), strict=True):
        if grads is not None:
            found += grads.along(direction[place])
    return found
