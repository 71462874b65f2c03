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
    compile_program,
    engine_name,
    open_session,
    row_source,
)
from backlight.errors import InputError, number_within, whole_number
from backlight.network import Dropout, Network, Objective
from backlight.network.objective import check_targets
from backlight.randomness import check_seed
from backlight.scoring.metrics import HIGHER_IS_BETTER, check_metric
from backlight.scoring.several import name_questions
from backlight.training.loop import Plan, Training
from backlight.training.optimizers import LBFGS, SGD, make_optimizer
from backlight.training.optimizers.lbfgs import LBFGSSession
from backlight.training.records import Record
from backlight.training.schedules import Constant, Schedule, Warmup, parse_schedule
from backlight.training.state import TrainingState
from backlight.training.stopping import AfterEpochs, Patience, StoppingRule, Until

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation

_BATCH_SIZE: Final = 100


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
        optimizer: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lbfgs", or an optimizer
            object.
        lr: the learning rate; the optimizer's default unless given.
        schedule: how the learning rate changes: "constant", "step=10:0.1", "1/t=10", "cosine", "one-cycle",
            "plateau=5:0.1", "warmup=3", "warmup=3,cosine", or an object of `backlight.training.schedules`.
        batch_size: examples per step; "full" for all of them, 1 for one example at a time; 100 unless given, and all
            of them with lbfgs.
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
        clip_examples: the longest that any example's own gradient may be, likewise.
        average: keep an exponential moving average of the parameters of which each step keeps this much (0.999, say):
            it is what validation measures and what the network holds in the end; training goes on from the others.
        label_smoothing: how much of each label is shared out evenly among all classes; for the loss cross_entropy.
        accumulate: batches per step: one update from the gradients of so many batches, as of one batch as large.

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
    optimizer: str | Optimizer | LBFGS = "adam"
    lr: float | None = None
    schedule: str | Schedule = "constant"
    batch_size: int | Literal["full"] | None = None
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

    def __post_init__(self) -> None:
        engine_name(self.engine)
        self.objective()
        self.chosen_optimizer()
        for name in ("clip", "clip_examples"):
            length = getattr(self, name)
            if length is not None and number_within(name, length, 0, math.inf) == 0:
                raise InputError(f"{name} is 0, so that nothing would be learnt; give a length above 0")
        if self.average is not None:
            number_within("average", self.average, 0, 1)
        if whole_number("accumulate", self.accumulate, 1) > 1 and self.batch_size == "full":
            raise InputError("accumulate adds up batches, and a full batch has all examples; give batch_size a number")
        whole_number("epochs", self.epochs, 1)
        if self.batch_size not in ("full", None):
            whole_number("batch_size (a number or 'full')", self.batch_size, 1)
        if self.lr is not None and number_within("lr", self.lr, 0, math.inf) == 0:
            raise InputError("lr is 0, so that nothing would be learnt; give a number above 0")
        self.chosen_schedule()
        if isinstance(self.chosen_optimizer(), LBFGS):
            self._check_whole_batches()
        check_seed(self.seed)
        if self.threads is not None:
            whole_number("threads", self.threads, 1)
        check_metric(self.watch, list(HIGHER_IS_BETTER))
        self.stopping_rules()
        if self.augment is not None:
            self.augment.check_width(self.network.inputs)

    def objective(self) -> Objective:
        """What is minimised: the loss, of smoothed labels, and the penalties."""
        plain = self.network.objective(self.loss)
        return replace(plain, smoothing=self.label_smoothing, l1=self.l1, l2=self.l2)

    def _check_whole_batches(self) -> None:
        """Refuse what does not go with L-BFGS.

        Raises:
            InputError: something was given that it cannot use.
        """
        if self.batch_size not in ("full", None):
            raise InputError(
                f"lbfgs takes all examples at each step, and batch_size is {self.batch_size}; leave it out"
            )
        if self.lr is not None:
            raise InputError("lbfgs finds the length of every step by a line search; leave out lr")
        if not isinstance(self.chosen_schedule(), Constant):
            raise InputError("lbfgs has no learning rate, so that a schedule has nothing to change; leave it out")
        if any(isinstance(layer, Dropout) for layer in self.network.layers):
            raise InputError("lbfgs needs the same objective at every step, and dropout draws another; use dropout 0")
        if self.record_examples:
            raise InputError("lbfgs visits every example several times a step, so that record_examples has no meaning")
        if self.augment is not None:
            raise InputError(
                "lbfgs needs the same objective at every step, and augmentation draws another; leave it out"
            )
        for name in ("clip", "clip_examples", "average"):
            if getattr(self, name) is not None:
                raise InputError(f"{name} is for optimizers that take batches, and lbfgs takes none; leave it out")
        if self.accumulate > 1:
            raise InputError(
                "lbfgs takes all examples at each step, so that accumulate has nothing to add up; leave it out"
            )

    def chosen_optimizer(self) -> Optimizer | LBFGS:
        """The optimizer object."""
        return make_optimizer(self.optimizer) if isinstance(self.optimizer, str) else self.optimizer

    def chosen_lr(self) -> float | None:
        """The learning rate, or the optimizer's default; None where it has none."""
        if isinstance(self.chosen_optimizer(), LBFGS):
            return None
        default = float(getattr(self.chosen_optimizer(), "default_lr", 0.001))
        return default if self.lr is None else float(self.lr)

    def chosen_schedule(self) -> Schedule:
        """The schedule object."""
        schedule = parse_schedule(self.schedule) if isinstance(self.schedule, str) else self.schedule
        if isinstance(schedule, Warmup) and schedule.epochs >= self.epochs:
            raise InputError(
                f"the warm-up takes {schedule.epochs} epochs, and there are {self.epochs}; give fewer to the warm-up"
            )
        return schedule

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
            y: class indices (n,), one per question (n, k), or targets (n, j).
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
            measured = examples_for(network, self.loss, source, validation.y, validation.rows), validation.rows
        optimizer = self.chosen_optimizer()
        pass_size = len(rows)
        if self.batch_size != "full" and not isinstance(optimizer, LBFGS):
            pass_size = min(self.batch_size or _BATCH_SIZE, len(rows))
        batch_size = min(self.accumulate * pass_size, len(rows))
        task = Task(
            replace(program, objective=self.objective()),
            network.params,
            examples,
            SGD() if isinstance(optimizer, LBFGS) else optimizer,
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
            schedule=self.chosen_schedule(),
            epochs=self.epochs,
            seed=self.seed,
            rules=self.stopping_rules(),
            watch=self.watch,
            evaluate_untrained=self.evaluate_untrained,
            unit=1.0 if validation is None else validation.unit,
            labels=validation is not None and validation.labels,
            questions=name_questions(network.sizes, () if validation is None else validation.questions),
        )
        session = open_session(self.engine, task)
        if isinstance(optimizer, LBFGS):
            session = LBFGSSession(session, network.params, optimizer)
        return Training(network, session, plan, rows, measured, state)


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
        y: class indices (n,), one per question (n, k), or targets (n, j).
        rows: the rows whose targets are needed; all unless given.
        sample_weight: one weight per row (n,), scaled here to a mean of 1 over the rows that are needed.

    Raises:
        InputError: the data do not fit; the message names the row.
    """
    source, y = x if isinstance(x, RowSource) else row_source(x), np.asarray(y)
    if source.width != network.inputs:
        raise InputError(f"x has {source.width} columns, and the network takes {network.inputs} inputs")
    if y.ndim == 0 or len(y) != source.count:
        raise InputError(f"x has {source.count} rows and y has shape {y.shape}; each example needs one target")
    used = y if rows is None else y[_checked_rows(rows, source.count)]
    objective = network.objective(loss)
    check_targets(used, len(used), network.outputs, objective)
    classes = network.outputs > 1 or objective.loss == "cross_entropy"
    indices = objective.indices(y) > 1 or (classes and y.ndim == 1 and y.dtype.kind in "iu")
    y = np.ascontiguousarray(y, np.int64 if indices else network.dtype)
    if sample_weight is None:
        return Examples(source, y)
    weights = np.asarray(sample_weight, network.dtype)
    if weights.shape != (source.count,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"sample_weight must be {source.count} finite numbers of 0 or more, one per row")
    mean = (weights if rows is None else weights[rows]).mean(dtype=np.float64)
    if mean == 0:
        raise InputError("sample_weight is 0 for every row; at least one row must count")
    return Examples(source, y, np.asarray(weights / mean, network.dtype))


def _checked_rows(rows: Ints, count: int) -> Ints:
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(rows) == 0:
        raise InputError("rows must be row numbers (m,), at least one")
    if rows.min() < 0 or rows.max() >= count:
        raise InputError(f"rows go from {rows.min()} to {rows.max()}; x has rows 0 to {count - 1}")
    return rows
