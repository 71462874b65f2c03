"""New rows of a table for a trained model."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.npz import texts
from backlight.data.tables.inputs import TableInputs
from backlight.data.tables.table import Table
from backlight.data.targets import Classes, Quantities, SeveralClasses, Target
from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class Rows:
    """Examples for a trained model.

    Attributes:
        x: inputs (n, d): float32, or uint8, which is read as value/255.
        y: targets as in `Dataset`, or None where they were not asked for.
        labels: one name per example, to be found again: `new.csv:3` or `new.npz:3` (row 3 from 0), `seven.png`.
        unseen: column → how many of its cells held a category that the model does not know.
        notes: what a reader should know of how the data was read, one sentence each.
    """

    x: Array
    y: Array | None
    labels: tuple[str, ...]
    unseen: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_table_rows(
    source: Any, inputs: TableInputs, target: Target, separator: str | None = None, *, labelled: bool
) -> Rows:
    """Read a table with the columns that a model knows; others are ignored.

    Args:
        source: a frame, or the path of a table.
        inputs: the model's inputs.
        target: the model's target.
        separator: of delimited text, if it is known.
        labelled: whether the targets are read as well.

    Raises:
        InputError: a column is missing, or a cell is not what the model expects.
    """
    with Table(source, [column.name for column in inputs.columns], separator) as table:
        for name in inputs.types:
            need_column(table, name)
        x, unseen = inputs.encode(table.columns(inputs.types))
        y = _targets(table, target) if labelled else None
        labels = tuple(f"{table.label}:{row}" for row in range(len(x)))
    return Rows(x, y, labels, unseen)


def need_column(table: Table, name: str) -> None:
    """Refuse a table without a column that a model needs.

    Raises:
        InputError: it lacks the column.
    """
    if name not in table.names:
        hint = nearest(name, list(table.names))
        raise InputError(f"{table.label} lacks the column {name!r}, which the model needs; {hint}")


def _targets(table: Table, target: Target) -> Array:
    """The targets of a table's rows, from the columns that the model predicts."""
    if isinstance(target, Classes) and target.column is not None:
        return _class_column(table, target)
    if isinstance(target, SeveralClasses) and all(one.column is not None for one in target.targets):
        return np.stack([_class_column(table, one) for one in target.targets], axis=1)
    if not isinstance(target, Quantities):
        raise InputError(f"the model's target is no column of a table, so {table.label} cannot be evaluated")
    columns = []
    for name in target.names:
        need_column(table, name)
        values = table.numbers([name])[name]
        _need_values(table, name, np.isnan(values))
        columns.append(values)
    return target.encode(np.stack(columns, axis=1))


def _class_column(table: Table, target: Classes) -> NDArray[np.int64]:
    name = target.column
    assert name is not None
    need_column(table, name)
    cells = table.texts([name])[name]
    _need_values(table, name, np.array([cell is None for cell in cells]))
    labels = [str(cell) for cell in cells]
    codes = find_labels(target, labels)
    for row in np.flatnonzero(codes < 0)[:1]:
        raise InputError(
            f"{table.where(int(row))}, column {name!r}: {labels[row]!r} is no class of this model; "
            f"{nearest(labels[row], list(target.names))}"
        )
    return codes


def _need_values(table: Table, name: str, holes: NDArray[np.bool_]) -> None:
    for row in np.flatnonzero(holes)[:1]:
        raise InputError(
            f"{table.where(int(row))}, column {name!r}: the target is missing; fill it in or leave the row out"
        )


def find_labels(target: Classes, labels: Sequence[str]) -> NDArray[np.int64]:
    """Class indices (n,), −1 for what is no class; `1.0` and `01` are the class `1` if they are none themselves.

    Likewise `True` is the class `true`.

    Example:
        >>> find_labels(Classes(("0", "1")), ["1.0", "0", "2"])
        array([ 1,  0, -1])
    """
    codes = target.find(labels)
    lower = {name.lower(): k for k, name in enumerate(target.names) if name.lower() in {"true", "false"}}
    for row in np.flatnonzero(codes < 0):
        codes[row] = lower.get(labels[int(row)].lower(), -1)
    for row in np.flatnonzero(codes < 0):
        with suppress(ValueError):
            codes[row] = target.find(texts(np.array([float(labels[int(row)])])))[0]
    return codes
