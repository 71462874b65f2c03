"""What Backlight sees in a table's columns before anything is learnt from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import Array
from backlight.data.tables.cells import Cells, Moments, Texts, moment_text
from backlight.data.tables.options import TableOptions
from backlight.data.tables.reading import LARGE, read_table
from backlight.data.tables.stored_columns import StoredColumns
from backlight.data.tables.summaries import MomentSummary, Summary, TextSummary, add_to, empty_summary
from backlight.data.tables.table import Table

_BINS: Final = 16
_COMMONEST: Final = 5


@dataclass(frozen=True)
class ColumnSeen:
    """One column.

    Attributes:
        name: of the column.
        type: `number`, `text` or `date`, with the format of dates in brackets.
        missing: how many cells are missing.
        different: how many different texts there are; None for numbers and dates.
        low: the least number, or the earliest moment in ISO 8601.
        high: the greatest, or the latest.
        mean: of numbers.
        std: of numbers, with n in the denominator.
        commonest: texts and how often each occurs, the commonest first.
        histogram: how many values lie in each of 16 equally wide ranges from low to high, of the first rows.
    """

    name: str
    type: str
    missing: int
    different: int | None = None
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    std: float | None = None
    commonest: tuple[tuple[str, int], ...] = ()
    histogram: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class TableSeen:
    """A table.

    Attributes:
        rows: how many there are.
        columns: all of them, in the order of the table, but for those that hold no cells to be learnt from.
        left_out: columns that are not described, each with the reason.
        notes: sentences for the reader.
    """

    rows: int
    columns: tuple[ColumnSeen, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]


def describe_table(source: Any, options: TableOptions | None = None) -> TableSeen:
    """Describe the columns of a table.

    Args:
        source: a frame, a path of delimited text or Parquet, or a folder of Parquet files.
        options: what the user says of the columns.

    Raises:
        InputError: the table cannot be read, or an option names no column.
    """
    options = options or TableOptions()
    options.check()
    with Table(source, (), options.separator, most_bytes=LARGE) as table:
        read = read_table(table, (), None, options, exact=True)
        names = list(dict.fromkeys([*read.inputs, *read.special]))
        names.sort(key=table.names.index)
        summaries: dict[str, Summary | TextSummary] = {}
        first: Mapping[str, Cells] = {}
        try:
            for _, cells in read.columns.pieces(names):
                first = first or cells
                for name in names:
                    add_to(summaries.setdefault(name, empty_summary(cells[name])), cells[name])
            seen = tuple(_seen(name, summaries[name], first[name]) for name in names)
            return TableSeen(read.columns.count, seen, read.left_out, read.notes)
        finally:
            if isinstance(read.columns, StoredColumns):
                read.columns.close()


def _seen(name: str, summary: Summary | TextSummary, cells: Cells) -> ColumnSeen:
    if isinstance(summary, TextSummary):
        ordered = sorted(summary.present.items(), key=lambda pair: (-pair[1], pair[0]))
        return ColumnSeen(name, "text", summary.missing, len(ordered), commonest=tuple(ordered[:_COMMONEST]))
    if summary.count == 0:
        return ColumnSeen(name, "number", summary.missing)
    assert not isinstance(cells, Texts)
    histogram = _histogram(cells.seconds / 86_400.0 if isinstance(cells, Moments) else cells.values, summary)
    if isinstance(summary, MomentSummary):
        kind = f"date ({summary.date_format})" if summary.date_format else "date"
        low, high = (moment_text(days) for days in (summary.low, summary.high))
        return ColumnSeen(name, kind, summary.missing, low=low, high=high, histogram=histogram)
    std = float(np.sqrt(summary.squares / summary.count))
    return ColumnSeen(
        name,
        "number",
        summary.missing,
        low=summary.low,
        high=summary.high,
        mean=summary.mean,
        std=std,
        histogram=histogram,
    )


def _histogram(values: Array, summary: Summary) -> tuple[int, ...]:
    there = values[~np.isnan(values)]
    width = summary.high - summary.low
    if width == 0.0:
        return (len(there),)
    places = np.clip(((there - summary.low) / width * _BINS).astype(np.int64), 0, _BINS - 1)
    return tuple(np.bincount(places, minlength=_BINS).tolist())
