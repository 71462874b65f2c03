"""The bootstrap: what a score might have been on other examples of the same kind, from the examples that there are.

Each of R = 1,000 resamples takes example i w_i times, with w_i drawn from Poisson(1), which is what drawing n of the
n with replacement comes to. A score that is a function of sums over examples is that function of Σ_i w_i v_i. Of more
than G = 500 examples, each is dealt at random to one of G groups, and the groups' sums are resampled: the width of
the interval is then known to 1 / √(2 G), about 3 %, as far as R resamples know it anyway, and a million examples take
no longer than reading them.

Sources: Efron, "Bootstrap methods: another look at the jackknife", 1979; Chamandy, Muralidharan, Najmi and Naidu,
"Estimating uncertainty for massive data streams", 2012 (Poisson weights).
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import exp, factorial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats, Ints
from backlight.randomness import Purpose, words

Interval: TypeAlias = tuple[float, float]

RESAMPLES: Final = 1_000
GROUPS: Final = 500
TAIL: Final = 0.025
"""The share of resamples below a 95 % interval, and above it."""

_CHUNK: Final = 1 << 16
_EXACT: Final = 40  # bits of a sum that are kept, so that sums of resamples are exact whatever their order
_SEED: Final = 0


@cache
def weights() -> NDArray[np.float64]:
    """How often each group counts in each resample: draws (R, G) of Poisson(1), the same in every process.

    Example:
        >>> weights().shape, round(float(weights().mean()), 2), round(float(weights().var()), 2)
        ((1000, 500), 1.0, 1.0)
    """
    cumulated = np.cumsum([exp(-1.0) / factorial(k) for k in range(12)])
    table = np.searchsorted(cumulated, (np.arange(1 << 16) + 0.5) / (1 << 16)).astype(np.float64)
    drawn = words(_SEED, Purpose.RESAMPLING, RESAMPLES * GROUPS // 2)
    halves = drawn.astype("<u4", copy=False).view("<u2")
    counts: NDArray[np.float64] = table[halves]
    return counts.reshape(RESAMPLES, GROUPS)


def groups_of(first: int, count: int) -> Ints:
    """The groups (count,) of the examples from number `first` on, where there are more examples than groups.

    Args:
        first: the first example's number, a multiple of 4.
        count: how many examples.

    Example:
        >>> bool((groups_of(0, 12)[8:] == groups_of(8, 4)).all())
        True
    """
    drawn = words(_SEED, Purpose.RESAMPLING, count, first=first, place=(1, 0)).astype(np.uint64)
    return ((drawn * np.uint64(GROUPS)) >> np.uint64(32)).astype(np.int64)


def group_sums(count: int, columns: Callable[[slice], Sequence[Array]]) -> NDArray[np.float64]:
    """Sums (g, d) over the examples of each group, with g = min(n, G).

    Args:
        count: n.
        columns: gives d columns (m,) of some neighbouring examples, so that no more of them are held at a time.

    Example:
        >>> values = np.array([1.0, 2.0])
        >>> group_sums(2, lambda rows: [values[rows], values[rows] > 1]).tolist()
        [[1.0, 0.0], [2.0, 1.0]]
    """
    if count <= GROUPS:
        return np.stack([np.asarray(column, np.float64) for column in columns(slice(0, count))], axis=1)
    sums: NDArray[np.float64] | None = None
    for first in range(0, count, _CHUNK):
        rows = slice(first, min(first + _CHUNK, count))
        groups = groups_of(first, rows.stop - first)
        found = [np.bincount(groups, weights=column, minlength=GROUPS) for column in columns(rows)]
        sums = np.stack(found, axis=1) if sums is None else sums + np.stack(found, axis=1)
    assert sums is not None
    return sums


def group_counts(codes: Sequence[Ints], classes: int) -> NDArray[np.float64]:
    """How often each class occurs in each group (g, d · classes): in d columns (n,) of class indices; −1 is none.

    Example:
        >>> group_counts([np.array([0, 1]), np.array([1, -1])], 2).tolist()
        [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]
    """
    count = len(codes[0])
    size = min(count, GROUPS)
    found = np.zeros((len(codes), size * (classes + 1)), np.int64)
    for first in range(0, count, _CHUNK):
        length = min(_CHUNK, count - first)
        groups = np.arange(count) if count <= GROUPS else groups_of(first, length)
        for c, column in enumerate(codes):
            places = groups * (classes + 1) + (column[first : first + length] + 1)
            found[c] += np.bincount(places, minlength=found.shape[1])
    kept = found.reshape(len(codes), size, classes + 1)[:, :, 1:]
    return kept.transpose(1, 0, 2).reshape(size, -1).astype(np.float64)


def resampled(sums: Floats) -> NDArray[np.float64]:
    """The sums over all examples in every resample (R, d), of sums per group (g, d).

    They are the same to the last bit however many threads multiply matrices.

    Example:
        >>> resampled(np.ones((10, 1))).shape
        (1000, 1)
    """
    largest = np.abs(sums).max(axis=0, initial=0.0)
    _, exponents = np.frexp(largest)
    whole = np.rint(np.ldexp(sums, _EXACT - exponents))
    drawn: NDArray[np.float64] = np.ldexp(weights()[:, : len(sums)] @ whole, exponents - _EXACT)
    return drawn


def percentiles(scores: Floats) -> Interval | None:
    """The middle 95 % of a score's resamples (R,); None where fewer than half of them have a score.

    Example:
        >>> percentiles(np.arange(1001.0))
        (25.0, 975.0)
    """
    known = scores[np.isfinite(scores)]
    if 2 * len(known) < len(scores):
        return None
    places = np.array([TAIL, 1.0 - TAIL]) * (len(known) - 1)
    low, high = np.interp(places, np.arange(len(known)), np.sort(known))  # np.quantile imports much at its first call
    return float(low), float(high)
