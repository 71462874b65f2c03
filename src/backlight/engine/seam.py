"""The seam between training and an engine: what a session is given, and what it can be asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine.program import Program
from backlight.engine.rows import RowSource
from backlight.errors import InputError


@dataclass(frozen=True)
class Rule:
    """An update that the native engine knows.

    Attributes:
        name: "sgd", "momentum" or "adam".
        hyper: its hyperparameters: (), (momentum,) or (b1, b2, eps).
    """

    name: str
    hyper: tuple[float, ...] = ()


class Optimizer(Protocol):
    """What an engine needs of an optimizer."""

    @property
    def name(self) -> str:
        """As in options and files."""

    @property
    def rule(self) -> Rule | None:
        """The update as the native engine knows it; where it is None, that engine calls `update` at every step."""

    @property
    def weight_decay(self) -> float:
        """Decoupled decay: each step also moves every weight by −lr · weight_decay · W."""

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """The optimizer's arrays before the first step, each (size,)."""

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Write the signed amounts to be added to the parameters into `updates`, and bring `state` up to date."""


@dataclass(frozen=True)
class Examples:
    """What is learnt from.

    Attributes:
        source: the inputs (n, i).
        y: class indices (n,), one per group of outputs (n, k), or targets (n, j).
        sample_weight: one weight per example (n,), or None for 1.
    """

    source: RowSource
    y: Array
    sample_weight: Floats | None = None


_MOST_COUPLED: Final = 2**28
"""Examples times units of a layer, where all examples of a batch must pass at once: what memory should hold."""


@dataclass(frozen=True)
class Task:
    """What a session is opened for.

    Attributes:
        program: what to execute.
        params: the network's parameters, and running statistics; the session reads and writes this very array.
        examples: what is learnt from. Row numbers and targets have been checked.
        optimizer: turns gradients into updates.
        batch_size: the most rows that a step will take.
        seed: of dropout's draws.
        threads: how many threads may be used; the engine's own choice if None.
        record_examples: whether `advance` tells each example's loss and squared gradient norm.
    """

    program: Program
    params: Floats
    examples: Examples
    optimizer: Optimizer
    batch_size: int
    seed: int
    threads: int | None = None
    record_examples: bool = False

    def __post_init__(self) -> None:
        """Refuse what batch normalisation cannot do.

        Raises:
            InputError: examples are to be recorded, or the batch is too large to pass at once.
        """
        if not self.program.coupled:
            return
        if self.record_examples:
            raise InputError(
                "examples cannot be recorded while batch normalisation makes each one's loss depend on its whole "
                "batch; take layer normalisation, or ask for explanations, which use its running statistics"
            )
        most = _MOST_COUPLED // max(op.units for op in self.program.norms)
        if self.batch_size > most:
            raise InputError(
                f"batch normalisation passes the {self.batch_size:,} examples of a batch at once, and with layers as "
                f"wide as these that is possible for up to {most:,}: choose a smaller batch size"
            )

    def at_once(self, most: int) -> int:
        """How many rows pass at once: up to `most`, or a whole batch where its examples are coupled."""
        return self.batch_size if self.program.coupled else min(self.batch_size, most)

    def check_rows(self, count: int, epoch: int | None) -> None:
        """Refuse more rows than pass at once where they are coupled.

        Args:
            count: how many rows are to pass.
            epoch: None outside training, where nothing is coupled.

        Raises:
            InputError: they are more than a batch.
        """
        if self.program.coupled and epoch is not None and count > self.batch_size:
            raise InputError(
                f"{count:,} rows are to pass as one batch in training, and the session was opened for "
                f"{self.batch_size:,}; batch normalisation needs them all at once"
            )


@dataclass(frozen=True)
class Stretch:
    """Some steps in a row within one epoch.

    Attributes:
        order: the epoch's row numbers, in the order in which they are visited.
        batch_size: rows per step; the epoch's last step takes what is left.
        first: the first step, counted within the epoch from 0.
        count: how many steps.
        epoch: the epoch, from 0; it places dropout's draws.
        step: how many steps the session had taken before, over all epochs.
        lr: the learning rate; one number, or one per step and dense layer (count, layers).
        weight_decay: decoupled decay in place of the optimizer's own, likewise.
        frozen: dense layers that keep their parameters, by their numbers in the network; a normalisation right behind
            one keeps its own, and batch normalisation then takes its running statistics.
    """

    order: Ints
    batch_size: int
    first: int
    count: int
    epoch: int
    step: int
    lr: float | Floats
    weight_decay: float | Floats | None = None
    frozen: frozenset[int] = frozenset()

    def rows(self, number: int = 0) -> Ints:
        """The row numbers of one of the stretch's steps."""
        start = (self.first + number) * self.batch_size
        return self.order[start : start + self.batch_size]


@dataclass(frozen=True)
class ExamplesSeen:
    """What the examples of a stretch said, in the order in which they were visited.

    Attributes:
        losses: each one's loss when it was visited (m,).
        squared_norms: ‖∂loss_n/∂θ‖² over all layers that learn (m,), Σ_l ‖delta_n‖² (‖a_n‖² + 1).
            Source: Goodfellow, arXiv:1510.01799.
    """

    losses: Floats
    squared_norms: Floats

    def part(self, first: int, end: int) -> "ExamplesSeen":
        """Some of them, as views."""
        return ExamplesSeen(self.losses[first:end], self.squared_norms[first:end])


@dataclass(frozen=True)
class Advance:
    """What a stretch of steps did.

    Attributes:
        objectives: each finished step's objective, before its update.
        finite: False if the step after the last of these had an objective that was not finite; that step was
            dropped before its update.
        interrupted: whether the user's Ctrl-C broke it off; the step in progress was dropped before its update.
        examples: what each example said, where the session records examples.
    """

    objectives: Floats
    finite: bool
    interrupted: bool = False
    examples: ExamplesSeen | None = None


@dataclass(frozen=True)
class Deltas:
    """Forward and deltas only: what every example says, before any weight listens.

    Attributes:
        losses: one loss per example (n,).
        outputs: the network's outputs (n, outputs).
        incoming: for each dense layer, by its number, the incoming activations a (n, i).
        deltas: for each dense layer, by its number, ∂loss_n/∂z (n, j).
    """

    losses: Floats
    outputs: Floats
    incoming: Mapping[int, Floats]
    deltas: Mapping[int, Floats]


class Session(Protocol):
    """One network and one set of examples in an engine's hands. It reads and writes the network's own parameters."""

    program: Program
    examples: Examples

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays, each (size,), to be read and written until the next `advance`."""

    def advance(self, stretch: Stretch) -> Advance:
        """Take the steps of a stretch: gather, forward, backward, update.

        While it runs, the parameters and `state` may be anywhere between two steps, in any order of memory; when it
        returns they are those of the last finished step.
        """

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, drop its step and return."""

    def gradients(self, rows: Ints, epoch: int | None = None) -> tuple[Floats, Floats]:
        """Losses (n,) of the rows and the gradient (size,) of their objective.

        Where an epoch is given they pass as one batch in training: dropout acts, and batch normalisation takes the
        batch's statistics. The gradient of running statistics is 0.
        """

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows, which pass as for `gradients`.

        In training with batch normalisation the deltas are those of the sum of all losses.
        """

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs (n, outputs) for rows of any source; all rows unless given."""

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses (n,) and outputs (n, outputs) of rows of any examples, nothing dropped; all rows unless given."""
