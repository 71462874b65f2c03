"""The cells of one column, as arrays: numbers, texts by code, and moments in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Numbers:
    """Numbers.

    Attributes:
        values: (n,), NaN where missing.
    """

    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> "Numbers":
        """Some of the rows."""
        return Numbers(self.values[rows])

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells are missing (n,)."""
        return np.isnan(self.values)


@dataclass(frozen=True)
class Moments:
    """Dates and times.

    Attributes:
        seconds: since 1970-01-01 (n,), without leap seconds and time zones; NaN where missing.
        date_format: how they are written, a name of `column_types.DATE_FORMATS`, where they are written as text.
    """

    seconds: NDArray[np.float64]
    date_format: str = ""

    def __len__(self) -> int:
        return len(self.seconds)

    def __getitem__(self, rows: Any) -> "Moments":
        """Some of the rows."""
        return Moments(self.seconds[rows], self.date_format)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells are missing (n,)."""
        return np.isnan(self.seconds)


@dataclass(frozen=True)
class Texts:
    """Text of few or many different values.

    Attributes:
        codes: the place of each cell's text in `values` (n,), −1 where missing.
        values: the different texts.
        folded: whether the last of the values stands for all the texts that are not told apart.

    Example:
        >>> cells = Texts.of(["b", None, "a", "b"])
        >>> cells.codes.tolist(), cells.values, cells.tolist()
        ([0, -1, 1, 0], ('b', 'a'), ['b', None, 'a', 'b'])
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]
    folded: bool = False

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "Texts":
        """Texts, None where missing."""
        places: dict[str, int] = {}
        codes = [-1 if text is None else places.setdefault(text, len(places)) for text in texts]
        return cls(np.array(codes, np.int32), tuple(places))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> "Texts":
        """Some of the rows."""
        return Texts(self.codes[rows], self.values, self.folded)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells are missing (n,)."""
        return self.codes < 0

    def tolist(self) -> list[str | None]:
        """The texts themselves, None where missing."""
        return [None if code < 0 else self.values[code] for code in self.codes.tolist()]


Cells: TypeAlias = Numbers | Moments | Texts


def moment_text(days: float) -> str:
    """Days since 1970-01-01 as a date, to the minute where it is not midnight.

    Example:
        >>> moment_text(20_000.0), moment_text(0.75)
        ('2024-10-04', '1970-01-01 18:00')
    """
    moment = np.datetime64(0, "m") + np.timedelta64(round(days * 1440.0), "m")
    return str(moment).removesuffix("T00:00").replace("T", " ")
