"""The training loop: a generator that advances a session block by block and yields records."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine import Advance, Examples, ExamplesSeen, Session, Stretch, ctrl_c_held_back
from backlight.errors import InputError
from backlight.network import Network
from backlight.scoring.metrics import HIGHER_IS_BETTER, measure
from backlight.scoring.reconstruction import reconstruction_metrics
from backlight.training.divergence import first_to_blow_up
from backlight.training.rates import Rates
from backlight.training.reconstruction import reconstructed
from backlight.training.records import EndRecord, EpochRecord, Record, StepsRecord
from backlight.training.schedules import Schedule
from backlight.training.state import TrainingState
from backlight.training.stopping import StoppingRule
from backlight.training.windows import Visits, epoch_order, losses_of

_BLOCK_SECONDS = 0.1


@dataclass(frozen=True)
class Plan:
    """What the loop does; the trainer's settings, resolved.

    Attributes:
        batch_size: rows per step.
        steps_per_epoch: how many steps an epoch has; more than there are batches where each step takes all rows.
        lr: the learning rate; None where the optimizer has none.
        schedule: what it is multiplied with, step by step.
        epochs: the most epochs.
        seed: of the order of examples.
        rules: asked in this order after every epoch.
        watch: the validation metric that chooses the best weights.
        evaluate_untrained: whether to begin with a record of the untrained network.
        unit: what one unit of regression targets is in their own units.
        labels: whether the targets are several labels at once.
        questions: how many classes each of several questions has.
        frozen: dense layers that keep their parameters, by their numbers in the network.
    """

    batch_size: int
    steps_per_epoch: int
    lr: float | None
    schedule: Schedule
    epochs: int
    seed: int
    rules: tuple[StoppingRule, ...]
    watch: str = "loss"
    evaluate_untrained: bool = False
    unit: Array | float = 1.0
    labels: bool = False
    questions: Mapping[str, int] | None = None
    frozen: frozenset[int] = frozenset()


class Training:
    """A training in progress.

    Made by `Trainer.start`. Its `records` drive it; between two records it can be asked for its state.

    Args:
        network: whose parameters the session trains.
        session: an engine's session on the training examples.
        plan: what to do.
        rows: the row numbers of the training examples.
        validation: examples that are measured after every epoch, and which of their rows, or None.
        state: where to go on from; the network as it is unless given.

    Attributes:
        step: how many steps have been taken.
        steps_per_epoch: how many steps an epoch has.
        examples_per_epoch: how many examples are visited in them; each counts as often as it is visited.
        rates: the learning rates of its steps.
        seen: where the session records examples: each row's loss and squared gradient norm when it was visited
            last, by row number; NaN for rows not visited yet.
    """

    def __init__(
        self,
        network: Network,
        session: Session,
        plan: Plan,
        rows: Ints,
        validation: tuple[Examples, Ints | None] | None = None,
        state: TrainingState | None = None,
    ) -> None:
        self.network, self.session, self.plan, self.rows = network, session, plan, rows
        self.validation = validation
        self.steps_per_epoch = plan.steps_per_epoch
        self.examples_per_epoch = len(rows) * (plan.steps_per_epoch if plan.batch_size >= len(rows) else 1)
        self.rates = Rates(1.0 if plan.lr is None else plan.lr, plan.schedule, self.steps_per_epoch, plan.epochs)
        self.step = 0
        self.seen: ExamplesSeen | None = None
        self._stop_reason: str | None = None
        self._objective_sum = 0.0
        self._best: tuple[Floats, float, int] | None = None
        self._final: TrainingState | None = None
        self._measured: tuple[int, float] | None = None
        self._order: tuple[int, Ints] = (-1, rows)
        self._block = 1
        self._visits = Visits(session.examples.source, rows)
        self._started = time.perf_counter()
        if state is not None:
            self.restore(state)
        self._good = [self.state()]
        self._next_good = 0.0

    def stop(self, reason: str) -> None:
        """Ask the training to end; a step in progress is dropped."""
        self._stop_reason = reason
        self.session.stop()

    def state(self) -> TrainingState:
        """The whole state, copied; after the end, that of the last step, whatever weights the network was given."""
        if self._final is not None:
            return self._final
        best_params, best_score, best_epoch = self._best or (None, None, None)
        average = self.session.average
        return TrainingState(
            self.step,
            self.network.params.copy(),
            {name: array.copy() for name, array in self.session.state.items()},
            self._objective_sum,
            best_params,
            best_score,
            best_epoch,
            self.rates.watched,
            None if average is None else average.copy(),
        )

    def restore(self, state: TrainingState) -> None:
        """Go back, or on, to a state.

        Raises:
            InputError: it is the state of another network or optimizer.
        """
        average = self.session.average
        here = {"params": self.network.params, **self.session.state}
        given = {"params": state.params, **state.optimizer}
        if average is not None:
            here["average"] = average
        if state.average is not None:
            given["average"] = state.average
        if {name: array.shape for name, array in here.items()} != {name: array.shape for name, array in given.items()}:
            raise InputError("the state is that of another network or optimizer; it does not fit this one")
        self.network.params[...] = state.params
        for name, array in self.session.state.items():
            array[...] = state.optimizer[name]
        if average is not None and state.average is not None:
            average[...] = state.average
        self.step, self._objective_sum = state.step, state.objective_sum
        self.rates.watched = state.watched
        self._best = None
        if state.best_params is not None:
            assert state.best_score is not None
            assert state.best_epoch is not None
            self._best = (state.best_params.copy(), state.best_score, state.best_epoch)

    def advance_to(self, step: int) -> None:
        """Take steps up to a step number, measuring nothing: what replay does."""
        while self.step < step:
            before, in_epoch = self.step, self.step % self.steps_per_epoch
            fine = self._advance(min(step - self.step, self.steps_per_epoch - in_epoch))
            if not fine or (self.step == before and self._stop_reason is not None):
                return

    def records(self) -> Generator[Record, None, None]:
        """Train to the end, yielding a record per block of steps and per epoch, and one for the end."""
        if self.plan.evaluate_untrained and self.step == 0:
            yield self._untrained()
        reason = self._reason_before_start()
        while reason is None:
            before, started = self.step, time.perf_counter()
            fine = self._advance(min(self._block, self.steps_per_epoch - self.step % self.steps_per_epoch))
            if not fine:
                yield self._failed()
                return
            if self.step > before:
                yield self._steps_record(before, time.perf_counter() - started)
            if self.step > before and self.step % self.steps_per_epoch == 0:
                record = self._end_of_epoch()
                if record is None:
                    yield self._failed()
                    return
                yield record
                reason = self._reason(record)
            reason = reason or self._stop_reason
        yield self._end(reason)

    def complete(self) -> EndRecord:
        """Train to the end where nobody listens; why it ended."""
        *_, end = self.records()
        assert isinstance(end, EndRecord)
        return end

    def _epoch_order(self, epoch: int) -> Ints:
        """The order of an epoch: a permutation drawn for it, or the rows as they are where a batch holds them all."""
        if self._order[0] != epoch:
            order = self.rows
            if self.plan.batch_size < len(self.rows):
                order = epoch_order(self.session.examples.source, self.rows, self.plan.seed, epoch)
            self._order = (epoch, order)
        return self._order[1]

    def stretch(self, step: int, count: int) -> Stretch:
        """The steps from number `step` on, all within one epoch."""
        epoch, first = divmod(step, self.steps_per_epoch)
        if step == self.step and first == 0:
            self._look_at(epoch)
        order, lr, plan = self._epoch_order(epoch), self.rates.of(step, count), self.plan
        return Stretch(order, plan.batch_size, first, count, epoch, step, lr, frozen=plan.frozen)

    def _look_at(self, epoch: int) -> None:
        """Have reduce on plateau look at the epoch that has just ended, before the next begins."""
        if not self.rates.looks_at(epoch):
            return
        if self.validation is None:
            self.rates.look(epoch, self._objective_sum / self.examples_per_epoch)
            return
        if self._measured is None or self._measured[0] != epoch:  # resumed here, or replayed
            self._measured = epoch, self._measure(*self.validation)["loss"]
        self.rates.look(epoch, self._measured[1])

    def _advance(self, count: int) -> bool:
        """Take up to `count` steps within one epoch; False if an objective was not finite."""
        self._remember_good()
        stretch = self.stretch(self.step, self._visits.steps(count, self.plan.batch_size))
        if stretch.first == 0:
            self._objective_sum = 0.0
        with ctrl_c_held_back(self.session.stop) as pressed:
            finite = self._account(stretch, self.session.advance(stretch))
        if pressed:
            raise KeyboardInterrupt
        return finite

    def _account(self, stretch: Stretch, advance: Advance) -> bool:
        for k, objective in enumerate(advance.objectives.tolist()):
            examples = min(self.plan.batch_size, self.examples_per_epoch - (stretch.first + k) * self.plan.batch_size)
            self._objective_sum += objective * examples
        self.step += len(advance.objectives)
        self._visits.add(len(advance.objectives) * self.plan.batch_size)
        self._keep_seen(stretch, advance.examples)
        self._stop_reason = self._stop_reason or advance.ended
        return advance.finite

    def _keep_seen(self, stretch: Stretch, examples: ExamplesSeen | None) -> None:
        if examples is None:
            return
        if self.seen is None:
            size = self.session.examples.source.count
            self.seen = ExamplesSeen(*(np.full(size, np.nan, self.network.dtype) for _ in range(2)))
        rows = stretch.order[stretch.first * stretch.batch_size :][: len(examples.losses)]
        self.seen.losses[rows] = examples.losses
        self.seen.squared_norms[rows] = examples.squared_norms

    def _remember_good(self) -> None:
        """Keep the state, to come back to if numbers blow up; copying takes at most a twentieth of the time."""
        now = time.perf_counter()
        if self.step > self._good[-1].step and now >= self._next_good:
            self._good = [self._good[-1], self.state()]
            self._next_good = now + 20.0 * (time.perf_counter() - now)

    def _steps_record(self, before: int, seconds: float) -> StepsRecord:
        visited = self._visited(self.step - 1)
        block = visited - (self._visited(before - 1) if before % self.steps_per_epoch else 0)
        if seconds < _BLOCK_SECONDS / 2:
            self._block *= 2
        elif seconds > _BLOCK_SECONDS * 2:
            self._block = max(1, self._block // 2)
        return StepsRecord(
            (self.step - 1) // self.steps_per_epoch + 1,
            self.step,
            visited,
            self._objective_sum / visited,
            self._seconds(),
            block / max(seconds, 1e-9),
        )

    def _visited(self, step: int) -> int:
        """How many examples of its epoch have been visited when the step of that number is done."""
        return min((step % self.steps_per_epoch + 1) * self.plan.batch_size, self.examples_per_epoch)

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    @contextmanager
    def _as_averaged(self) -> Iterator[None]:
        """The network with the averaged parameters, where there are any, while something is measured or kept."""
        average = self.session.average
        if average is None:
            yield
            return
        own = self.network.params.copy()
        self.network.params[...] = average
        try:
            yield
        finally:
            self.network.params[...] = own

    def _measure(self, examples: Examples, rows: Ints | None = None) -> dict[str, Any]:
        with self._as_averaged():
            if examples.y is None:
                return reconstruction_metrics(reconstructed(self.session, examples, rows))
            losses, outputs = losses_of(self.session, examples, rows)
        y, plan = examples.targets(rows), self.plan
        metrics = measure(losses, outputs, y, plan.unit, labels=plan.labels, questions=plan.questions)
        metrics.pop("confusion", None)
        return metrics

    def _untrained(self) -> EpochRecord:
        validation = None if self.validation is None else self._measure(*self.validation)
        train = self._measure(self.session.examples, self.rows)
        return EpochRecord(0, 0, train, validation, None, self._seconds())

    def _end_of_epoch(self) -> EpochRecord | None:
        """Measure what was asked for and keep the best weights; None if a number is not finite."""
        if not np.isfinite(self.network.params).all():
            return None
        validation = None if self.validation is None else self._measure(*self.validation)
        if validation is not None:
            if not np.isfinite(validation["loss"]):
                return None
            self._measured = self.step // self.steps_per_epoch, validation["loss"]
            self._keep_best(validation, self.step // self.steps_per_epoch)
        return self._epoch_record(validation)

    def _epoch_record(self, validation: Mapping[str, Any] | None) -> EpochRecord:
        train: Mapping[str, Any] = {"loss": self._objective_sum / self.examples_per_epoch}
        if validation is None and any(getattr(rule, "metric", "loss") != "loss" for rule in self.plan.rules):
            train = self._measure(self.session.examples, self.rows)
        best_epoch = self._best and self._best[2]
        lr = None if self.rates.constant else self.rates.at(self.step - 1)
        epoch = self.step // self.steps_per_epoch
        return EpochRecord(epoch, self.step, train, validation, best_epoch, self._seconds(), lr)

    def _keep_best(self, validation: Mapping[str, Any], epoch: int) -> None:
        value = validation.get(self.plan.watch)
        if value is None:
            there = ", ".join(k for k, number in validation.items() if k in HIGHER_IS_BETTER and number is not None)
            raise InputError(f"watch is {self.plan.watch!r}, which is not measured here; there are {there}")
        score = value if HIGHER_IS_BETTER[self.plan.watch] else -value
        if self._best is None or score > self._best[1]:
            with self._as_averaged():
                self._best = (self.network.params.copy(), score, epoch)

    def _reason(self, record: EpochRecord) -> str | None:
        return next((reason for rule in self.plan.rules if (reason := rule.reason(record))), None)

    def _reason_before_start(self) -> str | None:
        """A resumed training may have ended already: its rules are asked about the epoch it stands at."""
        if self.step == 0 or self.step % self.steps_per_epoch:
            return self._stop_reason
        validation = None if self.validation is None else self._measure(*self.validation)
        if validation is not None:  # the state may be from before this epoch's weights were compared with the best
            self._keep_best(validation, self.step // self.steps_per_epoch)
        return self._reason(self._epoch_record(validation))

    def _failed(self) -> EndRecord:
        """Put the last good weights back: those of the last step whose objective was finite."""
        bad, good = self.step, max(self.step - 1, self._good[0].step)
        self.restore(next(state for state in reversed(self._good) if state.step <= good))
        self.advance_to(good)
        self._final = state = self.state()
        taken = self.stretch(good, 1) if good < bad else None
        found = first_to_blow_up(self.network, self.session, taken, self.stretch(bad, 1))
        self.restore(state)
        self._keep_average()
        reason = (
            f"the loss was no longer a finite number at step {bad + 1}: {found}; the weights of step {good} were kept"
        )
        if self.plan.lr is not None:
            reason += f"; try a smaller learning rate than {self.plan.lr:g}"
        return EndRecord(reason, good // self.steps_per_epoch, good, None, failed=True, seconds=self._seconds())

    def _keep_average(self) -> None:
        """Have the network end with the averaged parameters, where there are any."""
        if self.session.average is not None:
            self.network.params[...] = self.session.average

    def _end(self, reason: str) -> EndRecord:
        self._final = self.state()
        self._keep_average()
        if self._best is not None:
            self.network.params[...] = self._best[0]
        best_epoch = self._best and self._best[2]
        epoch = self.step // self.steps_per_epoch
        return EndRecord(reason, epoch, self.step, best_epoch, failed=False, seconds=self._seconds())
