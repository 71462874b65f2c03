"""Several lines, or clouds of points, over the same axes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Final

from backlight.plots.axes import HEIGHT, TOP, Axes, axis_label, framed, nothing, x_axis, y_axis
from backlight.plots.blocks import Chart, Line, number
from backlight.plots.marks import caption, percent, place
from backlight.plots.scales import LogScale, Scale

_SERIES: Final = 6  # so many colours
_RADIUS: Final = {"line": 4.0, "points": 3.5, "dashes": 0.0, "trace": 0.0}
_CROWD: Final = 60
_WIDTH, _EDGE, _PANEL = 760, 24, 348.0


def render_chart(chart: Chart) -> str:
    """The lines with their axes and, where there are several, a legend."""
    chart = _drawable(chart)
    points = [point for line in chart.lines for point in _touched(line)]
    if not points:
        return nothing(caption(chart.caption))
    if chart.diagonal and all(map(math.isfinite, chart.diagonal)):
        points += [(end, end) for end in chart.diagonal]
    axes = _axes(chart, points)
    body, title = _body(chart, axes), _title(chart)
    return framed(axes, body, labels=chart.labels, title=title, above=caption(chart.caption), below=_legend(chart))


def charts_file(charts: Sequence[Chart], title: str) -> str:
    """Charts of the same lines below each other as an SVG file of its own, light or dark as whatever shows it.

    Args:
        charts: what is drawn; their captions are left out, and the first one's lines are named below.
        title: above them.

    Example:
        >>> text = charts_file([Chart((Line("a", (1.0, 2.0), (1.0, 3.0)),))], "One line")
        >>> text.startswith("<svg xmlns") and text.endswith("</svg>")
        True
    """
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    parts, down = [f'<text x="{_EDGE}" y="26" style="font-size:15px;fill:var(--ink)">{escape(title)}</text>'], 56.0
    for chart in map(_drawable, charts):
        points = [point for line in chart.lines for point in _touched(line)]
        if points:
            parts.append(_panel(chart, _axes(chart, points), down))
            down += _PANEL
    for which, line in enumerate(charts[0].lines if charts else ()):
        across = _EDGE + which % 2 * _WIDTH // 2
        parts.append(
            f'<svg x="{across}" y="{place(down - 12)}" width="30" height="16">{_key(line, which % _SERIES)}</svg>'
            f'<text x="{across + 38}" y="{place(down)}">{escape(line.name)}</text>'
        )
        down += 22 * (which % 2)
    height = place(down + 22)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="backlight" role="img" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}"><title>{escape(title)}</title><style><![CDATA[{style}]]></style>'
        f'<rect width="100%" height="100%" style="fill:var(--paper)"/>'
        f'<svg class="bl-curve">{"".join(parts)}</svg></svg>'
    )


def _panel(chart: Chart, axes: Axes, down: float) -> str:
    """One of several charts in a file."""
    left = axes.left + 10
    (x_label, y_label), bottom = chart.labels, down + TOP + HEIGHT + 24
    return (
        f'<text x="{left}" y="{place(down - 4)}">{axis_label(y_label, "↑")}</text>'
        f'<svg x="{left}" y="{place(down)}" width="{_WIDTH - left - _EDGE}" height="{place(TOP + HEIGHT + 24)}">'
        f"{x_axis(axes)}{y_axis(axes)}{_body(chart, axes)}</svg>"
        f'<text x="{_WIDTH - _EDGE}" y="{place(bottom + 14)}" text-anchor="end">{axis_label(x_label, "→")}</text>'
    )


def _body(chart: Chart, axes: Axes) -> str:
    """The lines between the axes."""
    body = "".join(_line(line, axes, which % _SERIES) for which, line in enumerate(chart.lines))
    if chart.diagonal and all(map(math.isfinite, chart.diagonal)):
        body = _diagonal(chart.diagonal, axes) + body
    return body


def _title(chart: Chart) -> str:
    told = "; ".join(f"{line.name or 'line'}: {len(_points(line))} points" for line in chart.lines)
    return f"{chart.labels[1] or 'y'} against {chart.labels[0] or 'x'}. {told}"


def _drawable(chart: Chart) -> Chart:
    """The chart without what a logarithmic axis has no place for."""

    def kept(value: float, logarithmic: bool) -> float:
        return value if not logarithmic or value > 0 else math.nan

    x_log, y_log = chart.logs
    lines = []
    for line in chart.lines:
        x, y = tuple(kept(v, x_log) for v in line.x), tuple(kept(v, y_log) for v in line.y)
        ends = line.ends and tuple(pair and (kept(pair[0], y_log), kept(pair[1], y_log)) for pair in line.ends)
        lines.append(replace(line, x=x, y=y, ends=ends))
    return replace(chart, lines=tuple(lines), diagonal=None if x_log or y_log else chart.diagonal)


def _axes(chart: Chart, points: list[tuple[float, float]]) -> Axes:
    x, y = (LogScale if logarithmic else Scale for logarithmic in chart.logs)
    return Axes(x.around([x for x, _ in points], 0.03), y.around([y for _, y in points], 0.05))


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
    keys = [
        f'<span><svg class="bl-key" aria-hidden="true" viewBox="0 0 30 16">{_key(line, which % _SERIES)}</svg>'
        f"{escape(line.name)}</span>"
        for which, line in enumerate(chart.lines)
    ]
    return f'<div class="bl-legend bl-curve">{"".join(keys)}</div>'


def _key(line: Line, series: int) -> str:
    """What a line looks like."""
    dashes = " bl-dashed" if line.kind == "dashes" else ""
    stroke = "" if line.kind == "points" else f'<path class="bl-trace bl-series-{series}{dashes}" d="M1 8H29"/>'
    dot = f'<circle class="bl-dot bl-series-{series}" cx="15" cy="8" r="4"/>' if _RADIUS.get(line.kind, 4.0) else ""
    return stroke + dot
