"""What every system is given, and what it can be asked to do."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.bench.data import CLASSES, shuffled
from backlight.bench.workloads import Workload

Batch = TypeVar("Batch")
_TRIAL_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Job:
    """A workload, and the examples that it learns from.

    Attributes:
        workload: which network is trained, and how.
        x: inputs (n, 784) of float32.
        y: class indices (n,).
        threads: how many threads may work.
    """

    workload: Workload
    x: Floats
    y: Ints
    threads: int

    @property
    def order(self) -> Ints:
        """The row numbers, in the order in which they are visited."""
        return shuffled(len(self.x), self.workload.batch_size)

    @property
    def targets(self) -> Floats | Ints:
        """One-hot (n, 10) of float32 for a squared error, class indices (n,) for cross-entropy."""
        return np.eye(CLASSES, dtype=np.float32)[self.y] if self.workload.loss == "squared" else self.y


class Learner(Protocol):
    """One system at work on one job. What it has to compile, it compiles in its first steps.

    Attributes:
        form: which of the system's own ways of training this is, in words.
    """

    form: str

    def restart(self) -> None:
        """Go back to the untrained network and the first batch."""

    def advance(self, steps: int) -> None:
        """Take steps, each on a fresh batch gathered from the data; return when their work is done."""

    def params(self) -> Floats | None:
        """The parameters as Backlight orders them; None where the system's network is another one."""


class Batches(Generic[Batch]):
    """Batches in their order, from the first again after the last."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._batches = batches
        self.restart()

    def restart(self) -> None:
        """Begin with the first batch."""
        self._endless: Iterator[Batch] = cycle(self._batches)

    def take(self, count: int) -> Iterator[Batch]:
        """The next `count` batches."""
        return islice(self._endless, count)


def seconds_for(learner: Learner, steps: int) -> float:
    """How long steps take."""
    start = time.perf_counter()
    learner.advance(steps)
    return time.perf_counter() - start


def steps_within(learner: Learner, seconds: float) -> int:
    """How many steps take about that long, at least one."""
    steps = 1
    while (taken := seconds_for(learner, steps)) < seconds / 4:
        steps *= 2
    for _ in range(2):  # the first steps of a system are its slowest
        steps = max(1, round(steps * seconds / taken))
        taken = seconds_for(learner, steps)
    return max(1, round(steps * seconds / taken))


def fastest(forms: Sequence[Callable[[], Learner]]) -> Learner:
    """Of several ways to train, the one whose steps take the least time once compiled."""
    learners = [make() for make in forms]
    for learner in learners:
        learner.advance(2)
    counts = [steps_within(learner, _TRIAL_SECONDS) for learner in learners]
    seconds = [
        min(seconds_for(learner, steps) / steps for _ in range(3))
        for learner, steps in zip(learners, counts, strict=True)
    ]
    return learners[seconds.index(min(seconds))]
