"""Pictures: small images of numbers as PNG files inside the page."""

import base64
import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.plots.blocks import Gallery, Picture, number
from backlight.plots.marks import signed_number, sizes

_UP: Final = (31, 111, 209)
_DOWN: Final = (214, 96, 4)
_ALONE: Final = 196
_TOGETHER: Final = 112
_THINNEST: Final = 12


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    """Colours (height, width, 4) of a picture: red, green, blue, opacity.

    Unsigned values go from black, which is 0 or the least value below it, to white, which is the largest; red, green
    and blue do so on one scale.
    Signed values are blue above 0 and orange below, the more opaque the larger, so that 0 is the paper in its light and
    its dark colour. What is no number is left out.
    """
    values = np.atleast_2d(np.asarray(picture.values, dtype=np.float64))
    colours = np.zeros((*values.shape[:2], 4), np.uint8)
    if picture.signed:
        shares = sizes(values)
        colours[..., :3] = np.where((shares > 0)[..., None], _UP, _DOWN)
        colours[..., 3] = np.rint(255 * np.abs(shares))
        return colours
    scaled = sizes(values)
    low = min(0.0, float(scaled.min(initial=0.0)))
    high = float(scaled.max(initial=low))
    levels = np.rint(255 * (scaled - low) / ((high - low) or 1.0))
    colours[..., :3] = levels if levels.ndim == 3 else levels[..., None]
    unknown = np.isnan(values)
    colours[..., 3] = np.where(unknown.any(axis=2) if unknown.ndim == 3 else unknown, 0, 255)
    return colours


def png(colours: NDArray[np.uint8]) -> bytes:
    r"""A PNG file of colours (height, width, 4).

    Example:
        >>> png(np.zeros((1, 1, 4), np.uint8))[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    height, width, _ = colours.shape
    rows = b"".join(b"\0" + row.tobytes() for row in colours)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def render_picture(picture: Picture, *, size: int = _ALONE) -> str:
    """A picture with its caption and the range of its values, about `size` points wide."""
    values = np.atleast_2d(np.asarray(picture.values, dtype=np.float64))
    words = escape(picture.caption)
    if values.ndim not in {2, 3} or values.size == 0:
        return (
            f'<figure class="bl-block bl-picture"><figcaption class="bl-caption">{words} (empty)</figcaption></figure>'
        )
    height, width = values.shape[:2]
    scale = max(size / max(height, width), min(_THINNEST / min(height, width), 4 * size / max(height, width)))
    scale = max(1.0, float(np.floor(scale)))
    finite = values[np.isfinite(values)]
    show = signed_number if picture.signed else number
    span = f"{show(float(finite.min()))} to {show(float(finite.max()))}" if finite.size else "no numbers"
    data = base64.b64encode(png(pixels_of(picture))).decode("ascii")
    alt = escape(f"{picture.caption or 'picture'}: {height} by {width} values, {span}")
    return (
        f'<figure class="bl-block bl-picture"><img class="bl-pixels" alt="{alt}" style="width:{width * scale:.0f}px" '
        f'width="{width * scale:.0f}" height="{height * scale:.0f}" src="data:image/png;base64,{data}">'
        f'<figcaption class="bl-caption">{words}<span class="bl-range">{span}</span></figcaption></figure>'
    )


def render_gallery(gallery: Gallery) -> str:
    """Pictures side by side, in as many rows as it takes."""
    pictures: Sequence[Picture] = gallery.pictures
    return f'<div class="bl-gallery">{"".join(render_picture(picture, size=_TOGETHER) for picture in pictures)}</div>'
