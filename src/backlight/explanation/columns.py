"""Which columns an answer rests on: the change from the average row to an example, shared out over the columns."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats
from backlight.engine.threads import Threads
from backlight.errors import InputError, nearest, whole_number
from backlight.explanation.cells import cells_of
from backlight.explanation.line import integrated_gradients
from backlight.explanation.moment import Moment, Subject, open_moment
from backlight.explanation.parts import Parts, add_up
from backlight.plots import Bars, Block, Gallery, Heading, Picture, Table, Text, number
from backlight.plots.blocks import Cell
from backlight.plots.shown import Shown

_ROWS: Final = 12
_AVERAGE_ROW: Final = "the average row of the training part"
_AVERAGE_IMAGE: Final = "the average image of the training part"


@dataclass(frozen=True)
class Contribution:
    """What one original column adds.

    Attributes:
        column: its name.
        value: the example's cell, in the column's own units or words; None where it cannot be read back.
        average: the same of the row that the example is compared with.
        contribution: what it adds to the change of the output, in the output's units.
    """

    column: str
    value: Cell
    average: Cell
    contribution: float


@dataclass(frozen=True, repr=False)
class Contributions(Shown):
    """Which columns one answer rests on.

    Attributes:
        example: its name.
        when: the moment, in words.
        output: what is shared out: "the probability of Gentoo", or a quantity in its own units.
        value: the output for the example.
        baseline: what the example is compared with, in words.
        average: the output for that.
        columns: every original column, in order; its one-hot and missing-value inputs together.
        sum: of all contributions.
        whole: value − average, from two forward passes.
        points: at how many points between the two the gradient was computed.
    """

    example: str
    when: str
    output: str
    value: float
    baseline: str
    average: float
    columns: tuple[Contribution, ...]
    sum: float
    whole: float
    points: int
    image: tuple[int, ...] | None = field(repr=False, default=None)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Which {'columns' if self.image is None else 'places'} {self.example} rests on, {self.when}"

    @property
    def parts(self) -> Parts:
        """The contributions by column, beside the whole."""
        return add_up(((part.column, part.contribution) for part in self.columns), self.whole)

    def blocks(self) -> list[Block]:
        """The contributions as blocks: a picture for images, the largest for columns."""
        return [Heading(self.title, 1), *self.section()[1:]]

    def section(self) -> list[Block]:
        """The same as a section of a larger explanation."""
        told = (
            f"For {self.example}, {self.output} is {number(self.value)}; for {self.baseline}, {number(self.average)}."
        )
        what = "place" if self.image is not None else "column"
        how = (
            f"Each part is what going over from there to this example added through that {what} (integrated "
            "gradients): above 0 it raised the answer, below 0 it lowered it."
        )
        shares = self._picture() if self.image is not None else self._rows()
        added = Text(f"Sum {number(self.sum)} = whole {number(self.whole)}, computed apart.", "note")
        return [Heading(f"Which {what}s it rests on"), Text(told), *shares, added, Text(how, "note")]

    def _picture(self) -> list[Block]:
        assert self.image is not None
        image, average, heat = (
            np.array(values, float).reshape(self.image)
            for values in zip(*((part.value, part.average, part.contribution) for part in self.columns), strict=True)
        )
        pictures = (
            Picture(image, caption="the image"),
            Picture(heat if heat.ndim == 2 else heat.sum(axis=2), signed=True, caption="what each place adds"),
            Picture(average, caption="the average image"),
        )
        return [Gallery(pictures)]

    def _rows(self) -> list[Block]:
        ranked = sorted(self.columns, key=lambda part: -abs(part.contribution))
        shown = self.parts.shortened(_ROWS).parts
        rows: list[tuple[Cell, ...]] = [
            (part.column, _plain(part.value), _plain(part.average), part.contribution) for part in ranked[:_ROWS]
        ]
        if len(ranked) > _ROWS:
            rows.append((f"the other {len(ranked) - _ROWS:,}", None, None, shown[-1].value))
        return [
            Bars(tuple(part.name for part in shown), tuple(part.value for part in shown), "what each column adds"),
            Table(("column", "here", "on average", "adds"), tuple(rows), signed=(3,)),
        ]


def _plain(cell: Cell) -> Cell:
    """A cell as people write it: a year without a comma."""
    return f"{cell:.5g}" if isinstance(cell, float) and abs(cell) < 1e5 else cell


def contributions(
    subject: Subject,
    x: Any,
    *,
    output: str | int | None = None,
    at: str | int | None = None,
    baseline: Any = None,
    name: str = "the example",
) -> Contributions:
    """Share the change of one output, from the average row to an example, out over the original columns.

        contribution_c = Σ_{i in c} (x_i − x̄_i) ∫₀¹ ∂out/∂x_i (x̄ + t (x − x̄)) dt

    In float64, and the parts add up to the change of the output to about 10⁻¹² of it; `sum` and `whole` stand beside
    each other. For classes and labels the output is a probability, for quantities the value in its own units.

    Args:
        subject: a network, a run, a run's folder, or an opened moment.
        x: the example's inputs (i,), as the network sees them.
        output: the name or the number of the output; the largest unless given, for quantities the first.
        at: for a run: 0, a step, "best" (the default) or "last".
        baseline: inputs (i,) to compare with; the average row of a run's training part unless given, and zeros for a
            network on its own.
        name: what the example is called.

    Raises:
        InputError: x or the baseline does not fit, there is no such output or moment, or an output is not finite.

    Source: Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", arXiv:1703.01365.

    Example:
        >>> from backlight import Network
        >>> network = Network.mlp(2, 1, output="identity", seed=0)
        >>> told = contributions(network, [0.5, -1.0])
        >>> [round(part.contribution, 4) for part in told.columns], round(told.whole, 4)
        ([-0.5913, -0.958], -1.5493)
    """
    moment = open_moment(subject, at)
    end = _one_row(moment, x, "x")
    start, called = _compared(moment, baseline)
    both = moment.network.forward(np.stack([start, end])).out
    j = _output_number(moment, output, both[1])
    if not np.isfinite(both[:, j]).all():
        raise InputError(f"the output {moment.outputs[j]} is {both[1, j]} here and {both[0, j]} for {called}; no parts")
    with Threads().limited():
        shared = integrated_gradients(moment.network, start, end, j)
    unit, middle = (moment.quantities.std[j], moment.quantities.mean[j]) if moment.quantities else (1.0, 0.0)
    spans = [(name, i, i + 1) for i, name in enumerate(moment.inputs)]
    here: list[Cell] = list(end.tolist())
    there: list[Cell] = list(start.tolist())
    if moment.run is not None:
        inputs = moment.dataset.inputs
        spans, here, there = list(inputs.spans), cells_of(inputs, end), cells_of(inputs, start)
    parts = tuple(
        Contribution(column, cell, average, unit * float(shared.shares[first:last].sum()))
        for (column, first, last), cell, average in zip(spans, here, there, strict=True)
    )
    added = add_up(((part.column, part.contribution) for part in parts), unit * float(both[1, j] - both[0, j]))
    return Contributions(
        example=name,
        when=moment.when,
        output=_in_words(moment, j),
        value=unit * float(both[1, j]) + middle,
        baseline=called,
        average=unit * float(both[0, j]) + middle,
        columns=parts,
        sum=added.sum,
        whole=added.whole,
        points=shared.points,
        image=moment.image,
    )


def _one_row(moment: Moment, x: Any, what: str) -> Floats:
    """One row of inputs (i,) in float64."""
    x = np.asarray(x)
    rows = moment.network.as_inputs(x[None] if x.ndim == 1 else x)
    if len(rows) != 1:
        raise InputError(f"one example is explained at a time, and {what} has {len(rows)} rows")
    if not np.isfinite(rows).all():
        raise InputError(f"{what} is {rows[~np.isfinite(rows)][0]} in one place; every input must be a finite number")
    row: Floats = rows[0]
    return row


def _compared(moment: Moment, baseline: Any) -> tuple[Floats, str]:
    if baseline is not None:
        return _one_row(moment, baseline, "baseline"), "the given baseline"
    if moment.run is None:
        return np.zeros(moment.network.inputs), "inputs that are all 0"
    return moment.average, _AVERAGE_ROW if moment.image is None else _AVERAGE_IMAGE


def _output_number(moment: Moment, output: str | int | None, out: Floats) -> int:
    """The number of an output that was given by name or number; the largest, or a first quantity, unless given."""
    if output is None:
        return 0 if moment.quantities is not None else int(out.argmax())
    if isinstance(output, str):
        if output not in moment.outputs:
            raise InputError(f"there is no output {output!r}; {nearest(output, list(moment.outputs))}")
        return moment.outputs.index(output)
    if whole_number("output", output, 0) >= len(out):
        raise InputError(f"output {output} was asked for, and there are outputs 0 to {len(out) - 1}")
    return int(output)


def _in_words(moment: Moment, j: int) -> str:
    """What an output is: a quantity's name, or the probability of a class or label."""
    if moment.run is None or moment.quantities is not None:
        return moment.outputs[j]
    kind = "probability of" if moment.network.output in {"softmax", "logistic"} else "output"
    return f"the {kind} {moment.outputs[j]}"
