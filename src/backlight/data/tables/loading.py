"""A table with target columns, as a `Dataset`."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats
from backlight.data.class_weights import weights_by_class
from backlight.data.dataset import PARTS, Dataset, Source
from backlight.data.inputs import Inputs
from backlight.data.npz import texts
from backlight.data.refitting import form
from backlight.data.splits import split, split_as_told, split_groups, split_in_order
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.columns import CategoryColumn
from backlight.data.tables.input_writing import fit_inputs, write_inputs
from backlight.data.tables.inputs import TableInputs
from backlight.data.tables.new_rows import need_column
from backlight.data.tables.options import TableOptions
from backlight.data.tables.reading import LARGE, TableRead, read_table
from backlight.data.tables.scrutiny import Scrutiny, scrutinise
from backlight.data.tables.sources import TableSource
from backlight.data.tables.stored_columns import StoredColumns
from backlight.data.tables.table import Table
from backlight.data.tables.targets import RawTarget, read_targets
from backlight.data.targets import Reconstruction, Target
from backlight.data.wanted import Wanted
from backlight.errors import InputError
from backlight.storage import sha256_of_arrays, sha256_of_file, sha256_of_texts

_FOLDED = "{name!r} has {many} different values; its {kept} commonest are told apart, and the rest count as one"


def load_table(source: Any, wanted: Wanted) -> Dataset:
    """Load a table and split it.

    Numbers are standardised, categories become one input each, dates their parts; a missing value becomes the mean
    or zeros, with an input of its own that says so where the training part has missing values. A column is of
    numbers when every value in it is one, and of dates when every value is one. Rows without a target stay in the
    table and are in no part.

    Args:
        source: a frame, a path of delimited text or Parquet, or a folder of Parquet files.
        wanted: what is to be made of it.

    Raises:
        InputError: the file, a column or the target cannot be used.
    """
    wanted.options.check()
    with ExitStack() as closing:
        table = closing.enter_context(Table(source, wanted.targets, wanted.options.separator, most_bytes=LARGE))
        if not wanted.targets and not wanted.unlabelled:
            raise InputError(_which_target(table))
        known = _known_inputs(table, wanted)
        checksum = closing.enter_context(ThreadPoolExecutor(1)).submit(_checksum, table.source)
        read = read_table(
            table, wanted.targets, wanted.task, wanted.options, known=None if known is None else known.types
        )
        table.forget()
        if isinstance(read.columns, StoredColumns):
            closing.callback(read.columns.close)
        return _made(table.source, read, wanted, checksum)


def _known_inputs(table: Table, wanted: Wanted) -> TableInputs | None:
    """The inputs of a network that has learnt from another table; None where they are to be fitted to this one.

    Raises:
        InputError: it learnt from something else, or the table lacks one of its columns, or that is to be predicted.
    """
    known = wanted.inputs
    if known is None:
        return None
    if not isinstance(known, TableInputs):
        raise InputError(
            f"{table.label} is a table, and the network to start from learnt from {form(known)}; give those"
        )
    for name in known.types:
        need_column(table, name)
        if name in wanted.targets:
            raise InputError(
                f"the network to start from takes the column {name!r} as an input, so it cannot be the target; "
                "choose another"
            )
    return known


def _which_target(table: Table) -> str:
    shown = ", ".join(repr(name) for name in table.names[:20])
    more = f" and {len(table.names) - 20} more" if len(table.names) > 20 else ""
    return f"which column of {table.label} is to be predicted? give --target; there are {shown}{more}"


def _made(source: TableSource, read: TableRead, wanted: Wanted, checksum: "Future[str]") -> Dataset:
    options, label = wanted.options, source.label
    raw = (
        RawTarget((), (), np.empty((read.columns.count, 0)))
        if wanted.unlabelled
        else read_targets({name: read.special[name] for name in wanted.targets}, wanted.task, label)
    )
    rows = _split(read, raw, wanted, source)
    learnt = None if wanted.unlabelled else raw.fit(rows["train"], standardised=wanted.standardise)
    inputs, warnings = (
        _fitted(read, raw, rows["train"], wanted, label)
        if wanted.inputs is None
        else (_carried_over(wanted.inputs, read), ())
    )
    x = write_inputs(read.columns, inputs)
    target, y = learnt or (Reconstruction(inputs.width), x)
    files = _files(source, checksum, x, y)
    return Dataset(
        Path(label).stem if source.files else "frame",
        *(x, y, rows, inputs, target),
        Source(label if source.files else "frame", source.kind, files),
        weights=_weights(read, target, y, rows["train"], options, source),
        notes=(*read.notes, *warnings, *_lacking(raw, rows)),
    )


def _fitted(
    read: TableRead, raw: RawTarget, train: NDArray[np.int64], wanted: Wanted, label: str
) -> tuple[TableInputs, tuple[str, ...]]:
    """Inputs fitted on the training part, and what a reader should know of them."""
    options = wanted.options
    piece, cells = next(iter(read.columns.pieces(read.inputs)))
    first = train[: np.searchsorted(train, piece.stop)]
    found = scrutinise(cells, raw.values, first, wanted.targets, options.keep)
    if found.left_out and set(found.left_out) == set(read.inputs):  # nothing else to learn from
        warnings = tuple(f"{name!r} is learnt from, though {why}" for name, why in found.left_out.items())
        found = Scrutiny({}, (*warnings, *found.warnings))
    inputs = fit_inputs(read.columns, [n for n in read.inputs if n not in found.left_out], train, options.keep)
    inputs = replace(inputs, left_out={**read.left_out, **found.left_out, **inputs.left_out})
    if not inputs.columns:
        reasons = "; ".join(f"{name!r}: {reason}" for name, reason in list(inputs.left_out.items())[:3])
        targets = ", ".join(repr(name) for name in wanted.targets) or "anything"
        raise InputError(
            f"{label} has no column to learn {targets} from ({reasons or 'it has no other column'}); add one"
        )
    return inputs, (*found.warnings, *_folded(inputs, cells))


def _carried_over(known: Inputs, read: TableRead) -> TableInputs:
    """The inputs of a network that has learnt from another table; other columns of this one are left out."""
    assert isinstance(known, TableInputs)
    strange = {name: "the network to start from does not know it" for name in read.inputs if name not in known.types}
    return replace(known, left_out={**read.left_out, **strange})


def _files(source: TableSource, checksum: "Future[str]", x: Array, y: Array) -> tuple[tuple[str | None, str], ...]:
    if not source.files:
        return ((None, sha256_of_arrays(x, y)),)
    return ((str(Path(source.label).resolve()), checksum.result()),)


def _checksum(source: TableSource) -> str:
    """The checksum of a file; of a folder, one over the names and checksums of its files."""
    if len(source.files) <= 1:
        return sha256_of_file(source.files[0]) if source.files else ""
    folder = Path(source.label)
    return sha256_of_texts(f"{file.relative_to(folder)} {sha256_of_file(file)}" for file in source.files)


def _split(read: TableRead, raw: RawTarget, wanted: Wanted, source: TableSource) -> dict[str, NDArray[np.int64]]:
    """Part → rows, of those that have a target."""
    labelled, options = raw.labelled, wanted.options
    validation, test = wanted.fractions
    if not len(labelled):
        raise InputError(f"{source.label}: no row has every target; fill them in, or leave a target out")
    if options.group is not None:
        groups = np.unique(_codes(read.special[options.group][labelled]), return_inverse=True)[1].reshape(-1)
        parts = split_groups(
            groups, validation=validation, test=test, seed=wanted.seed, name=f"column {options.group!r}"
        )
    elif options.time is not None:
        when = _when(read.special[options.time], options.time, source, labelled)
        parts = split_in_order(when, validation=validation, test=test)
    elif options.split is not None:
        told = _texts(read.special[options.split])[labelled]
        words = np.unique(told.codes[told.codes >= 0], return_inverse=True)
        values = np.full(len(told), -1, np.int64)
        values[told.codes >= 0] = words[1].reshape(-1)
        parts = split_as_told([told.values[code] for code in words[0]], values, options.split)
    else:
        strata = raw.strata
        classes = None if strata is None else strata[labelled]
        parts = split(len(labelled), validation=validation, test=test, seed=wanted.seed, classes=classes)
    return {part: labelled[places] for part, places in parts.items()}


def _codes(cells: Cells) -> NDArray[Any]:
    if isinstance(cells, Texts):
        return cells.codes
    return cells.values if isinstance(cells, Numbers) else cells.seconds


def _texts(cells: Cells) -> Texts:
    """Words by which rows are split; numbers and dates as text, so that they are named in the refusal."""
    if isinstance(cells, Texts):
        return cells
    values = _codes(cells)
    return Texts.of([None if np.isnan(value) else word for value, word in zip(values, texts(values), strict=True)])


def _when(cells: Cells, name: str, source: TableSource, labelled: NDArray[np.int64]) -> NDArray[np.float64]:
    """When each row with a target was; a column of text, or with holes, orders nothing."""
    if isinstance(cells, Texts):
        raise InputError(
            f"{source.label}: column {name!r} cannot be read as dates or numbers, such as {cells.values[0]!r}; write "
            "dates as 2026-11-22, or choose another column for --time"
        )
    values = (cells.seconds if isinstance(cells, Moments) else cells.values)[labelled]
    for place in np.flatnonzero(np.isnan(values))[:1]:
        raise InputError(
            f"{source.where(int(labelled[place]))}, column {name!r}: the cell is empty, so nobody can tell when that "
            "was; fill it in or leave the row out"
        )
    return values


def _weights(
    read: TableRead, target: Target, y: Array, train: NDArray[np.int64], options: TableOptions, source: TableSource
) -> Floats | None:
    """How much each row counts: the weight of its class times its own."""
    weights: NDArray[np.float64] | None = None
    if options.weight is not None:
        cells = read.special[options.weight]
        if not isinstance(cells, Numbers):
            raise InputError(f"{source.label}: the weights in column {options.weight!r} are no numbers; give another")
        for place in np.flatnonzero(~(cells.values[train] >= 0))[:1]:
            row = int(train[place])
            what = "empty" if np.isnan(cells.values[row]) else f"{cells.values[row]:g}"
            raise InputError(
                f"{source.where(row)}, column {options.weight!r}: the weight is {what}; write a number from 0 up"
            )
        weights = np.nan_to_num(cells.values)
    if options.class_weights is not None:
        each = weights_by_class(options.class_weights, target, y, train)
        weights = each if weights is None else weights * each
    if weights is not None and not weights[train].any():
        raise InputError(f"{source.label}: every row of the training part weighs 0; give weights above 0")
    return None if weights is None else weights.astype(np.float32)


def _folded(inputs: TableInputs, cells: Mapping[str, Cells]) -> list[str]:
    notes = []
    for column in inputs.columns:
        found = cells[column.name]
        if isinstance(column, CategoryColumn) and column.others and isinstance(found, Texts):
            many = f"over {len(found.values) - 1:,}" if found.folded else f"{len(found.values):,}"
            notes.append(_FOLDED.format(name=column.name, many=many, kept=len(column.values)))
    return notes


def _lacking(raw: RawTarget, rows: Mapping[str, NDArray[np.int64]]) -> list[str]:
    """Parts with a single class, and classes that are not learnt from."""
    notes = []
    for column, target, name in zip(raw.values.T, raw.classes, raw.names, strict=False):
        learnt = np.unique(column[rows["train"]])
        strangers = [target.names[k] for k in range(target.width) if k not in learnt]
        if strangers:
            shown = ", ".join(repr(one) for one in strangers[:5])
            notes.append(f"the training part has no row with {name!r} = {shown}, so that is never predicted")
        for part in PARTS[1:]:
            present = np.unique(column[rows[part]])
            if len(rows[part]) and len(present) == 1:
                only = target.names[present[0]]
                notes.append(f"the {part} part holds one class only, {name!r} = {only!r}: its scores say little")
    return notes
