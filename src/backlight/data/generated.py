"""Small data sets in two dimensions, made by a formula: the same points on every machine and for every seed.

Each has 1000 points (999 for the spiral), noise included, with both inputs within about −2 to 2. A straight line
separates none of them.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.randomness import Purpose, normals, uniforms

_SEED: Final = 20_230
_COUNT: Final = 1000


def _noise(count: int, place: int, scale: float) -> NDArray[np.float64]:
    return scale * normals(_SEED, Purpose.GENERATION, 2 * count, place=(place, 1)).reshape(count, 2)


def _spiral() -> tuple[Array, Array]:
    """Three arms: radius t, angle 4t + 2π·class/3, for t from 0.05 to 1."""
    per_arm = 333
    arm = np.repeat(np.arange(3), per_arm)
    t = np.tile(np.linspace(0.05, 1.0, per_arm), 3)
    angle = 4.0 * t + 2.0 * np.pi * arm / 3.0
    points = 2.0 * t[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + _noise(3 * per_arm, 0, 0.06), arm


def _moons() -> tuple[Array, Array]:
    """Two half circles of radius 1, the second turned over and moved by (1, 0.5), centred."""
    moon = np.repeat(np.arange(2), _COUNT // 2)
    angle = np.pi * np.tile(np.linspace(0.0, 1.0, _COUNT // 2), 2)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.where(moon[:, None] == 0, upper, np.array([1.0, 0.5]) - upper) - np.array([0.5, 0.25])
    return points + _noise(_COUNT, 2, 0.15), moon


def _circles() -> tuple[Array, Array]:
    """Rings of radius 1.5 and 0.7."""
    ring = np.repeat(np.arange(2), _COUNT // 2)
    angle = 2.0 * np.pi * uniforms(_SEED, Purpose.GENERATION, _COUNT, place=(3, 0))
    radius = np.where(ring == 0, 1.5, 0.7)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + _noise(_COUNT, 4, 0.12), ring


def _xor() -> tuple[Array, Array]:
    """Four clouds around (±1, ±1); the class says whether the signs differ."""
    cloud = np.repeat(np.arange(4), _COUNT // 4)
    signs = np.stack([2.0 * (cloud // 2) - 1.0, 2.0 * (cloud % 2) - 1.0], axis=1)
    return signs + _noise(_COUNT, 5, 0.33), cloud // 2 ^ cloud % 2


_FORMULAS: Final[dict[str, Callable[[], tuple[Array, Array]]]] = {
    "spiral": _spiral,
    "moons": _moons,
    "circles": _circles,
    "xor": _xor,
}


def generate(name: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The points (n, 2) and classes (n,) of `spiral`, `moons`, `circles` or `xor`.

    Example:
        >>> x, y = generate("spiral")
        >>> x.shape, sorted(set(y.tolist()))
        ((999, 2), [0, 1, 2])
    """
    x, y = _FORMULAS[name]()
    return x.astype(np.float32), y.astype(np.int64)
