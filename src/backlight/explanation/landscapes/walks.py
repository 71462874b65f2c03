"""The paths of trainings: their parameters at some of their steps, so few that memory stays bounded."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.errors import InputError
from backlight.training import Training

Told: TypeAlias = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""

MOST_POINTS: Final = 100
MOST_BYTES: Final = 1 << 28
"""Of the parameters of all paths that are held together."""


@dataclass(frozen=True)
class Walk:
    """A training's path, thinned.

    Attributes:
        name: of the training.
        steps: how many steps had been taken at each of the points (k,).
        points: the parameters there (k, size), as the training had them; the first are the untrained network's.
        seconds: how long the steps took, without keeping points.
        diverged: whether the objective was no longer finite after the last of them.
    """

    name: str
    steps: Ints
    points: Floats
    seconds: float
    diverged: bool = False


def quiet(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def moments(last: int, most: int) -> Ints:
    """At most so many step numbers from 0 to the last, both among them, closer together where training begins.

    Parameters move most in the first steps: number r of m is last · (r / (m − 1))².

    Example:
        >>> moments(100, 5).tolist(), moments(3, 100).tolist(), moments(0, 100).tolist()
        ([0, 6, 25, 56, 100], [0, 1, 2, 3], [0])
    """
    if last < most:
        return np.arange(last + 1)
    shares = np.linspace(0.0, 1.0, most) ** 2
    return np.unique(np.rint(last * shares).astype(np.int64))


def room(size: int, itemsize: int, paths: int) -> int:
    """How many points each of so many paths may keep; the first and the last at least.

    Example:
        >>> room(13_002, 4, 3), room(10_000_000, 4, 3)
        (100, 2)
    """
    return max(2, min(MOST_POINTS, MOST_BYTES // (size * itemsize * paths)))


def walk(training: Training, last: int, name: str, most: int = MOST_POINTS, told: Told = quiet) -> Walk:
    """Take steps up to the last, and keep the parameters at some of them.

    The parameters are those that training goes on from, not averaged ones. A step whose objective is not finite ends
    the walk before it.

    Args:
        training: it has taken no step yet.
        last: how many steps to take.
        name: of the walk.
        most: how many points are kept.
        told: called as it goes on.

    Raises:
        InputError: the training stands elsewhere than at its beginning.

    Example:
        >>> from backlight import Network, Trainer
        >>> trainer = Trainer(Network.mlp(2, 3, 2, seed=0), batch_size=1, epochs=3)
        >>> training = trainer.start(np.eye(2, dtype=np.float32), np.array([0, 1]))
        >>> found = walk(training, 6, "one at a time")
        >>> found.steps.tolist(), found.points.shape
        ([0, 1, 2, 3, 4, 5, 6], (7, 17))
    """
    if training.step:
        raise InputError(f"a walk begins at step 0, and the training stands at step {training.step}")
    steps = moments(last, most)
    params = training.network.params
    points = np.empty((len(steps), params.size), params.dtype)
    reached, seconds, what = [0], 0.0, f"walking, {name}"
    points[0] = params
    for step in steps[1:].tolist():
        while training.step < step:
            before, begun = training.step, time.perf_counter()
            training.advance_to(min(step, before + _stride(before, seconds)))
            seconds += time.perf_counter() - begun
            told(what, training.step, last)
            if training.step == before:  # not finite, or ended by itself
                break
        if training.step > reached[-1] and np.isfinite(params).all():
            points[len(reached)] = params
            reached.append(training.step)
        if training.step < step:
            break
    return Walk(name, np.array(reached), points[: len(reached)], seconds, reached[-1] < last)


def _stride(taken: int, seconds: float) -> int:
    """How many steps take about a tenth of a second."""
    return max(1, int(0.1 * taken / seconds)) if seconds else 1
