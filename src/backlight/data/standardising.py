"""Numbers on a common scale: z = (value − mean) / std, with both fitted on the training part."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LARGEST: Final = 1e100
"""Numbers beyond this are refused wherever data is read: their squares would overflow."""

_RELATIVE: Final = 1e-14
_SMALLEST: Final = 1e-30
_BOUND: Final = 1e30


def fit_scale(values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and the standard deviation (n in the denominator) of each column.

    Args:
        values: finite numbers (n, d), n ≥ 1.

    Returns:
        mean (d,) and std (d,). A column that is constant, but for rounding, has std 1, and becomes zeros.

    Example:
        >>> fit_scale(np.array([[1.0, 5.0], [3.0, 5.0]]))
        (array([2., 5.]), array([1., 1.]))
    """
    values = values.astype(np.float64)
    low, high = values.min(axis=0), values.max(axis=0)
    mean, std = values.mean(axis=0), values.std(axis=0)
    return scale_of(low, high, mean, std)


def scale_of(low: Any, high: Any, mean: Any, std: Any) -> tuple[Any, Any]:
    """The mean and deviation to standardise with; of a column that is constant, but for rounding, its value and 1."""
    floor = np.maximum(_RELATIVE * np.maximum(np.abs(low), np.abs(high)), _SMALLEST)
    return np.where(low == high, low, mean), np.where(std <= floor, 1.0, std)


def standardise(values: NDArray[Any], mean: Any, std: Any) -> NDArray[np.float32]:
    """(value − mean) / std in float32, computed in float64; NaN stays NaN, and ±10³⁰ is the limit.

    Args:
        values: numbers (n,) or (n, d).
        mean: one number, or (d,).
        std: one number, or (d,).
    """
    scaled: NDArray[np.float64] = (values.astype(np.float64) - mean) / std
    return scaled.clip(-_BOUND, _BOUND).astype(np.float32)
