"""Training without gradients: by trying, and keeping what makes the objective lower.

| name | a step | an epoch |
|---|---|---|
| `one-weight` | one weight is moved up, else down, and stays where that helps | every weight once, in order |
| `one-weight=random` | the same | every weight once, in an order drawn anew |
| `combinations=-1:0:1` | the next of all combinations of these values, for all weights at once | up to 1,000 of them |
| `random=1` | a combination drawn from −1 to 1 | 1,000 of them |

Every step looks at all examples. None asks for a derivative, so that whatever they reach was found by forward passes
alone: what backpropagation is measured against.
"""

from typing import Final

from backlight.engine import WholeBatch
from backlight.errors import InputError
from backlight.search.combinations import Combinations, RandomCombinations
from backlight.search.one_weight import OneWeight

SEARCHES: Final = (OneWeight.name, Combinations.name, RandomCombinations.name)

__all__ = ["SEARCHES", "Combinations", "OneWeight", "RandomCombinations", "parse_search"]


def parse_search(text: str) -> WholeBatch:
    """A way of searching as it is typed: a name, and after = what it is given.

    Raises:
        InputError: there is no such way, or what it is given cannot be read.

    Example:
        >>> parse_search("one-weight=random")
        OneWeight(order='random')
        >>> parse_search("combinations=-1:0:1"), parse_search("random=2")
        (Combinations(values=(-1.0, 0.0, 1.0)), RandomCombinations(reach=2.0))
    """
    name, sign, given = text.partition("=")
    if name == OneWeight.name:
        return OneWeight(given) if sign else OneWeight()
    if name == Combinations.name:
        return Combinations(tuple(_number(text, part) for part in given.split(":"))) if sign else Combinations()
    if name == RandomCombinations.name:
        return RandomCombinations(_number(text, given)) if sign else RandomCombinations()
    raise InputError(f"there is no search {name!r}; there are {', '.join(SEARCHES)}")


def _number(text: str, part: str) -> float:
    try:
        return float(part)
    except ValueError:
        raise InputError(
            f"{text!r} cannot be read: {part!r} is no number; write combinations=-1:0:1, or random=2"
        ) from None
