"""Inputs with something added or taken away: noise, a rectangle of background, silent columns."""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.data.augment.draws import Chance, Kind

NORMALS: Final = 4096
_DIGITS: Final = 12


@cache
def normal_numbers() -> NDArray[np.float64]:
    """4,096 equally likely numbers (NORMALS,) that are spread like a standard normal variable, of variance 1.

    They are the quantiles in the middles of equal parts of the distribution, and reach to ±3.7. Rounded to 12
    digits, they are the same on every machine.

    Example:
        >>> numbers = normal_numbers()
        >>> float(numbers.std().round(9)), float((np.abs(numbers) < 1).mean().round(3))
        (1.0, 0.683)
    """
    from statistics import NormalDist

    upper = np.array([NormalDist().inv_cdf((k + 0.5) / NORMALS) for k in range(NORMALS // 2, NORMALS)])
    numbers = np.concatenate([-upper[::-1], upper])
    rounded: NDArray[np.float64] = np.round(numbers / numbers.std(), _DIGITS)
    return rounded


def draw_noise(chance: Chance, count: int) -> NDArray[np.float64]:
    """Standard normal numbers (n, count), one per input.

    Args:
        chance: whose draws: the words are cut into halves, whose upper 12 bits choose one of `normal_numbers`; all
            counters' first two words come first, and then all their others.
        count: how many for each row.

    Example:
        >>> float(draw_noise(Chance(0, 0, np.arange(10)), 1000).std().round(1))
        1.0
    """
    halves = np.concatenate(chance.parts(Kind.NOISE, -(-count // 8), np.uint16), axis=1)[:, :count]
    noise: NDArray[np.float64] = normal_numbers()[halves >> 4]
    return noise


def draw_rectangles(chance: Chance, size: tuple[int, int], most: float) -> Ints:
    """Where a rectangle of each image is erased.

    Its area is uniform between 0 and `most` of the image's. Its height is k times that of a shape like the image's
    own, and its width the k-th part, k = (1 + u) / (2 − u) between a half and 2; neither is more than the image's.

    Args:
        chance: whose draws.
        size: (height, width) in pixels.
        most: a fraction of the image's area.

    Returns:
        Its first row and the one past its last, its first column and the one past its last (n, 4).

    Source: Zhong and others, "Random erasing data augmentation", arXiv:1708.04896; with the background's 0 as in
    DeVries and Taylor, arXiv:1708.04552.

    Example:
        >>> draw_rectangles(Chance(0, 0, np.array([3])), (28, 28), 0.2).tolist()
        [[5, 25, 18, 25]]
    """
    u = chance.uniforms(Kind.ERASE, 4)
    side, k = np.sqrt(most * u[:, 0]), (1.0 + u[:, 1]) / (2.0 - u[:, 1])
    edges = []
    for length, fraction, place in ((size[0], side * k, u[:, 2]), (size[1], side / k, u[:, 3])):
        count = np.floor(length * np.minimum(fraction, 1.0) + 0.5)
        first = np.floor(place * (length - count + 1.0))
        edges += [first, first + count]
    return np.stack(edges, axis=1).astype(np.int64)


def erase(images: NDArray[np.float64], rectangles: Ints) -> None:
    """Set a rectangle of each image (n, height, width, channels) to 0."""
    for image, (top, bottom, left, right) in zip(images, rectangles.tolist(), strict=True):
        image[top:bottom, left:right] = 0.0


def draw_silent(chance: Chance, count: int, rate: float) -> NDArray[np.bool_]:
    """Which of a table's columns are silent (n, count), each with probability `rate`.

    Example:
        >>> float(draw_silent(Chance(0, 0, np.arange(100)), 50, 0.1).mean().round(1))
        0.1
    """
    return chance.words(Kind.COLUMN, count) < round(rate * 2.0**32)
