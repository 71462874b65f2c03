"""What the training part of a column holds, gathered all at once or piece by piece."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backlight.data.standardising import scale_of
from backlight.data.tables.cells import Cells, Moments, Numbers, Texts

_DAY = 86_400.0


@dataclass
class Summary:
    """Numbers: how many, their range, mean and spread.

    Pieces are merged by the formulas of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances", 1979.

    Attributes:
        count: how many there are.
        missing: how many cells are missing.
        low: the least.
        high: the greatest.
        mean: their mean.
        squares: Σ (value − mean)².

    Example:
        >>> summary = Summary()
        >>> for piece in ([1.0, np.nan], [3.0, 8.0]):
        ...     summary.add(np.array(piece))
        >>> summary.count, summary.missing, summary.mean, round(summary.scale[1], 4)
        (3, 1, 4.0, 2.9439)
    """

    count: int = 0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf
    mean: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in a piece, NaN where missing."""
        there = values[~np.isnan(values)]
        self.missing += len(values) - len(there)
        if not len(there):
            return
        count, mean = len(there), float(there.mean())
        squares, apart = float(((there - mean) ** 2).sum()), mean - self.mean
        together = self.count + count
        self.mean = self.mean + apart * (count / together) if self.count else mean
        self.squares += squares + apart * apart * (self.count * count / together)
        self.low, self.high = min(self.low, float(there.min())), max(self.high, float(there.max()))
        self.count = together

    @property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation, as `fit_scale` gives them."""
        mean, std = scale_of(self.low, self.high, self.mean, np.sqrt(self.squares / self.count))
        return float(mean), float(std)


@dataclass
class TextSummary:
    """Texts: how often each occurs.

    Attributes:
        counts: by code.
        missing: how many cells are missing.
        values: the text of each code.
        folded: whether the last code stands for all the texts that are not told apart.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    missing: int = 0
    values: tuple[str, ...] = ()
    folded: bool = False

    def add(self, cells: Texts) -> None:
        """Take in a piece whose codes go on from those of the pieces before."""
        counts = np.bincount(cells.codes[cells.codes >= 0], minlength=max(len(cells.values), len(self.counts)))
        counts[: len(self.counts)] += self.counts
        self.counts, self.values, self.folded = counts, cells.values, cells.folded
        self.missing += int(cells.missing.sum())

    @property
    def present(self) -> dict[str, int]:
        """Every text that occurs and is told apart, and how often."""
        told_apart = self.values[:-1] if self.folded else self.values
        return {text: int(n) for text, n in zip(told_apart, self.counts, strict=False) if n}

    @property
    def others(self) -> int:
        """How many cells have a text that is not told apart."""
        return int(self.counts[len(self.values) - 1 :].sum()) if self.folded else 0

    @property
    def count(self) -> int:
        """How many cells have a value."""
        return int(self.counts.sum())


@dataclass
class MomentSummary(Summary):
    """Moments: their days, in numbers, and which parts of them vary.

    Attributes:
        date_format: how they are written, where they are written as text.
        weekdays: which days of the week occur, Monday first.
        clock: whether any is not at midnight.
    """

    date_format: str = ""
    weekdays: set[int] = field(default_factory=set)
    clock: bool = False

    def take(self, cells: Moments) -> None:
        """Take in a piece."""
        days = cells.seconds / _DAY
        self.add(days)
        there = days[~np.isnan(days)]
        self.weekdays |= set(np.unique(weekday(there)).tolist())
        self.clock = self.clock or bool((there != np.floor(there)).any())
        self.date_format = cells.date_format


def weekday(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """The day of the week, 0 for Monday, of days since 1970-01-01, a Thursday.

    Example:
        >>> weekday(np.array([0.0, 4.5])).tolist()
        [3, 0]
    """
    return (np.floor(days).astype(np.int64) + 3) % 7


def summary_of(cells: Cells) -> Summary | TextSummary:
    """What a whole column holds."""
    summary = empty_summary(cells)
    add_to(summary, cells)
    return summary


def empty_summary(cells: Cells) -> Summary | TextSummary:
    """A summary for cells of that kind."""
    if isinstance(cells, Texts):
        return TextSummary()
    return Summary() if isinstance(cells, Numbers) else MomentSummary()


def add_to(summary: Summary | TextSummary, cells: Cells) -> None:
    """Take in a piece of a column."""
    if isinstance(summary, TextSummary):
        assert isinstance(cells, Texts)
        summary.add(cells)
    elif isinstance(summary, MomentSummary):
        assert isinstance(cells, Moments)
        summary.take(cells)
    else:
        assert isinstance(cells, Numbers)
        summary.add(cells.values)
