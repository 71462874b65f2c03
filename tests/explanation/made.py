"""Networks and examples to explain, and the definitions that explanations are compared with."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from backlight.arrays import Floats
from backlight.explanation.desires import Example, open_example
from backlight.explanation.moment import Moment, open_moment
from backlight.explanation.parts import Parts
from backlight.explanation.places import Weight
from backlight.network import Activation, Dense, Network
from backlight.network.activations import ACTIVATIONS
from backlight.network.layers import Layer
from backlight.network.losses import LOSSES
from backlight.plots import fragment
from backlight.plots.shown import Shown
from tests import cases

EXACT = 1e-10
HIDDEN = [name for name in cases.ACTIVATIONS if name != "exponential"]  # stacked, that one overflows
SMOOTH = ["sigmoid", "tanh", "softplus", "gelu", "identity"]


@dataclass(frozen=True)
class Problem:
    """A network in float64, its moment, and examples for it."""

    network: Network
    loss: str
    x: Any
    y: Any

    @property
    def moment(self) -> Moment:
        return open_moment(self.network, loss=self.loss)

    def example(self, n: int = 0) -> Example:
        return open_example(self.moment, self.x[n], self.y[n], f"example {n}")

    def losses(self, network: Network | None = None) -> Floats:
        """Every example's loss, one by one."""
        own = network or self.network
        rows = range(len(self.x))
        return np.array([own.losses(own.forward(self.x[n : n + 1]), self.y[n : n + 1], self.loss)[0] for n in rows])

    def cost(self, network: Network | None = None) -> float:
        return float(self.losses(network).mean())

    def gradients(self) -> Floats:
        """Every example's gradient (n, size), by a backward pass of its own."""
        found = []
        for n in range(len(self.x)):
            trace = self.network.forward(self.x[n : n + 1])
            found.append(self.network.backward(trace, self.y[n : n + 1], self.loss).gradient())
        return np.array(found)

    def moved(self, changes: Floats | dict[int, float]) -> Network:
        """A copy whose parameters differ by these changes."""
        other = self.network.copy()
        if isinstance(changes, dict):
            for place, change in changes.items():
                other.params[place] += change
        else:
            other.params[...] += changes
        return other

    def weights(self) -> list[Weight]:
        """All weights and biases, in the order of the parameters."""
        found = []
        for index, dense, _ in self.network.dense_layers():
            found += [Weight(index, j, i) for j in range(dense.units) for i in range(dense.incoming)]
            found += [Weight(index, j, None) for j in range(dense.units)]
        return found

    def pattern(self, network: Network | None = None) -> list[Any]:
        """On which side of every kink of activations and loss each number is."""
        own = network or self.network
        trace = own.forward(self.x)
        return kinks_of(own, trace.outs, trace.out, self.y, self.loss)


def kinks_of(network: Network, outs: Any, a: Floats, y: Any, loss: str) -> list[Any]:
    """The sides of kinks of one forward pass."""
    sides = []
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Activation) and layer.function != "softmax" and ACTIVATIONS[layer.function].kinks:
            sides.append((outs[index - 1] > 0).tolist())
    if loss in LOSSES and LOSSES[loss].kinks:
        error = a - np.asarray(y, float).reshape(a.shape)
        sides += [(error > kink).tolist() for kink in LOSSES[loss].kinks]
    return sides


def problem(
    layers: str = "deep", output: str = "softmax", loss: str = "cross_entropy", *, n: int = 9, seed: int = 3
) -> Problem:
    """The problem of a case."""
    network = cases.network_of(layers, output, seed=seed)
    y = cases.LOSSES[loss].targets(output, n, network.outputs, 1)
    return Problem(network, loss, cases.some((n, cases.INPUTS), 1), y)


def built(layers: list[Layer], loss: str, *, n: int = 9, seed: int = 3) -> Problem:
    """A problem with these layers and biases that are not 0."""
    network = Network(layers, seed=seed, dtype="float64")
    for _, dense, _ in network.dense_layers():
        dense.b[...] = cases.some(dense.b.shape, seed, 0.3)
    output = cases.GROUPED if network.sizes else network.output
    y = cases.LOSSES[loss].targets(output, n, network.outputs, 1)
    return Problem(network, loss, cases.some((n, network.inputs), 1), y)


def unusual() -> dict[str, Problem]:
    """Networks that are not plain: activations in a row, none at all, one layer, a softmax with squared error."""
    several = cases.ending(cases.GROUPED, 6)
    return {
        "two activations in a row": built(
            [Dense(4, 5), Activation("tanh"), Activation("softplus"), Dense(5, 3), Activation("sigmoid"), Dense(3, 2)],
            "squared",
        ),
        "no activation between": built([Dense(4, 5), Dense(5, 3), Activation("tanh"), Dense(3, 2)], "huber"),
        "one layer": built([Dense(4, 3), Activation("softmax")], "cross_entropy"),
        "one linear layer": built([Dense(4, 3)], "squared"),
        "one output": built([Dense(4, 3), Activation("gelu"), Dense(3, 1), Activation("logistic")], "cross_entropy"),
        "softmax with squared error": built(
            [Dense(4, 5), Activation("elu"), Dense(5, 3), Activation("softmax")], "squared"
        ),
        "several questions": built([Dense(4, 5), Activation("elu"), Dense(5, 6), several], "cross_entropy"),
        "several questions with squared error": built(
            [Dense(4, 5), Activation("gelu"), Dense(5, 6), cases.ending(cases.GROUPED, 6)], "squared"
        ),
        "two output activations": built(
            [Dense(4, 5), Activation("gelu"), Dense(5, 3), Activation("tanh"), Activation("softmax")], "cross_entropy"
        ),
    }


@st.composite
def problems(draw: st.DrawFn, hidden: list[str] | None = None) -> Problem:
    """Any network of one to four dense layers of 1 to 12 units, any output and loss, one to six examples."""
    output, loss = draw(st.sampled_from(cases.ENDINGS))
    widths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    widths.append(draw(st.integers(4 if output == cases.GROUPED else 1, 12)))
    function, dropout = draw(st.sampled_from(hidden or HIDDEN)), draw(st.sampled_from([0.0, 0.3]))
    n, seed = draw(st.integers(1, 6)), draw(st.integers(0, 99))
    last = cases.ending(output, widths[-1])
    network = Network.mlp(
        *widths, hidden=function, output=last.function, sizes=last.sizes, dropout=dropout, seed=seed, dtype="float64"
    )
    for _, dense, _ in network.dense_layers():
        dense.b[...] = cases.some(dense.b.shape, seed + dense.incoming, 0.3)
    y = cases.LOSSES[loss].targets(output, n, widths[-1], seed)
    return Problem(network, loss, cases.some((n, widths[0]), seed), y)


def close(found: Any, expected: Any, tolerance: float = EXACT) -> None:
    """Equal to a tolerance, relative to numbers above 1."""
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(expected, float), rtol=tolerance, atol=tolerance)


def adds_up(parts: Parts, tolerance: float = EXACT) -> None:
    """The sum is the sum of the parts, and equals the whole."""
    close(parts.sum, math.fsum(part.value for part in parts.parts), 1e-13)
    close(parts.sum, parts.whole, tolerance)


def measured_slope(f: Callable[[float], float], h: float = 1e-3) -> float:
    """f′(0) by the five-point difference, whose error falls with h⁴."""
    return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h)


def fulfils(f: Callable[[float], tuple[float, Any]], fall: float) -> None:
    """A step of length t along a unit direction changes f as foretold, by −t · fall: ratio 1 ± 1e-3.

    The length is chosen so that the curvature's part of the change is about 1e-4 of it, and is at most 1e-4; drawn
    problems are passed over where a kink lies that near, or where the change would be lost in rounding.

    Args:
        f: the cost after a step of length t, and the sides of the kinks there.
        fall: the fall of the cost per unit of length.
    """
    (here, sides), h = f(0.0), 1e-4
    curvature = abs(f(h)[0] + f(-h)[0] - 2 * here) / h**2
    assume(all(f(t)[1] == sides for t in (-h, -h / 2, h / 2, h)))
    t = min(h, 1e-4 * fall / curvature) if curvature else h
    assume(t * fall > 1e-11 * (1 + abs(here)))
    assert abs((here - f(t)[0]) / (t * fall) - 1) < 1e-3


def from_layer(network: Network, layer: int, out: Floats) -> list[Floats]:
    """What the layers after `layer` give if that layer's output is `out`; begins with `out`."""
    outs = [out]
    for later in network.layers[layer + 1 :]:
        outs.append(later.forward(outs[-1])[0])
    return outs


def loss_from(problem: Problem, example: Example, layer: int, out: Floats) -> tuple[float, Any]:
    """One example's loss if a layer gave `out` (1, j), and the sides of the kinks after it."""
    network, targets = example.moment.network, example.targets[None]
    outs = [*example.trace.outs[:layer], *from_layer(network, layer, out)]
    a, z = outs[-1], outs[-2] if isinstance(network.layers[-1], Activation) else outs[-1]
    loss = np.empty(1)
    network.objective(problem.loss).losses(z, a, targets, loss, [np.empty_like(a), np.empty_like(a)])
    return float(loss[0]), kinks_of(network, outs, a, targets, problem.loss)


def is_plain(record: Shown) -> None:
    """The record turns into JSON, into blocks with a title, and into HTML."""
    assert json.loads(json.dumps(record.to_dict(), allow_nan=False))
    assert record.title in fragment(record.blocks()).replace("&#x27;", "'").replace("&quot;", '"')
    assert record.plot().title == record.title
