"""Blocks in the terminal: tables, bars, small pictures in colour."""

from collections.abc import Iterable
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text as RichText

from backlight.arrays import Floats
from backlight.cli.contours import draw_contours
from backlight.cli.drawing import WIDE, draw_image, pairs_of_rows
from backlight.cli.report import confusion
from backlight.plots import (
    Bars,
    Block,
    Chart,
    Contours,
    Curve,
    Drawing,
    Gallery,
    Heading,
    Matrix,
    Picture,
    Ranges,
    Table,
    Text,
    number,
)
from backlight.plots.blocks import Cell
from backlight.plots.scales import Scale

_PLUS, _MINUS = "blue", "dark_orange"
_STYLES: Final = {"plain": "", "note": "bright_black", "warning": "yellow"}
_SMALL: Final = 16
_CURVE: Final = (8, 48)
_RANGE: Final = 40
_LEAST_RANGE: Final = 12


def show_blocks(blocks: Iterable[Block], console: Console) -> None:  # noqa: C901 - one line for each kind
    """Print blocks one after another."""
    for block in blocks:
        if isinstance(block, Heading):
            console.print(RichText(("" if block.level == 1 else "\n") + block.text, style="bold"))
        elif isinstance(block, Text):
            console.print(RichText(block.text, style=_STYLES[block.kind]))
        elif isinstance(block, Table):
            console.print(_table(block) if _needed(block) <= console.width else _records(block))
        elif isinstance(block, Bars):
            console.print(_bars(block, console.width))
        elif isinstance(block, Picture | Gallery):
            pictures = block.pictures if isinstance(block, Gallery) else (block,)
            console.print(_gallery(pictures, console))
        elif isinstance(block, Curve):
            console.print(_curve(block))
        elif isinstance(block, Ranges):
            console.print()
            console.print(_ranges(block, console.width))
            console.print()
        elif isinstance(block, Contours):
            console.print(draw_contours(block, console.width))
        elif isinstance(block, Matrix):
            console.print(confusion(console, block.counts.tolist(), block.names))
        else:
            assert isinstance(block, Drawing | Chart)  # too fine for characters; the page has it


def _table(block: Table) -> RichTable:
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for k, title in enumerate(block.columns):
        numeric = all(not isinstance(row[k], str) or _like_number(row[k]) for row in block.rows)
        table.add_column(title, justify="right" if numeric else "left", overflow="fold", header_style="bright_black")
    for row in block.rows:
        table.add_row(*(_cell(value, signed=k in block.signed) for k, value in enumerate(row)))
    return table


def _needed(block: Table) -> int:
    """The width at which no cell is folded; the widest column of words may be folded to a third of it."""
    widths = [
        max([len(title), *(len(_cell(row[k], signed=k in block.signed).plain) for row in block.rows)])
        for k, title in enumerate(block.columns)
    ]
    return sum(widths) + 2 * (len(widths) - 1) - max(widths, default=0) * 2 // 3


def _records(block: Table) -> RichText:
    """A table for a narrow screen: each row by itself, a line for every cell below the row's first."""
    text = RichText()
    for row in block.rows:
        cells = [_cell(value, signed=k in block.signed) for k, value in enumerate(row)]
        text.append_text(cells[0]).append("\n")
        for title, cell in zip(block.columns[1:], cells[1:], strict=True):
            if cell.plain:
                text.append(f"  {title} ", style="bright_black").append_text(cell).append("\n")
    text.rstrip()
    return text


def _like_number(value: Cell) -> bool:
    return isinstance(value, str) and value.endswith(" %")


def _cell(value: Cell, *, signed: bool) -> RichText:
    if value is None:
        return RichText("")
    if isinstance(value, str):
        return RichText(value)
    text = number(value)
    if not signed:
        return RichText(text)
    return RichText(text if value <= 0 else f"+{text}", style=_PLUS if value > 0 else _MINUS if value < 0 else "")


def _bars(block: Bars, width: int) -> RichTable:
    table = RichTable(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(overflow="fold", max_width=max(10, width // 3))
    table.add_column(justify="right")
    table.add_column(no_wrap=True)
    largest = max((abs(value) for value in block.values), default=0.0) or 1.0
    half = max(4, min(16, (width - width // 3 - 16) // 2))
    for name, value in zip(block.names, block.values, strict=True):
        length = round(abs(value) / largest * half)
        left = RichText(" " * (half - length) + "█" * length if value < 0 else " " * half, style=_MINUS)
        right = RichText("█" * length if value > 0 else "", style=_PLUS)
        table.add_row(RichText(name), number(value), left + RichText("│", style="bright_black") + right)
    return table


def _gallery(pictures: tuple[Picture, ...], console: Console) -> RichTable:
    """Pictures side by side where they fit; a picture too wide for the screen is left to the page."""
    table = RichTable(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    coloured = console.color_system is not None
    drawn = [(p.caption, _picture(p) if coloured else _plain_picture(p)) for p in pictures]
    drawn = [(caption, text) for caption, text in drawn if _width(text) <= console.width]
    room = max(1, console.width // (max((_width(text) for _, text in drawn), default=1) + 3))
    for start in range(0, len(drawn), room):
        row = drawn[start : start + room]
        table.add_row(*(RichText(caption, style="bright_black") for caption, _ in row))
        table.add_row(*(text for _, text in row))
    return table


def _width(text: RichText) -> int:
    return max(map(len, text.plain.splitlines()), default=0)


def _picture(picture: Picture) -> RichText:
    """Two pixels in each character where the picture is wide, a pixel in two characters where it is small."""
    values, text = picture.values, RichText()
    small = values.shape[1] <= _SMALL
    for top in range(0, len(values), 1 if small else 2):
        if top:
            text.append("\n")
        for column in range(values.shape[1]):
            upper = _colour(picture, values[top, column])
            if small:
                text.append("  ", style=f"on {upper}")
            else:
                lower = _colour(picture, values[top + 1, column]) if top + 1 < len(values) else upper
                text.append("▀", style=f"{upper} on {lower}")
    return text


def _plain_picture(picture: Picture) -> RichText:
    """Without colours: shades for an image; + and − for signs, doubled where strong."""
    if not picture.signed:
        return RichText("\n".join(draw_image(picture.values)))
    values, marks = picture.values, {-2: "−−", -1: " −", 0: " ·", 1: " +", 2: "++"}
    if values.shape[1] > WIDE:
        values, marks = pairs_of_rows(values), {-2: "−", -1: "-", 0: "·", 1: "+", 2: "#"}
    strength = values / (float(np.abs(values).max()) or 1.0)
    levels = np.rint(2 * strength).astype(int)
    return RichText("\n".join("".join(marks[level] for level in row) for row in levels.tolist()))


def _colour(picture: Picture, value: Floats) -> str:
    """The colour of a pixel, a number or its red, green and blue."""
    values = picture.values
    if not picture.signed:
        low, high = float(values.min()), float(values.max())
        levels = np.rint(255 * (np.broadcast_to(value, 3) - low) / ((high - low) or 1.0)).astype(int)
        return f"rgb({levels[0]},{levels[1]},{levels[2]})"
    strength = float(value) / (float(np.abs(values).max()) or 1.0)
    fade = round(235 * (1 - abs(strength)) ** 0.7)
    return f"rgb({fade},{max(fade, 110)},235)" if strength > 0 else f"rgb(235,{max(fade, 120)},{fade})"


def _curve(block: Curve) -> RichText:
    """The curve as dots on a grid, its range beside it."""
    height, width = _CURVE
    x, y = np.array(block.x), np.array(block.y)
    grid = [[" "] * width for _ in range(height)]
    low, high = float(y.min()), float(y.max())
    for k in range(width):
        value = float(np.interp(x[0] + (x[-1] - x[0]) * k / (width - 1), x, y))
        grid[height - 1 - round((value - low) / ((high - low) or 1.0) * (height - 1))][k] = "•"
    lines = ["".join(row).rstrip() for row in grid]
    lines[0] += f"  {number(high)}"
    lines[-1] += f"  {number(low)}"
    lines.append(f"{number(float(x[0]))} … {number(float(x[-1]))}  {block.labels[0]}; {block.labels[1]}")
    if block.tangent is not None:
        lines.append(f"slope {number(block.tangent[2])} at {number(block.tangent[0])}")
    return RichText("\n".join(lines))


def _ranges(block: Ranges, width: int) -> RichTable:
    """Each value on a common scale with its interval; on a narrow screen the texts alone."""
    rows = tuple(zip(block.names, block.values, block.ends, block.texts, strict=True))
    room = width - 4 - max(map(len, block.names), default=0) - max(map(len, block.texts), default=0)
    known = [value for value in block.values if value is not None] + [end for ends in block.ends for end in ends or ()]
    scale, marks = Scale.around(known, 0.02), min(room, _RANGE)
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for name, value, ends, text in rows:
        drawn = [_range(value, ends, scale, marks)] if marks >= _LEAST_RANGE else []
        table.add_row(RichText(name), RichText(text), *drawn)
    return table


def _range(value: float | None, ends: tuple[float, float] | None, scale: Scale, width: int) -> RichText:
    places = [" "] * width

    def place(number: float) -> int:
        return round(scale.share(number) * (width - 1))

    if ends is not None:
        for k in range(place(ends[0]), place(ends[1]) + 1):
            places[k] = "─"
    if value is not None:
        places[place(value)] = "●"
    return RichText("".join(places).rstrip(), style="" if ends is None else _PLUS)
