"""Two weights compared by nudging each: measured changes of the cost beside predicted ones."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats
from backlight.explanation.along import along, checked_amount
from backlight.explanation.moment import Subject, open_moment
from backlight.explanation.nudge import weight_in_words, weight_value
from backlight.explanation.passes import check_examples
from backlight.explanation.places import Weight, parse_weight
from backlight.plots import Block, Heading, Table, Text, number
from backlight.plots.shown import Shown

NUDGES: Final = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""The nudges that are tried, the largest first."""

CLOSE: Final = 1e-3
"""A nudge is small enough once measured changes are within this share of the predicted ones."""


@dataclass(frozen=True)
class Nudged:
    """One weight, nudged.

    Attributes:
        weight: LAYER:TO:FROM and what it joins.
        value: the weight as it is.
        slope: ∂C/∂w.
        predicted: slope times nudge.
        measured: C(w + nudge) − C(w).
    """

    weight: str
    value: float
    slope: float
    predicted: float
    measured: float


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two weights compared: how sensitive the cost is to each.

    Attributes:
        when: the moment, in words.
        count: n, how many examples the cost is the mean of.
        cost: C, the mean loss.
        nudge: what was added to each weight in turn.
        first: the one.
        second: the other.
        ratio: |slope of the first| / |slope of the second|; None where the second's is 0.
        measured_ratio: the same of the measured changes.
    """

    when: str
    count: int
    cost: float
    nudge: float
    first: Nudged
    second: Nudged
    ratio: float | None
    measured_ratio: float | None

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Two weights compared, {self.when}"

    @property
    def sentence(self) -> str:
        """The comparison in words, the more sensitive weight first."""
        more, less = self._by_slope()
        if less.slope == 0:
            silent = "either weight" if more.slope == 0 else less.weight
            return f"The cost does not change with {silent}."
        times = abs(more.slope / less.slope)
        return f"The cost is {number(times)} times as sensitive to {more.weight} as to {less.weight}."

    def _by_slope(self) -> list[Nudged]:
        return sorted((self.first, self.second), key=lambda one: -abs(one.slope))

    def blocks(self) -> list[Block]:
        """The comparison as blocks: the sentence, and predicted beside measured changes."""
        both = (self.first, self.second)
        rows = tuple((one.weight, one.value, one.slope, one.predicted, one.measured) for one in both)
        more, less = self._by_slope()
        measured = f" Measured, it is {number(abs(more.measured / less.measured))} times." if less.measured else ""
        return [
            Heading(self.title, 1),
            Text(self.sentence),
            Table(("weight", "value", "∂C/∂w", "predicted change", "measured change"), rows, signed=(2, 3, 4)),
            Text(
                f"Each was made larger by {number(self.nudge)} alone; the cost over {self.count:,} examples is "
                f"{number(self.cost)}.{measured}",
                "note",
            ),
        ]


def compare(
    subject: Subject,
    x: Any,
    y: Any,
    first: Weight | str,
    second: Weight | str,
    nudge: float | None = None,
    *,
    at: str | int | None = None,
) -> Comparison:
    """Compare how sensitive the cost is to two weights, and measure it: nudge each by the same small amount.

        predicted = ∂C/∂w · nudge,  measured = C(w + nudge) − C(w)

    Unless given, the nudge is the largest of 10⁻² … 10⁻⁶ at which both measured changes are within a thousandth of
    the predicted ones, or the one that comes closest. All in float64.

    Args:
        subject: a network, a run, a run's folder, or an opened moment; nothing of it is changed.
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j).
        first: the one weight, LAYER:TO:FROM.
        second: the other.
        nudge: what is added to each.
        at: for a run: 0, a step, "best" (the default) or "last".

    Raises:
        InputError: there is no such weight, the nudge is 0 or not finite, or x or y does not fit.

    Example:
        >>> from backlight import Network
        >>> network = Network.mlp(2, 3, 2, seed=0)
        >>> told = compare(network, [[0.5, -1.0], [1.0, 0.0]], [0, 1], "2:0:0", "2:0:b")
        >>> told.sentence
        'The cost is 1.101 times as sensitive to 2:0:0 (from 0:0 to output 0) as to 2:0:b (bias of output 0).'
    """
    moment = open_moment(subject, at)
    weights = [parse_weight(str(weight), moment.network) for weight in (first, second)]
    amounts = NUDGES if nudge is None else (checked_amount("the nudge", nudge),)
    examples = check_examples(moment, x, y)
    lines = [along(moment, examples, weight, np.array(amounts)) for weight in weights]
    cost = lines[0].cost
    slopes = np.array([line.slope for line in lines])
    measured = np.array([line.changes for line in lines])
    best = _small_enough(slopes, measured, np.array(amounts))
    found = [
        Nudged(
            weight_in_words(moment, weight),
            weight_value(moment.network, weight),
            line.slope,
            line.slope * amounts[best],
            float(line.changes[best]),
        )
        for weight, line in zip(weights, lines, strict=True)
    ]
    return Comparison(
        when=moment.when,
        count=examples.source.count,
        cost=cost,
        nudge=amounts[best],
        first=found[0],
        second=found[1],
        ratio=abs(found[0].slope / found[1].slope) if found[1].slope else None,
        measured_ratio=abs(found[0].measured / found[1].measured) if found[1].measured else None,
    )


def _small_enough(slopes: Floats, measured: Floats, amounts: Floats) -> int:
    """The number of the largest amount at which both weights' measured changes (2, k) are close to the predicted."""
    predicted = slopes[:, None] * amounts
    away = np.abs(measured - predicted)
    relative = np.divide(away, np.abs(predicted), out=np.zeros_like(away), where=predicted != 0).max(axis=0)
    close = np.flatnonzero(relative <= CLOSE)
    return int(close[0]) if len(close) else int(relative.argmin())
