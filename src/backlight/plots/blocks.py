"""The blocks that pages, notebooks and the terminal are made of: plain data, drawn elsewhere.

A block knows arrays and names. What they mean, it does not know.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.plots.contours import Contours

Cell: TypeAlias = str | float | int | None


@dataclass(frozen=True)
class Heading:
    """A heading.

    Attributes:
        text: the words.
        level: 1 for the page's title, 2 for a section, 3 below it.
    """

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A sentence or a few.

    Attributes:
        text: the words.
        kind: "plain", "note" for what is said beside the main thing, or "warning".
    """

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Table:
    """Rows of cells; numbers are shown with four significant digits, None as an empty cell.

    Attributes:
        columns: their titles.
        rows: as many cells each as there are columns.
        signed: the numbers of columns whose numbers are coloured by sign.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    signed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Bars:
    """One bar per name, to the right of zero for positive values and to the left for negative ones.

    Attributes:
        names: of the bars.
        values: their lengths.
        caption: what they are.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A small image of numbers.

    Attributes:
        values: (height, width); unsigned also (height, width, 3) for red, green and blue.
        signed: whether 0 is the middle, positive and negative in two colours; otherwise from dark to bright.
        caption: what it is.
    """

    values: NDArray[np.float64]
    signed: bool = False
    caption: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Edge:
    """A line between a unit of a column and a unit of the next column.

    Attributes:
        column: the number of the column that it starts from.
        source: the place of the unit in that column.
        target: the place of the unit in the next column.
        value: gives its colour by sign and its width by size.
    """

    column: int
    source: int
    target: int
    value: float


@dataclass(frozen=True)
class Column:
    """Units drawn above each other.

    Attributes:
        title: above the column.
        names: of the units that are drawn.
        values: how bright each is, from 0 to 1.
        marks: a signed number beside each unit, shown as an arrow up or down; None for no arrows.
        left_out: how many units of the layer are not drawn.
    """

    title: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    marks: tuple[float, ...] | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Drawing:
    """A network, drawn: columns of units from left to right, and edges between neighbours."""

    columns: tuple[Column, ...]
    edges: tuple[Edge, ...]
    caption: str = ""


@dataclass(frozen=True)
class Curve:
    """A line through points, and a tangent at one of them.

    Attributes:
        x: places.
        y: values.
        tangent: (x, y, slope) of the point where the tangent touches, None for no tangent.
        labels: of the two axes.
        caption: what it is.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    tangent: tuple[float, float, float] | None = None
    labels: tuple[str, str] = ("", "")
    caption: str = ""


@dataclass(frozen=True)
class Line:
    """A line or a cloud of points in a chart.

    Attributes:
        name: what it is.
        x: places.
        y: values.
        kind: "line" with a dot at each point, "trace" and "dashes" without dots, or "points" without a line.
        ends: the lower and upper end of an interval around each value, None for no intervals.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: str = "line"
    ends: tuple[tuple[float, float] | None, ...] | None = None


@dataclass(frozen=True)
class Chart:
    """Several lines over the same axes.

    Attributes:
        lines: from back to front.
        labels: of the two axes.
        diagonal: from where to where the line x = y is drawn, None for no such line.
        caption: what it is.
        logs: whether each of the two axes is logarithmic; what is not above 0 is then left out.
    """

    lines: tuple[Line, ...]
    labels: tuple[str, str] = ("", "")
    diagonal: tuple[float, float] | None = None
    caption: str = ""
    logs: tuple[bool, bool] = (False, False)


@dataclass(frozen=True)
class Ranges:
    """Values above each other on a common scale, each with an interval where it has one.

    Attributes:
        names: of the values.
        values: where the dots are, None for no dot.
        ends: of the intervals, None for no interval.
        texts: what is written beside each.
        caption: what they are.
    """

    names: tuple[str, ...]
    values: tuple[float | None, ...]
    ends: tuple[tuple[float, float] | None, ...]
    texts: tuple[str, ...]
    caption: str = ""


@dataclass(frozen=True)
class Matrix:
    """Counts of pairs; those on the diagonal agree.

    Attributes:
        names: of rows and columns.
        counts: (rows, columns).
        labels: what the rows are, and the columns.
        caption: what they are.
    """

    names: tuple[str, ...]
    counts: NDArray[np.int64]
    labels: tuple[str, str] = ("", "")
    caption: str = ""


Block: TypeAlias = (
    Heading | Text | Table | Bars | Picture | Gallery | Drawing | Curve | Chart | Ranges | Matrix | Contours
)


def number(value: float) -> str:
    """A number with four significant digits, as every form shows it.

    Example:
        >>> number(0.123456), number(-12345.6), number(0.0), number(1e-7)
        ('0.1235', '-12,346', '0', '1.000e-07')
    """
    if value == 0 or not np.isfinite(value):
        return f"{value + 0.0:g}"
    size = abs(value)
    if size < 1e-4 or size >= 1e12:
        return f"{value:.3e}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
