"""Tables of cells, and bars, which are a table with a drawing in it."""

import numbers
from html import escape
from typing import Final

from backlight.plots.blocks import Bars, Cell, Table, number
from backlight.plots.marks import caption, percent, sign, signed_number, sizes

_LONGEST_WORD: Final = 22


def render_table(table: Table) -> str:
    """A table in a box of its own, which scrolls where the page is too narrow for it."""
    if not table.columns:
        return ""
    numeric = [_is_numeric(table, column) for column in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{_classes(title, right)}>{escape(title)}</th>'
        for title, right in zip(table.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(_cell(cell, numeric[i], i in table.signed) for i, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    label = escape("Table: " + ", ".join(table.columns))
    return (
        f'<div class="bl-block bl-scroll" tabindex="0" role="region" aria-label="{label}"><table class="bl-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _is_numeric(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows if row[column] is not None]
    return bool(cells) and all(not isinstance(cell, str) or cell.endswith(" %") for cell in cells)


def _cell(cell: Cell, right: bool, signed: bool) -> str:
    if not isinstance(cell, numbers.Real):
        text = "" if cell is None else str(cell)
        return f"<td{_classes(text, right)}>{escape(text)}</td>"
    value = float(cell)
    text = signed_number(value) if signed else number(value)
    return f"<td{_classes(text, right, sign(value) if signed else 'none')}>{escape(text)}</td>"


def _classes(text: str, right: bool, colour: str = "none") -> str:
    """How a cell is set: numbers to the right, signed ones in colour, long words broken."""
    classes = ["bl-number"] if right else []
    if colour != "none":
        classes.append(f"bl-{colour}")
    if max(map(len, text.split()), default=0) > _LONGEST_WORD:
        classes.append("bl-long")
    return f' class="{" ".join(classes)}"' if classes else ""


def render_bars(bars: Bars) -> str:
    """Bars from a common zero: to the right above it, to the left below it."""
    shares = [float(share) for share in sizes(bars.values)]
    low, high = min([0.0, *shares]), max([0.0, *shares])
    span = (high - low) or 1.0
    zero = -low / span
    rows = "".join(
        f'<tr><th scope="row" title="{escape(name)}">{escape(name)}</th>'
        f"<td>{_bar(share, zero, share / span)}</td>"
        f'<td class="bl-{sign(value)}">{escape(signed_number(value))}</td></tr>'
        for name, value, share in zip(bars.names, bars.values, shares, strict=True)
    )
    content = (
        f'<table class="bl-bars"><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="bl-text bl-note">nothing to show</p>'
    )
    return f'<figure class="bl-block">{caption(bars.caption)}{content}</figure>'


def _bar(value: float, zero: float, share: float) -> str:
    start, length = min(zero, zero + share), abs(share)
    bar = f'<rect class="bl-fill-{sign(value)}" x="{percent(start)}" y="4" width="{percent(length)}" height="14"/>'
    line = f'<line class="bl-axis" x1="{percent(zero)}" x2="{percent(zero)}" y1="0" y2="22"/>'
    return f'<svg aria-hidden="true" width="100%" height="22">{bar if share else ""}{line}</svg>'
