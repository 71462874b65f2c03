"""A surface with paths on it in the terminal: shades for its height, letters for the paths."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from backlight.plots import Contours, number
from backlight.plots.contour_shapes import drawable, scales, visible

_SHADES: Final = " ░▒▓█"
_WIDEST: Final = 72
_MARKS: Final = "ABCD"


def draw_contours(block: Contours, width: int) -> Text:
    """The surface, the lower the darker, with a letter at the points of each path and a capital at its end."""
    if not drawable(block) or not np.isfinite(block.heights).any():
        return Text("nothing to show")
    columns = max(8, min(_WIDEST, width - 2))
    rows = max(4, columns * 3 // 8)
    finite = block.heights[np.isfinite(block.heights)]
    borders = np.quantile(finite, np.linspace(0, 1, len(_SHADES) + 1)[1:-1])
    heights = _stretched(np.where(np.isfinite(block.heights), block.heights, finite.max()), rows, columns)[::-1]
    shades = np.searchsorted(borders, heights)
    lines = [[_SHADES[::-1][shade] for shade in row] for row in shades.tolist()]
    x_scale, y_scale = scales(block)
    for which, trail in enumerate(block.trails):
        mark, points = _MARKS[which % len(_MARKS)], visible(trail)
        for n, (_, x, y) in enumerate(points):
            row = rows - 1 - round(y_scale.share(y) * (rows - 1))
            lines[row][round(x_scale.share(x) * (columns - 1))] = mark if n == len(points) - 1 else mark.lower()
    told = ["".join(line) for line in lines]
    told.append(f"{_SHADES[-1]} below {number(borders[0])} … above {number(borders[-1])}")
    for which, trail in enumerate(block.trails):
        mark = _MARKS[which % len(_MARKS)]
        told.append(f"{mark.lower()} … {mark}  {trail.name}")
    return Text("\n".join(told))


def _stretched(values: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """Values (y, x) at so many evenly spaced rows and columns, straight between neighbours."""
    down, across = np.linspace(0, len(values) - 1, rows), np.linspace(0, values.shape[1] - 1, columns)
    wide = np.array([np.interp(across, np.arange(values.shape[1]), row) for row in values])
    return np.array([np.interp(down, np.arange(len(values)), column) for column in wide.T]).T
