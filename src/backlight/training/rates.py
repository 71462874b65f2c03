"""The learning rates of a training's steps: the rate that was given, times what its schedule says."""

import numpy as np

from backlight.arrays import Floats
from backlight.training.schedules import Constant, Place, Plateau, Schedule, Warmup, Watched


class Rates:
    """The rates of a training in progress.

    Args:
        lr: the learning rate.
        schedule: what it is multiplied with, step by step.
        per_epoch: steps of an epoch.
        epochs: the most epochs.

    Attributes:
        watched: what reduce on plateau has seen; None before it has seen anything, and for other schedules.

    Example:
        >>> from backlight.training.schedules import Cosine
        >>> Rates(0.2, Cosine(), 2, 2).of(0, 4).round(3).tolist()
        [[0.2], [0.171], [0.1], [0.029]]
    """

    def __init__(self, lr: float, schedule: Schedule, per_epoch: int, epochs: int) -> None:
        self.lr, self.schedule, self._per_epoch, self._total = lr, schedule, per_epoch, per_epoch * epochs
        then = schedule.then if isinstance(schedule, Warmup) else schedule
        self._plateau = then if isinstance(then, Plateau) else None
        self._before = schedule.epochs if isinstance(schedule, Warmup) else 0
        self.watched: Watched | None = None

    @property
    def constant(self) -> bool:
        """Whether all rates are the same."""
        return isinstance(self.schedule, Constant)

    def at(self, step: int) -> float:
        """The rate of the step before which so many have been taken."""
        cuts = 0 if self.watched is None else self.watched.cuts
        return self.lr * self.schedule.factor(Place(step, self._per_epoch, self._total, cuts))

    def of(self, step: int, count: int) -> float | Floats:
        """The rates of some steps in a row, as a stretch has them: one number, or (count, 1)."""
        return self.lr if self.constant else np.array([[self.at(step + k)] for k in range(count)])

    def looks_at(self, epoch: int) -> bool:
        """Whether reduce on plateau has yet to see the loss at the end of an epoch."""
        seen = self._before if self.watched is None else self.watched.epoch
        return self._plateau is not None and epoch > seen

    def look(self, epoch: int, loss: float) -> None:
        """Have reduce on plateau look at the loss at the end of an epoch."""
        if self._plateau is not None:
            self.watched = self._plateau.look(self.watched, epoch, loss)
