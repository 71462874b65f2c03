"""How a file of delimited text is written: its encoding, separator and header, and the lines of its records."""

import codecs
import csv
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from backlight.errors import BacklightError, InputError

MISSING: Final = ("", "NA", "N/A", "NAN", "NULL", "?")
"""What stands for a missing value, in capitals; the comparison ignores case and spaces around it."""

_SEPARATORS: Final = "\t;|,"
_SAMPLE: Final = 50
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
        path: the file.
        sha256: of its bytes.
        separator: between the cells.
        header: whether the first record names the columns.
        blank: how many blank lines come before the first record.
        names: of the columns; `column0`, `column1`, … where the file gives none.
    """

    path: Path
    sha256: str
    separator: str
    header: bool
    blank: int
    names: tuple[str, ...]

    @property
    def decimal(self) -> str:
        """The decimal sign: a comma where semicolons separate, which is what they are used for, else a point."""
        return "," if self.separator == ";" else "."

    def lines(self) -> Iterator[int]:
        """The line number, from 1, on which each data record begins."""
        skip = self.header
        for line, record in _records(self.path, self.separator):
            if record or (len(self.names) == 1 and not skip):
                if not skip:
                    yield line
                skip = False

    def line_of(self, row: int) -> int:
        """The line number, from 1, on which data record `row`, from 0, begins."""
        return next(islice(self.lines(), row, None))


def find_dialect(path: Path, wanted: Collection[str] = ()) -> Dialect:
    """Find out how a delimited file is written.

    The separator is the one of tab, semicolon, bar and comma by which the first 50 records have equally many
    cells; failing that, the one that is most frequent in the first record. The first record is a header if it
    holds a wanted name, if text stands in it above numbers, or if it holds no number.

    Args:
        path: the file.
        wanted: column names that a header would hold.

    Raises:
        InputError: the file cannot be read, is empty, is not UTF-8 text, or names two columns alike.
    """
    sha256 = _examine(path)
    separator, sample = _sample(path)
    if not sample:
        raise InputError(f"{path} is empty; give a file with a line of column names and a line per example")
    records = [record for _, record in sample]
    cells = [cell.strip() for cell in records[0]]
    header = _has_header(cells, records[1:], wanted, "," if separator == ";" else ".")
    names = tuple(cell if header and cell else f"column{i}" for i, cell in enumerate(cells))
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(f"{path}, line 1: two columns are named {name!r}; give every column a name of its own")
    return Dialect(path, sha256, separator, header, sample[0][0] - 1, names)


def _examine(path: Path) -> str:
    """The checksum of a file of UTF-8 text; anything else is refused."""
    digest, decoder, line_ends = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), 0
    try:
        with path.open("rb") as file:
            while True:
                chunk = file.read(_CHUNK)
                if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not line_ends:
                    raise InputError(f"{path} is UTF-16 text; save it as UTF-8")
                if b"\0" in chunk:
                    raise InputError(f"{path} is a binary file; give a text file with one line per example")
                digest.update(chunk)
                decoder.decode(chunk, final=not chunk)
                line_ends += chunk.count(b"\n")
                if not chunk:
                    return digest.hexdigest()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = line_ends + error.object[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8 text; "
            "save the file as UTF-8 (or is it no text file?)"
        ) from error


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a file, each with the line number, from 1, on which it begins."""
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=separator)
            for record in reader:
                yield line, record
                line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}, line {line} is not readable as a table: {error}") from error


def _sample(path: Path) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator, and the first records that are not blank, with their line numbers."""
    samples = {
        separator: list(islice((found for found in _records(path, separator) if found[1]), _SAMPLE))
        for separator in _SEPARATORS
    }
    for separator, sample in samples.items():
        widths = {len(record) for _, record in sample}
        if len(widths) == 1 and widths != {1}:
            return separator, sample
    best = max(reversed(_SEPARATORS), key=lambda separator: len(samples[separator][0][1]) if samples[separator] else 0)
    return best, samples[best]


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
    import re

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
    if "invalid state" in message:
        return InputError(
            f"{where} is not readable as a table: a quote is misplaced, or its lines end in different ways; "
            "save it anew as CSV"
        )
    first = message.removeprefix("Invalid Input Error: ").splitlines()[0].rstrip(". ")
    return InputError(f"{where} is not readable as a table: {first}; is it a CSV file?")
