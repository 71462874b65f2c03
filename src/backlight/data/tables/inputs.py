"""The columns of a table as the network's inputs."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from backlight.data.tables.cells import Cells
from backlight.data.tables.column_types import ColumnType
from backlight.data.tables.columns import CategoryColumn, DateColumn, NumberColumn, TableColumn, fit_column
from backlight.data.tables.summaries import Summary, TextSummary, summary_of


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
    def fit(cls, cells: Mapping[str, Cells], rows: NDArray[np.int64], keep: Collection[str] = ()) -> Self:
        """Inputs fitted on the training part.

        Args:
            cells: the columns, by name.
            rows: the row numbers of the training part.
            keep: columns that are used whatever they look like.

        Example:
            >>> from backlight.data.tables.cells import Numbers, Texts
            >>> cells = {"age": Numbers(np.array([1.0, 3.0, np.nan])), "sex": Texts.of(["f", "m", "f"])}
            >>> TableInputs.fit(cells, np.array([0, 1, 2])).names
            ('age', 'age is missing', 'sex=f', 'sex=m')
        """
        return cls.of_summaries({name: summary_of(column[rows]) for name, column in cells.items()}, keep)

    @classmethod
    def of_summaries(cls, summaries: Mapping[str, Summary | TextSummary], keep: Collection[str] = ()) -> Self:
        """Inputs fitted on what the training part of every column holds."""
        fitted = {name: fit_column(name, summary, keep=name in keep) for name, summary in summaries.items()}
        columns = tuple(column for column in fitted.values() if not isinstance(column, str))
        return cls(columns, {name: reason for name, reason in fitted.items() if isinstance(reason, str)})

    @property
    def width(self) -> int:
        """How many inputs the network has."""
        return sum(len(column.names) for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per input: `bill_length_mm`, `bill_length_mm is missing`, `island=Biscoe`."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def types(self) -> dict[str, ColumnType]:
        """What each column is read as."""
        return {column.name: column.type for column in self.columns}

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """Every column with its first input and one past its last."""
        ends = np.cumsum([len(column.names) for column in self.columns]).tolist()
        starts = [0, *ends][: len(ends)]
        return tuple((column.name, *span) for column, *span in zip(self.columns, starts, ends, strict=True))

    def encode(
        self, cells: Mapping[str, Cells], out: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, int]]:
        """The network's inputs, and how many cells held a category that the training part lacks.

        Args:
            cells: as for `fit`; every column of these inputs must be there.
            out: where to write them, (n, d); new memory unless given.

        Returns:
            x (n, d), and column name → number of cells with an unseen category, where there are any.
        """
        count = len(cells[self.columns[0].name]) if self.columns else 0
        x = np.empty((count, self.width), np.float32) if out is None else out
        unseen: dict[str, int] = {}
        for column, (name, start, end) in zip(self.columns, self.spans, strict=True):
            strangers = column.write(cells[name], x[:, start:end])
            if strangers:
                unseen[name] = strangers
        return x, unseen

    def to_dict(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        return {
            "kind": self.kind,
            "columns": [_to_dict(column) for column in self.columns],
            "left_out": {**self.left_out},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        columns = tuple(_from_dict(column) for column in content["columns"])
        return cls(columns, {str(k): str(v) for k, v in content["left_out"].items()})


def _to_dict(column: TableColumn) -> dict[str, Any]:
    fields = asdict(column)
    if isinstance(column, CategoryColumn) and not column.others:
        del fields["others"]  # as in models that were written before there were others
    return {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}


def _from_dict(content: Mapping[str, Any]) -> TableColumn:
    name, missing = str(content["name"]), bool(content["missing"])
    if "values" in content:
        return CategoryColumn(name, tuple(map(str, content["values"])), missing, bool(content.get("others", False)))
    mean, std = float(content["mean"]), float(content["std"])
    if "parts" in content:
        return DateColumn(name, mean, std, missing, tuple(map(str, content["parts"])), str(content["date_format"]))
    return NumberColumn(name, mean, std, missing)
