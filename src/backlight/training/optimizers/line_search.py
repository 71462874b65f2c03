"""A line search: how far to go along a direction, by the strong Wolfe conditions."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from backlight.arrays import Floats

_DECREASE: Final = 1e-4
_FLATTER: Final = 0.9
_MOST: Final = 20
_FARTHER: Final = 4.0
_EDGE: Final = 0.1


@dataclass(frozen=True)
class Point:
    """A point on the line.

    Attributes:
        at: how far along the direction.
        value: the objective there.
        slope: its derivative along the direction.
        gradient: its gradient (size,).
    """

    at: float
    value: float
    slope: float
    gradient: Floats


Evaluate: TypeAlias = Callable[[float], Point]


def line_search(evaluate: Evaluate, start: Point, first: float) -> Point | None:
    """A point that is lower by enough, and flatter: f(α) ≤ f(0) + 1e-4 α f'(0) and |f'(α)| ≤ 0.9 |f'(0)|.

    Source: Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6.

    Args:
        evaluate: the point at a distance.
        start: the point at 0; its slope is below 0.
        first: the distance that is tried first.

    Returns:
        The point; after 20 evaluations the lowest one that is lower by enough; None if there is none.

    Example:
        >>> import numpy as np
        >>> square = lambda a: Point(a, (a - 3.0) ** 2, 2 * (a - 3.0), np.zeros(0))
        >>> line_search(square, square(0.0), 100.0).at
        3.0
    """
    low, at = start, first
    for tried in range(_MOST):
        here = evaluate(at)
        if not _lower(here, start) or (tried and here.value >= low.value):
            return _between(evaluate, start, low, here, _MOST - tried - 1)
        if abs(here.slope) <= -_FLATTER * start.slope:
            return here
        if here.slope >= 0:
            return _between(evaluate, start, here, low, _MOST - tried - 1)
        low, at = here, at * _FARTHER
    return low


def _lower(here: Point, start: Point) -> bool:
    return here.value <= start.value + _DECREASE * here.at * start.slope


def _between(evaluate: Evaluate, start: Point, low: Point, high: Point, most: int) -> Point | None:
    """Narrow down an interval that holds such a point; `low` is the lower end, whichever side it is on."""
    for _ in range(most):
        here = evaluate(_lowest_of_cubic(low, high))
        if not _lower(here, start) or here.value >= low.value:
            high = here
            continue
        if abs(here.slope) <= -_FLATTER * start.slope:
            return here
        if here.slope * (high.at - low.at) >= 0:
            high = low
        low = here
    return low if low.at > 0 else None


def _lowest_of_cubic(one: Point, other: Point) -> float:
    """Where the cubic through both points with their slopes is lowest, kept off the ends; else the middle."""
    width, at = other.at - one.at, math.nan
    if math.isfinite(other.value) and math.isfinite(other.slope):
        d1 = one.slope + other.slope - 3.0 * (one.value - other.value) / (one.at - other.at)
        square = d1 * d1 - one.slope * other.slope
        d2 = math.copysign(math.sqrt(square), width) if square >= 0 else math.nan
        bottom = other.slope - one.slope + 2.0 * d2
        at = other.at - width * (other.slope + d2 - d1) / bottom if bottom else math.nan
    share = (at - one.at) / width if width else math.nan
    return one.at + width * (share if _EDGE <= share <= 1.0 - _EDGE else 0.5)
