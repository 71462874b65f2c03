"""A line through points with its axes, and a tangent whose slope is drawn as rise over run."""

import math
from itertools import pairwise
from typing import Final

from backlight.plots.axes import HEIGHT, TOP, Axes, framed, nothing
from backlight.plots.blocks import Curve, number
from backlight.plots.marks import caption, percent, place, sign, signed_number
from backlight.plots.scales import Scale, round_below

_WIDEST_RUN: Final = 0.22
_HIGHEST_RISE: Final = 0.3


def render_curve(curve: Curve) -> str:
    """The line with its axes and, where it has one, its tangent."""
    points = [(x, y) for x, y in zip(curve.x, curve.y, strict=True) if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return nothing(caption(curve.caption))
    tangent = curve.tangent if curve.tangent and all(map(math.isfinite, curve.tangent)) else None
    touched = [*points, tangent[:2]] if tangent else points
    x = Scale.around([point[0] for point in touched])
    y = Scale.around([point[1] for point in touched], 0.08)
    corner = _corner(tangent, x, y) if tangent else None
    if corner:
        y = Scale(min(y.low, corner[1]), max(y.high, corner[1]))
    axes = Axes(x, y)
    body = _line(curve, axes) + (_tangent(tangent, corner, axes) if tangent else "")
    title = f"{curve.labels[1] or 'y'} against {curve.labels[0] or 'x'}, {len(points)} points"
    title += f", slope {signed_number(tangent[2])} at {number(tangent[0])}" if tangent else ""
    below = _slope(tangent, corner) if tangent else ""
    return framed(axes, body, labels=curve.labels, title=title, above=caption(curve.caption), below=below)


def _line(curve: Curve, axes: Axes) -> str:
    """The line, broken where a value is no number; the inner picture is stretched to the width of the figure."""
    commands = []
    pen = "M"
    for x, y in zip(curve.x, curve.y, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            commands.append(f"{pen}{place(1000 * axes.x.share(x))} {place(1000 * (1 - axes.y.share(y)))}")
            pen = "L"
        else:
            pen = "M"
    kind = "bl-line"
    if all(command[0] == "M" for command in commands):
        kind = "bl-line bl-dots"
        commands = [f"{command}h0" for command in commands]
    return (
        f'<svg x="0" y="{place(TOP)}" width="100%" height="{place(HEIGHT)}" '
        f'viewBox="0 0 1000 1000" preserveAspectRatio="none"><path class="{kind}" d="{"".join(commands)}"/></svg>'
    )


def _corner(tangent: tuple[float, float, float], x: Scale, y: Scale) -> tuple[float, float] | None:
    """The other end of the triangle's slanted side: a round run away, towards the middle of the figure."""
    at, height, slope = tangent
    run = _WIDEST_RUN * x.span
    if slope:
        run = min(run, _HIGHEST_RISE * y.span / abs(slope))
    if run < 1e-300 or run < abs(at) * 1e-12:
        return None
    run = math.copysign(round_below(run), 0.5 - x.share(at))
    end = (at + run, height + slope * run)
    return end if all(map(math.isfinite, end)) else None


def _tangent(tangent: tuple[float, float, float], corner: tuple[float, float] | None, axes: Axes) -> str:
    at, height, slope = tangent
    ends = _clipped(axes.x.share(at), axes.y.share(height), slope and slope * (axes.x.span / axes.y.span))
    lines = [
        f'<line class="bl-tangent bl-stroke-{sign(slope)}" '
        + " ".join(
            f'x{end}="{percent(x)}" y{end}="{place(TOP + HEIGHT * (1 - y))}"' for end, (x, y) in enumerate(ends, 1)
        )
        + "/>"
    ]
    if corner:
        lines.append(_triangle(tangent, corner, axes))
    lines.append(
        f'<circle class="bl-point bl-fill-{sign(slope)}" cx="{percent(axes.across(at))}" '
        f'cy="{place(axes.down(height))}" r="5.5"/>'
    )
    return "".join(lines)


def _clipped(x: float, y: float, slope: float) -> list[tuple[float, float]]:
    """Both ends of a line through (x, y) inside the unit square, at most 0.35 to either side."""
    if not abs(slope) < 1e6:
        return [(x, 0.0), (x, 1.0)]
    reach = [max(x - 0.35, 0.0) - x, min(x + 0.35, 1.0) - x]
    if slope:
        walls = sorted(((0.0 - y) / slope, (1.0 - y) / slope))
        reach = [max(reach[0], walls[0]), min(reach[1], walls[1])]
    return [(x + step, y + slope * step) for step in reach]


def _triangle(tangent: tuple[float, float, float], corner: tuple[float, float], axes: Axes) -> str:
    """The run, level from the point, and the rise from there to the tangent, each with its number."""
    at, height, _ = tangent
    stops = [(at, height), (corner[0], height), corner]
    legs = "".join(
        f'<line class="bl-leg" x1="{percent(axes.across(a[0]))}" y1="{place(axes.down(a[1]))}" '
        f'x2="{percent(axes.across(b[0]))}" y2="{place(axes.down(b[1]))}"/>'
        for a, b in pairwise(stops)
    )
    down, middle = axes.down(height), axes.down(height / 2 + corner[1] / 2)
    above, below = down - 8, down + 17
    right, upwards = corner[0] > at, corner[1] > height
    beside = middle + 4 if abs(middle - down) >= 8 else above if upwards else below
    run = _words(axes.across(at), below if upwards else above, right, f"run {number(abs(corner[0] - at))}")
    rise = _words(axes.across(corner[0]), beside, right, f"rise {signed_number(_rise(tangent, corner))}")
    return legs + run + rise


def _words(across: float, down: float, right: bool, words: str) -> str:
    """Words that begin, or end, a little beside a point."""
    return (
        f'<text x="{percent(across)}" dx="{8 if right else -8}" y="{place(down)}" '
        f'text-anchor="{"start" if right else "end"}">{words}</text>'
    )


def _rise(tangent: tuple[float, float, float], corner: tuple[float, float]) -> float:
    return tangent[2] * abs(corner[0] - tangent[0])


def _slope(tangent: tuple[float, float, float], corner: tuple[float, float] | None) -> str:
    at, height, slope = tangent
    words = f"Tangent at ({number(at)}, {number(height)}): slope = "
    if corner:
        words += f"rise / run = {signed_number(_rise(tangent, corner))} / {number(abs(corner[0] - at))} = "
    return caption(f"{words}{signed_number(slope)}", below=True)
