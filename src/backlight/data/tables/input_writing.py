"""A table's inputs, fitted on its training part and written row by row: in memory, or into a mapped file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.data.scratch import written
from backlight.data.tables.cells import Cells
from backlight.data.tables.inputs import TableInputs
from backlight.data.tables.stored_columns import Columns
from backlight.data.tables.summaries import Summary, TextSummary, add_to, empty_summary
from backlight.processors import processors

MAPPED: Final = 1 << 28
"""Inputs of more bytes lie in a file that is mapped into memory, so that they need not fit into it."""


def fit_inputs(
    columns: Columns, names: Sequence[str], train: NDArray[np.int64], keep: Collection[str] = ()
) -> TableInputs:
    """Inputs fitted on the training part.

    Args:
        columns: the table.
        names: of the columns that may be learnt from.
        train: the rows of the training part, ascending.
        keep: columns that are used whatever they look like.
    """
    summaries: dict[str, Summary | TextSummary] = {}
    for piece, cells in columns.pieces(names):
        first, end = np.searchsorted(train, [piece.start, piece.stop])
        rows = train[first:end] - piece.start
        for name in names:
            add_to(summaries.setdefault(name, empty_summary(cells[name])), cells[name][rows])
    return TableInputs.of_summaries(summaries, keep)


def write_inputs(columns: Columns, inputs: TableInputs) -> NDArray[np.float32]:
    """The network's inputs (n, d), in memory or, where they are many, in a mapped file that vanishes with them.

    Raises:
        BacklightError: there is no room on the disk.
    """
    names = [column.name for column in inputs.columns]
    if columns.count * inputs.width * 4 <= MAPPED:
        x = np.empty((columns.count, inputs.width), np.float32)
        for piece, cells in columns.pieces(names):
            inputs.encode(cells, x[piece])
        return x
    shape = (columns.count, inputs.width)
    return written(_encoded(columns, inputs, names), np.dtype(np.float32), shape, "inputs")


def _encoded(columns: Columns, inputs: TableInputs, names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """The inputs of every piece in order, several pieces at a time in threads."""

    def encode(cells: Mapping[str, Cells]) -> NDArray[np.float32]:
        return inputs.encode(cells)[0]

    pieces = (cells for _, cells in columns.pieces(names))
    with ThreadPoolExecutor(processors()) as pool:
        while some := list(islice(pieces, 2 * processors())):
            yield from pool.map(encode, some)
