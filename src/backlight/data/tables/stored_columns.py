"""The columns of a table, piece by piece: all in memory, or streamed once from a large file into a compact copy."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from backlight.data.scratch import no_room, scratch_file
from backlight.data.standardising import LARGEST
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.column_types import (
    ColumnType,
    date_sql,
    number_sql,
    stored_kind,
    stranger,
    text_sql,
    trimmed_sql,
)
from backlight.data.tables.delimited import MISSING, plain_error
from backlight.data.tables.sources import TableSource, text_source
from backlight.errors import InputError

if TYPE_CHECKING:
    import duckdb

MOST_TEXTS: Final = 1 << 16
"""How many different values of a text column of a large table are told apart; later ones count as one."""

_MEMORY: Final = "400MB"
_AHEAD: Final = "128MB"  # what may be read before it is asked for; with DuckDB's 1 MB its threads mostly wait
_OTHER: Final = "another value"
_UNKNOWN: Final = -2
_GREATEST: Final = 1e38  # what float32 can hold


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
    """Gives every different text of a column a code, by the hash that DuckDB computes of it.

    Args:
        most: how many are told apart; None for all.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.values: list[str] = []
        self._hashes, self._codes = np.zeros(0, np.uint64), np.zeros(0, np.int32)

    @property
    def folded(self) -> bool:
        """Whether the last value stands for all the texts that are not told apart."""
        return self._most is not None and len(self.values) > self._most

    def encode(self, hashes: NDArray[np.uint64], there: NDArray[np.bool_], text_of: Any) -> NDArray[np.int32]:
        """Codes (n,) of cells, −1 where missing; `text_of(row)` is asked for each text that is new."""
        codes = self._find(hashes)
        new = np.flatnonzero((codes == _UNKNOWN) & there)
        if len(new) and not self.folded:
            different, first = np.unique(hashes[new], return_index=True)
            added = np.full(len(different), _UNKNOWN, np.int32)
            for k in np.argsort(first).tolist():
                text = text_of(int(new[first[k]]))
                if text.upper() in MISSING:
                    added[k] = -1
                    continue
                if self._most == len(self.values):
                    self.values.append(_OTHER)
                    break
                added[k] = len(self.values)
                self.values.append(text)
            self._add(different[added != _UNKNOWN], added[added != _UNKNOWN])
            codes[new] = self._find(hashes[new])
        codes[codes == _UNKNOWN] = len(self.values) - 1
        codes[~there] = -1
        return codes

    def _find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        if not len(self._hashes):
            return np.full(len(hashes), _UNKNOWN, np.int32)
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.where(self._hashes[places] == hashes, self._codes[places], np.int32(_UNKNOWN))

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
        whole: columns of which every text is told apart.

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
        whole: Collection[str] = (),
    ) -> None:
        self._types, self._scales, self._source, self._whole = dict(types), scales, source, whole
        self._file = scratch_file()
        try:
            try:
                self._fill(connection, fast=source.dialect is not None)
            except InputError:
                if source.dialect is None:
                    raise
                self._fill(connection, fast=False)  # slower; the cell may stand for a missing value, or be named
        except OSError as error:
            with suppress(OSError):
                self.close()
            raise no_room(f"a compact copy of {source.label}", error) from error
        except BaseException:
            self.close()
            raise

    def _fill(self, connection: "duckdb.DuckDBPyConnection", *, fast: bool) -> None:
        import duckdb
        from nanoarrow import c_array_stream

        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute(f"SET streaming_buffer_size = '{_AHEAD}'")
        texts = [name for name, what in self._types.items() if what.kind == "text"]
        self._texts = {name: _TextCodes(None if name in self._whole else MOST_TEXTS) for name in texts}
        self._offsets: list[tuple[int, int, dict[str, int]]] = []  # rows from, to, and where each column begins
        self.count = place = self._file.seek(0)
        try:
            for chunk in c_array_stream(connection.sql(self._query(fast=fast))):
                starts: dict[str, int] = {}
                children = iter([chunk.child(k) for k in range(chunk.n_children)])
                for name, what in self._types.items():
                    stored = self._compact(name, what, children)
                    starts[name] = place
                    place += self._file.write(stored.data)
                self._offsets.append((self.count, self.count + chunk.length, starts))
                self.count += chunk.length
        except (duckdb.Error, RuntimeError) as error:
            raise plain_error(Path(self._source.label), str(error)) from error
        self._file.flush()

    def _query(self, *, fast: bool) -> str:
        """The columns: of texts a hash and the text; of numbers and dates in text the value, and what is none."""
        source, dialect = self._source, self._source.dialect
        places = {name: i for i, name in enumerate(source.names)}
        numbers = [places[name] for name, what in self._types.items() if what.kind == "number"]
        if dialect is not None:
            source = text_source(dialect, dict.fromkeys(numbers, "DOUBLE") if fast else None)
        chosen = []
        self._written: set[str] = set()  # numbers and dates that are written as text
        for name, what in self._types.items():
            column, stored = source.columns[places[name]], source.stored[places[name]]
            in_text = stored_kind(stored) == "text"
            text = trimmed_sql(column if stored == "VARCHAR" else f"CAST({column} AS VARCHAR)")
            if what.kind == "text":
                chosen += [f"hash({text})", text]
                continue
            if in_text:
                column, stored = text_sql(column, stored), "VARCHAR"
            if stored == "DOUBLE":
                chosen.append(column)  # as it is; NaN counts as missing below
                continue
            if what.kind == "number":
                value = number_sql(column, stored, "." if dialect is None else dialect.decimal)
            else:
                value = date_sql(column, stored, what.date_format or "year-month-day")
            chosen.append(f"CAST({value} AS DOUBLE)")
            if in_text:
                chosen.append(f"CASE WHEN {value} IS NULL THEN {text} END")
                self._written.add(name)
        return f"SELECT {', '.join(f'{sql} AS e{k}' for k, sql in enumerate(chosen))} FROM {source.scan}"

    def _compact(self, name: str, what: ColumnType, children: Iterator[Any]) -> NDArray[Any]:
        first = next(children)
        if what.kind == "text":
            texts = next(children)
            return self._texts[name].encode(_values(first, np.uint64), _valid(texts), lambda row: _text(texts, row))
        if name in self._written:
            self._refuse_strangers(name, what, next(children))
        values = _values(first, np.float64)
        if first.null_count:
            values = np.where(_valid(first), values, np.nan)
        if what.kind == "date":
            return values
        self._refuse_large(name, values)
        if name not in self._scales:
            return values
        centre, spread = self._scales[name]
        scaled = np.multiply(values - centre, 1.0 / spread)
        return scaled.clip(-_GREATEST, _GREATEST, out=scaled).astype(np.float32)

    def _refuse_large(self, name: str, values: NDArray[np.float64]) -> None:
        """Refuse numbers that are not finite, or whose squares would overflow; NaN is a missing one."""
        if not len(values) or (np.fmin.reduce(values) >= -LARGEST and np.fmax.reduce(values) <= LARGEST):
            return
        for row in np.flatnonzero(np.abs(values) > LARGEST)[:1]:
            raise InputError(
                f"{self._source.where(self.count + int(row))}, column {name!r}: {values[row]} is not a finite "
                "number; correct it, or leave the cell empty if it is missing"
            )

    def _refuse_strangers(self, name: str, what: ColumnType, texts: Any) -> None:
        """Refuse text that is no value of the column, unless it stands for a missing one."""
        for row in np.flatnonzero(_valid(texts)).tolist():
            cell = _text(texts, row)
            if cell.upper() not in MISSING:
                where = f"{self._source.where(self.count + row)}, column {name!r}"
                raise InputError(f"{where}: {stranger(cell, what)}")

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
                np.concatenate([part.codes for part in parts if isinstance(part, Texts)]),
                self._values_of(name),
                self._texts[name].folded,
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
            return Texts(stored, self._values_of(name), self._texts[name].folded)
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
