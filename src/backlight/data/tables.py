"""Delimited text as columns of numbers or strings, read through DuckDB."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from backlight.data.delimited import MISSING, Dialect, find_dialect, plain_error
from backlight.data.standardising import LARGEST
from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class Profile:
    """What a column holds.

    Attributes:
        filled: how many cells have a value.
        numbers: how many of these are numbers.
    """

    filled: int
    numbers: int


class Table:
    """A file of delimited text, held in memory until it is closed.

    Every cell is read as text, so that a column's type never depends on a sample of it; spaces around a cell and
    blank lines do not count, and the words of `delimited.MISSING` stand for a missing value.

    Args:
        path: a UTF-8 file; its separator and header are found out.
        wanted: column names that a header would hold.

    Raises:
        InputError: the file is missing, empty, no text, ragged, or has a header alone.
    """

    def __init__(self, path: Path, wanted: Collection[str] = ()) -> None:
        import glob
        import re

        import duckdb

        self.dialect: Final[Dialect] = find_dialect(path, wanted)
        self.path: Final = path
        self.names: Final = self.dialect.names
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect()
        words = f" *({'|'.join(re.escape(word) for word in MISSING)}) *"
        cells = ", ".join(  # a pattern, because DuckDB makes a join of every IN, which takes gigabytes on wide tables
            f"CASE WHEN regexp_full_match(c{i}, '{words}', 'i') THEN NULL ELSE trim(c{i}, ' ') END AS c{i}"
            for i in range(len(self.names))
        )
        try:
            self._connection.execute(
                f"CREATE TABLE t AS SELECT {cells} FROM read_csv(?, auto_detect=false, delim=?, quote='\"', "  # noqa: S608 - column numbers only
                "escape='\"', header=?, skip=?, columns=?, null_padding=false)",
                [
                    glob.escape(str(path)),
                    self.dialect.separator,
                    self.dialect.header,
                    self.dialect.blank,
                    {f"c{i}": "VARCHAR" for i in range(len(self.names))},
                ],
            )
            row = self._connection.execute("SELECT count(*) FROM t").fetchone()
        except duckdb.Error as error:
            self.close()
            raise plain_error(path, str(error)) from error
        self.rows: Final[int] = row[0] if row else 0
        if not self.rows:
            self.close()
            raise InputError(f"{path} has no rows beneath its header; give at least one example")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()

    def index(self, name: str) -> int:
        """The place of a column.

        Raises:
            InputError: there is no such column.
        """
        if name not in self.names:
            raise InputError(f"{self.path} has no column {name!r}; {nearest(name, list(self.names))}")
        return self.names.index(name)

    def profiles(self) -> dict[str, Profile]:
        """What each column holds, by name."""
        counts = ", ".join(f"count(c{i}), count({self._number(i)})" for i in range(len(self.names)))
        row = self._connection.execute(f"SELECT {counts} FROM t").fetchone()  # noqa: S608 - column numbers only
        values = [int(value) for value in row or ()]
        return {name: Profile(*values[2 * i : 2 * i + 2]) for i, name in enumerate(self.names)}

    def different(self, name: str) -> int:
        """How many different values a column has."""
        i = self.index(name)
        row = self._connection.execute(f"SELECT count(DISTINCT c{i}) FROM t").fetchone()  # noqa: S608 - a column number
        return int(row[0]) if row else 0

    def texts(self, names: Collection[str]) -> dict[str, NDArray[np.object_]]:
        """Columns as strings (n,), None where the value is missing."""
        columns: dict[str, NDArray[np.object_]] = {}
        for name, values in self._fetch(names, number=False).items():
            columns[name] = np.ma.getdata(values).astype(object)
            columns[name][np.ma.getmaskarray(values)] = None
        return columns

    def numbers(self, names: Collection[str]) -> dict[str, NDArray[np.float64]]:
        """Columns as numbers (n,), NaN where the value is missing.

        Raises:
            InputError: a cell holds text, or a number that is not finite.
        """
        if not names:
            return {}
        columns: dict[str, NDArray[np.float64]] = {}
        for name, values in self._fetch(names, number=True).items():
            absent, numbers = np.ma.getmaskarray(values), np.ma.getdata(values)
            with np.errstate(invalid="ignore"):
                unusable = ~absent & ~(np.abs(numbers) <= LARGEST)
            for row in np.flatnonzero(unusable)[:1]:
                cell = _short(self.texts([name])[name][row])
                raise InputError(
                    f"{self.where(int(row))}, column {name!r}: {cell!r} is not a finite number; "
                    "correct it, or leave the cell empty if it is missing"
                )
            columns[name] = np.where(absent, np.nan, numbers)
        self._refuse_text(columns)
        return columns

    def _refuse_text(self, columns: Mapping[str, NDArray[np.float64]]) -> None:
        """Refuse columns with fewer numbers than cells that have a value."""
        counts = ", ".join(f"count(c{self.index(name)})" for name in columns)
        filled = self._connection.execute(f"SELECT {counts} FROM t").fetchone() or ()  # noqa: S608 - column numbers only
        for (name, numbers), count in zip(columns.items(), filled, strict=True):
            if np.count_nonzero(~np.isnan(numbers)) == count:
                continue
            cells = self.texts([name])[name]
            row = next(i for i, cell in enumerate(cells) if cell is not None and np.isnan(numbers[i]))
            raise InputError(
                f"{self.where(row)}, column {name!r}: {_short(cells[row])!r} is text where a number is expected; "
                "correct it, or leave the cell empty if it is missing"
            )

    def where(self, row: int) -> str:
        """The file and line, from 1, of data row `row`, from 0."""
        return f"{self.path}, line {self.dialect.line_of(row)}"

    def _number(self, i: int) -> str:
        return f"TRY_CAST(replace(c{i}, '{self.dialect.decimal}', '.') AS DOUBLE)"

    def _fetch(self, names: Collection[str], *, number: bool) -> dict[str, Any]:
        if not names:
            return {}
        places = {name: self.index(name) for name in names}
        chosen = ", ".join(f"{self._number(i) if number else f'c{i}'} AS c{i}" for i in places.values())
        arrays = self._connection.execute(f"SELECT {chosen} FROM t").fetchnumpy()  # noqa: S608
        return {name: arrays[f"c{i}"] for name, i in places.items()}


def _short(cell: str) -> str:
    return cell if len(cell) <= 40 else f"{cell[:37]}..."
