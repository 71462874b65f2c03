"""Blocks as HTML: a fragment for notebooks, a self-contained page for files."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Final, assert_never

from backlight.plots.blocks import (
    Bars,
    Block,
    Chart,
    Curve,
    Drawing,
    Gallery,
    Heading,
    Matrix,
    Picture,
    Ranges,
    Table,
    Text,
)
from backlight.plots.chart import render_chart
from backlight.plots.contour_drawing import render_contours
from backlight.plots.contours import Contours
from backlight.plots.curve import render_curve
from backlight.plots.drawing import render_drawing
from backlight.plots.matrix import render_matrix
from backlight.plots.pictures import render_gallery, render_picture
from backlight.plots.ranges import render_ranges
from backlight.plots.tables import render_bars, render_table
from backlight.storage import write_bytes

# Nothing may be fetched or run: only styles and images that the page itself contains.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_LEGEND: Final = (
    '<div class="bl-legend"><span><svg class="bl-key" aria-hidden="true" viewBox="0 0 30 16">'
    '<rect class="bl-fill-up" x="1" y="2" width="28" height="12"/></svg>'
    '<span class="bl-up">+ positive, up</span></span>'
    '<span><svg class="bl-key" aria-hidden="true" viewBox="0 0 30 16">'
    '<rect class="bl-fill-down" x="1" y="2" width="28" height="12"/></svg>'
    '<span class="bl-down">− negative, down</span></span></div>'
)


def fragment(blocks: Iterable[Block]) -> str:
    """The blocks as HTML with its own styles, to stand inside any page.

    Example:
        >>> fragment([Text("1 < 2")]).endswith('<p class="bl-text">1 &lt; 2</p></div>')
        True
    """
    return f'<div class="backlight"><style>{_style()}</style>{_content(tuple(blocks))}</div>'


def page(title: str, blocks: Iterable[Block]) -> str:
    """The blocks as one HTML page that needs nothing else: no script, no font, no request.

    The title stands above the blocks, unless one of them is a heading of level 1.
    """
    shown = tuple(blocks)
    if not any(isinstance(block, Heading) and block.level <= 1 for block in shown):
        shown = (Heading(title, 1), *shown)
    return (
        '<!doctype html>\n<html lang="en" class="backlight-html">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<style>\n{_style()}</style>\n</head>\n'
        f'<body class="backlight backlight-page">\n<main>\n{_content(shown)}\n</main>\n</body>\n</html>\n'
    )


@dataclass(frozen=True)
class Figure:
    """Blocks that are shown in a notebook as they are, and saved as a page.

    Attributes:
        title: of the page.
        blocks: what it shows.
    """

    title: str
    blocks: tuple[Block, ...]

    def _repr_html_(self) -> str:
        return fragment(self.blocks)

    def save(self, path: str | Path) -> None:
        """Write a self-contained page."""
        write_bytes(Path(path), page(self.title, self.blocks).encode("utf-8", "replace"))


@cache
def _style() -> str:
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def _content(blocks: tuple[Block, ...]) -> str:
    """The blocks in order; before the first that shows signs by colour, what the colours mean."""
    first = next((place for place, block in enumerate(blocks) if _is_signed(block)), None)
    return "\n".join((_LEGEND if place == first else "") + _render(block) for place, block in enumerate(blocks))


def _is_signed(block: Block) -> bool:
    match block:
        case Bars() | Drawing():
            return True
        case Curve():
            return block.tangent is not None
        case Table():
            return bool(block.signed)
        case Picture():
            return block.signed
        case Gallery():
            return any(picture.signed for picture in block.pictures)
        case Heading() | Text() | Chart() | Ranges() | Matrix() | Contours():
            return False
        case _:
            assert_never(block)


def _render(block: Block) -> str:  # noqa: C901, PLR0911, PLR0912 - one line for each kind
    match block:
        case Heading():
            level = min(max(block.level, 1), 6)
            return f'<h{level} class="bl-h">{escape(block.text)}</h{level}>'
        case Text():
            return _text(block)
        case Table():
            return render_table(block)
        case Bars():
            return render_bars(block)
        case Picture():
            return render_picture(block)
        case Gallery():
            return render_gallery(block)
        case Drawing():
            return render_drawing(block)
        case Curve():
            return render_curve(block)
        case Chart():
            return render_chart(block)
        case Ranges():
            return render_ranges(block)
        case Matrix():
            return render_matrix(block)
        case Contours():
            return render_contours(block)
        case _:
            assert_never(block)


def _text(text: Text) -> str:
    if text.kind == "warning":
        return f'<p class="bl-text bl-warning"><strong>Warning:</strong> {escape(text.text)}</p>'
    return f'<p class="bl-text{" bl-note" if text.kind == "note" else ""}">{escape(text.text)}</p>'
