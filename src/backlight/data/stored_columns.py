"""The columns of a table, piece by piece: all in memory, or streamed once from a large file into a compact copy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from backlight.data.cells import Cells, Moments, Numbers, Texts
from backlight.data.column_types import ColumnType, date_sql, stored_kind
from backlight.data.delimited import plain_error
from backlight.data.scratch import no_room, scratch_file
from backlight.data.standardising import LARGEST
from backlight.data.table_sources import TableSource, missing_words, text_source
from backlight.errors import BacklightError, InputError

if TYPE_CHECKING:
    import duckdb

MOST_TEXTS: Final = 1 << 16
"""How many different values of a text column of a large table are told apart; later ones count as one."""

_MEMORY: Final = "400MB"
_OTHER: Final = "another value"


class Columns(Protocol):
    """Columns that can be visited piece by piece, any number of times."""

    @property
    def count(self) -> int:
        """How many rows there are."""

    def pieces(self, names: Sequence[str]) -> Iterator[tuple[slice, Mapping[str, Cells]]]:
        """The rows of every piece, in order, and the cells of the named columns there."""


@dataclass(frozen=True)
class ColumnsInMemory:
    """Columns that are in memory, as a single piece."""

    cells: Mapping[str, Cells]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.cells.values())))

    def pieces(self, names: Sequence[str]) -> Iterator[tuple[slice, Mapping[str, Cells]]]:
        """The one piece."""
        yield slice(0, self.count), {name: self.cells[name] for name in names}


class _TextCodes:
    """Gives every different text of a column a code, by the hash that DuckDB computes of it."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._hashes, self._codes = np.zeros(0, np.uint64), np.zeros(0, np.int32)

    def encode(self, hashes: NDArray[np.uint64], there: NDArray[np.bool_], text_of: Any) -> NDArray[np.int32]:
        """Codes (n,) of cells, −1 where missing; `text_of(row)` is asked for each text that is new."""
        codes = self._find(hashes)
        new = np.flatnonzero((codes < 0) & there)
        if len(new) and len(self.values) <= MOST_TEXTS:
            different, first = np.unique(hashes[new], return_index=True)
            added = np.empty(len(different), np.int32)
            for k in np.argsort(first).tolist():
                if len(self.values) <= MOST_TEXTS:
                    full = len(self.values) == MOST_TEXTS
                    self.values.append(_OTHER if full else text_of(int(new[first[k]])))
                added[k] = len(self.values) - 1
            self._add(different, added)
            codes[new] = self._find(hashes[new])
        codes[codes < 0] = MOST_TEXTS
        codes[~there] = -1
        return codes

    def _find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        if not len(self._hashes):
            return np.full(len(hashes), -1, np.int32)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[places] == hashes, self._codes[places], np.int32(-1))

    def _add(self, hashes: NDArray[np.uint64], codes: NDArray[np.int32]) -> None:
        together = np.concatenate([self._hashes, hashes])
        order = np.argsort(together)
        self._hashes, self._codes = together[order], np.concatenate([self._codes, codes])[order]


class StoredColumns:
    """The columns of a large table in a compact file: numbers in float32, texts by code, moments in float64.

    A number is kept as (value − centre) / spread, with the centre and spread of a sample, so that float32 suffices; a
    column without a scale is kept in float64.

    Args:
        connection: of DuckDB.
        source: the table.
        types: what each wanted column is.
        scales: (centre, spread) of number columns.

    Raises:
        InputError: a cell is not what its column is; the message names its line.
        BacklightError: there is no room on the disk.
    """

    def __init__(
        self,
        connection: "duckdb.DuckDBPyConnection",
        source: TableSource,
        types: Mapping[str, ColumnType],
        scales: Mapping[str, tuple[float, float]],
    ) -> None:
        self._types, self._scales, self._source = dict(types), scales, source
        self._file = scratch_file()
        try:
            try:
                self._fill(connection, ("NA",))
            except InputError:
                if source.dialect is None:
                    raise
                self._fill(connection, missing_words())  # slower; another word may stand for a missing value
        except OSError as error:
            raise no_room(f"a compact copy of {source.label}", error) from error

    def _fill(self, connection: "duckdb.DuckDBPyConnection", missing: Sequence[str]) -> None:
        import duckdb
        from nanoarrow import c_array_stream

        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        self._texts = {name: _TextCodes() for name, what in self._types.items() if what.kind == "text"}
        self._offsets: list[tuple[int, int, dict[str, int]]] = []  # rows from, to, and where each column begins
        self.count = place = self._file.seek(0)
        try:
            for chunk in c_array_stream(connection.sql(self._query(missing))):
                starts: dict[str, int] = {}
                children = iter([chunk.child(k) for k in range(chunk.n_children)])
                for name, what in self._types.items():
                    stored = self._compact(name, what, children)
                    starts[name] = place
                    place += self._file.write(stored.data)
                self._offsets.append((self.count, self.count + chunk.length, starts))
                self.count += chunk.length
        except (duckdb.Error, RuntimeError) as error:
            raise _refusal(self._source, str(error)) from error
        self._file.flush()

    def _query(self, missing: Sequence[str]) -> str:
        dialect = self._source.dialect
        places = {name: i for i, name in enumerate(self._source.names)}
        source = self._source
        if dialect is not None:
            numbers = {places[name]: "DOUBLE" for name, what in self._types.items() if what.kind == "number"}
            source = text_source(dialect, numbers, missing)
        chosen = []
        for name, what in self._types.items():
            column, stored = source.columns[places[name]], source.stored[places[name]]
            if what.kind == "number":
                chosen.append(column if stored == "DOUBLE" else f"CAST({column} AS DOUBLE)")
            elif what.kind == "date":
                text = stored_kind(stored) == "text"
                chosen.append(date_sql(column, "VARCHAR" if text else stored, what.date_format or "year-month-day"))
            else:
                text_column = f"trim(CAST({column} AS VARCHAR), ' ')"
                chosen += [f"hash({text_column})", text_column]
        return f"SELECT {', '.join(f'{sql} AS e{k}' for k, sql in enumerate(chosen))} FROM {source.scan}"

    def _compact(self, name: str, what: ColumnType, children: Iterator[Any]) -> NDArray[Any]:
        first = next(children)
        there = _valid(first)
        if what.kind == "text":
            hashes, texts = _values(first, np.uint64), next(children)
            return self._texts[name].encode(hashes, _valid(texts), lambda row: _text(texts, row))
        values = np.where(there, _values(first, np.float64), np.nan)
        if what.kind == "date":
            return values
        with np.errstate(invalid="ignore"):
            for row in np.flatnonzero(there & ~(np.abs(values) <= LARGEST) & ~np.isnan(values))[:1]:
                raise InputError(
                    f"{self._source.where(self.count + int(row))}, column {name!r}: {values[row]} is not a finite "
                    "number; correct it, or leave the cell empty if it is missing"
                )
        if name not in self._scales:
            return values
        centre, spread = self._scales[name]
        return ((values - centre) * (1.0 / spread)).astype(np.float32)

    def pieces(self, names: Sequence[str]) -> Iterator[tuple[slice, Mapping[str, Cells]]]:
        """The rows of every piece, in order, and the cells of the named columns there."""
        for first, end, starts in self._offsets:
            yield slice(first, end), {name: self._read(name, starts[name], end - first) for name in names}

    def column(self, name: str) -> Cells:
        """A whole column."""
        parts = [cells[name] for _, cells in self.pieces([name])]
        what = self._types[name]
        if what.kind == "text":
            return Texts(
                np.concatenate([part.codes for part in parts if isinstance(part, Texts)]), self._values_of(name)
            )
        if what.kind == "date":
            seconds = np.concatenate([part.seconds for part in parts if isinstance(part, Moments)])
            return Moments(seconds, what.date_format)
        return Numbers(np.concatenate([part.values for part in parts if isinstance(part, Numbers)]))

    def _values_of(self, name: str) -> tuple[str, ...]:
        return tuple(self._texts[name].values)

    def _read(self, name: str, place: int, count: int) -> Cells:
        what = self._types[name]
        dtype: Any = np.int32 if what.kind == "text" else np.float32 if name in self._scales else np.float64
        self._file.seek(place)
        stored: NDArray[Any] = np.frombuffer(self._file.read(count * np.dtype(dtype).itemsize), dtype)
        if what.kind == "text":
            return Texts(stored, self._values_of(name))
        if what.kind == "date":
            return Moments(stored, what.date_format)
        if name not in self._scales:
            return Numbers(stored)
        centre, spread = self._scales[name]
        return Numbers(stored * np.float64(spread) + centre)

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()


def _valid(array: Any) -> NDArray[np.bool_]:
    """Which values of an Arrow array are there."""
    bits = array.view().buffer(0)
    if not len(bits):
        return np.ones(array.length, np.bool_)
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    return flags[array.offset : array.offset + array.length].astype(np.bool_)


def _values(array: Any, dtype: Any) -> NDArray[Any]:
    """The values of an Arrow array of numbers, whatever stands where one is missing."""
    return np.frombuffer(array.view().buffer(1), dtype)[array.offset : array.offset + array.length]


def _text(array: Any, row: int) -> str:
    """One text of an Arrow array of strings."""
    view = array.view()
    ends = np.frombuffer(view.buffer(1), np.int32 if array.schema.format == "u" else np.int64)
    start, end = (int(ends[array.offset + row + k]) for k in range(2))
    return bytes(memoryview(view.buffer(2))[start:end]).decode()


def _refusal(source: TableSource, message: str) -> BacklightError:
    """What DuckDB said of a cell, in one sentence."""
    import re

    line = re.search(r"CSV Error on Line: (\d+)", message)
    cell = re.search(r'[Cc]ould not convert string "(.*?)" to', message)
    column = re.search(r"Column c(\d+)", message) or re.search(r"column at position: (\d+)", message)
    if line and cell:
        named = f", column {source.names[int(column[1])]!r}" if column else ""
        return InputError(
            f"{source.label}, line {line[1]}{named}: {cell[1]!r} is text where a number is expected; correct it, leave "
            "the cell empty if it is missing, or read the column as text with --types"
        )
    return plain_error(Path(source.label), message)
