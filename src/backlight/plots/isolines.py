"""Isolines of a surface: the levels that they are drawn at, and the rings around what is not above a level."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ring: TypeAlias = list[tuple[float, float]]
"""Corners (x, y) of a closed line, as shares of the width and the height from the lower left corner."""

_Edge: TypeAlias = tuple[bool, int, int]
"""Whether the edge goes up, and the row and the column that it starts from."""

_HIGHEST: Final = 1e300
_MOST: Final = 0.95
_FINEST: Final = 1 / 200

# Which sides of a cell an isoline joins, by which corners are not above the level. Corners: 1 lower left, 2 lower
# right, 4 upper right, 8 upper left. Sides: 0 below, 1 right, 2 above, 3 left.
_JOINED: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((0, 2),),
    11: ((1, 2),),
    12: ((1, 3),),
    13: ((0, 1),),
    14: ((3, 0),),
}
_SADDLES: Final = {  # by the corners, and whether the middle is not above the level
    (5, False): ((3, 0), (1, 2)),
    (5, True): ((3, 2), (0, 1)),
    (10, False): ((0, 1), (2, 3)),
    (10, True): ((3, 0), (1, 2)),
}


def levels(heights: NDArray[np.float64], most: int = 12) -> tuple[float, ...]:
    """At most so many levels, close together near the lowest height: their distances from it grow by a common factor.

    The highest twentieth of the surface has none. They are rounded as far as they stay apart.

    Example:
        >>> levels(np.linspace(0.0, 1.0, 1001), 4)
        (0.0048, 0.028, 0.16, 0.95)
        >>> levels(np.ones((2, 2)))
        ()
    """
    finite = heights[np.isfinite(heights)]
    if not finite.size or finite.min() == finite.max():
        return ()
    low, high = float(finite.min()), float(np.quantile(finite, _MOST))
    high = high if high > low else float(finite.max())
    exact = low + (high - low) * np.geomspace(_FINEST, 1.0, most)
    for digits in range(2, 17):
        rounded = sorted({float(f"{level:.{digits}g}") for level in exact.tolist()})
        if len(rounded) == most and rounded[0] > low:
            return tuple(rounded)
    return tuple(np.unique(exact).tolist())


def rings(heights: NDArray[np.float64], level: float) -> list[Ring]:
    """The closed lines around all that is not above a level, by marching squares; within one may lie another, a hole.

    Between two neighbours the surface is taken to be straight. Beyond its borders everything is above the level, so
    that lines which reach a border go along it.

    Args:
        heights: (y, x), at least two of each; what is no number counts as the highest.
        level: a finite number.

    Source: Lorensen and Cline 1987, "Marching cubes", in two dimensions; saddles by the mean of the four corners.

    Example:
        >>> rings(np.array([[0.0, 2.0], [0.0, 2.0]]), 1.0)
        [[(0.0, 0.0), (0.0, 1.0), (0.5, 1.0), (0.5, 0.0)]]
    """
    padded = np.pad(np.clip(np.nan_to_num(heights, nan=_HIGHEST), -_HIGHEST, _HIGHEST), 1, constant_values=_HIGHEST)
    neighbours: dict[_Edge, list[_Edge]] = {}
    for a, b in _segments(padded, level):
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    found = []
    while neighbours:
        start, (here, before) = next(iter(neighbours.items()))
        ring, before = [_crossing(padded, start, level)], start
        while here != start:
            ring.append(_crossing(padded, here, level))
            first, second = neighbours.pop(here)
            here, before = (second if first == before else first), here
        del neighbours[start]
        kept = [point for k, point in enumerate(ring) if point != ring[k - 1]]
        if len(kept) > 2:
            found.append(kept)
    return found


def _segments(padded: NDArray[np.float64], level: float) -> Iterator[tuple[_Edge, _Edge]]:
    """The pieces of the isoline in each cell, as the two sides that they join."""
    low = padded <= level
    cases = low[:-1, :-1] + 2 * low[:-1, 1:] + 4 * low[1:, 1:] + 8 * low[1:, :-1]
    for row, column in np.argwhere((cases > 0) & (cases < 15)).tolist():
        case = int(cases[row, column])
        joined = _JOINED.get(case)
        if joined is None:
            middle = padded[row : row + 2, column : column + 2].mean() <= level
            joined = _SADDLES[case, bool(middle)]
        sides = ((False, row, column), (True, row, column + 1), (False, row + 1, column), (True, row, column))
        for a, b in joined:
            yield sides[a], sides[b]


def _crossing(padded: NDArray[np.float64], edge: _Edge, level: float) -> tuple[float, float]:
    """Where the isoline crosses a side, as shares; on a border where the side leads beyond it."""
    up, row, column = edge
    a, b = float(padded[row, column]), float(padded[row + up, column + (not up)])
    share = (level - a) / (b - a)
    across, along = column - 1 + (0.0 if up else share), row - 1 + (share if up else 0.0)
    height, width = padded.shape[0] - 3, padded.shape[1] - 3
    return min(max(across, 0.0), width) / width, min(max(along, 0.0), height) / height
