"""The whole state of a training in progress: with it, and with the data, training goes on to the same bits."""

from collections.abc import Mapping
from dataclasses import dataclass

from backlight.arrays import Floats
from backlight.training.schedules import Watched


@dataclass(frozen=True)
class TrainingState:
    """A moment between two steps.

    Random draws are keyed by place, so the number of steps is the position of every stream as well.

    Attributes:
        step: how many steps have been taken.
        params: the parameters (size,).
        optimizer: the optimizer's arrays, each (size,), or (history, size).
        objective_sum: the sum over this epoch's steps so far of objective times examples.
        average: the averaged parameters (size,), None where nothing is averaged.
        best_params: the parameters that were best on validation, averaged ones where they are averaged; None if there
            are none yet.
        best_score: their score.
        best_epoch: after which epoch they were.
        watched: what reduce on plateau has seen, None if it has seen nothing.
    """

    step: int
    params: Floats
    optimizer: Mapping[str, Floats]
    objective_sum: float = 0.0
    best_params: Floats | None = None
    best_score: float | None = None
    best_epoch: int | None = None
    watched: Watched | None = None
    average: Floats | None = None
