"""Bright images as their negatives: a network learns better from inputs that are mostly near 0."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.images.pixels import chunks, joined

_LOOKED_AT: Final = 1000


def are_bright(pixels: NDArray[np.uint8], train: NDArray[np.int64]) -> bool:
    """Whether images are mostly bright: up to 1,000 of the training part, evenly spaced, are above 127.5 on average.

    Args:
        pixels: uint8 (n, d).
        train: the rows of the training part, ascending.

    Example:
        >>> are_bright(np.array([[200, 255], [0, 90]], np.uint8), np.array([0, 1]))
        True
    """
    chosen = train[:: -(-len(train) // _LOOKED_AT)]
    return float(pixels[chosen].mean(dtype=np.float64)) > 127.5


def negatives(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """255 − pixels (n, d): in memory, or in a mapped file where they are many.

    Raises:
        BacklightError: there is no room on the disk.

    Example:
        >>> negatives(np.array([[0, 200]], np.uint8)).tolist()
        [[255, 55]]
    """
    slices = chunks(*pixels.shape)
    return joined((np.subtract(np.uint8(255), pixels[rows]) for rows in slices), pixels.shape)
