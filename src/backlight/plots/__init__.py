"""Figures and pages: blocks of plain data, drawn as self-contained HTML and SVG."""

from backlight.plots.blocks import (
    Bars,
    Block,
    Chart,
    Column,
    Curve,
    Drawing,
    Edge,
    Gallery,
    Heading,
    Line,
    Matrix,
    Picture,
    Ranges,
    Table,
    Text,
    number,
)
from backlight.plots.chart import charts_file
from backlight.plots.contour_drawing import contours_file
from backlight.plots.contour_picture import contours_picture
from backlight.plots.contours import Contours, Trail
from backlight.plots.html import Figure, fragment, page
from backlight.plots.sheets import contact_sheet

__all__ = [
    "Bars",
    "Block",
    "Chart",
    "Column",
    "Contours",
    "Curve",
    "Drawing",
    "Edge",
    "Figure",
    "Gallery",
    "Heading",
    "Line",
    "Matrix",
    "Picture",
    "Ranges",
    "Table",
    "Text",
    "Trail",
    "charts_file",
    "contact_sheet",
    "contours_file",
    "contours_picture",
    "fragment",
    "number",
    "page",
]
