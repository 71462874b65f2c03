"""The columns of a table as cells of the right kinds: what each column is, and which are learnt from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from backlight.data.tables.cells import Cells
from backlight.data.tables.column_types import ColumnType, check_stored, parse_types, stored_kind
from backlight.data.tables.options import TableOptions, column_list
from backlight.data.tables.stored_columns import Columns, ColumnsInMemory, StoredColumns
from backlight.data.tables.table import Profile, Table
from backlight.data.tables.targets import MOST_NUMBERED_CLASSES
from backlight.errors import InputError

LARGE: Final = 1 << 27
"""Files of more bytes are read in a stream, with the kinds of columns taken from their first rows."""

_MOSTLY: Final = 0.9
_EXACT: Final = 2.0**23


@dataclass(frozen=True)
class TableRead:
    """A table that has been read.

    Attributes:
        columns: its columns, piece by piece.
        special: the targets, and the columns by which rows are split or weighed, whole.
        inputs: the names of the columns that may be learnt from.
        left_out: columns that are not, each with the reason.
        notes: sentences for the reader.
    """

    columns: Columns
    special: Mapping[str, Cells]
    inputs: tuple[str, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]


def read_table(
    table: Table,
    targets: tuple[str, ...],
    task: str | None,
    options: TableOptions,
    *,
    exact: bool = False,
    known: Mapping[str, ColumnType] | None = None,
) -> TableRead:
    """Read the columns of a table.

    A column of many different numbers with a little text among them is refused: one typing error would else turn it
    into thousands of categories.

    Args:
        table: opened; of a large one only the first rows are in memory, and the file is read here.
        targets: the columns to predict.
        task: `classification`, `regression` or None.
        options: what the user says of the columns.
        exact: whether the numbers of a large table are kept in float64.
        known: what columns are to a network that has learnt from others.

    Raises:
        InputError: there is no such column, or a cell is not what its column is.
    """
    for name in (*targets, *options.named):
        table.index(name)
    dropped = {*column_list(options.drop, table.names, "--drop")}
    kept = {*column_list(options.keep, table.names, "--keep")}
    _refuse_contradictions(targets, dropped, kept, options)
    given = parse_types(options.types, table.names)
    profiles = table.profiles()
    left_out = {name: "it was dropped" for name in table.names if name in dropped}
    types: dict[str, ColumnType] = {}
    for name in table.names:
        if name in dropped and name not in options.named:
            continue
        stored = table.source.stored[table.index(name)]
        if stored_kind(stored) is None:
            left_out[name] = f"it holds {stored}, which cannot be learnt from"
        elif name in (known or {}):
            types[name] = (known or {})[name]
        elif name in given:
            check_stored(f"{table.label}, column {name!r}", stored, given[name])
            written = profiles[name].date_format or profiles[name].nearly
            types[name] = ColumnType(given[name], written if given[name] == "date" else "")
        elif name == options.time and profiles[name].nearly:
            types[name] = ColumnType("date", profiles[name].nearly)  # so that what is none is named
        else:
            types[name] = _type_of(table, name, profiles[name], task if name in targets else None)
    apart = {*targets, *(name for name in options.set_apart if name not in kept)}
    left_out |= {name: _why_apart(name, options) for name in table.names if name in apart and name not in targets}
    inputs = tuple(name for name in types if name not in apart and name not in dropped)
    special = tuple(dict.fromkeys((*targets, *options.named)))
    columns: Columns
    if table.partial:
        numbers = [name for name, what in types.items() if what.kind == "number"]
        scaled = [] if exact else [name for name in numbers if name not in special]
        columns = StoredColumns(table.connection, table.source, types, _scales(table, scaled), special)
        whole = {name: columns.column(name) for name in special}
    else:
        columns = ColumnsInMemory(table.columns(types))
        whole = {name: columns.cells[name] for name in special}
    return TableRead(columns, whole, inputs, left_out, tuple(_notes(table, profiles, types)))


def _refuse_contradictions(
    targets: tuple[str, ...], dropped: Collection[str], kept: Collection[str], options: TableOptions
) -> None:
    for name in dropped:
        if name in targets or name in kept:
            what = "the target" if name in targets else "a column that is kept"
            raise InputError(f"--drop names {name!r}, which is {what}; leave it out of one of the two")
    for name in targets:
        if name in options.named:
            raise InputError(f"{name!r} is the target, so rows cannot be split or weighed by it; choose another column")


def _why_apart(name: str, options: TableOptions) -> str:
    if name == options.weight:
        return "it says how much each row counts"
    what = "which rows belong together" if name == options.group else "which part each row is in"
    return f"it says {what}; --keep uses it"


def _type_of(table: Table, name: str, profile: Profile, task: str | None) -> ColumnType:
    """What a column is, by its values."""
    kind = stored_kind(table.source.stored[table.index(name)])
    if kind in {"number", "date"}:
        return ColumnType("number" if kind == "number" else "date")
    if profile.date_format is not None:
        return ColumnType("date", profile.date_format)
    numbers = 0 < profile.filled == profile.numbers or task == "regression"
    few_texts = _MOSTLY * profile.filled <= profile.numbers < profile.filled
    if few_texts and task is None and table.different(name) > MOST_NUMBERED_CLASSES:
        table.numbers([name])  # raises, naming the first cell that is text
    return ColumnType("number" if numbers else "text")


def _scales(table: Table, names: Collection[str]) -> dict[str, tuple[float, float]]:
    """The median and the spread of number columns among the rows that are in memory; 0 and 1 for whole numbers.

    Whole numbers up to 2²⁴ then stay exact in float32.
    """
    scales: dict[str, tuple[float, float]] = {}
    for name, values in table.numbers(names).items():
        there = values[~np.isnan(values)]
        if len(there) and np.abs(there).max() < _EXACT and (there == np.floor(there)).all():
            scales[name] = (0.0, 1.0)
            continue
        spread = float(there.std()) if len(there) else 0.0
        scales[name] = (float(np.median(there)) if len(there) else 0.0, spread if 1e-30 < spread < 1e30 else 1.0)
    return scales


def _notes(table: Table, profiles: Mapping[str, Profile], types: Mapping[str, ColumnType]) -> list[str]:
    notes = []
    dialect = table.source.dialect
    if dialect is not None and dialect.encoding != "utf-8":
        notes.append(
            f"the file was read as {dialect.encoding} text, as it is not UTF-8; save it as UTF-8 if letters are wrong"
        )
    for name, what in types.items():
        if what.kind == "date" and profiles[name].ambiguous:
            notes.append(f"the dates in {name!r} were read as {what.date_format}, and could be day/month/year as well")
        if what.kind == "text" and profiles[name].strangers:
            form, odd = profiles[name].nearly, profiles[name].strangers
            notes.append(
                f"{name!r} was read as text: all but {odd:,} of its values are dates (as {form}); --types {name}=date "
                "names the first that is not"
            )
    if table.partial:
        empty = [name for name, what in types.items() if what.kind == "text" and not profiles[name].filled]
        if empty:
            notes.append(
                f"{', '.join(map(repr, empty))}: no value in the first {table.rows:,} rows, so read as text; --types "
                "says otherwise"
            )
        notes.append(f"{table.label} is large: the kinds of its columns were taken from its first {table.rows:,} rows")
    return notes
