"""A surface as bands and isolines with the paths on it, as SVG: inside a page, or a file of its own."""

import math
from html import escape
from pathlib import Path
from typing import Final

from backlight.plots.axes import TOP, Axes, axis_label, framed, nothing, x_axis, y_axis
from backlight.plots.blocks import number
from backlight.plots.contour_shapes import (
    HEIGHT,
    LABELLED,
    TRAILS,
    alike,
    band_colours,
    bands,
    drawable,
    level_labels,
    outline,
    painted,
    paleness,
    scales,
    visible,
)
from backlight.plots.contours import Contours, Trail
from backlight.plots.marks import caption, percent, place

_GRAIN: Final = 1000
_STRETCHED: Final = (
    f'x="0" y="{place(TOP)}" width="100%" height="{place(HEIGHT)}" viewBox="0 0 {_GRAIN} {_GRAIN}" '
    'preserveAspectRatio="none"'
)
_WIDTH: Final = 760
_LETTER: Final = 6.6


def render_contours(contours: Contours) -> str:
    """The surface with its axes, the scale of its heights, and what the paths are."""
    if not drawable(contours):
        return nothing(caption(contours.caption))
    axes, (body, key) = Axes(*scales(contours), HEIGHT), _drawn(contours, words=True)
    below = f'<div class="bl-curve bl-heights" style="--left:{axes.left}px">{key}</div>{_legend(contours)}'
    above = caption(contours.caption)
    return framed(axes, body, labels=contours.labels, title=_title(contours), above=above, below=below)


def contours_file(contours: Contours) -> str:
    """The same as an SVG file of its own, in the light or the dark colours of whatever shows it.

    Example:
        >>> import numpy as np
        >>> text = contours_file(Contours((0.0, 1.0), (0.0, 1.0), np.array([[0.0, 1.0], [1.0, 2.0]])))
        >>> text.startswith("<svg xmlns") and text.endswith("</svg>")
        True
    """
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    axes = Axes(*scales(contours), HEIGHT) if drawable(contours) else None
    body, key = _drawn(contours, words=False) if axes else ("", "")
    left, top = (axes.left if axes else 20) + 10, 62
    width, bottom = _WIDTH - left - 24, top + TOP + HEIGHT + 24
    x_label, y_label = (axis_label(label, arrow) for label, arrow in zip(contours.labels, "→↑", strict=True))
    plot = f"{x_axis(axes)}{y_axis(axes)}{body}" if axes else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="backlight" role="img" width="{_WIDTH}" '
        f'height="{place(bottom + 118)}" viewBox="0 0 {_WIDTH} {place(bottom + 118)}"><title>{escape(_title(contours))}'
        f"</title><style><![CDATA[{style}]]></style><svg>"
        f'<rect width="100%" height="100%" style="fill:var(--paper)"/>'
        f'<text x="{left}" y="28" class="bl-name-of">{escape(contours.caption)}</text>'
        f'<text x="{left}" y="{top - 4}">{y_label}</text>'
        f'<svg x="{left}" y="{top}" width="{place(width)}" height="{place(TOP + HEIGHT + 24)}">{plot}</svg>'
        f'<text x="{_WIDTH - 24}" y="{place(bottom + 14)}" text-anchor="end">{x_label}</text>'
        f'<svg x="{left}" y="{place(bottom + 24)}" width="{place(width)}" height="36">{key}</svg>'
        f"{_keys_in_a_row(contours, left, bottom + 82)}</svg></svg>"
    )


def _title(contours: Contours) -> str:
    told = "; ".join(f"{trail.name or 'path'}: {len(visible(trail))} points" for trail in contours.trails)
    size = f"{len(contours.y)} by {len(contours.x)} values"
    return f"{contours.caption or 'surface'}: {contours.what} as bands, {size}. {told}".strip()


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _drawn(contours: Contours, *, words: bool) -> tuple[str, str]:
    """What lies between the axes; and the scale of heights."""
    found, shapes = bands(contours)
    colours = band_colours(len(found) + 1)
    parts = [f'<rect width="{_GRAIN}" height="{_GRAIN}" fill="{_css(colours[0])}"/>']
    for shape, colour in zip(shapes, colours[1:], strict=True):
        d = "".join(_path(outline(ring, _GRAIN, _GRAIN)) for ring in shape)
        parts.append(f'<path class="bl-isoline" fill="{_css(colour)}" fill-rule="evenodd" d="{d}"/>')
    axes, opaque = Axes(*scales(contours), HEIGHT), paleness(contours.trails)
    written = "".join(
        f'<text class="bl-level" x="{percent(x)}" y="{place(TOP + HEIGHT * (1 - y) + 4)}" text-anchor="middle">'
        f"{number(level)}</text>"
        for level, x, y in level_labels(contours, found, shapes)
    )
    trails = "".join(_trail(contours.trails[k], axes, k, opaque[k], words=words) for k in painted(contours.trails))
    return f'<svg class="bl-surface" {_STRETCHED}>{"".join(parts)}</svg>{written}{trails}', _scale(
        contours, found, colours
    )


def _path(points: list[tuple[int, int]]) -> str:
    """A closed line: where it begins, then the ways from corner to corner."""
    if len(points) < 3:
        return ""
    (x, y), steps = points[0], []
    for there in points[1:]:
        steps.append(f"{there[0] - x} {there[1] - y}")
        x, y = there
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}z".replace(" -", "-")


def _trail(trail: Trail, axes: Axes, which: int, opaque: list[float], *, words: bool) -> str:
    """The line, and a dot at every point; a ring where it begins, a large dot where it ends."""
    points, colour = visible(trail), _css(TRAILS[which % len(TRAILS)])
    places = [f"{place(_GRAIN * axes.x.share(x))} {place(_GRAIN * (1 - axes.y.share(y)))}" for _, x, y in points]
    lines, dots = "", []
    if len(points) > 1:
        parts = "".join(
            f'<path class="bl-trail" stroke-opacity="{place(share)}" d="M{"L".join(places[first : last + 1])}"/>'
            for share, first, last in alike(opaque, points)
        )
        lines = f'<path class="bl-under" d="M{"L".join(places)}"/><g stroke="{colour}">{parts}</g>'
    for n, (k, x, y) in enumerate(points):
        where = f'cx="{percent(axes.across(x))}" cy="{place(axes.down(y))}"'
        title = f"<title>{escape(trail.texts[k])}</title>" if words else ""
        if n == 0:
            dots.append(f'<circle class="bl-begin" {where} r="5" stroke="{colour}">{title}</circle>')
        elif n == len(points) - 1:
            dots.append(f'<circle class="bl-finish" {where} r="6">{title}</circle>')
        else:
            dots.append(f'<circle {where} r="2" fill-opacity="{place(opaque[k])}">{title}</circle>')
    dots = [*dots[1:], *dots[:1]]  # where paths begin together, the ring is seen
    return f'<svg {_STRETCHED}>{lines}</svg><g fill="{colour}">{"".join(dots)}</g>'


def _scale(contours: Contours, found: tuple[float, ...], colours: list[tuple[int, int, int]]) -> str:
    """The bands' colours from low to high, with the heights between some of them."""
    count = len(colours)
    parts = [
        f'<rect x="{percent(k / count)}" y="2" width="{percent(1 / count)}" height="12" fill="{_css(colour)}"/>'
        for k, colour in enumerate(reversed(colours))
    ]
    for k, level in enumerate(reversed(found), 1):
        if k % LABELLED == 1:
            across = percent(k / count)
            parts.append(
                f'<line class="bl-axis" x1="{across}" x2="{across}" y1="14" y2="18"/>'
                f'<text x="{across}" y="31" text-anchor="middle">{number(level)}</text>'
            )
    words = f"<title>{escape(contours.what)} by colour</title>"
    return f'<svg class="bl-plot" role="img" width="100%" height="36">{words}{"".join(parts)}</svg>'


def _key(which: int) -> str:
    colour = _css(TRAILS[which % len(TRAILS)])
    return (
        f'<path class="bl-under" d="M6 8H38"/><path class="bl-trail" stroke="{colour}" d="M6 8H38"/>'
        '<circle class="bl-begin" cx="6" cy="8" r="4.5" '
        f'stroke="{colour}"/><circle class="bl-finish" cx="38" cy="8" r="5.5" fill="{colour}"/>'
    )


def _meaning(contours: Contours) -> str:
    """What the marks mean, in words."""
    if not contours.trails:
        return ""
    pale = any(math.isfinite(off) and off > 0 for trail in contours.trails for off in trail.off)
    return "from ring to dot" + ("; the paler, the farther off the plane it lies" if pale else "")


def _legend(contours: Contours) -> str:
    if not contours.trails:
        return ""
    keys = "".join(
        f'<span><svg class="bl-key bl-wide" aria-hidden="true" viewBox="0 0 44 16">{_key(which)}</svg>'
        f"{escape(trail.name)}</span>"
        for which, trail in enumerate(contours.trails)
    )
    return f'<div class="bl-legend bl-curve">{keys}<span class="bl-meaning">{_meaning(contours)}</span></div>'


def _keys_in_a_row(contours: Contours, left: float, top: float) -> str:
    parts, begin = [], left
    for which, trail in enumerate(contours.trails):
        parts.append(
            f'<g transform="translate({place(left)} {place(top - 12)})">{_key(which)}'
            f'<text x="50" y="12">{escape(trail.name)}</text></g>'
        )
        left += 50 + _LETTER * len(trail.name) + 22
    return "".join(parts) + f'<text x="{place(begin)}" y="{place(top + 22)}">{_meaning(contours)}</text>'
