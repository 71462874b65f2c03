"""How a file of delimited text is written: its encoding, separator, quotes and header, and the lines of its records."""

import csv
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from backlight.data.tables.encodings import find_encoding, write_copy
from backlight.errors import BacklightError, InputError

MISSING: Final = ("", "NA", "N/A", "NAN", "NULL", "?")
"""What stands for a missing value, in capitals; the comparison ignores case and spaces around it."""

SPACES: Final = " "
"""The separator of columns that are aligned by one or more spaces."""

_SEPARATORS: Final = "\t;|,"
_RARE: Final = ":^~\x1f" + SPACES
_SAMPLE: Final = 50
_NAMES: Final = {"tab": "\t", "\\t": "\t", "space": SPACES, "spaces": SPACES, "comma": ",", "semicolon": ";"}
_COMMA: Final = re.compile(r"\s*[+-]?\d*,\d+\s*")
_POINT: Final = re.compile(r"\s*[+-]?\d*\.\d+\s*")


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
        path: the file.
        text: the same as UTF-8 text with one separator between cells: the file itself, or a copy of it.
        encoding: of the file.
        separator: between the cells of `text`.
        quote: around cells that hold a separator.
        decimal: the decimal sign, a point or a comma.
        header: whether the first record names the columns.
        blank: how many blank lines come before the first record.
        names: of the columns; `column0`, `column1`, … where the file gives none.
    """

    path: Path
    text: Path
    encoding: str
    separator: str
    quote: str
    decimal: str
    header: bool
    blank: int
    names: tuple[str, ...]

    def lines(self) -> Iterator[int]:
        """The line number, from 1, on which each data record begins."""
        skip = self.header
        for line, record in _records(self):
            if record or (len(self.names) == 1 and not skip):
                if not skip:
                    yield line
                skip = False

    def line_of(self, row: int) -> int:
        """The line number, from 1, on which data record `row`, from 0, begins."""
        return next(islice(self.lines(), row, None))


def find_dialect(
    path: Path, folder: Callable[[], Path], wanted: Collection[str] = (), separator: str | None = None
) -> Dialect:
    """Find out how a delimited file is written.

    The separator is the one of tab, semicolon, bar and comma by which the first 50 records have equally many
    cells; failing that, a colon, a caret, a tilde or spaces, likewise; failing that, the one of the first four that
    is most frequent in the first record. Cells are quoted with " unless some begin and end with '. The decimal sign
    is a comma where semicolons separate, and where numbers in the sample have commas and none has a point. The
    first record is a header if it holds a wanted name, if text stands in it above numbers, or if it holds no number.

    Args:
        path: the file.
        folder: makes a folder for a copy, which is needed if the file is not UTF-8, or its columns are aligned by
            spaces.
        wanted: column names that a header would hold.
        separator: between the cells, if it is known: one character, `tab` or `space`.

    Raises:
        InputError: the file cannot be read, is empty, is not text, or names two columns alike.
    """
    encoding, text = find_encoding(path), path
    if encoding != "utf-8":
        text = folder() / "utf-8.txt"
        write_copy(path, encoding, text)
    given = None if separator is None else _one_character(separator)
    plain = Dialect(path, text, encoding, given or ",", '"', ".", header=False, blank=0, names=())
    dialect = _with_separator(plain, given)
    if dialect.separator == SPACES:
        dialect = replace(dialect, text=folder() / "tabs.txt", separator="\t")
        write_copy(text, "utf-8-sig", dialect.text, tabs=True)
    sample = _sample(dialect)
    if not sample:
        raise InputError(f"{path} is empty; give a file with a line of column names and a line per example")
    records = [record for _, record in sample]
    dialect = replace(dialect, decimal=_decimal(dialect.separator, records), blank=sample[0][0] - 1)
    cells = [cell.strip() for cell in records[0]]
    header = _has_header(cells, records[1:], wanted, dialect.decimal)
    names = tuple(cell if header and cell else f"column{i}" for i, cell in enumerate(cells))
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(
                f"{path}, line {sample[0][0]}: two columns are named {name!r}; give every column a name of its own"
            )
        seen.add(name)
    return replace(dialect, header=header, names=names)


def _one_character(separator: str) -> str:
    found = _NAMES.get(separator.lower(), separator)
    if len(found) != 1 or found in "\"'\r\n" or found.isalnum():
        raise InputError(
            f"the separator is {separator!r}; give one character that stands between cells, or tab, or space"
        )
    return found


def _with_separator(dialect: Dialect, given: str | None) -> Dialect:
    """The dialect with the separator, and the quotes, that suit the first records."""
    if given is not None:
        plain = replace(dialect, separator=given)
        return _with_quotes(plain, _sample(plain))
    tried = [replace(dialect, separator=separator) for separator in _SEPARATORS + _RARE]
    samples = {plain.separator: _sample(plain) for plain in tried}
    for plain in tried:
        quoted = _with_quotes(plain, samples[plain.separator])
        sample = samples[plain.separator] if quoted == plain else _sample(quoted)
        widths = {len(record) for _, record in sample}
        if len(widths) == 1 and widths != {1}:
            return quoted
    best = max(reversed(_SEPARATORS), key=lambda separator: len(samples[separator][0][1]) if samples[separator] else 0)
    return replace(dialect, separator=best)


def _with_quotes(dialect: Dialect, sample: list[tuple[int, list[str]]]) -> Dialect:
    """The dialect, with ' for its quotes where cells begin with it and cells end with it, and none with the other."""
    cells = [cell.strip() for _, record in sample for cell in record]
    begin, end = (sum(len(cell) > 1 and cell[k] == "'" for cell in cells) for k in (0, -1))
    if not begin or begin != end:
        return dialect
    before = re.escape(dialect.separator)
    with dialect.text.open(encoding="utf-8-sig", errors="replace") as file:
        other = any(re.search(rf'(^|{before})\s*"', line) for line in islice(file, sample[-1][0]))
    return dialect if other else replace(dialect, quote="'")


def _records(dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The records of a file, each with the line number, from 1, on which it begins."""
    line = 1
    try:
        with dialect.text.open(newline="", encoding="utf-8-sig") as file:
            separator = dialect.separator
            lines = (SPACES.join(text.split()) for text in file) if separator == SPACES else file
            reader = csv.reader(lines, delimiter=separator, quotechar=dialect.quote)
            for record in reader:
                yield line, record
                line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{dialect.path}, line {line} is not readable as a table: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{dialect.path}, after line {line}: not all of it is UTF-8 text; save it as UTF-8") from error


def _sample(dialect: Dialect) -> list[tuple[int, list[str]]]:
    """The first records that are not blank, with their line numbers."""
    return list(islice((found for found in _records(dialect) if found[1]), _SAMPLE))


def _decimal(separator: str, records: list[list[str]]) -> str:
    if separator in ",;":
        return "," if separator == ";" else "."
    cells = [cell for record in records for cell in record]
    commas, points = (any(pattern.fullmatch(cell) for cell in cells) for pattern in (_COMMA, _POINT))
    return "," if commas and not points else "."


def _has_header(first: list[str], rest: list[list[str]], wanted: Collection[str], decimal: str) -> bool:
    if any(cell in wanted for cell in first):
        return True
    for i, cell in enumerate(first):
        below = [record[i].strip() for record in rest if len(record) > i]
        below = [value for value in below if value.upper() not in MISSING]
        if cell and not _is_number(cell, decimal) and below and all(_is_number(v, decimal) for v in below):
            return True
    return not any(_is_number(cell, decimal) for cell in first)


def _is_number(cell: str, decimal: str) -> bool:
    try:
        float(cell.replace(decimal, "."))
    except ValueError:
        return False
    return True


def plain_error(path: Path, message: str) -> BacklightError:
    """What DuckDB said of a file, in one sentence."""
    line = re.search(r"CSV Error on Line: (\d+)", message)
    where = f"{path}, line {line[1]}" if line else str(path)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if columns:
        cells = "there is 1 cell" if columns[2] == "1" else f"there are {columns[2]} cells"
        return InputError(
            f"{where}: {cells} where the first line has {columns[1]}; "
            "every line needs as many (put quotes around text that holds the separator)"
        )
    if "unterminated quote" in message:
        return InputError(f"{where}: a quote is opened and not closed; close it")
    if "nicode" in message or "UTF-8" in message:
        return InputError(f"{where} is not UTF-8 text, as the beginning of the file is; save the file as UTF-8")
    if "invalid state" in message:
        return InputError(
            f"{where} is not readable as a table: a quote is misplaced, or its lines end in different ways; "
            "save it anew as CSV"
        )
    first = message.removeprefix("Invalid Input Error: ").splitlines()[0].rstrip(". ")
    return InputError(f"{where} is not readable as a table: {first}; is it a table?")
