"""One step of one weight: what each of the step's examples added."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from backlight.explanation.parts import Parts, add_up
from backlight.explanation.places import Weight
from backlight.explanation.steps import OpenedStep
from backlight.explanation.telling import sum_text
from backlight.plots import Bars, Block, Heading, Text, number
from backlight.plots.shown import Shown
from backlight.training import Training

_SHOWN: Final = 20


@dataclass(frozen=True, repr=False)
class StepExamples(Shown):
    """What each example of a step added to a weight.

    Attributes:
        weight: the weight's name LAYER:TO:FROM.
        step: how many steps had been taken before it.
        count: how many examples the step had.
        along: how many of them pulled the way that the gradient part went.
        parts: the loudest examples' shares of the gradient part and the rest; the whole is the gradient part.
        limit: the most that rounding can amount to.
    """

    weight: str
    step: int
    count: int
    along: int
    parts: Parts
    limit: float

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Weight {self.weight}, the examples of the step from {self.step:,} to {self.step + 1:,}"

    def blocks(self) -> list[Block]:
        """The explanation as blocks."""
        names = tuple(part.name for part in self.parts.parts)
        values = tuple(part.value for part in self.parts.parts)
        return [
            Heading(self.title),
            Text(
                f"The gradients of the {self.count:,} examples together moved it by {number(self.parts.whole)}; "
                f"{self.along:,} of them pulled that way. Momentum, decay, penalties and clipping come on top."
            ),
            Bars(names, values, "what each example added"),
            sum_text(self.parts),
        ]


def examples_of(
    training: Training, weight: Weight, first: int, step: OpenedStep, name_of: Callable[[int], str]
) -> StepExamples | None:
    """The examples of a step, the loudest first; None where they were not asked for.

    Args:
        training: the training.
        weight: the weight that was opened.
        first: how many steps had been taken before.
        step: the step.
        name_of: the name of a row's example.
    """
    if step.shares is None:
        return None
    rows, values = step.shares.rows.tolist(), step.shares.values
    precision, rounded = float(np.finfo(training.network.dtype).eps), training.network.dtype != np.float64
    limit = precision * (len(rows) + 4) * float(np.abs(values).sum())
    rounding = [("rounding", step.gradient - math.fsum(values.tolist()))] if rounded else []
    named = list(zip(map(name_of, rows), values.tolist(), strict=True))
    along = int((values * step.gradient > 0).sum())
    parts = add_up([*named, *rounding], whole=step.gradient).shortened(_SHOWN)
    return StepExamples(str(weight), first, len(rows), along, parts, limit)
