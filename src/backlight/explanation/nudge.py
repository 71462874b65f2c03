"""One weight alone: what every example says about it, and what a nudge of it does to every loss.

A weight into unit j reaches the loss through that unit only. So the backward pass needs all errors of the layers above
and only one column of this layer's; and a nudge moves the next dense layer's z by (the change of a_j) · W_j. Behind a
normalisation all columns are passed.
"""

from dataclasses import dataclass, replace

import numpy as np

from backlight.arrays import Array, Floats
from backlight.explanation.desires import incoming_names, unit_names
from backlight.explanation.moment import Moment
from backlight.explanation.places import Weight, dense_layer
from backlight.network import Activation, Dense, LayerNorm, Network, Trace
from backlight.network.layers import ActivationCache
from backlight.network.normalisation import NormCache, coupled_slopes
from backlight.network.objective import encode_targets


def weight_in_words(moment: Moment, weight: Weight) -> str:
    """A weight's name and what it joins.

    Example:
        >>> from backlight.explanation.moment import open_moment
        >>> moment = open_moment(Network.mlp(2, 3, 2))
        >>> weight_in_words(moment, Weight(2, 1, 0)), weight_in_words(moment, Weight(0, 1, None))
        ('2:1:0 (from 0:0 to output 1)', '0:1:b (bias of 0:1)')
    """
    to = unit_names(moment, weight.layer)[weight.to]
    if weight.source is None:
        return f"{weight} (bias of {to})"
    return f"{weight} (from {incoming_names(moment, weight.layer)[weight.source]} to {to})"


def weight_value(network: Network, weight: Weight) -> float:
    """The weight's own value."""
    dense = dense_layer(network, weight.layer)
    return float(dense.b[weight.to] if weight.source is None else dense.W[weight.to, weight.source])


@dataclass(frozen=True)
class Spoken:
    """What the examples of a pass say about one weight.

    Attributes:
        losses: of every example (n,).
        slopes: ∂loss_n/∂w (n,), from the loss backwards.
        forwards: the same numbers from the weight forwards: how a change of the weight travels to the loss.
    """

    losses: Floats
    slopes: Floats
    forwards: Floats


def speak(network: Network, trace: Trace, y: Array, loss: str, weight: Weight) -> Spoken:
    """∂loss_n/∂w of every example of a trace, computed twice: backwards and forwards.

        backwards: delta_j a_i, with delta_j = f′(z_j) Σ_k delta_k W_kj
        forwards:  Σ_k (∂loss_n/∂z_k) (∂z_k/∂w), with ∂z_j/∂w = a_i carried on layer by layer

    Args:
        network: the network of the trace.
        trace: a forward pass of n examples.
        y: their targets.
        loss: the loss.
        weight: which weight.

    Source: the two are the reverse and the forward mode of differentiation; Griewank and Walther, "Evaluating
    derivatives", 2nd edition, 2008, chapter 3.
    """
    losses = network.losses(trace, y, loss)
    error, start = _output_error(network, trace, y, loss)
    moved = np.ones(len(losses), network.dtype)
    if weight.source is not None:
        moved = trace.a_in(weight.layer)[:, weight.source]
    between = _Between(network, trace)
    slopes = _delta_of_unit(between, weight, error, start) * moved
    carried = _carry(between, weight, moved, start)
    return Spoken(losses, slopes, np.einsum("nj,nj->n", error, carried))


class _Between:
    """Activations and dropout of a trace, through which errors go back and changes go forward.

    Their Jacobians are symmetric, so that the two ways are the same product; slopes are computed once for both. Only a
    layer normalisation's is not.
    """

    def __init__(self, network: Network, trace: Trace) -> None:
        self.network, self.trace = network, trace
        self._slopes: dict[int, Floats] = {}

    def through(self, index: int, values: Floats) -> Floats:
        """Values (n, j) of all units of a layer, passed through."""
        layer, cache = self.network.layers[index], self.trace.caches[index]
        if isinstance(layer, Activation) and isinstance(cache, ActivationCache) and layer.function != "softmax":
            if index not in self._slopes:
                self._slopes[index] = layer.slope(cache)
            return values * self._slopes[index]
        passed: Floats = layer.backward(values, cache)[0]  # type: ignore[arg-type]
        return passed

    def onward(self, index: int, values: Floats) -> Floats:
        """Changes (n, j) of what all units of a layer take, as changes of what they give."""
        layer, cache = self.network.layers[index], self.trace.caches[index]
        if isinstance(layer, LayerNorm) and isinstance(cache, NormCache):
            return coupled_slopes(values, cache.hat, cache.inverse, 1) * layer.scale
        return self.through(index, values)

    def through_unit(self, index: int, values: Floats, j: int) -> Floats:
        """Values (n, 1) of one unit of a layer of the inside, passed through; dropout drops nothing here."""
        layer, cache = self.network.layers[index], self.trace.caches[index]
        if isinstance(layer, Activation) and isinstance(cache, ActivationCache):
            return values * layer.slope(ActivationCache(cache.z[:, j : j + 1], cache.a[:, j : j + 1]))
        return values


def _output_error(network: Network, trace: Trace, y: Array, loss: str) -> tuple[Floats, int]:
    """Where the backward pass begins: ∂loss_n/∂(the output of a layer) (n, j), and that layer's number."""
    objective, a = network.objective(loss), trace.out
    targets, error = np.empty_like(a), np.empty_like(a)
    encode_targets(y, targets, network.sizes)
    objective.slope(a, targets, error, [np.empty_like(a), np.empty_like(a)])
    return error, len(network.layers) - 1 - objective.fused


def _next_dense(network: Network, layer: int) -> int | None:
    """The next dense layer, where every unit reaches it alone; None behind a normalisation, and for the last layer."""
    after = [index for index, _, _ in network.dense_layers() if index > layer]
    normalised = any(index == layer + 1 for index, _, _ in network.norm_layers())
    return after[0] if after and not normalised else None


def _delta_of_unit(between: _Between, weight: Weight, error: Floats, start: int) -> Floats:
    """∂loss_n/∂z_j (n,) of the weight's unit."""
    network, j = between.network, weight.to
    following = _next_dense(network, weight.layer)
    end = weight.layer if following is None else following
    for index in range(start, end, -1):
        layer = network.layers[index]
        error = error @ layer.W if isinstance(layer, Dense) else between.through(index, error)
    if following is None:
        return error[:, j]
    column: Floats = (error @ dense_layer(network, following).W[:, j])[:, None]
    for index in range(following - 1, weight.layer, -1):
        column = between.through_unit(index, column, j)
    return column[:, 0]


def _carry(between: _Between, weight: Weight, moved: Floats, start: int) -> Floats:
    """∂(the output of layer `start`)/∂w of every example (n, j), from the weight forwards."""
    network, j = between.network, weight.to
    following = _next_dense(network, weight.layer)
    tangent: Floats
    if following is None:
        tangent = np.zeros_like(between.trace.outs[weight.layer])
        tangent[:, j] = moved
        begin = weight.layer + 1
    else:
        column = moved[:, None]
        for index in range(weight.layer + 1, following):
            column = between.through_unit(index, column, j)
        tangent = column * np.ascontiguousarray(dense_layer(network, following).W[:, j])
        begin = following + 1
    for index in range(begin, start + 1):
        layer = network.layers[index]
        tangent = tangent @ layer.W.T if isinstance(layer, Dense) else between.onward(index, tangent)
    return tangent


def nudged_losses(network: Network, trace: Trace, y: Array, loss: str, weight: Weight, amount: float) -> Floats:
    """Every example's loss (n,) if the weight were larger by `amount`: measured, not estimated.

    Args:
        network: the network of the trace; it is not changed.
        trace: a forward pass of n examples.
        y: their targets.
        loss: the loss.
        weight: which weight.
        amount: what is added to it.
    """
    following, j = _next_dense(network, weight.layer), weight.to
    z = trace.outs[weight.layer][:, j]
    z = z + amount * (1.0 if weight.source is None else trace.a_in(weight.layer)[:, weight.source])
    if following is None:
        out = trace.outs[weight.layer].copy()
        out[:, j] = z
        begin = weight.layer + 1
    else:
        column = z[:, None]
        for index in range(weight.layer + 1, following):
            column = network.layers[index].forward(column)[0]
        change = column - trace.outs[following - 1][:, j : j + 1]
        out = change * np.ascontiguousarray(dense_layer(network, following).W[:, j])
        out += trace.outs[following]
        begin = following + 1
    return network.losses(_rerun(network, trace, out, begin), y, loss)


def _rerun(network: Network, trace: Trace, out: Floats, begin: int) -> Trace:
    """The trace with its layers from `begin` on passed anew; `out` is the output of the layer before."""
    outs, caches = [*trace.outs[: begin - 1], out], list(trace.caches[:begin])
    for layer in network.layers[begin:]:
        out, cache = layer.forward(out)
        outs.append(out)
        caches.append(cache)
    return replace(trace, outs=tuple(outs), caches=tuple(caches))
