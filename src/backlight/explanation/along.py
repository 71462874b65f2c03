"""The cost along one weight, measured: a curve, and its tangent at the present value."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.engine import Examples
from backlight.errors import InputError, whole_number
from backlight.explanation.moment import Moment
from backlight.explanation.nudge import nudged_losses, speak, weight_in_words, weight_value
from backlight.explanation.passes import check_examples, chunks
from backlight.explanation.places import Weight, check_weight
from backlight.plots import Block, Curve, Heading, Text, number
from backlight.plots.shown import Shown


@dataclass(frozen=True)
class Line:
    """The cost along one weight.

    Attributes:
        cost: C, the mean loss.
        slope: ∂C/∂w.
        changes: C(w + amount) − C(w), measured, for every amount (k,).
    """

    cost: float
    slope: float
    changes: Floats


def along(moment: Moment, examples: Examples, weight: Weight, amounts: Floats) -> Line:
    """The cost, its slope, and its changes as one weight is moved by several amounts, over all examples.

    Args:
        moment: the network; nothing of it is changed.
        examples: what the cost is the mean of.
        weight: which weight.
        amounts: what is added to it (k,).
    """
    network, loss, count = moment.network, moment.loss, examples.source.count
    cost, slope, changes = 0.0, 0.0, np.zeros(len(amounts))
    for _, xs, ys in chunks(examples):
        trace = network.forward(xs)
        spoken = speak(network, trace, ys, loss, weight)
        cost += float(spoken.losses.sum())
        slope += float(spoken.slopes.sum())
        for k, amount in enumerate(amounts.tolist()):
            if amount:
                changes[k] += (nudged_losses(network, trace, ys, loss, weight, amount) - spoken.losses).sum()
    return Line(cost / count, slope / count, changes / count)


def checked_amount(what: str, value: float) -> float:
    """A finite number that is not 0.

    Raises:
        InputError: it is something else.
    """
    if not np.isfinite(value) or value == 0:
        raise InputError(f"{what} is {value}; it must be a finite number that is not 0")
    return float(value)


@dataclass(frozen=True, repr=False)
class CostAlong(Shown):
    """The cost along one weight: a curve, and its tangent at the weight's present value.

    Attributes:
        weight: LAYER:TO:FROM and what it joins.
        when: the moment, in words.
        count: n, how many examples the cost is the mean of.
        value: the weight as it is.
        cost: C there.
        slope: ∂C/∂w there: rise over run.
        values: of the weight along the curve (k,).
        costs: C at each (k,).
        run: a step to the right, from the present value to the next point of the curve.
        rise: by how much the tangent rises over the run, slope · run.
        measured_rise: by how much the curve itself rises over it.
        lowest: the value of the weight at which the curve is lowest.
    """

    weight: str
    when: str
    count: int
    value: float
    cost: float
    slope: float
    values: tuple[float, ...]
    costs: tuple[float, ...]
    run: float
    rise: float
    measured_rise: float
    lowest: float

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"The cost along weight {self.weight}, {self.when}"

    def blocks(self) -> list[Block]:
        """The curve as blocks."""
        way = "up" if self.slope < 0 else "down"
        wish = "The curve is flat here." if self.slope == 0 else f"So the cost falls as the weight goes {way}."
        return [
            Heading(self.title, 1),
            Curve(
                self.values,
                self.costs,
                (self.value, self.cost, self.slope),
                ("the weight", "the cost"),
                f"the mean loss of {self.count:,} examples; all other weights stay as they are",
            ),
            Text(
                f"The slope is rise over run: {number(self.rise)} / {number(self.run)} = {number(self.slope)}. {wish} "
                f"Over the same run the curve itself rises by {number(self.measured_rise)}."
            ),
            Text(
                f"Now the weight is {number(self.value)} and the cost {number(self.cost)}; on this stretch the cost is "
                f"lowest, {number(min(self.costs))}, at {number(self.lowest)}.",
                "note",
            ),
        ]


def cost_along(moment: Moment, x: Any, y: Any, weight: Weight, span: float = 1.0, points: int = 41) -> CostAlong:
    """Measure the cost as one weight goes from `span` below its present value to `span` above it.

    Every point is a measured mean loss, in float64; the tangent's slope is the gradient that backpropagation gives.

    Args:
        moment: the network; nothing of it is changed.
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j).
        weight: which weight; a source of None is the bias.
        span: how far the weight is moved to either side.
        points: of the curve; an odd number, so that the present value is one of them.

    Raises:
        InputError: there is no such weight, the span is not a finite number above 0, the points are not an odd number
            of at least 3, or x or y does not fit.

    Example:
        >>> from backlight import Network
        >>> from backlight.explanation import open_moment
        >>> moment = open_moment(Network.mlp(2, 3, 2, seed=0))
        >>> told = cost_along(moment, [[0.5, -1.0], [1.0, 0.0]], [0, 1], Weight(2, 0, 0), points=5)
        >>> [round(cost, 3) for cost in told.costs], round(told.slope, 3)
        ([0.445, 0.445, 0.577, 0.779, 1.021], 0.348)
    """
    check_weight(moment.network, weight)
    if checked_amount("the span", span) < 0:
        raise InputError(f"the span is {span}; it must be a finite number above 0")
    if whole_number("the number of points", points, 3) % 2 == 0:
        raise InputError(f"the number of points is {points}; it must be odd, so that the present value is one of them")
    examples = check_examples(moment, x, y)
    middle = points // 2
    amounts = span * (np.arange(points) - middle) / middle
    line = along(moment, examples, weight, amounts)
    value = weight_value(moment.network, weight)
    run, costs = float(amounts[middle + 1]), line.cost + line.changes
    return CostAlong(
        weight=weight_in_words(moment, weight),
        when=moment.when,
        count=examples.source.count,
        value=value,
        cost=line.cost,
        slope=line.slope,
        values=tuple((value + amounts).tolist()),
        costs=tuple(costs.tolist()),
        run=run,
        rise=line.slope * run,
        measured_rise=float(line.changes[middle + 1]),
        lowest=float(value + amounts[int(costs.argmin())]),
    )
