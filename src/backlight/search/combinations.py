"""Whole combinations of weights: all of a grid, or drawn at random; the best is kept."""

from abc import abstractmethod
from dataclasses import dataclass
from math import log10
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Session, WholeBatch
from backlight.errors import InputError
from backlight.randomness import Purpose, uniforms
from backlight.search.session import SearchSession

_EPOCH: Final = 1_000
_MOST_DIGITS: Final = 15
LARGEST: Final = float(np.finfo(np.float32).max)
EXHAUSTED: Final = "every combination was tried"


def _fits(value: float) -> bool:
    """Whether parameters can have a value."""
    return abs(value) <= LARGEST


class _Candidates(WholeBatch):
    """A row of combinations, each of which can be told from its number."""

    gradual: ClassVar[bool] = False

    @abstractmethod
    def candidate(self, number: int, size: int, seed: int) -> Floats | None:
        """The parameters (size,) to be tried at a step; None where there are no more."""

    def open(self, session: Session, params: Floats, seed: int) -> "CombinationsSession":
        """A session whose steps each try one combination."""
        return CombinationsSession(session, params, self, seed)


@dataclass(frozen=True)
class Combinations(_Candidates):
    """Try every combination of a few values, for all weights and biases at once; the best of all is kept.

    For N parameters with V values there are V^N. Step t tries the one whose digits are those of t to the base V, the
    last parameter's the fastest; an epoch tries all values of the last parameters, as many as makes up to 1,000.

    Args:
        values: that each parameter may have.

    Raises:
        InputError: there are fewer than two different values, or one is not a finite number.

    Example:
        >>> grid = Combinations((-1.0, 0.0, 1.0))
        >>> [grid.candidate(step, 2, seed=0).tolist() for step in (0, 1, 8)], grid.candidate(9, 2, seed=0)
        ([[-1.0, -1.0], [-1.0, 0.0], [1.0, 1.0]], None)
        >>> grid.count(9), grid.steps_per_epoch(9)
        (19683, 729)
    """

    values: tuple[float, ...] = (-1.0, 0.0, 1.0)
    name: ClassVar[str] = "combinations"

    def __post_init__(self) -> None:
        if len(set(self.values)) < max(2, len(self.values)) or not all(map(_fits, self.values)):
            listed = ":".join(f"{value:g}" for value in self.values)
            raise InputError(
                f"the values of combinations are {listed}; give two or more different finite numbers, up to "
                f"{LARGEST:.2g}"
            )

    def count(self, size: int) -> int:
        """How many combinations there are, of so many parameters."""
        return int(len(self.values) ** size)

    def told(self, size: int) -> str:
        """How many combinations there are and how long an epoch is, in words.

        Example:
            >>> Combinations().told(9)
            '19,683 combinations, 3 values for each of 9 weights; 729 an epoch'
            >>> Combinations().told(1210)
            '3^1,210 combinations, 3 values for each of 1,210 weights; 729 an epoch'
        """
        few = size * log10(len(self.values)) < _MOST_DIGITS
        count = f"{self.count(size):,}" if few else f"{len(self.values)}^{size:,}"
        values = f"{len(self.values)} values for each of {size:,} weights"
        return f"{count} combinations, {values}; {self.steps_per_epoch(size):,} an epoch"

    def candidate(self, number: int, size: int, seed: int) -> Floats | None:
        """The combination of that number."""
        digits = np.zeros(size, np.int64)
        for place in range(size - 1, -1, -1):
            if not number:
                break
            number, digits[place] = divmod(number, len(self.values))
        return None if number else np.array(self.values)[digits]

    def steps_per_epoch(self, size: int) -> int:
        """The largest power of the number of values up to 1,000, so that epochs and combinations end together."""
        steps = len(self.values)
        for _ in range(size - 1):
            if steps * len(self.values) > _EPOCH:
                break
            steps *= len(self.values)
        return steps


@dataclass(frozen=True)
class RandomCombinations(_Candidates):
    """Draw all weights and biases anew, uniformly from −reach to reach, at every step; the best of all is kept.

    Args:
        reach: the largest size of a weight.

    Raises:
        InputError: the reach is not a finite number above 0.

    Example:
        >>> drawn = RandomCombinations(2.0).candidate(0, 1000, seed=0)
        >>> round(float(drawn.min())), round(float(drawn.max()))
        (-2, 2)
    """

    reach: float = 1.0
    name: ClassVar[str] = "random"

    def __post_init__(self) -> None:
        if not (_fits(self.reach) and self.reach > 0):
            raise InputError(
                f"the reach of random is {self.reach:g}; it must be a finite number above 0, up to {LARGEST:.2g}"
            )

    def told(self, size: int) -> str:
        """What is drawn, in words.

        Example:
            >>> RandomCombinations().told(1210)
            '1,210 weights, all drawn anew from −1 to 1; 1,000 draws an epoch'
        """
        return f"{size:,} weights, all drawn anew from −{self.reach:g} to {self.reach:g}; {_EPOCH:,} draws an epoch"

    def candidate(self, number: int, size: int, seed: int) -> Floats | None:
        """The draw of that number."""
        high, low = divmod(number, 2**32)
        return self.reach * (2.0 * uniforms(seed, Purpose.SEARCHING, size, place=(low, high)) - 1.0)

    def steps_per_epoch(self, size: int) -> int:
        """A thousand draws."""
        return _EPOCH


class CombinationsSession(SearchSession):
    """Steps that each try one combination; arguments as for `_Candidates.open`."""

    def __init__(self, session: Session, params: Floats, search: _Candidates, seed: int) -> None:
        super().__init__(session, params, {})
        self._search, self._seed = search, seed

    def step(self, rows: Ints, number: int) -> tuple[float, str | None]:
        """Try the next combination."""
        tried = self._search.candidate(number, self.params.size, self._seed)
        if tried is None:
            return 0.0, EXHAUSTED
        start, before = self.here(rows), self.params.copy()
        with self.trying(slice(None)):
            self.params[...] = tried
            if self.keeps(rows, start):
                return start, None
        self.params[...] = before
        return start, None
