"""How one column of a table becomes inputs: a standardised number, one-hot categories, the parts of a date."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.data.standardising import standardise
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts
from backlight.data.tables.column_types import ColumnType
from backlight.data.tables.summaries import MomentSummary, Summary, TextSummary, weekday

MOST_CATEGORIES: Final = 100
"""A text column with more different values keeps this many, the commonest; the rest become one."""

_FEW_ROWS: Final = 20
_BOOLEANS: Final = ("true", "false")  # as DuckDB writes them; Python and spreadsheets have capitals
_MOSTLY: Final = 0.9
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY: Final = 86_400.0
_YEAR: Final = 365.2425


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
    type: ClassVar[ColumnType] = ColumnType("number")

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the column becomes."""
        return (self.name, *_missing(self))

    def write(self, cells: Cells, block: NDArray[np.float32]) -> int:
        """Write the inputs (n, inputs); no number is a stranger."""
        assert isinstance(cells, Numbers)
        block[:, 0] = np.where(cells.missing, 0.0, standardise(cells.values, self.mean, self.std))
        if self.missing:
            block[:, -1] = cells.missing
        return 0


@dataclass(frozen=True)
class CategoryColumn:
    """A one-hot column; a missing value becomes zeros, and so does an unseen one unless there is an input for others.

    Attributes:
        name: of the column.
        values: the training part's categories, or the commonest of them, sorted.
        missing: whether a last input says that the value is missing.
        others: whether an input says that the value is none of these.
    """

    name: str
    values: tuple[str, ...]
    missing: bool
    others: bool = False
    type: ClassVar[ColumnType] = ColumnType("text")

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the column becomes."""
        others = (f"{self.name} is another",) if self.others else ()
        return (*(f"{self.name}={value}" for value in self.values), *others, *_missing(self))

    def write(self, cells: Cells, block: NDArray[np.float32]) -> int:
        """Write the inputs (n, inputs) and count the cells whose value is no category."""
        assert isinstance(cells, Texts)
        places = {value: i for i, value in enumerate(self.values)}
        unknown = len(self.values) if self.others else -1
        booleans = {value.lower(): i for value, i in places.items() if value.lower() in _BOOLEANS}  # True is true
        told_apart = cells.values[:-1] if cells.folded else cells.values
        found = [places.get(value, booleans.get(value.lower(), unknown)) for value in told_apart]
        found += [unknown] * cells.folded
        lookup = np.array([*found, -1], np.int64)
        codes = lookup[cells.codes]  # a missing cell has code −1: the last
        known = np.flatnonzero(codes >= 0)
        block[...] = 0.0
        block[known, codes[known]] = 1.0
        if self.missing:
            block[:, -1] = cells.missing
        return 0 if self.others else int(((codes < 0) & ~cells.missing).sum())


@dataclass(frozen=True)
class DateColumn:
    """A column of moments: how long ago, standardised; and the season, the day of the week, the hour, where they vary.

    The season and the hour are points on a circle, sin and cos of 2π times the elapsed part of the year (of 365.2425
    days from 1970 on) or of the day; the day of the week is one-hot. A missing value becomes zeros.

    Attributes:
        name: of the column.
        mean: of the training part's days since 1970-01-01.
        std: likewise, with n in the denominator.
        missing: whether a last input says that the value is missing.
        parts: which of `elapsed`, `season`, `weekday`, `hour` there are.
        date_format: how the moments are written, where they are written as text.
    """

    name: str
    mean: float
    std: float
    missing: bool
    parts: tuple[str, ...]
    date_format: str = ""

    @property
    def type(self) -> ColumnType:
        """How the column is read."""
        return ColumnType("date", self.date_format)

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs that the column becomes."""
        forms = {
            "elapsed": (self.name,),
            "season": (f"{self.name} (season, sin)", f"{self.name} (season, cos)"),
            "weekday": tuple(f"{self.name} is a {day}" for day in _DAYS),
            "hour": (f"{self.name} (hour, sin)", f"{self.name} (hour, cos)"),
        }
        return (*(name for part in self.parts for name in forms[part]), *_missing(self))

    def write(self, cells: Cells, block: NDArray[np.float32]) -> int:
        """Write the inputs (n, inputs); no moment is a stranger."""
        assert isinstance(cells, Moments)
        there = ~cells.missing
        days = np.where(there, cells.seconds / _DAY, self.mean)
        columns: list[NDArray[Any]] = []
        for part in self.parts:
            if part == "elapsed":
                columns.append(standardise(days, self.mean, self.std))
            elif part == "weekday":
                columns += list((weekday(days)[:, None] == np.arange(7)).T)
            else:
                angle = 2.0 * np.pi * np.mod(days / (_YEAR if part == "season" else 1.0), 1.0)
                columns += [np.sin(angle), np.cos(angle)]
        for i, values in enumerate(columns):
            block[:, i] = np.where(there, values, 0.0)
        if self.missing:
            block[:, -1] = ~there
        return 0


TableColumn: TypeAlias = NumberColumn | CategoryColumn | DateColumn


def _missing(column: TableColumn) -> tuple[str, ...]:
    return (f"{column.name} is missing",) if column.missing else ()


def fit_column(name: str, summary: Summary | TextSummary, *, keep: bool = False) -> TableColumn | str:
    """The column fitted on what its training part holds, or the reason why it is left out.

    Args:
        name: of the column.
        summary: what its training part holds.
        keep: whether the user wants it whatever it looks like; a column without values is left out all the same.
    """
    if summary.count == 0:
        return "it has no values in the training part"
    if isinstance(summary, TextSummary):
        return _fit_text(name, summary, keep=keep)
    if summary.low == summary.high and not summary.missing:
        what = f"{summary.low:g}" if not isinstance(summary, MomentSummary) else "the same moment"
        return f"it is {what} in every training row"
    mean, std = summary.scale
    if isinstance(summary, MomentSummary):
        return DateColumn(name, mean, std, summary.missing > 0, _parts(summary), summary.date_format)
    return NumberColumn(name, mean, std, summary.missing > 0)


def _fit_text(name: str, summary: TextSummary, *, keep: bool) -> CategoryColumn | str:
    present, missing = summary.present, summary.missing > 0
    if len(present) == 1 and not missing and not summary.others:
        return f"it is {next(iter(present))!r} in every training row"
    if not keep and summary.count > _FEW_ROWS and len(present) + summary.others > _MOSTLY * summary.count:
        many = f"{'over ' * summary.folded}{len(summary.values) - 1 if summary.folded else len(present):,}"
        return (
            f"it is text that differs in nearly every row ({many} values in {summary.count:,} rows), "
            "as names and identifiers do"
        )
    if len(present) <= MOST_CATEGORIES and not summary.others:
        return CategoryColumn(name, tuple(sorted(present)), missing)
    commonest = Counter(dict(sorted(present.items()))).most_common(MOST_CATEGORIES)
    return CategoryColumn(name, tuple(sorted(value for value, _ in commonest)), missing, others=True)


def _parts(summary: MomentSummary) -> tuple[str, ...]:
    """The parts of a moment that vary in the training part; a single day of the year has no season."""
    span = summary.high - summary.low
    dated = span >= 1.0
    wanted = {
        "elapsed": dated or not summary.clock,
        "season": span >= _YEAR / 4,
        "weekday": dated and len(summary.weekdays) > 1,
        "hour": summary.clock,
    }
    return tuple(part for part, useful in wanted.items() if useful)
