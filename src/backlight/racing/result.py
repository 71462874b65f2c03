"""What a race has shown: every method's losses, the cost of a gradient, and the curse of dimensionality."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from backlight.plots import Block, Chart, Heading, Line, Table, Text, number
from backlight.plots.blocks import Cell
from backlight.plots.shown import Shown, plain
from backlight.racing.cost_blocks import cost_blocks
from backlight.racing.costs import GradientCosts
from backlight.racing.curse import Curse, curse_blocks
from backlight.racing.durations import duration_of, passes_text
from backlight.racing.runner import Budget, Point

_ALIKE: Final = 1e-3
_FEW: Final = 4
_METRICS: Final = {"accuracy": "accuracy", "exact": "all right", "r2": "R²"}


@dataclass(frozen=True)
class Score:
    """How good a method's best weights are on examples that it has not learnt from.

    Attributes:
        part: of the data.
        metric: "accuracy", "exact" or "r2".
        value: from 0 to 1, or of R² at most 1.
    """

    part: str
    metric: str
    value: float

    @property
    def cell(self) -> Cell:
        """As tables show it."""
        return self.value if self.metric == "r2" else f"{100 * self.value:.2f} %"


@dataclass(frozen=True)
class Raced:
    """One method's race.

    Attributes:
        method: as `backlight train --method` has it, and for a full batch with `=full`.
        name: in words.
        gradient: whether it takes gradients.
        loss: the lowest that was measured, over the training examples, after its first step.
        passes: forward passes over the training examples, or what is worth as much.
        seconds: of its own work.
        ended: why it ended.
        early: whether it ended with budget left.
        score: of the test part, or else validation; None where there is none, or measuring would take too long.
        points: its losses on the way.
        proves: what its numbers prove, in a sentence or two.
    """

    method: str
    name: str
    gradient: bool
    loss: float
    passes: float
    seconds: float
    ended: str
    early: bool
    score: Score | None
    points: tuple[Point, ...]
    proves: str = ""

    def reached(self, loss: float) -> Point | None:
        """The first moment at which its loss was that low, to a thousandth; None if it never was."""
        return next((point for point in self.points if point.loss <= loss + _ALIKE * abs(loss)), None)


@dataclass(frozen=True, repr=False)
class Race(Shown):
    """A race of methods from the same weights with the same budget.

    Attributes:
        data: what was learnt.
        network: which network, in words.
        weights: how many weights and biases it has.
        examples: how many training examples there are.
        measured: of how many of them the losses are.
        seed: of the initial weights and of every draw.
        budget: what every method could spend.
        start: the objective of the untrained network.
        evaluations_per_second: forward passes over all training examples, on this machine.
        methods: one entry for each.
        costs: of one gradient.
        curse: how long it takes to try all combinations.
        interrupted: whether Ctrl-C ended it.
    """

    data: str
    network: str
    weights: int
    examples: int
    measured: int
    seed: int
    budget: Budget
    start: float
    evaluations_per_second: float
    methods: tuple[Raced, ...]
    costs: GradientCosts
    curse: Curse
    interrupted: bool

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"With and without backpropagation: {self.data}, {self.weights:,} weights"

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `methods`, `gradient` with its `exponent`, `curse`, and what was raced."""
        content = {name: getattr(self, name) for name in ("data", "network", "weights", "examples", "measured", "seed")}
        content |= {"seconds": self.budget.seconds, "passes": self.budget.passes, "start": self.start}
        content |= {"evaluations_per_second": self.evaluations_per_second, "interrupted": self.interrupted}
        content["methods"] = [asdict(one) for one in self.methods]
        found = plain(content) | plain(self.costs.to_dict()) | plain(self.curse.to_dict())
        assert isinstance(found, dict)
        return found

    def blocks(self) -> list[Block]:
        """The table, what each row proves, the pictures, the cost of a gradient, and the curse."""
        blocks: list[Block] = [Heading(self.title, 1), Text(self._told()), self._table()]
        if self.interrupted:
            blocks.insert(1, Text("The race was interrupted; this is what was there.", "warning"))
        blocks += [*(Text(f"{one.name}: {one.proves}") for one in self.methods), *self.charts()]
        if self.costs.rows:
            blocks += [Heading(self.costs.title), *cost_blocks(self.costs)]
        own = [row for row in self.curse.rows if row.evaluations_per_second == self.evaluations_per_second]
        others = [row for row in self.curse.rows if row.evaluations_per_second != self.evaluations_per_second]
        rate = f"{number(self.evaluations_per_second)} times a second"
        return [
            *blocks,
            Heading(self.curse.title),
            *curse_blocks(others),
            Text(f"This machine passed all training examples through this network {rate}. At that rate:"),
            *curse_blocks(own)[-1:],
        ]

    def charts(self) -> tuple[Chart, Chart]:
        """Every method's loss against the passes and against the seconds that it spent, all on logarithmic axes."""
        passes = self._chart("forward passes over the training examples", lambda point: point.passes)
        return passes, self._chart("seconds", lambda point: point.seconds)

    def _chart(self, label: str, of: Callable[[Point], float]) -> Chart:
        lines = tuple(
            Line(
                one.name,
                tuple(of(point) for point in one.points),
                tuple(point.loss for point in one.points),
                "trace" if len(one.points) > _FEW else "line",
            )
            for one in self.methods
        )
        return Chart(lines, (label, "loss"), logs=(True, True))

    def _told(self) -> str:
        budget = self.budget
        had = f"{passes_text(budget.passes)} forward" if budget.passes else duration_of(budget.seconds or 0.0)
        text = (
            f"{self.network}; {self.examples:,} training examples. Every method began with the same weights (seed "
            f"{self.seed}, loss {number(self.start)}) and had {had}. A pass with backpropagation counts as three: "
            "forward, errors back, gradients. Of each, the best weights count."
        )
        if self.measured < self.examples:
            text += f" Losses are those of {self.measured:,} of the examples, for all of them take too long."
        return text

    def _table(self) -> Table:
        """A row for each method; why they ended only where that differs, and a score only where there is one."""
        score = next((one.score for one in self.methods if one.score), None)
        columns: dict[str, list[Cell]] = {
            "method": [one.name for one in self.methods],
            "loss": [one.loss for one in self.methods],
            "passes": [one.passes for one in self.methods],
            "seconds": [float(f"{one.seconds:.3g}") for one in self.methods],
        }
        if score is not None:
            columns[f"{score.part} {_METRICS[score.metric]}"] = [
                one.score.cell if one.score else None for one in self.methods
            ]
        if len({one.ended for one in self.methods}) > 1:
            columns["ended because"] = [one.ended for one in self.methods]
        return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)))
