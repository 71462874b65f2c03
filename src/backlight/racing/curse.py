"""The curse of dimensionality: how long it takes to try every combination of a network's weights."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

from backlight.errors import InputError, whole_number
from backlight.plots import Block, Heading, Table, Text, number
from backlight.plots.shown import Shown
from backlight.racing.durations import duration, power

VALUES: Final = 1000
"""Values of each weight that are tried, unless others are asked for: three digits, from 0.000 to 0.999, say."""

RATE: Final = 1e9
"""Evaluations a second, unless others are asked for: more than any machine here can do of a network with data."""

WEIGHTS: Final = (1, 2, 3, 4, 5, 6, 10)
_LARGEST: Final = 308.25  # log10 of the largest float


@dataclass(frozen=True)
class CurseRow:
    """All combinations of so many values of so many weights, and the time to try them.

    Attributes:
        weights: N.
        values: V, how many of each weight.
        evaluations_per_second: R.
        log10_combinations: N log10 V.
        seconds: V^N / R; None where no float is as large.
        log10_seconds: N log10 V − log10 R.
        words: the time in words.
    """

    weights: int
    values: int
    evaluations_per_second: float
    log10_combinations: float
    seconds: float | None
    log10_seconds: float
    words: str

    @property
    def count(self) -> str:
        """How many combinations there are, in figures."""
        few = self.log10_combinations < 9
        return f"{self.values**self.weights:,}" if few else power(self.log10_combinations)


def curse_row(weights: int, values: int = VALUES, evaluations_per_second: float = RATE) -> CurseRow:
    """How many combinations there are, V^N, and how long it takes to try them all, V^N / R.

    Args:
        weights: N, at least 1.
        values: V, how many values of each weight are tried, at least 1.
        evaluations_per_second: R, above 0.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> [curse_row(n).words for n in (2, 4, 5)], curse_row(5).seconds
        (['1 ms', '16.7 minutes', '11.6 days'], 1000000.0)
        >>> vast = curse_row(1210)
        >>> vast.count, vast.seconds, vast.words
        ('10^3,630', None, '10^3,614 years')
    """
    whole_number("weights", weights, 1)
    whole_number("values", values, 1)
    rate = float(evaluations_per_second)
    if not 0 < rate < math.inf:
        raise InputError(f"evaluations_per_second is {rate!r}; it must be a finite number above 0")
    log10_combinations = weights * math.log10(values)
    log10_seconds = log10_combinations - math.log10(rate)
    seconds = float(Fraction(values**weights) / Fraction(rate)) if log10_seconds < _LARGEST else None
    return CurseRow(weights, values, rate, log10_combinations, seconds, log10_seconds, duration(log10_seconds))


@dataclass(frozen=True, repr=False)
class Curse(Shown):
    """The table of combinations.

    Attributes:
        rows: one for each number of weights.
    """

    rows: tuple[CurseRow, ...]

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return "The curse of dimensionality"

    def blocks(self) -> list[Block]:
        """The table with a sentence."""
        return [Heading(self.title, 1), *curse_blocks(self.rows)]

    def to_dict(self) -> dict[str, Any]:
        """`curse`, a list with an entry for each row."""
        return {"curse": [asdict(row) for row in self.rows]}


def curse(weights: int | Sequence[int] = WEIGHTS, values: int = VALUES, evaluations_per_second: float = RATE) -> Curse:
    """How long it takes to try every combination of weights.

    Args:
        weights: N, or several of them.
        values: V, how many values of each weight are tried.
        evaluations_per_second: R.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> [(row.weights, row.words) for row in curse([2, 5]).rows]
        [(2, '1 ms'), (5, '11.6 days')]
    """
    several = (weights,) if isinstance(weights, int) else tuple(weights)
    return Curse(tuple(curse_row(n, values, evaluations_per_second) for n in several))


def curse_blocks(rows: Iterable[CurseRow]) -> list[Block]:
    """The table, and what each further weight does to the time."""
    shown = tuple(rows)
    cells = tuple(
        (f"{row.weights:,}", f"{row.values:,}", row.count, number(row.evaluations_per_second), row.words)
        for row in shown
    )
    columns = ("weights", "values each", "combinations", "tried a second", "time to try them all")
    return [Text("Each further weight multiplies the time by the number of its values."), Table(columns, cells)]
