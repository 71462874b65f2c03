"""Contact sheets: many small images in one picture."""

from typing import Final

import numpy as np

from backlight.arrays import Array
from backlight.plots.pictures import png

_CELL: Final = 84
_GAP: Final = 3
_PAPER: Final = 128


def contact_sheet(images: Array) -> bytes:
    r"""A PNG file of images in lines, the first of each line a little apart from those that follow it.

    Small images are enlarged, pixel by pixel, to about 84 points.

    Args:
        images: (lines, columns, height, width) or (lines, columns, height, width, 3), from 0, black, to 1, white;
            what lies beyond is cut off.

    Example:
        >>> contact_sheet(np.zeros((2, 3, 4, 5)))[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    colours = np.rint(255.0 * np.clip(images, 0.0, 1.0)).astype(np.uint8)
    if colours.ndim == 4 or colours.shape[4] == 1:
        colours = np.repeat(colours.reshape(*colours.shape[:4], 1), 3, axis=4)
    times = max(1, _CELL // max(colours.shape[2:4]))
    colours = colours.repeat(times, axis=2).repeat(times, axis=3)
    lines, columns, height, width, _ = colours.shape
    sheet = np.full((lines * (height + _GAP) + _GAP, columns * (width + _GAP) + 3 * _GAP, 4), _PAPER, np.uint8)
    sheet[..., 3] = 255
    for line, column in np.ndindex(lines, columns):
        top, left = _GAP + line * (height + _GAP), _GAP + column * (width + _GAP) + 2 * _GAP * (column > 0)
        sheet[top : top + height, left : left + width, :3] = colours[line, column]
    return png(sheet)
