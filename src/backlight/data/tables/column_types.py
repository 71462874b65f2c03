"""What the columns of a table are: numbers, text, or moments in time; and how SQL reads each."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from backlight.data.tables.delimited import MISSING
from backlight.errors import InputError, nearest

Kind: TypeAlias = Literal["number", "text", "date"]

KINDS: Final[tuple[Kind, ...]] = ("number", "text", "date")


def _with_times(*dates: str) -> tuple[str, ...]:
    """Ways to write a date, alone and with a time; years of two digits come first, as %Y would read them as such."""
    return tuple(f"{date}{time}" for date in dates for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"))


DATE_FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "year-month-day": (),  # what DuckDB's own cast reads: ISO 8601, zones too
    "day.month.year": _with_times("%d.%m.%y", "%d.%m.%Y"),
    "month/day/year": _with_times("%m/%d/%y", "%m/%d/%Y"),
    "day/month/year": _with_times("%d/%m/%y", "%d/%m/%Y"),
    "day-month-year": (*_with_times("%d-%m-%y", "%d-%m-%Y"), "%d-%b-%y", "%d-%b-%Y"),
    "day month year": ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
    "hour:minute": ("%H:%M", "%H:%M:%S", "%I:%M %p"),
}
"""How moments are written in text, by the name that a model remembers; tried in this order."""

_NUMBERS: Final = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|UINTEGER|FLOAT|DOUBLE|DECIMAL.*|BIGNUM|VARINT|INTERVAL)"
)
_DATES: Final = re.compile(r"(DATE|TIME.*)")
_TEXTS: Final = re.compile(r"(VARCHAR|ENUM.*|UUID|BOOLEAN|JSON|\"NULL\")")
_LISTS: Final = re.compile(r".*\[\d*\]", re.DOTALL)


@dataclass(frozen=True)
class ColumnType:
    """What a column is.

    Attributes:
        kind: `number`, `text` or `date`.
        date_format: a name of `DATE_FORMATS`, where dates are written as text; empty otherwise.
    """

    kind: Kind
    date_format: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.date_format})" if self.date_format else self.kind


def stored_kind(stored: str) -> Kind | None:
    """What a column of a DuckDB type is; None for a type that cannot be learnt from, such as lists.

    Example:
        >>> stored_kind("DECIMAL(9,2)"), stored_kind("TIMESTAMP WITH TIME ZONE"), stored_kind("INTEGER[]")
        ('number', 'date', None)
        >>> stored_kind("DECIMAL(9,2)[]"), stored_kind("TIMESTAMP[3]")
        (None, None)
    """
    if stored == "VARCHAR":
        return "text"
    if _LISTS.fullmatch(stored):
        return None
    kinds: tuple[tuple[re.Pattern[str], Kind], ...] = ((_NUMBERS, "number"), (_DATES, "date"), (_TEXTS, "text"))
    return next((kind for pattern, kind in kinds if pattern.fullmatch(stored)), None)


def check_stored(what: str, stored: str, kind: Kind) -> None:
    """Refuse a column of numbers as dates, or of dates as numbers: their meaning would be a guess.

    Args:
        what: the column, for the message.
        stored: its DuckDB type.
        kind: what it is to be read as.

    Raises:
        InputError: it cannot be read so.
    """
    found = stored_kind(stored)
    if kind != "text" and found not in {kind, "text"}:
        expected = "dates or times" if kind == "date" else "numbers"
        raise InputError(f"{what} holds {stored} where {expected} are expected; convert it, or give another column")


def text_sql(column: str, stored: str) -> str:
    """SQL for the text of a column without the spaces around it; NULL where it stands for a missing value."""
    text = column if stored == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    if stored not in {"VARCHAR", "JSON"}:
        return text
    cell = trimmed_sql(text)
    # a pattern, because DuckDB makes a join of every IN, which takes gigabytes on wide tables
    words = "|".join(re.escape(word) for word in MISSING)
    missing = f"strlen({cell}) <= {max(map(len, MISSING))} AND regexp_full_match({cell}, '{words}', 'i')"
    return f"CASE WHEN {missing} THEN NULL ELSE {cell} END"


def trimmed_sql(text: str) -> str:
    """SQL for text without the spaces around it: `trim` alone takes as long for cells that have none."""
    return f"CASE WHEN starts_with({text}, ' ') OR ends_with({text}, ' ') THEN trim({text}, ' ') ELSE {text} END"


def number_sql(column: str, stored: str, decimal: str = ".") -> str:
    """SQL for a column as DOUBLE; NULL where it is missing or no number."""
    if stored == "VARCHAR":
        return f"TRY_CAST(replace({column}, '{decimal}', '.') AS DOUBLE)"
    if stored == "INTERVAL":
        return f"epoch({column})"
    if stored in {"FLOAT", "DOUBLE"}:
        return f"CASE WHEN isnan({column}) THEN NULL ELSE CAST({column} AS DOUBLE) END"
    return f"TRY_CAST({column} AS DOUBLE)"


def date_sql(column: str, stored: str, date_format: str) -> str:
    """SQL for a column as seconds since 1970-01-01; NULL where it is missing or no date."""
    if stored == "VARCHAR":
        formats = DATE_FORMATS[date_format]
        listed = ", ".join(f"'{one}'" for one in formats)
        moment = f"try_strptime({column}, [{listed}])" if formats else _iso(column)
        if date_format == "hour:minute":
            return f"epoch({moment}::TIME)"
    elif stored.startswith("TIME") and not stored.startswith("TIMESTAMP"):
        return f"epoch({column}::TIME)"
    else:
        moment = f"TRY_CAST({column} AS TIMESTAMP)"
    return f"CASE WHEN isfinite({moment}) THEN epoch({moment}) END"


def stranger(cell: str, what: ColumnType) -> str:
    """What is wrong with a cell that is no value of its column.

    Example:
        >>> stranger("x", ColumnType("date"))
        "'x' is no date or time; correct it, or leave the cell empty if it is missing"
    """
    short = repr(cell if len(cell) <= 40 else f"{cell[:37]}...")
    if what.kind == "date":
        form = f" written as {what.date_format}" if what.date_format else ""
        return f"{short} is no date or time{form}; correct it, or leave the cell empty if it is missing"
    return (
        f"{short} is text where a number is expected; correct it, leave the cell empty if it is missing, or read the "
        "column as text with --types"
    )


_PLAIN: Final = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"


def _iso(column: str) -> str:
    """SQL for a moment that begins with a year of four digits; 21/03/24 would be taken for the year 21.

    DuckDB reads moments in time zones much more slowly than those without, and takes those without for the machine's
    own; here they are UTC.
    """
    return (
        f"CASE WHEN regexp_full_match({column}, '{_PLAIN}') THEN TRY_CAST({column} AS TIMESTAMP) "
        f"WHEN regexp_full_match({column}, '\\d{{4}}[-/].*') THEN "
        f"TRY_CAST({column} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"
    )


def parse_types(given: Sequence[str], names: Collection[str]) -> dict[str, Kind]:
    """Types that a user gave, `zip=text` or several with commas between.

    Raises:
        InputError: no such column, or no such type.

    Example:
        >>> parse_types(["zip=text,when=date"], ["zip", "when"])
        {'zip': 'text', 'when': 'date'}
    """
    types: dict[str, Kind] = {}
    for text in given:
        for pair in text.split(",") if text.count("=") > 1 else [text]:
            name, equals, word = pair.rpartition("=")
            kind = next((known for known in KINDS if known == word.strip()), None)
            if not equals or kind is None:
                raise InputError(f"--types is {pair!r}; write COLUMN=TYPE, where TYPE is {', '.join(KINDS)}")
            if name.strip() not in names:
                raise InputError(f"--types names the column {name.strip()!r}; {nearest(name.strip(), list(names))}")
            types[name.strip()] = kind
    return types
