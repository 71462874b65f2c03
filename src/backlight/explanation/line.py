"""Integrated gradients: the change of one output along a straight line, shared out over the inputs."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.network import Activation, Dense, LayerNorm, Network
from backlight.network.activations import ACTIVATIONS
from backlight.network.layers import Cache

# The Gauss rule of 3 points and Kronrod's extension of it to 7, with both ends, where only the output is read.
# Source: Piessens and others, QUADPACK, Springer 1983.
_NODES: Final = np.array(
    [
        -1.0,
        -0.9604912687080202834,
        -0.7745966692414833770,
        -0.4342437493468025580,
        0.0,
        0.4342437493468025580,
        0.7745966692414833770,
        0.9604912687080202834,
        1.0,
    ]
)
_OUTER, _SECOND, _THIRD, _MIDDLE = (
    0.1046562260264672652,
    0.2684880898683334407,
    0.4013974147759622229,
    0.4509165386584741424,
)
_KRONROD: Final = np.array([0.0, _OUTER, _SECOND, _THIRD, _MIDDLE, _THIRD, _SECOND, _OUTER, 0.0])
_GAUSS: Final = np.array([0.0, 0.0, 5 / 9, 0.0, 8 / 9, 0.0, 5 / 9, 0.0, 0.0])

_STRAIGHT: Final = ("identity", "relu", "leaky_relu")  # linear between their kinks
_PIECES: Final = 16
_SECANTS: Final = 4
_OF_THE_CHANGE: Final = 1e-8
_OF_THE_OUTPUT: Final = 1e-12
_NOTHING: Final = 1e-30  # a logistic unit ends at 1.8e-35
_ROUNDING: Final = 1e-14
_LAST_DIGITS: Final = 1e-13
_THINNEST: Final = 2.0**-45
_MOST_POINTS: Final = (50_000, 200_000)
_WORK: Final = 1e11
_ELEMENTS: Final = 2**20


@dataclass(frozen=True)
class Shared:
    """The change of an output, shared out.

    Attributes:
        shares: what each input adds (i,).
        points: at how many points of the line the gradient was computed.
    """

    shares: Floats
    points: int


def integrated_gradients(network: Network, start: Floats, end: Floats, output: int) -> Shared:
    """What each input adds to the change of an output on the straight line from `start` to `end`.

        share_i = (end_i − start_i) ∫₀¹ ∂out/∂x_i (start + t (end − start)) dt,   Σ_i share_i = out(end) − out(start)

    The gradient of a network of ReLUs jumps wherever a unit changes sides. Between two kinks everything up to the last
    layer is linear in t, so the kinks of every layer are found exactly, one layer after another, and the line is cut
    there; behind a curved activation or layer normalisation they are found by the secant method. Each piece is
    integrated by 7 points, and halved as long as it misses more than its part of 10⁻⁸ of the whole change: of the
    output on the piece, or, over all inputs by size, of what its own 3 points give. What is below 10⁻¹² of the largest
    output on the line, which is known to 16 digits, is let be. Halving ends at 200,000 points, or where points times
    parameters reach 10¹¹, but not before 50,000 points; what is then missed shows in the sum.

    Args:
        network: in float64; its hidden layers must give finite numbers on the line.
        start: the inputs where the line begins (i,).
        end: where it ends (i,).
        output: j, the number of the output.

    Source: Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", arXiv:1703.01365.

    Example:
        >>> network = Network.mlp(2, 3, 2, seed=0, dtype="float64")
        >>> start, end = np.zeros(2), np.array([0.5, -1.0])
        >>> shares = integrated_gradients(network, start, end, 1).shares
        >>> before, after = network.predict(np.array([start, end]))[:, 1]
        >>> bool(abs(shares.sum() - (after - before)) < 1e-12)
        True
    """
    step = end - start
    line = _Line.between(network, start, step, output)
    knots = _knots(line)
    values = np.concatenate([line.outs(knots[k : k + line.rows])[0][-1][:, output] for k in _starts(knots, line.rows)])
    goal = max(_OF_THE_CHANGE * abs(values[-1] - values[0]), _OF_THE_OUTPUT * np.abs(values).max(), _NOTHING)
    low, high = knots[:-1], knots[1:]
    delta, points, most = np.zeros_like(line.z), 0, np.clip(_WORK / network.params.size, *_MOST_POINTS)
    while len(low):
        points += len(low) * len(_NODES)
        last = points + 2 * len(low) * len(_NODES) > most
        halved = []
        for k in _starts(low, line.pieces):
            a, b = low[k : k + line.pieces], high[k : k + line.pieces]
            found, error = line.integrals(a, b)
            allowed = np.maximum(goal * (b - a + 1.0 / len(low)) / 2, _ROUNDING * (np.abs(found) @ line.reach))
            done = (error <= allowed) | (b - a < _THINNEST) | last
            delta += found[done].sum(axis=0)
            halved.append(np.stack([a[~done], b[~done]]))
        a, b = np.concatenate(halved, axis=1)
        middle = (a + b) / 2
        low, high = np.concatenate([a, middle]), np.concatenate([middle, b])
    return Shared(step * (delta @ line.first.W), points)


def _starts(items: Floats, size: int) -> range:
    return range(0, len(items), size)


@dataclass(frozen=True)
class _Line:
    """A straight line through a network's inputs; its points are numbers t from 0 to 1.

    Attributes:
        network: whose first layer's z is linear in t.
        step: by how much the inputs change along the line (i,).
        output: the output that is looked at.
        z: the first layer's pre-activations where t is 0 (j,).
        slope: by how much they change along the line (j,).
        reach: by how much they would change if all inputs pulled the same way (j,).
    """

    network: Network
    step: Floats
    output: int
    z: Floats
    slope: Floats
    reach: Floats

    @classmethod
    def between(cls, network: Network, start: Floats, step: Floats, output: int) -> "_Line":
        first = network.layers[0]
        assert isinstance(first, Dense)
        return cls(network, step, output, first.W @ start + first.b, first.W @ step, np.abs(first.W) @ np.abs(step))

    @property
    def first(self) -> Dense:
        first = self.network.layers[0]
        assert isinstance(first, Dense)
        return first

    @property
    def rows(self) -> int:
        """How many points are passed at once, so that memory stays bounded."""
        return max(1, _ELEMENTS // max(max(dense.units, dense.incoming) for _, dense, _ in self.network.dense_layers()))

    @property
    def pieces(self) -> int:
        return max(1, self.rows // len(_NODES))

    def outs(self, t: Floats, below: int | None = None) -> tuple[list[Floats], list[Cache]]:
        """The outputs of all layers, or of those below a number, at points t (n,); the first layer has no cache."""
        outs: list[Floats] = [self.z + t[:, None] * self.slope]
        caches: list[Cache] = []
        for layer in self.network.layers[1:below]:
            out, cache = layer.forward(outs[-1])
            outs.append(out)
            caches.append(cache)
        return outs, caches

    def integrals(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """∫ ∂out/∂z dt of the first layer over pieces of the line (n, j), and how far off they may be (n,)."""
        half = (high - low) / 2
        t = (low + half)[:, None] + half[:, None] * _NODES
        outs, caches = self.outs(t.reshape(-1))
        error = np.zeros_like(outs[-1])
        error[:, self.output] = 1.0
        for layer, cache in zip(self.network.layers[:0:-1], caches[::-1], strict=True):
            error, _ = layer.backward(error, cache)  # type: ignore[arg-type]
        delta = error.reshape(*t.shape, -1) * half[:, None, None]
        found, coarse = (np.einsum("k,nkj->nj", weights, delta) for weights in (_KRONROD, _GAUSS))
        value = outs[-1][:, self.output].reshape(t.shape)
        missed = np.abs(value[:, -1] - value[:, 0] - found @ self.slope) - _LAST_DIGITS * np.abs(value[:, 0])
        return found, np.maximum(missed, np.abs(((found - coarse) @ self.first.W) * self.step).sum(axis=1))


def _knots(line: _Line) -> Floats:
    """Where the line is cut: into equal pieces, and where a unit of any layer is at a kink."""
    found, straight = np.linspace(0.0, 1.0, _PIECES + 1), True
    for index, layer in enumerate(line.network.layers):
        if isinstance(layer, Activation) and layer.function in ACTIVATIONS:
            for kink in ACTIVATIONS[layer.function].kinks:
                found = np.union1d(found, _crossings(line, index, found, kink, straight=straight))
            straight = straight and layer.function in _STRAIGHT
        elif isinstance(layer, LayerNorm):
            straight = False
    return found


def _crossings(line: _Line, layer: int, knots: Floats, level: float, *, straight: bool) -> Floats:
    """Where what goes into a layer crosses a level between two knots: exactly, if it is straight there."""
    found = []
    for k in _starts(knots[:-1], line.rows):
        t = knots[k : k + line.rows + 1]
        above = line.outs(t, layer)[0][-1] - level
        piece, unit = np.nonzero(np.sign(above[:-1]) * np.sign(above[1:]) < 0)
        before, after = above[piece, unit], above[piece + 1, unit]
        root = t[piece] + (t[piece + 1] - t[piece]) * (before / (before - after))
        if not straight:
            for j in _starts(root, line.rows):
                part = slice(j, j + line.rows)
                ends = t[piece[part]], t[piece[part] + 1]
                root[part] = _polished(line, layer, unit[part], level, ends, (before[part], root[part]))
        found.append(root)
    return np.concatenate(found)


def _polished(
    line: _Line, layer: int, unit: Ints, level: float, ends: tuple[Floats, Floats], guess: tuple[Floats, Floats]
) -> Floats:
    """Crossings (n,), one unit each, by the secant method from a first end's value and a first guess."""
    (old, high), (value, root) = ends, guess
    for _ in range(_SECANTS):
        new = line.outs(root, layer)[0][-1][np.arange(len(unit)), unit] - level
        slope = np.divide(new - value, root - old, out=np.zeros_like(new), where=root != old)
        following = root - np.divide(new, slope, out=np.zeros_like(new), where=slope != 0)
        old, value, root = root, new, np.clip(following, ends[0], high)
    return root
