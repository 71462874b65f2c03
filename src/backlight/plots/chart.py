"""Several lines, or clouds of points, over the same axes."""

import math
from html import escape
from typing import Final

from backlight.plots.axes import HEIGHT, TOP, Axes, framed, nothing
from backlight.plots.blocks import Chart, Line, number
from backlight.plots.marks import caption, percent, place
from backlight.plots.scales import Scale

_SERIES: Final = 4  # so many colours
_RADIUS: Final = {"line": 4.0, "points": 3.5, "dashes": 0.0}
_CROWD: Final = 60


def render_chart(chart: Chart) -> str:
    """The lines with their axes and, where there are several, a legend."""
    points = [point for line in chart.lines for point in _touched(line)]
    if not points:
        return nothing(caption(chart.caption))
    if chart.diagonal and all(map(math.isfinite, chart.diagonal)):
        points += [(end, end) for end in chart.diagonal]
    axes = Axes(Scale.around([x for x, _ in points], 0.03), Scale.around([y for _, y in points], 0.05))
    body = "".join(_line(line, axes, which % _SERIES) for which, line in enumerate(chart.lines))
    if chart.diagonal and all(map(math.isfinite, chart.diagonal)):
        body = _diagonal(chart.diagonal, axes) + body
    told = "; ".join(f"{line.name or 'line'}: {len(_points(line))} points" for line in chart.lines)
    title = f"{chart.labels[1] or 'y'} against {chart.labels[0] or 'x'}. {told}"
    return framed(axes, body, labels=chart.labels, title=title, above=caption(chart.caption), below=_legend(chart))


def _points(line: Line) -> list[tuple[int, float, float]]:
    """The points that are numbers, with their places in the line."""
    return [
        (at, x, y)
        for at, (x, y) in enumerate(zip(line.x, line.y, strict=True))
        if math.isfinite(x) and math.isfinite(y)
    ]


def _end(line: Line, at: int) -> tuple[float, float] | None:
    ends = line.ends[at] if line.ends else None
    return ends if ends and all(map(math.isfinite, ends)) else None


def _touched(line: Line) -> list[tuple[float, float]]:
    return [place for at, x, y in _points(line) for place in ((x, y), *((x, end) for end in _end(line, at) or ()))]


def _line(line: Line, axes: Axes, series: int) -> str:
    """The stroke, then the intervals, then the dots."""
    points = _points(line)
    parts = []
    if line.kind != "points" and len(points) > 1:
        path = "L".join(f"{place(1000 * axes.x.share(x))} {place(1000 * (1 - axes.y.share(y)))}" for _, x, y in points)
        dashes = " bl-dashed" if line.kind == "dashes" else ""
        parts.append(
            f'<svg x="0" y="{place(TOP)}" width="100%" height="{place(HEIGHT)}" viewBox="0 0 1000 1000" '
            f'preserveAspectRatio="none"><path class="bl-trace bl-series-{series}{dashes}" d="M{path}"/></svg>'
        )
    for at, x, _ in points:
        if ends := _end(line, at):
            across = percent(axes.across(x))
            parts.append(
                f'<line class="bl-whisker bl-series-{series}" x1="{across}" x2="{across}" '
                f'y1="{place(axes.down(ends[0]))}" y2="{place(axes.down(ends[1]))}"/>'
            )
    radius = _RADIUS.get(line.kind, 4.0)
    if radius and len(points) > _CROWD:
        radius = 2.2
    for _, x, y in points if radius else ():
        words = f"<title>{escape(f'{line.name}: {number(x)}, {number(y)}')}</title>" if len(points) <= _CROWD else ""
        parts.append(
            f'<circle class="bl-dot bl-series-{series}" cx="{percent(axes.across(x))}" '
            f'cy="{place(axes.down(y))}" r="{place(radius)}">{words}</circle>'
        )
    return "".join(parts)


def _diagonal(ends: tuple[float, float], axes: Axes) -> str:
    (x1, y1), (x2, y2) = ((percent(axes.across(end)), place(axes.down(end))) for end in ends)
    return f'<line class="bl-leg" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _legend(chart: Chart) -> str:
    if len(chart.lines) < 2:
        return ""
    keys = []
    for which, line in enumerate(chart.lines):
        series = which % _SERIES
        dashes = " bl-dashed" if line.kind == "dashes" else ""
        stroke = "" if line.kind == "points" else f'<path class="bl-trace bl-series-{series}{dashes}" d="M1 8H29"/>'
        dot = "" if line.kind == "dashes" else f'<circle class="bl-dot bl-series-{series}" cx="15" cy="8" r="4"/>'
        key = f'<svg class="bl-key" aria-hidden="true" viewBox="0 0 30 16">{stroke}{dot}</svg>'
        keys.append(f"<span>{key}{escape(line.name)}</span>")
    return f'<div class="bl-legend bl-curve">{"".join(keys)}</div>'
