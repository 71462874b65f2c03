"""Where a table comes from: delimited text, Parquet, or a data frame; and how DuckDB scans it."""

import glob
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from backlight.data.tables.delimited import Dialect, find_dialect
from backlight.errors import InputError

if TYPE_CHECKING:
    import duckdb

TEXTS: Final = (".csv", ".tsv", ".txt", ".tab", ".data", ".dat")
"""The endings of files that are read as delimited text."""

PARQUET: Final = (".parquet", ".pq")
"""The endings of Parquet files."""

_FRAME: Final = "frame"


@dataclass(frozen=True)
class TableSource:
    """A table that DuckDB can scan.

    Attributes:
        label: what it is called in messages: a path, or `the frame`.
        kind: `csv`, `parquet` or `frame`.
        names: of the columns.
        stored: the DuckDB type of every column; text is read as VARCHAR throughout.
        columns: the name of every column in a scan, quoted for SQL.
        scan: what stands after FROM.
        files: the files that are read, ascending.
        dialect: how delimited text is written, None for other kinds.
    """

    label: str
    kind: str
    names: tuple[str, ...]
    stored: tuple[str, ...]
    columns: tuple[str, ...]
    scan: str
    files: tuple[Path, ...] = ()
    dialect: Dialect | None = None

    @property
    def size(self) -> int:
        """The size of the files in bytes; 0 for a frame."""
        return sum(file.stat().st_size for file in self.files)

    def where(self, row: int) -> str:
        """Where data row `row`, from 0, is found: the file and line, from 1, of text, and the row otherwise."""
        if self.dialect is not None:
            return f"{self.label}, line {self.dialect.line_of(row)}"
        return f"{self.label}, row {row} (counted from 0)"


def is_frame(source: Any) -> bool:
    """Whether something is a pandas, Polars or Arrow table, or any other that speaks the Arrow interface."""
    return hasattr(source, "__arrow_c_stream__") or (hasattr(source, "iloc") and hasattr(source, "columns"))


def open_source(
    connection: "duckdb.DuckDBPyConnection",
    source: Any,
    folder: Callable[[], Path],
    wanted: Collection[str] = (),
    separator: str | None = None,
) -> TableSource:
    """Find out what a table is.

    Args:
        connection: of DuckDB, with which it will be scanned.
        source: a frame, a path of delimited text or Parquet, or a folder of Parquet files.
        folder: makes a folder for copies.
        wanted: column names that a header would hold.
        separator: of delimited text, if it is known.

    Raises:
        InputError: it is missing, cannot be read, or has no columns.
    """
    if not isinstance(source, str | Path):
        return _frame(connection, source)
    path = Path(source)
    parquet = path.is_dir() or path.suffix.lower() in PARQUET
    if parquet and separator is not None:
        raise InputError(f"{path} is Parquet, which has no separator; leave out --separator")
    return _parquet(connection, path) if parquet else text_source(find_dialect(path, folder, wanted, separator))


def text_source(dialect: Dialect, types: Mapping[int, str] | None = None) -> TableSource:
    """Delimited text as a source.

    Args:
        dialect: how it is written.
        types: DuckDB types of columns, by their place, that DuckDB is to parse itself, which is faster; `NA` is then
            the only word for a missing value. Others are read as text.
    """
    stored = tuple((types or {}).get(i, "VARCHAR") for i in range(len(dialect.names)))
    columns = ", ".join(f"'c{i}': '{kind}'" for i, kind in enumerate(stored))
    parsed = f", nullstr=['', 'NA'], decimal_separator={quoted(dialect.decimal)}" * bool(types)
    quote = quoted(dialect.quote)
    scan = (
        f"read_csv({quoted(glob.escape(str(dialect.text)))}, auto_detect=false, delim={quoted(dialect.separator)}, "
        f"quote={quote}, escape={quote}, header={str(dialect.header).lower()}, skip={dialect.blank}, "
        f"columns={{{columns}}}, null_padding=false{parsed})"
    )
    names = tuple(f"c{i}" for i in range(len(stored)))
    return TableSource(str(dialect.path), "csv", dialect.names, stored, names, scan, (dialect.path,), dialect)


def _parquet(connection: "duckdb.DuckDBPyConnection", path: Path) -> TableSource:
    import duckdb

    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PARQUET and file.is_file())
        if not files:
            raise InputError(f"{path} holds no Parquet files ({' or '.join(PARQUET)}); give a folder that does")
    elif path.is_file():
        files = [path]
    else:
        raise InputError(f"there is no file {path}")
    listed = ", ".join(quoted(glob.escape(str(file))) for file in files)
    united = ", union_by_name=true" * (len(files) > 1)  # the type of the first file would cut decimals off
    try:
        _check_same_columns(connection, path, listed, len(files))
        return _described(connection, str(path), "parquet", f"read_parquet([{listed}]{united})", tuple(files))
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{path} is not readable as Parquet: {first}") from error


def _frame(connection: "duckdb.DuckDBPyConnection", frame: Any) -> TableSource:
    import duckdb

    if not is_frame(frame):
        raise InputError(
            f"a {type(frame).__name__} was given; give a path, the name of a built-in data set, or a data frame of "
            "pandas, Polars or Arrow"
        )
    pandas = hasattr(frame, "iloc")
    names, scanned = _by_place(frame) if pandas else _stream(frame)
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"the frame has {names.count(name)} columns named {name!r}; give every column its own name"
            )
    try:
        _store(connection, scanned)
    except (duckdb.Error, RuntimeError, ValueError, TypeError) as error:
        odd = f"column {names[place]!r}: " if pandas and (place := _unreadable(connection, scanned)) is not None else ""
        first = str(error).splitlines()[0].rstrip(". ")
        raise InputError(
            f"the frame cannot be read: {odd}{first}; convert that column to numbers, text or dates, or leave it out"
        ) from error
    described = _described(connection, "the frame", "frame", _FRAME)
    return replace(described, names=tuple(name or f"column{i}" for i, name in enumerate(names)))


def _store(connection: "duckdb.DuckDBPyConnection", scanned: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection.register("given", scanned)
        try:
            connection.execute(f"CREATE OR REPLACE TABLE {_FRAME} AS SELECT * FROM given")
        finally:
            connection.unregister("given")


def _check_same_columns(connection: "duckdb.DuckDBPyConnection", path: Path, listed: str, count: int) -> None:
    """Refuse files of which some lack a column that others have."""
    if count < 2:
        return
    lacking = connection.execute(
        f"SELECT path_in_schema, count(DISTINCT file_name) AS files, min(file_name) FROM parquet_metadata([{listed}]) "
        f"GROUP BY path_in_schema HAVING files < {count} ORDER BY files DESC LIMIT 1"
    ).fetchone()
    if lacking is not None:
        name, having, example = lacking
        raise InputError(
            f"{path}: {having} of {count} Parquet files have the column {name!r}, such as {example}, and the others "
            "lack it; give files with the same columns"
        )


class _Stream:
    """A frame of which DuckDB sees the Arrow interface alone."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


def _stream(frame: Any) -> tuple[list[str], Any]:
    """The names of a frame's columns, and its Arrow interface alone, so that DuckDB needs no library for it."""
    from nanoarrow import c_array_stream

    try:
        schema = c_array_stream(frame).get_schema()
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"the frame cannot be read through the Arrow interface: {error}") from error
    if schema.format != "+s":
        raise InputError("a single column was given; give a data frame with the columns to learn from and the target")
    return [str(schema.child(i).name or "") for i in range(schema.n_children)], _Stream(frame)


def _by_place(frame: Any) -> tuple[list[str], Any]:
    """The names of a pandas frame's columns, and the frame with its rows in the order of memory and other names.

    DuckDB takes `a` and `A` for the same name, and cannot read columns of text that are views.
    """
    if getattr(frame, "ndim", 2) != 2:
        raise InputError("a single column was given; give a data frame with the columns to learn from and the target")
    scanned = frame.copy()
    scanned.columns = [f"c{i}" for i in range(len(frame.columns))]
    return [str(name) for name in frame.columns], scanned


def _unreadable(connection: "duckdb.DuckDBPyConnection", scanned: Any) -> int | None:
    """The place of the first column of a pandas frame that DuckDB cannot read on its own."""
    import duckdb

    for place in range(len(scanned.columns)):
        try:
            _store(connection, scanned.iloc[:, place : place + 1])
        except (duckdb.Error, RuntimeError, ValueError, TypeError):
            return place
    return None


def _described(
    connection: "duckdb.DuckDBPyConnection", label: str, kind: str, scan: str, files: tuple[Path, ...] = ()
) -> TableSource:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()
    names, stored = tuple(str(row[0]) for row in rows), tuple(str(row[1]) for row in rows)
    return TableSource(label, kind, names, stored, tuple(identifier(name) for name in names), scan, files)


def quoted(text: str) -> str:
    """Text as an SQL literal.

    Example:
        >>> quoted("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
