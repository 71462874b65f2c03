"""Images drawn anew: every pixel is fetched from somewhere else."""

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Floats


def warp(images: Floats, maps: NDArray[np.float64], moves: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Fetch every pixel from where its image's map points, between the four pixels around that place.

        x, y = map · (column, row, 1) + moves
        new = (1 − v) ((1 − u) a + u b) + v ((1 − u) c + u d)

    with a, b, c, d the pixels at (⌊x⌋, ⌊y⌋), right of it, below it, and right of that, and u, v the rest of x and y.
    Outside an image there is background, 0.

    Args:
        images: (n, height, width, channels).
        maps: as `draw_maps` gives them, (n, 2, 3).
        moves: what is added to x and y (2, n, height, width); nothing unless given.

    Example:
        >>> half_a_pixel = np.array([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
        >>> warp(np.array([4.0, 2.0]).reshape(1, 1, 2, 1), half_a_pixel).ravel().tolist()
        [3.0, 1.0]
    """
    count, height, width, _ = images.shape
    plane = np.stack([*np.meshgrid(np.arange(width), np.arange(height)), np.ones((height, width))])
    x, y = np.einsum("nip,prc->inrc", maps, plane) + (0.0 if moves is None else moves)
    x, y = np.clip(x, -1.0, width), np.clip(y, -1.0, height)  # there, and beyond, is nothing but background
    framed = np.pad(images.astype(np.float64), ((0, 0), (1, 2), (1, 2), (0, 0)))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    u, v = (x - left)[..., None], (y - top)[..., None]
    n = np.arange(count)[:, None, None]
    a, b = framed[n, top + 1, left + 1], framed[n, top + 1, left + 2]
    c, d = framed[n, top + 2, left + 1], framed[n, top + 2, left + 2]
    warped: NDArray[np.float64] = (1.0 - v) * ((1.0 - u) * a + u * b) + v * ((1.0 - u) * c + u * d)
    return warped
