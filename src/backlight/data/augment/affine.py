"""Turning, scaling, shearing, shifting and mirroring an image: one map of the plane."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.augment.draws import Chance, Kind

_DRAWN: Final = 7


def draw_maps(
    chance: Chance,
    size: tuple[int, int],
    *,
    rotate: float = 0.0,
    scale: float = 0.0,
    shear: float = 0.0,
    shift: float = 0.0,
    flip: float = 0.0,
) -> NDArray[np.float64]:
    """Where each pixel of a changed image is fetched from, for every row its own map.

    An image is mirrored, scaled, sheared and turned about its middle, and then shifted:

        p' = R(angle) [1 tan(tilt); 0 1] diag(s_x m, s_y) (p − middle) + middle + shift

    with p = (column, row), m = −1 where it is mirrored, and all numbers uniform: angle and tilt within ± the most,
    s_x and s_y within 1 ± `scale`, each apart, and both shifts within ± `shift`. A map is the inverse of that.

    Args:
        chance: whose draws; the words are, in this order, angle, s_x, s_y, tilt, both shifts, mirroring.
        size: (height, width) in pixels.
        rotate: the most in degrees.
        scale: the most as a fraction below 1.
        shear: the most in degrees.
        shift: the most in pixels.
        flip: the probability of mirroring left and right.

    Returns:
        Maps (n, 2, 3): the column that is fetched is [0] · (column, row, 1), and the row is [1] · (column, row, 1).

    Source: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document
    analysis", ICDAR 2003; scales apart for each axis as in Cireşan and others, Neural Computation 22, 2010.

    Example:
        >>> draw_maps(Chance(0, 0, np.array([5])), (3, 4), flip=1.0).tolist()
        [[[-1.0, 0.0, 3.0], [0.0, 1.0, 0.0]]]
    """
    u = 2.0 * chance.uniforms(Kind.MAP, _DRAWN) - 1.0
    angle, tilt = np.deg2rad(rotate) * u[:, 0], np.tan(np.deg2rad(shear) * u[:, 3])
    sine, cosine = np.sin(angle), np.cos(angle)
    mirrored = chance.words(Kind.MAP, _DRAWN)[:, 6] < round(flip * 2.0**32)
    wide, high = np.where(mirrored, -1.0, 1.0) / (1.0 + scale * u[:, 1]), 1.0 / (1.0 + scale * u[:, 2])
    matrix = np.array([[wide * (cosine + tilt * sine), wide * (sine - tilt * cosine)], [-high * sine, high * cosine]])
    matrix = matrix.transpose(2, 0, 1)
    middle = np.array([size[1] - 1, size[0] - 1]) / 2.0
    offset = middle - np.einsum("nij,nj->ni", matrix, middle + shift * u[:, 4:6])
    return np.concatenate([matrix, offset[:, :, None]], axis=2) + 0.0
