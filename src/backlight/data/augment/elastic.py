"""Elastic deformation: every pixel is moved a little, neighbours alike."""

import math
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.augment.draws import Chance, Kind

_REACH: Final = 3.0
_DIGITS: Final = 12


@cache
def gaussian_weights(sigma: float) -> NDArray[np.float64]:
    """The weights of a Gaussian from the middle one outwards (radius + 1,), cut off at 3 σ; all of them add up to 1.

    They are rounded to 12 digits, so that they are the same whatever the machine's exponential function.

    Args:
        sigma: the standard deviation in pixels.

    Example:
        >>> gaussian_weights(0.5).round(4).tolist()
        [0.7866, 0.1065, 0.0003]
    """
    radius = math.floor(_REACH * sigma + 0.5)
    weights = np.array([math.exp(-0.5 * (k / sigma) ** 2) for k in range(radius + 1)])
    rounded: NDArray[np.float64] = np.round(weights / (2.0 * weights.sum() - weights[0]), _DIGITS)
    return rounded


def draw_moves(chance: Chance, size: tuple[int, int], alpha: float, sigma: float) -> NDArray[np.float64]:
    """By how much the places that pixels are fetched from are moved.

        moves = α · (G_σ ∗ random),    random uniform in [−1, 1] at every pixel

    The weights of the Gaussian G_σ add up to 1, and beyond the image there is nothing (0). So with 34:4 the pixels
    in the middle of an image move by 1.4 pixels in each direction (root mean square), which is what is meant by these
    figures for the 28 × 28 pixels of MNIST. Other implementations scale the smoothed fields to a length of 1 first.

    Args:
        chance: whose draws: counter k gives the bytes of pixels 8 k to 8 k + 7, by its first two words those for
            columns and by its others those for rows; byte v means (2 v − 255) / 255.
        size: (height, width) in pixels.
        alpha: α in pixels.
        sigma: σ in pixels.

    Returns:
        What is added to the column and to the row that a pixel is fetched from (2, n, height, width).

    Source: Simard, Steinkraus, Platt, ICDAR 2003.

    Example:
        >>> moves = draw_moves(Chance(0, 0, np.arange(1000)), (28, 28), 34.0, 4.0)
        >>> float(np.sqrt((moves[:, :, 14, 14] ** 2).mean()).round(1))
        1.4
    """
    height, width = size
    fields = np.stack(chance.parts(Kind.FIELD, -(-height * width // 8), np.uint8))[:, :, : height * width]
    random = (2.0 * fields.reshape(2, -1, height, width) - 255.0) / 255.0
    moves: NDArray[np.float64] = alpha * (_band(height, sigma) @ random @ _band(width, sigma))
    return moves


def _band(count: int, sigma: float) -> NDArray[np.float64]:
    """The Gaussian as a matrix (count, count): what each place takes from each other one."""
    weights = gaussian_weights(sigma)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return np.where(apart < len(weights), weights[np.minimum(apart, len(weights) - 1)], 0.0)
