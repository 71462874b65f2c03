"""The gradient check: every derivative that backpropagation claims, compared with the change that is measured.

The measured slope of the objective C along a direction v is the five-point difference
(C(−2h) − 8 C(−h) + 8 C(h) − C(2h)) / 12h, whose error falls with h⁴ (Abramowitz and Stegun 1964, 25.3.6). Where a
kink of an activation or a loss lies within ±2h the slope is not one number: h shrinks until no kink is near, and
the place is counted as skipped if that does not help. A unit that stands exactly on a kink (a bias of 0 below silent
inputs) would stop every check of it, so then all parameters of the copy are first moved by a small random amount.

Batch normalisation is checked twice: as in training, where every example has a part in the others' errors, and as after
it, with running statistics ("frozen").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.network.activations import ACTIVATIONS
from backlight.network.layers import Activation, ActivationCache, Dense, Draws
from backlight.network.network import Network
from backlight.network.normalisation import BatchNorm, LayerNorm
from backlight.network.objective import check_targets, encode_targets, mean_weights
from backlight.randomness import Purpose, normals, permutation

STEP = 1e-3
SHRINKS = 6
MOVE = 1e-2
ROUNDINGS = 16.0


@dataclass(frozen=True)
class CheckedPart:
    """One array of derivatives, checked.

    Attributes:
        layer: the layer's number; −1 for the inputs and for the network as a whole.
        name: "W", "b", "scale", "shift", "x", or "all parameters"; with ", frozen" where the network has batch
            normalisation and the pass is one with running statistics.
        directions: how many random directions were compared.
        coordinates: how many single coordinates were compared.
        skipped: how many of both were left out because a kink was too near.
        error: the largest relative error seen.
    """

    layer: int
    name: str
    directions: int
    coordinates: int
    skipped: int
    error: float


@dataclass(frozen=True)
class GradientCheck:
    """What the gradient check found, part by part.

    Attributes:
        parts: one entry for each parameter array, the inputs, and all parameters together.
        tolerance: the largest relative error that passes.
        moved: whether the parameters were moved because a unit stood exactly on a kink.
    """

    parts: tuple[CheckedPart, ...]
    tolerance: float
    moved: bool

    @property
    def error(self) -> float:
        """The largest relative error of all parts."""
        return max(part.error for part in self.parts)

    @property
    def passed(self) -> bool:
        """Whether every part was compared at least once and stayed within the tolerance."""
        compared = all(part.directions + part.coordinates > 0 for part in self.parts)
        return compared and self.error <= self.tolerance

    def __str__(self) -> str:
        lines = [
            f"{'layer ' + str(p.layer) if p.layer >= 0 else '':9}{p.name:15} {p.error:8.1e}  "
            f"{p.directions} directions, {p.coordinates} coordinates, {p.skipped} skipped at kinks"
            for p in self.parts
        ]
        verdict = "passed" if self.passed else "FAILED"
        return "\n".join([*lines, f"gradient check {verdict}: worst {self.error:.1e}, allowed {self.tolerance:.0e}"])


def gradcheck(
    network: Network,
    x: Any,
    y: Any,
    loss: str | None = None,
    *,
    directions: int = 8,
    coordinates: int = 24,
    tolerance: float = 1e-6,
    seed: int = 0,
) -> GradientCheck:
    """Compare backpropagation's gradient with measured slopes, in float64, part by part.

    Args:
        network: any network; a float64 copy of it is checked, dropout with fixed draws included.
        x: inputs (n, i); a handful of examples is enough.
        y: class indices (n,), one per group (n, k) of a softmax in groups, or targets (n, j).
        loss: by default the one that the output was made for.
        directions: random directions per part.
        coordinates: single coordinates per part, drawn at random; all of them where the part has fewer.
        tolerance: the largest relative error that passes.
        seed: of the directions and coordinates.

    Returns:
        The errors, relative to the larger of the two slopes, or to a thousandth of the part's largest
        slope where both are smaller than that; what rounding alone could measure passes, for some slopes are 0 by
        nature, such as a bias's in front of batch normalisation.

    Raises:
        InputError: x or y does not fit the network.

    Example:
        >>> from backlight import Network, gradcheck
        >>> network = Network.mlp(2, 4, 3, hidden="tanh", output="softmax", seed=1)
        >>> gradcheck(network, [[0.5, -1.0], [2.0, 0.1]], [0, 2]).passed
        True
    """
    probe = _Probe(network.copy("float64"), x, np.asarray(y), loss)
    moved = probe.leave_kinks(seed)
    parts = []
    for number, (layer, name, values, slopes) in enumerate(probe.parts()):
        found = [0, 0, 0]
        worst = 0.0
        least = 1e-3 * float(np.abs(slopes).max(initial=0.0))
        places = probe.learnt(values)
        for kind, direction in _directions(values.shape, places, (directions, coordinates), (seed, number)):
            slope = probe.slope(values, direction)
            if slope is None:
                found[2] += 1
                continue
            found[kind] += 1
            (measured, noise), claimed = slope, float(np.vdot(slopes, direction))
            larger = max(abs(measured), abs(claimed), least, noise / tolerance)
            worst = max(worst, abs(measured - claimed) / larger if larger else 0.0)
        parts.append(CheckedPart(layer, name, found[0], found[1], found[2], worst))
    return GradientCheck(tuple(parts), tolerance, moved)


def _directions(
    shape: tuple[int, ...], places: Ints, counts: tuple[int, int], drawn: tuple[int, int]
) -> Iterator[tuple[int, Floats]]:
    """Random unit directions (kind 0), then single coordinates (kind 1), both in some places of an array only."""
    (directions, coordinates), (seed, number) = counts, drawn
    for k in range(directions):
        v = np.zeros(shape)
        v.flat[places] = normals(seed, Purpose.CHECKING, v.size, place=(number, k))[places]
        yield 0, v / np.linalg.norm(v)
    for place in permutation(seed, Purpose.CHECKING, len(places), place=(number, 2**31))[:coordinates]:
        unit = np.zeros(shape)
        unit.flat[places[place]] = 1.0
        yield 1, unit


class _Probe:
    """The objective as a function of parameters and inputs, and which side of each kink its numbers are on."""

    def __init__(self, network: Network, x: Any, y: Array, loss: str | None) -> None:
        self.network, self.y, self.loss = network, y, loss
        self.x = np.array(network.as_inputs(x))
        self.draws: Draws | None = Draws(0, 0, np.arange(len(self.x)))
        self.objective = network.objective(loss)
        check_targets(y, len(self.x), network.outputs, self.objective)

    def parts(self) -> Iterator[tuple[int, str, Floats, Floats]]:
        """Each array of parameters (or inputs) with the slopes that backpropagation claims for it."""
        yield from self._parts("")
        if self.network.coupled:
            self.draws = None
            yield from self._parts(", frozen")

    def _parts(self, way: str) -> Iterator[tuple[int, str, Floats, Floats]]:
        network = self.network
        backward = network.backward(network.forward(self.x, self.draws), self.y, self.loss)
        flat = backward.gradient()
        for index, (layer, place) in enumerate(zip(network.layers, network.places(), strict=True)):
            part = flat[place]
            if isinstance(layer, Dense):
                yield index, f"W{way}", layer.W, part[: layer.W.size].reshape(layer.W.shape)
                yield index, f"b{way}", layer.b, part[layer.W.size :]
            elif isinstance(layer, BatchNorm | LayerNorm):
                yield index, f"scale{way}", layer.scale, part[: layer.units]
                yield index, f"shift{way}", layer.shift, part[layer.units : 2 * layer.units]
        yield -1, f"all parameters{way}", network.params, flat
        weights = mean_weights(len(self.x), network.dtype)
        yield -1, f"x{way}", self.x, backward.d_x * weights[:, None]

    def learnt(self, values: Floats) -> Ints:
        """Which places (k,) of an array may be moved: all but running statistics."""
        moved = np.ones(values.size, bool)
        for place in self.network.statistics if values is self.network.params else ():
            moved[place] = False
        return np.flatnonzero(moved)

    def slope(self, values: Floats, direction: Floats) -> tuple[float, float] | None:
        """The measured slope along a direction, and how far rounding can put it off; None if a kink is too near."""
        start = values.copy()
        step = STEP
        try:
            for _ in range(SHRINKS):
                costs, sides = [], []
                for k in (-2, -1, 0, 1, 2):
                    values[...] = start + k * step * direction
                    costs.append(self._cost())
                    sides.append(self._sides())
                if all(np.array_equal(side, sides[2]) for side in sides):
                    noise = ROUNDINGS * float(np.finfo(np.float64).eps) * abs(costs[2]) / step
                    return float((costs[0] - 8 * costs[1] + 8 * costs[3] - costs[4]) / (12 * step)), noise
                step /= 8
        finally:
            values[...] = start
        return None

    def leave_kinks(self, seed: int) -> bool:
        """Move the parameters a little if a unit stands exactly on a kink; say whether that was done."""
        if not any((numbers == kink).any() for numbers, kinks in self._kinked() for kink in kinks):
            return False
        params = self.network.params
        places = self.learnt(params)
        params[places] += MOVE * normals(seed, Purpose.CHECKING, params.size, place=(2**31, 0))[places]
        return True

    def _kinked(self) -> Iterator[tuple[Floats, tuple[float, ...]]]:
        trace = self.network.forward(self.x, self.draws)
        targets = np.empty_like(trace.out)
        encode_targets(self.y, targets, self.network.sizes)
        yield trace.out - targets, self.objective.kinks
        for layer, cache in zip(self.network.layers, trace.caches, strict=True):
            if isinstance(layer, Activation) and isinstance(cache, ActivationCache) and layer.function in ACTIVATIONS:
                yield cache.z, ACTIVATIONS[layer.function].kinks

    def _sides(self) -> Array:
        return np.concatenate(
            [np.empty(0), *((numbers > kink).ravel() for numbers, kinks in self._kinked() for kink in kinks)]
        )

    def _cost(self) -> float:
        trace = self.network.forward(self.x, self.draws)
        losses = self.network.losses(trace, self.y, self.loss)
        return float(mean_weights(len(losses), losses.dtype) @ losses)
