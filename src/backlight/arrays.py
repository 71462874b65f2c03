"""Array types, and the names of the quantities that the whole of Backlight shares.

Shapes are written with axis letters: `n` examples, `i` incoming units, `j` units.

| name | meaning | shape |
|---|---|---|
| `x`, `y` | inputs; targets: class indices or values | (n, i); (n,) or (n, j) |
| `W`, `b` | weights into unit j from unit i; biases | (j, i); (j,) |
| `z`, `a` | pre-activation `a_prev @ W.T + b`; activation `f(z)` | (n, j) |
| `losses` | one loss per example, not averaged | (n,) |
| `delta` | ∂loss_n/∂z, with no 1/n inside | (n, j) |
| `grads` | ∂objective/∂parameters | as the parameters |
| `updates` | the signed amounts that a step adds to the parameters | as the parameters |
"""

from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]
Array: TypeAlias = NDArray[Any]
FloatName: TypeAlias = Literal["float32", "float64"]

CACHE_LINE: Final = 64


def aligned_zeros(size: int, dtype: DTypeLike) -> Floats:
    """Zeros (size,) that begin on a cache line, so that a vector of numbers lies within one.

    Example:
        >>> aligned_zeros(3, "float32").ctypes.data % CACHE_LINE
        0
    """
    itemsize = np.dtype(dtype).itemsize
    block: Floats = np.zeros(size + CACHE_LINE // itemsize, dtype)
    first = -block.ctypes.data % CACHE_LINE // itemsize
    return block[first : first + size]
