"""A surface over a plane, and paths on it, as a block: plain data, drawn elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Trail:
    """A path on a surface.

    Attributes:
        name: what it is.
        x: places from left to right.
        y: places from bottom to top.
        off: how far each point really is from the surface's plane; the farther, the paler it is drawn.
        texts: of each point, shown where a pointer rests on it.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    off: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Contours:
    """A surface over two axes, as bands of its height, and paths on it.

    Attributes:
        x: places from left to right, evenly spaced and growing.
        y: places from bottom to top, likewise.
        heights: of the surface (y, x); what is no number counts as the highest.
        trails: from back to front.
        labels: of the two axes.
        caption: what it is.
        what: what the heights are.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    heights: NDArray[np.float64]
    trails: tuple[Trail, ...] = ()
    labels: tuple[str, str] = ("", "")
    caption: str = ""
    what: str = "height"
