"""Where trainings end that begin elsewhere: the spread of their final costs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from backlight.explanation.landscapes.cost import Cost
from backlight.explanation.landscapes.walks import Told, quiet, walk
from backlight.training import Training

_ENDS: Final = 2


@dataclass(frozen=True)
class Ends:
    """Final costs of trainings that differ in their seed alone: initial weights, order of examples, dropout.

    Attributes:
        name: how they were trained.
        costs: at the end of each, for the seeds 0, 1, 2, …; NaN where the objective was no longer finite.
        mean: of those that are finite; NaN where none is.
        sd: their standard deviation, with n − 1; 0 for a single one.
        lowest: of them.
        highest: of them.
        seconds: how long one of the trainings took, the mean.
    """

    name: str
    costs: tuple[float, ...]
    mean: float
    sd: float
    lowest: float
    highest: float
    seconds: float

    @classmethod
    def of(cls, name: str, costs: list[float], seconds: float) -> "Ends":
        """The spread of costs.

        Example:
            >>> ends = Ends.of("full batch", [1.0, 3.0, float("nan")], 0.5)
            >>> ends.mean, round(ends.sd, 3), ends.lowest, ends.highest
            (2.0, 1.414, 1.0, 3.0)
        """
        finite = [cost for cost in costs if np.isfinite(cost)]
        if not finite:
            nan = float("nan")
            return cls(name, tuple(costs), nan, nan, nan, nan, seconds)
        sd = float(np.std(finite, ddof=1)) if len(finite) > 1 else 0.0
        return cls(name, tuple(costs), float(np.mean(finite)), sd, min(finite), max(finite), seconds)


def ends_of(
    name: str, begun: Callable[[int], tuple[Training, int]], count: int, cost: Cost, told: Told = quiet
) -> Ends:
    """Train from so many starts, and measure where each ends.

    Args:
        name: how they are trained.
        begun: gives for a seed a training that has taken no step, and how many it is to take.
        count: how many starts.
        cost: what is measured.
        told: called as it goes on.
    """
    costs, seconds = [], 0.0
    for seed in range(count):
        training, last = begun(seed)

        def tell(_: str, done: int, total: int, before: int = seed) -> None:
            told(f"walking from {count} starts, {name}", before * total + done, count * total)

        walked = walk(training, last, name, _ENDS, tell)
        costs.append(float("nan") if walked.diverged else cost.at(walked.points[-1]))
        seconds += walked.seconds
    return Ends.of(name, costs, seconds / count)
