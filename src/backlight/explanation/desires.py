"""What one example wants: of the outputs, of any unit, and how each wish can be granted.

Three quantities are kept apart for a unit: the wish for its activation, −∂loss/∂a; the slope f′(z); and their product
−delta, the wish for z that is passed on. For an output that is fused with its loss only the product exists, y − a.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError
from backlight.explanation.moment import Moment
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.places import Unit, dense_layer
from backlight.network import Activation, Backward, BatchNorm, Dense, LayerNorm, Network, Trace
from backlight.network.layers import ActivationCache
from backlight.network.objective import encode_targets

SATURATED = 0.1
"""A slope below this share of the function's steepest slope is called flat."""

LOUD = 0.1
"""A wish of at least this share of its layer's loudest wish is called loud."""

_STEEPEST = {"sigmoid": 0.25, "logistic": 0.25}


@dataclass(frozen=True)
class Example:
    """One example, passed forward and back at one moment.

    Attributes:
        moment: the network and its names.
        name: what the example is called.
        trace: the forward pass (n = 1).
        backward: the backward pass (n = 1).
        targets: what the outputs should be (j,).
    """

    moment: Moment
    name: str
    trace: Trace
    backward: Backward
    targets: Floats


def open_example(moment: Moment, x: Any, y: Any, name: str = "the example") -> Example:
    """Pass one example forward and back.

    Args:
        moment: the network.
        x: its inputs (i,), or (1, i).
        y: its class index, one per question (k,), or its targets (j,).
        name: what it is called.

    Raises:
        InputError: x or y does not fit, or there is more than one example.
    """
    x, y = np.asarray(x), np.asarray(y)
    x = x[None] if x.ndim == 1 else x
    if len(x) != 1:
        raise InputError(f"one example is explained at a time, and x has {len(x)} rows")
    y = y.reshape(1) if y.ndim == 0 else y if y.ndim == 2 or len(y) == 1 else y[None]
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise InputError(f"x is {x[~np.isfinite(x)][0]} in one place; every input must be a finite number")
    trace = moment.network.forward(x)
    backward = moment.network.backward(trace, y, moment.loss)
    targets = np.empty_like(trace.out)
    encode_targets(y, targets, moment.network.sizes)
    return Example(moment, name, trace, backward, targets[0])


@dataclass(frozen=True)
class Wish:
    """What an example wants of one unit.

    Attributes:
        name: the unit's name.
        z: its pre-activation.
        activation: a = f(z).
        target: what an output should be; None for hidden units.
        for_activation: −∂loss/∂a; None where output and loss are fused.
        slope: f′(z), with batch normalisation times what that multiplies z with; None where output and loss are fused,
            and where layer normalisation makes every activation depend on all z.
        for_z: −delta, the wish that is passed on: y − a where fused, else for_activation · slope.
        saturated: whether a flat slope silences a loud wish.
    """

    name: str
    z: float
    activation: float
    target: float | None
    for_activation: float | None
    slope: float | None
    for_z: float
    saturated: bool


def activation_after(example: Example, layer: int) -> int | None:
    """The number of the activation layer that follows a dense layer, None if its units are linear."""
    return following_activation(example.moment.network, layer)


def following_activation(network: Network, layer: int) -> int | None:
    """The number of the activation layer that follows a dense layer of a network, None if its units are linear."""
    layers = network.layers
    for index in range(layer + 1, len(layers)):
        if isinstance(layers[index], Activation):
            return index
        if isinstance(layers[index], Dense):
            return None
    return None


def unit_names(moment: Moment, layer: int) -> list[str]:
    """The names of a dense layer's units: the outputs' own, and `LAYER:UNIT` for hidden ones."""
    dense = dense_layer(moment.network, layer)
    last = max(index for index, _, _ in moment.network.dense_layers())
    return list(moment.outputs) if layer == last else [str(Unit(layer, j)) for j in range(dense.units)]


def incoming_names(moment: Moment, layer: int) -> list[str]:
    """The names of what comes into a dense layer: inputs, or units of the dense layer before."""
    before = [index for index, _, _ in moment.network.dense_layers() if index < layer]
    return unit_names(moment, before[-1]) if before else list(moment.inputs)


def wishes(example: Example, layer: int) -> list[Wish]:
    """What the example wants of every unit of a dense layer.

    Raises:
        InputError: the layer has no units.
    """
    names = unit_names(example.moment, layer)
    z = example.trace.outs[layer][0]
    delta = example.backward.errors[layer]
    assert delta is not None
    last = max(index for index, _, _ in example.moment.network.dense_layers())
    targets = example.targets.tolist() if layer == last else [None] * len(names)
    a, for_activation, slope, steepest = _sides(example, layer)
    loudest = 0.0 if for_activation is None else float(np.abs(for_activation).max())
    found = []
    for j, name in enumerate(names):
        flat = loud = False
        if for_activation is not None and slope is not None:
            flat = abs(slope[j]) < SATURATED * steepest[j]
            loud = abs(for_activation[j]) >= LOUD * loudest > 0
        found.append(
            Wish(
                name,
                float(z[j]),
                float(a[j]),
                targets[j],
                None if for_activation is None else float(for_activation[j]),
                None if slope is None else float(slope[j]),
                -float(delta[0, j]),
                flat and loud,
            )
        )
    return found


def mixed_behind(network: Network, layer: int) -> bool:
    """Whether layer normalisation stands behind a dense layer, so that every unit's activation depends on all z."""
    return layer + 1 < len(network.layers) and isinstance(network.layers[layer + 1], LayerNorm)


def norm_factors(example: Example, layer: int) -> Floats:
    """What batch normalisation behind a dense layer multiplies a change of each z with (j,): 1 where there is none."""
    factors: Floats = np.ones(example.trace.outs[layer].shape[1])
    norm = example.moment.network.layers[layer + 1] if layer + 1 < len(example.trace.outs) else None
    if isinstance(norm, BatchNorm):
        factors *= norm.scale / np.sqrt(norm.running_var + norm.eps)
    return factors


def _sides(example: Example, layer: int) -> tuple[Floats, Floats | None, Floats | None, Floats]:
    """Activations, wishes for them, slopes (None where fused or coupled) and the steepest slopes of a dense layer."""
    following = activation_after(example, layer)
    delta = example.backward.errors[layer]
    assert delta is not None
    if following is None:
        z = example.trace.outs[layer][0]
        return z, -delta[0], np.ones_like(z), np.ones_like(z)
    activation, cache = example.moment.network.layers[following], example.trace.caches[following]
    assert isinstance(activation, Activation)
    assert isinstance(cache, ActivationCache)
    error = example.backward.errors[following]
    factors = norm_factors(example, layer)
    steepest = _STEEPEST.get(activation.function, 1.0) * np.abs(factors)
    if error is None or activation.function == "softmax":
        return cache.a[0], None, None, steepest
    slopes = None if mixed_behind(example.moment.network, layer) else activation.slope(cache)[0] * factors
    return cache.a[0], -error[0], slopes, steepest


@dataclass(frozen=True)
class Way:
    """One way to grant a unit's wish.

    Attributes:
        kind: "bias", "weight" or "activation".
        name: of the incoming unit; "bias" for the bias.
        wish: −∂loss/∂(that number): how it should move; its size is the fall of the cost per unit of change.
        strength: what the wish is in proportion to: the incoming activation for a weight, the weight for an
            incoming activation, 1 for the bias.
        share: of the fall of the cost along all wishes together: wish² by the whole of `falls`.
    """

    kind: str
    name: str
    wish: float
    strength: float
    share: float


@dataclass(frozen=True)
class ThreeWays:
    """The three ways to grant the wish of one unit: its bias, each incoming weight, each incoming activation.

    Attributes:
        unit: the unit's name.
        for_z: the wish for its pre-activation, −delta.
        ways: all of them, the largest fall of the cost per unit of change first.
        falls: kind → Σ wish² of its ways, the fall of the cost per unit of a step along the wishes; together
            delta² (1 + ‖a‖² + ‖W_j‖²).
    """

    unit: str
    for_z: float
    ways: tuple[Way, ...]
    falls: Parts


def three_ways(example: Example, unit: Unit) -> ThreeWays:
    """How the wish of one unit can be granted, ranked by the fall of the cost per unit of change.

    Source: the formulas are the rows of the backward pass: ∂loss/∂b_j = delta_j, ∂loss/∂W_ji = delta_j a_i, and
    delta_j W_ji is what unit j adds to ∂loss/∂a_i.
    """
    moment = example.moment
    dense = dense_layer(moment.network, unit.layer)
    delta = example.backward.errors[unit.layer]
    assert delta is not None
    wish = -float(delta[0, unit.unit])
    a, w = example.trace.a_in(unit.layer)[0], dense.W[unit.unit]
    incoming = incoming_names(moment, unit.layer)
    whole = wish**2 * (1.0 + float(a @ a) + float(w @ w))
    rows = [("bias", "bias", wish, 1.0)]
    rows += [("weight", name, wish * float(v), float(v)) for name, v in zip(incoming, a, strict=True)]
    rows += [("activation", name, wish * float(v), float(v)) for name, v in zip(incoming, w, strict=True)]
    ways = [Way(kind, name, v, s, v**2 / whole if whole else 0.0) for kind, name, v, s in rows]
    ways.sort(key=lambda way: -abs(way.wish))
    kinds = ("bias", "weight", "activation")
    falls = add_up(
        [(kind, sum(way.wish**2 for way in ways if way.kind == kind)) for kind in kinds],
        whole=whole,
    )
    name = unit_names(moment, unit.layer)[unit.unit]
    return ThreeWays(name, wish, tuple(ways), falls)


def combined(example: Example, layer: int, number: int) -> Parts:
    """What each unit of a dense layer asks of one unit that comes into it, and the sum of what they ask.

    −delta_j W_ji for every unit j of the layer; together the wish for the incoming activation, −∂loss/∂a_i, which the
    backward pass computed on its own way.

    Args:
        example: the example.
        layer: the dense layer that asks.
        number: i, the incoming unit that is asked.

    Raises:
        InputError: there is no such layer or incoming unit.
    """
    dense = dense_layer(example.moment.network, layer)
    if not 0 <= number < dense.incoming:
        raise InputError(f"{number} was asked for, and layer {layer} has incoming units 0 to {dense.incoming - 1}")
    delta = example.backward.errors[layer]
    assert delta is not None
    asked = -delta[0] * dense.W[:, number]
    before = example.backward.errors[layer - 1] if layer else example.backward.d_x
    assert before is not None
    names = unit_names(example.moment, layer)
    return add_up(zip(names, asked.tolist(), strict=True), whole=-float(before[0, number]))


def input_wishes(example: Example) -> Floats:
    """What the example wants of every input, −∂loss/∂x (i,)."""
    wished: Floats = -example.backward.d_x[0]
    return wished
