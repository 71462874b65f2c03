"""The seam between training and an engine: what a session is given, and what it can be asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine.program import Program
from backlight.engine.rows import RowSource


class Optimizer(Protocol):
    """What an engine needs of an optimizer."""

    @property
    def name(self) -> str:
        """As in options and files; by it a native engine knows its own form of the update."""

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
        y: class indices (n,) or targets (n, j).
        sample_weight: one weight per example (n,), or None for 1.
    """

    source: RowSource
    y: Array
    sample_weight: Floats | None = None


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
        lr: the learning rate.
    """

    order: Ints
    batch_size: int
    first: int
    count: int
    epoch: int
    step: int
    lr: float

    def rows(self, number: int = 0) -> Ints:
        """The row numbers of one of the stretch's steps."""
        start = (self.first + number) * self.batch_size
        return self.order[start : start + self.batch_size]


@dataclass(frozen=True)
class Advance:
    """What a stretch of steps did.

    Attributes:
        objectives: each finished step's objective, before its update.
        finite: False if the step after the last of these had an objective that was not finite; that step was
            dropped before its update.
    """

    objectives: Floats
    finite: bool


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
    state: dict[str, Floats]

    def advance(self, stretch: Stretch) -> Advance:
        """Take the steps of a stretch: gather, forward, backward, update."""

    def gradients(self, rows: Ints, epoch: int | None = None) -> tuple[Floats, Floats]:
        """Losses (n,) of the rows and the gradient (size,) of their objective; dropout acts where an epoch is given."""

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows."""

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs (n, outputs) for rows of any source; all rows unless given."""

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses (n,) and outputs (n, outputs) of rows of any examples, nothing dropped; all rows unless given."""
