"""The columns that a table's network is to predict: classes or quantities, one or several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.npz import sorted_labels, texts
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.targets import Classes, Quantities, SeveralClasses, Target
from backlight.errors import InputError

MOST_NUMBERED_CLASSES: Final = 20
"""Whole numbers with more different values than this are quantities, not classes."""


@dataclass(frozen=True)
class RawTarget:
    """Targets as they stand in the table, before quantities are standardised.

    Attributes:
        names: of the columns.
        classes: of each column; empty for quantities.
        values: class indices (n, k) int64, −1 where missing; or quantities (n, k) float64, NaN where missing.
    """

    names: tuple[str, ...]
    classes: tuple[Classes, ...]
    values: Array

    @property
    def labelled(self) -> NDArray[np.int64]:
        """The rows in which every target is there."""
        there = self.values >= 0 if self.classes else ~np.isnan(self.values)
        return np.flatnonzero(there.all(axis=1))

    @property
    def strata(self) -> NDArray[np.int64] | None:
        """Class indices (n,) by which a split is stratified: of the only target, or of every combination of several."""
        if not self.classes:
            return None
        if len(self.classes) == 1:
            return np.asarray(self.values[:, 0], np.int64)
        combined = np.unique(self.values, axis=0, return_inverse=True)[1].reshape(-1)
        return np.asarray(combined, np.int64) if combined.max() < len(self.values) // 10 else None

    def fit(self, train: NDArray[np.int64], *, standardised: bool) -> tuple[Target, Array]:
        """The target, and the network's targets: (n,) or (n, k), −1 or NaN where missing.

        Args:
            train: the rows of the training part.
            standardised: whether quantities are standardised.

        Raises:
            InputError: a quantity is constant in the training part, or there is one class only.
        """
        if not self.classes:
            known = Quantities.fit(self.names, self.values[train], standardised=standardised)
            return known, known.encode(self.values)
        for column, target, name in zip(self.values.T, self.classes, self.names, strict=True):
            only = np.unique(column[train])
            if len(only) == 1:
                raise InputError(
                    f"the target {name!r} is {target.names[only[0]]!r} in every row of the training part, and one "
                    "class gives nothing to learn; split in another way, or give examples of the other classes"
                )
        if len(self.classes) == 1:
            return self.classes[0], np.ascontiguousarray(self.values[:, 0])
        return SeveralClasses(self.classes), self.values


def read_targets(cells: Mapping[str, Cells], task: str | None, label: str) -> RawTarget:
    """What the target columns mean.

    Args:
        cells: the columns, by name.
        task: `classification`, `regression`, or None to follow the values.
        label: of the table, for messages.

    Raises:
        InputError: a column has no values, one class, too many, or is of dates; or classes and quantities are mixed.
    """
    found = {name: _read_one(column, task, f"{label}: the target {name!r}") for name, column in cells.items()}
    classes = [name for name, (known, _) in found.items() if known is not None]
    quantities = [name for name in found if name not in classes]
    if classes and quantities:
        raise InputError(
            f"{label}: {classes[0]!r} has classes and {quantities[0]!r} is a quantity, and one network learns either; "
            "train one for each, or give --task"
        )
    values = np.stack([column for _, column in found.values()], axis=1)
    known = tuple(Classes(target.names, name) for name, (target, _) in found.items() if target is not None)
    return RawTarget(tuple(found), known, values)


def _read_one(cells: Cells, task: str | None, what: str) -> tuple[Classes | None, Array]:
    """The classes and indices (n,) of a column, or None and its quantities (n,)."""
    if bool(cells.missing.all()):
        raise InputError(f"{what} has no values; choose another target")
    if isinstance(cells, Moments):
        raise InputError(f"{what} holds dates, which cannot be predicted; choose a column of numbers or classes")
    if isinstance(cells, Texts):
        if task == "regression":
            raise InputError(f"{what} holds text such as {cells.values[0]!r}; regression needs numbers")
        present = sorted(set(cells.codes[cells.codes >= 0].tolist()))
        return _classes([cells.values[code] for code in present], np.array(present), cells.codes, what)
    assert isinstance(cells, Numbers)
    present_values = cells.values[~cells.missing]
    different, places = np.unique(present_values, return_inverse=True)
    if not (task == "classification" or (task is None and _are_classes(different, len(present_values)))):
        return None, cells.values
    codes = np.full(len(cells), -1, np.int64)
    codes[~cells.missing] = places.reshape(-1)
    return _classes(texts(different), np.arange(len(different)), codes, what)


def _classes(labels: Sequence[str], codes: Array, column: Array, what: str) -> tuple[Classes, NDArray[np.int64]]:
    """The classes among labels, each with a code in the column; and the column as class indices."""
    names = sorted_labels(labels, what)
    count = int((column >= 0).sum())
    if len(names) > max(count // 2, MOST_NUMBERED_CLASSES):
        raise InputError(
            f"{what} has {len(names):,} different values in {count:,} rows, too many for classes; choose another target"
        )
    places = {name: i for i, name in enumerate(names)}
    lookup = np.full(int(codes.max()) + 2, -1, np.int64)
    lookup[codes] = [places[label] for label in labels]
    return Classes(tuple(names)), lookup[column]


def _are_classes(different: NDArray[np.float64], count: int) -> bool:
    """Whether numbers are taken as classes: few different whole ones, each twice or more on average."""
    few = len(different) == 1 or (len(different) <= MOST_NUMBERED_CLASSES and 2 * len(different) <= count)
    return few and bool((different == np.floor(different)).all())
