"""Figures and pages: blocks of plain data, drawn as self-contained HTML and SVG."""

from backlight.plots.blocks import (
    Bars,
    Block,
    Column,
    Curve,
    Drawing,
    Edge,
    Gallery,
    Heading,
    Picture,
    Table,
    Text,
    number,
)
from backlight.plots.html import Figure, fragment, page

__all__ = [
    "Bars",
    "Block",
    "Column",
    "Curve",
    "Drawing",
    "Edge",
    "Figure",
    "Gallery",
    "Heading",
    "Picture",
    "Table",
    "Text",
    "fragment",
    "number",
    "page",
]
