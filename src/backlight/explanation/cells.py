"""Encoded rows read back: what each original column said, in its own units and words."""

from typing import Final

import numpy as np

from backlight.arrays import Floats
from backlight.data import ArrayInputs, ImageInputs, Inputs, TableInputs
from backlight.data.tables.cells import moment_text
from backlight.data.tables.columns import CategoryColumn, DateColumn, NumberColumn, TableColumn
from backlight.plots.blocks import Cell

MISSING: Final = "missing"
_NAMED: Final = 2


def cells_of(inputs: Inputs, x: Floats) -> list[Cell]:
    """What a row of inputs (i,) says in each original column.

    A number in its own units, to six digits; a category by its name; a date to the minute; `missing`. An average row
    has the shares of its commonest categories. None where the column cannot be read back.

    Example:
        >>> from backlight.data.tables.cells import Numbers, Texts
        >>> cells = {"age": Numbers(np.array([20.0, 40.0])), "sex": Texts.of(["f", "m"])}
        >>> inputs = TableInputs.fit(cells, np.array([0, 1]))
        >>> cells_of(inputs, np.array([1.0, 0.0, 1.0])), cells_of(inputs, np.array([0.0, 0.75, 0.25]))
        ([40.0, 'm'], [30.0, 'f 75 %, m 25 %'])
    """
    if isinstance(inputs, TableInputs):
        pairs = zip(inputs.columns, inputs.spans, strict=True)
        return [_cell(column, x[first:end]) for column, (_, first, end) in pairs]
    if isinstance(inputs, ImageInputs):
        return _rounded(x)
    assert isinstance(inputs, ArrayInputs)
    return _rounded(255 * x if inputs.dtype == "uint8" else x * np.array(inputs.std) + np.array(inputs.mean))


def _rounded(values: Floats) -> list[Cell]:
    """Numbers without the noise of float32."""
    return [float(f"{value:.6g}") for value in values.tolist()]


def _cell(column: TableColumn, x: Floats) -> Cell:
    if column.missing and x[-1] == 1:
        return MISSING
    if isinstance(column, NumberColumn):
        return _rounded(x[:1] * column.std + column.mean)[0]
    if isinstance(column, CategoryColumn):
        return _shares((*column.values, *["another"] * column.others, *[MISSING] * column.missing), x)
    assert isinstance(column, DateColumn)
    return moment_text(float(x[0]) * column.std + column.mean) if "elapsed" in column.parts else None


def _shares(names: tuple[str, ...], x: Floats) -> str:
    """The name of the one category that is there, or the shares of the commonest."""
    order = [int(k) for k in np.argsort(-x, kind="stable") if x[k] > 0]
    if not order:
        return "none of the known"
    if x[order[0]] == 1:
        return names[order[0]]
    named = [f"{names[k]} {100 * x[k]:.0f} %" for k in order[:_NAMED]]
    return ", ".join([*named, "…"] if len(order) > _NAMED else named)
