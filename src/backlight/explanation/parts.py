"""Lists of parts that add up: what every explanation is made of."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """One thing that is added.

    Attributes:
        name: what it is, in the words of the data.
        value: what is added.
    """

    name: str
    value: float


@dataclass(frozen=True)
class Parts:
    """Parts, their sum, and the whole that they explain, computed apart.

    Attributes:
        parts: what is added; a shortened list ends with the part `rest`.
        sum: the sum of the parts.
        whole: what the sum should be, computed in another way.

    Example:
        >>> parts = add_up([("bias", 0.5), ("weights", 1.5)], whole=2.0)
        >>> parts.sum, parts.whole, parts.shortened(1).parts[-1]
        (2.0, 2.0, Part(name='rest', value=0.5))
    """

    parts: tuple[Part, ...]
    sum: float
    whole: float

    def shortened(self, count: int) -> "Parts":
        """The parts of largest size, in order of size; the others as one part `rest`."""
        ranked = sorted(self.parts, key=lambda part: -abs(part.value))
        if len(ranked) <= count:
            return Parts(tuple(ranked), self.sum, self.whole)
        rest = Part("rest", math.fsum(part.value for part in ranked[count:]))
        return Parts((*ranked[:count], rest), self.sum, self.whole)

    def to_dict(self) -> dict[str, Any]:
        """Plain data: `parts` (`name`, `value`), `sum`, `whole`."""
        parts = [{"name": part.name, "value": part.value} for part in self.parts]
        return {"parts": parts, "sum": self.sum, "whole": self.whole}


def add_up(named: Iterable[tuple[str, float]], whole: float) -> Parts:
    """Parts from names and values, with their exactly rounded sum.

    Args:
        named: pairs of name and value.
        whole: what the sum should be, computed in another way.
    """
    parts = tuple(Part(name, float(value)) for name, value in named)
    return Parts(parts, math.fsum(part.value for part in parts), float(whole))
