"""95 % intervals of scores, by the bootstrap: how far a score may be off because the examples are few."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats, Ints
from backlight.scoring.resampling import TAIL, Interval, group_counts, group_sums, percentiles, resampled

_MOST_CLASSES: Final = 1_000
_WIDE: Final = 12


def share_interval(right: int, count: int) -> Interval:
    """The 95 % interval of a share, such as the accuracy: of `right` out of `count` examples.

    The share of a resample is Binomial(count, right/count) / count, so its percentiles are computed and not drawn.
    Where all examples are right, or none, resampling knows of no others; the end is then Clopper and Pearson's: the
    share p for which p^count = 0.025.

    Args:
        right: how many are right.
        count: how many there are, at least 1.

    Example:
        >>> share_interval(90, 100)
        (0.84, 0.95)
        >>> low, high = share_interval(20, 20)
        >>> round(low, 3), high
        (0.832, 1.0)
    """
    if right in (0, count):
        end = TAIL ** (1.0 / count)
        return (end, 1.0) if right else (0.0, 1.0 - end)
    p = right / count
    reach = _WIDE * (count * p * (1 - p)) ** 0.5 + _WIDE
    k = np.arange(max(0, int(right - reach)), min(count, int(right + reach) + 1) + 1, dtype=np.float64)
    steps = np.log((count - k[:-1]) / (k[:-1] + 1) * (p / (1 - p)))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    below = np.cumsum(np.exp(logs - logs.max()))
    ends = np.searchsorted(below / below[-1], [TAIL, 1.0 - TAIL])
    return float(k[ends[0]] / count), float(k[ends[1]] / count)


def mean_interval(values: Floats) -> Interval | None:
    """The 95 % interval of a mean over examples (n,); None below two examples, or where one is not finite.

    Example:
        >>> low, high = mean_interval(np.arange(100.0))
        >>> 43 < low < 44.5, 54.5 < high < 56
        (True, True)
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    totals, counts = resampled(group_sums(len(values), lambda rows: [values[rows], _ones(rows)])).T
    return percentiles(_divided(totals, counts))


def f1_interval(y: Ints, predicted: Ints, classes: int) -> Interval | None:
    """The 95 % interval of macro F1; where every answer is right, that of the share of right ones.

    The F1 of a class that is neither present nor answered is 0, in every resample as in the score.

    Args:
        y: class indices (n,).
        predicted: class indices (n,).
        classes: how many there are; above 1,000 the interval is None.

    Example:
        >>> y = np.arange(200) % 2
        >>> low, high = f1_interval(y, np.where(np.arange(200) < 20, 0, y), 2)
        >>> 0.9 < low < 0.95 < high < 0.99
        True
    """
    hits = y == predicted
    if hits.all():
        present = len(np.unique(y)) / classes
        low, high = share_interval(len(y), len(y))
        return present * low, present * high
    if classes > _MOST_CLASSES:
        return None
    sums = group_counts([y, predicted, np.where(hits, y, -1)], classes)
    both = sums[:, :classes] + sums[:, classes : 2 * classes]
    drawn = resampled(np.concatenate([both, sums[:, 2 * classes :]], axis=1))
    both = drawn[:, :classes]
    f1 = np.divide(2.0 * drawn[:, classes:], both, out=np.zeros_like(both), where=both > 0)
    return percentiles(f1.mean(axis=1))


def quantity_intervals(outputs: Floats, y: Floats, unit: Array | float = 1.0) -> dict[str, Interval | None]:
    """The 95 % intervals of `rmse`, `mae` and `r2`, as `regression_metrics` defines them.

        r2 of a resample = 1 − Σ w e² / (Σ w y² − (Σ w y)² / Σ w)

    Args:
        outputs: predictions (n, j).
        y: targets (n, j) or (n,).
        unit: what one unit of them is in the targets' own units, (j,) or a number.

    Example:
        >>> y = np.arange(100.0)
        >>> found = quantity_intervals((y + np.tile([3.0, -3.0], 50))[:, None], y)
        >>> found["mae"], 0.98 < found["r2"][0] < found["r2"][1] < 0.995
        ((3.0, 3.0), True)
    """
    y = y.reshape(len(y), -1)
    width, middle = y.shape[1], y.mean(axis=0, dtype=np.float64)

    def columns(rows: slice) -> list[Array]:
        errors, around = outputs[rows].astype(np.float64) - y[rows], y[rows] - middle
        mae = (np.abs(errors) * unit).mean(axis=1)
        return [_ones(rows), mae, *(errors**2).T, *around.T, *(around**2).T]

    sums = group_sums(len(y), columns)
    if len(y) < 2 or not np.isfinite(sums).all():
        return {"rmse": None, "mae": None, "r2": None}
    drawn, whole = resampled(sums), sums.sum(axis=0)
    count = drawn[:, :1]
    squares, sums, powers = (drawn[:, 2 + k * width : 2 + (k + 1) * width] for k in range(3))
    spread = powers - _divided(sums**2, count)
    r2 = 1.0 - _divided(squares, np.where(spread > 1e-12 * whole[-width:], spread, 0.0))
    return {
        "rmse": percentiles((np.sqrt(_divided(squares, count)) * unit).mean(axis=1)),
        "mae": percentiles(_divided(drawn[:, 1:2], count)[:, 0]),
        "r2": percentiles(r2.mean(axis=1)),
    }


def _ones(rows: slice) -> Array:
    return np.ones(rows.stop - rows.start, np.int8)


def _divided(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotients, NaN where the divisor is 0."""
    quotients: NDArray[np.float64] = np.full(np.broadcast_shapes(a.shape, b.shape), np.nan)
    return np.divide(a, b, out=quotients, where=b != 0)
