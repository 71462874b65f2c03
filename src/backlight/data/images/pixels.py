"""Pixels of many images: in memory, or where they are too many for it in a file that is mapped."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.scratch import written

LARGE: Final = 1 << 28
"""Pixels of more bytes than this stay on the disk, and are mapped into memory as they are needed."""

_CHUNK: Final = 1 << 24


def joined(pieces: Iterable[NDArray[np.uint8]], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Pixels (n, …) of pieces (m, …) that follow each other.

    Raises:
        BacklightError: there is no room on the disk.

    Example:
        >>> joined([np.zeros((2, 1), np.uint8), np.ones((1, 1), np.uint8)], (3, 1)).ravel().tolist()
        [0, 0, 1]
    """
    if int(np.prod(shape)) > LARGE:
        return written(pieces, np.dtype(np.uint8), shape, "pixels")
    pixels = np.empty(shape, np.uint8)
    start = 0
    for piece in pieces:
        pixels[start : start + len(piece)] = piece
        start += len(piece)
    return pixels


def chunks(count: int, width: int) -> Iterator[slice]:
    """Slices of rows, each of about 16 MB.

    Args:
        count: how many rows there are.
        width: the bytes of a row.

    Example:
        >>> list(chunks(3, 1 << 23))
        [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(1, _CHUNK // max(1, width))
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def blank(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Black images (n, …), to be drawn on.

    Raises:
        BacklightError: there is no room on the disk.
    """
    inner = shape[1:]
    slices = chunks(shape[0], int(np.prod(inner)))
    return joined((np.zeros((rows.stop - rows.start, *inner), np.uint8) for rows in slices), shape)


def picked(pixels: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Rows of pixels (m, …); the pixels themselves where all are picked.

    Args:
        pixels: (n, …).
        rows: ascending (m,).

    Raises:
        BacklightError: there is no room on the disk.
    """
    if len(rows) == len(pixels):
        return pixels
    inner = pixels.shape[1:]
    pieces = (pixels[rows[part]] for part in chunks(len(rows), int(np.prod(inner))))
    return joined(pieces, (len(rows), *inner))
