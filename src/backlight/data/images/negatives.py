"""Bright images as their negatives: a network learns better from inputs that are mostly near 0."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.scratch import no_room, scratch_file

_LOOKED_AT: Final = 1000
_CHUNK: Final = 1 << 24


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
    """255 − pixels (n, d): in memory, or in a mapped file where the pixels are in one.

    Raises:
        BacklightError: there is no room on the disk.
    """
    if not isinstance(pixels, np.memmap):
        return np.subtract(np.uint8(255), pixels)
    step = max(1, _CHUNK // max(1, pixels.shape[1]))
    with scratch_file() as file:
        try:
            for start in range(0, len(pixels), step):
                file.write(np.subtract(np.uint8(255), pixels[start : start + step]).tobytes())
            file.flush()
        except OSError as error:
            raise no_room(f"{pixels.nbytes / 1e9:.1f} GB of pixels", error) from error
        return np.memmap(file, np.uint8, "r", shape=pixels.shape)
