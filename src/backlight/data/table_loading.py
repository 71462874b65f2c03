"""A table with a target column, as a `Dataset`."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.dataset import Dataset, Source
from backlight.data.npz import RawTarget, encode_target, find_classes, texts
from backlight.data.splits import split
from backlight.data.table_inputs import TableInputs, absent
from backlight.data.tables import Profile, Table
from backlight.data.targets import Classes
from backlight.errors import InputError

MOST_NUMBERED_CLASSES: Final = 20
"""Whole numbers with more different values than this are quantities, not classes."""

_MOSTLY: Final = 0.9


def load_table(
    path: Path,
    target: str | None,
    task: str | None,
    fractions: tuple[float, float],
    seed: int,
    *,
    standardise: bool = True,
) -> Dataset:
    """Load a table and split it.

    Numbers are standardised and categories become one input each; a missing value becomes the mean or zeros,
    with an input of its own that says so where the training part has missing values. A column is of numbers
    when every value in it is one. Rows without a target stay in the table and are in no part.

    Args:
        path: a file of delimited text with a header.
        target: the column to predict.
        task: `classification`, `regression`, or None to follow the target's values.
        fractions: of the rows, for validation and test.
        seed: the run's seed.
        standardise: whether quantities to predict are standardised.

    Raises:
        InputError: the file, a column or the target cannot be used.
    """
    with Table(path, () if target is None else (target,)) as table:
        if target is None:
            shown = ", ".join(repr(name) for name in table.names[:20])
            more = f" and {len(table.names) - 20} more" if len(table.names) > 20 else ""
            raise InputError(f"which column of {path} is to be predicted? give --target; there are {shown}{more}")
        table.index(target)
        profiles = table.profiles()
        cells = _read_cells(table, [name for name in table.names if name != target], profiles)
        known, raw, labelled = _read_target(table, target, profiles[target], task)
        source = Source(str(path), "csv", ((str(path.resolve()), table.dialect.sha256),))
        count = table.rows
    codes = known.encode([str(label) for label in raw]) if isinstance(known, Classes) else None
    parts = split(len(labelled), validation=fractions[0], test=fractions[1], seed=seed, classes=codes)
    fitted, encoded = encode_target(known, raw, parts["train"], (target,), standardised=standardise)
    y = np.full((count, *encoded.shape[1:]), -1 if codes is not None else np.nan, encoded.dtype)
    y[labelled] = encoded
    rows = {part: labelled[places] for part, places in parts.items()}
    inputs = TableInputs.fit(cells, rows["train"])
    if not inputs.columns:
        reasons = "; ".join(f"{name!r}: {reason}" for name, reason in list(inputs.left_out.items())[:3])
        raise InputError(
            f"{path} has no column to learn {target!r} from ({reasons or 'it has no other column'}); add one"
        )
    x, _ = inputs.encode(cells)
    return Dataset(path.stem, x, y, rows, inputs, fitted, source)


def _read_cells(table: Table, names: list[str], profiles: dict[str, Profile]) -> dict[str, Array]:
    """The input columns, as numbers where every value is one, otherwise as text.

    A column of many different numbers with a little text among them is refused: one typing error would else
    turn it into thousands of categories.
    """
    numbers = [name for name in names if 0 < profiles[name].filled == profiles[name].numbers]
    others = [name for name in names if name not in set(numbers)]
    for name in others:
        profile = profiles[name]
        if _mostly_numbers(table, name, profile):
            table.numbers([name])  # raises, naming the first cell that is text
    cells: dict[str, Array] = {**table.numbers(numbers), **table.texts(others)}
    return {name: cells[name] for name in names}


def _read_target(
    table: Table, name: str, profile: Profile, task: str | None
) -> tuple[Classes | None, RawTarget, NDArray[np.int64]]:
    """The classes (None for a quantity), the values that are there, and their rows."""
    if not profile.filled:
        raise InputError(f"{table.path}: the target {name!r} has no values; choose another target")
    numbers = task == "regression" or profile.numbers == profile.filled
    if numbers or (task is None and _mostly_numbers(table, name, profile)):
        values = table.numbers([name])[name]
        labelled = np.flatnonzero(~np.isnan(values))
        present = values[labelled]
        if not (task == "classification" or (task is None and _are_classes(present))):
            return None, present[:, None], labelled
        labels = texts(present)
    else:
        cells = table.texts([name])[name]
        labelled = np.flatnonzero(~absent(cells))
        labels = [str(label) for label in cells[labelled]]
    classes = find_classes(labels, f"{table.path}: the target {name!r}")
    if len(classes.names) > max(len(labels) // 2, MOST_NUMBERED_CLASSES):
        raise InputError(
            f"{table.path}: the target {name!r} has {len(classes.names):,} different values in {len(labels):,} "
            "rows, too many to be classes; choose another target"
        )
    return replace(classes, column=name), labels, labelled


def _mostly_numbers(table: Table, name: str, profile: Profile) -> bool:
    """Whether a column holds many different numbers, and a little text."""
    few_texts = _MOSTLY * profile.filled <= profile.numbers < profile.filled
    return few_texts and table.different(name) > MOST_NUMBERED_CLASSES


def _are_classes(values: NDArray[np.float64]) -> bool:
    """Whether numbers are taken as classes: few different whole ones, each twice or more on average."""
    different = len(np.unique(values))
    few = different == 1 or (different <= MOST_NUMBERED_CLASSES and 2 * different <= len(values))
    return few and bool((values == np.floor(values)).all())
