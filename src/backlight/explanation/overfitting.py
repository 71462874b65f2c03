"""The step that one example alone would take, and what it does to all the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError, number_within, whole_number
from backlight.explanation.desires import Example, open_example
from backlight.explanation.moment import Moment
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.passes import all_losses, check_examples, example_names
from backlight.explanation.telling import parts_table
from backlight.network import Network
from backlight.plots import Bars, Block, Heading, Table, Text, number
from backlight.plots.shown import Shown

_SHOWN: Final = 8


@dataclass(frozen=True)
class Changed:
    """One example's loss before and after the step.

    Attributes:
        name: of the example.
        number: n, its place among the examples; None where it is not among them.
        before: its loss before.
        after: its loss after.
    """

    name: str
    number: int | None
    before: float
    after: float


@dataclass(frozen=True, repr=False)
class OverfittingStep(Shown):
    """What one example alone would have done to all the others: measured, not estimated.

    Attributes:
        when: the moment, in words.
        lr: the learning rate of the step.
        own: the example's own loss before and after; its number is None where it is not among the examples.
        predicted: the own change that its gradient foretells, −lr ‖∂loss/∂θ‖².
        before: every example's loss before the step (n,).
        after: every example's loss after it (n,).
        better: how many of the others have a smaller loss after it.
        worse: how many of the others have a larger one.
        same: how many of the others have the same, to the last bit.
        others: the mean change of the others' losses; None where there are no others.
        helped: the others whose loss falls most.
        hurt: the others whose loss grows most.
        parts: what its own change (where it is among the examples), those who got better and those who got worse add
            to the change of the mean loss; the whole is the difference of the mean losses.
    """

    when: str
    lr: float
    own: Changed
    predicted: float
    before: Floats = field(compare=False)
    after: Floats = field(compare=False)
    better: int
    worse: int
    same: int
    others: float | None
    helped: tuple[Changed, ...]
    hurt: tuple[Changed, ...]
    parts: Parts

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"If {self.own.name} alone had its way, {self.when}"

    def blocks(self) -> list[Block]:
        """The step as blocks: its own gain, and what it does to the others."""
        own = self.own.after - self.own.before
        shown = sorted((*self.helped, *self.hurt), key=lambda entry: entry.after - entry.before)
        rows = tuple((entry.name, entry.before, entry.after, entry.after - entry.before) for entry in shown)
        count = self.better + self.worse + self.same
        others: list[Block] = [
            Text(
                f"Of the {count:,} others {self.better:,} get better, {self.worse:,} worse and {self.same:,} stay as "
                f"they were; on average their loss changes by {number(self.others or 0.0)}."
            ),
            Bars(tuple(row[0] for row in rows), tuple(row[3] for row in rows), "change of the others' losses"),
            Table(("example", "loss before", "after", "change"), rows, signed=(3,)),
        ]
        return [
            Heading(self.title, 1),
            Text(
                f"One step of learning rate {number(self.lr)} along its own wishes takes its loss from "
                f"{number(self.own.before)} to {number(self.own.after)}, a change of {number(own)} "
                f"(foretold by its gradient: {number(self.predicted)})."
            ),
            *(others if rows else []),
            parts_table("What adds up to the change of the mean loss", self.parts),
        ]


def overfitting_step(
    moment: Moment, x: Any, y: Any, one: int | Example, lr: float, names: Sequence[str] | None = None
) -> OverfittingStep:
    """Take the step that one example's own gradient would take, on a copy, and measure every example's loss.

        θ′ = θ − lr ∂loss_one/∂θ

    All in float64: two forward passes over all examples.

    Args:
        moment: the network; nothing of it is changed.
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j).
        one: which of them steps, counted from 0; or an opened example that is not among them.
        lr: the learning rate of plain descent.
        names: one name per example.

    Raises:
        InputError: there is no such example, the learning rate is not above 0, or x, y or names do not fit.

    Example:
        >>> from backlight import Network
        >>> from backlight.explanation import open_moment
        >>> moment = open_moment(Network.mlp(2, 3, 2, seed=0))
        >>> step = overfitting_step(moment, [[0.5, -1.0], [1.0, 0.0]], [0, 1], one=0, lr=0.1)
        >>> step.own.after < step.own.before, step.better + step.worse + step.same
        (True, 1)
    """
    examples = check_examples(moment, x, y)
    count = examples.source.count
    called = example_names(count, names)
    if number_within("lr", lr, 0.0, float("inf")) == 0:
        raise InputError("lr is 0, so that no step would be taken; give a number above 0")
    place, stepping = None, one
    if not isinstance(stepping, Example):
        place = _place(stepping, count)
        stepping = open_example(
            moment, examples.source.array[place], examples.targets(np.array([place]))[0], called[place]
        )
    gradient = stepping.backward.gradient()
    stepped = moment.network.copy()
    stepped.params[...] -= lr * gradient
    before, after = (all_losses(net, moment.loss, examples) for net in (moment.network, stepped))
    change = after - before
    others = np.arange(count) if place is None else np.delete(np.arange(count), place)
    ranked = others[np.argsort(change[others], kind="stable")]

    def entry(n: int) -> Changed:
        return Changed(called[n], int(n), float(before[n]), float(after[n]))

    return OverfittingStep(
        when=moment.when,
        lr=float(lr),
        own=entry(place) if place is not None else _apart(stepping, stepped),
        predicted=-float(lr * (gradient @ gradient)),
        before=before,
        after=after,
        better=int((change[others] < 0).sum()),
        worse=int((change[others] > 0).sum()),
        same=int((change[others] == 0).sum()),
        others=float(change[others].mean()) if len(others) else None,
        helped=tuple(entry(n) for n in ranked[:_SHOWN] if change[n] < 0),
        hurt=tuple(entry(n) for n in ranked[::-1][:_SHOWN] if change[n] > 0),
        parts=_parts(change, place, float(after.mean() - before.mean())),
    )


def _place(one: int, count: int) -> int:
    if whole_number("the example's number", one, 0) >= count:
        raise InputError(f"example {one} was asked for; there are examples 0 to {count - 1}")
    return int(one)


def _apart(example: Example, stepped: Network) -> Changed:
    """The own change of an example that is not among the others."""
    after = stepped.losses(stepped.forward(example.trace.x), example.targets[None], example.moment.loss)
    return Changed(example.name, None, float(example.backward.losses[0]), float(after[0]))


def _parts(change: Floats, place: int | None, whole: float) -> Parts:
    others = change if place is None else np.delete(change, place)
    named = [] if place is None else [("its own change", float(change[place]))]
    named += [
        ("those who get better", float(others[others < 0].sum())),
        ("those who get worse", float(others[others > 0].sum())),
    ]
    return add_up([(name, value / len(change)) for name, value in named], whole)
