"""The trainer: how a network is to be trained, and the start of a training."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine import (
    Clipping,
    Examples,
    Optimizer,
    RowSource,
    Task,
    check_coupled,
    compile_program,
    engine_name,
    open_session,
    row_source,
)
from backlight.errors import InputError, number_within, whole_number
from backlight.network import Network, Objective
from backlight.network.objective import check_targets
from backlight.randomness import check_seed
from backlight.scoring.metrics import HIGHER_IS_BETTER, check_metric
from backlight.scoring.several import name_questions
from backlight.training.loop import Plan, Training
from backlight.training.optimizers import make_optimizer
from backlight.training.records import Record
from backlight.training.state import TrainingState
from backlight.training.stopping import AfterEpochs, Patience, StoppingRule, Until

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation
_CHECKED: Final = 4096
"""How many rows that are their own targets are checked at once."""


@dataclass(frozen=True)
class Evaluation:
    """What is measured after every epoch, and of which examples.

    Attributes:
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j).
        unit: what one unit of regression targets is in their own units, (j,) or a number.
        labels: whether the targets are several labels at once.
        rows: which rows of them (m,); all unless given.
        questions: what each question is called, where there are several; numbered unless given.
    """

    x: Any
    y: Any
    unit: Array | float = 1.0
    labels: bool = False
    rows: Ints | None = None
    questions: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many rows are measured."""
        return len(self.x if self.rows is None else self.rows)

    @property
    def targets(self) -> Array:
        """The targets of the rows that are measured."""
        return np.asarray(self.y if self.rows is None else self.y[self.rows])


@dataclass(frozen=True)
class Trainer:
    """How a network is to be trained.

    Args:
        network: the network; its own parameters are trained.
        loss: "squared", "cross_entropy", "absolute", "huber" or "poisson"; by default the one that the network's
            output was made for.
        optimizer: "adam", "momentum", "sgd", or an optimizer object.
        lr: the learning rate; the optimizer's default unless given.
        batch_size: examples per step; "full" for all of them, 1 for one example at a time.
        epochs: the most passes over the data.
        seed: of shuffling, dropout and augmentation.
        threads: how many threads the engine may use; its own choice if None.
        engine: "auto", "native" or "reference".
        until: conditions that end the training, such as "loss<0.05"; any of them suffices.
        patience: end after this many epochs without a better validation.
        watch: the validation metric by which the best weights are chosen.
        evaluate_untrained: begin with a record of the untrained network.
        record_examples: keep each example's loss and squared gradient norm as it was visited, in `Training.seen`.
        augment: how training examples are varied, anew in every epoch; what is measured stays as it is.
        l1: penalty in the objective, l1 Σ|W| over the weights, not the biases.
        l2: penalty in the objective, ½ l2 Σ W², likewise: PyTorch's `weight_decay` of plain SGD.
        clip: the longest that a step's whole gradient may be; longer ones are shortened to that length.
        clip_examples: the longest that any example's own gradient may be, likewise; not with batch normalisation.
        average: keep an exponential moving average of the parameters of which each step keeps this much (0.999, say):
            it is what validation measures and what the network holds in the end; training goes on from the others.
        label_smoothing: how much of each label is shared out evenly among all classes; for the loss cross_entropy.
        accumulate: batches per step: one update from the gradients of so many batches, as of one batch as large.
        freeze: how many of the first layers that have weights keep them as they are; no error is passed back to them.

    Raises:
        InputError: a setting is unknown or impossible; the message names it.

    Example:
        >>> import numpy as np
        >>> from backlight import Network, Trainer
        >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        >>> y = np.array([0, 1, 1, 0])
        >>> network = Network.mlp(2, 8, 2, hidden="tanh", output="softmax", seed=1)
        >>> for record in Trainer(network, lr=0.05, batch_size=4, epochs=200).run(x, y):
        ...     pass
        >>> network.predict(x).argmax(axis=1).tolist(), record.reason
        ([0, 1, 1, 0], '200 epochs were asked for')
    """

    network: Network
    loss: str | None = None
    optimizer: str | Optimizer = "adam"
    lr: float | None = None
    batch_size: int | Literal["full"] = 100
    epochs: int = 20
    seed: int = 0
    threads: int | None = None
    engine: str = "auto"
    until: Sequence[str] = field(default=())
    patience: int | None = None
    watch: str = "loss"
    evaluate_untrained: bool = False
    record_examples: bool = False
    augment: "Augmentation | None" = None
    l1: float = 0.0
    l2: float = 0.0
    clip: float | None = None
    clip_examples: float | None = None
    average: float | None = None
    label_smoothing: float = 0.0
    accumulate: int = 1
    freeze: int = 0

    def __post_init__(self) -> None:
        engine_name(self.engine)
        self.objective()
        self.chosen_optimizer()
        for name in ("clip", "clip_examples"):
            length = getattr(self, name)
            if length is not None and number_within(name, length, 0, math.inf) == 0:
                raise InputError(f"{name} is 0, so that nothing would be learnt; give a length above 0")
        if self.network.coupled:
            check_coupled(record_examples=self.record_examples, clip_examples=self.clip_examples)
        if self.average is not None:
            number_within("average", self.average, 0, 1)
        if whole_number("accumulate", self.accumulate, 1) > 1 and self.batch_size == "full":
            raise InputError("accumulate adds up batches, and a full batch has all examples; give batch_size a number")
        whole_number("epochs", self.epochs, 1)
        if self.batch_size != "full":
            whole_number("batch_size (a number or 'full')", self.batch_size, 1)
            self._check_batch(self.batch_size)
        if self.lr is not None and number_within("lr", self.lr, 0, math.inf) == 0:
            raise InputError("lr is 0, so that nothing would be learnt; give a number above 0")
        check_seed(self.seed)
        if self.threads is not None:
            whole_number("threads", self.threads, 1)
        check_metric(self.watch, list(HIGHER_IS_BETTER))
        self.stopping_rules()
        if self.augment is not None:
            self.augment.check_width(self.network.inputs)
        self.frozen_layers()

    def objective(self) -> Objective:
        """What is minimised: the loss, of smoothed labels, and the penalties."""
        plain = self.network.objective(self.loss)
        return replace(plain, smoothing=self.label_smoothing, l1=self.l1, l2=self.l2)

    def frozen_layers(self) -> frozenset[int]:
        """The dense layers that keep their parameters, by their numbers in the network.

        Raises:
            InputError: there are fewer layers, or none would be left to learn.
        """
        dense = [index for index, _, _ in self.network.dense_layers()]
        if whole_number("freeze", self.freeze, 0) >= len(dense):
            raise InputError(
                f"freeze is {self.freeze}, and the network has {len(dense)} "
                f"{'layer' if len(dense) == 1 else 'layers'} with weights, of which one at least must learn; "
                f"give 0 to {len(dense) - 1}"
            )
        return frozenset(dense[: self.freeze])

    def _check_batch(self, batch_size: int) -> None:
        if self.network.coupled and batch_size == 1:
            raise InputError(
                "batch normalisation needs at least 2 examples per step, and there is 1; "
                "take larger batches, or layer normalisation"
            )

    def chosen_optimizer(self) -> Optimizer:
        """The optimizer object."""
        return make_optimizer(self.optimizer) if isinstance(self.optimizer, str) else self.optimizer

    def chosen_lr(self) -> float:
        """The learning rate, or the optimizer's default."""
        default = float(getattr(self.chosen_optimizer(), "default_lr", 0.001))
        return default if self.lr is None else float(self.lr)

    def stopping_rules(self) -> tuple[StoppingRule, ...]:
        """The rules in the order in which they are asked."""
        if isinstance(self.until, str):
            raise InputError(f"until is {self.until!r}; give a list of conditions, such as ['loss<0.05']")
        patience = () if self.patience is None else (Patience(self.patience),)
        return (*(Until(condition) for condition in self.until), *patience, AfterEpochs(self.epochs))

    def run(
        self,
        x: Any,
        y: Any,
        *,
        rows: Ints | None = None,
        validation: Evaluation | tuple[Any, Any] | None = None,
        sample_weight: Floats | None = None,
    ) -> Generator[Record, None, None]:
        """Train, and say what happens: a generator of records.

        Nothing is evaluated that was not asked for: without `validation` there are only the objectives that the
        steps compute anyway.

        Args:
            x: inputs (n, i): uint8, read as value / 255, or floating-point numbers, in memory or a memory map.
            y: class indices (n,), one per question (n, k), or targets (n, j); x itself for an autoencoder, whose
                targets are then read from where its inputs lie.
            rows: which rows to train on; all unless given.
            validation: what to measure after every epoch; the best weights on it are kept in the end.
            sample_weight: one weight per row (n,), scaled to a mean of 1.

        Raises:
            InputError: the data do not fit the network or the loss.
        """
        training = self.start(x, y, rows=rows, validation=validation, sample_weight=sample_weight)
        yield from training.records()

    def start(
        self,
        x: Any,
        y: Any,
        *,
        rows: Ints | None = None,
        validation: Evaluation | tuple[Any, Any] | None = None,
        sample_weight: Floats | None = None,
        state: TrainingState | None = None,
    ) -> Training:
        """A training that can be asked for its state and told to stop; arguments as for `run`.

        Args:
            x: inputs.
            y: targets.
            rows: which rows to train on.
            validation: what to measure after every epoch.
            sample_weight: one weight per row.
            state: where to go on from.

        Raises:
            InputError: the data do not fit the network or the loss.
        """
        network, program = self.network, compile_program(self.network, self.loss)
        examples = examples_for(network, self.loss, x, y, rows, sample_weight)
        rows = np.arange(examples.source.count) if rows is None else np.asarray(rows, np.int64)
        if isinstance(validation, tuple):
            validation = Evaluation(*validation)
        if validation is None and self.patience is not None:
            raise InputError("patience looks at validation, and there is none; give validation=(x, y)")
        measured = None
        if validation is not None:
            source = examples.source if validation.x is x else validation.x
            y = source if validation.y is validation.x else validation.y
            measured = examples_for(network, self.loss, source, y, validation.rows), validation.rows
        pass_size = len(rows) if self.batch_size == "full" else min(self.batch_size, len(rows))
        batch_size = min(self.accumulate * pass_size, len(rows))
        self._check_batch(pass_size)
        task = Task(
            replace(program, objective=self.objective()),
            network.params,
            examples,
            self.chosen_optimizer(),
            batch_size=batch_size,
            seed=self.seed,
            threads=self.threads,
            record_examples=self.record_examples,
            augmentation=self.augment,
            clipping=Clipping(self.clip, self.clip_examples),
            average=self.average,
            pass_size=pass_size if self.accumulate > 1 else None,
        )
        plan = Plan(
            batch_size=batch_size,
            lr=self.chosen_lr(),
            seed=self.seed,
            rules=self.stopping_rules(),
            watch=self.watch,
            evaluate_untrained=self.evaluate_untrained,
            unit=1.0 if validation is None else validation.unit,
            labels=validation is not None and validation.labels,
            questions=name_questions(network.sizes, () if validation is None else validation.questions),
            frozen=self.frozen_layers(),
        )
        return Training(network, open_session(self.engine, task), plan, rows, measured, state)


def examples_for(
    network: Network,
    loss: str | None,
    x: Any,
    y: Any,
    rows: Ints | None = None,
    sample_weight: Floats | None = None,
) -> Examples:
    """Data in the form that engines take.

    Args:
        network: which the data must fit.
        loss: which the targets must fit.
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j); x itself where the inputs are the targets.
        rows: the rows whose targets are needed; all unless given.
        sample_weight: one weight per row (n,), scaled here to a mean of 1 over the rows that are needed.

    Raises:
        InputError: the data do not fit; the message names the row.
    """
    own = y is x
    source = x if isinstance(x, RowSource) else row_source(x)
    if source.width != network.inputs:
        raise InputError(f"x has {source.width} columns, and the network takes {network.inputs} inputs")
    rows = None if rows is None else _checked_rows(rows, source.count)
    targets = None
    if own:
        _check_own_targets(source, network, loss, rows)
    else:
        targets = _targets(y, source.count, network, loss, rows)
    if sample_weight is None:
        return Examples(source, targets)
    weights = np.asarray(sample_weight, network.dtype)
    if weights.shape != (source.count,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"sample_weight must be {source.count} finite numbers of 0 or more, one per row")
    mean = (weights if rows is None else weights[rows]).mean(dtype=np.float64)
    if mean == 0:
        raise InputError("sample_weight is 0 for every row; at least one row must count")
    return Examples(source, targets, np.asarray(weights / mean, network.dtype))


def _targets(y: Any, count: int, network: Network, loss: str | None, rows: Ints | None) -> Array:
    """Checked targets, in the dtype that engines take."""
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != count:
        raise InputError(f"x has {count} rows and y has shape {y.shape}; each example needs one target")
    used = y if rows is None else y[rows]
    objective = network.objective(loss)
    check_targets(used, len(used), network.outputs, objective)
    classes = network.outputs > 1 or objective.loss == "cross_entropy"
    indices = objective.indices(y) > 1 or (classes and y.ndim == 1 and y.dtype.kind in "iu")
    return np.ascontiguousarray(y, np.int64 if indices else network.dtype)


def _check_own_targets(source: RowSource, network: Network, loss: str | None, rows: Ints | None) -> None:
    """Check inputs that are their own targets, window by window, and keep no copy of them."""
    objective, examples = network.objective(loss), Examples(source, None)
    rows = np.arange(source.count) if rows is None else rows
    for first in range(0, len(rows), _CHECKED):
        some = rows[first : first + _CHECKED]
        check_targets(examples.targets(some, network.dtype), len(some), network.outputs, objective)
        source.release()


def _checked_rows(rows: Ints, count: int) -> Ints:
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(rows) == 0:
        raise InputError("rows must be row numbers (m,), at least one")
    if rows.min() < 0 or rows.max() >= count:
        raise InputError(f"rows go from {rows.min()} to {rows.max()}; x has rows 0 to {count - 1}")
    return rows
