"""The trainer: how a network is to be trained, and the start of a training."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine import (
    Clipping,
    Optimizer,
    Task,
    WholeBatch,
    check_coupled,
    compile_program,
    engine_name,
    open_session,
)
from backlight.errors import InputError, number_within, whole_number
from backlight.network import Dropout, Network, Objective
from backlight.randomness import check_seed
from backlight.scoring.metrics import HIGHER_IS_BETTER, check_metric
from backlight.scoring.several import name_questions
from backlight.training.examples import examples_for
from backlight.training.loop import Plan, Training
from backlight.training.optimizers import SGD, make_optimizer
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
        optimizer: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lbfgs", a search as
            `backlight.search` has them, such as "one-weight", or an object of either.
        lr: the learning rate; the optimizer's default unless given.
        schedule: how the learning rate changes: "constant", "step=10:0.1", "1/t=10", "cosine", "one-cycle",
            "plateau=5:0.1", "warmup=3", "warmup=3,cosine", or an object of `backlight.training.schedules`.
        batch_size: examples per step; "full" for all of them, 1 for one example at a time; 100 unless given, and all
            of them with lbfgs and searches.
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
    optimizer: str | Optimizer | WholeBatch = "adam"
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
    freeze: int = 0

    def __post_init__(self) -> None:
        engine_name(self.engine)
        self.objective()
        self.chosen_optimizer()
        self._check_regularization()
        if whole_number("accumulate", self.accumulate, 1) > 1 and self.batch_size == "full":
            raise InputError("accumulate adds up batches, and a full batch has all examples; give batch_size a number")
        whole_number("epochs", self.epochs, 1)
        if self.batch_size is not None and self.batch_size != "full":
            self._check_batch(whole_number("batch_size (a number or 'full')", self.batch_size, 1))
        if self.lr is not None and number_within("lr", self.lr, 0, math.inf) == 0:
            raise InputError("lr is 0, so that nothing would be learnt; give a number above 0")
        self.chosen_schedule()
        optimizer = self.chosen_optimizer()
        if isinstance(optimizer, WholeBatch):
            self._check_whole_batches(optimizer.name)
        check_seed(self.seed)
        if self.threads is not None:
            whole_number("threads", self.threads, 1)
        check_metric(self.watch, list(HIGHER_IS_BETTER))
        self.stopping_rules()
        if self.augment is not None:
            self.augment.check_width(self.network.inputs)
        self.frozen_layers()

    def _check_regularization(self) -> None:
        for name in ("clip", "clip_examples"):
            length = getattr(self, name)
            if length is not None and number_within(name, length, 0, math.inf) == 0:
                raise InputError(f"{name} is 0, so that nothing would be learnt; give a length above 0")
        if self.network.coupled:
            check_coupled(record_examples=self.record_examples, clip_examples=self.clip_examples)
        if self.average is not None:
            number_within("average", self.average, 0, 1)

    def objective(self) -> Objective:
        """What is minimised: the loss, of smoothed labels, and the penalties."""
        plain = self.network.objective(self.loss)
        return replace(plain, smoothing=self.label_smoothing, l1=self.l1, l2=self.l2)

    def _check_whole_batches(self, name: str) -> None:
        """Refuse what does not go with an optimizer that takes all examples at each step.

        Raises:
            InputError: something was given that it cannot use.
        """
        same, all_of_them = (
            f"{name} needs the same objective at every step, and",
            f"{name} takes all examples at each step,",
        )
        refused = {
            f"{all_of_them} and batch_size is {self.batch_size}": self.batch_size not in ("full", None),
            f"{all_of_them} so that accumulate has nothing to add up": self.accumulate > 1,
            f"{name} finds the length of every step by itself; leave out lr": self.lr is not None,
            f"{name} has no learning rate that a schedule could change": not isinstance(
                self.chosen_schedule(), Constant
            ),
            f"{same} dropout draws another; take a network without": any(
                isinstance(x, Dropout) for x in self.network.layers
            ),
            f"{same} augment draws another": self.augment is not None,
            f"{name} visits examples several times a step, so that record_examples means nothing": self.record_examples,
            f"{name} does not move running statistics; take layer normalisation": self.network.coupled,
            f"{name} moves any parameter, so that freeze does not go with it": self.freeze > 0,
            **{
                f"{given} is for optimizers that take batches, and {name} takes none": getattr(self, given) is not None
                for given in ("clip", "clip_examples", "average")
            },
        }
        for sentence, is_so in refused.items():
            if is_so:
                raise InputError(sentence if ";" in sentence else f"{sentence}; leave it out")

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

    def chosen_optimizer(self) -> Optimizer | WholeBatch:
        """The optimizer object."""
        return make_optimizer(self.optimizer) if isinstance(self.optimizer, str) else self.optimizer

    def chosen_lr(self) -> float | None:
        """The learning rate, or the optimizer's default; None where it has none."""
        if isinstance(self.chosen_optimizer(), WholeBatch):
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
        optimizer = self.chosen_optimizer()
        pass_size = len(rows)
        if self.batch_size != "full" and not isinstance(optimizer, WholeBatch):
            pass_size = min(self.batch_size or _BATCH_SIZE, len(rows))
        batch_size = min(self.accumulate * pass_size, len(rows))
        self._check_batch(pass_size)
        task = Task(
            replace(program, objective=self.objective()),
            network.params,
            examples,
            SGD() if isinstance(optimizer, WholeBatch) else optimizer,
            batch_size=batch_size,
            seed=self.seed,
            threads=self.threads,
            record_examples=self.record_examples,
            augmentation=self.augment,
            clipping=Clipping(self.clip, self.clip_examples),
            average=self.average,
            pass_size=pass_size if self.accumulate > 1 else None,
        )
        steps_per_epoch = -(-len(rows) // batch_size)
        if isinstance(optimizer, WholeBatch):
            steps_per_epoch = optimizer.steps_per_epoch(program.size)
        plan = Plan(
            batch_size=batch_size,
            steps_per_epoch=steps_per_epoch,
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
            frozen=self.frozen_layers(),
        )
        session = open_session(self.engine, task)
        if isinstance(optimizer, WholeBatch):
            session = optimizer.open(session, network.params, self.seed)
        return Training(network, session, plan, rows, measured, state)
