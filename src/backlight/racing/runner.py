"""One method in the race: its training, driven in turns, with its clock, its passes and its losses."""

import time
from dataclasses import dataclass, replace
from typing import Final

from backlight.data import Dataset
from backlight.engine import WholeSession
from backlight.files import Settings
from backlight.racing.alarm import Alarm
from backlight.racing.entrants import BACKPROPAGATION_PASSES, Entrant
from backlight.racing.gauge import Gauge
from backlight.training import Training

TIME_UP: Final = "its time was up"
PASSES_UP: Final = "its passes were used up"
INTERRUPTED: Final = "interrupted"

_FURTHER: Final = 1.2
_BLOCK: Final = 0.1
_PART: Final = 0.005
_FREE: Final = 0.05
_SHARE: Final = 0.1


@dataclass(frozen=True)
class Budget:
    """What every method may spend; one of the two.

    Attributes:
        seconds: of its own work.
        passes: over all training examples, forward; a pass with backpropagation counts as three.
    """

    seconds: float | None = None
    passes: float | None = None


@dataclass(frozen=True)
class Point:
    """Where a method was at a moment.

    Attributes:
        passes: forward passes over all training examples so far, or what is worth as much.
        seconds: of its own work so far.
        loss: the objective over the training examples, measured, at the weights it would keep.
    """

    passes: float
    seconds: float
    loss: float


class Runner:
    """A method at work.

    Args:
        entrant: which.
        settings: its own, resolved.
        dataset: the data.
        budget: what it may spend.
        gauge: measures its losses; its clock stands still meanwhile.
        alarm: stops it when its time is up.

    Attributes:
        points: its losses, at moments that are about as far apart on a logarithmic scale.
        seconds: of its own work so far.
        passes: so far.
        ended: why it has ended, None while it has not.
        best: the lowest of its losses; the start's while there is no other.
        params: the weights that had it.
    """

    def __init__(
        self, entrant: Entrant, settings: Settings, dataset: Dataset, budget: Budget, gauge: Gauge, alarm: Alarm
    ) -> None:
        self.entrant, self._settings, self._dataset, self._budget = entrant, settings, dataset, budget
        self._gauge, self._alarm = gauge, alarm
        self.points = [Point(0.0, 0.0, gauge.start)]
        self.seconds = self.passes = self._measuring = 0.0
        self.ended: str | None = None
        self.best, self.params = gauge.start, gauge.untrained
        self._training: Training | None = None

    @property
    def early(self) -> bool:
        """Whether it ended by itself, with budget left."""
        return self.ended not in (None, TIME_UP, PASSES_UP, INTERRUPTED)

    def turn(self, seconds: float) -> None:
        """Go on for about so long."""
        if self._training is None:
            self._training = self._start()
        until = self.seconds + seconds
        while self.ended is None and self.seconds < until:
            self._go_on(self._training)
        if self.ended is not None:
            self.end(self.ended)

    def end(self, reason: str, *, measure: bool = True) -> None:
        """Measure a last time, and let go of all but the best weights."""
        self.ended = self.ended or reason
        if self._training is not None:
            if measure and self.passes > self.points[-1].passes:
                self._measure(self._training)
            self._training = None

    def _start(self) -> Training:
        settings, dataset = self._settings, self._dataset
        trainer = replace(settings.trainer(self._gauge.copy()), evaluate_untrained=False)
        rows = dataset.rows["train"]
        return trainer.start(dataset.x, dataset.y, rows=rows, sample_weight=dataset.weights)

    def _go_on(self, training: Training) -> None:
        """Take some steps, and measure where the last measurement is long ago."""
        left = None if self._budget.seconds is None else self._budget.seconds - self.seconds
        before = training.step
        with self._alarm.after(left, training, TIME_UP):
            started = time.perf_counter()
            training.advance_to(before + self._steps(training))
            self.seconds += time.perf_counter() - started
        self.passes = self._passes(training)
        if self._budget.seconds is not None and self.seconds >= self._budget.seconds:
            self.ended = TIME_UP
        elif training.step == before:
            self.ended = training.complete().reason  # that no step was taken has a reason
        elif self._budget.passes is not None and self.passes >= self._budget.passes:
            self.ended = PASSES_UP
        elif self._due():
            self._measure(training)

    def _steps(self, training: Training) -> int:
        """How many steps to take: a fifth of those so far, for a tenth of a second, or a small part of the passes.

        With a budget of passes the clock has no say, so that races with the same seed are the same.
        """
        taken, most = training.step, self._budget.passes
        if not taken:
            return 1
        if most is None:
            share = _BLOCK / max(self.seconds, 1e-9)
        else:
            share = min(most * _PART, most - self.passes) / self.passes
        return max(1, int(taken * min(_FURTHER - 1, share)))

    def _passes(self, training: Training) -> float:
        if not self.entrant.gradient:
            assert isinstance(training.session, WholeSession)
            return float(training.session.evaluations)
        epochs, steps = divmod(training.step, training.steps_per_epoch)
        count = len(training.rows)
        return BACKPROPAGATION_PASSES * (epochs + min(steps * training.plan.batch_size, count) / count)

    def _due(self) -> bool:
        """Whether a fifth more of the way has been made, and measuring has not taken too much time."""
        last, seconds = self.points[-1], self._budget.seconds
        if self.passes <= last.passes or seconds is None:
            return self.passes > last.passes * _FURTHER
        farther = self.passes > last.passes * _FURTHER or self.seconds > last.seconds * _FURTHER
        return farther and self._measuring < _FREE * seconds + _SHARE * self.seconds

    def _measure(self, training: Training) -> None:
        started = time.perf_counter()
        loss = self._gauge.loss(training.network.params)
        if loss < self.best or len(self.points) == 1:
            self.best, self.params = loss, training.network.params.copy()
        self.points.append(Point(self.passes, self.seconds, loss))
        self._measuring += time.perf_counter() - started
