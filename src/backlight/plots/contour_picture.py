"""A surface as bands and isolines with the paths on it, as a PNG file."""

import io
from typing import TYPE_CHECKING, Final

from backlight.plots.blocks import number
from backlight.plots.contour_shapes import (
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
from backlight.plots.scales import Scale
from backlight.plots.scales import labels as tick_labels

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw as Pen

_FINE: Final = 2  # pixels per point
_SMOOTH: Final = 2  # drawn so many times as large, and then reduced
_WIDTH, _HEIGHT = 760, 640
_LEFT, _TOP, _RIGHT, _BOTTOM = 74, 66, 736, 526
_INK, _MUTED, _WHITE = (28, 31, 37), (89, 96, 107), (255, 255, 255)
_ONE: Final = _FINE * _SMOOTH


def contours_picture(contours: Contours) -> bytes:
    r"""A PNG file of 1520 by 1280 pixels.

    Example:
        >>> import numpy as np
        >>> contours_picture(Contours((0.0, 1.0), (0.0, 1.0), np.array([[0.0, 1.0], [1.0, 2.0]])))[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_WIDTH * _ONE, _HEIGHT * _ONE), _WHITE)
    pen = ImageDraw.Draw(picture, "RGBA")
    _write(pen, (_LEFT, 30), contours.caption, 16, _INK)
    if drawable(contours):
        found = _surface(picture, contours)
        _axes(pen, contours)
        opaque = paleness(contours.trails)
        for which in painted(contours.trails):
            _trail(pen, contours.trails[which], scales(contours), TRAILS[which % len(TRAILS)], opaque[which])
        _key(pen, contours, found)
    else:
        _write(pen, (_LEFT, _TOP + 20), "nothing to show", 12, _MUTED)
    out = io.BytesIO()
    picture.resize((_WIDTH * _FINE, _HEIGHT * _FINE), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _write(
    pen: "Pen", at: tuple[float, float], text: str, size: int, colour: tuple[int, int, int], anchor: str = "ls"
) -> None:
    from PIL import ImageFont

    plain = text.encode("utf-8", "replace").decode("utf-8")
    halo = round(1.2 * _ONE)
    font = ImageFont.load_default(size * _ONE)
    pen.text((at[0] * _ONE, at[1] * _ONE), plain, colour, font, anchor, stroke_width=halo, stroke_fill=_WHITE)


def _surface(picture: "Picture", contours: Contours) -> tuple[float, ...]:
    """Paint the bands from the highest to the lowest, and the line around each."""
    from PIL import Image, ImageDraw

    box = (_LEFT * _ONE, _TOP * _ONE, _RIGHT * _ONE, _BOTTOM * _ONE)
    size = (box[2] - box[0], box[3] - box[1])
    found, shapes = bands(contours)
    colours = band_colours(len(found) + 1)
    plot = Image.new("RGB", size, colours[0])
    lines = ImageDraw.Draw(plot, "RGBA")
    for shape, colour in zip(shapes, colours[1:], strict=True):
        inside, corners = Image.new("1", size), [outline(ring, size[0] - 1, size[1] - 1) for ring in shape]
        corners = [points for points in corners if len(points) > 2]
        for points in corners:
            _turn_over(inside, points)
        plot.paste(colour, (0, 0), inside)
        for points in corners:
            lines.line([*points, points[0]], (255, 255, 255, 120), _ONE * 3 // 4)
    picture.paste(plot, box[:2])
    pen = ImageDraw.Draw(picture)
    for level, x, y in level_labels(contours, found, shapes):
        _write(pen, (_LEFT + (_RIGHT - _LEFT) * x, _BOTTOM - (_BOTTOM - _TOP) * y), number(level), 11, _INK, "mm")
    return found


def _turn_over(inside: "Picture", points: list[tuple[int, int]]) -> None:
    """Turn what lies within a line: a hole into an island, an island into a hole."""
    from PIL import Image, ImageChops, ImageDraw

    xs, ys = zip(*points, strict=True)
    box = (min(xs), min(ys), max(xs) + 1, max(ys) + 1)
    one = Image.new("1", (box[2] - box[0], box[3] - box[1]))
    ImageDraw.Draw(one).polygon([(x - box[0], y - box[1]) for x, y in points], fill=1)
    inside.paste(ImageChops.logical_xor(inside.crop(box), one), box)


def _place(x: float, y: float, of: tuple[Scale, Scale]) -> tuple[float, float]:
    across, up = of[0].share(x), of[1].share(y)
    return (_LEFT + (_RIGHT - _LEFT) * across) * _ONE, (_BOTTOM - (_BOTTOM - _TOP) * up) * _ONE


def _axes(pen: "Pen", contours: Contours) -> None:
    across, up = scales(contours)
    pen.rectangle((_LEFT * _ONE, _TOP * _ONE, _RIGHT * _ONE, _BOTTOM * _ONE), outline=_MUTED, width=_ONE)
    for tick, label in zip(across.ticks(5), tick_labels(across.ticks(5)), strict=True):
        x = _LEFT + (_RIGHT - _LEFT) * across.share(tick)
        pen.line((x * _ONE, _BOTTOM * _ONE, x * _ONE, (_BOTTOM + 5) * _ONE), _MUTED, _ONE)
        _write(pen, (x, _BOTTOM + 19), label, 12, _MUTED, "ms")
    for tick, label in zip(up.ticks(5), tick_labels(up.ticks(5)), strict=True):
        y = _BOTTOM - (_BOTTOM - _TOP) * up.share(tick)
        pen.line(((_LEFT - 5) * _ONE, y * _ONE, _LEFT * _ONE, y * _ONE), _MUTED, _ONE)
        _write(pen, (_LEFT - 9, y), label, 12, _MUTED, "rm")
    _write(pen, (_RIGHT, _BOTTOM + 36), contours.labels[0], 12, _INK, "rs")
    _write(pen, (_LEFT, _TOP - 8), contours.labels[1], 12, _INK)


def _trail(
    pen: "Pen", trail: Trail, of: tuple[Scale, Scale], colour: tuple[int, int, int], opaque: list[float]
) -> None:
    points = visible(trail)
    line = [_place(x, y, of) for _, x, y in points]
    if len(line) > 1:
        pen.line(line, (255, 255, 255, 217), round(4.5 * _ONE), "curve")
    for share, first, last in alike(opaque, points):
        pen.line(line[first : last + 1], (*colour, round(255 * share)), 2 * _ONE, "curve")
    for at, (k, _, _) in list(zip(line, points, strict=True))[1:-1]:
        _dot(pen, at, 2.0, (*colour, round(255 * opaque[k])))
    if line:
        _dot(pen, line[-1], 7.0, _WHITE)
        _dot(pen, line[-1], 5.0, colour)
        _dot(pen, line[0], 6.2, colour)
        _dot(pen, line[0], 3.8, _WHITE)


def _dot(pen: "Pen", at: tuple[float, float], radius: float, colour: tuple[int, ...]) -> None:
    (x, y), r = at, radius * _ONE
    pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _key(pen: "Pen", contours: Contours, found: tuple[float, ...]) -> None:
    """The scale of heights, and what the paths are."""
    colours, top = band_colours(len(found) + 1)[::-1], _BOTTOM + 48
    width = (_RIGHT - _LEFT) / len(colours)
    for k, colour in enumerate(colours):
        x = _LEFT + k * width
        pen.rectangle((x * _ONE, top * _ONE, (x + width) * _ONE, (top + 12) * _ONE), fill=colour)
        if k % LABELLED == 1:
            _write(pen, (x, top + 28), number(found[-k]), 12, _MUTED, "ms")
    _write(pen, (_LEFT - 9, top + 7), contours.what, 12, _INK, "rm")
    x = float(_LEFT)
    for which, trail in enumerate(contours.trails):
        colour, y = TRAILS[which % len(TRAILS)], top + 52
        pen.line((x * _ONE, y * _ONE, (x + 32) * _ONE, y * _ONE), colour, 2 * _ONE)
        _dot(pen, (x * _ONE, y * _ONE), 5.5, colour)
        _dot(pen, (x * _ONE, y * _ONE), 3.2, _WHITE)
        _dot(pen, ((x + 32) * _ONE, y * _ONE), 5.5, colour)
        _write(pen, (x + 44, y), trail.name, 12, _MUTED, "lm")
        x += 44 + 6.4 * len(trail.name) + 24
