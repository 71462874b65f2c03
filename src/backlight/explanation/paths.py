"""The chain rule, written out: every factor between one weight and the loss, and the strongest paths."""

from dataclasses import dataclass
from heapq import nlargest

import numpy as np

from backlight.arrays import Floats
from backlight.explanation.desires import (
    Example,
    activation_after,
    incoming_names,
    mixed_behind,
    norm_factors,
    unit_names,
)
from backlight.explanation.parts import Part, Parts
from backlight.explanation.places import Weight, check_weight, dense_layer
from backlight.network import Activation
from backlight.network.layers import ActivationCache

_COUNT = 5


@dataclass(frozen=True)
class Factor:
    """One factor of a product.

    Attributes:
        symbol: in the letters of the field: "∂z/∂w", "∂a/∂z", "∂z/∂a", "∂loss/∂z"; "∂z/∂z" through layer normalisation.
        name: what it is, in words.
        value: the number.
    """

    symbol: str
    name: str
    value: float


@dataclass(frozen=True)
class Path:
    """One way from a weight to the loss, through one unit of every layer.

    Attributes:
        units: the names of the units.
        factors: what is multiplied along it.
        value: their product.
        share: of the whole gradient.
    """

    units: tuple[str, ...]
    factors: tuple[Factor, ...]
    value: float
    share: float


@dataclass(frozen=True)
class Chain:
    """The chain rule for one weight and one example.

    Attributes:
        weight: the weight's name LAYER:TO:FROM.
        factors: ∂loss/∂w = ∂z/∂w · ∂a/∂z · ∂loss/∂a (the last two as one where output and loss are fused, and
            where layer normalisation mixes the units).
        product: of the factors.
        gradient: ∂loss/∂w from the layer's own backward pass.
        paths: the strongest paths, the strongest first.
        count: how many paths there are.
        parts: the paths' values and the rest; together the gradient.
    """

    weight: str
    factors: tuple[Factor, ...]
    product: float
    gradient: float
    paths: tuple[Path, ...]
    count: int
    parts: Parts


def chain(example: Example, weight: Weight, count: int = _COUNT) -> Chain:
    """Write the chain rule out for one weight.

    Args:
        example: the example.
        weight: which weight; a source of None is the bias.
        count: how many of the strongest paths to show.

    Raises:
        InputError: the network has no such weight.
    """
    check_weight(example.moment.network, weight)
    grads = example.backward.grads[weight.layer]
    assert grads is not None
    W_grads, b_grads = grads.weighted_sum(np.ones(1))
    gradient = float(b_grads[weight.to] if weight.source is None else W_grads[weight.to, weight.source])
    first = _first_factor(example, weight)
    head = [first, *_tail(example, weight.layer, weight.to)]
    paths = _strongest(example, weight, first, gradient, count)
    layers = [index for index, _, _ in example.moment.network.dense_layers() if index > weight.layer]
    total = int(np.prod([dense_layer(example.moment.network, index).units for index in layers], dtype=object))
    parts = _as_parts(paths, total, first.value * _all_paths(example, weight.layer)[weight.to], gradient)
    product = float(np.prod([factor.value for factor in head]))
    return Chain(str(weight), tuple(head), product, gradient, tuple(paths), max(1, total), parts)


def _first_factor(example: Example, weight: Weight) -> Factor:
    if weight.source is None:
        return Factor("∂z/∂b", "the bias moves z one to one", 1.0)
    name = incoming_names(example.moment, weight.layer)[weight.source]
    value = float(example.trace.a_in(weight.layer)[0, weight.source])
    return Factor("∂z/∂w", f"the activation of {name}, behind the weight", value)


def _tail(example: Example, layer: int, unit: int) -> list[Factor]:
    """∂loss/∂z of a unit: as slope times ∂loss/∂a, or at once where they cannot be parted."""
    name = unit_names(example.moment, layer)[unit]
    slopes = _slopes(example, layer)
    delta = example.backward.errors[layer]
    assert delta is not None
    if mixed_behind(example.moment.network, layer):
        words = f"the error of {name}, by way of all units of its layer, which are normalised together"
        return [Factor("∂loss/∂z", words, float(delta[0, unit]))]
    if slopes is None:
        return [Factor("∂loss/∂z", f"the error of {name}: what it is minus what it should be", float(delta[0, unit]))]
    following = activation_after(example, layer)
    error = delta if following is None else example.backward.errors[following]
    assert error is not None
    return [
        Factor("∂a/∂z", f"the slope of {name}'s activation", float(slopes[unit])),
        Factor("∂loss/∂a", f"how the loss changes with {name}'s activation", float(error[0, unit])),
    ]


def _slopes(example: Example, layer: int) -> Floats | None:
    """f′(z) (j,) of a dense layer's units; None where output and loss are fused, or outputs are coupled."""
    following = activation_after(example, layer)
    if following is None:
        return np.ones(example.trace.outs[layer].shape[1])
    activation, cache = example.moment.network.layers[following], example.trace.caches[following]
    assert isinstance(activation, Activation)
    assert isinstance(cache, ActivationCache)
    if example.backward.errors[following] is None or activation.function == "softmax":
        return None
    slopes: Floats = activation.slope(cache)[0] * norm_factors(example, layer)
    return slopes


def _onwards(example: Example, here: int, after: int) -> Floats:
    """∂z/∂z (k, j): how the z of a dense layer's units change with those of the dense layer before, at this example."""
    changes: Floats = dense_layer(example.moment.network, after).W
    for index in range(after - 1, here, -1):
        cache = example.trace.caches[index]
        changes, _ = example.moment.network.layers[index].backward(changes, cache)  # type: ignore[arg-type]
    return changes


def _all_paths(example: Example, layer: int) -> Floats:
    """Σ over all paths from each unit's z to the loss (j,): products of slopes and weights, multiplied out."""
    network = example.moment.network
    numbers = [index for index, _, _ in network.dense_layers() if index >= layer]
    delta = example.backward.errors[numbers[-1]]
    assert delta is not None
    total: Floats = delta[0].copy()
    for here, after in zip(reversed(numbers[:-1]), reversed(numbers[1:]), strict=True):
        total = _onwards(example, here, after).T @ total
    return total


def _strongest(example: Example, weight: Weight, first: Factor, gradient: float, count: int) -> list[Path]:
    """The paths of largest size. From the loss backwards every unit keeps its `count` best continuations."""
    network = example.moment.network
    numbers = [index for index, _, _ in network.dense_layers() if index >= weight.layer]
    delta = example.backward.errors[numbers[-1]]
    assert delta is not None
    best: list[list[tuple[float, tuple[int, ...]]]] = [[(float(d), (j,))] for j, d in enumerate(delta[0])]
    for here, after in zip(reversed(numbers[:-1]), reversed(numbers[1:]), strict=True):
        onwards = _onwards(example, here, after)
        units = [weight.to] if here == weight.layer else range(onwards.shape[1])
        best = _step_back(best, onwards, list(units), count)
    found = best[0] if len(numbers) > 1 else best[weight.to]
    ranked = nlargest(count, found, key=lambda item: abs(item[0]))
    return [_path(example, numbers, units, first, gradient) for _, units in ranked]


def _step_back(
    best: list[list[tuple[float, tuple[int, ...]]]], onwards: Floats, units: list[int], count: int
) -> list[list[tuple[float, tuple[int, ...]]]]:
    depth = max(len(entries) for entries in best)
    values = np.zeros((len(best), depth))
    for k, entries in enumerate(best):
        values[k, : len(entries)] = [value for value, _ in entries]
    found = []
    for unit in units:
        products = onwards[:, [unit]] * values
        flat = np.abs(products).ravel()
        top = np.argpartition(flat, -min(count, flat.size))[-min(count, flat.size) :]
        pairs = [divmod(int(place), depth) for place in top]
        found.append([(float(products[k, e]), (unit, *best[k][e][1])) for k, e in pairs if e < len(best[k])])
    return found


def _between(example: Example, here: tuple[int, int, str], there: tuple[int, int]) -> list[Factor]:
    """From the z of a unit to that of one of the next dense layer: slope and weight, or both at once where mixed."""
    (layer, unit, name), (after, to) = here, there
    to_name = unit_names(example.moment, after)[to]
    if mixed_behind(example.moment.network, layer):
        words = f"from {name} to {to_name}, by way of all units of {name}'s layer, which are normalised together"
        return [Factor("∂z/∂z", words, float(_onwards(example, layer, after)[to, unit]))]
    slope, weight = _slope_between(example, layer, after)[unit], dense_layer(example.moment.network, after).W[to, unit]
    return [
        Factor("∂a/∂z", f"the slope of {name}'s activation", float(slope)),
        Factor("∂z/∂a", f"the weight from {name} to {to_name}", float(weight)),
    ]


def _slope_between(example: Example, layer: int, after: int) -> Floats:
    """∂(what the next dense layer hears)/∂z (j,) of units that no layer in between mixes."""
    slopes: Floats = np.ones_like(example.trace.outs[layer])
    for index in range(after - 1, layer, -1):
        slopes, _ = example.moment.network.layers[index].backward(slopes, example.trace.caches[index])  # type: ignore[arg-type]
    first: Floats = slopes[0]
    return first


def _path(example: Example, numbers: list[int], units: tuple[int, ...], first: Factor, gradient: float) -> Path:
    names, factors = [], [first]
    for place, (layer, unit) in enumerate(zip(numbers, units, strict=True)):
        name = unit_names(example.moment, layer)[unit]
        names.append(name)
        if place + 1 == len(numbers):
            factors += _tail(example, layer, unit)
            continue
        after, to = numbers[place + 1], units[place + 1]
        factors += _between(example, (layer, unit, name), (after, to))
    value = float(np.prod([factor.value for factor in factors]))
    return Path(tuple(names), tuple(factors), value, value / gradient if gradient else 0.0)


def _as_parts(paths: list[Path], total: int, all_paths: float, gradient: float) -> Parts:
    """The strongest paths and what the others add: the sum over all paths, multiplied out, less those shown."""
    shown = [Part(" → ".join(path.units), path.value) for path in paths]
    shown_sum = sum(part.value for part in shown)
    if total > len(paths):
        shown.append(Part("rest", float(all_paths) - shown_sum))
    return Parts(tuple(shown), float(sum(part.value for part in shown)), gradient)
