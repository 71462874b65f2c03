"""Data as engines take them: checked against the network and the loss."""

from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.engine import (
    Examples,
    RowSource,
    row_source,
)
from backlight.errors import InputError
from backlight.network import Network
from backlight.network.objective import check_targets

_BATCH_SIZE: Final = 100


_CHECKED: Final = 4096
"""How many rows that are their own targets are checked at once."""


def examples_for(
    network: Network,
    loss: str | None,
    x: Any,
    y: Any,
    rows: Ints | None = None,
    sample_weight: Floats | None = None,
) -> Examples:
    """Data in the form that engines take.

    Args:
        network: which the data must fit.
        loss: which the targets must fit.
        x: inputs (n, i).
        y: class indices (n,), one per question (n, k), or targets (n, j); x itself where the inputs are the targets.
        rows: the rows whose targets are needed; all unless given.
        sample_weight: one weight per row (n,), scaled here to a mean of 1 over the rows that are needed.

    Raises:
        InputError: the data do not fit; the message names the row.
    """
    own = y is x
    source = x if isinstance(x, RowSource) else row_source(x)
    if source.width != network.inputs:
        raise InputError(f"x has {source.width} columns, and the network takes {network.inputs} inputs")
    rows = None if rows is None else _checked_rows(rows, source.count)
    targets = None
    if own:
        _check_own_targets(source, network, loss, rows)
    else:
        targets = _targets(y, source.count, network, loss, rows)
    if sample_weight is None:
        return Examples(source, targets)
    weights = np.asarray(sample_weight, network.dtype)
    if weights.shape != (source.count,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"sample_weight must be {source.count} finite numbers of 0 or more, one per row")
    mean = (weights if rows is None else weights[rows]).mean(dtype=np.float64)
    if mean == 0:
        raise InputError("sample_weight is 0 for every row; at least one row must count")
    return Examples(source, targets, np.asarray(weights / mean, network.dtype))


def _targets(y: Any, count: int, network: Network, loss: str | None, rows: Ints | None) -> Array:
    """Checked targets, in the dtype that engines take."""
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != count:
        raise InputError(f"x has {count} rows and y has shape {y.shape}; each example needs one target")
    used = y if rows is None else y[rows]
    objective = network.objective(loss)
    check_targets(used, len(used), network.outputs, objective)
    classes = network.outputs > 1 or objective.loss == "cross_entropy"
    indices = objective.indices(y) > 1 or (classes and y.ndim == 1 and y.dtype.kind in "iu")
    return np.ascontiguousarray(y, np.int64 if indices else network.dtype)


def _check_own_targets(source: RowSource, network: Network, loss: str | None, rows: Ints | None) -> None:
    """Check inputs that are their own targets, window by window, and keep no copy of them."""
    objective, examples = network.objective(loss), Examples(source, None)
    rows = np.arange(source.count) if rows is None else rows
    for first in range(0, len(rows), _CHECKED):
        some = rows[first : first + _CHECKED]
        check_targets(examples.targets(some, network.dtype), len(some), network.outputs, objective)
        source.release()


def _checked_rows(rows: Ints, count: int) -> Ints:
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(rows) == 0:
        raise InputError("rows must be row numbers (m,), at least one")
    if rows.min() < 0 or rows.max() >= count:
        raise InputError(f"rows go from {rows.min()} to {rows.max()}; x has rows 0 to {count - 1}")
    return rows
