"""How the columns of a table become inputs: standardised numbers, one-hot categories, missing values."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.standardising import fit_scale, standardise

MOST_CATEGORIES: Final = 100
"""A text column with more different values than this is left out."""

_FEW_ROWS: Final = 20


@dataclass(frozen=True)
class NumberColumn:
    """A standardised column; a missing value becomes the mean, which is 0.

    Attributes:
        name: of the column.
        mean: of the training part's values that are there.
        std: likewise, with n in the denominator.
        missing: whether a second input says that the value is missing.
    """

    name: str
    mean: float
    std: float
    missing: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the column becomes."""
        return (self.name, f"{self.name} is missing") if self.missing else (self.name,)


@dataclass(frozen=True)
class CategoryColumn:
    """A one-hot column; a missing or unseen value becomes zeros.

    Attributes:
        name: of the column.
        values: the training part's categories, sorted.
        missing: whether a last input says that the value is missing.
    """

    name: str
    values: tuple[str, ...]
    missing: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the column becomes."""
        inputs = tuple(f"{self.name}={value}" for value in self.values)
        return (*inputs, f"{self.name} is missing") if self.missing else inputs


TableColumn: TypeAlias = NumberColumn | CategoryColumn


@dataclass(frozen=True)
class TableInputs:
    """The columns of a table, each as one or more inputs, fitted on the training part alone.

    Attributes:
        columns: in the order of the file.
        left_out: columns that are not used, each with the reason.
    """

    columns: tuple[TableColumn, ...]
    left_out: Mapping[str, str]
    kind: ClassVar[str] = "table"

    @classmethod
    def fit(cls, cells: Mapping[str, Array], rows: NDArray[np.int64]) -> Self:
        """Inputs fitted on the training part.

        Args:
            cells: column name → float64 (n,) with NaN for missing, or strings (n,) with None for missing.
            rows: the row numbers of the training part.

        Example:
            >>> cells = {"age": np.array([1.0, 3.0, np.nan]), "sex": np.array(["f", "m", "f"], object)}
            >>> TableInputs.fit(cells, np.array([0, 1, 2])).names
            ('age', 'age is missing', 'sex=f', 'sex=m')
        """
        columns: list[TableColumn] = []
        left_out: dict[str, str] = {}
        for name, values in cells.items():
            fitted = _fit_column(name, values[rows])
            if isinstance(fitted, str):
                left_out[name] = fitted
            else:
                columns.append(fitted)
        return cls(tuple(columns), left_out)

    @property
    def width(self) -> int:
        """How many inputs the network has."""
        return sum(len(column.names) for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per input: `bill_length_mm`, `bill_length_mm is missing`, `island=Biscoe`."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """Each column's name, its first input, and one past its last: all inputs, in order."""
        ends = accumulate((len(column.names) for column in self.columns), initial=0)
        return tuple(
            (column.name, first, end) for column, (first, end) in zip(self.columns, pairwise(ends), strict=True)
        )

    def encode(self, cells: Mapping[str, Array]) -> tuple[NDArray[np.float32], dict[str, int]]:
        """The network's inputs, and how many cells held a category that the training part lacks.

        Args:
            cells: as for `fit`; every column of these inputs must be there.

        Returns:
            x (n, d), and column name → number of cells with an unseen category, where there are any.
        """
        count = len(cells[self.columns[0].name]) if self.columns else 0
        x = np.zeros((count, self.width), np.float32)
        unseen: dict[str, int] = {}
        start = 0
        for column in self.columns:
            block = x[:, start : start + len(column.names)]
            values = cells[column.name]
            if isinstance(column, NumberColumn):
                block[:, 0] = np.where(np.isnan(values), 0.0, standardise(values, column.mean, column.std))
            else:
                strangers = _one_hot(block, column.values, values)
                if strangers:
                    unseen[column.name] = strangers
            if column.missing:
                block[:, -1] = absent(values)
            start += len(column.names)
        return x, unseen

    def to_dict(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        columns: list[dict[str, Any]] = []
        for column in self.columns:
            if isinstance(column, NumberColumn):
                fitted: dict[str, Any] = {"mean": column.mean, "std": column.std}
            else:
                fitted = {"values": list(column.values)}
            columns.append({"name": column.name, **fitted, "missing": column.missing})
        return {"kind": self.kind, "columns": columns, "left_out": dict(self.left_out)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        columns: list[TableColumn] = []
        for column in content["columns"]:
            name, missing = str(column["name"]), bool(column["missing"])
            if "values" in column:
                columns.append(CategoryColumn(name, tuple(map(str, column["values"])), missing))
            else:
                columns.append(NumberColumn(name, float(column["mean"]), float(column["std"]), missing))
        return cls(tuple(columns), {str(k): str(v) for k, v in content["left_out"].items()})


def absent(values: Array) -> NDArray[np.bool_]:
    """Which cells are missing: NaN among float64 (n,), None among strings (n,).

    Example:
        >>> absent(np.array(["a", None], object)).tolist()
        [False, True]
    """
    if values.dtype == np.float64:
        return np.isnan(values)
    return np.array([value is None for value in values.tolist()], np.bool_)


def _fit_column(name: str, values: Array) -> TableColumn | str:
    """The column fitted on its training values, or the reason why it is left out."""
    holes = absent(values)
    present, missing = values[~holes], bool(holes.any())
    if not len(present):
        return "it has no values in the training part"
    if values.dtype == np.float64:
        if present.min() == present.max() and not missing:
            return f"it is {float(present[0]):g} in every training row"
        mean, std = fit_scale(present)
        return NumberColumn(name, float(mean), float(std), missing)
    categories = sorted(set(present.tolist()))
    reason = _unfit(categories, len(present), missing)
    return reason or CategoryColumn(name, tuple(categories), missing)


def _unfit(categories: list[str], count: int, missing: bool) -> str | None:
    """Why a text column cannot be used, if it cannot."""
    if len(categories) == 1 and not missing:
        return f"it is {categories[0]!r} in every training row"
    if len(categories) > MOST_CATEGORIES:
        return f"it is text with {len(categories):,} different values, more than {MOST_CATEGORIES}"
    if len(categories) == count > _FEW_ROWS:
        return "it is text that differs in every row"
    return None


def _one_hot(block: NDArray[np.float32], categories: tuple[str, ...], values: Array) -> int:
    """Set the ones of `block` (n, at least one per category), and count the values that are no category."""
    index = {category: i for i, category in enumerate(categories)}
    codes = np.array([index.get(value, -1) for value in values.tolist()], np.int64)
    known = np.flatnonzero(codes >= 0)
    block[known, codes[known]] = 1.0
    return int(((codes < 0) & ~absent(values)).sum())
