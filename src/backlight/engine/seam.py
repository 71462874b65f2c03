"""The seam between training and an engine: what a session is given, and what it can be asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine.program import Program
from backlight.engine.rows import RowSource
from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation


@dataclass(frozen=True)
class Rule:
    """An update that the native engine knows.

    Attributes:
        name: "sgd", "momentum", "nesterov", "adagrad", "rmsprop" or "adam".
        hyper: its hyperparameters: (), (momentum,) twice, (eps,), (b2, eps) or (b1, b2, eps).
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
class Clipping:
    """How long gradients may be. Longer ones are shortened to that length; their direction stays.

    Attributes:
        norm: of a step's whole gradient, penalties included, over all layers that learn: g · min(1, norm / ‖g‖).
            Source: Pascanu, Mikolov, Bengio, arXiv:1211.5063. PyTorch's `clip_grad_norm_` adds 1e-6 to ‖g‖.
        examples: of every example's own gradient ∂loss_n/∂θ, over all layers that learn, before sample weights and
            penalties. Σ_n w_n/n c_n delta_n a_n with c_n = min(1, examples / ‖∂loss_n/∂θ‖) is one product,
            (c ∘ delta)ᵀ a, and the norms need none. Source: Goodfellow, arXiv:1510.01799.
    """

    norm: float | None = None
    examples: float | None = None


@dataclass(frozen=True)
class Examples:
    """What is learnt from.

    Attributes:
        source: the inputs (n, i).
        y: class indices (n,), one per group of outputs (n, k), or targets (n, j); None where each example's own inputs,
            as the source holds them, are its targets.
        sample_weight: one weight per example (n,), or None for 1.
    """

    source: RowSource
    y: Array | None
    sample_weight: Floats | None = None

    def targets(self, rows: Ints | None = None, dtype: Any = np.float64) -> Array:
        """The targets of rows, all unless given: as they are, or of examples that are their own, new memory (m, i).

        Args:
            rows: row numbers (m,).
            dtype: of targets that are inputs.
        """
        if self.y is not None:
            return self.y if rows is None else self.y[rows]
        source = self.source
        rows = np.arange(source.count) if rows is None else rows
        shape = (len(rows), source.width)
        out = np.empty(shape, dtype)
        source.gather(rows, np.empty((0, 0) if source.dtype == dtype else shape, source.dtype), out)
        return out


_MOST_COUPLED: Final = 2**28
"""Examples times units of a layer, where all examples of a batch must pass at once: what memory should hold."""


def check_coupled(*, record_examples: bool, clip_examples: float | None) -> None:
    """Refuse what asks for gradients of single examples, which batch normalisation leaves no example.

    Raises:
        InputError: examples are to be recorded or clipped.
    """
    if record_examples:
        raise InputError(
            "examples cannot be recorded while batch normalisation makes each one's loss depend on its whole "
            "batch; take layer normalisation, or ask for explanations, which use its running statistics"
        )
    if clip_examples is not None:
        raise InputError(
            "examples cannot be clipped one by one while batch normalisation makes each one's gradient depend on its "
            "whole batch; take layer normalisation, or clip the gradient of the step"
        )


@dataclass(frozen=True)
class Task:
    """What a session is opened for.

    Attributes:
        program: what to execute.
        params: the network's parameters, and running statistics; the session reads and writes this very array.
        examples: what is learnt from. Row numbers and targets have been checked.
        optimizer: turns gradients into updates.
        batch_size: the most rows that a step will take.
        seed: of dropout's draws and augmentation's.
        threads: how many threads may be used; the engine's own choice if None.
        record_examples: whether `advance` tells each example's loss and squared gradient norm.
        augmentation: how rows are varied wherever an epoch is given; None leaves them as they are.
        clipping: how long gradients may be.
        average: how much of the averaged parameters a step keeps; None to average nothing.
        pass_size: the most rows that pass through the network together; the gradients of a step of more rows are
            accumulated over several passes, each of which is a batch to batch normalisation. As many as the engine
            likes if None.
    """

    program: Program
    params: Floats
    examples: Examples
    optimizer: Optimizer
    batch_size: int
    seed: int
    threads: int | None = None
    record_examples: bool = False
    augmentation: "Augmentation | None" = None
    clipping: Clipping = Clipping()
    average: float | None = None
    pass_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse what batch normalisation cannot do.

        Raises:
            InputError: examples are to be recorded or clipped, or the batch is too large to pass at once.
        """
        if not self.program.coupled:
            return
        check_coupled(record_examples=self.record_examples, clip_examples=self.clipping.examples)
        most, batch = _MOST_COUPLED // max(op.units for op in self.program.norms), self.at_once(self.batch_size)
        if batch > most:
            raise InputError(
                f"batch normalisation passes the {batch:,} examples of a batch at once, and with layers as "
                f"wide as these that is possible for up to {most:,}: choose a smaller batch size"
            )

    def at_once(self, most: int) -> int:
        """How many rows pass at once: `pass_size` at most, and up to `most` where examples are not coupled."""
        size = min(self.batch_size, self.pass_size or self.batch_size)
        return size if self.program.coupled else min(size, most)

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
        epoch: the epoch, from 0; it places the draws of dropout and augmentation.
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
        losses: each one's loss when it was visited (m,), of smoothed labels where they are smoothed.
        squared_norms: ‖∂loss_n/∂θ‖² over all layers that learn (m,), Σ_l ‖delta_n‖² (‖a_n‖² + 1), before clipping.
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
        objectives: each finished step's objective, penalties included, before its update.
        finite: False if the step after the last of these had an objective that was not finite; that step was
            dropped before its update.
        interrupted: whether the user's Ctrl-C broke it off; the step in progress was dropped before its update.
        examples: what each example said, where the session records examples.
        ended: why there is nothing left to do, where the optimizer knows that; no step was taken after these.
    """

    objectives: Floats
    finite: bool
    interrupted: bool = False
    examples: ExamplesSeen | None = None
    ended: str | None = None


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
    clipping: Clipping

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays, each (size,), to be read and written until the next `advance`."""

    @property
    def average(self) -> Floats | None:
        """The averaged parameters (size,), likewise; None where nothing is averaged."""

    def advance(self, stretch: Stretch) -> Advance:
        """Take the steps of a stretch: gather, forward, backward, update.

        While it runs, the parameters and `state` may be anywhere between two steps, in any order of memory; when it
        returns they are those of the last finished step.
        """

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, drop its step and return."""

    def gradients(
        self,
        rows: Ints,
        epoch: int | None = None,
        *,
        frozen: frozenset[int] = frozenset(),
        clip_examples: bool = False,
    ) -> tuple[Floats, Floats]:
        """Losses (n,) of the rows and the gradient (size,) of their weighted mean, without penalties.

        Where an epoch is given they pass as a step's examples do in it: dropout and augmentation act, and batch
        normalisation takes the statistics of batches. Here and in `deltas`, labels are smoothed as in training.

        Args:
            rows: row numbers (n,).
            epoch: the epoch, or None outside training.
            frozen: dense layers as a stretch freezes them; their gradient, and that of running statistics, is 0.
            clip_examples: whether each example's gradient is clipped as `Task.clipping` says.
        """

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows, which pass as for `gradients`.

        In training with batch normalisation the deltas are those of the sum of all losses.
        """

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs (n, outputs) for rows of any source; all rows unless given."""

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses (n,) and outputs (n, outputs) of rows (all unless given) of any examples, none dropped or smoothed."""
