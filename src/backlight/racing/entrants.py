"""Who races: backpropagation, and what trains without it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from backlight.search import Combinations, RandomCombinations, parse_search

BACKPROPAGATION_PASSES: Final = 3
"""Forward passes that a pass with backpropagation counts as: forward, errors back, gradients of the weights.

Each of the three is a matrix product of the same size for every layer; no errors are passed back to the inputs.
"""


@dataclass(frozen=True)
class Entrant:
    """A method that races.

    Attributes:
        method: as `backlight train --method` has it, and for a full batch with `=full`.
        name: in words.
        settings: how its settings differ from those of the others.
        gradient: whether it takes gradients.
    """

    method: str
    name: str
    settings: Mapping[str, Any]
    gradient: bool = False


def entrants(values: str | None = None) -> tuple[Entrant, ...]:
    """Who races, in the order in which they are shown.

    Args:
        values: of which every combination is tried, as in `combinations=-1:0:1`; that method's own unless given.

    Raises:
        InputError: the values cannot be read, or are fewer than two.

    Example:
        >>> [one.method for one in entrants("0:1")][2:]
        ['one-weight', 'one-weight=random', 'combinations=0:1', 'random=1']
        >>> entrants("0:1")[4].name
        'every combination of 0, 1'
    """
    grid = Combinations() if values is None else parse_search(f"combinations={values}")
    assert isinstance(grid, Combinations)
    reach = f"{RandomCombinations().reach:g}"
    every = f"combinations={':'.join(f'{value:g}' for value in grid.values)}"
    listed = ", ".join(f"{value:g}".replace("-", "−") for value in grid.values)
    return (
        Entrant("backpropagation", "backpropagation, batches", {}, gradient=True),
        Entrant("backpropagation=full", "backpropagation, full batch", {"batch_size": "full"}, gradient=True),
        _search("one-weight", "one weight at a time, in order"),
        _search("one-weight=random", "one weight at a time, at random"),
        _search(every, f"every combination of {listed}"),
        _search(f"random={reach}", f"random combinations from −{reach} to {reach}"),
    )


def _search(method: str, name: str) -> Entrant:
    return Entrant(method, name, {"optimizer": method})
