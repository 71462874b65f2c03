"""Small drawings in plain characters, so that they can be copied, piped and read in any terminal."""

from typing import Final

import numpy as np

from backlight.arrays import Array

_SHADES: Final = " ░▒▓█"
BARS: Final = "▁▂▃▄▅▆▇█"
"""Bars of growing height, one character each."""

WIDE: Final = 20
"""Images of more columns than this take one character for two pixels above each other."""


def draw_image(image: Array, room: int | None = None) -> list[str]:
    """An image as lines of shaded characters, its darkest value blank and its brightest full.

    Narrow images take two characters for a pixel; wide ones take one character for two pixels above each other, or for
    larger blocks of pixels where the room is less than that.

    Args:
        image: (height, width), or (height, width, 3), whose colours are drawn by their mean.
        room: how many characters fit on a line, None where it does not matter.

    Example:
        >>> draw_image(np.array([[0.0, 1.0], [0.5, 0.0]]))
        ['  ██', '▒▒  ']
    """
    values = image.astype(np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    repeat = 2
    if room is not None and values.shape[1] > max(room, WIDE):
        values = _in_blocks(values, -(-values.shape[1] // max(room, WIDE)))
    if values.shape[1] > WIDE:
        repeat, values = 1, pairs_of_rows(values)
    low, high = float(values.min()), float(values.max())
    levels = np.rint((values - low) / ((high - low) or 1.0) * (len(_SHADES) - 1)).astype(int)
    return ["".join(_SHADES[level] * repeat for level in row) for row in levels]


def pairs_of_rows(values: Array) -> Array:
    """The mean of every two rows; an odd last row stands for itself.

    Example:
        >>> pairs_of_rows(np.array([[1.0], [3.0], [5.0]])).tolist()
        [[2.0], [5.0]]
    """
    padded = np.concatenate([values, values[-1:]]) if len(values) % 2 else values
    return np.asarray(padded.reshape(-1, 2, values.shape[1]).mean(axis=1))


def _in_blocks(values: Array, size: int) -> Array:
    """The means of square blocks; what is left over at the right and at the bottom is not shown."""
    height, width = max(len(values) // size, 1), values.shape[1] // size
    whole = values[: height * size, : width * size]
    return np.asarray(whole.reshape(height, -1, width, size).mean(axis=(1, 3)))
