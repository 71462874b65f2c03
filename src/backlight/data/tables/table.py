"""A table as columns of numbers, text or moments, read through DuckDB."""

import contextlib
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from backlight.data.standardising import LARGEST
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.column_types import (
    DATE_FORMATS,
    ColumnType,
    check_stored,
    date_sql,
    number_sql,
    stored_kind,
    stranger,
    text_sql,
)
from backlight.data.tables.delimited import plain_error
from backlight.data.tables.sources import TableSource, open_source
from backlight.errors import InputError, nearest

_FIRST_ROWS: Final = 50_000
_MOSTLY: Final = 0.9
_A_LOOK: Final = 1_000  # rows by which it is told which ways to write a moment are worth trying
_TOGETHER: Final = 500  # DuckDB takes time that grows with the square of how many columns a query computes


@dataclass(frozen=True)
class Profile:
    """What a column holds.

    Attributes:
        filled: how many cells have a value.
        numbers: how many of these are numbers.
        date_format: a name of `DATE_FORMATS` by which every value is a moment; None if there is none.
        ambiguous: whether month and day could be the other way round just as well.
        nearly: a name of `DATE_FORMATS` by which most values are moments, but not all.
        strangers: how many are not.
    """

    filled: int
    numbers: int
    date_format: str | None = None
    ambiguous: bool = False
    nearly: str = ""
    strangers: int = 0


class Table:
    """A table, held in memory until it is closed.

    Every cell of delimited text is read as text, so that a column's type never depends on a sample of it; spaces
    around a cell and blank lines do not count, and the words of `delimited.MISSING` stand for a missing value.

    Args:
        source: a frame, a path of delimited text or Parquet, or a folder of Parquet files.
        wanted: column names that a header would hold.
        separator: of delimited text, if it is known.
        most_bytes: of larger files only the first rows are held; everything is held unless given.

    Attributes:
        rows: how many rows are held.
        partial: whether there may be more.

    Raises:
        InputError: the table is missing, empty, unreadable, ragged, or has a header alone.
    """

    def __init__(
        self, source: Any, wanted: Collection[str] = (), separator: str | None = None, most_bytes: int | None = None
    ) -> None:
        import duckdb

        self._closing = contextlib.ExitStack()
        self.connection: duckdb.DuckDBPyConnection = self._closing.enter_context(
            duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
        )
        self.connection.execute("SET TimeZone = 'UTC'")  # else moments without a zone would be of this machine's
        try:
            self.source: Final[TableSource] = open_source(self.connection, source, self._folder, wanted, separator)
            self.label: Final = self.source.label
            self.names: Final = self.source.names
            self._places: Final = {name: i for i, name in enumerate(self.names)}
            self.partial: Final = most_bytes is not None and self.source.size > most_bytes
            self._fill()
            row = self.connection.execute("SELECT count(*) FROM t0").fetchone()
        except BaseException:
            self.close()
            raise
        self.rows: Final[int] = row[0] if row else 0
        if not self.rows:
            self.close()
            raise InputError(
                f"{self.label} has no rows{' beneath its header' * (self.source.kind == 'csv')}; give examples"
            )

    def _fill(self) -> None:
        """Make tables t0, t1, … of columns c0, c1, …: text without what stands for missing, the rest as stored."""
        import duckdb

        columns = zip(self.source.columns, self.source.stored, strict=True)
        cells = [
            f"{text_sql(column, stored) if stored_kind(stored) == 'text' else column} AS c{i}"
            for i, (column, stored) in enumerate(columns)
        ]
        scan = self.source.scan + f" LIMIT {_FIRST_ROWS}" * self.partial
        try:
            if len(cells) > _TOGETHER:
                self.connection.execute(f"CREATE TABLE raw AS SELECT * FROM {scan}")
                scan = "raw"
            for k in range(0, len(cells), _TOGETHER):
                some = ", ".join(cells[k : k + _TOGETHER])
                self.connection.execute(f"CREATE TABLE t{k // _TOGETHER} AS SELECT {some} FROM {scan}")
            self.connection.execute("DROP TABLE IF EXISTS raw")
        except duckdb.Error as error:
            raise plain_error(Path(self.label), str(error)) from error

    def _folder(self) -> Path:
        """A folder for copies, until the table is closed."""
        return Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="backlight-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back."""
        self._closing.close()

    def forget(self) -> None:
        """Give back the memory of the rows; the source can still be asked where a row is."""
        for k in range(0, len(self.names), _TOGETHER):
            self.connection.execute(f"DROP TABLE t{k // _TOGETHER}")

    def index(self, name: str) -> int:
        """The place of a column.

        Raises:
            InputError: there is no such column.
        """
        if name not in self._places:
            raise InputError(f"{self.label} has no column {name!r}; {nearest(name, list(self.names))}")
        return self._places[name]

    def stored(self, name: str) -> str:
        """The DuckDB type of a column; text of any kind is VARCHAR."""
        stored = self.source.stored[self.index(name)]
        return "VARCHAR" if stored_kind(stored) == "text" else stored

    def profiles(self) -> dict[str, Profile]:
        """What each column holds, by name."""
        filled = self._summed({name: f"count(c{i})" for i, name in enumerate(self.names)})
        numbers = self._summed({name: f"count({self._number(name)})" for name in self.names})
        profiles = {name: Profile(filled[name], numbers[name]) for name in self.names}
        texts = [name for name in self.names if self.stored(name) == "VARCHAR"]
        candidates = [name for name in texts if profiles[name].filled and not profiles[name].numbers]
        return {**profiles, **self._with_formats(candidates, profiles)}

    def _with_formats(self, names: list[str], profiles: Mapping[str, Profile]) -> dict[str, Profile]:
        """The profiles of text columns in which every value is a moment."""
        likely = [name for name in names if self._looks_like_a_moment(name)]
        found: dict[str, Profile] = {}
        for name in likely:
            column, filled, table = f"c{self.index(name)}", profiles[name].filled, self._table(name)
            first = f"(SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT {_A_LOOK})"
            likely_forms = [
                form
                for form, count in self._read_by(column, DATE_FORMATS, first).items()
                if count >= _MOSTLY * min(filled, _A_LOOK)
            ]
            counts = self._read_by(column, likely_forms, table)
            fitting = [form for form, count in counts.items() if count == filled]
            best = max(counts, key=lambda form: counts[form], default="")
            if fitting:
                found[name] = Profile(filled, 0, fitting[0], {"month/day/year", "day/month/year"} <= set(fitting))
            elif best and counts[best] >= _MOSTLY * filled:
                found[name] = Profile(filled, 0, nearly=best, strangers=filled - counts[best])
        return found

    def _read_by(self, column: str, forms: Collection[str], table: str) -> dict[str, int]:
        """How many cells of a column each way to write a moment can read."""
        if not forms:
            return {}
        counts = ", ".join(f"count({date_sql(column, 'VARCHAR', form)})" for form in forms)
        return dict(zip(forms, self._one_row(f"SELECT {counts} FROM {table}"), strict=True))

    def _looks_like_a_moment(self, name: str) -> bool:
        column = f"c{self.index(name)}"
        row = self._one_row(f"SELECT any_value({column}) FROM {self._table(name)}")
        return row[0] is not None and len(row[0]) <= 40 and any(letter.isdigit() for letter in row[0])

    def different(self, name: str) -> int:
        """How many different values a column has."""
        return int(self._one_row(f"SELECT count(DISTINCT c{self.index(name)}) FROM {self._table(name)}")[0])

    def columns(self, types: Mapping[str, ColumnType]) -> dict[str, Cells]:
        """Columns as cells of the kinds asked for, in that order.

        Raises:
            InputError: a cell cannot be read so; the message names its row.
        """
        kinds = {
            kind: [name for name, what in types.items() if what.kind == kind] for kind in ("number", "text", "date")
        }
        cells: dict[str, Cells] = {name: Numbers(values) for name, values in self.numbers(kinds["number"]).items()}
        cells.update({name: Texts.of(values) for name, values in self.texts(kinds["text"]).items()})
        cells.update({name: self._moments(name, types[name].date_format) for name in kinds["date"]})
        return {name: cells[name] for name in types}

    def texts(self, names: Collection[str]) -> dict[str, list[str | None]]:
        """Columns as strings (n,), None where the value is missing."""
        found = self._fetch({name: text_sql(f"c{self.index(name)}", self.stored(name)) for name in names})
        texts: dict[str, list[str | None]] = {}
        for name, values in found.items():
            cells = np.ma.getdata(values).astype(object)
            cells[np.ma.getmaskarray(values)] = None
            texts[name] = cells.tolist()
        return texts

    def numbers(self, names: Collection[str]) -> dict[str, NDArray[np.float64]]:
        """Columns as numbers (n,), NaN where the value is missing.

        Raises:
            InputError: a cell holds text, or a number that is not finite.
        """
        columns: dict[str, NDArray[np.float64]] = {}
        for name in names:
            check_stored(f"{self.label}, column {name!r}", self.stored(name), "number")
        for name, values in self._fetch({name: self._number(name) for name in names}).items():
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
        self._refuse_strangers(columns, ColumnType("number"))
        return columns

    def _moments(self, name: str, date_format: str) -> Moments:
        check_stored(f"{self.label}, column {name!r}", self.stored(name), "date")
        expression = date_sql(f"c{self.index(name)}", self.stored(name), date_format or next(iter(DATE_FORMATS)))
        values = self._fetch({name: expression})[name]
        seconds = np.where(np.ma.getmaskarray(values), np.nan, np.ma.getdata(values).astype(np.float64))
        self._refuse_strangers({name: seconds}, ColumnType("date", date_format))
        return Moments(seconds, date_format)

    def _refuse_strangers(self, columns: Mapping[str, NDArray[np.float64]], what: ColumnType) -> None:
        """Refuse columns with fewer values that could be read than cells that have one."""
        filled = self._summed({name: f"count(c{self.index(name)})" for name in columns})
        for name, values in columns.items():
            if np.count_nonzero(~np.isnan(values)) >= filled[name]:
                continue
            cells = self.texts([name])[name]
            strangers = ((i, cell) for i, cell in enumerate(cells) if cell is not None and np.isnan(values[i]))
            for row, cell in strangers:
                if cell.lower() != "nan":
                    raise InputError(f"{self.where(row)}, column {name!r}: {stranger(cell, what)}")

    def where(self, row: int) -> str:
        """Where data row `row`, from 0, is found."""
        return self.source.where(row)

    def _number(self, name: str) -> str:
        dialect = self.source.dialect
        stored = self.stored(name)
        if stored_kind(stored) in {None, "date"}:
            return "NULL::DOUBLE"
        return number_sql(f"c{self.index(name)}", stored, "." if dialect is None else dialect.decimal)

    def _one_row(self, query: str) -> tuple[Any, ...]:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return row

    def _fetch(self, expressions: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for table, names in self._by_table(expressions):
            chosen = ", ".join(f"{expressions[name]} AS e{k}" for k, name in enumerate(names))
            arrays = self.connection.execute(f"SELECT {chosen} FROM {table}").fetchnumpy()
            found.update({name: arrays[f"e{k}"] for k, name in enumerate(names)})
        return {name: found[name] for name in expressions}

    def _summed(self, expressions: Mapping[str, str]) -> dict[str, int]:
        """One number for each of some columns."""
        found: dict[str, int] = {}
        for table, names in self._by_table(expressions):
            row = self._one_row(f"SELECT {', '.join(expressions[name] for name in names)} FROM {table}")
            found.update(zip(names, row, strict=True))
        return found

    def _table(self, name: str) -> str:
        return f"t{self.index(name) // _TOGETHER}"

    def _by_table(self, names: Collection[str]) -> list[tuple[str, list[str]]]:
        """The tables in which columns are, each with those that it has."""
        tables: dict[str, list[str]] = {}
        for name in names:
            tables.setdefault(self._table(name), []).append(name)
        return list(tables.items())


def _short(cell: str | None) -> str:
    text = str(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."
