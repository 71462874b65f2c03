"""A network, drawn: its columns stay the same size on every screen, only the room between them changes.

Places from left to right are shares of the width, places from top to bottom are points, so that circles stay round and
words readable at any width. The names of the first and the last column stand beside the drawing.
"""

from html import escape
from typing import Final

import numpy as np

from backlight.plots.blocks import Column, Drawing, Edge, number
from backlight.plots.marks import caption, percent, place, sign, signed_number, sizes

_STEP: Final = 24
_RADIUS: Final = 8
_LEAST_ROOM: Final = 46
_LONGEST_INSIDE: Final = 5


def render_drawing(drawing: Drawing) -> str:
    """The network with the names of its first and last units, and a legend."""
    columns = drawing.columns
    if not columns:
        return f'<figure class="bl-block">{caption(drawing.caption)}</figure>'
    rows = max(len(column.names) + (column.left_out > 0) for column in columns)
    height = max(rows, 1) * _STEP
    least = max(len(columns) - 1, 1) * _LEAST_ROOM + 36
    last = columns[-1] if len(columns) > 1 else Column("", (), ())
    body = "".join([*_edges(drawing, rows), *(_column(drawing, which, rows) for which in range(len(columns)))])
    network = (
        f'<div class="bl-network" style="--least:{least}px">'
        f'<div class="bl-title bl-first">{escape(columns[0].title)}</div>{_titles(columns[1:-1])}'
        f'<div class="bl-title">{escape(last.title)}</div>{_names(columns[0], rows, first=True)}'
        f'<svg role="img" width="100%" height="{height}"><title>{escape(_summary(drawing))}</title>{body}</svg>'
        f"{_names(last, rows, first=False)}</div>"
    )
    return (
        f'<figure class="bl-block">{caption(drawing.caption)}<div class="bl-scroll" tabindex="0" role="region" '
        f'aria-label="Network">{network}</div>{_legend(drawing)}</figure>'
    )


def _titles(columns: tuple[Column, ...]) -> str:
    margin = percent(0.5 / (len(columns) + 1) if len(columns) > 1 else 0.0)
    titles = "".join(f'<div class="bl-title">{escape(column.title)}</div>' for column in columns)
    return f'<div class="bl-titles" style="padding:0 calc({margin} + 12px) 0 {margin}">{titles}</div>'


def _top(column: Column, rows: int) -> float:
    return (rows - len(column.names) - (column.left_out > 0)) / 2 * _STEP


def _height(column: Column, rows: int, unit: int) -> float:
    return _top(column, rows) + (unit + 0.5) * _STEP


def _names(column: Column, rows: int, *, first: bool) -> str:
    style = f"height:{_STEP}px;line-height:{_STEP}px"
    lines = []
    for unit, name in enumerate(column.names):
        mark = "" if first else _mark_number(column, unit)
        lines.append(
            f'<div class="bl-name" style="{style}" title="{escape(name)}"><span>{escape(name)}</span>{mark}</div>'
        )
    if column.left_out:
        lines.append(f'<div class="bl-name bl-more" style="{style}"><span>… {column.left_out:,} more</span></div>')
    kind = "bl-names bl-first" if first else "bl-names"
    return f'<div class="{kind}" style="padding-top:{place(_top(column, rows))}px">{"".join(lines)}</div>'


def _mark_number(column: Column, unit: int) -> str:
    if column.marks is None:
        return ""
    mark = column.marks[unit]
    return f'<b class="bl-{sign(mark)}">{escape(signed_number(mark))}</b>'


def _across(drawing: Drawing, column: int) -> float:
    return column / (len(drawing.columns) - 1) if len(drawing.columns) > 1 else 0.0


def _drawn(drawing: Drawing, edge: Edge) -> bool:
    """Whether both ends of the edge are among the units that are drawn."""
    last = len(drawing.columns) - 1
    if not 0 <= edge.column < last:
        return False
    here, there = drawing.columns[edge.column], drawing.columns[edge.column + 1]
    return 0 <= edge.source < len(here.names) and 0 <= edge.target < len(there.names)


def _edges(drawing: Drawing, rows: int) -> list[str]:
    """Lines, the thinnest first, so that the strongest lie on top."""
    edges = [edge for edge in drawing.edges if _drawn(drawing, edge)]
    shares = np.abs(sizes([edge.value for edge in edges]))
    lines = []
    for at in np.argsort(shares, kind="stable"):
        edge, share = edges[at], float(shares[at])
        here, there = drawing.columns[edge.column], drawing.columns[edge.column + 1]
        words = f"{here.names[edge.source]} → {there.names[edge.target]}: {signed_number(edge.value)}"
        dashes = ' stroke-dasharray="5 3"' if edge.value < 0 else ""
        lines.append(
            f'<line class="bl-stroke-{sign(edge.value)}" x1="{percent(_across(drawing, edge.column))}" '
            f'y1="{place(_height(here, rows, edge.source))}" x2="{percent(_across(drawing, edge.column + 1))}" '
            f'y2="{place(_height(there, rows, edge.target))}" stroke-width="{place(0.75 + 2.75 * share)}" '
            f'stroke-opacity="{place(0.3 + 0.6 * share)}"{dashes}><title>{escape(words)}</title></line>'
        )
    return lines


def _column(drawing: Drawing, which: int, rows: int) -> str:
    column = drawing.columns[which]
    inside = 0 < which < len(drawing.columns) - 1
    arrows = sizes(column.marks) if column.marks is not None else None
    parts = []
    for unit, (name, value) in enumerate(zip(column.names, column.values, strict=True)):
        middle = place(_height(column, rows, unit))
        words = f"{name}: {number(value)}"
        if column.marks is not None:
            words += f", {signed_number(column.marks[unit])}"
        shape = f'<circle class="bl-unit" cx="0" cy="0" r="{_RADIUS}" {_brightness(value)}/>'
        if arrows is not None:
            shape += _arrow(float(arrows[unit]))
        if inside and len(name) <= _LONGEST_INSIDE:
            shape += f'<text class="bl-small bl-inner" x="-12" y="4" text-anchor="end">{escape(name)}</text>'
        parts.append(f'<g transform="translate(0 {middle})"><title>{escape(words)}</title>{shape}</g>')
    if column.left_out and inside:
        below = place(_height(column, rows, len(column.names)))
        more = f'… {column.left_out:,}<tspan x="0" dy="12">more</tspan>'
        parts.append(f'<text class="bl-small" x="0" y="{below}" text-anchor="middle">{more}</text>')
    return f'<svg x="{percent(_across(drawing, which))}" y="0" overflow="visible">{"".join(parts)}</svg>'


def _brightness(value: float) -> str:
    if not np.isfinite(value):
        return 'fill="none" stroke-dasharray="2 2"'
    level = int(np.rint(255 * np.clip(value, 0.0, 1.0)))
    return f'fill="rgb({level},{level},{level})"'


def _arrow(share: float) -> str:
    """An arrow beside a unit, the longer the larger its mark."""
    if share == 0:
        return ""
    way, length, head = (-1 if share > 0 else 1), 5 + 6 * abs(share), 3 + 2 * abs(share)
    tip, neck, tail = way * length, way * (length - 1.5 * head), -way * length
    path = (
        f"M16 {place(tip)}L{place(16 + head)} {place(neck)}H17.1V{place(tail)}H14.9V{place(neck)}H{place(16 - head)}Z"
    )
    return f'<path class="bl-arrow bl-fill-{sign(share)}" d="{path}"/>'


def _summary(drawing: Drawing) -> str:
    parts = [
        f"{column.title or f'column {which}'}: {len(column.names) + column.left_out} units"
        for which, column in enumerate(drawing.columns, 1)
    ]
    return f"Network. {'; '.join(parts)}. {len(drawing.edges)} edges drawn."


def _legend(drawing: Drawing) -> str:
    def key(shape: str, words: str) -> str:
        return f'<span><svg class="bl-key" aria-hidden="true" viewBox="0 0 30 16">{shape}</svg>{words}</span>'

    keys = [
        key(
            f'<circle class="bl-unit" cx="7" cy="8" r="6" {_brightness(0.0)}/>'
            f'<circle class="bl-unit" cx="22" cy="8" r="6" {_brightness(1.0)}/>',
            "dark 0, bright 1",
        )
    ]
    if drawing.edges:
        line = '<line class="bl-stroke-{}" x1="1" x2="29" y1="8" y2="8" stroke-width="3"{}/>'
        keys.append(key(line.format("up", ""), "line: + positive"))
        keys.append(key(line.format("down", ' stroke-dasharray="7 4"'), "dashes: − negative"))
        keys.append("<span>the wider the larger</span>")
    if any(column.marks is not None for column in drawing.columns):
        arrow = '<g transform="translate({} 8) scale(.62)">{}</g>'
        keys.append(key(arrow.format(-2, _arrow(1.0)) + arrow.format(12, _arrow(-1.0)), "arrow: up +, down −"))
    return f'<div class="bl-legend">{"".join(keys)}</div>'
