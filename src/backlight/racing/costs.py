"""What one full gradient costs: by backpropagation, and by nudging every weight."""

import math
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import FloatName, Floats, Ints
from backlight.engine import Examples, Session, Task, WholeObjective, compile_program, open_session, row_source
from backlight.network import Network
from backlight.plots import Block, Heading
from backlight.plots.shown import Shown
from backlight.racing.nudging import nudged_gradient, nudged_slopes
from backlight.racing.timing import Work, interleaved, repeated
from backlight.training import SGD

SIZES: Final = tuple(round(10 ** (half / 2)) for half in (*range(2, 11), 12, 14))
"""Numbers of weights that are measured: from 10 two to each factor of ten, then a million, and ten."""

EXAMPLES: Final = 1000
"""Examples that every gradient is of."""

FEASIBLE: Final = 2.0
"""Seconds that nudging every weight may take to be measured; beyond, it is N + 1 forward passes, and marked so."""

_CLASSES: Final = 2
_COMPARED: Final = 300
_MOST: Final = 15
_SECONDS: Final = 0.01
_ALL_SECONDS: Final = 0.5


@dataclass(frozen=True)
class GradientCost:
    """What one gradient of one network costs.

    Attributes:
        weights: N, how many weights and biases the network has.
        widths: of inputs, hidden layers and outputs.
        forward_seconds: of one forward pass with its losses.
        backpropagation_seconds: of the gradient and the losses by backpropagation.
        nudging_seconds: of the gradient by nudging every weight, N + 1 forward passes.
        extrapolated: whether that is N + 1 times the forward pass, rather than measured.
    """

    weights: int
    widths: tuple[int, ...]
    forward_seconds: float
    backpropagation_seconds: float
    nudging_seconds: float
    extrapolated: bool

    @property
    def nudging_over_backpropagation(self) -> float:
        """How many times as long nudging takes."""
        return self.nudging_seconds / self.backpropagation_seconds

    @property
    def backpropagation_over_forward(self) -> float:
        """How many forward passes backpropagation is worth."""
        return self.backpropagation_seconds / self.forward_seconds

    def to_dict(self) -> dict[str, Any]:
        """Plain data, with both ratios."""
        ratios = {
            name: getattr(self, name) for name in ("nudging_over_backpropagation", "backpropagation_over_forward")
        }
        return {**asdict(self), "widths": list(self.widths), **ratios}


@dataclass(frozen=True, repr=False)
class GradientCosts(Shown):
    """What a gradient costs, from small networks to large ones.

    Attributes:
        rows: one for each network, from small to large.
        difference: the largest difference of the two gradients of a network of about 300 weights in float64, as a
            share of the largest slope; None where it was not measured.
    """

    rows: tuple[GradientCost, ...]
    difference: float | None = None

    @property
    def measured(self) -> tuple[GradientCost, ...]:
        """The networks whose every weight was nudged."""
        return tuple(row for row in self.rows if not row.extrapolated)

    @property
    def exponent(self) -> float | None:
        """The slope of log(nudging / backpropagation) against log(weights), by least squares over what was measured.

        None with fewer than two such networks.
        """
        if len(self.measured) < 2:
            return None
        x = [math.log(row.weights) for row in self.measured]
        y = [math.log(row.nudging_over_backpropagation) for row in self.measured]
        return float(np.polyfit(x, y, 1)[0])

    @property
    def most_forward_passes(self) -> float | None:
        """The most forward passes that a gradient by backpropagation was worth; None where nothing was measured."""
        return max((row.backpropagation_over_forward for row in self.rows), default=None)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return "What one gradient costs"

    def blocks(self) -> list[Block]:
        """The table, the picture, and what they prove."""
        from backlight.racing.cost_blocks import cost_blocks

        return [Heading(self.title, 1), *cost_blocks(self)]

    def to_dict(self) -> dict[str, Any]:
        """`gradient`, a list with an entry for each network, and the `exponent`."""
        return {
            "gradient": [row.to_dict() for row in self.rows],
            "exponent": self.exponent,
            "most_forward_passes": self.most_forward_passes,
            "difference": self.difference,
        }


def gradient_costs(sizes: Sequence[int] = SIZES) -> GradientCosts:
    """Time one full gradient by backpropagation and by nudging every weight.

    Networks w-w-w-2, ReLU and cross-entropy, in float32, 1,000 random examples, one thread, so that nothing is shared
    out differently from size to size. Both passes are timed in turn, 4 to 15 times, and the nudges of every few weights
    3 to 15 times; the quickest counts, which other work on the machine has disturbed least.

    Args:
        sizes: about how many weights the networks have.

    Example:
        >>> costs = gradient_costs([10, 300])
        >>> [row.weights for row in costs.rows], costs.rows[0].extrapolated
        ([8, 288], False)
        >>> costs.rows[1].nudging_over_backpropagation > costs.rows[0].nudging_over_backpropagation
        True
    """
    return GradientCosts(tuple(each_cost(sizes)), difference())


def each_cost(sizes: Sequence[int] = SIZES) -> Generator[GradientCost, None, None]:
    """The networks one after another, as soon as each is measured; arguments as for `gradient_costs`."""
    for parameters in sizes:
        yield _cost(square_widths(parameters, _CLASSES))


def square_widths(parameters: int, outputs: int) -> tuple[int, int, int, int]:
    """The widths w-w-w-outputs of a network of about so many parameters: 2 w (w + 1) + outputs (w + 1).

    Example:
        >>> square_widths(10_000, 10), square_widths(10, 2)
        ((68, 68, 68, 10), (1, 1, 1, 2))
    """
    both = 2 + outputs
    width = max(1, round((-both + math.sqrt(both**2 + 8 * max(parameters - outputs, 0))) / 4))
    return width, width, width, outputs


def passes(session: Session, rows: Ints) -> dict[str, Work]:
    """The two passes over rows of a session's own examples: the `gradient` with its losses, and the losses alone.

    Args:
        session: an engine's session.
        rows: row numbers (n,).
    """
    return {
        "gradient": repeated(lambda: session.gradients(rows)),
        "forward": repeated(lambda: session.losses(session.examples, rows)),
    }


def difference(parameters: int = _COMPARED) -> float:
    """The largest difference of the two gradients of a network in float64, as a share of the largest slope.

    Args:
        parameters: about how many the network has.

    Example:
        >>> difference() < 1e-5
        True
    """
    session, params = _session(square_widths(parameters, _CLASSES), "float64")
    rows = np.arange(EXAMPLES)
    nudged, gradient = nudged_gradient(session, params, rows), session.gradients(rows)[1]
    return float(np.abs(nudged - gradient).max() / np.abs(gradient).max())


def _session(widths: tuple[int, ...], dtype: FloatName = "float32") -> tuple[Session, Floats]:
    """A session on random examples of two classes, and the parameters that it reads."""
    network = Network.mlp(*widths, seed=0, dtype=dtype)
    draws = np.random.default_rng(0)
    x, y = draws.random((EXAMPLES, widths[0]), np.float32), draws.integers(0, _CLASSES, EXAMPLES)
    examples, program = Examples(row_source(x), y), compile_program(network)
    task = Task(program, network.params, examples, SGD(), batch_size=EXAMPLES, seed=0, threads=1)
    return open_session("auto", task), network.params


def _cost(widths: tuple[int, ...]) -> GradientCost:
    session, params = _session(widths)
    rows = np.arange(EXAMPLES)
    works = passes(session, rows)
    once = _quickest({"forward": works["forward"]}, 1)["forward"]
    if once < _SECONDS:
        once = _quickest({"forward": works["forward"]}, _MOST)["forward"]
    seconds = _quickest(works, min(max(round(_ALL_SECONDS / once), 4), _MOST))
    nudging, feasible = (params.size + 1) * seconds["forward"], (params.size + 1) * once <= FEASIBLE
    if feasible:
        nudging = _nudging_seconds(session, params, rows, once)
    return GradientCost(params.size, widths, seconds["forward"], seconds["gradient"], nudging, not feasible)


def _nudging_seconds(session: Session, params: Floats, rows: Ints, once: float) -> float:
    """What it takes to nudge every weight: the quickest of some times for every few weights, added up."""
    objective, few = WholeObjective(session, params), max(1, int(_SECONDS / once))
    start = objective.value(rows)
    stretches = [range(first, min(first + few, params.size)) for first in range(0, params.size, few)]
    quickest = [math.inf] * len(stretches)
    for _ in range(min(max(round(2 * _ALL_SECONDS / (params.size * once)), 3), _MOST)):
        for k, which in enumerate(stretches):
            begun = time.perf_counter()
            nudged_slopes(objective, params, rows, start, which)
            quickest[k] = min(quickest[k], time.perf_counter() - begun)
    return once + sum(quickest)


def _quickest(works: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """The least seconds of each piece of work."""
    return {name: min(each) for name, each in interleaved(works, rounds, _SECONDS, warm=1).items()}
